"""The curves of a run: its losses and D's verdicts, step by step."""

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np

from animegan.errors import UserError
from animegan.runs import Run, Step
from animegan.show.epochs import opened_runs
from animegan.show.figures import BLUE, INK, ORANGE, despine, new_figure, to_picture
from animegan.show.pictures import Picture, chinese_font


def plot_history(*runs: Run | Sequence[Run], smooth: int | None = None) -> Picture:
    """The losses of D and G over the epochs, and beside them D(x) and D(G(z)).

    Each curve is a moving mean; the values of the single steps lie behind it, faint. Several runs share the panels
    and differ in line style.

    smooth: steps that the mean is taken over, 1 for none; by default a fortieth of the axis.
    Raises UserError if a run has no step yet.
    """
    runs = opened_runs(runs)
    traces = [Trace(run.path.name, run.read_steps(), run.steps_per_epoch) for run in runs]
    for trace in traces:
        if not trace.steps:
            raise UserError(f"the run {trace.name} has no step in its history yet: train it first.")
    return history_picture(traces, smooth)


def plot_steps(
    steps: Sequence[Step], steps_per_epoch: int | None = None, epochs: int | None = None,
    smooth: int | None = None, inches: tuple[float, float] = (7.5, 2.7),
) -> Picture:  # fmt: skip
    """The picture of `plot_history` from the steps themselves, for a run that is still training.

    steps_per_epoch: by default the number of steps in the longest epoch so far.
    epochs: where the axis ends, so that the curves grow into it; by default at the last step.
    """
    return history_picture([Trace("", steps, steps_per_epoch)], smooth, epochs, inches)


LINES = ("-", "--", ":", "-.")
POINTS = 600  # of a curve: more than its pixels, and quick to draw however long the run is
PANELS = {  # the label of the axis, and for each curve: the field of Step, colour, label
    "loss": (("loss_D", BLUE, "loss of D"), ("loss_G", ORANGE, "loss of G")),
    "D's verdict, 1 = real": (("D_x", BLUE, "D(x), on real"), ("D_G_z", ORANGE, "D(G(z)), on fake")),
}


class Trace(NamedTuple):
    """One run's curves: its name, its steps, and how many steps an epoch has (None: as in its longest epoch)."""

    name: str
    steps: Sequence[Step]
    steps_per_epoch: int | None

    @property
    def per_epoch(self) -> int:
        return self.steps_per_epoch or max(step.iteration for step in self.steps)


def history_picture(
    traces: Sequence[Trace], smooth: int | None, epochs: int | None = None, inches: tuple[float, float] = (9, 3.2)
) -> Picture:
    """Two panels with the curves of each trace, as `plot_history` describes them."""
    from matplotlib.lines import Line2D

    if smooth is not None and smooth < 1:
        raise UserError(f"smooth {smooth} is out of range: give a number of steps, 1 or more.")
    figure, (losses, verdicts) = new_figure(inches, 1, 2)
    epochs = epochs or max((trace.steps[-1].epoch for trace in traces if trace.steps), default=1)
    for panel, (label, curves) in zip((losses, verdicts), PANELS.items(), strict=True):
        despine(panel)
        for trace, line in zip(traces, cycle(LINES), strict=False):
            if trace.steps:  # smooth all runs over the same part of the axis, or the shortest looks the wildest
                width = smooth or max(1, round(epochs * trace.per_epoch / 40))
                draw_curves(panel, trace, line, curves, width, faint=0.22 / len(traces) ** 0.5)
        panel.set(xlabel="epoch", ylabel=label, xlim=(0, epochs))
        panel.locator_params(axis="x", integer=True)
        panel.legend(
            handles=[Line2D([], [], color=colour, label=name) for _, colour, name in curves],
            loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, frameon=False, handlelength=1.5,
        )  # fmt: skip
    # A few extreme steps must not flatten all others.
    tops = [np.percentile([max(s.loss_D, s.loss_G) for s in trace.steps], 99.5) for trace in traces if trace.steps]
    losses.set_ylim(0, 1.05 * float(max(tops, default=1.0)))
    verdicts.set(ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
    if len(traces) > 1:
        names = [trace.name for trace in traces]
        styles = zip(names, cycle(LINES), strict=False)
        handles = [Line2D([], [], color=INK, linestyle=line, label=name) for name, line in styles]
        font = {"family": _families(names), "size": 10}
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, handlelength=3, prop=font)
    return to_picture(figure)


def draw_curves(panel, trace: Trace, line: str, curves: Sequence, width: int, faint: float) -> None:
    values = dict(zip(Step._fields, np.array(trace.steps, dtype=float).T, strict=True))
    x = values["epoch"] - 1 + values["iteration"] / trace.per_epoch
    for field, colour, _ in curves:
        if width > 1:
            panel.plot(*thinned(x, values[field]), color=colour, alpha=faint, linewidth=0.7)
        panel.plot(*thinned(x, moving_mean(values[field], width)), line, color=colour, linewidth=1.7)


def _families(names: Sequence[str]) -> list[str]:
    """matplotlib's own font, and for names that are not ASCII the first installed Chinese font."""
    from matplotlib.font_manager import FontProperties, fontManager

    if all(map(str.isascii, names)) or not (path := chinese_font()):
        return ["DejaVu Sans"]
    fontManager.addfont(path)
    return ["DejaVu Sans", FontProperties(fname=path).get_name()]


def moving_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of the `width` values around each value; at both ends, of those that exist."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    middle = np.arange(len(values))
    first, last = np.maximum(middle - width // 2, 0), np.minimum(middle + (width + 1) // 2, len(values))
    return (sums[last] - sums[first]) / (last - first)


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest point of each stretch, and the last: it looks like the full curve."""
    stretch = len(x) // POINTS
    if stretch < 4:
        return x, y
    covered = len(x) // stretch * stretch
    parts = y[:covered].reshape(-1, stretch)
    extremes = np.stack([parts.argmin(1), parts.argmax(1)], axis=1) + np.arange(0, covered, stretch)[:, None]
    kept = np.unique(np.append(extremes, len(x) - 1))
    return x[kept], y[kept]
