"""Blocks with their measures: how high each is at a given width, and where it can be split between two pages.

`split` divides a piece that is higher than the room on the page into what fits and the rest. If too little fits, the
first of the two is None. The rest keeps the lines that the whole was broken into: if it were measured again, a
text of n pages would be measured n times.
"""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain
from math import inf

from animegan.slides.model import Block, Cell, Code, Picture, Spans, Table, Text
from animegan.slides.style import CELL, CELL_X, CELL_Y, CODE, DIGIT, HEIGHT, PADDING, STEP, Style, style_of
from animegan.slides.text_width import Chunk, chunks, joined, wrap

MIN_CODE, MIN_CELL = 10.5, 9.5  # points: a smaller font cannot be read from the last row of seats
FEW_LINES, FEW_ROWS = 4, 4  # of code and of a table, that are never split
LONG_WORD = 9  # times the font size: a longer word may be broken if a table has too many columns
AIRY = 1.4  # a table that has room becomes wider than its words, by at most this factor
ROW_GAP = 24  # points between pictures side by side
HALF_A_PAGE = 190  # points
MIN_PICTURE = 60  # points: the height of a picture in a table of many rows
GROWTH = 2.0  # a picture is enlarged by at most this factor
ROUNDING = 1e-6  # points by which sums of heights may differ


@dataclass(frozen=True)
class Paragraph:
    """A text, `width` points wide, and its `lines` as measured; PowerPoint and browsers break them again."""

    text: Text
    style: Style
    width: float
    lines: Sequence[Spans] = ()
    space: float = 0.0  # points above it, if another paragraph stands above it in its box

    @property
    def left(self) -> float:
        levels = self.text.indent + (self.text.role == "quote")
        return (STEP * levels + DIGIT * (self.text.digits - 1)) * self.style.size / 20

    @property
    def hang(self) -> float:
        """How far to the left of the text its bullet or number begins."""
        return (STEP + DIGIT * (self.text.digits - 1)) * self.style.size / 20 if self.text.label else 0.0

    @property
    def height(self) -> float:
        return len(self.lines) * self.style.leading

    @property
    def min_height(self) -> float:
        return min(len(self.lines), 2) * self.style.leading

    def split(self, room: float) -> "tuple[Paragraph | None, Paragraph]":
        count = int(room / self.style.leading)
        if count < 2:
            return None, self
        parts = self.lines[:count], self.lines[count:]
        head, rest = (replace(self, text=replace(self.text, spans=rejoined(part)), lines=part) for part in parts)
        return head, replace(rest, text=replace(rest.text, marker=""))


@dataclass(frozen=True)
class Listing:
    """A program or an output, `width` points wide: for each of its lines, one line or more on the page."""

    lines: list[list[Spans]]
    output: bool
    style: Style
    width: float

    @property
    def padding_x(self) -> float:
        return PADDING * self.style.size / CODE.size

    @property
    def padding_y(self) -> float:
        """An output has no panel that would need it."""
        return 2.0 if self.output else self.padding_x

    @property
    def height(self) -> float:
        return sum(map(len, self.lines)) * self.style.leading + 2 * self.padding_y

    @property
    def min_height(self) -> float:
        return min(self.height, FEW_LINES * self.style.leading + 2 * self.padding_y)

    def split(self, room: float) -> "tuple[Listing | None, Listing]":
        free = int((room - 2 * self.padding_y) / self.style.leading)
        if free < FEW_LINES:
            return None, self
        lines, fitting = self.lines, bisect([*accumulate(map(len, self.lines))], free)
        if not fitting:  # one line longer than a page
            lines, fitting = [lines[0][:free], lines[0][free:], *lines[1:]], 1
        return replace(self, lines=lines[:fitting]), replace(self, lines=lines[fitting:])


@dataclass(frozen=True)
class Row:
    """A row of a table: in every cell a picture, or lines of text."""

    cells: list[Picture | list[Spans]]
    leading: float

    @cached_property
    def height(self) -> float:
        heights = (cell.height if isinstance(cell, Picture) else len(cell) * self.leading for cell in self.cells)
        return max(heights) + 2 * CELL_Y

    def split(self, count: int) -> "tuple[Row, Row]":
        """The pictures and the first `count` lines of every cell; the other lines."""
        upper = [cell if isinstance(cell, Picture) else cell[:count] for cell in self.cells]
        lower = [[] if isinstance(cell, Picture) else cell[count:] for cell in self.cells]
        return Row(upper, self.leading), Row(lower, self.leading)


