"""Which exercises are solved, kept in one small file, imgs/progress.json, so that a student sees how far he is."""

import json
import os
import sys
from pathlib import Path

from animegan.course.classroom import folder
from animegan.course.registry import CHECKS
from animegan.errors import UserError
from animegan.files import read_json, write_text

GREEN, RED, PLAIN = "\033[32m", "\033[31m", "\033[0m"
SIGNS = {"correct": f"{GREEN}✔{PLAIN}", "hint": f"{RED}✘{PLAIN}"}


def _file() -> Path:
    return folder("imgs") / "progress.json"


def solved() -> list[str]:
    """The numbers of the exercises that were answered correctly, in order; none if the file cannot be read."""
    path = _file()
    try:
        known = read_json(path, list[str], "delete it") if path.is_file() else []
    except UserError:
        known = []
    return sorted(set(known) & set(CHECKS))


def add_solved(number: str) -> int:
    """Remember that exercise `number` is solved; returns how many are. A file that cannot be written is no matter."""
    numbers = sorted({*solved(), number})
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(numbers) + "\n")
    except (UserError, OSError):  # a full disk must not spoil a correct answer
        pass
    return len(numbers)


def overview() -> str:
    """One line per notebook: how many of its exercises are solved, and which are left; below, the sum."""
    done, lines = set(solved()), []
    for notebook in sorted({number[:2] for number in CHECKS}):
        numbers = [number for number in sorted(CHECKS) if number[:2] == notebook]
        left = [number for number in numbers if number not in done]
        count = f"notebook {notebook}: {len(numbers) - len(left)} of {len(numbers)}"
        lines.append(f"{count}, left: {' '.join(left)}" if left else count)
    return "\n".join([*lines, f"{len(done)} of {len(CHECKS)} exercises are solved"])


def sign(verdict: str) -> str:
    """A tick or a cross for a verdict in English, where colours are shown: in Jupyter and in a terminal; else ""."""
    in_jupyter = type(sys.stdout).__module__.startswith("ipykernel")
    on_terminal = sys.stdout.isatty() and str(sys.stdout.encoding).lower().startswith("utf")
    kind = verdict.partition(":")[0].partition(" ")[0]
    if "NO_COLOR" in os.environ or not (in_jupyter or on_terminal) or kind not in SIGNS:
        return ""
    return f"{SIGNS[kind]} "
