"""The commands that look at finished runs: `sample`, `compare`, `evaluate` and so on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from animegan.cli.parser import EPOCH, PATH, SEED, add_command, whole

# Types of --count: 10,000 faces take 1.1 GB, 50,000 are what papers measure FID with, and a grid has 64.
FACES, MANY, MEASURED, CELLS = whole(1, 10_000), whole(64, 10_000), whole(64, 50_000), whole(1, 64)
STOPS, JOBS = whole(2, 100), whole(1, 256)


def add_run_commands(commands) -> None:
    """Add the commands to `commands`, argparse's group of them."""
    command = add_command(commands, "sample", sample, "make new faces with a trained run")
    _add_options(command, "number of faces", 64, "sample_epoch_NNN.png", FACES)
    command.add_argument("--seed", type=SEED, default=0, help="another seed gives other faces (default 0)")

    command = add_command(
        commands, "compare", compare, "show epochs of one run or more, row by row, from the same noise"
    )
    command.add_argument("runs", nargs="+", type=PATH, metavar="run", help="run folder")
    command.add_argument("--epochs", type=EPOCH, nargs="+", help="epochs to show (default: the first and the last)")
    command.add_argument("--count", type=CELLS, default=24, help="faces per epoch, up to 64 (default 24)")
    command.add_argument("--out", type=PATH, help="picture to write (default: compare.png in the first run folder)")

    command = add_command(commands, "share", share, "make a copy of a run that is small enough to hand on")
    command.add_argument("run", type=PATH, help="run folder")
    command.add_argument("out", type=PATH, help="new folder for the copy: grids, history and settings, no checkpoint")
    command.add_argument("--weights", type=EPOCH, nargs="*", help="also copy netG of these epochs (default: the last)")

    command = add_command(commands, "evaluate", evaluate, "measure how far each epoch's faces are from real ones")
    command.add_argument("run", type=PATH, help="run folder")
    command.add_argument("--epochs", type=EPOCH, nargs="+", help="epochs to measure (default: all that have weights)")
    command.add_argument("--reals", type=PATH, help="folder of real pictures to compare with, best unseen ones")
    command.add_argument("--count", type=MEASURED, default=2048, help="fakes per epoch, and reals (default 2048)")
    command.add_argument("--inception", type=PATH, help="Inception's weights for FID (default: the face classifier)")

    command = add_command(commands, "diagnose", diagnose, "name the likely failure of a run, its evidence and its fix")
    command.add_argument("runs", nargs="+", type=PATH, metavar="run", help="run folder")

    command = add_command(commands, "coverage", coverage, "find attributes of real faces that a run makes too seldom")
    _add_options(command, "fakes, and reals, 64 or more", 1024, "coverage.png", MANY)

    command = add_command(
        commands, "neighbours", neighbours, "check for copies: fakes beside the nearest training image"
    )
    _add_options(command, "number of fakes", 512, "neighbours.png", FACES)
    command.add_argument(
        "--by", choices=("pixels", "features"), default="pixels", help="what is compared (default pixels)"
    )

    command = add_command(commands, "film", film, "make a GIF of faces that turn into others, or that develop by epoch")
    _add_options(command, "faces side by side, up to 64", 4, "walk.gif or growth.gif", CELLS)
    command.add_argument("--grow", action="store_true", help="show the grid's faces from the first epoch to --epoch")
    command.add_argument("--stops", type=STOPS, default=5, help="faces on each walk (default 5), not with --grow")
    command.add_argument("--seed", type=SEED, default=0, help="another seed, other faces (default 0), not with --grow")

    command = add_command(commands, "ablate", ablate, "train and measure a grid of recipes, and make a table of it")
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


# Each command imports what it needs when it runs.


def sample(options: argparse.Namespace) -> None:
    from animegan.files import write_picture
    from animegan.grids import grid_picture

    run, epoch, faces = _generate(options, options.seed)
    out = Path(options.out or run.output("sample", epoch=epoch))
    write_picture(out, grid_picture(faces, columns=round(options.count**0.5)))
    print(f"{options.count} new faces of epoch {epoch}: {out}")


def compare(options: argparse.Namespace) -> None:
    from animegan.files import write_picture
    from animegan.runs import Run
    from animegan.show import compare_epochs

    runs = [Run(path) for path in options.runs]
    epochs = sorted(set(options.epochs or [1, min(max(run.epochs, default=1) for run in runs)]))
    out = Path(options.out or runs[0].output("compare"))
    write_picture(out, compare_epochs(runs, epochs, options.count))
    print(f"epochs {', '.join(map(str, epochs))}: {out}")


