"""The command line: it names things and calls them."""

import argparse
import difflib
import os
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

from animegan.cli.data import add_data_commands
from animegan.cli.runs import add_run_commands, epoch_asked_for
from animegan.config import QUICK, QUICK_COUNT, TrainConfig
from animegan.errors import UserError

DRAWN_FOLDER = "data/drawn"
DRAWN_COUNT = 2048


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for a mistake of the user, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console cannot print every file name
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.unknown(unknown)
    try:
        status = options.command(options) or 0
        sys.stdout.flush()  # here, where a reader that has gone is no surprise
        return status
    except UserError as error:
        print(f"animegan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("animegan: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as of `animegan ... | head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 0


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
    picture, first, last = run.path / "compare.png", run.epochs[0], run.epochs[-1]
    _save(_compare([run], [first, last]), picture)
    print(f"epoch {first} beside epoch {last}: {picture}" if first < last else f"faces of epoch {last}: {picture}")
    return 0


def sample(options: argparse.Namespace) -> None:
    from animegan.latent import latent_vectors
    from animegan.runs import Run, grid_picture

    run = Run(options.run)
    if options.count < 1:
        raise UserError(f"--count {options.count} is too small; give 1 or more.")
    epoch = epoch_asked_for(options, run.with_weights)
    z = latent_vectors(options.count, run.config.nz, options.seed)
    out = Path(options.out or run.path / f"sample_epoch_{epoch:03d}.png")
    columns = max(1, round(options.count**0.5))
    _save(grid_picture(run.generate(epoch, z), columns), out)
    print(f"{options.count} new faces of epoch {epoch}: {out}")


def compare(options: argparse.Namespace) -> None:
    from animegan.runs import Run

    runs = [Run(path) for path in options.runs]
    epochs = sorted(set(options.epochs or [1, min(max(run.epochs, default=1) for run in runs)]))
    out = Path(options.out or runs[0].path / "compare.png")
    _save(_compare(runs, epochs, options.count), out)
    print(f"epochs {', '.join(map(str, epochs))}: {out}")


def share(options: argparse.Namespace) -> None:
    from animegan.data.report import ranges
    from animegan.runs import Run

    run = Run(options.run)
    epochs = options.weights if options.weights is not None else [max(run.with_weights, default=1)]
    copy = run.share(options.out, epochs)
    size = sum(path.stat().st_size for path in copy.path.iterdir())
    networks = f"netG of epoch{'s' * (len(epochs) > 1)} {ranges(epochs)}" if epochs else "no weights"
    print(f"grids of epochs {ranges(copy.epochs)}, history, {networks}: {copy.path} ({size / 1e6:.1f} MB)")


def slides(options: argparse.Namespace) -> None:
    try:
        from animegan.slides import export, to_write
    except ModuleNotFoundError as error:
        raise UserError(f"slides need {error.name}: pip install -e '.[notebooks]' installs it.") from error

    kinds = [options.to] if options.to else ["pptx", "html"]
    if options.out:
        kinds = [kind for kind in kinds if options.out.lower().endswith(f".{kind}")]
        if not kinds:
            raise UserError(f"--out {options.out}: let it end in .{options.to or 'pptx or .html'}.")
    for kind in kinds:
        print(f"slides: {export(options.notebook, kind, options.out, with_code=not options.no_input)}")
    if left := to_write(options.notebook):
        print(f"still to be written (✍): slide {', '.join(map(str, left))}")


def doctor(_options: argparse.Namespace) -> int:
    from animegan.doctor import examine, has_failed, report

    findings = examine()
    print(report(findings))
    return 1 if has_failed(findings) else 0


def _one_set(data: Path) -> None:
    """Raise UserError where `data` holds several data sets: the default must not mix them unasked."""
    folders = [path for path in data.iterdir() if path.is_dir() and path.name[0] != "."] if data.is_dir() else []
    sets = sorted(path.name for path in folders if any(child.name[0] != "." for child in path.iterdir()))
    if len(sets) > 1:
        raise UserError(
            f"{data} holds {', '.join(sets[:5])}{' and more' * (len(sets) > 5)}: name one with --data_path "
            f"{data / sets[0]}, or all of them together with --data_path {data}."
        )


def _ingredient(text: str) -> tuple[str, bool | float | str]:
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


def _compare(runs: list, epochs: list[int], count: int = 24):
    from animegan.show import compare_epochs

    return compare_epochs(runs, list(dict.fromkeys(epochs)), count)


def _save(picture, path: Path) -> None:
    from animegan.runs import write_picture

    write_picture(path, picture)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def unknown(self, words: list[str]) -> NoReturn:
        """End with an error about words that are no option of this command."""
        near = difflib.get_close_matches(words[0].partition("=")[0], self._option_string_actions, 1)
        hint = f", did you mean {near[0]}?" if near else ""
        if not words[0].startswith("-"):
            hint = hint or ' (quote a path with spaces: "my faces")'
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="animegan", description="Train a DCGAN that draws anime faces, and look at what it learnt.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _command(commands, "draw", draw, "draw a data set of anime faces")
    command.add_argument("folder", nargs="?", default=DRAWN_FOLDER, help=f"where to (default {DRAWN_FOLDER})")
    command.add_argument("--count", type=int, default=DRAWN_COUNT, help=f"how many (default {DRAWN_COUNT})")
    command.add_argument("--seed", type=int, default=0, help="same seed, same faces (default 0)")

    data = commands.add_parser("data", help="look after a data set").add_subparsers(required=True, metavar="COMMAND")
    add_data_commands(data, _command)

    command = _command(commands, "train", train, "train NetG and NetD on a folder of faces")
    for option in fields(TrainConfig):
        if option.name == "changes":
            continue
        names = {f"--{option.name}", "--" + re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", option.name).lower()}
        command.add_argument(
            *sorted(names, key=lambda name: name != f"--{option.name}"),
            dest=option.name,
            type=option.type,
            default=argparse.SUPPRESS,
            metavar=option.type.__name__.upper(),
            help=f"{option.metadata['help']} (default {option.default})",
        )
    command.add_argument(
        "--set",
        dest="changes",
        type=_ingredient,
        action="append",
        default=argparse.SUPPRESS,
        metavar="NAME=VALUE",
        help="set one ingredient of the recipe otherwise, e.g. --set ema=0.99; see animegan/recipes.py",
    )
    quick = ", ".join(f"{name} {value}" for name, value in QUICK.items())
    command.add_argument("--quick", action="store_true", help=f"settings for a CPU: {quick}")
    command.add_argument(
        "--draw",
        action="store_true",
        help=f"train on faces drawn into {DRAWN_FOLDER} ({DRAWN_COUNT}, {QUICK_COUNT} with --quick)",
    )
    command.add_argument("--resume", action="store_true", help="go on with the run in --outf")

    command = _command(commands, "sample", sample, "new faces from a trained run")
    command.add_argument("run", help="run folder")
    command.add_argument("--epoch", type=int, help="weights of this epoch (default: the last)")
    command.add_argument("--count", type=int, default=64, help="how many faces (default 64)")
    command.add_argument("--seed", type=int, default=0, help="other seed, other faces (default 0)")
    command.add_argument("--out", help="picture to write (default: into the run folder)")

    command = _command(commands, "compare", compare, "epochs of one run or more, same noise, row by row")
    command.add_argument("runs", nargs="+", metavar="run", help="run folder")
    command.add_argument("--epochs", type=int, nargs="+", help="which (default: the first and the last)")
    command.add_argument("--count", type=int, default=24, help="faces an epoch, up to 64 (default 24)")
    command.add_argument("--out", help="picture to write (default: compare.png in the first run folder)")

    command = _command(commands, "share", share, "a copy of a run that is small enough to hand on")
    command.add_argument("run", help="run folder")
    command.add_argument("out", help="new folder for the copy: grids, history and settings, no checkpoint")
    command.add_argument("--weights", type=int, nargs="*", help="netG of these epochs too (default: the last)")

    add_run_commands(commands, _command)

    command = _command(commands, "slides", slides, "a notebook as PowerPoint, and as one HTML file of slides")
    command.add_argument("notebook", help="an .ipynb file, run; JupyterLab's slide types say what begins a slide")
    command.add_argument("--to", choices=("pptx", "html"), help="only one of the two (default: both)")
    command.add_argument("--out", help="file to write (default: beside the notebook); its suffix says which kind")
    command.add_argument("--no-input", action="store_true", help="leave out the code of all cells")

    _command(commands, "doctor", doctor, "check Python, PyTorch, GPU driver, CUDA, disk and Jupyter")
    return parser


def _command(commands, name: str, function, help: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    command.set_defaults(command=function, parser=command)
    return command


def _version() -> str:
    from animegan import __version__

    return f"animegan {__version__}"
