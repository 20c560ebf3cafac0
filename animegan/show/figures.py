"""Figures drawn with matplotlib, without its global state; the curves of a run's history."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from animegan.errors import UserError
from animegan.runs import Step
from animegan.show.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PAPER, FADED, RULE = "#1b1b1f", "#ffffff", "#6b6b76", "#c9c9d1"
ON_PAPER = {"facecolor": PAPER, "edgecolor": "none", "framealpha": 1}  # of a legend that may lie on lines
# Blue and orange keep apart for every kind of colour blindness (Okabe and Ito 2008), and in grey.
BLUE, ORANGE = "#0072b2", "#d55e00"
DPI = 160  # twice as fine as a notebook shows it, for slides and high-density screens
LINES = ("-", "--", ":", "-.")
POINTS = 600  # of a curve: finer than its pixels, and quick to draw however long the run
PANELS = {  # what is drawn: the axis, and for each curve the field of Step, its colour and its name
    "loss": (("loss_D", BLUE, "loss of D"), ("loss_G", ORANGE, "loss of G")),
    "D's verdict, 1 = real": (("D_x", BLUE, "D(x), on real"), ("D_G_z", ORANGE, "D(G(z)), on fake")),
}


class Trace(NamedTuple):
    """What is known of one run: its name, its steps, and how many of them make an epoch, if that is known."""

    name: str
    steps: Sequence[Step]
    per_epoch: int | None


def history_picture(
    traces: Sequence[Trace], smooth: int | None, epochs: int | None = None, inches: tuple[float, float] = (11, 3.9)
) -> Picture:
    """Two panels with the curves of each trace; `animegan.show.plot_history` says the rest."""
    if smooth is not None and smooth < 1:
        raise UserError(f"smooth {smooth} is out of range: give a number of steps, 1 or more.")
    figure = new_figure(inches)
    losses, verdicts = figure.subplots(1, 2)
    epochs = epochs or max((trace.steps[-1].epoch for trace in traces if trace.steps), default=1)
    for panel, (label, curves) in zip((losses, verdicts), PANELS.items(), strict=True):
        plain(panel)
        for trace, line in zip(traces, cycle(LINES), strict=False):
            if trace.steps:  # all runs are smoothed over the same part of the axis, or the shortest looked the wildest
                width = smooth or max(1, round(epochs * _per_epoch(trace) / 40))
                _draw_curves(panel, trace, line, curves, width, faint=0.22 / len(traces) ** 0.5)
        _label(panel, label, curves)
        panel.set_xlim(0, epochs)
    losses.set_ylim(0, _highest(traces))
    verdicts.set_ylim(0, 1)
    verdicts.set_yticks([0, 0.25, 0.5, 0.75, 1])
    if len(traces) > 1:
        _name_runs(figure, [trace.name for trace in traces])
    return drawn(figure)


def _per_epoch(trace: Trace) -> int:
    return trace.per_epoch or max(step.iteration for step in trace.steps)


def _draw_curves(panel: Axes, trace: Trace, line: str, curves: Sequence, width: int, faint: float) -> None:
    values = dict(zip(Step._fields, np.array(trace.steps, dtype=float).T, strict=True))
    x = values["epoch"] - 1 + values["iteration"] / _per_epoch(trace)
    for field, colour, _ in curves:
        if width > 1:
            panel.plot(*_thinned(x, values[field]), color=colour, alpha=faint, linewidth=0.7)
        panel.plot(*_thinned(x, _moving_mean(values[field], width)), line, color=colour, linewidth=1.7)


def _highest(traces: Sequence[Trace]) -> float:
    """The top of the losses' axis: a few wild steps must not flatten all the others."""
    losses = [[max(step.loss_D, step.loss_G) for step in trace.steps] for trace in traces if trace.steps]
    return 1.05 * max((float(np.percentile(values, 99.5)) for values in losses), default=1.0)


def _label(panel: Axes, label: str, curves: Sequence) -> None:
    from matplotlib.lines import Line2D

    panel.set_xlabel("epoch")
    panel.set_ylabel(label)
    panel.locator_params(axis="x", integer=True)
    handles = [Line2D([], [], color=colour, label=name) for _, colour, name in curves]
    panel.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, frameon=False, handlelength=1.5
    )


def _name_runs(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, linestyle=line, label=name) for name, line in zip(names, cycle(LINES), strict=False)
    ]
    font = FontProperties(family=_families(names), size=10)
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, handlelength=3, prop=font)


def _families(names: Sequence[str]) -> list[str]:
    """matplotlib's own font, then for names that are not ASCII the first font here that has Chinese."""
    from matplotlib.font_manager import fontManager

    have = {font.name for font in fontManager.ttflist}
    wanted = ("Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "SimHei")
    chinese = [] if all(map(str.isascii, names)) else [name for name in wanted if name in have][:1]
    return ["DejaVu Sans", *chinese]


def _moving_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of the `width` values around each; at both ends of those that there are."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    middle = np.arange(len(values))
    first = np.maximum(middle - width // 2, 0)
    last = np.minimum(middle + (width + 1) // 2, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest point of each stretch: the same curve to the eye."""
    stretch = len(x) // POINTS
    if stretch < 4:
        return x, y
    whole = len(x) // stretch * stretch
    parts = y[:whole].reshape(-1, stretch)
    extremes = np.stack([parts.argmin(1), parts.argmax(1)], axis=1) + np.arange(0, whole, stretch)[:, None]
    kept = np.unique(np.append(extremes, len(x) - 1))
    return x[kept], y[kept]


def new_figure(inches: tuple[float, float]) -> Figure:
    """An empty figure of that width and height, which no other part of the program can reach."""
    from matplotlib.figure import Figure

    return Figure(inches, dpi=DPI, layout="constrained", facecolor=PAPER)


def plain(panel: Axes) -> None:
    """Leave of a panel's frame what is needed to read it."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(FADED)
    panel.tick_params(colors=INK, labelsize=9)
    panel.grid(axis="y", color=RULE, linewidth=0.6)
    panel.set_axisbelow(True)


def patch(colour: Any, label: str) -> Any:
    """A coloured square for a legend."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor=RULE, label=label)


def drawn(figure: Figure) -> Picture:
    """The figure as a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a folder's name in a script that no font here has
        canvas.draw()
    return Picture(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
