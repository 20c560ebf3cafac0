"""Commands that look at what a run has left."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_run_commands(commands, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to `commands`, argparse's group of them. add: makes a command of its name, function and help."""
    command = add(commands, "diagnose", diagnose, "name the likely failure of a run, with its evidence and its cure")
    command.add_argument("runs", nargs="+", metavar="run", help="run folder")


# Each command imports what it needs when it runs.


def diagnose(options: argparse.Namespace) -> None:
    from animegan.diagnosis import diagnose
    from animegan.runs import Run

    for path in options.runs:
        print(diagnose(Run(path)))
