"""Blocks with their measures: how high each is in a given width, and where it can be split between two pages."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from animegan.slides.model import Block, Code, Picture, Spans, Table, Text
from animegan.slides.style import CELL, CELL_X, CELL_Y, CODE, DIGIT, PADDING, STEP, Style, style_of
from animegan.slides.text_width import Chunk, chunks, joined, spans_width, wrap

MIN_CODE, MIN_CELL = 10.5, 9.5  # points: smaller is not read from the last row
FEW_LINES, FEW_ROWS = 4, 4  # of code and of a table, that are not parted
LONG_WORD = 9  # times the letters' size: a longer word may be broken, if a table has too many columns
AIRY = 1.4  # a table that has room is at most this much wider than its words
ROW_GAP = 24  # points between pictures side by side
HALF_A_PAGE = 190  # points
GROWTH = 2.0  # a picture is enlarged at most this much


@dataclass(frozen=True)
class Paragraph:
    """A text of `width` points. Its lines are measured; PowerPoint and browsers break them again."""

    text: Text
    style: Style
    width: float

    @property
    def left(self) -> float:
        levels = self.text.indent + (self.text.tone == "quote")
        return (STEP * levels + DIGIT * (self.text.digits - 1)) * self.style.size / 20

    @property
    def hang(self) -> float:
        """How far to the left of it its bullet or number begins."""
        return (STEP + DIGIT * (self.text.digits - 1)) * self.style.size / 20 if self.text.mark else 0.0

    @cached_property
    def lines(self) -> list[Spans]:
        spans = self.text.spans
        if self.text.heading:
            spans = tuple(replace(span, bold=True) for span in spans)
        return wrap(spans, self.style.size, self.width - self.left)

    @property
    def height(self) -> float:
        return len(self.lines) * self.style.leading

    @property
    def least(self) -> float:
        return min(len(self.lines), 2) * self.style.leading

    def split(self, room: float) -> tuple[Paragraph | None, Paragraph | None]:
        count = math.floor(room / self.style.leading + 1e-6)
        if count >= len(self.lines):
            return self, None
        if count < min(2, len(self.lines)):
            return None, self
        parts = [joined(span for line in lines for span in line) for lines in (self.lines[:count], self.lines[count:])]
        head, rest = (replace(self.text, spans=part) for part in parts)
        return replace(self, text=head), replace(self, text=replace(rest, mark=""))


@dataclass(frozen=True)
class Listing:
    """Lines of a program or an output, `width` points."""

    code: Code
    style: Style
    width: float

    @property
    def padding(self) -> float:
        """At the left and at the right."""
        return PADDING * self.style.size / CODE.size

    @property
    def inset(self) -> float:
        """Above and below: an output has no panel that would need it."""
        return 2.0 if self.code.output else self.padding

    @cached_property
    def counts(self) -> list[int]:
        """Of every line of code, how many lines it takes up."""
        room = self.width - 2 * self.padding
        return [max(1, len(wrap(line, self.style.size, room))) for line in self.code.lines]

    @property
    def height(self) -> float:
        return sum(self.counts) * self.style.leading + 2 * self.inset

    @property
    def least(self) -> float:
        return min(sum(self.counts), FEW_LINES) * self.style.leading + 2 * self.inset

    def split(self, room: float) -> tuple[Listing | None, Listing | None]:
        if self.height <= room + 1e-6:
            return self, None
        free = math.floor((room - 2 * self.inset) / self.style.leading + 1e-6)
        if free < FEW_LINES:
            return None, self
        fitting = 0
        while sum(self.counts[: fitting + 1]) <= free:
            fitting += 1
        lines = self.code.lines
        if not fitting:  # one line longer than a page
            pieces = wrap(lines[0], self.style.size, self.width - 2 * self.padding)
            parts = [joined(span for piece in some for span in piece) for some in (pieces[:free], pieces[free:])]
            lines, fitting = (*parts, *lines[1:]), 1
        return self._with(lines[:fitting]), self._with(lines[fitting:])

    def _with(self, lines: tuple[Spans, ...]) -> Listing:
        return replace(self, code=replace(self.code, lines=lines))


@dataclass(frozen=True)
class TableBox:
    """A table with the widths of its columns."""

    table: Table
    style: Style
    columns: tuple[float, ...]

    @property
    def width(self) -> float:
        return sum(self.columns)

    def cell_lines(self, row: tuple[Spans, ...]) -> list[list[Spans]]:
        widths = zip(row, self.columns, strict=True)
        return [wrap(cell, self.style.size, width - 2 * CELL_X) for cell, width in widths]

    @cached_property
    def heights(self) -> list[float]:
        most = [max(map(len, self.cell_lines(row))) for row in self.table.rows]
        return [lines * self.style.leading + 2 * CELL_Y for lines in most]

    @property
    def height(self) -> float:
        return sum(self.heights)

    @property
    def least(self) -> float:
        body = len(self.heights) - self.table.headers
        return sum(self.heights[: self.table.headers + (body if body <= FEW_ROWS else 2)])

    def split(self, room: float) -> tuple[TableBox | None, TableBox | None]:
        if self.height <= room + 1e-6:
            return self, None
        headers, rows = self.table.headers, self.table.rows
        if sum(self.heights[:headers]) > room / 2:  # too high to be repeated
            return replace(self, table=replace(self.table, headers=0)).split(room)
        fitting = headers
        while sum(self.heights[: fitting + 1]) <= room:
            fitting += 1
        if fitting > headers:
            return self._with(rows[:fitting]), self._with((*rows[:headers], *rows[fitting:]))
        free = math.floor((room - sum(self.heights[:headers]) - 2 * CELL_Y) / self.style.leading + 1e-6)
        if free < 8:
            return None, self
        lines = self.cell_lines(rows[headers])  # one row higher than a page
        upper = tuple(joined(span for line in cell[:free] for span in line) for cell in lines)
        lower = tuple(joined(span for line in cell[free:] for span in line) for cell in lines)
        return self._with((*rows[:headers], upper)), self._with((*rows[:headers], lower, *rows[headers + 1 :]))

    def _with(self, rows: tuple) -> TableBox:
        return replace(self, table=replace(self.table, rows=rows))


@dataclass(frozen=True)
class Image:
    """A picture at the size that it would like to have; a smaller one it can be given."""

    picture: Picture
    width: float
    height: float

    @property
    def least(self) -> float:
        if self.picture.tex:
            return self.height
        return max(0.25 * self.height, min(0.45 * self.height, HALF_A_PAGE))  # small, but on the page of its code

    def within(self, width: float, height: float) -> Image:
        scale = min(1.0, width / self.width, height / self.height)
        return replace(self, width=scale * self.width, height=scale * self.height)


@dataclass(frozen=True)
class Row:
    """Pictures side by side, all of one height."""

    images: tuple[Image, ...]

    @property
    def width(self) -> float:
        return sum(image.width for image in self.images) + ROW_GAP * (len(self.images) - 1)

    @property
    def height(self) -> float:
        return self.images[0].height

    @property
    def least(self) -> float:
        return 0.45 * self.height

    def within(self, width: float, height: float) -> Row:
        gaps = self.width - sum(image.width for image in self.images)
        scale = min(1.0, (width - gaps) / (self.width - gaps), height / self.height)
        return Row(tuple(image.within(scale * image.width, scale * image.height) for image in self.images))


Piece = Paragraph | Listing | TableBox | Image | Row


def rows(blocks: list[Block], width: float, scale: float) -> list[Piece]:
    """The pieces of one step; neighbouring pictures that are not wide share a row, two by two."""
    found: list[Piece] = []
    for block in blocks:
        for piece in pieces(block, width, scale):
            before = found[-1] if found else None
            if _is_narrow(before) and _is_narrow(piece):
                height = min(before.height, piece.height)
                pair = (before.within(width, height), piece.within(width, height))
                found[-1] = Row(pair).within(width, height)
            else:
                found.append(piece)
    return found


def _is_narrow(piece: Piece | None) -> bool:
    return isinstance(piece, Image) and not piece.picture.tex and piece.width < 2 * piece.height


def pieces(block: Block, width: float, scale: float) -> list[Piece]:
    """A block with its measures: one piece, or of a table that is far too wide several."""
    if isinstance(block, Text):
        return [Paragraph(block, style_of(block) * scale, width)]
    if isinstance(block, Code):
        return [_listing(block, width, scale)]
    if isinstance(block, Picture):
        growth = scale if block.tex else GROWTH
        image = Image(block, growth * block.width, growth * block.height)
        return [image.within(width, image.height)]
    return _grids(block, width, scale)


def _listing(code: Code, width: float, scale: float) -> Listing:
    """In letters so small that the longest line fits, but not smaller than can be read."""
    style = CODE * scale
    longest = max((spans_width(line, style.size) for line in code.lines), default=0.0) or 1.0
    fitting = min(1.0, (width - 2 * PADDING) / longest - 1e-6)
    return Listing(code, style * max(fitting, min(1.0, MIN_CODE / style.size)), width)


def _grids(table: Table, width: float, scale: float) -> list[TableBox]:
    """In letters so small that no word is broken, but not smaller than can be read; then in several tables
    of fewer columns, the first column repeated."""
    style = CELL * scale
    while style.size > MIN_CELL and sum(_column_widths(table, style.size, _longest_word)) > width:
        style = style * max(0.94, MIN_CELL / style.size)
    least = _column_widths(table, style.size, _longest_word)
    groups = [[0]]
    for column in range(1, len(least)):
        used = sum(least[n] for n in groups[-1])
        if used + least[column] > width and len(groups[-1]) > 1:
            groups.append([0])
        groups[-1].append(column)
    return [_grid(replace(table, rows=_columns(table, group)), width, style) for group in groups]


def _columns(table: Table, columns: list[int]) -> tuple[tuple[Spans, ...], ...]:
    return tuple(tuple(row[n] for n in columns) for row in table.rows)


def _grid(table: Table, width: float, style: Style) -> TableBox:
    least = _column_widths(table, style.size, _longest_word)
    wanted = _column_widths(table, style.size, _longest_line)
    if sum(wanted) <= width:
        widths = [min(AIRY, width / sum(wanted)) * column for column in wanted]
    elif sum(least) <= width:
        share = (width - sum(least)) / (sum(wanted) - sum(least))
        widths = [low + share * (high - low) for low, high in zip(least, wanted, strict=True)]
    else:
        narrow = width / len(least) / 2  # what every column is sure of
        spare = [max(0.0, column - narrow) for column in least]
        share = (width - sum(min(column, narrow) for column in least)) / sum(spare)
        widths = [min(column, narrow) + share * more for column, more in zip(least, spare, strict=True)]
    return TableBox(table, style, tuple(widths))


def _column_widths(table: Table, size: float, measure: Callable[[Spans], float]) -> list[float]:
    columns = zip(*table.rows, strict=True)
    return [size * max(map(measure, column)) + 2 * CELL_X + 1 for column in columns]


def _longest_line(cell: Spans) -> float:
    """In multiples of the letters' size."""
    return _longest(cell, lambda chunk: chunk.ends_line)


def _longest_word(cell: Spans) -> float:
    """The same for what stands between two spaces; of that, what every column can be sure of."""
    return min(_longest(cell, lambda chunk: chunk.ends_word), LONG_WORD)


def _longest(cell: Spans, ends: Callable[[Chunk], bool]) -> float:
    longest = used = 0.0
    for chunk in chunks(cell):
        longest = max(longest, used + chunk.visible)
        used = 0.0 if ends(chunk) else used + chunk.width
    return longest
