"""The rows of a sweep, best first, and which of them are statistically tied: the table of its results."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from animegan.ablation.sweep import Result, Sweep, read_results
from animegan.errors import UserError


class Standing(NamedTuple):
    """A row of the sweep with its results; `swd` is the mean over its seeds."""

    name: str
    results: list[Result]
    swd: float
    as_good: bool  # better than the sweep's first row, or statistically tied with it


def standings(sweep: Sweep) -> tuple[list[Standing], float]:
    """The measured rows, best first, and the standard deviation of `swd` between seeds, relative to its mean.

    The deviation is pooled over the rows with several seeds; it is 0 if there are none, and then no difference is
    significant. It is relative, since bad recipes differ more between seeds than good ones do. The other rows are
    compared with the sweep's first measured row: worse are those that lie beyond it by more than twice the standard
    error of the difference. (The best row would be a bad choice: of many equal ones, the best is the luckiest.) Raises
    UserError if there are no results yet.
    """
    results = read_results(sweep)
    if not results:
        raise UserError(f"{sweep.results_path} has no results yet: animegan ablate {sweep.path} makes them.")
    groups = [[r for r in results if r.row == name] for name in dict.fromkeys(r.row for r in results)]
    groups.sort(key=_mean_swd)
    several = [group for group in groups if len(group) > 1 and math.isfinite(_mean_swd(group))]
    variances = [statistics.variance(r.swd / _mean_swd(group) for r in group) for group in several]
    spread = statistics.fmean(variances) ** 0.5 if variances else 0.0
    first = next(group for group in groups if group[0].row == results[0].row)

    def as_good(group: list[Result]) -> bool:
        error = math.hypot(_error(group, spread), _error(first, spread)) if spread else math.inf
        return _mean_swd(group) - 2 * error <= _mean_swd(first)

    return [Standing(group[0].row, group, _mean_swd(group), as_good(group)) for group in groups], spread


def _error(results: Sequence[Result], spread: float) -> float:
    """The standard error of the mean over some seeds, whose relative deviation is `spread`."""
    return spread * _mean_swd(results) / len(results) ** 0.5


def floor(results: Sequence[Result]) -> float:
    """Real images compared with other real ones: the mean over the runs, nan if all have diverged."""
    return statistics.fmean([r.floor for r in results if math.isfinite(r.floor)] or [math.nan])


def _mean_swd(results: Sequence[Result]) -> float:
    return statistics.fmean(r.swd for r in results)


def table(sweep: Sweep) -> str:
    """The results as a Markdown table, best row first, and how they were measured.

    For a row with several seeds, the mean and the deviation between them; in bold what is as good as the first row.
    """
    rows, spread = standings(sweep)
    lines = ["| | SWD | 96 | 48 | 24 | FID | seeds | images/s |", "|---|---|---|---|---|---|---|---|"]
    for name, runs, swd, as_good in rows:
        if diverged := sum(math.isinf(r.swd) for r in runs):
            lines.append(f"| {name} | diverged ({diverged} of {len(runs)}) | | | | | {len(runs)} | |")
            continue
        deviation = f" ± {statistics.stdev(r.swd for r in runs):.1f}" if len(runs) > 1 else ""
        bold = "**" * (as_good and spread > 0)
        levels = [f"{statistics.fmean(getattr(r, f'swd_{size}') for r in runs):.1f}" for size in (96, 48, 24)]
        fid, speed = statistics.fmean(r.fid for r in runs), runs[0].images_per_second
        cells = [name, f"{bold}{swd:.1f}{bold}{deviation}", *levels, f"{fid:.2f}", str(len(runs))]
        lines.append(f"| {' | '.join([*cells, f'{speed:.0f}' if speed else '–'])} |")
    results = read_results(sweep)
    first = next((r for r in results if math.isfinite(r.swd)), results[0])
    machines = "; ".join(dict.fromkeys(f"{r.machine}, PyTorch {r.torch}" for r in results))
    timed = "; ".join(dict.fromkeys(r.timed_on for r in results if r.timed_on))
    dates = " to ".join(sorted({min(r.date for r in results), max(r.date for r in results)}))
    significance = (
        f"±: standard deviation between seeds, {spread:.0%} over all rows with several. In bold: not worse than "
        f"{results[0].row!r} by more than twice the standard error of the difference. "
        if spread
        else "No row has several seeds, so every difference may be luck: give some rows seeds = 3. "
    )
    return "\n".join(lines) + (
        f"\n\nSWD: sliced Wasserstein distance x 1,000 between {first.count:,} fakes and as many images that training "
        f"has not seen, after {first.images:,} training images shown; real against real {floor(results):.1f}. 96, 48 "
        f"and 24: at that many pixels a side. {significance}FID: features of the {first.features or 'none'}. "
        f"Trained on {machines}; {dates}. "
        + (f"Images/s: training steps only, the rows in turn, on {timed}. " if timed else "")
        + f"The command of the first row: `{first.command}`"
    )
