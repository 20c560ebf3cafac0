"""An import as one picture: what was kept, what was set aside, and the pairs of duplicates."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from animegan.data import opened

CELL, GAP, COLUMNS = 96, 8, 10  # pixels, pixels, cells in a row
MARGIN, HEADING = 16, 44  # pixels
WIDTH = 2 * MARGIN + COLUMNS * (CELL + GAP) - GAP
MAX_KEPT, MAX_PAIRS = 40, 20
INK, PAPER = "#1b1b1f", "#ffffff"


def contact_sheet(
    kept: Sequence[Path], aside: Sequence[Path], set_aside: int, pairs: Sequence[tuple[Path, Path]], duplicates: int
) -> bytes:
    """The sheet as a PNG.

    kept: files, of which a sample from the whole list is shown; aside: small copies of what was set aside; pairs:
    (duplicate, the sharper one that is kept). set_aside, duplicates: how many there are in total.
    """
    parts = [
        _part(f"kept: {len(kept):,}", _spread([(file,) for file in kept], MAX_KEPT)),
        _part(f"set aside: {set_aside:,} (shown: those that can be opened)", [(file,) for file in aside]),
        _part(f"duplicates: {duplicates:,} (left: removed, right: its sharper twin, kept)", _spread(pairs, MAX_PAIRS)),
    ]
    parts = [part for part in parts if part]
    sheet = Image.new("RGB", (WIDTH, sum(part.height for part in parts) + 2 * MARGIN), PAPER)
    top = MARGIN
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _part(title: str, groups: Sequence[Sequence[Path]]) -> Image.Image | None:
    """A heading with a cell for each group of files below it; None if there are no cells."""
    cells = [cell for cell in map(_cell, groups) if cell]
    if not cells:
        return None
    step = cells[0].width + GAP
    per_row = COLUMNS * (CELL + GAP) // step
    part = Image.new("RGB", (WIDTH, HEADING + -(-len(cells) // per_row) * (CELL + GAP)), PAPER)
    ImageDraw.Draw(part).text((MARGIN, 8), title, INK, font_size=20)
    for number, cell in enumerate(cells):
        part.paste(cell, (MARGIN + number % per_row * step, HEADING + number // per_row * (CELL + GAP)))
    return part


def _cell(files: Sequence[Path]) -> Image.Image | None:
    """The pictures side by side; None if one of them cannot be opened."""
    cell = Image.new("RGB", (len(files) * (CELL + 1) - 1, CELL), PAPER)
    with contextlib.suppress(Exception):
        for number, file in enumerate(file for file in files if file.is_file()):
            image = ImageOps.pad(opened(file.read_bytes(), 2 * CELL), (CELL, CELL), color="#e8e8ec")
            cell.paste(image, (number * (CELL + 1), 0))
        return cell
    return None


def _spread(items: Sequence, limit: int) -> list:
    """At most `limit` of them, evenly from the first to the last."""
    count = min(len(items), limit)
    return [items[n * len(items) // count] for n in range(count)]
