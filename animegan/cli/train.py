"""The commands that make something to learn from and learn from it: `draw` and `train`."""

import argparse
from dataclasses import fields
from pathlib import Path

from animegan.cli.runs import comparison, save_picture
from animegan.config import DRAWN_COUNT, DRAWN_FOLDER, QUICK, QUICK_COUNT, TrainConfig
from animegan.errors import UserError

# Each command imports what it needs when it runs: `animegan --help` need not wait for PyTorch.


def draw(options: argparse.Namespace) -> None:
    from animegan.drawing import write_faces

    folder = write_faces(options.folder, options.count, seed=options.seed)
    print(f"{options.count:,} drawn faces in {folder}; train on them with: animegan train --data_path {folder}")


def train(options: argparse.Namespace) -> int:
    from animegan.runs import Run
    from animegan.training import train

    given = {f.name: getattr(options, f.name) for f in fields(TrainConfig) if hasattr(options, f.name)}
    if "changes" in given:
        given["changes"] = dict(given["changes"])
    if options.draw:
        given.setdefault("data_path", DRAWN_FOLDER)
    if options.quick:
        given = {**QUICK, **given}
    outf = given.get("outf", TrainConfig.outf)
    before, done_before = {}, 0
    if options.resume:
        run = Run(outf)
        before, done_before = run.config.as_dict(), max(run.epochs, default=0)
    elif "data_path" not in given:
        _one_set(Path(TrainConfig.data_path))
    config = TrainConfig.from_dict({**before, **given})
    if options.draw:
        from animegan.drawing import drawn_set, write_faces

        count = QUICK_COUNT if options.quick else DRAWN_COUNT
        write_faces(config.data_path, **{"count": count, "seed": 0, **drawn_set(config.data_path)})
    run = train(config, resume=options.resume)
    if not run.epochs or run.epochs[-1] < config.epoch:
        print(f"stopped; everything is kept in {run.path}. Go on with: animegan train --resume --outf {run.path}")
        return 130
    if done_before >= config.epoch:
        print(f"{run.path} has {done_before} epochs already: nothing was trained; a larger --epoch goes on")
    picture, first, last = run.output("compare"), run.epochs[0], run.epochs[-1]
    save_picture(comparison([run], [first, last]), picture)
    print(f"epoch {first} beside epoch {last}: {picture}" if first < last else f"faces of epoch {last}: {picture}")
    return 0


def _one_set(data: Path) -> None:
    """Raise UserError where `data` holds several data sets: the default must not mix them unasked."""
    folders = [path for path in data.iterdir() if path.is_dir() and path.name[0] != "."] if data.is_dir() else []
    sets = sorted(path.name for path in folders if any(child.name[0] != "." for child in path.iterdir()))
    if len(sets) > 1:
        raise UserError(
            f"{data} holds {', '.join(sets[:5])}{' and more' * (len(sets) > 5)}: name one with --data_path "
            f"{data / sets[0]}, or all of them together with --data_path {data}."
        )


def ingredient(text: str) -> tuple[str, bool | float | str]:
    """`ema=0.99` -> ("ema", 0.99), `minibatch=16` -> ("minibatch", 16), and so on for true, false and words."""
    name, _, value = text.partition("=")
    if not value:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE, e.g. ema=0.99 or flips=true")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
