"""Slides become pages: every box has its place, and nothing is larger than its box or outside the page.

A slide that is too full is set in a slightly smaller font; what does not fit even then continues on another page
with the same title. A picture is made smaller to leave room for the text, before it is moved to the next page.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import chain, islice, takewhile

from animegan.slides.model import Block, Picture, Slide, Span, Spans, Text, plain
from animegan.slides.pieces import ROUNDING, Content, Paragraph, PictureRow, Piece, TableBox, measure, measure_step
from animegan.slides.style import COVER_PICTURE, COVER_TEXT, COVER_TITLE, HEIGHT, PAGE_BODY, PAGE_TITLE, WIDTH, Style
from animegan.slides.text_width import wrap

SMALLER = (0.92, 0.85, 0.78)  # scales of font sizes, tried in this order
GAP = 12  # points between boxes
COLUMN_GAP = 36
MAX_TEXT = 520  # points: a longer line is hard to follow beside a picture
TITLES = ((1, Style(28, 34)), (2, Style(24, 30)), (2, Style(20, 26)))  # how many lines a title may have in which style
COVER_TITLES = ((2, Style(42, 50)), (3, Style(34, 42)), (4, Style(26, 33)))


@dataclass(frozen=True)
class Box:
    """Content with its place on the page, in points; it appears with step `step`."""

    left: float
    top: float
    width: float
    height: float
    content: Content
    step: int = 0

    @property
    def is_text(self) -> bool:
        return isinstance(self.content, tuple)


@dataclass(frozen=True)
class Page:
    """kind: "cover" for a title slide, "section" for a slide that has only a title, otherwise "content"."""

    kind: str
    title: Spans
    title_style: Style
    title_place: tuple[float, float, float, float] = PAGE_TITLE
    boxes: tuple[Box, ...] = ()
    notes: str = ""


def lay_out(slides: list[Slide]) -> list[Page]:
    """The pages of a deck, in order; at least one for every slide."""
    pages: list[Page] = []
    title, count = "", 0
    for number, slide in enumerate(slides):
        continues = not slide.level and plain(slide.title) == title
        title, count = plain(slide.title), count if continues else 0
        for page in _cover(slide, number) or _contents(slide):
            count += 1
            if count > 1:  # "Results (2)"
                spans, style, _ = _fit_title(page.title, WIDTH, TITLES, f" ({count})")
                page = replace(page, title=spans, title_style=style)
            pages.append(page)
    return pages


def _fit_title(title: Spans, room: float, styles, number: str = "") -> tuple[Spans, Style, bool]:
    """The title, with its number, in the largest style in which it fits; whether it had to be shortened even for the
    smallest."""
    spans = (*title, Span(number)) if number else title
    spans = tuple(replace(span, bold=True, text=span.text.replace("\n", " ")) for span in spans)
    for max_lines, style in styles:
        if len(wrap(spans, style.size, room)) <= max_lines:
            return spans, style, False
    short = plain(title).rstrip("…")
    while len(wrap((Span(f"{short}…{number}", bold=True),), style.size, room)) > max_lines:
        short = short[: -max(1, len(short) // 20)]
    return (Span(f"{short}…{number}", bold=True),), style, True


def _by_kind(steps: list[list[Block]]) -> tuple[list[list[Text]], list[tuple[int, Picture]], bool]:
    """The texts of every step; the pictures, each with the number of its step; whether there is anything else."""
    texts = [[block for block in step if isinstance(block, Text)] for step in steps]
    pictures = [(n, block) for n, step in enumerate(steps) for block in step if isinstance(block, Picture)]
    pictures = [(n, picture) for n, picture in pictures if not picture.tex]
    return texts, pictures, sum(map(len, texts)) + len(pictures) < sum(map(len, steps))


# --- title slide and slides that have only a title ---------------------------------------------------------


def _cover(slide: Slide, number: int) -> list[Page]:
    """A page for the first slide if it has little more than a title, and for any that has only a title; else none."""
    texts, pictures, has_more = _by_kind(slide.steps)
    if not slide.level or has_more or len(pictures) > 1 or (number and any(slide.steps)):
        return []
    left, top, room, height = COVER_TITLE
    boxes: list[Box] = []
    for step, picture in pictures:
        (row,) = measure(picture, COVER_PICTURE[2], 1.0)
        row = row.within(*COVER_PICTURE[2:])
        if row.width > 1.6 * row.height:
            return []
        boxes.append(_centred(Box(0, 0, row.width, row.height, picture, step), COVER_PICTURE))
        room = WIDTH - COVER_PICTURE[2] - COLUMN_GAP
    title, style, is_cut = _fit_title(slide.title, room, COVER_TITLES)
    flowed = _flow(texts, room, COVER_TEXT[3], 1.0)
    if is_cut or len(flowed) > 1:
        return []
    boxes = [*_moved(flowed[0], *COVER_TEXT[:2]), *boxes]
    return [Page("section" if number else "cover", title, style, (left, top, room, height), tuple(boxes), slide.notes)]


def _centred(box: Box, place: tuple[float, float, float, float]) -> Box:
    left, top, width, height = place
    return replace(box, left=left + (width - box.width) / 2, top=top + (height - box.height) / 2)


def _moved(boxes: list[Box], right: float, down: float) -> list[Box]:
    return [replace(box, left=box.left + right, top=box.top + down) for box in boxes]


# --- slides with content ----------------------------------------------------------------------------------


def _contents(slide: Slide) -> list[Page]:
    title, style, is_cut = _fit_title(slide.title, WIDTH, TITLES)
    steps = slide.steps
    if is_cut:  # nothing is lost: the whole title is repeated as text
        steps = [[Text(slide.title, heading=slide.level or 2), *steps[0]], *steps[1:]]
    return [
        Page("content", title, style, boxes=tuple(_placed(boxes)), notes="" if number else slide.notes)
        for number, boxes in enumerate(_side_by_side(steps) or _stacked(steps))
    ]


def _placed(boxes: list[Box]) -> list[Box]:
    """The boxes of a page, moved below its title."""
    steps = sorted({box.step for box in boxes})  # a fragment that continues from another page is there at once
    boxes = [replace(box, step=steps.index(box.step)) for box in boxes]
    if len(boxes) == 1 and isinstance(boxes[0].content, Picture):
        return [_centred(boxes[0], PAGE_BODY)]
    return _moved([_with_room(box, boxes) for box in boxes], *PAGE_BODY[:2])


def _with_room(box: Box, boxes: list[Box]) -> Box:
    """A text with nothing below it reaches down to the end of the page: room for what a student adds to it."""
    is_last = all(other.top <= box.top or other.left >= box.left + box.width for other in boxes)
    return replace(box, height=HEIGHT - box.top) if box.is_text and is_last else box


def _stacked(steps: list[list[Block]]) -> list[list[Box]]:
    """One below the other, on as few pages as possible, in the largest font that does not need more pages."""
    best = _flow(steps, WIDTH, HEIGHT, 1.0)
    for scale in SMALLER:
        if len(best) > 1:
            best = min(best, _flow(steps, WIDTH, HEIGHT, scale), key=len)
    return best


def _side_by_side(steps: list[list[Block]]) -> list[list[Box]]:
    """Text beside the slide's only picture, if that makes the picture larger; otherwise nothing."""
    texts, pictures, has_more = _by_kind(steps)
    if len(pictures) != 1 or not any(texts) or has_more:
        return []
    ((step, picture),) = pictures
    stacked = _stacked(steps)
    area = 0.0  # to be exceeded by the picture
    if len(stacked) == 1:
        area = 1.1 * max(box.width * box.height for box in stacked[0] if isinstance(box.content, Picture))
    best: list[list[Box]] = []
    for share in (0.38, 0.45, 0.52):  # of the text
        (row,) = measure(picture, (1 - share) * (WIDTH - COLUMN_GAP), 1.0)
        row = row.within(row.width, HEIGHT)
        width = min(WIDTH - COLUMN_GAP - row.width, MAX_TEXT)
        flowed = _flow(texts, width, HEIGHT, 1.0)
        if len(flowed) == 1 and row.width * row.height > area:
            area = row.width * row.height
            is_first = next(chain.from_iterable(steps)) is picture
            text_left, left = (WIDTH - width, 0) if is_first else (0, WIDTH - row.width)
            best = [[*_moved(flowed[0], text_left, 0), Box(left, 0, row.width, row.height, picture, step)]]
    return best