@dataclass(frozen=True)
class TableBox:
    """A table with the widths of its columns, in points; the first `headers` rows are repeated on every page."""

    rows: list[Row]
    headers: int
    style: Style
    columns: list[float]

    @property
    def width(self) -> float:
        return sum(self.columns)

    @property
    def places(self) -> list[tuple[Picture, float, float]]:
        """The pictures, each with its distance from the table's left and top."""
        lefts = [*accumulate(self.columns, initial=CELL_X)]
        tops = accumulate((row.height for row in self.rows), initial=CELL_Y)
        rows = ((zip(row.cells, lefts, strict=False), top) for row, top in zip(self.rows, tops, strict=False))
        return [(cell, left, top) for row, top in rows for cell, left in row if isinstance(cell, Picture)]

    @property
    def height(self) -> float:
        return sum(row.height for row in self.rows)

    @property
    def min_height(self) -> float:
        body = len(self.rows) - self.headers
        return sum(row.height for row in self.rows[: self.headers + (body if body <= FEW_ROWS else 2)])

    def split(self, room: float) -> "tuple[TableBox | None, TableBox]":
        headers, body = self.rows[: self.headers], self.rows[self.headers :]
        free = room - sum(row.height for row in headers)
        if free < room / 2:  # they are too high to be repeated
            return replace(self, headers=0).split(room)
        fitting = min(bisect([*accumulate(row.height for row in body)], free), len(body) - 1)
        if fitting < 1:  # one row higher than the room
            count = int((free - 2 * CELL_Y) / self.style.leading)
            if count < 8:
                return None, self
            body, fitting = [*body[0].split(count), *body[1:]], 1
        return replace(self, rows=headers + body[:fitting]), replace(self, rows=headers + body[fitting:])


def rejoined(lines: Picture | Sequence[Spans]) -> Spans:
    """What `wrap` has broken into lines, as one paragraph again; nothing for a picture."""
    if isinstance(lines, Picture):
        return ()
    spans = chain.from_iterable(lines)
    return joined(spans) if len(lines) < 100 else tuple(spans)  # more than a page: it will be split, and joined then


@dataclass(frozen=True)
class PictureRow:
    """A picture, or two side by side, at the preferred height; it can be made smaller."""

    pictures: tuple[Picture, ...]
    height: float

    @property
    def widths(self) -> list[float]:
        return [self.height * picture.width / picture.height for picture in self.pictures]

    @property
    def width(self) -> float:
        return sum(self.widths) + ROW_GAP * (len(self.pictures) - 1)

    @property
    def places(self) -> list[tuple[Picture, float, float]]:
        """The pictures, each with its distance from the row's left and top."""
        lefts = accumulate((width + ROW_GAP for width in self.widths), initial=0.0)
        pictures = zip(self.pictures, lefts, strict=False)
        return [(picture.fitted(inf, self.height), left, 0.0) for picture, left in pictures]

    @property
    def min_height(self) -> float:
        if self.pictures[0].tex:
            return self.height
        if len(self.pictures) > 1:
            return 0.45 * self.height
        return max(0.25 * self.height, min(0.45 * self.height, HALF_A_PAGE))  # small, but on the page of its code

    def within(self, width: float, height: float) -> "PictureRow":
        free = width - ROW_GAP * (len(self.pictures) - 1)
        return replace(self, height=min(self.height, height, self.height * free / sum(self.widths)))


Piece = Paragraph | Listing | TableBox | PictureRow
Content = tuple[Paragraph, ...] | Listing | TableBox | Picture  # of a box on a page


def measure_step(blocks: list[Block], width: float, scale: float) -> list[Piece]:
    """The pieces of one step; neighbouring pictures that are not wide share a row, two by two.

    width: points that are free. scale: of the font sizes.
    """
    pieces: list[Piece] = []
    for piece in chain.from_iterable(measure(block, width, scale) for block in blocks):
        if pieces and _is_narrow(pieces[-1]) and _is_narrow(piece):
            before = pieces.pop()
            height = min(before.height, piece.height)
            piece = PictureRow(before.pictures + piece.pictures, height).within(width, height)
        pieces.append(piece)
    return pieces


def _is_narrow(piece: Piece) -> bool:
    pictures = piece.pictures if isinstance(piece, PictureRow) else ()
    return len(pictures) == 1 and not pictures[0].tex and piece.width < 2 * piece.height


def measure(block: Block, width: float, scale: float) -> list[Piece]:
    """A block with its measures: one piece, or several for a table that is far too wide."""
    if isinstance(block, Text):
        paragraph = Paragraph(block, style_of(block) * scale, width)
        spans = tuple(replace(span, bold=True) for span in block.spans) if block.heading else block.spans
        return [replace(paragraph, lines=wrap(spans, paragraph.style.size, width - paragraph.left))]
    if isinstance(block, Code):
        return [_listing(block, width, scale)]
    if isinstance(block, Picture):
        height = block.height * (scale if block.tex else GROWTH)
        return [PictureRow((block,), height).within(width, height)]
    return _table_boxes(block, width, scale)


