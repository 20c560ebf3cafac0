"""What can be done with the latent vector z: walk between two, step around one, move along a direction, calculate.

Latent vectors are [N, nz, 1, 1], the input of NetG; directions are unit vectors [nz]. In N(0, I) of nz dimensions
nearly all vectors have a length close to sqrt(nz): with nz = 100 about 10, plus or minus 0.7.
"""

import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from animegan.errors import UserError
from animegan.measure import ATTRIBUTES, face_classifier
from animegan.models import generate, latent_vectors

CONTROLS = 6  # random directions to compare a direction with: a single one may be good by chance
MIN_COUNT = 20  # faces with a value, and without it: the mean of fewer z is mostly noise
Maker = Callable[[Tensor], Tensor]  # z [N, nz, 1, 1] -> faces
Reader = Callable[[Tensor], dict[str, Tensor]]  # faces -> {attribute: index [N] of its value}


def lerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """`steps` points on the straight line from `a` to `b`, both included: [steps, *a.shape]."""
    t = _fractions(a, b, steps)
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """`steps` points on the arc from `a` to `b`, both included, at equal angles: [steps, *a.shape].

    If `a` and `b` have the same length, so do all points. Parallel vectors span no arc: the points are on a line.
    Source: Shoemake 1985; for latent spaces White 2016, "Sampling Generative Networks".
    """
    t = _fractions(a, b, steps)
    one, two = a.double(), b.double()
    angle = ((one * two).sum() / (one.norm() * two.norm())).clamp(-1, 1).acos().to(a.dtype)
    if not angle.sin() > 1e-4:  # also for a vector of length 0: its angle is NaN
        return lerp(a, b, steps)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def _fractions(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """`steps` numbers from 0 to 1, in a shape that multiplies with `a` and `b`."""
    if a.shape != b.shape:
        raise UserError(f"one z has shape {list(a.shape)} and the other {list(b.shape)}: give two of the same shape.")
    if steps < 2:
        raise UserError(f"steps {steps} is too few: the two ends alone make 2.")
    return torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device).view(-1, *[1] * a.dim())


def around(z: Tensor, distance: float, count: int, seed: int = 0) -> Tensor:
    """`count` vectors at `distance` from z [1, nz, 1, 1], each in a random direction of its own."""
    offsets = latent_vectors(count, z.shape[1], seed)
    return z + distance * offsets / offsets.norm(dim=1, keepdim=True)


def truncate(z: Tensor, limit: float) -> Tensor:
    """Vectors whose numbers all lie between -`limit` and `limit`, as if each had been drawn again until it did.

    Every number of z moves to the same quantile of the truncated normal distribution. The result is distributed
    exactly as in Brock et al. 2019 ("BigGAN", section 3.1), who draw again; but here each z keeps its character, so
    that one can follow a face from limit to limit. (StyleGAN's truncation is something else: it scales, `psi * z`.)
    """
    if not limit > 0:
        raise UserError(f"limit {limit} is out of range: give a number above 0; 3 changes almost nothing, 0.5 a lot.")
    z = z.double()
    bound = torch.tensor(limit, dtype=torch.double)
    below, above = torch.special.ndtr(-bound), torch.special.ndtr(bound)
    moved = torch.special.ndtri(below + torch.special.ndtr(z) * (above - below))
    return moved.clamp(-limit, limit).float()


