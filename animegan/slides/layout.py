"""A deck becomes pages: every box has its place, and nothing is larger than its box or outside the page.

A slide that is too full is set in slightly smaller letters; what does not fit even then goes on to a next
page of the same title. A picture gives way to the text before it is sent to a next page.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from animegan.slides.model import Block, Deck, Picture, Slide, Span, Spans, Text, plain
from animegan.slides.pieces import ROW_GAP, Image, Listing, Paragraph, Piece, Row, TableBox, pieces, rows
from animegan.slides.style import BOTTOM, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, TITLE_HEIGHT, TITLE_TOP, TOP, WIDTH, Style
from animegan.slides.text_width import wrap

SCALES = (1.0, 0.92, 0.85, 0.78)  # of letters, tried in this order
GAP = 12  # between boxes
COLUMN_GAP = 36
MAX_TEXT = 520  # points: a longer line is hard to follow beside a picture
TITLES = ((1, Style(28, 34)), (2, Style(24, 30)), (2, Style(20, 26)))  # lines that a title may have, and their style
COVER_TITLES = ((2, Style(42, 50)), (3, Style(34, 42)), (4, Style(26, 33)))
COVER_TOP, COVER_TITLE_HEIGHT, COVER_TEXT_HEIGHT = 96, 160, 190
COVER_PICTURE = 340  # points a side


@dataclass(frozen=True)
class Box:
    """Content with its place on the page, in points; it appears with step `step`.

    content: paragraphs, or one listing, table or picture.
    """

    left: float
    top: float
    width: float
    height: float
    content: tuple[Paragraph, ...] | Listing | TableBox | Image
    step: int = 0


@dataclass(frozen=True)
class Page:
    """kind: "cover" for a title slide, "section" for a slide of nothing but a title, else "content"."""

    kind: str
    title: Spans
    title_style: Style
    title_place: tuple[float, float, float, float] = (MARGIN, TITLE_TOP, WIDTH, TITLE_HEIGHT)
    boxes: tuple[Box, ...] = ()
    notes: str = ""


def lay_out(deck: Deck) -> list[Page]:
    """The pages of a deck, in order; at least one for every slide."""
    pages: list[Page] = []
    title, count = "", 0
    for number, slide in enumerate(deck.slides):
        new = _cover(slide, number) or _contents(slide)
        count = count if pages and not slide.level and plain(slide.title) == title else 0
        title = plain(slide.title)
        for page in new:
            count += 1
            pages.append(_numbered(page, count) if count > 1 else page)
    return pages


def _numbered(page: Page, count: int) -> Page:
    """The page of a title that was there before: "Results (2)"."""
    title, style, _ = _fit_title((*page.title, Span(f" ({count})")), WIDTH, TITLES)
    return replace(page, title=title, title_style=style)


def _fit_title(title: Spans, room: float, styles) -> tuple[Spans, Style, bool]:
    """The title in the largest letters in which it fits; the last says whether it had to be shortened."""
    title = tuple(replace(span, bold=True, text=span.text.replace("\n", " ")) for span in title)
    for most, style in styles:
        if len(wrap(title, style.size, room)) <= most:
            return title, style, False
    short = plain(title)
    while len(wrap((Span(f"{short}…", bold=True),), style.size, room)) > most:
        short = short[: -max(1, len(short) // 20)]
    return (Span(f"{short}…", bold=True),), style, True


# --- title slide and slides of a title alone --------------------------------------------------------------


def _cover(slide: Slide, number: int) -> list[Page]:
    """The first slide if it has little more than a title, and any that has nothing else; else nothing."""
    blocks = [(n, block) for n, step in enumerate(slide.steps) for block in step]
    pictures = [(n, block) for n, block in blocks if isinstance(block, Picture) and not block.tex]
    texts = [[block for block in step if isinstance(block, Text)] for step in slide.steps]
    if (
        not slide.level
        or sum(map(len, texts)) + len(pictures) < len(blocks)
        or len(pictures) > 1
        or (number and blocks)
    ):
        return []
    boxes, room = [], WIDTH - 80
    for step, picture in pictures:
        (image,) = pieces(picture, COVER_PICTURE, 1.0)
        image = image.within(COVER_PICTURE, COVER_PICTURE)
        if image.width > 1.6 * image.height:
            return []
        room = WIDTH - COVER_PICTURE - COLUMN_GAP
        left = PAGE_WIDTH - MARGIN - (COVER_PICTURE + image.width) / 2
        boxes.append(Box(left, (PAGE_HEIGHT - image.height) / 2, image.width, image.height, image, step))
    title, style, is_cut = _fit_title(slide.title, room, COVER_TITLES)
    flowed = _flow(texts, room, COVER_TEXT_HEIGHT, 1.0)
    if is_cut or len(flowed) > 1:
        return []
    top = COVER_TOP + COVER_TITLE_HEIGHT + 18
    boxes = [*(replace(box, left=box.left + MARGIN, top=box.top + top) for box in flowed[0]), *boxes]
    place = MARGIN, COVER_TOP, room, COVER_TITLE_HEIGHT
    return [Page("section" if number else "cover", title, style, place, tuple(boxes), slide.notes)]


# --- slides with content ----------------------------------------------------------------------------------


def _contents(slide: Slide) -> list[Page]:
    title, style, is_cut = _fit_title(slide.title, WIDTH, TITLES)
    steps = slide.steps
    if is_cut:  # nothing is lost: the whole title is repeated as text
        steps = [[Text(slide.title, heading=slide.level or 2), *steps[0]], *steps[1:]]
    laid = _side_by_side(steps) or _stacked(steps)
    return [
        Page("content", title, style, boxes=tuple(_placed(boxes)), notes="" if number else slide.notes)
        for number, boxes in enumerate(laid)
    ]


def _placed(boxes: list[Box]) -> list[Box]:
    steps = sorted({box.step for box in boxes})  # what goes on to a next page need not be waited for again
    boxes = [replace(box, step=steps.index(box.step)) for box in boxes]
    if len(boxes) == 1 and isinstance(boxes[0].content, Image):  # a picture alone is in the middle
        (box,) = boxes
        boxes = [replace(box, top=(BOTTOM - TOP - box.height) / 2)]
    boxes = [_with_room(box, boxes) if isinstance(box.content, tuple) else box for box in boxes]
    return [replace(box, left=box.left + MARGIN, top=box.top + TOP) for box in boxes]


def _with_room(box: Box, boxes: list[Box]) -> Box:
    """A text with nothing below it reaches down to the foot of the page, for what a student adds to it."""
    is_last = all(other.top <= box.top or other.left >= box.left + box.width for other in boxes)
    return replace(box, height=BOTTOM - TOP - box.top) if is_last else box


def _stacked(steps: list[list[Block]]) -> list[list[Box]]:
    """One below the other, on as few pages as can be."""
    best: list[list[Box]] = []
    for scale in SCALES:
        pages = _flow(steps, WIDTH, BOTTOM - TOP, scale)
        if not best or len(pages) < len(best):
            best = pages
        if len(best) == 1:
            break
    return best


def _side_by_side(steps: list[list[Block]]) -> list[list[Box]]:
    """Text beside the slide's one picture, where that makes the picture larger; else nothing."""
    blocks = [(n, block) for n, step in enumerate(steps) for block in step]
    pictures = [(n, block) for n, block in blocks if isinstance(block, Picture) and not block.tex]
    texts = [[block for block in step if isinstance(block, Text)] for step in steps]
    if len(pictures) != 1 or not any(texts) or sum(map(len, texts)) + 1 < len(blocks):
        return []
    (step, picture), height = pictures[0], BOTTOM - TOP
    stacked = _stacked(steps)
    area = max(box.width * box.height for page in stacked for box in page if isinstance(box.content, Image))
    area = 1.1 * area if len(stacked) == 1 else 0.0
    best: list[list[Box]] = []
    for share in (0.38, 0.45, 0.52):  # of the text
        (image,) = pieces(picture, (1 - share) * (WIDTH - COLUMN_GAP), 1.0)
        image = image.within(image.width, height)
        width = min(WIDTH - COLUMN_GAP - image.width, MAX_TEXT)
        flowed = _flow(texts, width, height, 1.0)
        if len(flowed) == 1 and image.width * image.height > area:
            area = image.width * image.height
            is_first = blocks[0][1] is picture
            shift, left = (WIDTH - width, 0) if is_first else (0, WIDTH - image.width)
            boxes = [replace(box, left=box.left + shift) for box in flowed[0]]
            best = [[*boxes, Box(left, 0, image.width, image.height, image, step)]]
    return best


