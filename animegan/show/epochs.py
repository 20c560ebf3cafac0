"""What a person looks at: epochs and runs side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from animegan.errors import UserError
from animegan.models import conv_size, conv_transpose_size
from animegan.runs import FACES_IN_GRID, Run, Step
from animegan.show.figures import BLUE, FADED, INK, PAPER, Trace, drawn, history_picture, new_figure, patch, plain
from animegan.show.pictures import Picture, font_for

COLUMNS = 12  # faces in a row: two rows and their label fill the width of a slide
GAP = 2  # pixels between two faces
BLOCK_GAP = 10  # pixels between two epochs
HEADING = 26  # pixels for the numbers of the epochs
MOST_COLUMNS = 13  # epochs in a row: 25 of them fill two rows
MOST_WIDTH = 1100  # pixels, about what a notebook's cell shows without shrinking

OVERLAP_INPUT = 8  # pixels
MOST_SHADES, MOST_NUMBERS = 12, 40  # in the legend of an overlap picture, and above its bars


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
    runs = _opened([runs])
    blocks = [(run, epoch) for run in runs for epoch in epochs]
    size = runs[0].config.imageSize
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    tell = _told_apart(runs)
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


def _told_apart(runs: Sequence[Run]) -> list[list[str]]:
    """Of several runs the name of each and its recipe, or where that is the same for all, what else differs."""
    if len(runs) == 1:
        return [[]]
    settings = [{**run.config.as_dict(), **run.info.get("ingredients", {})} for run in runs]
    ours = [name for name in settings[0] if name not in ("epoch", "device", "data_path", "outf", "changes")]
    differ = [name for name in ours if len({str(each.get(name)) for each in settings}) > 1]
    shown = ["recipe"] if "recipe" in differ or not differ else differ[:2]
    named = [[each[name] if name == "recipe" else f"{name} {each[name]}" for name in shown] for each in settings]
    return [[run.path.name, *lines] for run, lines in zip(runs, named, strict=True)]


def through_epochs(run: Run, cells: int | Sequence[int] = (0,), epochs: Sequence[int] | None = None) -> Picture:
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
    columns = math.ceil(len(epochs) / math.ceil(len(epochs) / MOST_COLUMNS))
    names = [f"face {cell + 1}" for cell in cells]
    font = font_for(16, names)
    left = 24 + round(max(font.getlength(name) for name in ("epoch", *names)))
    size = min(run.config.imageSize, (MOST_WIDTH - left - BLOCK_GAP) // columns - GAP)
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


def _opened(items: Sequence[Run | Sequence[Run]]) -> list[Run]:
    """Runs and lists of runs as one list; UserError where there is none, or something else, such as a path."""
    runs = [run for item in items for run in (item if isinstance(item, list | tuple) else [item])]
    if not runs:
        raise UserError("no run to show: give at least one Run.")
    for run in runs:
        if not isinstance(run, Run):
            raise UserError(f"{run!r} is not a run: open its folder first, e.g. Run('imgs/mine').")
    return runs


def plot_history(*runs: Run | Sequence[Run], smooth: int | None = None) -> Picture:
    """How the game went: the losses of D and G, and beside them D(x) and D(G(z)), over the epochs.

    Behind every curve lies, faint, what was measured at each step; the curve is its moving mean. Several
    runs share the panels and differ by the style of their lines.

    smooth: steps that the mean is taken over, 1 for none; by default as many as a fortieth of the axis.
    Raises UserError where a run has no step yet.
    """
    runs = _opened(runs)
    traces = [Trace(run.path.name, run.read_steps(), steps_per_epoch(run)) for run in runs]
    for trace in traces:
        if not trace.steps:
            raise UserError(f"the run {trace.name} has no step in its history yet: train it first.")
    return history_picture(traces, smooth)


def plot_steps(
    steps: Sequence[Step],
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    smooth: int | None = None,
    inches: tuple[float, float] = (7.5, 2.7),
) -> Picture:
    """The picture of `plot_history` from the steps themselves, for a run that is still going on.

    steps_per_epoch: by default as many as the longest epoch among the steps has.
    epochs: how far the axis reaches, so that the curves grow into it; by default as far as the steps.
    """
    return history_picture([Trace("", steps, steps_per_epoch)], smooth, epochs, inches)


def steps_per_epoch(run: Run) -> int | None:
    """How many training steps an epoch of this run has; None where its data are not known."""
    pictures = run.info.get("data", {}).get("pictures", 0)
    return max(0, pictures - run.config.hold_out) // run.config.batchSize or None


def overlap_counts(
    kernel: int, stride: int, padding: int, size: int = OVERLAP_INPUT, transposed: bool = True
) -> np.ndarray:
    """How many input pixels of a row write to each output pixel of a transposed convolution, [output size].

    Along both axes the counts multiply. Where they alternate, the picture gets a checkerboard.
    transposed: False for how many output pixels of an ordinary convolution read each input pixel, [size].
    Source: Odena, Dumoulin and Olah 2016, "Deconvolution and Checkerboard Artifacts".
    """
    if transposed:
        windows, length = size, conv_transpose_size(size, kernel, stride, padding)
    else:
        windows, length = conv_size(size, kernel, stride, padding), size
    starts = np.arange(windows)[:, None] * stride - padding
    pixels = np.arange(length)
    return ((starts <= pixels) & (pixels < starts + kernel)).sum(axis=0)


def overlap_picture(
    kernel: int, stride: int, padding: int, size: int = OVERLAP_INPUT, transposed: bool = True
) -> Picture:
    """How often a transposed convolution writes each output pixel: as a map, and along one row with numbers.

    transposed: False for an ordinary convolution: how often it reads each input pixel.
    size: height and width of the input, in pixels. Raises UserError where no such layer can be.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    counts = overlap_counts(kernel, stride, padding, size, transposed)
    layer, side, verb = "convolution", "input", "read"
    if transposed:
        layer, side, verb = "transposed convolution", "output", "written"
    plane = np.outer(counts, counts)
    values = np.unique(plane)
    figure = new_figure((10, 3.8))
    figure.suptitle(
        f"{layer}, kernel {kernel}, stride {stride}, padding {padding}: how often each {side} pixel is {verb}",
        fontsize=11, color=INK,
    )  # fmt: skip
    panel, profile = figure.subplots(1, 2, width_ratios=(1, 2))

    shades = _shades(values)
    norm = BoundaryNorm([*(values - 0.5), values[-1] + 0.5], len(values))
    panel.imshow(plane, cmap=ListedColormap(shades), norm=norm, extent=(0, len(counts), len(counts), 0))
    panel.set_anchor("N")
    panel.spines[:].set_color(FADED)
    panel.tick_params(labelsize=9)
    panel.locator_params(integer=True)
    panel.set_xlabel(f"{len(counts)}x{len(counts)} {side} pixels" + f", from {size}x{size}" * transposed)
    panel.legend(
        handles=[patch(shades[n], f"{values[n]}x") for n in _spread(len(values), MOST_SHADES)],
        loc="upper left", bbox_to_anchor=(1, 1.03), frameon=False, handlelength=1, handleheight=1, fontsize=9,
    )  # fmt: skip

    plain(profile)
    bars = profile.bar(np.arange(len(counts)), counts, width=0.86, color=BLUE)
    if len(counts) <= MOST_NUMBERS:
        profile.bar_label(bars, fontsize=9 if len(counts) <= 26 else 7, color=INK, padding=2)
    profile.set(xlim=(-0.8, len(counts) - 0.2), ylim=(0, counts.max() * 1.15 + 0.1), xlabel=f"{side} pixels of a row")
    profile.locator_params(integer=True)
    return drawn(figure)


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 to count - 1, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _shades(values: np.ndarray) -> list[Any]:
    """A colour a value: white for 0, then light to dark blue."""
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("ramp", ["#d6e8f5", "#5ba3cf", "#08306b"])
    return [PAPER if value == 0 else ramp((value - 1) / max(1, values[-1] - 1)) for value in values]
