"""The parser of the command line: every error is one line."""

import argparse
import difflib
from collections.abc import Callable
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def unknown(self, words: list[str]) -> NoReturn:
        """End with an error about words that this command does not know."""
        near = difflib.get_close_matches(words[0].partition("=")[0], self._option_string_actions, 1)
        hint = f", did you mean {near[0]}?" if near else ""
        if not words[0].startswith("-"):
            hint = hint or ' (quote a path with spaces: "my faces")'
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")


def add_command(commands, name: str, function: Callable, help: str) -> argparse.ArgumentParser:
    """Add a command to `commands`, argparse's group of them. function: takes the options, may return a status."""
    command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    command.set_defaults(command=function, parser=command)
    return command
