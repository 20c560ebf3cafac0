"""Pages become a PowerPoint file: real titles, real text, real tables, and a description of every picture."""

import io

from pptx.dml.color import RGBColor
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_AUTO_SIZE
from pptx.oxml.ns import qn
from pptx.util import Pt

from animegan.slides.layout import Box, Page
from animegan.slides.model import Picture, Span, Spans, clean, note, plain
from animegan.slides.pieces import Listing, Paragraph, TableBox, rejoined
from animegan.slides.pptx_animation import appear
from animegan.slides.pptx_template import FOOTER_SIZE, LAYOUTS, empty_presentation, place, remove, xml
from animegan.slides.style import CELL_X, CELL_Y, COLOURS, FONTS, SMALL, Style
from animegan.slides.svg import AS_PNG, SVG, as_png
from animegan.slides.text_width import is_wide

NUMBER_FIELD = '<a:fld id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum"><a:t>{}</a:t></a:fld>'
PLAIN_TABLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's "No Style, No Grid"


def write(pages: list[Page], name: str) -> bytes:
    """The bytes of a .pptx file. name: the notebook's, for the file's properties if there is no title."""
    presentation = empty_presentation()
    title = clean(plain(pages[0].title) or name)[:255]  # what the property can hold
    presentation.core_properties.title, presentation.core_properties.author = title, ""
    for number, page in enumerate(pages, 1):
        _add_slide(presentation, page, number, title)
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def _add_slide(presentation, page: Page, number: int, deck_title: str) -> None:
    has_text = any(box.is_text for box in page.boxes)
    layout = LAYOUTS["bare" if page.kind == "content" and not has_text else page.kind]
    slide = presentation.slides.add_slide(presentation.slide_layouts.get_by_name(layout))
    title, *bodies = slide.placeholders  # one body, or none
    if page.kind != "content":
        place(title, *page.title_place)
    title.text_frame.auto_size = MSO_AUTO_SIZE.TEXT_TO_FIT_SHAPE
    _fill_paragraph(title.text_frame.paragraphs[0], page.title, page.title_style)
    if bodies and not has_text:  # an empty placeholder would say "Click to add text"
        remove(bodies.pop())
    steps: dict[int, list] = {}
    for box in sorted(page.boxes, key=lambda box: box.step):
        body = bodies.pop() if bodies and box.is_text else None
        steps.setdefault(box.step, []).append(_add_box(slide, box, body))
    if page.kind == "content":
        _add_footer(slide, number, deck_title)
    if page.notes:
        slide.notes_slide.notes_text_frame.text = clean(page.notes)
    appear(slide, [shapes for step, shapes in steps.items() if step])


def _add_box(slide, box: Box, body):
    """body: the slide's placeholder for text if it is still empty."""
    content = box.content
    if isinstance(content, TableBox):
        return _add_table(slide, box, content)
    if isinstance(content, Picture) and (data := content.data if content.kind != SVG else as_png(content)):
        shape = slide.shapes.add_picture(io.BytesIO(data), 0, 0)
        shape._element.nvPicPr.cNvPr.set("descr", clean(content.alt))
    else:
        if isinstance(content, Picture):  # a drawing that cannot become a PNG here
            reason = f"is an SVG, which PowerPoint cannot show: {AS_PNG}; or pip install cairosvg."
            style = SMALL * (1.0 if min(box.width, box.height) > 150 else 0.7)  # a font that fits there
            content = (Paragraph(note(f"This figure ({content.alt}) {reason}"), style, box.width),)
        shape = body or slide.shapes.add_textbox(0, 0, 0, 0)
        (_fill_listing if isinstance(content, Listing) else _fill_text)(shape, content)
    place(shape, box.left, box.top, box.width, box.height)
    return shape


# --- text ---------------------------------------------------------------------------------------------------


def _set_margins(frame, padding_x: float = 0, padding_y: float = 0) -> None:
    """The margins that the layout has counted on. PowerPoint shrinks the text if a student adds too much to it."""
    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.TEXT_TO_FIT_SHAPE
    frame.margin_left = frame.margin_right = Pt(padding_x)
    frame.margin_top = frame.margin_bottom = Pt(padding_y)


def _next_paragraph(frame):
    """The one that every frame starts with, as long as it is empty; then a new one."""
    first = frame.paragraphs[0]
    return first if first._p.pPr is None else frame.add_paragraph()


def _fill_text(shape, content: tuple[Paragraph, ...]) -> None:
    _set_margins(shape.text_frame)
    starts: dict[int, int] = {}  # by indent, the first number of the list in progress
    for item in content:
        paragraph, text = _next_paragraph(shape.text_frame), item.text
        colour = {"note": "note", "quote": "faded", "caption": "faded"}.get(text.role, "")
        _fill_paragraph(paragraph, text.spans, item.style, colour, bool(text.heading))
        paragraph.space_before = Pt(item.space)
        starts = {indent: start for indent, start in starts.items() if indent < text.indent + bool(text.label)}
        if isinstance(text.marker, int):
            starts.setdefault(text.indent, text.marker)
        else:
            starts.pop(text.indent, None)
        _set_bullet(paragraph, item, starts.get(text.indent, 1))


