"""What can be done with the latent vector z: walk between two, step around one, move along a direction, calculate.

Latent vectors are [N, nz, 1, 1] as NetG takes them; directions are unit vectors [nz]. In N(0, I) of nz dimensions the
lengths of nearly all vectors lie close to sqrt(nz): with nz = 100 at 10, give or take 0.7.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from animegan.errors import UserError
from animegan.measure import ATTRIBUTES, face_classifier
from animegan.models import generate, latent_vectors

CONTROLS = 6  # random directions that a direction is held against: one alone may happen to be a good one
MIN_COUNT = 20  # faces with a value, and without it: a mean of fewer z points nowhere in particular
Reader = Callable[[Tensor], dict[str, Tensor]]  # faces -> {attribute: number [N] of its value}


def lerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """`steps` points on the straight line from `a` to `b`, both among them: [steps, *a.shape]."""
    t = _from_0_to_1(a, b, steps)
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """`steps` points on the arc from `a` to `b`, both among them, at equal angles: [steps, *a.shape].

    Vectors of equal length keep it on the way. Where one lies along the other there is no arc, and it is a line.
    Source: Shoemake 1985; for latent spaces White 2016, "Sampling Generative Networks".
    """
    t = _from_0_to_1(a, b, steps)
    one, two = a.double(), b.double()
    angle = ((one * two).sum() / (one.norm() * two.norm())).clamp(-1, 1).acos().to(a.dtype)
    if not angle.sin() > 1e-4:  # nor is there one from a vector of length 0, whose angle is no number
        return lerp(a, b, steps)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def _from_0_to_1(a: Tensor, b: Tensor, steps: int) -> Tensor:
    if a.shape != b.shape:
        raise UserError(f"no way leads from {list(a.shape)} to {list(b.shape)}: give two z of the same shape.")
    if steps < 2:
        raise UserError(f"steps {steps} is too few: the two ends alone are 2.")
    return torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device).view(-1, *[1] * a.dim())


def around(z: Tensor, distance: float, count: int, seed: int = 0) -> Tensor:
    """`count` vectors at `distance` from z [1, nz, 1, 1], each in another direction chosen at random."""
    steps = latent_vectors(count, z.shape[1], seed)
    return z + distance * steps / steps.norm(dim=1, keepdim=True)


def truncate(z: Tensor, limit: float) -> Tensor:
    """Vectors whose numbers all lie between -`limit` and `limit`, as if each had been drawn anew until it did.

    Every number of z is moved to the same quantile of the truncated normal distribution: the distribution is exactly
    that of Brock et al. 2019 ("BigGAN", section 3.1), who draw anew, and yet a z keeps what is peculiar to it, so that
    one can follow a face from limit to limit. (`psi * z`, which scales z, is another thing of the same name:
    StyleGAN's.)
    """
    if not limit > 0:
        raise UserError(f"limit {limit} is out of range: give a number above 0; 3 changes next to nothing, 0.5 a lot.")
    z = z.double()
    bound = torch.tensor(limit, dtype=torch.double)
    below, above = torch.special.ndtr(-bound), torch.special.ndtr(bound)
    moved = torch.special.ndtri(below + torch.special.ndtr(z) * (above - below))
    return moved.clamp(-limit, limit).float()


class Survey(NamedTuple):
    """Many z and what was read in their faces: `z` [N, nz, 1, 1], `values` {attribute: number [N] of its value}."""

    z: Tensor
    values: dict[str, Tensor]

    def has(self, attribute: str, value: str) -> Tensor:
        """Which of the faces have this value, bool [N]; UserError for one that there is not."""
        if value not in (known := ATTRIBUTES.get(attribute, ())):
            instead = f"its values are {', '.join(known)}" if known else f"there are {', '.join(ATTRIBUTES)}"
            raise UserError(f"{attribute!r} has no value {value!r}: {instead}.")
        return self.values[attribute] == known.index(value)

    def counts(self, attribute: str) -> dict[str, int]:
        """How many of the faces have each value of an attribute, the most frequent first."""
        found = {value: int(self.has(attribute, value).sum()) for value in ATTRIBUTES[attribute]}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def direction(self, attribute: str, value: str) -> Tensor:
        """The direction in which faces come to have this value: unit vector [nz].

        It is the mean z of the faces that have it minus that of the others. Since z is drawn from N(0, I), this is the
        normal of the plane that tells them best apart by least squares (Shen et al. 2020, "InterFaceGAN", find such a
        plane with a linear support vector machine); the difference of means: Larsen et al. 2016.
        UserError where fewer than LEAST faces have the value, or lack it: what G never makes has no direction.
        """
        has, z = self.has(attribute, value), self.z.flatten(1)
        if (count := int(has.sum())) < MIN_COUNT or len(z) - count < MIN_COUNT:
            raise UserError(
                f"{count} of {len(z):,} faces have {attribute} {value}: a direction takes {MIN_COUNT} with it and "
                f"{MIN_COUNT} without; choose another value, or draw more faces."
            )
        return _unit(z[has].mean(0) - z[~has].mean(0))

    def directions(self, attributes: Iterable[str] = tuple(ATTRIBUTES)) -> dict[tuple[str, str], Tensor]:
        """The directions of all values that are frequent enough, by (attribute, value)."""
        found = {}
        for attribute in attributes:
            for value, count in self.counts(attribute).items():
                if MIN_COUNT <= count <= len(self.z) - MIN_COUNT:
                    found[attribute, value] = self.direction(attribute, value)
        return found

    def means(self, wanted: dict[str, str], count: int = 3, draws: int = 1, seed: int = 0) -> Tensor:
        """The mean of `count` z whose faces have all `wanted` values, {attribute: value}; [draws, nz, 1, 1].

        Each draw takes other faces at random. No value is wanted: any faces. UserError where there are too few.
        Source: Radford et al. 2016 ("DCGAN"), section 6.3.2, calculate with such means of three.
        """
        fits = torch.ones(len(self.z), dtype=torch.bool)
        for attribute, value in wanted.items():
            fits &= self.has(attribute, value)
        if (there := int(fits.sum())) < count:
            told = ", ".join(f"{attribute} {value}" for attribute, value in wanted.items())
            raise UserError(f"{there} faces have {told}, and a mean takes {count}: want less, or draw more faces.")
        random = torch.Generator().manual_seed(seed)
        chosen = torch.rand(draws, there, generator=random).argsort(1)[:, :count]
        return self.z[fits][chosen].mean(1)


def survey(
    netG: Callable[[Tensor], Tensor], nz: int, count: int = 2048, seed: int = 0, read: Reader | None = None
) -> Survey:
    """Draw `count` faces and read their attributes.

    netG: in eval mode; makes faces of z [N, nz, 1, 1]. read: by default the face classifier, which learnt from drawn
    faces; on others its words are to be taken with care, though a direction may still be one.
    """
    z = latent_vectors(count, nz, seed)
    return Survey(z, read_values(netG, z, read))


def read_values(netG: Callable[[Tensor], Tensor], z: Tensor, read: Reader | None = None) -> dict[str, Tensor]:
    """What is read in the faces of z, {attribute: number [N] of its value}; see `survey`."""
    read = read or (lambda faces: face_classifier().read(faces)[1])
    parts = [read(generate(netG, part)) for part in z.split(256)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def orthogonal(direction: Tensor, *others: Tensor) -> Tensor:
    """The unit vector nearest to `direction` that leaves `others` alone: at right angles to all of them.

    Source: conditional manipulation, Shen et al. 2020, "InterFaceGAN", section 3.3. UserError where nothing is left.
    """
    if others:
        basis = torch.linalg.qr(torch.stack(others, 1)).Q
        direction = direction - basis @ (basis.T @ direction)
    if direction.norm() < 1e-3:
        raise UserError("nothing is left of this direction: the others together point the same way.")
    return _unit(direction)


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def move(z: Tensor, direction: Tensor, by: float) -> Tensor:
    """z [N, nz, 1, 1] moved by a length along a direction [nz]."""
    return z + by * direction.view(1, -1, 1, 1)


class Effect(NamedTuple):
    """Of the faces that lacked a value, the shares 0..1 that have it after a move.

    `along` its direction; `control` along a random one, the mean of several. `lacked` is how many faces they were.
    """

    along: float
    control: float
    lacked: int


def effect(
    netG: Callable[[Tensor], Tensor],
    found: Survey,
    attribute: str,
    value: str,
    by: float = 3.0,
    fresh: Survey | None = None,
    read: Reader | None = None,
) -> Effect:
    """How well the direction of a value works, measured on faces that it was not found with.

    found: the survey that gives the direction. by: how far to move. fresh: another survey, of other faces (by default
    512 of a seed of their own). The control moves the same faces as far in CONTROLS directions chosen at random.
    """
    nz = found.z.shape[1]
    direction = found.direction(attribute, value)
    fresh = fresh or survey(netG, nz, 512, seed=1_000_003, read=read)
    z = fresh.z[~fresh.has(attribute, value)]
    if not len(z):
        raise UserError(f"all {len(fresh.z)} faces have {attribute} {value} already: there is nothing to change.")

    def share(way: Tensor) -> float:
        moved = Survey(z, read_values(netG, move(z, way, by), read))
        return moved.has(attribute, value).float().mean().item()

    controls = latent_vectors(CONTROLS, nz, seed=1_000_033).flatten(1)
    return Effect(share(direction), statistics.fmean(share(_unit(way)) for way in controls), len(z))
