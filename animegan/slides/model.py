"""What a notebook becomes before it is written as a file: a deck of slides of blocks.

`notebook` makes a `Deck` of a notebook, `layout` makes pages of the deck, and
`pptx` and `html` write the pages. Only this file is known to all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BULLET = "•"
NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Span:
    """A piece of text of one look. `script` is 1 for a superscript and -1 for a subscript."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    math: bool = False
    script: int = 0
    link: str = ""
    colour: str = ""  # of a token of code: a key of `COLOURS`


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph. In a list, `indent` counts from 1, and `mark` is a bullet, a number or, for what
    follows the first paragraph of an item, nothing."""

    spans: Spans
    indent: int = 0
    mark: str | int = ""
    digits: int = 1  # of the longest number in its list
    heading: int = 0  # its level; 0 for what is no heading
    tone: str = ""  # "quote", "note" (what the export has to say) or "caption"

    def __str__(self) -> str:
        return plain(self.spans)


@dataclass(frozen=True)
class Code:
    """Lines of program text, or of what a program printed (`output`)."""

    lines: tuple[Spans, ...]
    output: bool = False


@dataclass(frozen=True)
class Table:
    """`rows` of cells; the first `headers` rows are repeated on every slide that the table goes on to."""

    rows: tuple[tuple[Spans, ...], ...]
    headers: int = 1


@dataclass(frozen=True)
class Picture:
    """A PNG, JPEG or GIF; `width` and `height` in points at its natural size.

    `tex` is the source of a formula: that is never made larger than the text around it.
    """

    data: bytes = field(repr=False)
    kind: str  # "png", "jpeg", "gif"
    width: float
    height: float
    alt: str
    tex: str = ""


Block = Text | Code | Table | Picture


@dataclass
class Slide:
    """`steps[0]` is there from the start, `steps[1]` comes with the first key press, and so on."""

    title: Spans
    level: int = 0  # of the heading that the title is, 0 for a title that the export has made up
    steps: list[list[Block]] = field(default_factory=lambda: [[]])
    notes: str = ""

    def is_empty(self) -> bool:
        return not (self.level or self.notes or any(self.steps))


@dataclass
class Deck:
    """`name` is the notebook's, without its suffix."""

    name: str
    slides: list[Slide]


def plain(spans: Spans) -> str:
    """The text alone, on one line."""
    return " ".join("".join(span.text for span in spans).split())


def clean(text: str) -> str:
    """Without what neither XML nor UTF-8 can hold: control characters, halves of a character."""
    return NOT_TEXT.sub("", text)


# --- the look, one for PowerPoint and HTML: points on a page of 960 x 540 --------------------------------

PAGE_WIDTH, PAGE_HEIGHT = 960, 540
MARGIN = 56
WIDTH = PAGE_WIDTH - 2 * MARGIN
TITLE_TOP, TITLE_HEIGHT = 28, 64
TOP, BOTTOM = 110, 490  # of the content
FOOT_TOP, FOOT_HEIGHT = 504, 18
PADDING = 12  # inside the grey panel of code
CELL_X, CELL_Y = 8, 4.5  # inside a cell of a table
STEP, DIGIT = 26, 11  # a list is indented by this much a level, and more for numbers of several digits

FONT, CHINESE, MONO, MATH = "Arial", "Microsoft YaHei", "Consolas", "Times New Roman"
COLOURS = {
    "ink": "1b1b1f",
    "faded": "6b6b76",
    "rule": "d5d5dc",
    "panel": "f5f5f7",
    "accent": "0072b2",
    "note": "a34700",
    # of code; each has a contrast of 4.5 or more on the panel
    "comment": "6b6b76",
    "keyword": "8a2be2",
    "string": "2a7335",
    "number": "a34700",
    "name": "0067a0",
}


@dataclass(frozen=True)
class Style:
    """Points: size of the letters, distance of the lines, space above and below the paragraph."""

    size: float
    leading: float
    above: float = 0
    below: float = 8

    def __mul__(self, scale: float) -> Style:
        return Style(self.size * scale, self.leading * scale, self.above * scale, self.below * scale)


BODY = Style(20, 27)
ITEM = Style(20, 27, below=5)
DEEP = Style(18, 24, below=4)
HEADING = Style(20, 27, above=6, below=6)
SMALL = Style(14, 19)
CODE = Style(14, 19, below=0)
CELL = Style(16, 22, below=0)


def style_of(text: Text) -> Style:
    if text.heading:
        return HEADING
    if text.tone in ("note", "caption"):
        return SMALL
    return BODY if not text.indent else ITEM if text.indent == 1 else DEEP
