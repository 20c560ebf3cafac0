"""Epochs and runs side by side, as sheets of faces."""

import math
from collections.abc import Sequence

from animegan.errors import UserError
from animegan.grids import FACES_IN_GRID
from animegan.runs import Run, differences, settings
from animegan.show.pictures import Picture
from animegan.show.sheets import BLOCK_GAP, GAP, faces_sheet

COLUMNS = 12  # faces in a row: two rows and their label fill the width of a slide
MAX_COLUMNS = 13  # epochs in a row: 25 of them fill two rows
MAX_WIDTH = 1100  # pixels, about what a notebook cell shows without shrinking
BESIDE_FACES = 110  # pixels: the widest label, "face 64", and the margins


def compare_epochs(runs: Run | Sequence[Run], epochs: Sequence[int], count: int = 24) -> Picture:
    """Rows of faces, labelled by epoch (and by run, if there are several), as one picture.

    The faces are cut from the runs' grids. All come from the same latent vectors: a column shows one z, and what
    changes down the column is what was learned.

    count: faces of one epoch, 1 to 64. Raises UserError if a run lacks one of the epochs.
    """
    if not 1 <= count <= FACES_IN_GRID:
        raise UserError(f"--count {count} is out of range: a grid has 1 to {FACES_IN_GRID} faces.")
    if not epochs:
        raise UserError("no epoch to compare: this run has not finished its first one.")
    runs = opened_runs([runs])
    rows = [
        ("\n".join([f"epoch {epoch}", *lines]), run.faces(epoch)[:count])
        for run, lines in zip(runs, labels_by_difference(runs), strict=True)
        for epoch in epochs
    ]
    return faces_sheet(rows, COLUMNS, row_gap=BLOCK_GAP, font_size=20)


def labels_by_difference(runs: Sequence[Run]) -> list[list[str]]:
    """The lines that identify each of several runs: its name, and its recipe; if all have the same recipe, the first
    two settings that differ."""
    if len(runs) == 1:
        return [[]]
    differ = list(dict.fromkeys(name for run in runs[1:] for name in differences(runs[0], run)))
    shown = ["recipe"] if "recipe" in differ or not differ else differ[:2]
    values = [
        [each[name] if name == "recipe" else f"{name} {each[name]}" for name in shown] for each in map(settings, runs)
    ]
    return [[run.path.name, *lines] for run, lines in zip(runs, values, strict=True)]


def faces_over_epochs(run: Run, cells: int | Sequence[int] = (0,), epochs: Sequence[int] | None = None) -> Picture:
    """Chosen faces through the epochs: one row per face, epochs from left to right, as one picture.

    cells: positions in `run.faces(epoch)`, 0 to 63; the labels count from 1, as people do.
    epochs: those to show, all by default; more than 13 continue in another block below.
    Raises UserError for a cell that a grid does not have or an epoch that the run lacks.
    """
    epochs = list(run.epochs if epochs is None else epochs)
    if not epochs:
        raise UserError("no epoch to show: this run has not finished its first one.")
    cells = [cells] if isinstance(cells, int) else list(cells)
    if not cells or not all(0 <= cell < FACES_IN_GRID for cell in cells):
        raise UserError(f"cells {cells} cannot be shown: name some of the cells 0 to {FACES_IN_GRID - 1}.")
    columns = math.ceil(len(epochs) / math.ceil(len(epochs) / MAX_COLUMNS))
    rows = []
    for start in range(0, len(epochs), columns):
        block = epochs[start : start + columns]
        grids = [run.faces(epoch) for epoch in block]
        rows.append(("epoch", [str(epoch) for epoch in block]))
        rows.extend((f"face {cell + 1}", [faces[cell] for faces in grids]) for cell in cells)
    size = min(run.config.imageSize, (MAX_WIDTH - BESIDE_FACES) // columns - GAP)
    return faces_sheet(rows, size=size, font_size=18)


def opened_runs(items: Sequence[Run | Sequence[Run]]) -> list[Run]:
    """Runs and lists of runs as one list; UserError if it is empty or an item is not a run, e.g. a path."""
    runs = [run for item in items for run in (item if isinstance(item, list | tuple) else [item])]
    if not runs:
        raise UserError("no run to show: give at least one Run.")
    for run in runs:
        if not isinstance(run, Run):
            raise UserError(f"{run!r} is not a run: open its folder first, e.g. Run('imgs/mine').")
    return runs
