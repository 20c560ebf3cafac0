"""Figures of measurements: distance by epoch, recipes compared, coverage of attributes, nearest training images."""

import math
import statistics
from collections.abc import Sequence

import numpy as np
import torch

from animegan.ablation import Sweep, floor, standings
from animegan.measure import REAL, Evaluation, Neighbours, Share, average
from animegan.show.figures import BLUE, FADED, INK, ON_PAPER, ORANGE, RULE, SMALL, despine, new_figure, to_picture
from animegan.show.pictures import Picture, face_picture
from animegan.show.sheets import faces_sheet


def plot_evaluation(found: Evaluation) -> Picture:
    """Distance by epoch, the best epoch, and the distance between real images; FID, precision and recall if known."""
    epochs = sorted(found.distances)
    width, count = (9, 3) if found.fidelities else (5.5, 1)
    figure, (panels,) = new_figure((width, 3.2), 1, count, squeeze=False)
    means = [found.mean(epoch) for epoch in epochs]
    _line(panels[0], epochs, means, BLUE, "fakes")
    _floor(panels[0], average(found.floor).mean)
    panels[0].plot(found.best, found.mean(found.best), "o", ms=11, mfc="none", mec=ORANGE, mew=2)
    panels[0].annotate(
        f"best: {found.best}", (found.best, found.mean(found.best)), (0, 22), textcoords="offset points",
        ha="right" if found.best > statistics.fmean(epochs) else "left", color=ORANGE, fontsize=SMALL + 1,
    )  # fmt: skip
    style_axes(panels[0], "sliced Wasserstein distance x 1,000", epochs, max(means))
    if found.fidelities:
        real, measured = found.fidelities[REAL], [found.fidelities[epoch] for epoch in epochs]
        _line(panels[1], epochs, [m.fid for m in measured], BLUE, "fakes")
        _floor(panels[1], real.fid)
        style_axes(panels[1], f"FID ({real.features})", epochs, max(m.fid for m in measured))
        _line(panels[2], epochs, [m.precision for m in measured], BLUE, "precision")
        _line(panels[2], epochs, [m.recall for m in measured], ORANGE, "recall")
        style_axes(panels[2], "precision and recall", epochs, 1)
        for value, colour, label in ((real.precision, BLUE, "real images"), (real.recall, ORANGE, None)):
            panels[2].axhline(value, color=colour, lw=1, ls="--", label=label)
        panels[2].legend(**ON_PAPER, fontsize=SMALL, loc="best")
    return to_picture(figure)


def _line(panel, epochs: Sequence[int], values: Sequence[float], colour: str, label: str) -> None:
    panel.plot(epochs, values, color=colour, label=label, marker="o", ms=4, lw=1.6)


