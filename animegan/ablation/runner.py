"""Train and measure the runs of a sweep, described in one TOML file; resumable.

    [options]                     # what all rows share: options of `animegan train`
    epoch = 12
    ngf = 32
    hold_out = 2048

    [[row]]
    name = "whole batches"
    seeds = 3                     # the number of runs: seeds 0, 1 and 2 (default 1)
    set = { minibatch = 0 }       # and any options of this row alone

    [[row]]
    name = "whole batches, no flips"
    like = "whole batches"        # everything but seeds as in that row, which stands above this one
    set = { flips = false }

Every run is a run folder, trained by `training.train` and measured by `measure.evaluate`; the results go into one CSV
file beside the TOML file, which is all that the table needs.
"""

import functools
import math
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import torch

from animegan.ablation.parallel import run_parallel
from animegan.ablation.sweep import Result, Row, Sweep, read_all, read_results, slug, write_results
from animegan.bench import TURNS, measure_speed
from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import check_writable
from animegan.measure import COUNT, Distance, average, evaluate
from animegan.runs import NOT_COMPARED, Run
from animegan.training import device_name, pick_device, train

DIVERGED = Distance((math.inf,) * 3, math.inf)
SPEED_SECONDS = 4.0  # how long a row is timed, in turn with the others


def ablate(
    sweep: Sweep,
    out: str | Path,
    changes: dict[str, Any] | None = None,
    rows: Sequence[str] | None = None,
    count: int = COUNT,
    progress: bool = True,
    jobs: int = 1,
) -> list[Result]:
    """Train and measure all runs of a sweep that have no result yet; return all results.

    Every row gets its first seed before any gets its second, so that half a sweep can already be compared.

    out: folder for the runs, `out/<row>/<seed>`; an interrupted run resumes.
    changes: options that replace the sweep's, e.g. where the training images are.
    rows: only the rows of these names.
    jobs: how many runs at a time, in processes that share the cores: one small network does not keep a GPU busy.
    Raises UserError for a row that does not exist and for a locked folder, and KeyboardInterrupt if a run was
    interrupted (the results so far are kept).
    """
    wanted = [sweep.row(name) for name in rows] if rows else list(sweep.rows)
    say = functools.partial(print, flush=True) if progress else lambda _line: None
    check_writable(sweep.results_path)

    def config(row: Row, seed: int) -> TrainConfig:
        folder = Path(out) / slug(row.name) / str(seed)
        given = {"precision": "float32", **row.options, **(changes or {})}  # the same for all recipes
        return TrainConfig(**{**given, "seed": seed, "outf": folder})

    seeds = range(max(row.seeds for row in wanted))
    plan = [(row.name, config(row, seed)) for seed in seeds for row in wanted if seed < row.seeds]
    for name, settings in plan:  # a row that has changed is reported before any run begins
        _is_measured(sweep, name, settings)

    def still_to_run() -> Iterator[tuple]:
        """The arguments of `_run` for runs without a result. The results are read again each time, since another
        process may be working on other rows.
        """
        for name, settings in plan:
            if not _is_measured(sweep, name, settings):
                say(f"{name}, seed {settings.seed} begins")
                yield name, settings, count, progress and jobs == 1

    runs = still_to_run()
    for result in (_run(*run) for run in runs) if jobs == 1 else run_parallel(_run, runs, jobs):
        say(f"{result.row}, seed {result.seed}: {result.swd:.1f}")  # before: a full disk must not lose it
        write_results(sweep, [*read_all(sweep), result])
    untimed = {result.row for result in read_results(sweep) if not result.images_per_second}
    if configs := {row.name: config(row, 0) for row in wanted if row.name in untimed}:
        seconds = SPEED_SECONDS * TURNS * len(configs)
        say(f"timing {len(configs)} row{'s' * (len(configs) > 1)}, which takes {seconds:.0f} seconds")
        timed = {}
        for name, turns in measure_speed(configs, SPEED_SECONDS).items():
            speed = statistics.median(turns)
            say(f"{name}: {speed:.0f} images/s")
            here = _machine(device_name(pick_device(configs[name].device)))
            timed[name] = {"images_per_second": speed, "timed_on": here}
        write_results(sweep, [result._replace(**timed.get(result.row, {})) for result in read_all(sweep)])
    return read_results(sweep)


def _is_measured(sweep: Sweep, name: str, config: TrainConfig) -> bool:
    """Whether this run has a result; UserError if its row was measured with other settings."""
    for result in read_results(sweep):
        if (result.row, result.seed) == (name, config.seed):
            if result.command != (command := _command(config)):
                raise UserError(
                    f"row {name!r} was measured as `{result.command}` and is now `{command}`: give it another name, "
                    f"or, to measure it again, delete its lines from {sweep.results_path} and the folder "
                    f"{Path(config.outf).parent}."
                )
            return True
    return False


def _run(name: str, config: TrainConfig, count: int, progress: bool) -> Result:
    """Train and measure one run; KeyboardInterrupt if it was interrupted, which `train` treats as a normal end."""
    evaluation, distance, fidelity = None, DIVERGED, None
    try:
        run = train(config, resume=Run.exists(config.outf), progress=progress)
    except UserError as error:
        if not (Run.exists(config.outf) and (run := Run(config.outf)).diverged):
            raise
        print(error)  # divergence is a result like any other
    else:
        if config.epoch not in run.epochs:
            raise KeyboardInterrupt
        # With one seed: another measurement changes a figure less than another seed of the run does.
        evaluation = evaluate(run, [config.epoch], count=count, seeds=1, progress=False)
        distance, fidelity = average(evaluation.distances[config.epoch]), evaluation.fidelities.get(config.epoch)
    return Result(
        row=name, seed=config.seed, epoch=config.epoch, count=evaluation.count if evaluation else count,
        swd=distance.mean, **dict(zip(("swd_96", "swd_48", "swd_24"), distance.levels, strict=True)),
        floor=average(evaluation.floor).mean if evaluation else math.nan,
        fid=fidelity.fid if fidelity else math.nan, features=fidelity.features if fidelity else "",
        images=len(run.read_steps()) * config.batchSize,
        images_per_second=0.0, timed_on="",  # measured at the end, in turn with the other rows
        command=_command(config), machine=_machine(run.device),
        torch=torch.__version__, date=date.today().isoformat(),
    )  # fmt: skip


def _machine(device: str) -> str:
    threads = torch.get_num_threads()
    return f"{platform.system()}, {threads} thread{'s' * (threads > 1)}, {device}"


def _command(config: TrainConfig) -> str:
    """The command that trains the same, without the paths of this machine."""
    counted = [option for option in fields(config) if option.name == "epoch" or option.name not in NOT_COMPARED]
    given = [(option.name, getattr(config, option.name), option.default) for option in counted]
    words = [f"--{name} {value}" for name, value, default in given if value != default]
    words += [f"--set {n}={str(v).lower() if isinstance(v, bool) else v}" for n, v in config.changes.items()]
    return " ".join(["animegan train", *words])
