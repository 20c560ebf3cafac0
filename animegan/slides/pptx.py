"""Pages become a PowerPoint file: real titles, real text, real tables, and a description of every picture."""

from __future__ import annotations

import copy
import io
import itertools

from pptx.dml.color import RGBColor
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_AUTO_SIZE, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from animegan.slides.layout import Box, Page, paragraph_space
from animegan.slides.model import Span, Spans, clean, plain
from animegan.slides.pieces import Image, Listing, Paragraph, TableBox
from animegan.slides.pptx_animation import appear
from animegan.slides.pptx_template import CONTENT, COVER, FOOT_LETTERS, SECTION, TITLE_ONLY, empty_presentation, place
from animegan.slides.style import CELL_X, CELL_Y, CHINESE, COLOURS, FONT, MATH, MONO, Style
from animegan.slides.text_width import is_wide

PLAIN_TABLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # PowerPoint's "No Style, No Grid"


def write_pptx(pages: list[Page], name: str) -> bytes:
    """The bytes of a .pptx file. name: the notebook's, for the file's properties where there is no title."""
    presentation = empty_presentation()
    layouts = {layout.name: layout for layout in presentation.slide_layouts}
    title = plain(pages[0].title) or name
    presentation.core_properties.title = clean(title)
    presentation.core_properties.author = ""
    for number, page in enumerate(pages, 1):
        _slide(presentation, layouts, page, number, clean(title))
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def _slide(presentation, layouts: dict, page: Page, number: int, deck_title: str) -> None:
    texts = [box for box in page.boxes if isinstance(box.content, tuple)]
    kind = {"cover": COVER, "section": SECTION}.get(page.kind, CONTENT if texts else TITLE_ONLY)
    slide = presentation.slides.add_slide(layouts[kind])
    heading, *others = slide.placeholders
    _title(heading, page)
    body = others[0] if others and texts else None
    for shape in others:
        if shape is not body:  # an empty placeholder would say "Click to add text"
            shape._element.getparent().remove(shape._element)
    shapes = []
    for box in sorted(page.boxes, key=lambda box: box.step):
        is_text = isinstance(box.content, tuple)
        shapes.append((box.step, _box(slide, box, body if is_text else None)))
        body = None if is_text else body
    if page.kind == "content":
        _foot(slide, number, deck_title)
    if page.notes:
        slide.notes_slide.notes_text_frame.text = clean(page.notes)
    by_step = itertools.groupby(shapes, lambda pair: pair[0])
    appear(slide, [[shape for _, shape in group] for step, group in by_step if step])


def _title(shape, page: Page) -> None:
    if page.kind != "content":
        place(shape, *page.title_place)
    shape.text_frame.auto_size = MSO_AUTO_SIZE.TEXT_TO_FIT_SHAPE
    _line(shape.text_frame.paragraphs[0], page.title, page.title_style)


def _box(slide, box: Box, body):
    content = box.content
    if isinstance(content, tuple):
        shape = body if body is not None else slide.shapes.add_textbox(0, 0, 0, 0)
        _texts(shape.text_frame, content)
    elif isinstance(content, Listing):
        shape = slide.shapes.add_textbox(0, 0, 0, 0)
        _listing(shape, content)
    elif isinstance(content, Image):
        shape = slide.shapes.add_picture(io.BytesIO(content.picture.data), 0, 0)
        shape._element.nvPicPr.cNvPr.set("descr", clean(content.picture.alt))
    else:
        return _table(slide, box, content)
    place(shape, box.left, box.top, box.width, box.height)
    return shape


# --- text ---------------------------------------------------------------------------------------------------


def _frame(frame, beside: float = 0, above: float = 0) -> None:
    """Margins that were reckoned with; what a student adds later is made to fit by PowerPoint."""
    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.TEXT_TO_FIT_SHAPE
    frame.margin_left = frame.margin_right = Pt(beside)
    frame.margin_top = frame.margin_bottom = Pt(above)


def _next_paragraph(frame):
    """The one that every frame begins with as long as it is empty, then a new one."""
    first = frame.paragraphs[0]
    return first if first._p.pPr is None else frame.add_paragraph()


def _texts(frame, content: tuple[Paragraph, ...]) -> None:
    _frame(frame)
    running: dict[int, int] = {}  # by indent, the number with which the list in progress begins
    before = None
    for item in content:
        paragraph, text = _next_paragraph(frame), item.text
        colour = {"note": "note", "quote": "faded", "caption": "faded"}.get(text.tone, "")
        _line(paragraph, text.spans, item.style, colour, bool(text.heading))
        paragraph.space_before = Pt(paragraph_space(before, item))
        running = {indent: start for indent, start in running.items() if indent < text.indent + bool(text.mark)}
        if isinstance(text.mark, int):
            running.setdefault(text.indent, text.mark)
        else:
            running.pop(text.indent, None)
        _bullet(paragraph, item, running.get(text.indent, 1))
        before = item