def _floor(panel, value: float) -> None:
    panel.axhline(value, color=FADED, lw=1, ls="--")
    panel.annotate(
        f"real against real: {value:.1f}", (0.98, value), (0, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="right", va="bottom", color=FADED, fontsize=SMALL,
    )  # fmt: skip


def style_axes(panel, title: str, epochs: Sequence[int], top: float) -> None:
    from matplotlib.ticker import MaxNLocator

    despine(panel, title, "epoch")
    panel.set_ylim(-0.03 * top, 1.12 * top)  # a value of 0 lies above the axis
    margin = max(0.5, 0.04 * (epochs[-1] - epochs[0]))
    panel.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    first, last = epochs[0], epochs[-1]
    round_ones = MaxNLocator(5, integer=True).tick_values(first, last)
    near = 0.6 * (round_ones[1] - round_ones[0])
    panel.set_xticks([first, *(tick for tick in round_ones if first + near < tick < last - near), last])


def plot_standings(grid: Sweep, names: Sequence[str] | None = None) -> Picture:
    """The rows of a grid of recipes, best on top: one dot per run; a bar of twice the standard error of their mean
    to either side.

    names: the rows to show; by default, all. Rows in blue are not worse than the grid's first row by more than twice
    the standard error of the difference.
    Raises UserError if nothing was measured yet.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    rows, spread = standings(grid)
    first = next(row.name for row in grid.rows if row.name in {found.name for found in rows})
    rows = [row for row in rows if names is None or row.name in {*names, first}]
    figure, panel = new_figure((9, max(1.1 + 0.27 * len(rows), 3)))  # high enough for the text along the dashed line
    for place, (_, found, swd, as_good) in enumerate(rows):
        colour = BLUE if as_good else FADED
        if math.isinf(swd):
            at_the_right = panel.get_yaxis_transform()
            panel.text(0.99, place, "diverged", transform=at_the_right, color=FADED, ha="right", va="center")
            continue
        error = 2 * spread * swd / len(found) ** 0.5
        panel.plot([swd - error, swd + error], [place, place], color=colour, lw=5, alpha=0.3, solid_capstyle="butt")
        panel.plot([r.swd for r in found], [place] * len(found), "o", ms=4.5, color=colour)
    title = f"blue: not significantly worse than {first!r}" if spread else "one seed per row: it may be luck"
    despine(panel, f"sliced Wasserstein distance x 1,000: smaller is better\n{title}")
    panel.set_yticks(range(len(rows)), [row.name for row in rows])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")
    real = floor([r for row in rows for r in row.results])
    panel.axvline(real, color=FADED, lw=1, ls="--")
    if math.isfinite(measure := next(row.swd for row in rows if row.name == first)):
        panel.axvline(measure, color=BLUE, lw=1, ls=":", zorder=0)
    panel.set_xscale("log")  # errors are proportional to the distance
    ticks = LogLocator(subs=(1, 2, 5))
    panel.xaxis.set(major_locator=ticks, major_formatter="{x:g}", minor_formatter=NullFormatter())
    panel.annotate(
        f"real against real: {real:.1f}", (real, len(rows) - 0.4), (4, 4), textcoords="offset points",
        color=FADED, fontsize=SMALL, rotation=90,
    )  # fmt: skip
    return to_picture(figure)


def plot_coverage(shares: Sequence[Share]) -> Picture:
    """One panel per attribute: how often each value is recognised in real faces and in fakes; too rare in orange."""
    from matplotlib.patches import Patch

    names = list(dict.fromkeys(share.attribute for share in shares))
    rows, columns = -(-len(names) // 4), 4
    figure, panels = new_figure((9, 3.1 * rows), rows, columns, squeeze=False)
    for panel, name in zip(panels.flat, names, strict=False):
        values = sorted((share for share in shares if share.attribute == name), key=lambda share: share.real)
        places = np.arange(len(values))
        panel.barh(places, [share.real for share in values], 0.82, color=RULE)
        colours = [ORANGE if share.seldom else BLUE for share in values]
        panel.barh(places, [share.fake for share in values], 0.4, color=colours)
        panel.set_yticks(places, [share.value for share in values])
        despine(panel, name)
        panel.grid(visible=False)
        panel.tick_params(labelsize=SMALL)
        for label, share in zip(panel.get_yticklabels(), values, strict=True):
            label.set_color(ORANGE if share.seldom else INK)
        panel.xaxis.set_major_formatter(lambda share, _place: f"{share:.0%}")
    for panel in panels.flat[len(names) :]:
        panel.remove()
    kinds = ((RULE, "real faces"), (BLUE, "fakes"), (ORANGE, "fakes: made too seldom"))
    handles = [Patch(facecolor=colour, edgecolor=RULE, label=label) for colour, label in kinds]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, frameon=False, fontsize=SMALL)
    return to_picture(figure)


def neighbours_picture(fakes: torch.Tensor, training: np.ndarray, found: Neighbours, count: int = 10) -> Picture:
    """The `count` fakes nearest to a training image, each above that image, with their distance.

    fakes, training: uint8 [N, 3, 96, 96], the same that `animegan.measure.neighbours` was given.
    """
    order = found.distances.argsort()[:count].tolist()
    rows = [
        ("distance", [f"{found.distances[number]:.1f}" for number in order]),
        ("fake", [face_picture(fakes[number]) for number in order]),
        ("nearest\ntraining image", [face_picture(training[int(found.nearest[number])]) for number in order]),
    ]
    return faces_sheet(rows)


def plot_neighbours(found: Neighbours) -> Picture:
    """Distances of fakes, and of real images outside the training set, to the nearest training image."""
    figure, panel = new_figure((6.5, 3.4))
    edges = np.histogram_bin_edges(torch.cat([found.distances, found.usual]).numpy(), 40)
    for values, colour, label in ((found.usual, FADED, "unseen real images"), (found.distances, BLUE, "fakes")):
        weights = np.full(len(values), 1 / len(values))
        panel.hist(values.numpy(), edges, weights=weights, histtype="step", color=colour, lw=1.8, label=label)
    copies = found.usual.quantile(0.01).item()
    panel.axvline(copies, color=ORANGE, lw=1.2, ls="--", label="copies lie left of this line")
    despine(panel, "share of images", "distance to the nearest training image")
    panel.yaxis.set_major_formatter(lambda share, _place: f"{share:.0%}")
    panel.legend(**ON_PAPER, fontsize=SMALL)
    return to_picture(figure)
