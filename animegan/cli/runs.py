"""The commands that look at finished runs: `sample`, `compare`, `evaluate` and so on."""

import argparse
from collections.abc import Callable
from functools import partial

from animegan.cli.parser import EPOCH, PATH, SEED, add_command, whole

# Types of --count: 10,000 faces take 1.1 GB, 50,000 are what papers measure FID with, and a grid has 64.
FACES, MANY, MEASURED, CELLS = whole(1, 10_000), whole(64, 10_000), whole(64, 50_000), whole(1, 64)
STOPS, JOBS, QUALITY = whole(2, 100), whole(1, 256), whole(30, 95)


def add_run_commands(commands) -> None:
    """Add the commands to `commands`, argparse's group of them."""

    def add(name: str, help: str) -> argparse.ArgumentParser:
        return add_command(commands, name, partial(_call, name), help)

    command = add("sample", "make new faces with a trained run")
    _add_options(command, "number of faces", 64, "sample_epoch_NNN.png", FACES)
    command.add_argument("--seed", type=SEED, default=0, help="another seed gives other faces (default 0)")

    command = add("compare", "show epochs of one run or more, row by row, from the same noise")
    command.add_argument("runs", nargs="+", type=PATH, metavar="run", help="run folder")
    command.add_argument("--epochs", type=EPOCH, nargs="+", help="epochs to show (default: the first and the last)")
    command.add_argument("--count", type=CELLS, default=24, help="faces per epoch, up to 64 (default 24)")
    command.add_argument("--out", type=PATH, help="picture to write (default: compare.png in the first run folder)")

    command = add("share", "make a copy of a run that is small enough to hand on")
    command.add_argument("run", type=PATH, help="run folder")
    command.add_argument("out", type=PATH, help="new folder for the copy: grids, history and settings, no checkpoint")
    command.add_argument("--weights", type=EPOCH, nargs="*", help="also copy netG of these epochs (default: the last)")
    command.add_argument("--quality", type=QUALITY, default=85, help="of the grids as JPEG, 30 to 95 (default 85)")

    command = add("evaluate", "measure how far each epoch's faces are from real ones")
    command.add_argument("run", type=PATH, help="run folder")
    command.add_argument("--epochs", type=EPOCH, nargs="+", help="epochs to measure (default: all that have weights)")
    command.add_argument("--reals", type=PATH, help="folder of real pictures to compare with, best unseen ones")
    command.add_argument("--count", type=MEASURED, default=2048, help="fakes per epoch, and reals (default 2048)")
    command.add_argument("--inception", type=PATH, help="Inception's weights for FID (default: the face classifier)")

    command = add("diagnose", "name the likely failure of a run, its evidence and its fix")
    command.add_argument("runs", nargs="+", type=PATH, metavar="run", help="run folder")

    command = add("coverage", "find attributes of real faces that a run makes too seldom")
    _add_options(command, "fakes, and reals, 64 or more", 1024, "coverage.png", MANY)

    command = add("neighbours", "check for copies: fakes beside the nearest training image")
    _add_options(command, "number of fakes", 512, "neighbours.png", FACES)
    command.add_argument("--by", choices=("pixels", "features"), default="pixels", help="compared (default pixels)")

    command = add("film", "make a GIF of faces that turn into others, or that develop by epoch")
    _add_options(command, "faces side by side, up to 64", 4, "walk.gif or growth.gif", CELLS)
    command.add_argument("--grow", action="store_true", help="show the grid's faces from the first epoch to --epoch")
    command.add_argument("--stops", type=STOPS, default=5, help="faces on each walk (default 5), not with --grow")
    command.add_argument("--seed", type=SEED, default=0, help="another seed, other faces (default 0), not with --grow")

    command = add("ablate", "train and measure a grid of recipes, and make a table of it")
    command.add_argument("grid", type=PATH, help="TOML file, e.g. imgs/ablation/drawn.toml; results go beside it")
    command.add_argument("--data_path", "--data-path", type=PATH, help="training images (default: as the grid says)")
    command.add_argument("--out", type=PATH, help="folder for the runs (default: imgs/<name of the grid>)")
    command.add_argument("--rows", nargs="+", help="only these rows, by name (default: all)")
    command.add_argument("--count", type=MEASURED, default=2048, help="fakes, and held-out images (default 2048)")
    command.add_argument("--jobs", type=JOBS, default=1, help="runs at a time, at most one per core (default 1)")
    command.add_argument("--table", action="store_true", help="train nothing: show the results so far")
    command.epilog = "If it is interrupted, run the same command again to continue."


def _add_options(command: argparse.ArgumentParser, counted: str, count: int, out: str, limits: Callable) -> None:
    command.add_argument("run", type=PATH, help="run folder")
    command.add_argument("--epoch", type=EPOCH, help="weights of this epoch (default: the last)")
    command.add_argument("--count", type=limits, default=count, help=f"{counted} (default {count})")
    command.add_argument("--out", type=PATH, help=f"file to write (default: {out} in the run folder)")


def _call(name: str, options: argparse.Namespace) -> None:
    from animegan.cli import run_commands  # now: it imports PyTorch, for which `animegan --help` must not wait

    getattr(run_commands, name)(options)
