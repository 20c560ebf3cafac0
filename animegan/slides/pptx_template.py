"""The empty presentation that slides are written into: python-pptx's own, widened to 16:9 and restyled."""

from __future__ import annotations

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from animegan.slides.layout import COVER_TEXT_HEIGHT, COVER_TITLE_HEIGHT, COVER_TOP
from animegan.slides.style import (
    BODY,
    BOTTOM,
    CHINESE,
    COLOURS,
    FONT,
    FOOT_HEIGHT,
    FOOT_TOP,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    TITLE_HEIGHT,
    TITLE_TOP,
    TOP,
    WIDTH,
)

COVER, CONTENT, SECTION, TITLE_ONLY = "Title Slide", "Title and Content", "Section Header", "Title Only"
FOOT_LETTERS = 10.5  # points
BAR = 10  # points: the coloured edge of a title slide
PLACES = {
    PP_PLACEHOLDER.TITLE: (MARGIN, TITLE_TOP, WIDTH, TITLE_HEIGHT),
    PP_PLACEHOLDER.BODY: (MARGIN, TOP, WIDTH, BOTTOM - TOP),
    PP_PLACEHOLDER.FOOTER: (MARGIN, FOOT_TOP, WIDTH - 100, FOOT_HEIGHT),
    PP_PLACEHOLDER.SLIDE_NUMBER: (PAGE_WIDTH - MARGIN - 80, FOOT_TOP, 80, FOOT_HEIGHT),
}
COVER_PLACES = (
    (MARGIN, COVER_TOP, WIDTH - 80, COVER_TITLE_HEIGHT),
    (MARGIN, COVER_TOP + COVER_TITLE_HEIGHT + 18, WIDTH - 80, COVER_TEXT_HEIGHT),
)


def empty_presentation():
    """A presentation with no slide and four layouts: COVER, CONTENT, SECTION and TITLE_ONLY."""
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Pt(PAGE_WIDTH), Pt(PAGE_HEIGHT)
    for layout in list(presentation.slide_layouts):
        if layout.name not in (COVER, CONTENT, SECTION, TITLE_ONLY):
            presentation.slide_layouts.remove(layout)
    master = presentation.slide_master
    _restyle_theme(master)
    _restyle_master(master)
    for layout in presentation.slide_layouts:
        _restyle_layout(layout)
    return presentation


def place(shape, left: float, top: float, width: float, height: float) -> None:
    """Points."""
    shape.left, shape.top, shape.width, shape.height = Pt(left), Pt(top), Pt(width), Pt(height)


def _restyle_theme(master) -> None:
    """Fonts and colours, so that what a student adds in PowerPoint looks like the rest."""
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    for kind in ("majorFont", "minorFont"):
        fonts = theme.find(f".//{qn(f'a:{kind}')}")
        fonts.find(qn("a:latin")).set("typeface", FONT)
        fonts.find(qn("a:ea")).set("typeface", CHINESE)
        for font in fonts.findall(qn("a:font")):
            if font.get("script") == "Hans":
                font.set("typeface", CHINESE)
    new = {"dk1": "ink", "dk2": "faded", "lt2": "panel", "accent1": "accent", "hlink": "accent", "folHlink": "accent"}
    for name, colour in new.items():
        slot = theme.find(f".//{qn(f'a:{name}')}")
        for child in list(slot):
            slot.remove(child)
        etree.SubElement(slot, qn("a:srgbClr"), val=COLOURS[colour])
    part.blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def _restyle_master(master) -> None:
    for shape in list(master.placeholders):
        kind = shape.placeholder_format.type
        if kind not in PLACES:  # the date, which no slide has
            shape._element.getparent().remove(shape._element)
            continue
        place(shape, *PLACES[kind])
        body = shape._element.txBody.bodyPr
        for side in ("lIns", "tIns", "rIns", "bIns"):
            body.set(side, "0")
        body.set("anchor", {PP_PLACEHOLDER.TITLE: "b", PP_PLACEHOLDER.BODY: "t"}.get(kind, "ctr"))
        for style in shape._element.iter(qn("a:lvl1pPr")):
            style.set("algn", "r" if kind == PP_PLACEHOLDER.SLIDE_NUMBER else "l")
            letters = style.find(qn("a:defRPr"))
            letters.set("sz", str(round(100 * FOOT_LETTERS)))
            for tint in list(letters.iter(qn("a:tint"))):
                tint.getparent().set("val", "tx2")
                tint.getparent().remove(tint)
    styles = master._element.find(qn("p:txStyles"))
    title = styles.find(f"{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    title.set("algn", "l")
    title.find(qn("a:defRPr")).set("sz", "2800")
    title.find(qn("a:defRPr")).set("b", "1")
    for level, style in enumerate(styles.find(qn("p:bodyStyle"))):
        letters = style.find(qn("a:defRPr"))
        letters.set("sz", str(round(100 * max(BODY.size - 2 * level, 14))))


def _restyle_layout(layout) -> None:
    for shape in list(layout.placeholders):
        kind = shape.placeholder_format.type
        if kind == PP_PLACEHOLDER.DATE:
            shape._element.getparent().remove(shape._element)
    if layout.name not in (COVER, SECTION):
        return
    for shape, position in zip(list(layout.placeholders)[:2], COVER_PLACES, strict=True):
        place(shape, *position)
        shape._element.txBody.bodyPr.set("anchor", "b" if position is COVER_PLACES[0] else "t")
        levels = shape._element.txBody.find(qn("a:lstStyle"))
        for style in list(levels):
            levels.remove(style)
        size, bold = (4200, 1) if position is COVER_PLACES[0] else (2000, 0)
        levels.append(
            parse_xml(
                f'<a:lvl1pPr {nsdecls("a")} marL="0" indent="0" algn="l"><a:buNone/>'
                f'<a:defRPr sz="{size}" b="{bold}" cap="none"/></a:lvl1pPr>'
            )
        )
    slide = layout._element.cSld
    slide.insert(
        0,
        parse_xml(
            f'<p:bg {nsdecls("p", "a")}><p:bgPr><a:solidFill><a:schemeClr val="bg2"/></a:solidFill>'
            f"<a:effectLst/></p:bgPr></p:bg>"
        ),
    )
    slide.spTree.insert(
        2,
        parse_xml(
            f'<p:sp {nsdecls("p", "a")}><p:nvSpPr><p:cNvPr id="99" name="Edge"/><p:cNvSpPr/><p:nvPr userDrawn="1"/>'
            f'</p:nvSpPr><p:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{Pt(BAR)}" cy="{Pt(PAGE_HEIGHT)}"/></a:xfrm>'
            f'<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'
            f"</p:spPr></p:sp>"
        ),
    )
