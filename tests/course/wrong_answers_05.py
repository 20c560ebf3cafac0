"""Wrong answers to the exercises of notebook 05, and a piece of the hint that each must meet."""

import itertools
import statistics
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from wrong_answers_04 import MadeUpRun


def _means(history, name):
    epochs = history["epoch"]
    return {epoch: history[name][epochs == epoch].mean() for epoch in sorted(set(epochs.tolist()))}


def _means_of_equal_parts(history, name):
    epochs = sorted(set(history["epoch"].tolist()))
    return {e: part.mean() for e, part in zip(epochs, np.array_split(history[name], len(epochs)), strict=True)}


def _stillest(change=lambda a, b: np.abs(a.astype(float) - b).mean(), in_order=sorted):
    def stillest(grids):
        epochs = in_order(grids)
        changes = {b: change(grids[b], grids[a]) for a, b in itertools.pairwise(epochs)}
        return min(changes, key=changes.get)

    return stillest


def _as_good(measured, best=min, limit=2 * 2**0.5, mean=statistics.fmean, variance=statistics.variance):
    means = {epoch: mean(distances) for epoch, distances in measured.items()}
    spread = statistics.fmean(variance(distances) for distances in measured.values() if len(distances) > 1) ** 0.5
    return sorted(epoch for epoch in means if abs(means[epoch] - best(means.values())) <= limit * spread)


USUAL = MadeUpRun()
OTHER = MadeUpRun(replace(USUAL.config, beta1=0.9))
SEEN = "the eyes are whole"


def _before_is_one_less(grids):
    changes = {e: np.abs(grids[e].astype(float) - grids[e - 1].astype(float)).mean() for e in grids if e - 1 in grids}
    return min(changes, key=changes.get)


WRONG = {
    "05.1": [
        (lambda history, name: list(_means(history, name).values()), "return a dictionary"),
        (lambda history, name: {e: 2 * mean for e, mean in _means(history, name).items()}, "the means 0.7 and 0.8"),
        (lambda history, name: _means(history, "D_x"), "names the column"),
        (_means_of_equal_parts, "use history['epoch']"),
        (lambda history, name: dict(enumerate(_means(history, name).values(), start=1)), "here they are 4 and 7"),
    ],
    "05.2": [
        (("curves", "grids"), "four words"),
        (("curve", "grids", "grids", "neither"), "'curves', 'grids' or 'neither'"),
        (("grids", "grids", "grids", "neither"), "numbers of the history"),
        (("curves", "curves", "grids", "neither"), "where can you see a face"),
        (("curves", "grids", "curves", "neither"), "where can you see many"),
        (("curves", "grids", "grids", "grids"), "compared with all training images"),
    ],
    "05.3": [
        (lambda grids: 10.0, "a whole number"),
        (lambda grids: max(grids), "the answer is 3"),
        (_stillest(change=lambda a, b: (a - b).mean()), "in uint8"),
        (_stillest(change=lambda a, b: abs((a.astype(float) - b).mean())), "must not cancel"),
        (lambda grids: sorted(grids).index(_stillest()(grids)) + 1, "not a position in the list"),
        (_stillest(in_order=list), "sort them"),
        (_before_is_one_less, "not a position in the list"),
    ],
    "05.4": [
        ((USUAL, OTHER), "3 things"),
        (("imgs/mine", OTHER, "beta1"), "the first two are runs"),
        ((USUAL, MadeUpRun(OTHER.config, epochs=[1]), "beta1"), "two finished epochs"),
        ((USUAL, MadeUpRun(OTHER.config, pictures=128), "beta1"), "on different pictures"),
        ((USUAL, MadeUpRun(replace(USUAL.config, epoch=5, outf="imgs/other")), "epoch"), "have the same settings"),
        ((USUAL, MadeUpRun(OTHER.config, ema=0.0), "beta1"), "2 settings differ (beta1, ema)"),
        ((USUAL, OTHER, "changes"), "name the ingredient itself"),
        ((USUAL, OTHER, "ema"), "is the setting that differs"),
    ],
    "05.5": [
        ((USUAL, 2), "4 things"),
        ((SimpleNamespace(epochs=[1, 2]), [1, 2, 2], 2, SEEN), "the run that you judged"),
        ((USUAL, [2], 2, SEEN), "three times"),
        ((USUAL, ["A", "B", "B"], "B", SEEN), "epochs of the run (it has 1, 2)"),
        ((MadeUpRun(epochs=range(1, 26)), [26, 25, 25], 25, SEEN), "(it has 1, 2, ..., 25)"),
        ((USUAL, [1, 2, 2], 1, SEEN), "the blind test decides"),
        ((USUAL, [1, 2, 2], 2, "better"), "give your reason in a sentence"),
    ],
    "05.6": [
        (lambda measured: min(measured), "return a list of epochs"),
        (lambda measured: [min(map(statistics.fmean, measured.values()))], "neither distances"),
        (lambda measured: _as_good(measured, variance=lambda values: float("nan")), "is the spread NaN"),
        (lambda measured: _as_good(measured, best=max), "a small distance is a good one"),
        (lambda measured: [epoch for epoch in _as_good(measured) if epoch != 9], "as good as itself"),
        (lambda measured: _as_good(measured, limit=4), "the limit is 2.83"),
        (lambda measured: _as_good(measured, limit=1), "though measured only once"),
        (lambda measured: _as_good(measured)[::-1], "put them in order"),
        (lambda measured: _as_good(measured, variance=statistics.pvariance), "divide by n - 1"),
        (lambda measured: _as_good(measured, mean=lambda values: values[0]), "one seed may be lucky"),
    ],
}
