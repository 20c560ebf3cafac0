"""The parser of the command line: every error is one line."""

import argparse
import difflib
from collections.abc import Callable
from typing import NoReturn

from animegan.text import printable

# Options of PyTorch's DCGAN example, which many other programs have copied, and what takes their place here.
OPTIONS_ELSEWHERE = {
    **dict.fromkeys(("--cuda", "--mps", "--accel"), "a GPU is used if there is one; --device chooses another"),
    **dict.fromkeys(("--no-cuda", "--no_cuda"), "here it is --device cpu"),
    **dict.fromkeys(("--niter", "--n_epochs", "--num_epochs"), "here it is --epoch"),
    **dict.fromkeys(("--dataroot", "--dataset"), "here it is --data_path, any folder of pictures"),
    **dict.fromkeys(("--netG", "--netD"), "leave it out: --resume continues a run with its networks"),
    "--manualSeed": "here it is --seed",
    "--workers": "leave it out: all pictures are kept in memory",
    "--ngpu": "leave it out: one GPU is used, e.g. --device cuda:1",
    "--dry-run": "here a short run is --quick, or --epoch 1",
    "--classes": "leave it out: all pictures below --data_path are used, without classes",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")

    def unknown(self, words: list[str]) -> NoReturn:
        """End with an error about words that this command does not know."""
        name = words[0].partition("=")[0]
        near = difflib.get_close_matches(name, self._option_string_actions, 1)
        hint = f", did you mean {near[0]}?" if near else ""
        if name in OPTIONS_ELSEWHERE:
            hint = f" ({OPTIONS_ELSEWHERE[name]})"
        elif not name.startswith("-"):
            hint = hint or ' (quote a path with spaces: "my faces")'
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]):
        if arg_strings == ["--"] and action.option_strings and action.nargs in (None, "+"):
            value = self._get_value(action, "--")  # `--name=--`: argparse of Python 3.11 makes an empty list of it
            self._check_value(action, value)
            return value if action.nargs is None else [value]
        return super()._get_values(action, arg_strings)


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number from `low` to `high`, both included."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number") from None
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]} is out of range: give {low:,} to {high:,}")
        return number

    return convert


def _path(text: str) -> str:
    """An empty path would mean the working folder, or be ignored."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a file or folder (is a variable not set?)")
    return text


PATH, EPOCH, SEED = _path, whole(1, 999_999), whole(0, 2**63 - 1)  # types of options; the seeds are those of training


def add_command(commands, name: str, function: Callable, help: str) -> argparse.ArgumentParser:
    """Add a command to `commands`, argparse's group of them. function: takes the options, may return a status."""
    command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    command.set_defaults(command=function, parser=command)
    return command
