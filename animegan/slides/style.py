"""How slides look: their measures, their colours and their kinds of text."""

from __future__ import annotations

from dataclasses import dataclass

from animegan.slides.model import Text

# One look for PowerPoint and HTML: points on a page of 960 x 540.
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
