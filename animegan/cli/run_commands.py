"""What the commands that look at finished runs do: one function for each."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from animegan import ablation, measure, models, show
from animegan.data import to_uint8
from animegan.files import write_picture
from animegan.grids import grid_picture
from animegan.runs import Run
from animegan.text import printable, ranges


def sample(options: argparse.Namespace) -> None:
    run, epoch, faces = _generate(options, options.seed)
    out = Path(options.out or run.output("sample", epoch=epoch))
    write_picture(out, grid_picture(faces, columns=round(options.count**0.5)))
    print(printable(f"{options.count} new faces of epoch {epoch}: {out}"))


def compare(options: argparse.Namespace) -> None:
    runs = [Run(path) for path in options.runs]
    epochs = sorted(set(options.epochs or [1, min(max(run.epochs, default=1) for run in runs)]))
    out = Path(options.out or runs[0].output("compare"))
    write_picture(out, show.compare_epochs(runs, epochs, options.count))
    print(printable(f"epochs {', '.join(map(str, epochs))}: {out}"))


def share(options: argparse.Namespace) -> None:
    run = Run(options.run)
    epochs = options.weights if options.weights is not None else [max(run.with_weights, default=1)]
    copy = run.share(options.out, epochs, options.quality)
    size = sum(path.stat().st_size for path in copy.path.iterdir())
    networks = f"netG of epoch{'s' * (len(epochs) > 1)} {ranges(epochs)}" if epochs else "no weights"
    print(f"grids of epochs {ranges(copy.epochs)}, history, {networks}: {printable(copy.path)} ({size / 1e6:.1f} MB)")


def evaluate(options: argparse.Namespace) -> None:
    run = Run(options.run)
    found = measure.evaluate(run, options.epochs, options.reals, options.count, options.inception)
    print(f"\nepoch by epoch, seed by seed: {printable(run.output('metrics'))}")
    _draw(show.plot_evaluation, found, run.output("metrics picture"))


def diagnose(options: argparse.Namespace) -> None:
    for number, path in enumerate(options.runs):
        print(f"\n{measure.diagnose(Run(path))}" if number else measure.diagnose(Run(path)))


def coverage(options: argparse.Namespace) -> None:
    run, epoch, fakes = _generate(options)
    found = measure.coverage(to_uint8(fakes), measure.reference_images(run).training, options.count)
    print(f"epoch {epoch}: {found}")
    _draw(show.plot_coverage, found, Path(options.out or run.output("coverage")))


def neighbours(options: argparse.Namespace) -> None:
    run, epoch, fakes = _generate(options)
    fakes, real = to_uint8(fakes), measure.reference_images(run)
    found = measure.neighbours(fakes, real.training, real.unseen, options.by, real.explanation)
    print(f"epoch {epoch}: {found}")
    out = Path(options.out or run.output("neighbours"))
    write_picture(out, show.neighbours_picture(fakes, real.training, found))
    print(f"the nearest ones as a picture: {printable(out)}")


def _generate(options: argparse.Namespace, seed: int = 0) -> tuple:
    """The run, the epoch, and new faces of it, [count, 3, 96, 96] in [-1, 1]."""
    run = Run(options.run)
    epoch = options.epoch or max(run.with_weights, default=1)  # without weights: no netG_001.pth, as usual
    return run, epoch, run.generate(epoch, models.latent_vectors(options.count, run.config.nz, seed))


def film(options: argparse.Namespace) -> None:
    run = Run(options.run)
    last = options.epoch or max(run.epochs if options.grow else run.with_weights, default=1)
    out = Path(options.out or run.output("growth" if options.grow else "walk"))
    if options.grow:
        epochs = [*(epoch for epoch in run.epochs if epoch < last), last]
        gif, content = show.growth(run, range(options.count), epochs), f"epochs {ranges(epochs)}"
    else:
        z = models.latent_vectors(options.stops * options.count, run.config.nz, options.seed)
        gif = show.walk(run.generator(last), z.view(options.stops, options.count, -1, 1, 1))
        content = f"a walk through {options.stops} faces of epoch {last}"
    print(printable(f"{content}: {gif.save(out)} ({out.stat().st_size / 1e6:.1f} MB)"))


def ablate(options: argparse.Namespace) -> None:
    grid = ablation.Sweep.read(options.grid)
    if not options.table:
        given = {"data_path": options.data_path} if options.data_path else {}
        out = options.out or Path("imgs") / grid.path.stem
        try:
            ablation.ablate(grid, out, given, options.rows, options.count, jobs=options.jobs)
        except KeyboardInterrupt:
            print(f"interrupted; the results so far are in {grid.results_path}. Run the same command again to continue")
            raise
    print(ablation.table(grid))
    _draw(show.plot_standings, grid, grid.path.with_suffix(".png"))


def _draw(plot: Callable, results: Any, out: Path) -> None:
    """Write the picture that `plot` makes of results, or say why there is none."""
    try:
        picture = plot(results)
    except ModuleNotFoundError as error:  # on a bare GPU machine
        print(f"\nno picture of it: {error.name} is not installed")
        return
    write_picture(out, picture)
    print(f"\nthe same as a picture: {printable(out)}")