def _flow(steps: list[list[Block]], width: float, height: float, scale: float) -> list[list[Box]]:
    """Boxes one below the other from (0, 0), on as many pages as they need; at least one page."""
    queue = deque((n, piece) for n, step in enumerate(steps) for piece in measure_step(step, width, scale))
    pages = [_Column(width)]
    while queue:
        page = pages[-1]
        step, piece = queue.popleft()
        room = height - page.end - page.space(piece, step) + ROUNDING
        if page.boxes and (piece.min_height > room or _is_left_alone(piece, queue, room)):
            head, rest = None, piece
        elif isinstance(piece, PictureRow):
            wanted = max(piece.min_height, room - _reserved(queue, height))
            head, rest = piece.within(width, min(wanted, room)), None
        else:
            head, rest = (piece, None) if piece.height <= room else piece.split(room)
        if head is None and not page.boxes:  # higher than a page, and cannot be split
            head, rest = piece, None
        if head is not None:
            page.add(head, step)
        if rest is not None:
            queue.appendleft((step, rest))
            pages.append(_Column(width))
    return [page.boxes for page in pages]


def _is_left_alone(piece: Piece, queue: deque[tuple[int, Piece]], room: float) -> bool:
    """Whether a heading, or a line that introduces what follows it, would be the last thing on its page."""
    if not isinstance(piece, Paragraph) or not queue:
        return False
    _, following = queue[0]
    introduces = plain(piece.text.spans).endswith((":", "：")) and not isinstance(following, Paragraph)
    return bool(piece.text.heading or introduces) and piece.height + GAP + following.min_height > room


