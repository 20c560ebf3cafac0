"""Which ingredient earns its place: a grid of runs from one TOML file, resumable, and the table that it gives.

    [options]                     # what all rows share: options of `animegan train`
    epoch = 12
    ngf = 32
    hold_out = 2048

    [[row]]
    name = "stable without flips"
    seeds = 3                     # how many runs: seeds 0, 1 and 2 (default 1)
    set = { flips = false }       # and any options of this row's own

Every run is a run folder, trained by `training.train` and measured by `measure.evaluate`; what was measured goes
into one CSV file beside the grid, which is all that the table needs.
"""

from __future__ import annotations

import math
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import torch

from animegan.ablation.grid import Result, Row, Sweep, read_all, read_results, slug, write_results
from animegan.ablation.parallel import run_parallel
from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.gan import GAN
from animegan.measure import COUNT, Distance, average, evaluate
from animegan.runs import Run
from animegan.training import device_name, pick_device, train

DIVERGED = Distance((math.inf,) * 3, math.inf)
SPEED_SECONDS, SPEED_TURNS = 4.0, 3  # a row is timed so long, and so often, in turns with the others


def ablate(
    grid: Sweep,
    out: str | Path,
    changes: dict[str, Any] | None = None,
    rows: Sequence[str] | None = None,
    count: int = COUNT,
    progress: bool = True,
    jobs: int = 1,
) -> list[Result]:
    """Train and measure all runs of a grid that are not in its results yet; return all results.

    Every row is run once before any is run again with its next seed, so that a grid half done can be read.

    out: folder for the runs, `out/<row>/<seed>`; a run that was stopped is gone on with.
    changes: options that take the place of the grid's, e.g. where the pictures are.
    rows: the names of some rows only.
    jobs: so many runs at a time, in processes of their own that share the cores: small networks leave a GPU idle.
    Raises UserError for a row that is not there and for less than one job, and KeyboardInterrupt where a run was
    stopped (what was measured is kept).
    """
    if jobs < 1:
        raise UserError(f"--jobs {jobs} is too few: give 1 or more.")
    wanted = [grid.row(name) for name in rows] if rows else list(grid.rows)
    for row in wanted:  # what has changed is told before anything begins
        for seed in range(row.seeds):
            _is_known(grid, row, seed, Path(out), changes or {})
    runs = _still_to_run(grid, wanted, Path(out), changes or {}, count, progress, jobs)
    for found in (_run(*run) for run in runs) if jobs == 1 else run_parallel(_run, runs, jobs):
        if progress and jobs > 1:
            print(f"{found.row}, seed {found.seed}: {found.swd:.1f}", flush=True)
        write_results(grid, [*read_all(grid), found])
    missing = [row for row in wanted if any(r.row == row.name and not r.images_per_second for r in read_results(grid))]
    if missing:
        configs = {row.name: _config(row, 0, Path(out), changes or {}) for row in missing}
        if progress:
            seconds = SPEED_SECONDS * SPEED_TURNS * len(configs)
            print(f"timing {len(configs)} row{'s' * (len(configs) > 1)}, which takes {seconds:.0f} seconds", flush=True)
        speeds = measure_speed(configs)
        here = {name: _machine(device_name(pick_device(config.device))) for name, config in configs.items()}
        timed = [
            r._replace(images_per_second=speeds[r.row], timed_on=here[r.row]) if r.row in speeds else r
            for r in read_all(grid)
        ]
        write_results(grid, timed)
    return read_results(grid)


def _still_to_run(
    grid: Sweep, rows: Sequence[Row], out: Path, changes: dict, count: int, progress: bool, jobs: int
) -> Iterator[tuple]:
    """The arguments of `_run` for what is not in the results, which are read again each time: another process may have
    been at work on other rows.
    """
    for seed in range(max(row.seeds for row in rows)):
        for row in rows:
            if seed < row.seeds and not _is_known(grid, row, seed, out, changes):
                if progress:
                    print(f"{row.name}, seed {seed}" + (" begins" if jobs > 1 else ""), flush=True)
                yield row, seed, out, changes, count, progress and jobs == 1