def _set_bullet(paragraph, item: Paragraph, start: int) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("lvl", str(min(max(item.text.indent - 1, 0), 8)))
    properties.set("marL", str(Pt(item.left)))
    properties.set("indent", str(-Pt(item.hang)))
    bullet = "<a:buNone/>"
    if item.text.label:
        properties.append(xml(f'<a:buClr><a:srgbClr val="{COLOURS["accent"]}"/></a:buClr>'))
        properties.append(xml(f'<a:buFont typeface="{FONTS["text"]}"/>'))
        bullet = f'<a:buChar char="{item.text.label}"/>'
    if isinstance(item.text.marker, int):
        bullet = f'<a:buAutoNum type="arabicPeriod" startAt="{min(max(start, 1), 32767)}"/>'  # PowerPoint's limits
    properties.append(xml(bullet))


def _fill_listing(shape, content: Listing) -> None:
    _set_margins(shape.text_frame, content.padding_x, content.padding_y)
    if not content.output:
        shape.fill.solid()
        shape.fill.fore_color.rgb = RGBColor.from_string(COLOURS["panel"])
    colour = "faded" if content.output else ""
    for line in map(rejoined, content.lines):
        _fill_paragraph(_next_paragraph(shape.text_frame), line or (Span(" ", code=True),), content.style, colour)


def _fill_paragraph(paragraph, spans: Spans, style: Style, colour: str = "", bold: bool = False) -> None:
    paragraph.line_spacing = Pt(style.leading)
    for span in spans:
        for n, part in enumerate(clean(span.text).split("\n")):
            if n:
                paragraph.add_line_break()
            if part:
                _fill_run(paragraph.add_run(), part, span, style.size, span.colour or colour, bold or span.bold)


def _fill_run(run, text: str, span: Span, size: float, colour: str, bold: bool = False) -> None:
    run.text = text
    font = run.font
    font.size, font.bold, font.italic = Pt(size), bold or None, span.italic or None
    properties = run._r.get_or_add_rPr()
    is_chinese = any(map(is_wide, text))
    properties.set("lang", "zh-CN" if is_chinese else "en-US")
    if span.strike:
        properties.set("strike", "sngStrike")
    if span.script:
        properties.set("baseline", "30000" if span.script > 0 else "-25000")
    if colour:
        font.color.rgb = RGBColor.from_string(COLOURS[colour])
    if span.code or span.math:
        font.name = FONTS["mono" if span.code else "math"]
    if is_chinese:  # otherwise PowerPoint may choose a font without these characters
        properties.insert_element_before(xml(f'<a:ea typeface="{FONTS["chinese"]}"/>'), "a:cs", "a:sym", "a:hlinkClick")
    if span.link:
        run.hyperlink.address = clean(span.link)


# --- tables ---------------------------------------------------------------------------------------------------


def _add_table(slide, box: Box, content: TableBox):
    size = map(Pt, (box.left, box.top, box.width, box.height))
    shape = slide.shapes.add_table(len(content.rows), len(content.columns), *size)
    heads = ", ".join(filter(None, map(plain, map(rejoined, content.rows[0].cells))))
    shape._element.nvGraphicFramePr.cNvPr.set("descr", clean(f"table: {heads}"))
    table = shape.table
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = PLAIN_TABLE
    table.first_row, table.horz_banding = content.headers > 0, False
    for column, width in zip(table.columns, content.columns, strict=True):
        column.width = Pt(width)
    for number, (row, source) in enumerate(zip(table.rows, content.rows, strict=True), 1):
        row.height = Pt(source.height)
        colour, width = ("accent", 1.25) if number == content.headers else ("rule", 0.75)
        fill = f'<a:solidFill><a:srgbClr val="{COLOURS[colour]}"/></a:solidFill>'
        for cell, spans in zip(row.cells, map(rejoined, source.cells), strict=True):
            cell.margin_left = cell.margin_right = Pt(CELL_X)
            cell.margin_top = cell.margin_bottom = Pt(CELL_Y)
            _fill_paragraph(cell.text_frame.paragraphs[0], spans or (Span(" "),), content.style)
            cell._tc.get_or_add_tcPr().append(xml(f'<a:lnB w="{Pt(width)}">{fill}</a:lnB>'))  # a line below it
    return shape


# --- page numbers ------------------------------------------------------------------------------------


def _add_footer(slide, number: int, deck_title: str) -> None:
    """The layout's footer and page number, which python-pptx does not copy."""
    for placeholder in slide.slide_layout.placeholders:
        kind = placeholder.placeholder_format.type
        if kind in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
            slide.shapes.clone_placeholder(placeholder)
            line = slide.shapes[-1].text_frame.paragraphs[0]
            if kind == PP_PLACEHOLDER.FOOTER:
                _fill_run(line.add_run(), deck_title, Span(""), FOOTER_SIZE, "faded")
            else:
                line._p.append(xml(NUMBER_FIELD.format(number)))
