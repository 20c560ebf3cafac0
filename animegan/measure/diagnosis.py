"""What went wrong in a run: its history and its last grid, checked for five known failures.

Notebook 06 causes each of them on purpose and cures it. Every limit below lies between the figures of failing runs and
those of healthy ones, on drawn and real faces, at several sizes and seeds; beside it stand the nearest of both.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from animegan.config import QUICK
from animegan.errors import UserError
from animegan.grids import cells
from animegan.language import translated
from animegan.measure.signals import bounds_of_loss_D, excess_of_loss_G, pattern, variety
from animegan.recipes import Recipe
from animegan.runs import Run

NOTEBOOK = "06_when_training_fails.ipynb"
SECTIONS = {  # of the notebook, by failure; what comes first is to be fixed first
    "learning rate too high": "4 Learning rate too high",
    "BatchNorm on a mixed batch": "5 BatchNorm on a mixed batch",
    "D has won": "1 D has won",
    "mode collapse": "2 Mode collapse",
    "checkerboard": "3 Checkerboard",
}

FIRST_BATCHES = 20  # in which Adam's steps are as long as the learning rate allows
LAST_PART = 4  # the last quarter of the batches: where the run has arrived, and enough of them for a mean
MIN_BATCHES = 150  # before, even healthy grids are blots: at 128 batches up to 2.9 times as patterned as real faces

MAX_OVERSHOOT = 2.0  # times the loss of a guess. failing (lr 0.01 and 0.02): 2.1 and more; healthy: up to 1.5
MIN_EXCESS = -1.0  # nats. failing: -2.3 and less; healthy: 0 and more
NEAR_BEST = 0.04  # of the way from D's best loss to that of a guess: both its verdicts are right by about 97 %
MAX_CERTAIN = 0.6  # of the batches. failing: 0.77 and more; healthy: up to 0.1; mixed batch: 0.4 to 0.75
MIN_VARIETY = 0.33  # of that of real faces. beta1 0.95: up to 0.2; healthy: weak ones from 0.37
MAX_PATTERN = 2.5  # times that of real faces. handout: 3.3 and more (D's victory: from 2.2); healthy: up to 1.9
MIN_PEAK = 4.0  # times the periods beside it; noise is strong at this period too, but has 1. failing: 10 and more
MIN_REAL = 0.01  # of variety, and of pattern in grey levels: below, real faces cannot serve for comparison
MAX_SHOWN = 1000  # above, a larger figure says nothing more


class Check(NamedTuple):
    """A failure by its name, whether the run has it, the figures that show it or rule it out, and what to try.

    If `failing` is None, `evidence` says why it was not checked.
    """

    name: str
    failing: bool | None
    evidence: str
    cure: str = ""

    @property
    def link(self) -> str:
        """Where notebook 06 explains it, relative to the folder of the notebooks."""
        return f"{NOTEBOOK}#{SECTIONS[self.name].replace(' ', '-')}"


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found: one line for all of it, and the findings, first what is to be fixed first."""

    summary: str
    findings: tuple[Check, ...] = ()

    def __str__(self) -> str:
        lines = [translated(self.summary)]
        for number, finding in enumerate(self.findings, 1):
            lines.append(f"  {number} " + translated(f"{finding.name}: {finding.evidence}"))
            lines.append("    " + translated(f"try: {finding.cure}"))
            lines.append("    " + translated(f"see: notebooks/{finding.link}"))
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [translated(self.summary), ""]
        for finding in self.findings:
            name, evidence, cure = map(translated, (finding.name, finding.evidence, finding.cure))
            lines.append(f"1. **[{name}]({finding.link})**: {evidence}<br>{translated('*Try*')} {cure}")
        return "\n".join(lines)


def diagnose(run: Run) -> Diagnosis:
    """Name the likely failures of a run, each with its evidence.

    The history shows whether the first batches overshot, whether G's loss contradicts D's verdicts, and whether D is
    certain all the time; the last grid, compared with the real one, whether all faces are alike, and whether a pattern
    lies over them. What a run lacks is not checked, and the summary says so. No findings does not mean good faces: only
    looking at them can tell. Raises UserError for a run that cannot be read.
    """
    history, recipe = run.history, run.recipe
    batches, name = len(history["loss_D"]), run.path.resolve().name
    bounds = bounds_of_loss_D(recipe.loss, recipe.label_smoothing)
    checks = [_first_losses(run, history, bounds, recipe), _contradiction(history, recipe)]
    checks += [_certainty(run, history, bounds), *_faces(run, batches, recipe)]
    findings = tuple(check for check in checks if check.failing)
    length = f"{batches:,} batch{'es' * (batches != 1)}"
    if findings:
        order = ": fix the first one first, the others often follow from it" if len(findings) > 1 else ""
        verdict = f"found {len(findings)} of the five failures in {length}{order}{_unchecked(checks)}"
    elif batches < MIN_BATCHES:
        verdict = f"too short to judge: {length}, and {MIN_BATCHES} are needed"
    else:
        figures = [check.evidence for check in checks if check.failing is not None]
        count = len(figures)
        all_of = "five failures" if count == len(checks) else f"{count} of five failures that can be checked"
        verdict = f"none of the {all_of} in {length} ({'; '.join(figures)}){_unchecked(checks)}"
    return Diagnosis(f"{name}: {verdict}", findings)


