"""What the checks of several notebooks ask of an answer."""

from __future__ import annotations

import math

import numpy as np
import torch

from animegan import runs
from animegan.runs import Run


def differences(run: Run, other: Run) -> set[str]:
    """The settings in which two runs differ, a recipe taken ingredient by ingredient; "pictures" for the data.

    How long, where and on what a run was trained are no settings.
    """
    found = set(runs.differences(run, other)) - {"recipe"}
    return found | {"pictures"} if run.fingerprint != other.fingerprint else found


def is_number(value) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1
    return isinstance(value, float | int | np.number) and not isinstance(value, bool)


def is_close(value, wanted: float) -> bool:
    return is_number(value) and math.isclose(float(value), wanted, rel_tol=1e-3, abs_tol=1e-4)


def history_of(epochs: dict[int, list[tuple[float, float]]]) -> dict[str, np.ndarray]:
    """A history as `Run.history` gives it, with these pairs of D(x) and D(G(z)) a step."""
    rows = [
        (epoch, n, 1.0, 1.0, D_x, D_G_z, 1.0)
        for epoch, steps in epochs.items()
        for n, (D_x, D_G_z) in enumerate(steps, 1)
    ]
    names = ("epoch", "iteration", "loss_D", "loss_G", "D_x", "D_G_z", "seconds")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
