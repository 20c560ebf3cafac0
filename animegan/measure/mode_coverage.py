"""What a generator makes too seldom or never."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from animegan.errors import UserError
from animegan.measure.classifier import ATTRIBUTES, face_classifier

SELDOM = 0.5  # a value is made too seldom below this part of its share among real faces
CERTAIN = 3  # standard errors: of some 70 values hardly one is called seldom by chance
MIN_FACES = 64


class Share(NamedTuple):
    """How often one value of an attribute is read: `fake` and `real` are shares, 0..1."""

    attribute: str
    value: str
    fake: float
    real: float
    seldom: bool


@dataclass(frozen=True)
class Coverage(Sequence[Share]):
    """The shares of all values, read in `fakes` and `reals` faces; as text, those made too seldom, worst first."""

    shares: tuple[Share, ...]
    fakes: int
    reals: int

    def __getitem__(self, index):
        return self.shares[index]

    def __len__(self) -> int:
        return len(self.shares)

    @property
    def seldom(self) -> list[Share]:
        """What is made too seldom, the largest lack first."""
        return sorted((share for share in self.shares if share.seldom), key=lambda share: share.fake - share.real)

    def __str__(self) -> str:
        seldom = self.seldom
        lines = [
            f"{self.fakes:,} fakes compared with {self.reals:,} real faces",
            f"read by the face classifier: {len(seldom)} of {len(self)} values are made too seldom",
        ]
        if seldom:
            lines += ["", f"{'attribute':12} {'value':14} {'in reals':>8} {'in fakes':>8}"]
        return "\n".join(lines + [f"{s.attribute:12} {s.value:14} {s.real:8.1%} {s.fake:8.1%}" for s in seldom])


def coverage(fakes: Tensor | np.ndarray, reals: Tensor | np.ndarray, count: int = 1024) -> Coverage:
    """The shares of all values of all attributes, as the face classifier reads them in fakes and in reals alike.

    Both uint8 or in [-1, 1], [N, 3, 96, 96]; of more than `count` reals, that many are taken at random, always the same
    ones. The classifier's errors do little harm, since it makes them on both; but it was trained on drawn faces, so on
    other images the names are to be taken with care. A share is `seldom` if it is below SELDOM of the real one by more
    than CERTAIN standard errors of the difference.
    Source: counting modes with a classifier, Metz et al. 2017, "Unrolled GANs", section 3.3.
    """
    if len(reals) > count:
        chosen = torch.randperm(len(reals), generator=torch.Generator().manual_seed(0))[:count]
        reals = reals[chosen if isinstance(reals, Tensor) else chosen.numpy()]
    if min(len(fakes), len(reals)) < MIN_FACES:
        raise UserError(f"fewer than {MIN_FACES} faces say little about shares: give more of both.")
    read = [face_classifier().read(images)[1] for images in (fakes, reals)]
    shares = []
    for attribute, values in ATTRIBUTES.items():
        counts = [numbers[attribute].bincount(minlength=len(values)).tolist() for numbers in read]
        for value, fake, real in zip(values, *counts, strict=True):
            fake, real = fake / len(fakes), real / len(reals)
            error = (fake * (1 - fake) / len(fakes) + (SELDOM**2) * real * (1 - real) / len(reals)) ** 0.5
            shares.append(Share(attribute, value, fake, real, SELDOM * real - fake > CERTAIN * error))
    return Coverage(tuple(shares), len(fakes), len(reals))