def measure_speed(configs: dict[str, TrainConfig]) -> dict[str, float]:
    """Training steps only, in images a second, by name: the median of turns, so that a busy moment hits all alike."""
    games = {name: GAN(config, pick_device(config.device)) for name, config in configs.items()}
    found = {name: [] for name in games}
    for _ in range(SPEED_TURNS):
        for name, game in games.items():
            size = configs[name].batchSize
            real = torch.rand(size, 3, 96, 96, generator=torch.Generator().manual_seed(0)).to(game.device) * 2 - 1
            game.step(real).tolist()
            started, steps = time.perf_counter(), 0
            while (seconds := time.perf_counter() - started) < SPEED_SECONDS or not steps:
                game.step(real).tolist()  # to the CPU, which waits for the device
                steps += 1
            found[name].append(size * steps / seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def _is_known(grid: Sweep, row: Row, seed: int, out: Path, changes: dict) -> bool:
    """Whether this run was measured; UserError where another one was, under its name."""
    for found in read_results(grid):
        if (found.row, found.seed) == (row.name, seed):
            if found.command != (asked := _command(_config(row, seed, out, changes))):
                raise UserError(
                    f"row {row.name!r} was measured as `{found.command}` and is `{asked}` now: give it another name, "
                    f"or, to measure it anew, delete its lines from {grid.results_path} and the folder "
                    f"{out / slug(row.name)}."
                )
            return True
    return False


def _run(row: Row, seed: int, out: Path, changes: dict, count: int, progress: bool) -> Result:
    """Train and measure one run; KeyboardInterrupt where it was stopped, which `train` takes for an ordinary end."""
    config = _config(row, seed, out, changes)
    found, distance, fidelity = None, DIVERGED, None
    try:
        run = train(config, resume=Run.exists(config.outf), progress=progress)
    except UserError as error:
        if not (Run.exists(config.outf) and (run := Run(config.outf)).diverged):
            raise
        print(error)  # a finding like any other
    else:
        if config.epoch not in run.epochs:
            raise KeyboardInterrupt
        # Measured once: another measurement moves a figure less than another seed of the run does.
        found = evaluate(run, [config.epoch], count=count, seeds=1, progress=False)
        distance, fidelity = average(found.distances[config.epoch]), found.fidelities.get(config.epoch)
    return Result(
        row=row.name,
        seed=seed,
        epoch=config.epoch,
        count=found.count if found else count,
        swd=distance.mean,
        **dict(zip(("swd_96", "swd_48", "swd_24"), distance.levels, strict=True)),
        floor=average(found.floor).mean if found else math.nan,
        fid=fidelity.fid if fidelity else math.nan,
        features=fidelity.features if fidelity else "",
        images=len(run.read_steps()) * config.batchSize,
        images_per_second=0.0,  # is measured at the end, in turns with the other rows
        timed_on="",
        command=_command(config),
        machine=_machine(run.device),
        torch=torch.__version__,
        date=date.today().isoformat(),
    )


def _machine(device: str) -> str:
    threads = torch.get_num_threads()
    return f"{platform.system()}, {threads} thread{'s' * (threads > 1)}, {device}"


def _command(config: TrainConfig) -> str:
    """The command that trains the same, without the paths of this machine."""
    words = ["animegan train"]
    for option in fields(TrainConfig):
        value = getattr(config, option.name)
        if option.name == "changes":
            words += [f"--set {name}={str(v).lower() if isinstance(v, bool) else v}" for name, v in value.items()]
        elif option.name not in ("data_path", "outf", "device") and value != option.default:
            words.append(f"--{option.name} {value}")
    return " ".join(words)


def _config(row: Row, seed: int, out: Path, changes: dict) -> TrainConfig:
    return TrainConfig(**{**row.options, **changes, "seed": seed, "outf": out / slug(row.name) / str(seed)})
