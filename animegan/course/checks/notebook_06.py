"""Checks of notebook 06: which failure it is, what a loss and a grid reveal, and a failure that is fixed."""

import numpy as np

from animegan.course.checks.answers import history_of, is_close, one_difference, two_runs
from animegan.course.registry import exercise
from animegan.measure import MIN_BATCHES, diagnose

FAILURES = ("D has won", "mode collapse", "checkerboard", "learning rate", "mixed batch", "none")
# As diagnose says.
FULL_NAMES = {"learning rate too high": "learning rate", "BatchNorm on a mixed batch": "mixed batch"}
# The failure in each row of the table, and the question that leads there.
ROWS = {
    "A": ("mode collapse", "its losses could be those of a healthy run; how different are two of its faces?"),
    "B": ("none", "compare each of its numbers with those of the other rows: is any of them far off?"),
    "C": ("mixed batch", "if D(G(z)) is 0.01, what is the smallest loss that G can have?"),
    "D": ("D has won", "how sure is D of real pictures and of fakes, and what is left for G to learn from?"),
    "E": ("checkerboard", "D and G are in balance and the faces differ; which number is left?"),
    "F": ("learning rate", "a D that only guesses has a loss of 1.386; what happened to it in the very first batches?"),
}


@exercise("06.1")
def which_failure(answer):
    words = answer if isinstance(answer, dict) else dict(zip(ROWS, answer, strict=False))
    holds = set(words) == set(ROWS) and len(answer) == len(ROWS)
    yield holds, f"answer with {len(ROWS)} words, one for each of the rows {', '.join(ROWS)}."
    missing = [row for row, word in words.items() if word is ...]
    yield not missing, f"row {', '.join(missing)} still has no word."
    words = {row: FULL_NAMES.get(str(word), str(word)) for row, word in words.items()}
    yield set(words.values()) <= set(FAILURES), f"each word is one of {', '.join(map(repr, FAILURES))}."
    for row, (failure, question) in ROWS.items():
        yield words[row] == failure, f"row {row}: {question}"


@exercise("06.2")
def impossible_batches(answer):
    def gives(wanted: float, loss_G: float, D_G_z: float) -> bool:
        return is_close(answer(_history(loss_G, [D_G_z] * 4)), wanted)

    got = answer(_history(1.0, [0.001, 0.5, 0.5, 0.5]))
    holds = np.ndim(got) == 0 and not isinstance(got, str) and 0 <= got <= 1
    yield holds, "return one number from 0 to 1: the share of all batches, e.g. 0.25."
    hint = (
        "for loss 1.0 and D(G(z)) of 0.001, 0.5, 0.5, 0.5 the answer is 0.25: -log 0.001 is 6.9, and -log 0.5 is 0.7."
    )
    yield is_close(got, 0.25), hint
    holds = gives(0, loss_G=1.0, D_G_z=0.2)
    yield holds, "for D(G(z)) of 0.2 a loss of 1.0 is 0.6 nats too low, and less than 1 nat does not count."
    yield gives(1, loss_G=1.0, D_G_z=0.05), "for D(G(z)) of 0.05 -log is 3.0: use the natural logarithm, np.log."
    hint = "a loss of G of 0.05 is impossible if D(G(z)) is 0.2, whose -log is 1.6: use the loss of G in each batch."
    yield gives(1, loss_G=0.05, D_G_z=0.2), hint
    hint = "for D(G(z)) of 0.05 -log is 3.0. A loss of 9.0 is far above, which is possible: count only batches below."
    yield gives(0, loss_G=9.0, D_G_z=0.05), hint
    hint = "for D(G(z)) of 0.11 -log is 2.2, and a loss of 1.0 is 1.2 nats too low: the margin below -log is 1 nat."
    yield gives(1, loss_G=1.0, D_G_z=0.11), hint


@exercise("06.3")
def mean_difference(answer):
    face, other = np.random.default_rng(6).integers(0, 256, (2, 8, 8, 3)).astype(float)
    got = answer(np.stack([face, face, face]))
    yield np.ndim(got) == 0 and not isinstance(got, str), "return one number, the mean over all pairs."
    yield is_close(got, 0.0), "three times the same face: each pair has r = 1, so the answer is 0."
    holds = is_close(answer(np.stack([face, 0.2 * face + 100])), 0.0)
    yield holds, "a paler copy is not a different face: take the correlation, which ignores contrast."
    hint = "for a face and its negative r is -1 and the answer 2: a face and itself are not a pair, drop the diagonal."
    yield is_close(answer(np.stack([face, 255 - face])), 2.0), hint
    hint = "a face, its copy and its negative make three pairs, with 0, 2 and 2: take all pairs, not only neighbours."
    yield is_close(answer(np.stack([face, face, 255 - face])), 4 / 3), hint
    holds = is_close(answer(np.stack([face, other])), 1 - np.corrcoef(face.ravel(), other.ravel())[0, 1])
    yield holds, "r compares all pixels and colours of two faces: make one long row of numbers of each face."


@exercise("06.4")
def cured(answer):
    yield from two_runs(answer, "failed, cured, name of the setting")
    failed, healed, name = answer
    yield from one_difference(failed, healed, name)
    yield len(diagnose(failed).findings) > 0, "diagnose finds nothing in your failed run: make it worse."
    batches, enough = len(healed.history["loss_D"]), min(MIN_BATCHES, len(failed.history["loss_D"]))
    yield batches >= enough, f"your cured run has {batches} batches, too few for diagnose: train for {enough} or more."
    left = [finding.name for finding in diagnose(healed).findings]
    yield not left, f"diagnose still finds {', '.join(left)} in your cured run: try another setting."


def _history(loss_G: float, D_G_z: list[float]) -> dict[str, np.ndarray]:
    """A history in which the loss of G is the same in every batch."""
    history = history_of({1: [(0.9, verdict) for verdict in D_G_z]})
    return {**history, "loss_G": np.full(len(D_G_z), loss_G)}
