"""Commands that look at what a run has left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from animegan.errors import UserError


def add_run_commands(commands, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to `commands`, argparse's group of them. add: makes a command of its name, function and help."""
    command = add(commands, "diagnose", diagnose, "name the likely failure of a run, with its evidence and its cure")
    command.add_argument("runs", nargs="+", metavar="run", help="run folder")

    command = add(commands, "film", film, "a GIF: faces that change into others, or that grow up epoch by epoch")
    command.add_argument("run", help="run folder")
    command.add_argument("--grow", action="store_true", help="the faces of the grid from the first epoch to the last")
    command.add_argument("--epoch", type=int, help="weights of this epoch; with --grow, the last one shown")
    command.add_argument("--count", type=int, default=4, help="faces side by side, up to 64 (default 4)")
    command.add_argument("--stops", type=int, default=5, help="faces that each one passes (default 5), not with --grow")
    command.add_argument("--seed", type=int, default=0, help="other seed, other faces (default 0), not with --grow")
    command.add_argument("--out", help="file to write, .gif (default: walk.gif or growth.gif in the run folder)")


# Each command imports what it needs when it runs.


def diagnose(options: argparse.Namespace) -> None:
    from animegan.diagnosis import diagnose
    from animegan.runs import Run

    for path in options.runs:
        print(diagnose(Run(path)))


def film(options: argparse.Namespace) -> None:
    from animegan._report import ranges
    from animegan.films import growth, walk
    from animegan.latent import latent_vectors
    from animegan.runs import FACES_IN_GRID, Run

    run = Run(options.run)
    if not 1 <= options.count <= FACES_IN_GRID:
        raise UserError(f"--count {options.count} is out of range: give 1 to {FACES_IN_GRID} faces.")
    if options.stops < 2:
        raise UserError(f"--stops {options.stops} is too few: a walk takes 2 or more.")
    last = options.epoch if options.epoch is not None else max(run.epochs, default=1)
    out = Path(options.out or run.path / ("growth.gif" if options.grow else "walk.gif"))
    if options.grow:
        epochs = [*(epoch for epoch in run.epochs if epoch < last), last]
        made, told = growth(run, range(options.count), epochs), f"epochs {ranges(epochs)}"
    else:
        z = latent_vectors(options.stops * options.count, run.config.nz, options.seed)
        made = walk(run.generator(last), z.view(options.stops, options.count, -1, 1, 1))
        told = f"a walk through {options.stops} faces of epoch {last}"
    print(f"{told}: {made.save(out)} ({out.stat().st_size / 1e6:.1f} MB)")
