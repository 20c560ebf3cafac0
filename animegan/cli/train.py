"""The commands that make training images and train on them: `draw` and `train`."""

import argparse
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from animegan.cli.parser import add_command
from animegan.config import DRAWN_COUNT, DRAWN_FOLDER, QUICK, QUICK_COUNT, TrainConfig
from animegan.errors import UserError
from animegan.text import printable


def add_train_commands(commands) -> None:
    """Add the commands to `commands`, argparse's group of them."""
    command = add_command(commands, "draw", draw, "draw a dataset of anime faces")
    command.add_argument("folder", nargs="?", default=DRAWN_FOLDER, help=f"where to (default {DRAWN_FOLDER})")
    command.add_argument("--count", type=int, default=DRAWN_COUNT, help=f"number of faces (default {DRAWN_COUNT})")
    command.add_argument("--seed", type=int, default=0, help="the same seed draws the same faces (default 0)")

    command = add_command(commands, "train", train, "train NetG and NetD on a folder of faces")
    for option in fields(TrainConfig):
        if option.name == "changes":
            continue
        usual = "--" + re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", option.name).lower()  # --batch-size for --batchSize
        command.add_argument(
            *dict.fromkeys((f"--{option.name}", usual)), dest=option.name, type=option.type,
            default=argparse.SUPPRESS,  # so that `resolve` sees only what was given
            metavar=option.type.__name__.upper(), help=f"{option.metadata['help']} (default {option.default})",
        )  # fmt: skip
    command.add_argument(
        "--set", dest="changes", type=ingredient, action="append", default=argparse.SUPPRESS, metavar="NAME=VALUE",
        help="change one ingredient of the recipe, e.g. --set ema=0.99; animegan/recipes.py explains them all",
    )  # fmt: skip
    quick = ", ".join(f"{name} {value}" for name, value in QUICK.items())
    command.add_argument("--quick", action="store_true", help=f"settings for a CPU: {quick}")
    drawn = f"first draw {DRAWN_COUNT} training images, {QUICK_COUNT} with --quick (default folder: {DRAWN_FOLDER})"
    command.add_argument("--draw", action="store_true", help=drawn)
    command.add_argument("--resume", action="store_true", help="continue the run in --outf")


def ingredient(text: str) -> tuple[str, bool | float | str]:
    """`ema=0.99` -> ("ema", 0.99), `minibatch=16` -> ("minibatch", 16), and so on for true, false and words."""
    name, _, value = text.partition("=")
    if not value:
        raise argparse.ArgumentTypeError(f"{printable(text)} is not NAME=VALUE, e.g. ema=0.99 or flips=true")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


# Each command imports what it needs when it runs.


def draw(options: argparse.Namespace) -> None:
    from animegan.drawing import write_faces

    folder = printable(write_faces(options.folder, options.count, seed=options.seed))
    print(f"{options.count:,} drawn faces in {folder}; train on them with: animegan train --data_path {folder}")


def train(options: argparse.Namespace) -> int:
    from animegan.distributed import BY_TORCHRUN, is_helper
    from animegan.files import write_picture
    from animegan.runs import Run
    from animegan.show import compare_epochs
    from animegan.training import train

    if is_helper():
        train(TrainConfig())  # exits: the first process of torchrun says with which settings
    given = {f.name: getattr(options, f.name) for f in fields(TrainConfig) if hasattr(options, f.name)}
    if "changes" in given:
        given["changes"] = dict(given["changes"])
    before = Run(given.get("outf", TrainConfig.outf)) if options.resume else None
    done_before = max(before.epochs, default=0) if before else 0
    config, faces = resolve(given, options.quick, options.draw, before and before.config)
    if faces:
        from animegan.drawing import write_faces

        write_faces(config.data_path, **faces)
    run = train(config, resume=options.resume)
    path, epochs = printable(run.path), run.epochs
    if not epochs or epochs[-1] < config.epoch:
        again = f"animegan train --resume --outf {path}"
        if BY_TORCHRUN in os.environ:
            again = "the same torchrun line and --resume"
        print(f"interrupted; everything so far is in {path}. Resume with: {again}")
        return 130
    if done_before >= config.epoch:
        print(f"{path} has {done_before} epochs already: nothing was trained; to train longer, give a larger --epoch")
    picture, first, last = run.output("compare"), epochs[0], epochs[-1]
    write_picture(picture, compare_epochs([run], sorted({first, last})))
    shown = f"epoch {first} beside epoch {last}" if first < last else f"faces of epoch {last}"
    print(printable(f"{shown}: {picture}"))
    return 0


def resolve(
    given: dict[str, Any], quick: bool = False, draw: bool = False, before: TrainConfig | None = None
) -> tuple[TrainConfig, dict[str, int] | None]:
    """The settings of a run, and the faces to draw for it: `count` and `seed`, or None without `--draw`.

    given: the settings on the command line. before: those of the run to resume. For each setting the first of these
    that has it wins:

        1. what was given
        2. --draw: `data_path` is the folder of drawn faces
        3. --quick: the settings in QUICK
        4. --resume: the settings of the run so far
        5. the defaults of TrainConfig

    Of drawn faces, a set that is already in the folder keeps its count and seed; a new one has QUICK_COUNT faces with
    --quick, DRAWN_COUNT without, and seed 0. Raises UserError for a setting that cannot work, and if `data_path` is
    left to the default and that folder holds several datasets.
    """
    values = {**(before.as_dict() if before else {}), **(QUICK if quick else {})}
    values |= {**({"data_path": DRAWN_FOLDER} if draw else {}), **given}
    if "data_path" not in values:
        _check_single_dataset(Path(TrainConfig.data_path))
    config = TrainConfig.from_dict(values)
    if not draw:
        return config, None
    from animegan.drawing import drawn_set

    return config, {"count": QUICK_COUNT if quick else DRAWN_COUNT, "seed": 0, **drawn_set(config.data_path)}


def _check_single_dataset(data: Path) -> None:
    """Raise UserError if `data` holds several datasets: they are mixed only on request."""
    from animegan.files import reading

    with reading(data, "name a folder of images with --data_path"):
        folders = [path for path in data.iterdir() if path.is_dir() and path.name[0] != "."] if data.is_dir() else []
        sets = sorted(path.name for path in folders if any(child.name[0] != "." for child in path.iterdir()))
    if len(sets) > 1:
        raise UserError(
            f"{data} holds {', '.join(sets[:5])}{' and more' * (len(sets) > 5)}: name one with --data_path "
            f"{data / sets[0]}, or all of them together with --data_path {data}."
        )
