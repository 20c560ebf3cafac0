"""Commands that look at what a run has left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from animegan.errors import UserError


def add_run_commands(commands, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to `commands`, argparse's group of them. add: makes a command of its name, function and help."""
    command = add(commands, "evaluate", evaluate, "measure how far each epoch's faces are from real ones")
    command.add_argument("run", help="run folder")
    command.add_argument("--epochs", type=int, nargs="+", help="which (default: all whose weights are there)")
    command.add_argument("--reals", help="folder of real pictures to measure with, best such as it has not learnt from")
    command.add_argument("--count", type=int, default=2048, help="fakes an epoch, and reals (default 2048)")
    command.add_argument("--inception", help="file of Inception's weights for FID (default: the face classifier)")

    command = add(commands, "diagnose", diagnose, "name the likely failure of a run, with its evidence and its cure")
    command.add_argument("runs", nargs="+", metavar="run", help="run folder")

    command = add(commands, "coverage", coverage, "which attributes of the real faces a run makes too seldom or never")
    _add_fakes(command, "faces an epoch and reals, 64 or more", 1024)
    command.add_argument("--out", help="picture to write (default: coverage.png in the run folder)")

    command = add(commands, "neighbours", neighbours, "whether a run copies: fakes beside the nearest face learnt from")
    _add_fakes(command, "how many fakes", 512)
    command.add_argument("--by", choices=("pixels", "features"), default="pixels", help="what is near (default pixels)")
    command.add_argument("--out", help="picture to write (default: neighbours.png in the run folder)")

    command = add(commands, "film", film, "a GIF: faces that change into others, or that grow up epoch by epoch")
    command.add_argument("run", help="run folder")
    command.add_argument("--grow", action="store_true", help="the faces of the grid from the first epoch to the last")
    command.add_argument("--epoch", type=int, help="weights of this epoch; with --grow, the last one shown")
    command.add_argument("--count", type=int, default=4, help="faces side by side, up to 64 (default 4)")
    command.add_argument("--stops", type=int, default=5, help="faces that each one passes (default 5), not with --grow")
    command.add_argument("--seed", type=int, default=0, help="other seed, other faces (default 0), not with --grow")
    command.add_argument("--out", help="file to write, .gif (default: walk.gif or growth.gif in the run folder)")

    command = add(commands, "ablate", ablate, "train and measure a grid of recipes, and make a table of it")
    command.add_argument(
        "grid",
        help="a TOML file such as imgs/ablation/drawn.toml; what is measured goes beside it, as .csv and .png, "
        "and a grid that was stopped goes on",
    )
    command.add_argument("--data_path", "--data-path", help="folder with the pictures (default: what the grid says)")
    command.add_argument("--out", help="folder for the runs (default: imgs/<name of the grid>)")
    command.add_argument("--rows", nargs="+", help="only these rows, by name (default: all)")
    command.add_argument(
        "--count", type=int, default=2048, help="fakes a run, and as many of the pictures held out (default 2048)"
    )
    command.add_argument(
        "--jobs", type=int, default=1, help="runs at a time; on a GPU, as many as there are cores (default 1)"
    )
    command.add_argument("--table", action="store_true", help="train nothing: table and picture of what was measured")


def _add_fakes(command: argparse.ArgumentParser, counted: str, count: int) -> None:
    command.add_argument("run", help="run folder")
    command.add_argument("--epoch", type=int, help="weights of this epoch (default: the last)")
    command.add_argument("--count", type=int, default=count, help=f"{counted} (default {count})")


# Each command imports what it needs when it runs.


def evaluate(options: argparse.Namespace) -> None:
    from animegan.measure import TABLE, evaluate
    from animegan.runs import Run

    run = Run(options.run)
    found = evaluate(run, options.epochs, options.reals, options.count, options.inception)
    print(found)
    print(f"\nepoch by epoch, seed by seed: {run.path / TABLE}")
    _draw("plot_evaluation", found, run.output("metrics picture"))


def diagnose(options: argparse.Namespace) -> None:
    from animegan.measure import diagnose
    from animegan.runs import Run

    for number, path in enumerate(options.runs):
        print(f"\n{diagnose(Run(path))}" if number else diagnose(Run(path)))


def coverage(options: argparse.Namespace) -> None:
    import torch

    from animegan.measure import coverage, learnt_and_unseen

    run, epoch, fakes = _fakes(options, least=64)
    learnt, *_ = learnt_and_unseen(run)
    some = torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))[: options.count]
    found = coverage(fakes, learnt[some.numpy()])
    seldom = sorted((share for share in found if share.seldom), key=lambda share: share.fake - share.real)
    print(f"{len(fakes):,} fakes of epoch {epoch} beside {len(some):,} of the faces that it learnt from")
    print(f"read by the face classifier: {len(seldom)} of {len(found)} values are made too seldom")
    if seldom:
        print(f"\n{'attribute':12} {'value':14} {'in reals':>8} {'in fakes':>8}")
    for share in seldom:
        print(f"{share.attribute:12} {share.value:14} {share.real:8.1%} {share.fake:8.1%}")
    _draw("plot_coverage", found, Path(options.out or run.output("coverage")))


