"""What a notebook becomes before it is written to a file: slides, each made of blocks.

`notebook` reads a notebook into slides, `layout` arranges the slides on pages, and `pptx` and `html` write the
pages. This module is the only one that all of them know.
"""

import re
from dataclasses import dataclass, field, replace

BULLET = "•"
NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Span:
    """A piece of text in one format. `script` is 1 for a superscript and -1 for a subscript."""

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
    """A paragraph. In a list, `indent` counts the levels from 1, and `marker` is a bullet, a number, or nothing
    for the further paragraphs of an item."""

    spans: Spans
    indent: int = 0
    marker: str | int = ""
    digits: int = 1  # of the longest number in its list
    heading: int = 0  # its level; 0 if it is not a heading
    role: str = ""  # "quote", "caption" or "note" (a message of the export to the author)

    @property
    def label(self) -> str:
        """The marker as it is printed: "3." or "•"."""
        return f"{self.marker}." if isinstance(self.marker, int) else self.marker


@dataclass(frozen=True)
class Code:
    """Lines of program text, or of what a program printed (`output`)."""

    lines: tuple[Spans, ...]
    output: bool = False


@dataclass(frozen=True)
class Picture:
    """A PNG, JPEG, GIF or SVG file; `width` and `height` in points at its natural size.

    `tex` is the source of a formula. A formula is never made larger than the text around it.
    """

    data: bytes = field(repr=False)
    kind: str  # "png", "jpeg", "gif", "svg+xml"
    width: float
    height: float
    alt: str
    tex: str = ""

    def fitted(self, width: float, height: float) -> "Picture":
        """The picture as large as it can be within these measures."""
        scale = min(width / self.width, height / self.height)
        return replace(self, width=scale * self.width, height=scale * self.height)


Cell = Spans | Picture


@dataclass(frozen=True)
class Table:
    """`rows` of cells; the first `headers` rows are repeated on every slide on which the table continues."""

    rows: tuple[tuple[Cell, ...], ...]
    headers: int = 1

    def blocks(self) -> list[Text | Picture]:
        """What its cells hold, one after the other."""
        cells = [cell for row in self.rows for cell in row if cell]
        return [cell if isinstance(cell, Picture) else Text(cell) for cell in cells]


Block = Text | Code | Table | Picture


@dataclass
class Slide:
    """`steps[0]` is there from the start, `steps[1]` appears with the first key press, and so on."""

    title: Spans
    level: int = 0  # of the heading that became the title; 0 for a title that the export has made up
    steps: list[list[Block]] = field(default_factory=lambda: [[]])
    notes: str = ""

    def is_empty(self) -> bool:
        return not (self.level or self.notes or any(self.steps))


def note(text: str) -> Text:
    """A message of the export to the author."""
    return Text((Span(text, italic=True),), role="note")


def plain(spans: Spans) -> str:
    """The text alone, on one line."""
    return " ".join("".join(span.text for span in spans).split())


def clean(text: str) -> str:
    """The text without what XML or UTF-8 cannot hold: control characters and halves of a surrogate pair."""
    return NOT_TEXT.sub("", text)
