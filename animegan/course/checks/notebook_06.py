"""Checks of notebook 06: which failure it is, what a loss and a grid give away, and a failure cured."""

from __future__ import annotations

import numpy as np

from animegan.course.checks.answers import differences, history_of, is_close
from animegan.course.registry import exercise
from animegan.measure import MIN_STEPS, diagnose
from animegan.runs import Run

FAILURES = ("D has won", "mode collapse", "checkerboard", "learning rate", "mixed batch", "none")
FULL_NAMES = {
    "learning rate too high": "learning rate",
    "BatchNorm on a mixed batch": "mixed batch",
}  # as diagnose says
# What each row of the table is, and the question that leads there.
ROWS = {
    "A": ("mode collapse", "its losses could be those of a healthy run; how different are two of its faces?"),
    "B": ("none", "hold every figure of it against those of the others: is any of them far off?"),
    "C": ("mixed batch", "if D(G(z)) is 0.01, what is the least that the loss of G can be?"),
    "D": ("D has won", "how sure is D of real pictures, how sure of fakes, and what is left for G to learn from?"),
    "E": ("checkerboard", "both players are in balance and the faces differ; which figure is left?"),
    "F": ("learning rate", "a D that guesses pays 1.386; what did its very first steps do to it?"),
}


@exercise("06.1")
def which_failure(answer):
    words = answer if isinstance(answer, dict) else dict(zip(ROWS, answer, strict=False))
    yield (
        set(words) == set(ROWS) and len(answer) == len(ROWS),
        f"hand in {len(ROWS)} words, one for each of the rows {', '.join(ROWS)}.",
    )
    missing = [row for row, word in words.items() if word is ...]
    yield not missing, f"row {', '.join(missing)} still has no word."
    words = {row: FULL_NAMES.get(str(word), str(word)) for row, word in words.items()}
    yield set(words.values()) <= set(FAILURES), f"each row takes one of {', '.join(map(repr, FAILURES))}."
    for row, (failure, question) in ROWS.items():
        yield words[row] == failure, f"row {row}: {question}"


@exercise("06.2")
def impossible_steps(answer):
    one_in_four = _history(loss_G=1.0, D_G_z=[0.001, 0.5, 0.5, 0.5])
    got = answer(one_in_four)
    yield (
        np.ndim(got) == 0 and not isinstance(got, str) and 0 <= got <= 1,
        "return one number from 0 to 1: the share of all steps, e.g. 0.25.",
    )
    yield (
        is_close(got, 0.25),
        "for a loss of G of 1.0 and D(G(z)) of 0.001, 0.5, 0.5, 0.5 the answer is 0.25: -log 0.001 is 6.9, "
        "-log 0.5 is 0.7.",
    )
    yield (
        is_close(answer(_history(loss_G=1.0, D_G_z=[0.2] * 4)), 0.0),
        "for D(G(z)) of 0.2 a loss of 1.0 is 0.6 nats too low, and less than 1 nat is not counted.",
    )
    yield (
        is_close(answer(_history(loss_G=1.0, D_G_z=[0.05] * 4)), 1.0),
        "for D(G(z)) of 0.05 -log is 3.0: nats come from the natural logarithm, np.log.",
    )
    yield (
        is_close(answer(_history(loss_G=0.05, D_G_z=[0.2] * 4)), 1.0),
        "for a loss of G of 0.05 and D(G(z)) of 0.2, whose -log is 1.6, the answer is 1: take the loss of G of each "
        "step.",
    )
    yield (
        is_close(answer(_history(loss_G=9.0, D_G_z=[0.05] * 4)), 0.0),
        "for D(G(z)) of 0.05 -log is 3.0, and a loss of 9.0 lies far above it, which is no contradiction: count only "
        "the steps below.",
    )
    yield (
        is_close(answer(_history(loss_G=1.0, D_G_z=[0.11] * 4)), 1.0),
        "for D(G(z)) of 0.11 -log is 2.2, and a loss of 1.0 is 1.2 nats too low: the margin is 1 nat, of -log D(G(z)).",
    )


@exercise("06.3")
def mean_difference(answer):
    face, other = np.random.default_rng(6).integers(0, 256, (2, 8, 8, 3)).astype(float)
    got = answer(np.stack([face, face, face]))
    yield np.ndim(got) == 0 and not isinstance(got, str), "return one number, the mean over all pairs."
    yield is_close(got, 0.0), "three times the same face: every pair has r = 1, so the answer is 0."
    yield (
        is_close(answer(np.stack([face, 0.2 * face + 100])), 0.0),
        "a paler copy of a face is no other face: take the correlation, which knows no contrast.",
    )
    yield (
        is_close(answer(np.stack([face, 255 - face])), 2.0),
        "of a face and its negative r is -1 and the answer 2: a face and itself are no pair, leave out the diagonal.",
    )
    yield (
        is_close(answer(np.stack([face, face, 255 - face])), 4 / 3),
        "a face, the same one and its negative are three pairs, with 0, 2 and 2: take all pairs, not only neighbours.",
    )
    yield (
        is_close(answer(np.stack([face, other])), 1 - np.corrcoef(face.ravel(), other.ravel())[0, 1]),
        "r is to be taken over all pixels and colours of two faces: one long row of numbers for each face.",
    )


@exercise("06.4")
def cured(answer):
    yield (
        isinstance(answer, tuple | list) and len(answer) == 3,
        "hand in three things: (failed, cured, name of the setting).",
    )
    failed, healed, name = answer
    yield (
        isinstance(failed, Run) and isinstance(healed, Run),
        ("the first two are runs: what train(...) returns, or Run(folder) where training stopped."),
    )
    found = differences(failed, healed)
    yield "pictures" not in found, "the two runs learnt from other pictures: give both the same data_path."
    yield (
        len(found) == 1,
        f"the runs differ in {len(found)} settings ({', '.join(sorted(found)) or 'none'}): change one, and only one.",
    )
    yield {name} == found, "the third thing names the setting that differs, as TrainConfig or the recipe calls it."
    yield (
        len(diagnose(failed).findings) > 0,
        "diagnose finds nothing in your failed run: make it worse, and look at print(diagnose(failed)).",
    )
    enough = min(MIN_STEPS, len(failed.history["loss_D"]))
    yield (
        len(healed.history["loss_D"]) >= enough,
        f"your cured run has {len(healed.history['loss_D'])} steps, and diagnose cannot judge it yet: train it for "
        f"{enough} or more.",
    )
    left = [finding.name for finding in diagnose(healed).findings]
    yield not left, f"diagnose still finds {', '.join(left)} in your cured run: it is not cured yet."


def _history(loss_G: float, D_G_z: list[float]) -> dict[str, np.ndarray]:
    """A history in which the loss of G is the same at every step."""
    history = history_of({1: [(0.9, verdict) for verdict in D_G_z]})
    return {**history, "loss_G": np.full(len(D_G_z), loss_G)}
