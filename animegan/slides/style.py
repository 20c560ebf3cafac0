"""How slides look: their measures, their colours and their kinds of text. The same for PowerPoint and HTML."""

from dataclasses import dataclass

from animegan.slides.model import Text

PAGE_WIDTH, PAGE_HEIGHT = 960, 540  # points, like all measures here
MARGIN = 56
WIDTH, HEIGHT = PAGE_WIDTH - 2 * MARGIN, 380  # of the content
PADDING = 12  # inside the grey panel of code
CELL_X, CELL_Y = 8, 4.5  # padding of a table cell
STEP, DIGIT = 26, 11  # indent of a list per level, and for every digit of its numbers after the first

# Places on a page: left, top, width, height.
PAGE_TITLE = (MARGIN, 28, WIDTH, 64)
PAGE_BODY = (MARGIN, 110, WIDTH, HEIGHT)
PAGE_FOOTER = (MARGIN, 504, WIDTH - 100, 18)
PAGE_NUMBER = (PAGE_WIDTH - MARGIN - 80, 504, 80, 18)
COVER_TITLE = (MARGIN, 96, WIDTH - 80, 160)
COVER_TEXT = (MARGIN, 274, WIDTH - 80, 190)
COVER_PICTURE = (PAGE_WIDTH - MARGIN - 340, 100, 340, 340)

FONTS = {"text": "Arial", "chinese": "Microsoft YaHei", "mono": "Consolas", "math": "Times New Roman"}
COLOURS = {
    "ink": "1b1b1f", "faded": "6b6b76", "rule": "d5d5dc", "panel": "f5f5f7", "accent": "0072b2", "note": "a34700",
    # of code; each has a contrast of 4.5 or more on the panel
    "comment": "6b6b76", "keyword": "8a2be2", "string": "2a7335", "number": "a34700", "name": "0067a0",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """Points: font size, distance between baselines, space above and below the paragraph."""

    size: float
    leading: float
    above: float = 0
    below: float = 8

    def __mul__(self, scale: float) -> "Style":
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
    if text.role in ("note", "caption"):
        return SMALL
    return BODY if not text.indent else ITEM if text.indent == 1 else DEEP
