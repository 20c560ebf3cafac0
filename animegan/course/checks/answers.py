"""What the checks of several notebooks ask of an answer."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from animegan import runs
from animegan.course.registry import Case
from animegan.runs import Run, Step


def differences(run: Run, other: Run) -> set[str]:
    """The settings in which two runs differ, a recipe taken ingredient by ingredient; "pictures" for the data.

    How long, where and on what a run was trained are not settings.
    """
    found = set(runs.differences(run, other)) - {"recipe"}
    return found | {"pictures"} if run.fingerprint != other.fingerprint else found


def two_runs(answer: Any, things: str) -> Iterator[Case]:
    """The cases of an answer that begins with two runs. things: all that the answer holds, "run_a, run_b, gap_a"."""
    yield is_group(answer, things.count(",") + 1), f"answer with {things.count(',') + 1} things: ({things})."
    are_runs = all(isinstance(run, Run) for run in answer[:2])
    yield are_runs, "the first two are runs: what train(...) returns, or Run(folder) if training was stopped."


def one_difference(first: Run, second: Run, name: str) -> Iterator[Case]:
    """The cases of two runs that differ in one setting, whose name the student gives."""
    found = sorted(differences(first, second))
    yield "pictures" not in found, "the two runs were trained on different pictures: give both the same data_path."
    yield bool(found), "the runs have the same settings: change one of them in the second run."
    hint = f"{len(found)} settings differ ({listed(found)}): change only one, or the effect could come from any."
    yield len(found) == 1, hint
    yield name != "changes", "`changes` holds ingredients of the recipe: name the ingredient itself."
    yield [name] == found, "the third thing is the setting that differs, by its name in TrainConfig or in the recipe."


def is_group(answer: Any, size: int) -> bool:
    """Whether the answer is a tuple or a list of this size."""
    return isinstance(answer, tuple | list) and len(answer) == size


def is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1
    return isinstance(value, float | int | np.number) and not isinstance(value, bool)


def is_close(value: Any, wanted: float) -> bool:
    return is_number(value) and math.isclose(float(value), wanted, rel_tol=1e-3, abs_tol=1e-4)


def listed(names: Iterable) -> str:
    """The names, the middle of many left out: "1, 2, ..., 25"."""
    names = [str(name) for name in names]
    return ", ".join(names if len(names) <= 5 else [*names[:2], "...", names[-1]])


def history_of(epochs: dict[int, list[tuple[float, float]]]) -> dict[str, np.ndarray]:
    """A history as `Run.history` gives it, with these pairs of D(x) and D(G(z)), one per step."""
    rows = [(epoch, n, 1.0, 1.0, *pair, 1.0) for epoch, steps in epochs.items() for n, pair in enumerate(steps, 1)]
    return {name: np.array(column) for name, column in zip(Step._fields, zip(*rows, strict=True), strict=True)}
