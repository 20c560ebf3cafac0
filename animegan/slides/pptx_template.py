"""The empty presentation that slides are written into: python-pptx's own, widened to 16:9 and restyled."""

import re

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from animegan.slides import style

LAYOUTS = {"cover": "Title Slide", "section": "Section Header", "content": "Title and Content", "bare": "Title Only"}
FOOTER_SIZE = 10.5  # points: font size
BAR = 10  # points: the coloured edge of a title slide
PLACES = {
    PP_PLACEHOLDER.TITLE: style.PAGE_TITLE,
    PP_PLACEHOLDER.BODY: style.PAGE_BODY,
    PP_PLACEHOLDER.FOOTER: style.PAGE_FOOTER,
    PP_PLACEHOLDER.SLIDE_NUMBER: style.PAGE_NUMBER,
}


def empty_presentation():
    """A presentation without slides, and with the four `LAYOUTS`."""
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Pt(style.PAGE_WIDTH), Pt(style.PAGE_HEIGHT)
    _restyle_theme(presentation.slide_master)
    _restyle_master(presentation.slide_master)
    for layout in list(presentation.slide_layouts):
        if layout.name in LAYOUTS.values():
            _restyle_layout(layout)
        else:
            presentation.slide_layouts.remove(layout)
    return presentation


def place(shape, left: float, top: float, width: float, height: float) -> None:
    """Points."""
    shape.left, shape.top, shape.width, shape.height = Pt(left), Pt(top), Pt(width), Pt(height)


def remove(shape) -> None:
    shape._element.getparent().remove(shape._element)


def xml(markup: str):
    """An element from its markup, in which the prefixes a and p are known."""
    return parse_xml(re.sub(r"(?=[\s/>])", f" {nsdecls('a', 'p')}", markup, count=1))


def _restyle_theme(master) -> None:
    """Fonts and colours, so that what a student adds in PowerPoint looks like the rest."""
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(part.blob)
    for fonts in theme.iter(qn("a:majorFont"), qn("a:minorFont")):
        fonts.find(qn("a:latin")).set("typeface", style.FONTS["text"])
        for font in (fonts.find(qn("a:ea")), *fonts.findall(f"{qn('a:font')}[@script='Hans']")):
            font.set("typeface", style.FONTS["chinese"])
    new = {"dk1": "ink", "dk2": "faded", "lt2": "panel", "accent1": "accent", "hlink": "accent", "folHlink": "accent"}
    for name, colour in new.items():
        slot = theme.find(f".//{qn(f'a:{name}')}")
        slot.clear()
        etree.SubElement(slot, qn("a:srgbClr"), val=style.COLOURS[colour])
    part.blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def _restyle_master(master) -> None:
    for shape in list(master.placeholders):
        kind = shape.placeholder_format.type
        if kind not in PLACES:  # the date, which no slide has
            remove(shape)
            continue
        place(shape, *PLACES[kind])
        anchor = {PP_PLACEHOLDER.TITLE: "b", PP_PLACEHOLDER.BODY: "t"}.get(kind, "ctr")
        margins = dict.fromkeys(("lIns", "tIns", "rIns", "bIns"), "0")
        shape._element.txBody.bodyPr.attrib.update(margins | {"anchor": anchor})
        for level in shape._element.iter(qn("a:lvl1pPr")):
            level.set("algn", "r" if kind == PP_PLACEHOLDER.SLIDE_NUMBER else "l")
            font = level.find(qn("a:defRPr"))
            font.set("sz", str(round(100 * FOOTER_SIZE)))
            for tint in list(font.iter(qn("a:tint"))):
                tint.getparent().set("val", "tx2")
                tint.getparent().remove(tint)
    styles = master._element.find(qn("p:txStyles"))
    title = styles.find(f"{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    title.set("algn", "l")
    title.find(qn("a:defRPr")).attrib.update({"sz": "2800", "b": "1"})
    for n, level in enumerate(styles.find(qn("p:bodyStyle"))):
        level.find(qn("a:defRPr")).set("sz", str(round(100 * max(style.BODY.size - 2 * n, 14))))


def _restyle_layout(layout) -> None:
    for shape in list(layout.placeholders):
        if shape.placeholder_format.type == PP_PLACEHOLDER.DATE:
            remove(shape)
    if layout.name not in (LAYOUTS["cover"], LAYOUTS["section"]):
        return
    title, text = list(layout.placeholders)[:2]
    for shape, position, anchor, font in (
        (title, style.COVER_TITLE, "b", 'sz="4200" b="1"'),
        (text, style.COVER_TEXT, "t", 'sz="2000" b="0"'),
    ):
        place(shape, *position)
        shape._element.txBody.bodyPr.set("anchor", anchor)
        levels = shape._element.txBody.find(qn("a:lstStyle"))
        levels.clear()
        level = f'<a:lvl1pPr marL="0" indent="0" algn="l"><a:buNone/><a:defRPr {font} cap="none"/></a:lvl1pPr>'
        levels.append(xml(level))
    slide = layout._element.cSld
    background = '<a:solidFill><a:schemeClr val="bg2"/></a:solidFill><a:effectLst/>'
    slide.insert(0, xml(f"<p:bg><p:bgPr>{background}</p:bgPr></p:bg>"))
    edge = (
        '<p:sp><p:nvSpPr><p:cNvPr id="99" name="Edge"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr>'
        f'<a:xfrm><a:off x="0" y="0"/><a:ext cx="{Pt(BAR)}" cy="{Pt(style.PAGE_HEIGHT)}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'
        "</p:spPr></p:sp>"
    )
    slide.spTree.insert(2, xml(edge))
