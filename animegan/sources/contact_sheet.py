"""One picture of an import: what was kept, what was set aside, what was taken for a duplicate of what."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

CELL, GAP, COLUMNS = 96, 8, 10
MAX_KEPT, MAX_PAIRS = 40, 20
INK, FADED, PAPER = "#1b1b1f", "#6b6b76", "#ffffff"
MARGIN, HEADING = 16, 44


def contact_sheet(
    kept: Sequence[Path],
    count: int,
    aside: Sequence[Path],
    set_aside: int,
    pairs: Sequence[tuple[Path, Path]],
    duplicates: int,
) -> bytes:
    """The sheet as a PNG.

    kept: files of which some, from all over the list, are shown; aside: small pictures of what was set aside;
    pairs: (duplicate, the sharper one that stays). The numbers are how many there are in all.
    """
    parts = [
        (f"kept: {count:,}", [*_shown(_spread(kept, MAX_KEPT))]),
        (f"set aside: {set_aside:,} (shown: those that are pictures at all)", [*_shown(aside)]),
        (
            f"duplicates: {duplicates:,} (left: taken out, right: its sharper twin, kept)",
            [*_twins(_spread(pairs, MAX_PAIRS))],
        ),
    ]
    parts = [(title, cells) for title, cells in parts if cells]
    width = 2 * MARGIN + COLUMNS * (CELL + GAP) - GAP
    heights = [HEADING + _rows(cells) * (CELL + GAP) for _, cells in parts]
    sheet = Image.new("RGB", (width, sum(heights) + 2 * MARGIN), PAPER)
    pen, top = ImageDraw.Draw(sheet), MARGIN
    for (title, cells), height in zip(parts, heights, strict=True):
        pen.text((MARGIN, top + 8), title, INK, font_size=20)
        left, line = 0, top + HEADING
        for cell in cells:
            if left + cell.width > COLUMNS * (CELL + GAP):
                left, line = 0, line + CELL + GAP
            sheet.paste(cell, (MARGIN + left, line))
            left += cell.width + GAP
        top += height
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _rows(cells: Sequence[Image.Image]) -> int:
    a_row = COLUMNS * (CELL + GAP) // (cells[0].width + GAP)
    return -(-len(cells) // a_row)


def _spread(items: Sequence, most: int) -> list:
    """At most `most` of them, evenly from the first to the last."""
    count = min(len(items), most)
    return [items[n * len(items) // count] for n in range(count)]


def _shown(files: Sequence[Path]) -> Iterator[Image.Image]:
    for file in files:
        with contextlib.suppress(Exception), Image.open(file) as image:
            yield ImageOps.pad(image.convert("RGB"), (CELL, CELL), color="#e8e8ec")


def _twins(pairs: Sequence[tuple[Path, Path]]) -> Iterator[Image.Image]:
    for pair in pairs:
        cells = list(_shown(pair))
        if len(cells) == 2:
            both = Image.new("RGB", (2 * CELL + 1, CELL), PAPER)
            both.paste(cells[0], (0, 0))
            both.paste(cells[1], (CELL + 1, 0))
            yield both
