"""The program `animegan`: its commands, and how each of them ends."""

import argparse
import os
import sys

from animegan import __version__
from animegan.cli.data import add_data_commands
from animegan.cli.parser import Parser, add_command
from animegan.cli.runs import add_run_commands
from animegan.cli.train import add_train_commands
from animegan.errors import UserError
from animegan.text import printable


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for a mistake of the user, 130 if interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console cannot print every file name
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.unknown(unknown)
    try:
        status = options.command(options) or 0
        sys.stdout.flush()  # here, so that a closed pipe (`animegan ... | head`) is handled below
        return status
    except UserError as error:
        print(f"animegan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("animegan: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it exits
        return 0


def _parser() -> Parser:
    parser = Parser(prog="animegan", description="Train a DCGAN that draws anime faces, and see what it has learned.")
    parser.add_argument("--version", action="version", version=f"animegan {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_data_commands(commands)
    add_train_commands(commands)
    add_run_commands(commands)

    command = add_command(commands, "slides", slides, "turn a notebook into slides: PowerPoint, and one HTML file")
    command.add_argument("notebook", help="an .ipynb file, already run; JupyterLab's slide types divide it into slides")
    command.add_argument("--to", choices=("pptx", "html"), help="make only one of the two (default: both)")
    command.add_argument("--out", help="file to write, .pptx or .html, or a folder (default: beside the notebook)")
    command.add_argument("--no-input", action="store_true", help="leave out the code of all cells")

    add_command(commands, "doctor", doctor, "check Python, PyTorch, GPU driver, CUDA, disk and Jupyter")
    return parser


# Each command imports what it needs when it runs: `animegan --help` must not wait for PyTorch.


def slides(options: argparse.Namespace) -> None:
    try:
        from animegan.slides import SlideDeck
    except ModuleNotFoundError as error:
        raise UserError(f"slides need {error.name}: pip install -e '.[notebooks]' installs it.") from error

    kinds = [options.to] if options.to else ["pptx", "html"]
    if options.out is not None and not os.path.isdir(options.out):
        kinds = [kind for kind in kinds if options.out.lower().endswith(f".{kind}")]
        if not kinds:
            end = f".{options.to or 'pptx or .html'}"
            raise UserError(f"--out {options.out!r}: let it end in {end}, or give a folder that is there.")
    deck = SlideDeck(options.notebook, with_code=not options.no_input)
    for kind in kinds:
        print(printable(f"slides: {deck.save(kind, options.out)}"))
    if deck.unfinished:
        print(f"still to be written (✍): slide {', '.join(map(str, deck.unfinished))}")


def doctor(_options: argparse.Namespace) -> int:
    from animegan.doctor import examine, has_failed, report

    findings = examine()
    print(report(findings))
    return 1 if has_failed(findings) else 0
