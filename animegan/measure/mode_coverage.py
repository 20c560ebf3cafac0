"""What a generator makes too seldom or never."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from animegan.errors import UserError
from animegan.measure.classifier import ATTRIBUTES, face_classifier

SELDOM = 0.5  # a value is made too seldom below this part of its share among real faces
CERTAIN = 3  # standard errors: of some 70 values hardly one is called seldom by chance


class Share(NamedTuple):
    """How often one value of an attribute is read: `fake` and `real` are shares, 0..1, of as many faces each."""

    attribute: str
    value: str
    fake: float
    real: float
    seldom: bool


def coverage(fakes: Tensor | np.ndarray, reals: Tensor | np.ndarray) -> list[Share]:
    """The shares of all values of all attributes, as the face classifier reads them in fakes and in reals alike.

    Both uint8 or in [-1, 1], [N, 3, 96, 96]. That it errs now and then does no harm, as it errs on both; but it
    learnt from drawn faces, so on other pictures the names are to be taken with care. A share is `seldom` where it is
    below SELDOM of the real one by more than CERTAIN standard errors of the difference.
    Source: counting modes with a classifier, Metz et al. 2017, "Unrolled GANs", section 3.3.
    """
    if min(len(fakes), len(reals)) < 64:
        raise UserError("fewer than 64 faces say little about shares: give more of both.")
    read = [face_classifier().read(pictures)[1] for pictures in (fakes, reals)]
    found = []
    for attribute, values in ATTRIBUTES.items():
        counts = [said[attribute].bincount(minlength=len(values)).tolist() for said in read]
        for value, fake, real in zip(values, *counts, strict=True):
            fake, real = fake / len(fakes), real / len(reals)
            error = (fake * (1 - fake) / len(fakes) + (SELDOM**2) * real * (1 - real) / len(reals)) ** 0.5
            found.append(Share(attribute, value, fake, real, SELDOM * real - fake > CERTAIN * error))
    return found