def _flow(steps: list[list[Block]], width: float, height: float, scale: float) -> list[list[Box]]:
    """Boxes one below the other from (0, 0), on as many pages as they need; at least one page."""
    queue = deque((n, piece) for n, step in enumerate(steps) for piece in rows(step, width, scale))
    page = _Column(width, height)
    pages = [page]
    while queue:
        step, piece = queue.popleft()
        after = [later for _, later in queue]
        room = page.room_for(piece, step)
        if page.boxes and (piece.least > room or _parts(piece, after, room)):
            head, rest = None, piece
        elif isinstance(piece, Image | Row):
            wanted = max(piece.least, room - _reserved(after, height))
            head, rest = piece.within(width, min(wanted, room)), None
        else:
            head, rest = piece.split(room)
        if head is None and not page.boxes:  # higher than a page, and cannot be split
            head, rest = piece, None
        if head is not None:
            page.add(head, step)
        if rest is not None:
            queue.appendleft((step, rest))
            page = _Column(width, height)
            pages.append(page)
    return [page.boxes for page in pages]


def _parts(piece: Piece, after: list[Piece], room: float) -> bool:
    """Whether a heading, or a line that announces what follows it, would be left alone at the foot of a page."""
    if not isinstance(piece, Paragraph) or not after:
        return False
    leads = piece.text.heading or (str(piece.text).endswith((":", "：")) and not isinstance(after[0], Paragraph))
    return bool(leads) and piece.height + GAP + after[0].least > room


