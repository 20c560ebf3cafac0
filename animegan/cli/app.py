"""The program `animegan`: its commands, and how each of them ends."""

import argparse
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partialmethod
from typing import Any

from animegan import __version__
from animegan.cli.data import add_data_commands
from animegan.cli.parser import Parser, add_command
from animegan.cli.runs import add_run_commands
from animegan.cli.train import add_train_commands
from animegan.errors import UserError
from animegan.text import printable


class Output:
    """Standard output or error, which may be closed or full: a log that cannot be written must not end a training.

    error: why something could not be written; what comes after that is dropped.
    """

    def __init__(self, stream: Any):
        self.error: OSError | None = None
        self._stream = stream or open(os.devnull, "w")  # noqa: SIM115  (None: it is closed)
        if hasattr(self._stream, "reconfigure"):
            self._stream.reconfigure(errors="replace")  # a Windows console cannot print every file name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, method: str, *arguments: str) -> Any:
        try:
            return getattr(self._stream, method)(*arguments)
        except OSError as error:
            self.error = None if isinstance(error, BrokenPipeError) else error  # `animegan ... | head` is no mistake
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())  # or Python complains when it exits

    write, flush = partialmethod(_try, "write"), partialmethod(_try, "flush")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for a mistake of the user, 130 if interrupted."""
    os.environ["MPLBACKEND"] = "agg"  # nothing is shown in a window, and matplotlib fails at a name it does not know
    out, errors = Output(sys.stdout), Output(sys.stderr)
    with redirect_stdout(out), redirect_stderr(errors):  # pyright: ignore[reportArgumentType]
        status = _run(arguments)
        out.flush()
        if out.error and not status:
            return _fail(f"standard output could not be written ({out.error.strerror}): write it elsewhere.")
    return status


def _run(arguments: list[str] | None) -> int:
    try:
        options, unknown = _parser().parse_known_args(arguments)
        if unknown:
            options.parser.unknown(unknown)
        return options.command(options) or 0
    except SystemExit as stop:  # of argparse
        return int(stop.code or 0)
    except UserError as error:
        return _fail(error)
    except OSError as error:
        return _fail(f"{printable(error)}: make sure that it exists and that you may use it.")
    except (MemoryError, RuntimeError) as error:  # PyTorch's allocator raises RuntimeError
        known = re.search("t allocate memory|out of memory|overflow", str(error))
        if not (known or isinstance(error, MemoryError | RecursionError)):
            raise
        return _fail("this takes more memory than there is: choose smaller numbers, or a smaller file.")
    except KeyboardInterrupt:
        return _fail("interrupted", 130)


def _fail(message: str | UserError, status: int = 2) -> int:
    print(f"animegan: {message}", file=sys.stderr)
    return status


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

    command = add_command(commands, "bench", bench, "time training on this machine, which takes some minutes")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default auto)")
    command.add_argument("--markdown", action="store_true", help="one row for the table of machines in README.md")

    add_command(commands, "progress", progress, "show which exercises of the notebooks are solved")
    add_command(commands, "doctor", doctor, "check Python, PyTorch, GPU driver, CUDA, disk and Jupyter")
    return parser


# Each command imports what it needs when it runs: `animegan --help` must not wait for PyTorch.


def slides(options: argparse.Namespace) -> None:
    from animegan.slides import SlideDeck

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


def bench(options: argparse.Namespace) -> None:
    from animegan import bench

    speeds = bench.bench(options.device, usual_only=options.markdown)
    print(bench.markdown(speeds, options.device) if options.markdown else bench.text(speeds))


def progress(_options: argparse.Namespace) -> None:
    from animegan.course import overview

    print(overview())


def doctor(_options: argparse.Namespace) -> int:
    from animegan.doctor import examine, has_failed, report

    findings = examine()
    print(report(findings))
    return 1 if has_failed(findings) else 0
