"""How far fakes are from reals: the sliced Wasserstein distance, which needs no pretrained network."""

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from animegan.errors import UserError

LEVELS = 3  # of the pyramid: 96, 48 and 24 pixels a side
PATCH = 7  # pixels a side
PATCHES = 128  # from each image and level
DIRECTIONS, REPEATS = 128, 4  # directions on which the patches are projected, and how often others are drawn
UNIT = 1000  # distances are given in thousandths, as in the paper


class Distance(NamedTuple):
    """A sliced Wasserstein distance times 1,000: `levels` for 96, 48 and 24 pixels, and their `mean`."""

    levels: tuple[float, ...]
    mean: float


def average(distances: Sequence[Distance]) -> Distance:
    """The mean of one distance measured with several seeds, level by level."""
    levels = zip(*(d.levels for d in distances), strict=True)
    return Distance(tuple(map(statistics.fmean, levels)), statistics.fmean(d.mean for d in distances))


class SlicedWasserstein:
    """The distance of sets of images from one set of real ones.

    Source: Karras, Aila, Laine and Lehtinen 2018, "Progressive Growing of GANs", section 5. From each image, patches
    of 7x7 pixels are taken at random places of each level of its Laplacian pyramid; over all patches of a set, each
    colour channel is normalised to mean 0 and deviation 1, so brightness and contrast of a whole set do not count.
    The patches are projected on random directions, and along each the two sets are compared by the one-dimensional
    Wasserstein distance, the mean difference of the sorted values. A small distance means similar texture in the fine
    levels, similar shapes in the coarse one; it does not know what a face is.

    reals: uint8 or float [N, 3, S, S], S divisible by 4. seed: of places and directions, which are drawn on the CPU, so
    that a GPU, as `device`, gives the same figures within rounding. Raises UserError for sets that differ in size: the
    distance between two samples of one distribution depends on their size.
    """

    def __init__(self, reals: Tensor | np.ndarray, seed: int = 0, device: str | torch.device = "cpu"):
        self.seed, self.shape, self.device = seed, tuple(reals.shape), torch.device(device)
        self._reals = list(self._projections(reals, is_fake=False))

    def __call__(self, fakes: Tensor | np.ndarray) -> Distance:
        """The distance of `fakes`, in the shape of the reals."""
        if tuple(fakes.shape) != self.shape:
            raise UserError(f"sets of {list(fakes.shape)} and {list(self.shape)} cannot be compared: give equal sizes.")
        pairs = zip(self._reals, self._projections(fakes, is_fake=True), strict=True)
        distances = torch.tensor([wasserstein(*pair) for pair in pairs], dtype=torch.float64)
        levels = (UNIT * distances.view(LEVELS, REPEATS).mean(1)).tolist()
        return Distance(tuple(levels), sum(levels) / len(levels))

    def _projections(self, images: Tensor | np.ndarray, is_fake: bool) -> Iterator[np.ndarray | Tensor]:
        """The sorted projections [directions, patches], by level and repeat.

        Each takes 130 MB for 2,048 images, so the fakes' are made one at a time. Places differ between reals and
        fakes, directions do not.
        """
        images = torch.as_tensor(np.array(images) if isinstance(images, np.ndarray) else images)
        places = torch.Generator().manual_seed(2 * self.seed + is_fake)
        directions = torch.Generator().manual_seed(2 * self.seed)
        with torch.backends.cudnn.flags(allow_tf32=False):
            # In parts, since blurring takes many times their memory.
            parts = [pyramid(part.to(self.device).float()) for part in images.split(256)]
        for level in zip(*parts, strict=True):
            patches = _normalised(_patches(torch.cat(level), places)).flatten(1)
            for _ in range(REPEATS):
                axes = F.normalize(torch.randn(DIRECTIONS, patches.shape[1], generator=directions), dim=1)
                values = axes.to(self.device) @ patches.T
                # On a CPU, NumPy sorts several times as fast as PyTorch.
                yield values.sort(1).values if values.is_cuda else np.sort(values.numpy(), axis=1)


def wasserstein(first: np.ndarray | Tensor, second: np.ndarray | Tensor) -> float:
    """The mean over rows of the one-dimensional Wasserstein-1 distance of sorted values [rows, values]."""
    return float(abs(first - second).mean())


def pyramid(images: Tensor) -> list[Tensor]:
    """The Laplacian pyramid: what each halving loses, and the coarsest images; [N, 3, S, S], [N, 3, S/2, S/2], ..."""
    levels = []
    for _ in range(LEVELS - 1):
        coarse = _blurred(images)[:, :, ::2, ::2]
        spread = torch.zeros_like(images)
        spread[:, :, ::2, ::2] = 4 * coarse
        levels.append(images - _blurred(spread))
        images = coarse
    return [*levels, images]


def _blurred(images: Tensor) -> Tensor:
    """With the kernel 1 4 6 4 1 along both axes, mirrored at the edges (Burt and Adelson 1983)."""
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=images.device) / 16
    count, channels, *size = images.shape
    planes = F.pad(images.reshape(count * channels, 1, *size), (2, 2, 2, 2), mode="reflect")
    planes = F.conv2d(F.conv2d(planes, line.view(1, 1, 1, 5)), line.view(1, 1, 5, 1))
    return planes.view(count, channels, *size)


def _patches(images: Tensor, places: torch.Generator) -> Tensor:
    """PATCHES windows of each image, [N * PATCHES, 3, 7, 7]."""
    count, _, height, width = images.shape
    size, device = (count * PATCHES, 1, 1), images.device
    number = torch.arange(count, device=device).repeat_interleave(PATCHES).view(size)
    top = torch.randint(0, height - PATCH + 1, size, generator=places).to(device)
    left = torch.randint(0, width - PATCH + 1, size, generator=places).to(device)
    window = torch.arange(PATCH, device=device)
    return images[number, :, top + window.view(1, -1, 1), left + window.view(1, 1, -1)].permute(0, 3, 1, 2)


def _normalised(patches: Tensor) -> Tensor:
    """Each channel with mean 0 and deviation 1 over the whole set."""
    deviation, mean = torch.std_mean(patches, dim=(0, 2, 3), keepdim=True, correction=0)
    return (patches - mean) / deviation.clamp_min(1e-8)
