"""Whether a generator repeats what it learnt from: the nearest neighbours of its fakes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from animegan.data import to_unit
from animegan.errors import UserError
from animegan.measure.classifier import face_classifier

SIDE = (
    24  # pixels a side in which two pictures are compared: fine enough for a face, and shifts of a pixel are forgiven
)


class Neighbours(NamedTuple):
    """The nearest training picture of each fake.

    `nearest` [N] are its numbers, `distances` [N] how far it is; `usual` [M] are the distances of real pictures that
    were not learnt from to their nearest training picture: what is near without being a copy.
    """

    nearest: Tensor
    distances: Tensor
    usual: Tensor

    @property
    def copies(self) -> float:
        """The share of fakes, 0..1, that are nearer to a training picture than 99 of 100 unseen real ones are."""
        return (self.distances < self.usual.quantile(0.01)).float().mean().item()


def neighbours(
    fakes: Tensor | np.ndarray, learnt: Tensor | np.ndarray, unseen: Tensor | np.ndarray, by: str = "pixels"
) -> Neighbours:
    """Find for each fake the nearest of the pictures that were learnt from; all [N, 3, 96, 96], N as it comes.

    by: "pixels", the root mean squared difference (of values 0..255) at SIDE x SIDE pixels, or "features", the
    distance in what the face classifier sees. A mirrored copy counts as a copy.
    """
    if by not in _SEEN:
        raise UserError(f"by {by!r} is not known: choose {' or '.join(_SEEN)}.")
    wanted = [_seen(pictures, by) for pictures in (fakes, unseen)]
    searched = [_seen(learnt, by), _seen(learnt, by, mirrored=True)]
    found = [torch.stack([torch.cdist(points, side) for side in searched]).amin(0).min(1) for points in wanted]
    scale = wanted[0].shape[1] ** 0.5 if by == "pixels" else 1
    return Neighbours(found[0].indices, found[0].values / scale, found[1].values / scale)


def _seen(pictures: Tensor | np.ndarray, by: str, mirrored: bool = False) -> Tensor:
    """What is compared of each picture, [N, values]; in parts, as floats take four times the room of bytes."""
    parts = (pictures[start : start + 1024] for start in range(0, len(pictures), 1024))
    return torch.cat([_SEEN[by](_bytes(part).flip(3) if mirrored else _bytes(part)) for part in parts])


def _bytes(pictures: Tensor | np.ndarray) -> Tensor:
    """As values 0..255."""
    pictures = torch.as_tensor(np.asarray(pictures))
    return pictures.float() if pictures.dtype == torch.uint8 else (pictures + 1) * 127.5


_SEEN = {
    "pixels": lambda pictures: F.interpolate(pictures, size=SIDE, mode="area").flatten(1),
    "features": lambda pictures: face_classifier().read(to_unit(pictures))[0],
}