def _bullet(paragraph, item: Paragraph, start: int) -> None:
    properties = paragraph._p.get_or_add_pPr()
    properties.set("lvl", str(min(max(item.text.indent - 1, 0), 8)))
    properties.set("marL", str(Pt(item.left)))
    properties.set("indent", str(-Pt(item.hang)))
    mark = "<a:buNone {}/>"
    if isinstance(item.text.mark, int):
        mark = f'<a:buAutoNum {{}} type="arabicPeriod" startAt="{min(start, 32767)}"/>'
    elif item.text.mark:
        mark = f'<a:buChar {{}} char="{item.text.mark}"/>'
    if item.text.mark:
        properties.append(parse_xml(f'<a:buClr {nsdecls("a")}><a:srgbClr val="{COLOURS["accent"]}"/></a:buClr>'))
        properties.append(parse_xml(f'<a:buFont {nsdecls("a")} typeface="{FONT}"/>'))
    properties.append(parse_xml(mark.format(nsdecls("a"))))


def _listing(shape, content: Listing) -> None:
    frame = shape.text_frame
    _frame(frame, content.padding, content.inset)
    if not content.code.output:
        shape.fill.solid()
        shape.fill.fore_color.rgb = RGBColor.from_string(COLOURS["panel"])
    colour = "faded" if content.code.output else ""
    for line in content.code.lines:
        _line(_next_paragraph(frame), line or (Span(" ", code=True),), content.style, colour)


def _line(paragraph, spans: Spans, style: Style, colour: str = "", bold: bool = False) -> None:
    paragraph.line_spacing = Pt(style.leading)
    for span in spans:
        for n, part in enumerate(clean(span.text).split("\n")):
            if n:
                paragraph.add_line_break()
            if part:
                _run(paragraph.add_run(), part, span, style.size, span.colour or colour, bold or span.bold)


def _run(run, text: str, span: Span, size: float, colour: str, bold: bool) -> None:
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
    name = MONO if span.code else MATH if span.math else ""
    if name:
        font.name = name
    if is_chinese:  # else PowerPoint takes what it finds first, which may be a font without these characters
        font_of_chinese = parse_xml(f'<a:ea {nsdecls("a")} typeface="{CHINESE}"/>')
        properties.insert_element_before(font_of_chinese, "a:cs", "a:sym", "a:hlinkClick")
    if span.link:
        run.hyperlink.address = clean(span.link)


# --- tables ---------------------------------------------------------------------------------------------------


def _table(slide, box: Box, content: TableBox):
    rows, headers = content.table.rows, content.table.headers
    size = (Pt(value) for value in (box.left, box.top, box.width, box.height))
    shape = slide.shapes.add_table(len(rows), len(content.columns), *size)
    heads = ", ".join(filter(None, (plain(cell) for cell in rows[0])))
    shape._element.nvGraphicFramePr.cNvPr.set("descr", clean(f"table: {heads}"))
    table = shape.table
    table._tbl.tblPr.find(qn("a:tableStyleId")).text = PLAIN_TABLE
    table.first_row, table.horz_banding = headers > 0, False
    for column, width in zip(table.columns, content.columns, strict=True):
        column.width = Pt(width)
    for number, (row, cells, height) in enumerate(zip(table.rows, rows, content.heights, strict=True)):
        row.height = Pt(height)
        for cell, spans in zip(row.cells, cells, strict=True):
            cell.margin_left = cell.margin_right = Pt(CELL_X)
            cell.margin_top = cell.margin_bottom = Pt(CELL_Y)
            _line(cell.text_frame.paragraphs[0], spans or (Span(" "),), content.style)
            _rule(cell, "accent" if number == headers - 1 else "rule")
    return shape


def _rule(cell, colour: str) -> None:
    """A line below the cell."""
    width = Pt(1.25 if colour == "accent" else 0.75)
    cell._tc.get_or_add_tcPr().append(
        parse_xml(
            f'<a:lnB {nsdecls("a")} w="{width}"><a:solidFill><a:srgbClr val="{COLOURS[colour]}"/></a:solidFill></a:lnB>'
        )
    )


# --- page numbers ------------------------------------------------------------------------------------


def _foot(slide, number: int, deck_title: str) -> None:
    """The layout's foot line and page number, which python-pptx leaves out."""
    texts = {PP_PLACEHOLDER.FOOTER: deck_title, PP_PLACEHOLDER.SLIDE_NUMBER: str(number)}
    for shape in slide.slide_layout.placeholders:
        kind = shape.placeholder_format.type
        if kind not in texts:
            continue
        element = copy.deepcopy(shape._element)
        element.nvSpPr.cNvPr.set("id", str(max(other.shape_id for other in slide.shapes) + 1))
        slide.shapes._spTree.append(element)
        shown = list(element.iter(qn("a:t")))
        if shown:
            shown[0].text = texts[kind]
        else:
            line = slide.shapes[-1].text_frame.paragraphs[0]
            line.alignment = PP_ALIGN.LEFT
            _run(line.add_run(), texts[kind], Span(""), FOOT_LETTERS, "faded", False)