def _unchecked(checks: list[Check]) -> str:
    """The checks that could not be made, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.failing is None:
            reasons.setdefault(check.evidence, []).append(check.name)
    groups = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    return f"; not checked: {groups}" if groups else ""


def _cure(options: dict[str, bool]) -> str:
    """A new run with one of the options, {option: whether this run lacks it}."""
    return f"a new run with {', or '.join(option for option, is_lacking in options.items() if is_lacking)}"


def _first_losses(run: Run, history: dict, bounds: tuple[float, float], recipe: Recipe) -> Check:
    """Whether D overshot in the first batches, or training was stopped because a loss was no longer a number."""
    losses, diverged = history["loss_D"][:FIRST_BATCHES], run.diverged
    if not len(losses) and not diverged:
        return Check("learning rate too high", None, "there is no batch yet")
    overshoot = losses.max(initial=0) / bounds[1]
    evidence = f"first losses of D up to {overshoot:.1f} times that of a guess"
    if overshoot > MAX_OVERSHOOT:
        evidence += f" (with a suitable rate: below {MAX_OVERSHOOT:g})"
    lr, lr_D = run.config.lr, recipe.lr_D
    cure = {
        f"a smaller --set lr_D than {lr_D:g}": lr_D > 1,
        f"a smaller --lr than {lr:g}: 0.0002 is usual, 0.0004 for small networks": lr_D <= 1 or lr > QUICK["lr"],
    }
    is_failing = bool(diverged or overshoot > MAX_OVERSHOOT)
    return Check("learning rate too high", is_failing, diverged or evidence, _cure(cure))


def _contradiction(history: dict, recipe: Recipe) -> Check:
    """Whether G's loss is lower than D's verdicts on the same fakes allow."""
    name, excesses = "BatchNorm on a mixed batch", excess_of_loss_G(history)
    if recipe.loss == "hinge":
        return Check(name, None, "with the hinge loss, G's loss is not -log D(G(z))")
    if len(excesses) < FIRST_BATCHES:
        return Check(name, None, f"it needs {FIRST_BATCHES} batches")
    excess = np.median(excesses[_last(history)])
    evidence = f"loss of G {abs(excess):.1f} nats {'above' if excess >= 0 else 'below'} -log D(G(z))"
    if excess >= MIN_EXCESS:
        return Check(name, False, evidence)
    evidence += ", which is impossible if D judges the same fakes alike in its own step and in G's"
    cure = f"{_cure({'--set mixed_batch=false': True})}: real and fake in separate batches"
    return Check(name, True, evidence, cure)


def _certainty(run: Run, history: dict, bounds: tuple[float, float]) -> Check:
    """Whether D is near its best all the time."""
    last, (best, guess), config = _last(history), bounds, run.config
    if len(history["loss_D"]) < MIN_BATCHES:
        return Check("D has won", None, f"it needs {MIN_BATCHES} batches")
    certain = np.mean(history["loss_D"][last] < best + NEAR_BEST * (guess - best))
    evidence = f"D certain in {certain:.0%} of the last {len(history['loss_D'][last]):,} batches"
    if certain <= MAX_CERTAIN:
        return Check("D has won", False, evidence)
    D_x, D_G_z, loss_G = (history[column][last].mean() for column in ("D_x", "D_G_z", "loss_G"))
    evidence += f": D(x) {D_x:.3f}, D(G(z)) {D_G_z:.3f}, loss of G {loss_G:.1f}"
    cure = {"--recipe stable": config.recipe == "handout", "an --ndf not above --ngf": config.ndf > config.ngf}
    return Check("D has won", True, evidence, _cure({**cure, "more images": True}))


def _last(history: dict) -> slice:
    batches = len(history["loss_D"])
    return slice(batches - batches // LAST_PART, None)


def _faces(run: Run, batches: int, recipe: Recipe) -> list[Check]:
    """Whether all faces are alike, and whether a pattern lies over them."""
    try:
        fakes, reals = _last_faces(run, batches)
    except UserError as error:
        return [Check(name, None, str(error).rstrip(".")) for name in ("mode collapse", "checkerboard")]

    is_stable = run.config.recipe != "handout"
    ratio = variety(fakes) / variety(reals)
    evidence = f"two faces {ratio:.2f} times as different as two real ones"
    if ratio < MIN_VARIETY:
        evidence += f" (not collapsed: above {MIN_VARIETY:g})"
    cure = _cure({"--beta1 0.5": run.config.beta1 > 0.5, "--recipe stable": not is_stable, "more images": True})
    cure += "; an earlier epoch may still have its faces"
    alike = Check("mode collapse", ratio < MIN_VARIETY, evidence, cure)

    (strength, peak), (usual, _) = pattern(fakes), pattern(reals)
    evidence = f"a pattern of 3 pixels {strength / usual:.1f} times as strong as in real ones"
    if is_patterned := strength > MAX_PATTERN * usual and peak > MIN_PEAK:
        times = f"{peak:.0f}" if peak <= MAX_SHOWN else f"more than {MAX_SHOWN:,}"
        evidence += f", with {times} times the power of the periods beside it"
    cure = {"--recipe stable": not is_stable, "--set enlarge=resize": recipe.enlarge != "resize", "more epochs": True}
    return [alike, Check("checkerboard", is_patterned, evidence, _cure(cure))]


def _last_faces(run: Run, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """The faces of the last grid and the real ones; UserError, with the reason, if they cannot be compared."""
    if batches < MIN_BATCHES:
        raise UserError(f"it needs {MIN_BATCHES} batches")
    if not run.epochs:
        raise UserError("there is no grid")
    fakes, reals = cells(run.grid(run.epochs[-1])), cells(run.reals)
    if min(len(fakes), len(reals)) < 2:
        raise UserError("it needs two faces, and two real ones")
    if min(variety(reals), pattern(reals)[0]) < MIN_REAL:
        raise UserError("the real images are blank, or all the same")
    return fakes, reals
