"""SVG drawings: copied element by element, so that nothing but drawing is left, and as PNG for PowerPoint."""

import re
from html import escape

from lxml import etree

from animegan.slides.model import Picture

# The elements that are copied, and the attributes with capitals: HTML's parser has read them in small letters.
ELEMENTS = """svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath image style stop
linearGradient radialGradient clipPath mask pattern marker"""
CAPITALS = """viewBox preserveAspectRatio textLength lengthAdjust startOffset pathLength gradientUnits gradientTransform
spreadMethod patternUnits patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits markerWidth
markerHeight markerUnits refX refY"""
TAGS = {name.lower(): name for name in ELEMENTS.split()} | {"a": "g", "switch": "g"}  # of a link, only what is drawn
NAMES = {name.lower(): name for name in CAPITALS.split()}
SAFE_NAME = re.compile(r"(?!on|src)[a-zA-Z][\w-]*")  # neither what starts a script, nor what loads a file
DRAWN = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use"}
INSIDE = re.compile(r"\s*(#|data:image/(png|jpe?g|gif|webp);base64,)")  # addresses that need no other file
# In CSS and attributes: rules that load files, escapes, and all functions that are not known to be harmless.
HARMLESS = r"url\(\s*['\"]?#|(rgba?|hsla?|matrix|translate[XY]?|scale[XY]?|rotate|skew[XY]|calc|not)\s*\("
UNSAFE = re.compile(rf"[@\\]|(?<![\w-])(?!{HARMLESS})[\w-]+\s*\(")
UNITS = {"": 0.75, "px": 0.75, "pt": 1, "pc": 12, "in": 72, "cm": 72 / 2.54, "mm": 72 / 25.4}  # in points
NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
SVG = "svg+xml"
NOTHING = "an SVG that draws nothing"
AS_PNG = "run %config InlineBackend.figure_formats = ['png'], then this cell, save, and export again"


def read_svg(source: bytes, alt: str) -> Picture:
    """An SVG without scripts, links, and references to anything outside it; ValueError if it draws nothing."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, remove_comments=True)
    root = etree.fromstring(source, parser)
    if root is None or _name(root) != "svg" or parser.error_log.filter_from_fatals():
        raise ValueError("not a picture, or a damaged one")
    ids = {f"#{element.get('id')}" for element in root.iter()}
    shapes = (e for e in root.iter() if _name(e) in DRAWN and {*map(_name, e.iterancestors())} <= {"svg", "g"})
    if not any(_name(shape) != "use" or _attributes(shape).get("href") in ids for shape in shapes):
        raise ValueError(NOTHING)
    known = _attributes(root)
    lengths = [re.fullmatch(rf"\s*({NUMBER})\s*([a-z]*)\s*", known.get(side, "")) for side in ("width", "height")]
    width, height = (min(float(n[1]) * UNITS.get(n[2], 0), 10_000) if n else 0 for n in lengths)
    box = [float(number) for number in re.findall(NUMBER, known.get("viewBox", ""))]
    if len(box) != 4 or min(box[2:]) <= 0:  # without it browsers do not scale the drawing
        box = [0, 0, width / UNITS["px"] or 300, height / UNITS["px"] or 150]
        root.set("viewBox", " ".join(f"{number:g}" for number in box))
    width = min(max(1, width or height * box[2] / box[3] or box[2] * UNITS["px"]), 10_000)
    height = min(max(1, height or width * box[3] / box[2]), 10_000)
    root.attrib.update({"width": f"{width:g}pt", "height": f"{height:g}pt", "xmlns": "http://www.w3.org/2000/svg"})
    return Picture(_markup(root).encode(), SVG, width, height, alt)


def as_png(drawing: Picture) -> bytes | None:
    """The drawing for PowerPoint, or None: only CairoSVG, which is optional, can draw it without another program."""
    try:
        import cairosvg

        return cairosvg.svg2png(bytestring=drawing.data, scale=3)
    except Exception:  # not installed, or without Cairo's own library, or an SVG that is too much for it
        return None


def _name(element) -> str:
    """Its name as SVG writes it; "" for what is not copied."""
    return TAGS.get(re.sub(r".*[}:]", "", element.tag).lower(), "") if isinstance(element.tag, str) else ""


def _attributes(element) -> dict[str, str]:
    kept = {}
    for key, value in element.items():
        key = re.sub(r"^(\{http://www.w3.org/1999/xlink\}|xlink:)", "", key.lower())
        if key == "style":
            value = ";".join(part for part in value.split(";") if not UNSAFE.search(part))
        if SAFE_NAME.fullmatch(key) and (INSIDE.match(value) if key == "href" else not UNSAFE.search(value)):
            kept[NAMES.get(key, key)] = value
    return kept


def _markup(element) -> str:
    if not (name := _name(element)):
        return ""
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in _attributes(element).items())
    inner = escape(element.text or "") + "".join(_markup(child) + escape(child.tail or "") for child in element)
    if name == "style":
        rules = (element.text or "").split("}")
        inner = escape("".join(f"{rule}}}" for rule in rules if "{" in rule and not UNSAFE.search(rule)), quote=False)
    return f"<{name}{attributes}>{inner}</{name}>"