def _reserved(queue: deque[tuple[int, Piece]], height: float) -> float:
    """Room that a picture leaves for what follows it: for all of it if that is not much, otherwise for the texts right
    below the picture, or for the first of them."""
    following = [piece for _, piece in islice(queue, int(height / GAP))]  # more are higher than the page
    heights = [
        piece.height + GAP + (piece.style.above + piece.style.below if isinstance(piece, Paragraph) else 0)
        for piece in following
    ]
    texts = len(list(takewhile(lambda piece: isinstance(piece, Paragraph), following)))
    sums = (sum(heights[:count]) for count in (len(heights), texts, min(texts, 1)))
    return next((needed for needed in sums if needed <= 0.45 * height), 0.0)


@dataclass
class _Column:
    """The boxes of one page or column, from the top down."""

    width: float
    boxes: list[Box] = field(default_factory=list)

    @property
    def end(self) -> float:
        """How far down the boxes reach."""
        return self.boxes[-1].top + self.boxes[-1].height if self.boxes else 0.0

    def space(self, piece: Piece, step: int) -> float:
        """Points between the last box, or the last paragraph in it, and `piece`."""
        if not self.boxes:
            return 0.0
        below = self.boxes[-1].content[-1].style.below if self.joins(piece, step) else GAP
        return max(below, piece.style.above if isinstance(piece, Paragraph) else 0.0)

    def joins(self, piece: Piece, step: int) -> bool:
        """Whether a paragraph goes into the same box as the paragraph above it."""
        above = self.boxes[-1] if self.boxes else None
        return isinstance(piece, Paragraph) and above is not None and above.is_text and above.step == step

    def add(self, piece: Piece, step: int) -> None:
        space = self.space(piece, step)
        if self.joins(piece, step):
            box = self.boxes[-1]
            content = (*box.content, replace(piece, space=space))
            self.boxes[-1] = replace(box, height=box.height + space + piece.height, content=content)
            return
        top = self.end + space
        left = (self.width - piece.width) / 2 if isinstance(piece, PictureRow) else 0.0
        for picture, right, down in piece.places if isinstance(piece, PictureRow | TableBox) else ():
            self.boxes.append(Box(left + right, top + down, picture.width, picture.height, picture, step))
        if not isinstance(piece, PictureRow):
            content = (piece,) if isinstance(piece, Paragraph) else piece
            self.boxes.append(Box(0.0, top, piece.width, piece.height, content, step))
