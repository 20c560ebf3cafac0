"""The command line: it names things and calls them."""

import argparse
import difflib
import os
import re
import sys
from dataclasses import fields
from typing import NoReturn

from animegan.cli.data import add_data_commands
from animegan.cli.runs import add_run_commands, compare, sample, share
from animegan.cli.train import draw, ingredient, train
from animegan.config import DRAWN_COUNT, DRAWN_FOLDER, QUICK, QUICK_COUNT, TrainConfig
from animegan.errors import UserError


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
        type=ingredient,
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
