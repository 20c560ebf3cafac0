"""What went wrong in a run: its history and its last grid, held against five failures that are known.

Notebook 06 makes each of them on purpose and cures it. Every limit below lies between what failing runs measured and
what healthy ones did, on drawn and on real faces, at several sizes and seeds; beside it stand the nearest of both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from animegan.runs import GRID_GAP, Run

NOTEBOOK = "06_when_training_fails.ipynb"
LEAST_STEPS = 150  # before, healthy grids are blots: at 128 steps up to 2.9 times as patterned as real faces
FIRST_STEPS = 20  # in which Adam's steps are as long as the learning rate allows
LAST_PART = 4  # a fourth of the steps, the last ones

MOST_OVERSHOOT = 3.0  # times the loss of a guess. failing: 4.9 and more; healthy: up to 1.5
LEAST_EXCESS = -1.0  # nats. failing: -2.8 and less; healthy: 0 and more
NEAR_BEST = 0.1  # of the way from D's best loss to that of a guess
MOST_CERTAIN = 0.7  # of the steps. failing: 0.78 and more; healthy: up to 0.12, drifting: up to 0.59
LEAST_VARIETY = 0.33  # of that of real faces. failing: up to 0.23; healthy: mostly 0.6 and more, weak ones from 0.37
MOST_PATTERN = 2.5  # times that of real faces. failing: 3.3 and more; healthy: up to 1.9
LEAST_PEAK = 4.0  # times the periods beside it, else it is noise and no pattern. failing: 10 and more; noise: 1


@dataclass(frozen=True)
class Finding:
    """A failure by its name, the figures that tell it, what to try, and where notebook 06 explains it."""

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
            lines += [f"    try: {finding.cure}", f"    see: {finding.link}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        items = [f"1. **[{f.name}]({f.link})**: {f.evidence}<br>*Try* {f.cure}" for f in self.findings]
        return "\n".join([self.summary, "", *items])


def diagnose(run: Run) -> Diagnosis:
    """Name the likely failures of a run, each with its evidence.

    The history tells whether the first steps overshot, whether G's loss contradicts D's verdicts, and whether D is
    certain all the time; the last grid, held against the real one, whether all faces are alike, and whether a pattern
    lies over them. Where nothing is found the faces need not be good: only looking at them tells.
    Raises UserError for a run that cannot be read.
    """
    history = run.history
    steps, name = len(history["loss_D"]), run.path.name
    signs = [*_signs_of_history(run, history), *_signs_of_pictures(run, steps)]
    if findings := tuple(sign for sign in signs if isinstance(sign, Finding)):
        order = ": mend the first one first, the others often follow from it" if len(findings) > 1 else ""
        return Diagnosis(f"{name}: {len(findings)} of five failures, after {steps:,} steps{order}", findings)
    if steps < LEAST_STEPS:
        return Diagnosis(f"{name}: too short to judge: {steps} steps, and it takes {LEAST_STEPS} to tell")
    return Diagnosis(f"{name}: none of the five failures in {steps:,} steps ({'; '.join(signs)})")


def _signs_of_history(run: Run, history: dict[str, np.ndarray]) -> Iterator[Finding | str]:
    """Of each failure that a history can tell: the finding, or in a few words the figure that speaks against it."""
    ingredients, steps = run.info.get("ingredients", {}), len(history["loss_D"])
    loss, smoothing = ingredients.get("loss"), ingredients.get("label_smoothing", 0.0)
    best, guess = bounds_of_loss_D(loss, smoothing)
    last = slice(steps - steps // LAST_PART, None)

    overshoot = history["loss_D"][:FIRST_STEPS].max(initial=0) / guess
    told = f"first losses of D up to {overshoot:.1f} times that of a guess"
    if run.info.get("diverged") or overshoot > MOST_OVERSHOOT:
        yield Finding(
            "learning rate too high",
            run.info.get("diverged") or f"{told} (a fitting rate: below {MOST_OVERSHOOT:g})",
            f"a new run with a smaller --lr than {run.config.lr:g}: 0.0002 is usual, 0.0004 for small networks",
            _link("4 Learning rate too high"),
        )
    elif steps:
        yield told

    if steps < LAST_PART:
        return
    if loss != "hinge":  # whose G is not paid in -log D(G(z))
        excess = np.median(excess_of_loss_G(history)[last])
        told = f"loss of G {abs(excess):.1f} nats {'above' if excess >= 0 else 'below'} -log D(G(z))"
        if excess < LEAST_EXCESS:
            yield Finding(
                "BatchNorm on a mixed batch",
                f"{told}, which cannot be if D judges the same fakes alike in both steps",
                "--set mixed_batch=false: D judges real and fake pictures in batches of their own",
                _link("5 BatchNorm on a mixed batch"),
            )
        else:
            yield told

    if steps < LEAST_STEPS:
        return
    certain = np.mean(history["loss_D"][last] < best + NEAR_BEST * (guess - best))
    told = f"D certain in {certain:.0%} of the last {steps // LAST_PART:,} steps"
    if certain > MOST_CERTAIN:
        D_x, D_G_z = (history[column][last].mean() for column in ("D_x", "D_G_z"))
        yield Finding(
            "D has won",
            f"{told}: D(x) {D_x:.2f}, D(G(z)) {D_G_z:.2f}, loss of G {history['loss_G'][last].mean():.1f}",
            "--recipe stable, a smaller --ndf than --ngf, more pictures",
            _link("1 D has won"),
        )
    else:
        yield told


def _signs_of_pictures(run: Run, steps: int) -> Iterator[Finding | str]:
    """The same of each failure that only the last grid can tell."""
    if steps < LEAST_STEPS or not run.epochs:
        return
    fakes, reals = cells(run.grid(run.epochs[-1])), cells(run.reals)
    ratio = variety(fakes) / variety(reals)
    told = f"two faces {ratio:.2f} times as different as two real ones"
    if ratio < LEAST_VARIETY:
        yield Finding(
            "mode collapse",
            f"{told} (not collapsed: above {LEAST_VARIETY:g})",
            "--beta1 0.5, --recipe stable, more pictures; an earlier epoch may still have its faces",
            _link("2 Mode collapse"),
        )
    else:
        yield told

    (strength, peak), (usual, _) = pattern(fakes), pattern(reals)
    told = f"a pattern of 3 pixels {strength / usual:.1f} times as strong as in real ones"
    if strength > MOST_PATTERN * usual and peak > LEAST_PEAK:
        yield Finding(
            "checkerboard",
            f"{told}, with {peak:.0f} times the power of those beside it",
            "--recipe stable, --set enlarge=resize, more epochs",
            _link("3 Checkerboard"),
        )
    else:
        yield told


def bounds_of_loss_D(loss: str | None = None, label_smoothing: float = 0.0) -> tuple[float, float]:
    """The lowest loss that D can reach, and that of a D that guesses: 0 and 1.386 nats for the handout's recipe.

    With smoothing s the best D says 1 - s on every real picture and still pays the entropy of that verdict.
    """
    if loss == "hinge":
        return 0.0, 2.0
    best = -sum(p * math.log(p) for p in (label_smoothing, 1 - label_smoothing) if p > 0)
    return best, 2 * math.log(2)


def excess_of_loss_G(history: dict[str, np.ndarray]) -> np.ndarray:
    """How far G's loss lies above -log of the mean D(G(z)), in nats, a value a step.

    It cannot be negative for long: the loss of G is the mean of -log D(G(z)), which is at least -log of the mean
    (Jensen's inequality), and D has just got better at these fakes. It is if D judged them otherwise in its own step.
    """
    smallest = np.finfo(np.float32).tiny  # a verdict that was rounded to 0
    return history["loss_G"] + np.log(np.maximum(history["D_G_z"], smallest))


def cells(grid: Image.Image, size: int = 96) -> np.ndarray:
    """The faces of a grid as float [N, size, size, 3], 0 to 255; cells that are left empty are no faces."""
    pixels = np.asarray(grid, dtype=np.float32)[GRID_GAP:, GRID_GAP:]
    pitch = size + GRID_GAP
    rows, columns = pixels.shape[0] // pitch, pixels.shape[1] // pitch
    found = pixels.reshape(rows, pitch, columns, pitch, 3)[:, :size, :, :size].swapaxes(1, 2)
    found = found.reshape(-1, size, size, 3)
    return found[found.min((1, 2, 3)) < 250]


def variety(faces: np.ndarray) -> float:
    """How different two faces are on average: 1 - their correlation, over all pairs; 0 where all are alike.

    faces: [N, H, W, 3], at least two. Each is first averaged over squares of 8x8 pixels, so that noise does not count
    for variety, and brought to mean 0 and length 1, so that brightness and contrast do not either. Drawn faces have
    0.75, real ones 0.71.
    """
    count, height, width, _ = faces.shape
    coarse = faces.reshape(count, height // 8, 8, width // 8, 8, 3).mean((2, 4))
    vectors = (coarse - coarse.mean((1, 2, 3), keepdims=True)).reshape(count, -1)
    vectors = np.hstack([vectors, np.ones((count, 1))])  # so small that only faces without any contrast are alike by it
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    together = np.square(vectors.sum(0)).sum() - np.square(vectors).sum()  # of all products of two different faces
    return float(1 - together / (count * (count - 1)))


def pattern(faces: np.ndarray) -> tuple[float, float]:
    """What repeats every three pixels, the stride of NetG's last layer: its strength, and how far it stands out.

    faces: [N, S, S, 3], S divisible by 3. The strength is in grey levels, root mean square, the mean of both
    directions; it stands out by its power over that of the periods beside it (between 2.5 and 3.7 pixels), 1 for none.
    Source: Odena, Dumoulin and Olah 2016 show the pattern and its cause; its power, e.g. Durall et al. 2020.
    """
    size = faces.shape[1]
    faces = faces - faces.mean((1, 2), keepdims=True)
    power = sum(np.square(np.abs(np.fft.rfft(faces, axis=axis))).mean((0, 3 - axis, 3)) for axis in (1, 2)) / 2
    third = size // 3  # waves a side
    near = np.concatenate([power[third - 6 : third - 2], power[third + 3 : third + 7]])
    strength = math.sqrt(2 * power[third - 1 : third + 2].sum()) / size
    return strength, float(power[third] / near.mean())


def _link(heading: str) -> str:
    """The section of notebook 06, by the anchor that JupyterLab and nbconvert both make of its heading."""
    return f"{NOTEBOOK}#{heading.replace(' ', '-')}"
