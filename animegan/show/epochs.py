"""Epochs and runs side by side, as sheets of faces."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from animegan.errors import UserError
from animegan.grids import FACES_IN_GRID
from animegan.runs import Run, differences, settings
from animegan.show.figures import FADED, INK, PAPER
from animegan.show.pictures import Picture, font_for

COLUMNS = 12  # faces in a row: two rows and their label fill the width of a slide
GAP = 2  # pixels between two faces
BLOCK_GAP = 10  # pixels between two epochs
HEADING = 26  # pixels for the numbers of the epochs
MAX_COLUMNS = 13  # epochs in a row: 25 of them fill two rows
MAX_WIDTH = 1100  # pixels, about what a notebook's cell shows without shrinking


def compare_epochs(runs: Run | Sequence[Run], epochs: Sequence[int], count: int = 24) -> Picture:
    """Rows of faces, labelled by epoch (and by run, where there are several), as one picture.

    The faces are cut from the runs' grids: all come from the same latent vectors, so a column shows
    one and the same z, and what changes down the column is what was learnt.

    count: faces of one epoch, 1 to 64. Raises UserError where a run lacks one of the epochs.
    """
    if not 1 <= count <= FACES_IN_GRID:
        raise UserError(f"--count {count} is out of range: a grid has 1 to {FACES_IN_GRID} faces.")
    if not epochs:
        raise UserError("no epoch to compare: this run has not finished its first one.")
    runs = opened_runs([runs])
    blocks = [(run, epoch) for run in runs for epoch in epochs]
    size = runs[0].config.imageSize
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    tell = labels_by_difference(runs)
    labels = [[f"epoch {epoch}", *tell[number]] for number in range(len(runs)) for epoch in epochs]
    lines = [line for label in labels for line in label]
    font, small = font_for(20, lines), font_for(15, lines)
    label_width = 24 + round(
        max((font if n == 0 else small).getlength(line) for label in labels for n, line in enumerate(label))
    )
    block_height = rows * (size + GAP) - GAP

    sheet = Image.new(
        "RGB",
        (
            label_width + columns * (size + GAP) + BLOCK_GAP,
            BLOCK_GAP + len(blocks) * (block_height + BLOCK_GAP),
        ),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    for number, ((run, epoch), label) in enumerate(zip(blocks, labels, strict=True)):
        top = BLOCK_GAP + number * (block_height + BLOCK_GAP)
        middle = top + block_height / 2 - 11 * (len(label) - 1)
        for n, line in enumerate(label):
            pen.text((12, middle + 22 * n), line, FADED if n else INK, small if n else font, anchor="lm")
        for cell, face in enumerate(run.faces(epoch)[:count]):
            row, column = divmod(cell, columns)
            sheet.paste(face, (label_width + column * (size + GAP), top + row * (size + GAP)))
    return Picture(sheet)


def labels_by_difference(runs: Sequence[Run]) -> list[list[str]]:
    """Of several runs the name of each and its recipe, or where that is the same for all, what else differs."""
    if len(runs) == 1:
        return [[]]
    differ = list(dict.fromkeys(name for run in runs[1:] for name in differences(runs[0], run)))
    shown = ["recipe"] if "recipe" in differ or not differ else differ[:2]
    named = [
        [each[name] if name == "recipe" else f"{name} {each[name]}" for name in shown] for each in map(settings, runs)
    ]
    return [[run.path.name, *lines] for run, lines in zip(runs, named, strict=True)]


def faces_over_epochs(run: Run, cells: int | Sequence[int] = (0,), epochs: Sequence[int] | None = None) -> Picture:
    """Chosen faces through the epochs: a row a face, epochs from left to right, as one picture.

    cells: positions in `run.faces(epoch)`, 0 to 63; the labels count from 1, as a person does.
    epochs: those to show, all by default; above 13 they go on in a further block.
    Raises UserError for a cell that a grid does not have or an epoch that the run lacks.
    """
    epochs = list(run.epochs if epochs is None else epochs)
    if not epochs:
        raise UserError("no epoch to show: this run has not finished its first one.")
    cells = [cells] if isinstance(cells, int) else list(cells)
    for cell in cells:
        if not 0 <= cell < FACES_IN_GRID:
            raise UserError(f"cell {cell} is out of range: a grid has the cells 0 to {FACES_IN_GRID - 1}.")
    if not cells:
        raise UserError("no cell to show: name at least one, e.g. cells=(0,).")
    columns = math.ceil(len(epochs) / math.ceil(len(epochs) / MAX_COLUMNS))
    names = [f"face {cell + 1}" for cell in cells]
    font = font_for(16, names)
    left = 24 + round(max(font.getlength(name) for name in ("epoch", *names)))
    size = min(run.config.imageSize, (MAX_WIDTH - left - BLOCK_GAP) // columns - GAP)
    block_height = HEADING + len(cells) * (size + GAP)
    blocks = [epochs[start : start + columns] for start in range(0, len(epochs), columns)]
    sheet = Image.new(
        "RGB",
        (left + columns * (size + GAP) + BLOCK_GAP, BLOCK_GAP + len(blocks) * (block_height + BLOCK_GAP)),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    for number, block in enumerate(blocks):
        top = BLOCK_GAP + number * (block_height + BLOCK_GAP)
        pen.text((12, top + HEADING / 2), "epoch", FADED, font, anchor="lm")
        for row, name in enumerate(names):
            pen.text((12, top + HEADING + row * (size + GAP) + size / 2), name, INK, font, anchor="lm")
        for column, epoch in enumerate(block):
            faces, x = run.faces(epoch), left + column * (size + GAP)
            pen.text((x + size / 2, top + HEADING / 2), str(epoch), INK, font, anchor="mm")
            for row, cell in enumerate(cells):
                face = faces[cell].resize((size, size), Image.Resampling.LANCZOS)
                sheet.paste(face, (x, top + HEADING + row * (size + GAP)))
    return Picture(sheet)


def opened_runs(items: Sequence[Run | Sequence[Run]]) -> list[Run]:
    """Runs and lists of runs as one list; UserError where there is none, or something else, such as a path."""
    runs = [run for item in items for run in (item if isinstance(item, list | tuple) else [item])]
    if not runs:
        raise UserError("no run to show: give at least one Run.")
    for run in runs:
        if not isinstance(run, Run):
            raise UserError(f"{run!r} is not a run: open its folder first, e.g. Run('imgs/mine').")
    return runs
