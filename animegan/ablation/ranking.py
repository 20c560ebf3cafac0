"""The rows of a grid, the best first, and which of them cannot be told apart: the table that a grid gives."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from animegan.ablation.grid import Result, Sweep, read_results
from animegan.errors import UserError


class Standing(NamedTuple):
    """A row of the grid with what was measured of it; `swd` is the mean of its seeds."""

    name: str
    results: list[Result]
    swd: float
    as_good: bool  # as the grid's first row or better, or not to be told from it


def standings(grid: Sweep) -> tuple[list[Standing], float]:
    """The rows that were measured, best first, and the deviation of `swd` from seed to seed, as a part of its mean.

    The deviation is pooled over the rows that have several seeds, 0 where none has (nothing can then be told from
    anything): as a part of the mean, since bad recipes differ more from seed to seed than good ones do. The grid's
    first row that was measured is what the others are held against: worse is what lies beyond it by twice the error of
    the difference. (The best row would be a bad measure: of many equal ones, the best is the luckiest.) Raises
    UserError where nothing was measured yet.
    """
    results = read_results(grid)
    if not results:
        raise UserError(f"{grid.results_path} has no results yet: animegan ablate {grid.path} makes them.")
    groups = [[r for r in results if r.row == name] for name in dict.fromkeys(r.row for r in results)]
    groups.sort(key=_mean_swd)
    several = [found for found in groups if len(found) > 1 and math.isfinite(_mean_swd(found))]
    parts = [statistics.variance(r.swd / _mean_swd(found) for r in found) for found in several]
    spread = statistics.fmean(parts) ** 0.5 if parts else 0.0
    first = next(found for found in groups if found[0].row == results[0].row)

    def as_good(found: list[Result]) -> bool:
        error = math.hypot(_error(found, spread), _error(first, spread)) if spread else math.inf
        return _mean_swd(found) - 2 * error <= _mean_swd(first)

    return [Standing(found[0].row, found, _mean_swd(found), as_good(found)) for found in groups], spread


def _error(results: Sequence[Result], spread: float) -> float:
    """Of the mean of some seeds, each of which deviates by the part `spread`."""
    return spread * _mean_swd(results) / len(results) ** 0.5


def floor(results: Sequence[Result]) -> float:
    """Real against real: the mean over the runs, nan where all have diverged."""
    return statistics.fmean([r.floor for r in results if math.isfinite(r.floor)] or [math.nan])


def _mean_swd(results: Sequence[Result]) -> float:
    return statistics.fmean(r.swd for r in results)


def table(grid: Sweep) -> str:
    """The results as a Markdown table, best row first, and how they were measured.

    Where a row has several seeds, the mean and the deviation between them; in bold what is as good as the first row.
    """
    rows, spread = standings(grid)
    lines = ["| | SWD | 96 | 48 | 24 | FID | seeds | images/s |", "|---|---|---|---|---|---|---|---|"]
    for name, found, swd, as_good in rows:
        if lost := sum(math.isinf(r.swd) for r in found):
            lines.append(f"| {name} | diverged ({lost} of {len(found)}) | | | | | {len(found)} | |")
            continue
        deviation = f" ± {statistics.stdev(r.swd for r in found):.1f}" if len(found) > 1 else ""
        bold = "**" * (as_good and spread > 0)
        levels = [f"{statistics.fmean(getattr(r, f'swd_{size}') for r in found):.1f}" for size in (96, 48, 24)]
        fid, speed = statistics.fmean(r.fid for r in found), found[0].images_per_second
        cells = [name, f"{bold}{swd:.1f}{bold}{deviation}", *levels, f"{fid:.2f}", str(len(found))]
        lines.append(f"| {' | '.join([*cells, f'{speed:.0f}' if speed else '–'])} |")
    results = read_results(grid)
    first = next((r for r in results if math.isfinite(r.swd)), results[0])
    machines = "; ".join(dict.fromkeys(f"{r.machine}, PyTorch {r.torch}" for r in results))
    timed = "; ".join(dict.fromkeys(r.timed_on for r in results if r.timed_on))
    dates = " to ".join(sorted({min(r.date for r in results), max(r.date for r in results)}))
    told = (
        f"±: deviation from seed to seed, {spread:.0%} over all rows with several. In bold: not worse than "
        f"{results[0].row!r} by more than twice the standard error of the difference. "
        if spread
        else "No row has several seeds, so every difference here may be luck: give some seeds = 3. "
    )
    return "\n".join(lines) + (
        f"\n\nSWD: sliced Wasserstein distance x 1,000 of {first.count:,} fakes from as many pictures that were not "
        f"learnt from, after {first.images:,} pictures seen; real against real {floor(results):.1f}. 96, 48 and 24: at "
        f"that many pixels a side. {told}FID: features of the {first.features or 'none'}. "
        f"Trained on {machines}; {dates}. "
        + (f"Images/s: the steps alone, in turns, on {timed}. " if timed else "")
        + f"The first row of the grid: `{first.command}`"
    )
