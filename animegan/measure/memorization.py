"""Whether a generator copies training images: the nearest neighbours of its fakes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from animegan.data import to_unit
from animegan.errors import UserError
from animegan.measure.classifier import face_classifier

Images = Tensor | np.ndarray
SIDE = 24  # pixels a side in which images are compared: fine enough for a face, and shifts of a pixel are forgiven


class Neighbours(NamedTuple):
    """The nearest training image of each fake; as text, the distances in figures.

    `nearest` [N] are its numbers, `distances` [N] how far it is; `usual` [M] are the distances from unseen real images
    to their nearest training image: what is near without being a copy. `by` and `searched` say how and among how many
    training images the search was done, `words` what the unseen images are.
    """

    nearest: Tensor
    distances: Tensor
    usual: Tensor
    by: str = "pixels"
    searched: int = 0
    words: str = ""

    @property
    def copies(self) -> float:
        """The share of fakes, 0..1, that are nearer to a training image than 99 of 100 unseen real images are."""
        return (self.distances < self.usual.quantile(0.01)).float().mean().item()

    def __str__(self) -> str:
        lines = [f"distance in {self.by} to the nearest of {self.searched:,} training images, mirrored or not", ""]
        lines += [f"{'':12} {'how many':>8} {'smallest':>8} {'1 in 100':>8} {'median':>8}"]
        for name, distances in (("fakes", self.distances), ("other reals", self.usual)):
            figures = distances.quantile(torch.tensor([0, 0.01, 0.5])).tolist()
            lines.append(f"{name:12} {len(distances):8,} " + " ".join(f"{figure:8.1f}" for figure in figures))
        lines += ["", f"other reals are {self.words}"] if self.words else [""]
        return "\n".join([*lines, f"copies, nearer than 99 of 100 other reals: {self.copies:.1%} of the fakes"])


def neighbours(fakes: Images, training: Images, unseen: Images, by: str = "pixels", words: str = "") -> Neighbours:
    """Find the nearest training image of each fake; all [N, 3, 96, 96], uint8 or in [-1, 1], each N its own.

    by: "pixels", the root mean squared difference (of values 0..255) at SIDE x SIDE pixels, or "features", the
    distance in what the face classifier sees. A mirrored copy counts as a copy. words: what the unseen images are, for
    the text: `References.explanation`.
    """
    if by not in _DESCRIBE:
        raise UserError(f"by {by!r} is not known: choose {' or '.join(_DESCRIBE)}.")
    wanted = [_points(images, by) for images in (fakes, unseen)]
    searched = [_points(training, by), _points(training, by, mirrored=True)]
    found = [torch.stack([torch.cdist(points, side) for side in searched]).amin(0).min(1) for points in wanted]
    scale = wanted[0].shape[1] ** 0.5 if by == "pixels" else 1
    return Neighbours(found[0].indices, found[0].values / scale, found[1].values / scale, by, len(training), words)


def _points(images: Images, by: str, mirrored: bool = False) -> Tensor:
    """What is compared of each image, [N, values]; in parts, since floats take four times the memory of bytes."""
    parts = (_levels(images[start : start + 1024]) for start in range(0, len(images), 1024))
    return torch.cat([_DESCRIBE[by](part.flip(3) if mirrored else part) for part in parts])


def _levels(images: Images) -> Tensor:
    """As float values 0..255."""
    images = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    return images.float() if images.dtype == torch.uint8 else (images + 1) * 127.5


_DESCRIBE: dict[str, Callable[[Tensor], Tensor]] = {
    "pixels": lambda images: F.interpolate(images, size=SIDE, mode="area").flatten(1),
    "features": lambda images: face_classifier().read(to_unit(images))[0],
}