def _reserved(after: list[Piece], height: float) -> float:
    """Room that a picture leaves for what follows: for all of it if that is not much, else for its caption."""
    heights = [
        piece.height + GAP + (piece.style.above + piece.style.below if isinstance(piece, Paragraph) else 0)
        for piece in after
    ]
    texts = next((n for n, piece in enumerate(after) if not isinstance(piece, Paragraph)), len(after))
    return next(
        (sum(heights[:n]) for n in (len(after), texts, min(texts, 1)) if sum(heights[:n]) <= 0.45 * height), 0.0
    )


class _Column:
    """Boxes on one page, and how far down they reach."""

    def __init__(self, width: float, height: float):
        self.width, self.height = width, height
        self.boxes: list[Box] = []

    def space(self, piece: Piece, step: int) -> float:
        """Between the last box and `piece`."""
        if not self.boxes:
            return 0.0
        if self.joins(piece, step):
            return max(self.boxes[-1].content[-1].style.below, piece.style.above)
        above = piece.style.above if isinstance(piece, Paragraph) else 0.0
        return max(GAP, above)

    def joins(self, piece: Piece, step: int) -> bool:
        """Whether a paragraph goes into the box of the paragraph before."""
        before = self.boxes[-1]
        return isinstance(piece, Paragraph) and isinstance(before.content, tuple) and before.step == step

    def end(self) -> float:
        return self.boxes[-1].top + self.boxes[-1].height if self.boxes else 0.0

    def room_for(self, piece: Piece, step: int) -> float:
        return self.height - self.end() - self.space(piece, step) + 1e-6  # what is reserved is room enough

    def add(self, piece: Piece, step: int) -> None:
        space = self.space(piece, step)
        if self.boxes and self.joins(piece, step):
            box = self.boxes[-1]
            height = box.height + space + piece.height
            self.boxes[-1] = replace(box, height=height, content=(*box.content, piece))
            return
        top = self.end() + space
        left = (self.width - piece.width) / 2 if isinstance(piece, Image | Row) else 0.0
        for part in piece.images if isinstance(piece, Row) else (piece,):
            content = (part,) if isinstance(part, Paragraph) else part
            self.boxes.append(Box(left, top, part.width, part.height, content, step))
            left += part.width + ROW_GAP


def paragraph_space(before: Paragraph | None, after: Paragraph) -> float:
    """Points between two paragraphs of one box."""
    return max(before.style.below, after.style.above) if before else 0.0