def _listing(code: Code, width: float, scale: float) -> Listing:
    """In a font so small that the longest line fits, but large enough to be read."""
    style = CODE * scale
    longest = max((_longest(line, Chunk.ends_line) for line in code.lines), default=0.0) or 1.0
    fitting = min(1.0, (width - 2 * PADDING) / (style.size * longest) - ROUNDING)
    listing = Listing([], code.output, style * max(fitting, min(1.0, MIN_CODE / style.size)), width)
    room = width - 2 * listing.padding_x
    return replace(listing, lines=[wrap(line, listing.style.size, room) for line in code.lines])


def _table_boxes(table: Table, width: float, scale: float) -> list[TableBox]:
    """In a font so small that no word is broken, but large enough to be read. If the table is too wide even then, it
    becomes several tables of fewer columns, with the first column repeated."""
    texts = sum(not any(isinstance(cell, Picture) for cell in row) for row in table.rows)
    free = 0.8 * HEIGHT - texts * (CELL.leading + 2 * CELL_Y)  # for rows of pictures, if all are to be on one page
    highest = scale * max(MIN_PICTURE, free / max(1, len(table.rows) - texts))
    widest = width / len(table.rows[0]) - 2 * CELL_X - 2
    columns = [[_resized(cell, widest, highest) for cell in column] for column in zip(*table.rows, strict=True)]
    longest = [min(LONG_WORD, max(_longest(cell, Chunk.ends_word) for cell in column)) for column in columns]
    lines = [max(_longest(cell, Chunk.ends_line) for cell in column) for column in columns]
    style = CELL * scale
    pictures = [max((cell.width for cell in column if isinstance(cell, Picture)), default=0.0) for column in columns]
    while style.size > MIN_CELL and sum(_column_widths(longest, pictures, style)) > width:
        style = style * max(0.94, MIN_CELL / style.size)
    narrowest, preferred = (_column_widths(ems, pictures, style) for ems in (longest, lines))
    measured = list(zip(columns, narrowest, preferred, strict=True))
    groups = [measured[:1]]
    for column in measured[1:]:
        if len(groups[-1]) > 1 and sum(least for _, least, _ in (*groups[-1], column)) > width:
            groups.append(measured[:1])
        groups[-1].append(column)
    boxes = []
    for group in groups:
        columns, narrowest, preferred = zip(*group, strict=True)
        widths = _fitted_widths(narrowest, preferred, width)
        cells = (_wrapped(column, style.size, room) for column, room in zip(columns, widths, strict=True))
        rows = [Row(list(row), style.leading) for row in zip(*cells, strict=True)]
        boxes.append(TableBox(rows, table.headers, style, widths))
    return boxes


def _wrapped(column: list[Cell], size: float, width: float) -> list[Picture | list[Spans]]:
    return [cell if isinstance(cell, Picture) else wrap(cell, size, width - 2 * CELL_X) for cell in column]


def _resized(cell: Cell, width: float, height: float) -> Cell:
    return cell.fitted(min(GROWTH * cell.width, width), height) if isinstance(cell, Picture) else cell


def _fitted_widths(narrowest: Sequence[float], preferred: Sequence[float], width: float) -> list[float]:
    """Widths of columns for a table of at most `width` points."""
    if sum(preferred) <= width:
        return [min(AIRY, width / sum(preferred)) * column for column in preferred]
    low, high = narrowest, preferred
    if sum(narrowest) > width:  # words are broken, but every column gets half of an equal share if it needs it
        low, high = [min(column, width / len(narrowest) / 2) for column in narrowest], narrowest
    share = (width - sum(low)) / (sum(high) - sum(low))
    return [least + share * (most - least) for least, most in zip(low, high, strict=True)]


def _column_widths(ems: list[float], pictures: list[float], style: Style) -> list[float]:
    return [max(style.size * text, picture) + 2 * CELL_X + 1 for text, picture in zip(ems, pictures, strict=True)]


def _longest(cell: Cell, is_end: Callable[[Chunk], bool]) -> float:
    """The widest part of a text between two chunks that are an end, in multiples of the font size."""
    longest = used = 0.0
    for chunk in chunks(cell) if isinstance(cell, tuple) else ():
        longest = max(longest, used + chunk.visible)
        used = 0.0 if is_end(chunk) else used + chunk.width
    return longest