class Survey(NamedTuple):
    """Many z and the attributes of their faces: `z` [N, nz, 1, 1], `values` {attribute: index [N] of its value}."""

    z: Tensor
    values: dict[str, Tensor]

    def has(self, attribute: str, value: str) -> Tensor:
        """Which of the faces have this value, bool [N]; UserError if there is no such value."""
        if value not in (known := ATTRIBUTES.get(attribute, ())):
            instead = f"its values are {', '.join(known)}" if known else f"there are {', '.join(ATTRIBUTES)}"
            raise UserError(f"{attribute!r} has no value {value!r}: {instead}.")
        return self.values[attribute] == known.index(value)

    def counts(self, attribute: str) -> dict[str, int]:
        """How many of the faces have each value of an attribute, the most frequent value first."""
        counts = {value: int(self.has(attribute, value).sum()) for value in ATTRIBUTES[attribute]}
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def direction(self, attribute: str, value: str) -> Tensor:
        """The direction in which faces acquire this value: unit vector [nz].

        It is the mean z of the faces that have it minus that of the others. Since z is drawn from N(0, I), this is the
        normal of the plane that separates them best by least squares (Shen et al. 2020, "InterFaceGAN", find such a
        plane with a linear support vector machine); the difference of means: Larsen et al. 2016.
        UserError if fewer than MIN_COUNT faces have the value, or lack it: what G never makes has no direction.
        """
        has, z = self.has(attribute, value), self.z.flatten(1)
        if (count := int(has.sum())) < MIN_COUNT or len(z) - count < MIN_COUNT:
            raise UserError(
                f"{count} of {len(z):,} faces have {attribute} {value}: a direction needs {MIN_COUNT} with it and "
                f"{MIN_COUNT} without; choose another value, or a larger count."
            )
        return _unit(z[has].mean(0) - z[~has].mean(0))

    def directions(self, attributes: Iterable[str] = tuple(ATTRIBUTES)) -> dict[tuple[str, str], Tensor]:
        """The directions of all values that are frequent enough, by (attribute, value)."""
        return {
            (attribute, value): self.direction(attribute, value)
            for attribute in attributes
            for value, count in self.counts(attribute).items()
            if MIN_COUNT <= count <= len(self.z) - MIN_COUNT
        }

    def means(self, wanted: dict[str, str], count: int = 3, draws: int = 1, seed: int = 0) -> Tensor:
        """The mean of `count` z whose faces have all `wanted` values, {attribute: value}; [draws, nz, 1, 1].

        Each draw picks other faces at random; with no `wanted` values, from all faces. UserError if there are too few.
        Source: Radford et al. 2016 ("DCGAN"), section 6.3.2, calculate with such means of three.
        """
        fits = torch.ones(len(self.z), dtype=torch.bool)
        for attribute, value in wanted.items():
            fits &= self.has(attribute, value)
        if (available := int(fits.sum())) < count:
            names = ", ".join(f"{attribute} {value}" for attribute, value in wanted.items())
            raise UserError(
                f"{available} faces have {names}, and a mean needs {count}: want fewer values, or survey more faces."
            )
        random = torch.Generator().manual_seed(seed)
        chosen = torch.rand(draws, available, generator=random).argsort(1)[:, :count]
        return self.z[fits][chosen].mean(1)


def survey(netG: Maker, nz: int, count: int = 2048, seed: int = 0, read: Reader | None = None) -> Survey:
    """Draw `count` faces and read their attributes.

    netG: in eval mode; makes faces from z [N, nz, 1, 1]. read: by default the face classifier, which was trained on
        drawn faces. On others its labels are less reliable, though the directions may still work.
    """
    z = latent_vectors(count, nz, seed)
    return Survey(z, read_values(netG, z, read))


def read_values(netG: Maker, z: Tensor, read: Reader | None = None) -> dict[str, Tensor]:
    """The attributes of the faces of z, {attribute: index [N] of its value}; see `survey`."""
    read = read or (lambda faces: face_classifier().read(faces)[1])
    parts = [read(generate(netG, part)) for part in z.split(256)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def orthogonal(direction: Tensor, *others: Tensor) -> Tensor:
    """The unit vector nearest to `direction` that is at right angles to all `others`, and so leaves them alone.

    Source: conditional manipulation, Shen et al. 2020, "InterFaceGAN", section 3.3. UserError if nothing is left.
    """
    if others:
        basis = torch.linalg.qr(torch.stack(others, 1)).Q
        direction = direction - basis @ (basis.T @ direction)
    if direction.norm() < 1e-3:
        raise UserError("nothing is left of this direction: the others together point the same way; leave one out.")
    return _unit(direction)


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def move(z: Tensor, direction: Tensor, by: float) -> Tensor:
    """z [N, nz, 1, 1] moved along a direction [nz] by the length `by`."""
    return z + by * direction.view(1, -1, 1, 1)


class Effect(NamedTuple):
    """Of the faces that lacked a value, the shares 0..1 that have it after a move.

    `along` its direction; `control` along a random one, the mean of several. `lacked`: how many faces lacked it.
    """

    along: float
    control: float
    lacked: int


def effect(
    netG: Maker,
    found: Survey,
    attribute: str,
    value: str,
    by: float = 3.0,
    fresh: Survey | None = None,
    read: Reader | None = None,
) -> Effect:
    """How well the direction of a value works, measured on faces that were not used to find it.

    found: the survey that gives the direction. by: how far to move. fresh: another survey, of other faces (by default
    512, from another seed). The control moves the same faces equally far along CONTROLS random directions.
    """
    nz = found.z.shape[1]
    direction = found.direction(attribute, value)
    fresh = fresh or survey(netG, nz, 512, seed=1_000_003, read=read)
    z = fresh.z[~fresh.has(attribute, value)]
    if not len(z):
        raise UserError(
            f"all {len(fresh.z)} faces have {attribute} {value} already: there is nothing to change; survey more faces."
        )

    def share_along(vector: Tensor) -> float:
        moved = Survey(z, read_values(netG, move(z, vector, by), read))
        return moved.has(attribute, value).float().mean().item()

    controls = latent_vectors(CONTROLS, nz, seed=1_000_033).flatten(1)
    return Effect(share_along(direction), statistics.fmean(share_along(_unit(each)) for each in controls), len(z))
