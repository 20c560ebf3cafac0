"""What went wrong in a run: its history and its last grid, held against five failures that are known.

Notebook 06 makes each of them on purpose and cures it. Every limit below lies between what failing runs measured and
what healthy ones did, on drawn and on real faces, at several sizes and seeds; beside it stand the nearest of both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from animegan.config import QUICK
from animegan.errors import UserError
from animegan.grids import cells
from animegan.measure.signals import bounds_of_loss_D, excess_of_loss_G, pattern, variety
from animegan.runs import Run

NOTEBOOK = "06_when_training_fails.ipynb"
SECTIONS = {  # of the notebook, by failure; what comes first is to be mended first
    "learning rate too high": "4 Learning rate too high",
    "BatchNorm on a mixed batch": "5 BatchNorm on a mixed batch",
    "D has won": "1 D has won",
    "mode collapse": "2 Mode collapse",
    "checkerboard": "3 Checkerboard",
}

FIRST_STEPS = 20  # in which Adam's steps are as long as the learning rate allows
LAST_PART = 4  # a fourth of the steps, the last ones: what the run has come to, and enough of them for a mean
MIN_STEPS = 150  # before, healthy grids are blots: at 128 steps up to 2.9 times as patterned as real faces

MAX_OVERSHOOT = 3.0  # times the loss of a guess. failing (lr 0.01 and 0.02): 3.9 and more; healthy: up to 1.5
MIN_EXCESS = -1.0  # nats. failing: -2.3 and less; healthy: 0 and more
NEAR_BEST = 0.1  # of the way from D's best loss to that of a guess: both its verdicts are right by about 93 %
MAX_CERTAIN = 0.7  # of the steps. failing: 0.78 and more; healthy: up to 0.12, drifting: up to 0.6
MIN_VARIETY = 0.33  # of that of real faces. beta1 0.95: up to 0.1 on 256 faces; healthy: weak ones from 0.37
MAX_PATTERN = 2.5  # times that of real faces. handout: 3.3 and more (D's victory: from 2.2); healthy: up to 1.9
MIN_PEAK = 4.0  # times the periods beside it; noise is strong at this period too, but 1. failing: 10 and more
MIN_REAL = 0.01  # of variety, and of pattern in grey levels: below, real faces are nothing to compare with
MAX_TOLD = 1000  # above, a figure says no more


@dataclass(frozen=True)
class Finding:
    """A failure by its name, the figures that tell it, what to try, and where notebook 06 explains it.

    The link is as seen from a notebook.
    """

    name: str
    evidence: str
    cure: str
    link: str


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found, that which is to be mended first at the head; `summary` is one line for all of it."""

    summary: str
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        lines = [self.summary]
        for number, finding in enumerate(self.findings, 1):
            lines.append(f"  {number} {finding.name}: {finding.evidence}")
            lines += [f"    try: {finding.cure}", f"    see: notebooks/{finding.link}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        items = [f"1. **[{f.name}]({f.link})**: {f.evidence}<br>*Try* {f.cure}" for f in self.findings]
        return "\n".join([self.summary, "", *items])


class Check(NamedTuple):
    """What one check says: in a few words its figure, or, where `failing` is None, why it could not be made."""

    failure: str
    failing: bool | None
    told: str
    cure: str = ""


def diagnose(run: Run) -> Diagnosis:
    """Name the likely failures of a run, each with its evidence.

    The history tells whether the first steps overshot, whether G's loss contradicts D's verdicts, and whether D is
    certain all the time; the last grid, held against the real one, whether all faces are alike, and whether a pattern
    lies over them. What a run has not got is not checked, and the summary says so. Where nothing is found the faces
    need not be good: only looking at them tells.
    Raises UserError for a run that cannot be read.
    """
    history = run.history
    steps, name = len(history["loss_D"]), run.path.resolve().name
    ingredients = asdict(run.recipe)
    bounds = bounds_of_loss_D(ingredients["loss"], ingredients["label_smoothing"])
    signs = [
        _first_losses(run, history, bounds, ingredients),
        _contradiction(history, ingredients),
        _certainty(run, history, bounds),
        *_signs_of_faces(run, steps, ingredients),
    ]
    findings = tuple(
        Finding(sign.failure, sign.told, sign.cure, f"{NOTEBOOK}#{SECTIONS[sign.failure].replace(' ', '-')}")
        for sign in signs
        if sign.failing
    )
    length = f"{steps:,} step{'s' * (steps != 1)}"
    if findings:
        order = ": mend the first one first, the others often follow from it" if len(findings) > 1 else ""
        said = f"found {len(findings)} of the five failures in {length}{order}{_unchecked(signs)}"
    elif steps < MIN_STEPS:
        said = f"too short to judge: {length}, and it takes {MIN_STEPS} to tell"
    else:
        fine = [sign.told for sign in signs if sign.failing is not None]
        of = "five failures" if len(fine) == len(signs) else f"{len(fine)} of five failures that could be checked"
        said = f"none of the {of} in {length} ({'; '.join(fine)}){_unchecked(signs)}"
    return Diagnosis(f"{name}: {said}", findings)


def _unchecked(signs: list[Check]) -> str:
    """The checks that could not be made, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for sign in signs:
        if sign.failing is None:
            reasons.setdefault(sign.told, []).append(sign.failure)
    told = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    return f"; not checked: {told}" if told else ""


def _cure(options: dict[str, bool]) -> str:
    """A new run with one of these options, of those that it lacks."""
    return f"a new run with {', or '.join(option for option, is_lacking in options.items() if is_lacking)}"


def _first_losses(run: Run, history: dict, bounds: tuple[float, float], ingredients: dict) -> Check:
    """Whether D's first steps overshot, or training was stopped since a loss was no number any more."""
    losses, diverged = history["loss_D"][:FIRST_STEPS], run.diverged
    if not len(losses) and not diverged:
        return Check("learning rate too high", None, "there is no step yet")
    overshoot = losses.max(initial=0) / bounds[1]
    told = f"first losses of D up to {overshoot:.1f} times that of a guess"
    if overshoot > MAX_OVERSHOOT:
        told += f" (a fitting rate: below {MAX_OVERSHOOT:g})"
    lr, lr_D = run.config.lr, ingredients["lr_D"]
    cure = {
        f"a smaller --set lr_D than {lr_D:g}": lr_D > 1,
        f"a smaller --lr than {lr:g}: 0.0002 is usual, 0.0004 for small networks": lr_D <= 1 or lr > QUICK["lr"],
    }
    is_failing = bool(diverged or overshoot > MAX_OVERSHOOT)
    return Check("learning rate too high", is_failing, diverged or told, _cure(cure))


def _contradiction(history: dict, ingredients: dict) -> Check:
    """Whether G's loss is lower than D's verdicts on the same fakes allow."""
    name, excess = "BatchNorm on a mixed batch", excess_of_loss_G(history)
    if ingredients["loss"] == "hinge":
        return Check(name, None, "with the hinge loss, G is not paid in -log D(G(z))")
    if len(excess) < FIRST_STEPS:
        return Check(name, None, f"it takes {FIRST_STEPS} steps")
    excess = np.median(excess[_last(history)])
    told = f"loss of G {abs(excess):.1f} nats {'above' if excess >= 0 else 'below'} -log D(G(z))"
    if excess >= MIN_EXCESS:
        return Check(name, False, told)
    told += ", which cannot be if D judges the same fakes alike in both steps"
    return Check(name, True, told, f"{_cure({'--set mixed_batch=false': True})}: real and fake in batches of their own")


def _certainty(run: Run, history: dict, bounds: tuple[float, float]) -> Check:
    """Whether D is nearly at its best all the time."""
    last, (best, guess), config = _last(history), bounds, run.config
    if len(history["loss_D"]) < MIN_STEPS:
        return Check("D has won", None, f"it takes {MIN_STEPS} steps")
    certain = np.mean(history["loss_D"][last] < best + NEAR_BEST * (guess - best))
    told = f"D certain in {certain:.0%} of the last {len(history['loss_D'][last]):,} steps"
    if certain <= MAX_CERTAIN:
        return Check("D has won", False, told)
    D_x, D_G_z, loss_G = (history[column][last].mean() for column in ("D_x", "D_G_z", "loss_G"))
    cure = {
        "--recipe stable": config.recipe != "stable",
        "an --ndf not above --ngf": config.ndf > config.ngf,
        "more pictures": True,
    }
    return Check("D has won", True, f"{told}: D(x) {D_x:.3f}, D(G(z)) {D_G_z:.3f}, loss of G {loss_G:.1f}", _cure(cure))


def _last(history: dict) -> slice:
    steps = len(history["loss_D"])
    return slice(steps - steps // LAST_PART, None)


def _signs_of_faces(run: Run, steps: int, ingredients: dict) -> list[Check]:
    """Whether all faces are alike, and whether a pattern lies over them."""
    try:
        fakes, reals = _last_faces(run, steps)
    except UserError as error:
        return [Check(name, None, str(error).rstrip(".")) for name in ("mode collapse", "checkerboard")]

    ratio = variety(fakes) / variety(reals)
    told = f"two faces {ratio:.2f} times as different as two real ones"
    is_stable = run.config.recipe == "stable"
    cure = {"--beta1 0.5": run.config.beta1 > 0.5, "--recipe stable": not is_stable, "more pictures": True}
    alike = Check("mode collapse", False, told)
    if ratio < MIN_VARIETY:
        told += f" (not collapsed: above {MIN_VARIETY:g})"
        alike = Check(alike.failure, True, told, f"{_cure(cure)}; an earlier epoch may still have its faces")

    (strength, peak), (usual, _) = pattern(fakes), pattern(reals)
    told = f"a pattern of 3 pixels {strength / usual:.1f} times as strong as in real ones"
    cure = {
        "--recipe stable": not is_stable,
        "--set enlarge=resize": ingredients.get("enlarge") != "resize",
        "more epochs": True,
    }
    patterned = Check("checkerboard", False, told)
    if strength > MAX_PATTERN * usual and peak > MIN_PEAK:
        times = f"{peak:.0f}" if peak <= MAX_TOLD else f"more than {MAX_TOLD:,}"
        told += f", with {times} times the power of those beside it"
        patterned = Check(patterned.failure, True, told, _cure(cure))
    return [alike, patterned]


def _last_faces(run: Run, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The faces of the last grid and the real ones; UserError, which says why, where they cannot be compared."""
    if steps < MIN_STEPS:
        raise UserError(f"it takes {MIN_STEPS} steps")
    if not run.epochs:
        raise UserError("there is no grid")
    fakes, reals = cells(run.grid(run.epochs[-1])), cells(run.reals)
    if min(len(fakes), len(reals)) < 2:
        raise UserError("it takes two faces, real ones too")
    if min(variety(reals), pattern(reals)[0]) < MIN_REAL:
        raise UserError("the real pictures are blank, or all of them one")
    return fakes, reals