def share(options: argparse.Namespace) -> None:
    from animegan.runs import Run
    from animegan.text import ranges

    run = Run(options.run)
    epochs = options.weights if options.weights is not None else [max(run.with_weights, default=1)]
    copy = run.share(options.out, epochs)
    size = sum(path.stat().st_size for path in copy.path.iterdir())
    networks = f"netG of epoch{'s' * (len(epochs) > 1)} {ranges(epochs)}" if epochs else "no weights"
    print(f"grids of epochs {ranges(copy.epochs)}, history, {networks}: {copy.path} ({size / 1e6:.1f} MB)")


def evaluate(options: argparse.Namespace) -> None:
    from animegan.measure import evaluate
    from animegan.runs import Run

    run = Run(options.run)
    found = evaluate(run, options.epochs, options.reals, options.count, options.inception)
    print(found)
    print(f"\nepoch by epoch, seed by seed: {run.output('metrics')}")
    _draw("plot_evaluation", found, run.output("metrics picture"))


def diagnose(options: argparse.Namespace) -> None:
    from animegan.measure import diagnose
    from animegan.runs import Run

    for number, path in enumerate(options.runs):
        print(f"\n{diagnose(Run(path))}" if number else diagnose(Run(path)))


def coverage(options: argparse.Namespace) -> None:
    from animegan.data import to_uint8
    from animegan.measure import coverage, reference_images

    run, epoch, fakes = _generate(options)
    found = coverage(to_uint8(fakes), reference_images(run).training, options.count)
    print(f"epoch {epoch}: {found}")
    _draw("plot_coverage", found, Path(options.out or run.output("coverage")))


def neighbours(options: argparse.Namespace) -> None:
    from animegan.data import to_uint8
    from animegan.files import write_picture
    from animegan.measure import neighbours, reference_images
    from animegan.show import neighbours_picture

    run, epoch, fakes = _generate(options)
    fakes, real = to_uint8(fakes), reference_images(run)
    found = neighbours(fakes, real.training, real.unseen, options.by, real.explanation)
    print(f"epoch {epoch}: {found}")
    out = Path(options.out or run.output("neighbours"))
    write_picture(out, neighbours_picture(fakes, real.training, found))
    print(f"the nearest ones as a picture: {out}")


def _generate(options: argparse.Namespace, seed: int = 0) -> tuple:
    """The run, the epoch of `_chosen_epoch`, and new faces of it, [count, 3, 96, 96] in [-1, 1]."""
    from animegan.models import latent_vectors
    from animegan.runs import Run

    run = Run(options.run)
    epoch = _chosen_epoch(options, run.with_weights)
    return run, epoch, run.generate(epoch, latent_vectors(options.count, run.config.nz, seed))


def _chosen_epoch(options: argparse.Namespace, epochs: list[int]) -> int:
    """--epoch, else the last one; if there is none, epoch 1, so that the usual message (no such file) appears."""
    return options.epoch if options.epoch is not None else max(epochs, default=1)


def film(options: argparse.Namespace) -> None:
    from animegan.models import latent_vectors
    from animegan.runs import Run
    from animegan.show import growth, walk
    from animegan.text import ranges

    run = Run(options.run)
    last = _chosen_epoch(options, run.epochs if options.grow else run.with_weights)
    out = Path(options.out or run.output("growth" if options.grow else "walk"))
    if options.grow:
        epochs = [*(epoch for epoch in run.epochs if epoch < last), last]
        gif, content = growth(run, range(options.count), epochs), f"epochs {ranges(epochs)}"
    else:
        z = latent_vectors(options.stops * options.count, run.config.nz, options.seed)
        gif = walk(run.generator(last), z.view(options.stops, options.count, -1, 1, 1))
        content = f"a walk through {options.stops} faces of epoch {last}"
    print(f"{content}: {gif.save(out)} ({out.stat().st_size / 1e6:.1f} MB)")


def ablate(options: argparse.Namespace) -> None:
    from animegan.ablation import Sweep, ablate, table

    grid = Sweep.read(options.grid)
    if not options.table:
        given = {"data_path": options.data_path} if options.data_path else {}
        out = options.out or Path("imgs") / grid.path.stem
        try:
            ablate(grid, out, given, options.rows, options.count, jobs=options.jobs)
        except KeyboardInterrupt:
            print(f"interrupted; the results so far are in {grid.results_path}. Run the same command again to continue")
            raise
    print(table(grid))
    _draw("plot_standings", grid, grid.path.with_suffix(".png"))


def _draw(plot: str, results, out: Path) -> None:
    """Write the picture that a function of animegan.show makes of results, or say why there is none."""
    from animegan.files import write_picture

    try:
        from animegan import show

        picture = getattr(show, plot)(results)
    except ModuleNotFoundError as error:  # on a bare GPU machine
        print(f"\nno picture of it: {error.name} is not installed")
        return
    write_picture(out, picture)
    print(f"\nthe same as a picture: {out}")
