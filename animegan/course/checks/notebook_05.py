"""Checks of notebook 05: what curves, grids and two runs side by side show, and what they do not."""

from collections import Counter

import numpy as np

from animegan.course.checks.answers import history_of, is_close, is_group, is_whole, listed, one_difference, two_runs
from animegan.course.registry import exercise
from animegan.runs import Run

# Where the evidence for each claim is, and the question that leads there.
EVIDENCE = {
    "D_has_it_easier": ("curves", "D's verdicts are numbers of the history."),
    "faces_are_better": ("grids", "a loss depends on an opponent that changes, too; where can you see a face?"),
    "faces_differ": ("grids", "no column of the history compares two fakes; where can you see many side by side?"),
    "nothing_by_heart": ("neither", "for that, every fake must be compared with all training images."),
}


@exercise("05.1")
def mean_per_epoch(answer):
    even = history_of({1: [(0.6, 0.4), (0.8, 0.2)], 2: [(0.9, 0.1), (0.7, 0.3)]})
    got = answer(even, "D_x")
    yield isinstance(got, dict) and set(got) == {1, 2}, "return a dictionary by epoch, e.g. {1: 0.71, 2: 0.72}."
    yield _same(got, {1: 0.7, 2: 0.8}), "D(x) of 0.6, 0.8 in epoch 1 and 0.9, 0.7 in epoch 2 has the means 0.7 and 0.8."
    yield _same(answer(even, "D_G_z"), {1: 0.3, 2: 0.2}), "the second argument names the column, e.g. 'D_G_z': use it."
    uneven = history_of({1: [(0.5, 0.5)], 2: [(0.6, 0.4), (0.7, 0.3), (0.8, 0.2)]})
    holds = _same(answer(uneven, "D_x"), {1: 0.5, 2: 0.7})
    yield holds, "epochs may differ in their number of steps, e.g. after an interruption: use history['epoch']."
    later = history_of({4: [(0.5, 0.5)], 7: [(0.9, 0.1)]})
    yield _same(answer(later, "D_x"), {4: 0.5, 7: 0.9}), "epochs need not be 1, 2, 3: here they are 4 and 7."


@exercise("05.2")
def evidence(answer):
    yield is_group(answer, len(EVIDENCE)), f"answer with four words: ({', '.join(EVIDENCE)})."
    yield set(answer) <= {"curves", "grids", "neither"}, "each word is 'curves', 'grids' or 'neither'."
    for word, (claim, (where, question)) in zip(answer, EVIDENCE.items(), strict=True):
        yield word == where, f"{claim}: {question}"


@exercise("05.3")
def stillest_epoch(answer):
    got = answer(_grids({1: 10, 2: 90, 3: 100, 4: 160}))
    yield is_whole(got), "return the number of an epoch, a whole number."
    yield got == 3, "pixels of 10, 90, 100, 160 in epochs 1 to 4 change by 80, 10, 60: the answer is 3, the later one."
    unsigned = "in uint8, 97 - 100 is 253: convert to float before you subtract."
    yield answer(_grids({1: 100, 2: 97, 3: 120})) == 2, unsigned
    half = np.where(np.arange(4) % 2, 150, 50)
    holds = answer(_grids({1: 100, 2: half, 3: half + 10})) == 3
    yield holds, "brighter and darker pixels must not cancel each other: take the absolute value of each difference."
    try:
        found = answer(_grids({1: 10, 10: 90, 25: 95}))
    except (KeyError, ValueError):  # of an answer that looks up epoch - 1
        found = None
    yield found == 25, "with epochs 1, 10 and 25 the answer is one of these numbers, not a position in the list."
    yield answer(_grids({9: 95, 1: 10, 5: 90})) == 9, "the epochs may come in any order: sort them first."


@exercise("05.4")
def one_change(answer):
    yield from two_runs(answer, "run, other, name of the setting")
    run, other, name = answer
    yield min(len(run.epochs), len(other.epochs)) >= 2, "each run needs two finished epochs, to see where it is going."
    yield from one_difference(run, other, name)


@exercise("05.5")
def best_epoch(answer):
    yield is_group(answer, 4), "answer with 4 things: (run, picks, best, reason)."
    run, picks, best, reason = answer
    yield isinstance(run, Run), "the first is the run that you judged: what my_run() returned."
    holds = isinstance(picks, list | tuple) and len(picks) >= 3
    yield holds, "do the blind test three times, each with another seed, and give all your picks."
    hint = f"your picks are epochs of the run (it has {listed(run.epochs)}), not positions in the shuffled picture."
    yield all(pick in run.epochs for pick in picks), hint
    counted = Counter(picks)
    yield counted[best] == max(counted.values()), "the blind test decides: the best epoch is the one you picked most."
    # Twelve letters; a Chinese character counts as two.
    holds = isinstance(reason, str) and sum(1 + (sign > "⺀") for sign in reason.strip()) >= 12
    yield holds, "give your reason in a sentence: what did you see in the faces?"


@exercise("05.6")
def as_good_as_the_best(answer):
    # Epoch 9 is the best, and the spread is 1.
    usual = {10: [23.5], 9: [21.0, 19.0, 20.0], 1: [90.0], 7: [22.2], 8: [20.0, 22.0, 21.0]}
    got = answer(usual)
    yield isinstance(got, list | tuple), "return a list of epochs, e.g. [8, 9]."
    hint = "your list is empty: is the spread NaN? An epoch that was measured once has no variance, skip it."
    yield len(got) > 0, hint
    holds = all(isinstance(epoch, int) and epoch in usual for epoch in got)
    yield holds, "return epochs, the keys of the dictionary: whole numbers, neither distances nor positions in a list."
    yield 1 not in got, "a small distance is a good one: epoch 1 with 90.0 is far behind epoch 9 with 20.0."
    yield 9 in got, "the best epoch belongs to the list, too: it is as good as itself."
    yield 10 not in got, "with a spread of 1, an epoch 3.5 behind the best is really worse: the limit is 2.83."
    yield 7 in got, "with a spread of 1, an epoch 2.2 behind the best is tied with it, though measured only once."
    yield list(got) == [7, 8, 9], "these are the right epochs: now put them in order."
    uneven = {1: [20.0, 20.0, 20.0], 2: [22.5, 26.5], 3: [30.0]}
    hint = "20, 20, 20 has variance 0, and 22.5, 26.5 has 8 (divide by n - 1): their mean is 4, so the spread is 2."
    yield list(answer(uneven)) == [1, 2], hint
    lucky = {1: [30.0, 30.0], 2: [26.0, 34.0], 3: [35.0, 35.0], 4: [90.0, 90.0]}
    yield list(answer(lucky)) == [1, 2, 3], "compare means over seeds: one seed may be lucky, like 26.0 in 26.0, 34.0."


def _same(got, wanted: dict[int, float]) -> bool:
    return isinstance(got, dict) and set(got) == set(wanted) and all(is_close(got[key], wanted[key]) for key in wanted)


def _grids(pixels: dict[int, int | np.ndarray]) -> dict[int, np.ndarray]:
    """Pictures [4, 4, 3] of uint8 by epoch, each of one shade, or with one shade per column."""
    return {epoch: np.full((4, 4, 3), np.reshape(shade, (1, -1, 1)), np.uint8) for epoch, shade in pixels.items()}
