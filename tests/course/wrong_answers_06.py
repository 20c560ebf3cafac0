"""Wrong answers to the exercises of notebook 06, and a piece of the hint that each must meet."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from wrong_answers_04 import MadeUpRun

from animegan.course.checks.notebook_06 import ROWS

RIGHT = tuple(failure for failure, _ in ROWS.values())


def _with(row: str, word: str) -> tuple[str, ...]:
    return tuple(word if name == row else failure for name, failure in zip(ROWS, RIGHT, strict=True))


def _impossible(log=np.log, nats=1.0):
    return lambda history: np.mean(history["loss_G"] < -log(history["D_G_z"]) - nats)


def _correlations(faces):
    return np.corrcoef(faces.reshape(len(faces), -1))


def _mean_difference(faces):
    pairs = ~np.eye(len(faces), dtype=bool)
    return (1 - _correlations(faces))[pairs].mean()


class ShortRun(MadeUpRun):
    """A made-up run of two epochs, in the first step of which D's loss is `first`."""

    def __init__(self, config=None, first=1.0, steps=8, **options):
        super().__init__(config, verdicts=((0.6, 0.4),) * (steps // 2), **options)
        self.path, self.first = Path("made-up"), first

    @property
    def history(self):
        history = super().history
        losses = np.ones(len(history["epoch"]))
        return {**history, "loss_G": losses, "loss_D": np.where(np.arange(len(losses)) == 0, self.first, losses)}


USUAL = ShortRun()
FAILED = ShortRun(replace(USUAL.config, lr=0.02), first=9.0)

WRONG = {
    "06.1": [
        (RIGHT[:5], "6 words"),
        ((*RIGHT, "none"), "6 words"),
        (dict(zip(ROWS, (*RIGHT[:5], ...), strict=True)), "row F still has no word"),
        (_with("A", "collapse"), "each word is one of"),
        (_with("A", "none"), "how different are two of its faces"),
        (_with("B", "checkerboard"), "is any of them far off"),
        (_with("C", "D has won"), "the smallest loss that G can have"),
        (_with("D", "mixed batch"), "what is left for G to learn from"),
        (_with("E", "none"), "which number is left"),
        (_with("F", "mode collapse"), "in the very first batches"),
    ],
    "06.2": [
        (lambda history: history["loss_G"] < -np.log(history["D_G_z"]) - 1, "one number from 0 to 1"),
        (lambda history: np.mean(history["loss_G"] > -np.log(history["D_G_z"]) - 1), "the answer is 0.25"),
        (lambda history: np.mean(np.abs(history["loss_G"] + np.log(history["D_G_z"])) > 1), "count only batches below"),
        (lambda history: np.mean(history["D_G_z"] < 0.1), "the loss of G in each batch"),
        (_impossible(nats=1.5), "the margin below -log is 1 nat"),
        (_impossible(nats=0.0), "less than 1 nat does not count"),
        (_impossible(log=np.log10), "the natural logarithm"),
    ],
    "06.3": [
        (lambda faces: 1 - _correlations(faces), "one number"),
        (lambda faces: _correlations(faces).mean(), "so the answer is 0"),
        (lambda faces: np.mean([abs(a - b).mean() for a in faces for b in faces]), "ignores contrast"),
        (lambda faces: (1 - _correlations(faces)).mean(), "drop the diagonal"),
        (lambda faces: np.mean(1 - np.diagonal(_correlations(faces), 1)), "not only neighbours"),
        (lambda faces: _mean_difference(faces.mean((1, 2))), "one long row of numbers"),
    ],
    "06.4": [
        ((FAILED, USUAL), "3 things"),
        (("imgs/mine", USUAL, "lr"), "the first two are runs"),
        ((FAILED, ShortRun(pictures=128), "lr"), "on different pictures"),
        ((FAILED, ShortRun(replace(USUAL.config, beta1=0.9)), "lr"), "2 settings differ (beta1, lr)"),
        ((FAILED, ShortRun(FAILED.config), "lr"), "have the same settings"),
        ((FAILED, USUAL, "changes"), "name the ingredient itself"),
        ((FAILED, USUAL, "beta1"), "is the setting that differs"),
        ((ShortRun(FAILED.config), USUAL, "lr"), "finds nothing in your failed run"),
        ((FAILED, ShortRun(steps=6), "lr"), "has 6 batches, too few for diagnose: train for 8 or more"),
        ((FAILED, ShortRun(first=9.0), "lr"), "still finds learning rate too high"),
    ],
}
