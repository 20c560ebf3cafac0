"""Numbers that tell one failure from another, measured on the losses and on the faces of a grid."""

import math

import numpy as np

CONTRAST = 1.0  # grey level: so small that only faces without any contrast become alike by it


def bounds_of_loss_D(loss: str | None = None, label_smoothing: float = 0.0) -> tuple[float, float]:
    """The lowest loss that D can reach, and the loss of a D that guesses: 0 and 1.386 nats for the handout's recipe.

    With smoothing s the best D says 1 - s for every real image and still pays the entropy of that verdict.
    """
    if loss == "hinge":
        return 0.0, 2.0
    best = -sum(p * math.log(p) for p in (label_smoothing, 1 - label_smoothing) if p > 0)
    return best, 2 * math.log(2)


def excess_of_loss_G(history: dict[str, np.ndarray]) -> np.ndarray:
    """How far G's loss lies above -log of the mean D(G(z)), in nats, one value per batch.

    It cannot stay negative: the loss of G is the mean of -log D(G(z)), which is at least -log of the mean (Jensen's
    inequality), and D has just got better at these fakes. It does if D judged them differently in its own step.
    """
    smallest = np.finfo(np.float32).tiny  # a verdict that was rounded to 0
    return history["loss_G"] + np.log(np.maximum(history["D_G_z"], smallest))


def variety(faces: np.ndarray) -> float:
    """How different two faces are on average: 1 - their correlation, over all pairs; 0 if all are alike.

    faces: [N, H, W, 3], at least two, 0 to 255. Each is first averaged over squares of 8x8 pixels, so that fine noise
    does not count as variety, and scaled to mean 0 and length 1, so that brightness and contrast do not either. Drawn
    faces have 0.75, real ones 0.71.
    """
    count, height, width, _ = faces.shape
    coarse = faces.reshape(count, height // 8, 8, width // 8, 8, 3).mean((2, 4))
    vectors = (coarse - coarse.mean((1, 2, 3), keepdims=True)).reshape(count, -1)
    vectors = np.hstack([vectors, np.full((count, 1), CONTRAST)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    together = np.square(vectors.sum(0)).sum() - np.square(vectors).sum()  # products of two different faces
    return float(1 - together / (count * (count - 1)))


def pattern(faces: np.ndarray) -> tuple[float, float]:
    """What repeats every three pixels, the stride of NetG's last layer: its strength, and how far it stands out.

    faces: [N, S, S, 3], S divisible by 3. The strength is in grey levels, root mean square, the mean of both
    directions. It stands out by its power divided by that of the periods beside it (2.5 to 3.7 pixels), 1 for none.
    Source: Odena, Dumoulin and Olah 2016 show the pattern and its cause; its power, e.g. Durall et al. 2020.
    """
    size = faces.shape[1]
    faces = faces - faces.mean((1, 2), keepdims=True)
    down, across = (np.square(np.abs(np.fft.rfft(faces, axis=axis))).mean((0, 3 - axis, 3)) for axis in (1, 2))
    power = (down + across) / 2  # by waves per side
    third = size // 3
    strength = math.sqrt(2 * power[third - 1 : third + 2].sum()) / size  # a varying pattern leaks to both sides
    # Beyond that leak, and on both sides, since the power of an image falls steadily with the frequency.
    near = np.concatenate([power[third - 6 : third - 2], power[third + 3 : third + 7]]).mean()
    return strength, float(power[third] / near) if near else 1.0