def neighbours(options: argparse.Namespace) -> None:
    import torch

    from animegan.files import write_picture
    from animegan.measure import LEARNT, learnt_and_unseen, neighbours
    from animegan.show import neighbours_picture

    run, epoch, fakes = _fakes(options, least=1)
    learnt, others, told = learnt_and_unseen(run)
    found = neighbours(fakes, learnt, others, options.by)
    print(f"distance in {options.by} from the nearest of {len(learnt):,} faces it learnt from, mirrored or not\n")
    print(f"{'':12} {'how many':>8} {'smallest':>8} {'1 in 100':>8} {'median':>8}")
    for name, distances in (("fakes", found.distances), ("other reals", found.usual)):
        figures = distances.quantile(torch.tensor([0, 0.01, 0.5])).tolist()
        print(f"{name:12} {len(distances):8,} " + " ".join(f"{figure:8.1f}" for figure in figures))
    seen = ": half of them, as no others are known; copies of this half are not found" if told == LEARNT else ""
    print(f"\nother reals are {told}{seen}")
    print(f"copies, nearer than 99 of 100 other reals: {found.copies:.1%} of the fakes of epoch {epoch}")
    out = Path(options.out or run.output("neighbours"))
    write_picture(out, neighbours_picture(fakes, learnt, found))
    print(f"the nearest ones as a picture: {out}")


def _fakes(options: argparse.Namespace, least: int) -> tuple:
    """The run, the epoch that was asked for or else the last, and new faces of it, uint8 [count, 3, 96, 96]."""
    from animegan.data import to_uint8
    from animegan.models import latent_vectors
    from animegan.runs import Run

    if options.count < least:
        raise UserError(f"--count {options.count} is too small: give {least} or more.")
    run = Run(options.run)
    epoch = epoch_asked_for(options, run.with_weights)
    return run, epoch, to_uint8(run.generate(epoch, latent_vectors(options.count, run.config.nz, seed=0)))


def epoch_asked_for(options: argparse.Namespace, epochs: list[int]) -> int:
    """--epoch, or without it the last one there is; where there is none, epoch 1, whose file then is missing."""
    return options.epoch if options.epoch is not None else max(epochs, default=1)


def film(options: argparse.Namespace) -> None:
    from animegan.grids import FACES_IN_GRID
    from animegan.models import latent_vectors
    from animegan.runs import Run
    from animegan.show import growth, walk
    from animegan.text import ranges

    run = Run(options.run)
    if not 1 <= options.count <= FACES_IN_GRID:
        raise UserError(f"--count {options.count} is out of range: give 1 to {FACES_IN_GRID} faces.")
    if options.stops < 2:
        raise UserError(f"--stops {options.stops} is too few: a walk takes 2 or more.")
    last = epoch_asked_for(options, run.epochs if options.grow else run.with_weights)
    out = Path(options.out or run.output("growth" if options.grow else "walk"))
    if options.grow:
        epochs = [*(epoch for epoch in run.epochs if epoch < last), last]
        made, told = growth(run, range(options.count), epochs), f"epochs {ranges(epochs)}"
    else:
        z = latent_vectors(options.stops * options.count, run.config.nz, options.seed)
        made = walk(run.generator(last), z.view(options.stops, options.count, -1, 1, 1))
        told = f"a walk through {options.stops} faces of epoch {last}"
    print(f"{told}: {made.save(out)} ({out.stat().st_size / 1e6:.1f} MB)")


def ablate(options: argparse.Namespace) -> None:
    from animegan.ablation import Sweep, ablate, table

    grid = Sweep.read(options.grid)
    if not options.table:
        given = {"data_path": options.data_path} if options.data_path else {}
        out = options.out or Path("imgs") / grid.path.stem
        try:
            ablate(grid, out, given, options.rows, options.count, jobs=options.jobs)
        except KeyboardInterrupt:
            print(f"stopped; what was measured is in {grid.results_path}, and the same command goes on")
            raise
    print(table(grid))
    _draw("plot_standings", grid, grid.path.with_suffix(".png"))


def _draw(plot: str, measured, out: Path) -> None:
    """Write what a function of animegan.show makes of what was measured, or say that it cannot be drawn here."""
    from animegan.files import write_picture

    try:
        from animegan import show

        picture = getattr(show, plot)(measured)
    except ModuleNotFoundError as error:  # on a bare GPU machine
        print(f"\nno picture of it: {error.name} is not installed")
        return
    write_picture(out, picture)
    print(f"\nthe same as a picture: {out}")


def sample(options: argparse.Namespace) -> None:
    from animegan.grids import grid_picture
    from animegan.models import latent_vectors
    from animegan.runs import Run

    run = Run(options.run)
    if options.count < 1:
        raise UserError(f"--count {options.count} is too small; give 1 or more.")
    epoch = epoch_asked_for(options, run.with_weights)
    z = latent_vectors(options.count, run.config.nz, options.seed)
    out = Path(options.out or run.output("sample", epoch=epoch))
    columns = max(1, round(options.count**0.5))
    save_picture(grid_picture(run.generate(epoch, z), columns), out)
    print(f"{options.count} new faces of epoch {epoch}: {out}")


def compare(options: argparse.Namespace) -> None:
    from animegan.runs import Run

    runs = [Run(path) for path in options.runs]
    epochs = sorted(set(options.epochs or [1, min(max(run.epochs, default=1) for run in runs)]))
    out = Path(options.out or runs[0].output("compare"))
    save_picture(comparison(runs, epochs, options.count), out)
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


def comparison(runs: list, epochs: list[int], count: int = 24):
    from animegan.show import compare_epochs

    return compare_epochs(runs, list(dict.fromkeys(epochs)), count)


def save_picture(picture, path: Path) -> None:
    from animegan.files import write_picture

    write_picture(path, picture)
