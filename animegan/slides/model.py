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
