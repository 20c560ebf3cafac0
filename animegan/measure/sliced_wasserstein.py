"""How far fakes are from reals: the sliced Wasserstein distance, which needs no pretrained network."""

import math
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
# Projections, whose deviation is about 1, are counted in bins from -REACH to REACH; those of real faces end at 20.
# Sorting them takes ten times as long, for the same distance within 0.01 thousandths.
BINS, REACH = 2**14, 32
WIDTH = 2 * REACH / BINS  # of a bin
PART = 64  # images of which a pyramid is made at a time: more do not fit into the processor's cache


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
        # Kept from set to set: the system clears fresh memory, page by page, and that takes as long as using it.
        count, length = len(reals) * PATCHES, 3 * PATCH**2
        self._patches = [torch.empty(count, length, device=device) for _ in range(LEVELS)]
        self._positions = torch.empty(DIRECTIONS, count, device=device)
        self._numbers = torch.empty(DIRECTIONS, count, dtype=torch.int32, device=device)
        self._reals = list(self._projections(reals, is_fake=False))

    def __call__(self, fakes: Tensor | np.ndarray) -> Distance:
        """The distance of `fakes`, in the shape of the reals; nan if a pixel is."""
        if tuple(fakes.shape) != self.shape:
            raise UserError(f"sets of {list(fakes.shape)} and {list(self.shape)} cannot be compared: give equal sizes.")
        if not math.isfinite(fakes.max() - fakes.min()):
            return Distance((math.nan,) * LEVELS, math.nan)
        pairs = zip(self._reals, self._projections(fakes, is_fake=True), strict=True)
        distances = torch.tensor([wasserstein(*pair) for pair in pairs], dtype=torch.float64)
        levels = (UNIT * distances.view(LEVELS, REPEATS).mean(1)).tolist()
        return Distance(tuple(levels), sum(levels) / len(levels))

    def _projections(self, images: Tensor | np.ndarray, is_fake: bool) -> Iterator[Tensor]:
        """The projections as `cumulated` counts them, [DIRECTIONS, BINS], by level and repeat.

        Places differ between reals and fakes, directions do not.
        """
        images = torch.as_tensor(np.array(images) if isinstance(images, np.ndarray) else images)
        self._cut_patches(images, torch.Generator().manual_seed(2 * self.seed + is_fake))
        directions = torch.Generator().manual_seed(2 * self.seed)
        middle = torch.tensor(BINS / 2, device=self.device)
        for patches in self._patches:
            # The deviation is divided out of the directions, of which there are a thousand times fewer. The mean is
            # not: a channel that is the same everywhere has to become exactly 0.
            channels = patches.view(len(patches), 3, -1)
            deviation, mean = torch.std_mean(channels, dim=(0, 2), keepdim=True, correction=0)
            channels.sub_(mean)
            for _ in range(REPEATS):
                axes = F.normalize(torch.randn(DIRECTIONS, patches.shape[1], generator=directions), dim=1)
                axes = axes.to(self.device).view(DIRECTIONS, 3, -1) / (WIDTH * deviation.clamp_min(1e-8))
                torch.addmm(middle, axes.flatten(1), patches.T, out=self._positions)
                yield cumulated(self._positions, self._numbers)

    def _cut_patches(self, images: Tensor, places: torch.Generator) -> None:
        """Fill the patches of each level, [N * PATCHES, 3 * 7 * 7], with PATCHES windows of each image."""
        sides = [images.shape[-1] >> level for level in range(LEVELS)]
        corners = []
        for side in sides:
            top, left = (torch.randint(0, side - PATCH + 1, (len(images), PATCHES), generator=places) for _ in range(2))
            corners.append(top * side + left)
        lines, planes = torch.arange(PATCH), torch.arange(3 * PART).view(PART, 1, 3, 1)
        for first in range(0, len(images), PART):
            part = slice(first, first + PART)
            levels = pyramid(images[part].to(self.device).float())
            for level, side, corner, patches in zip(levels, sides, corners, self._patches, strict=True):
                # Where each line of 7 pixels begins, by image, window, channel and line.
                start = corner[part, :, None, None] + side**2 * planes[: len(level)] + side * lines
                lines_of_7 = level.flatten().unfold(0, PATCH, 1)
                into = patches.view(len(images), -1, PATCH)[part].flatten(0, 1)
                torch.index_select(lines_of_7, 0, start.flatten().to(self.device), out=into)


def cumulated(positions: Tensor, numbers: Tensor) -> Tensor:
    """How many positions lie in each bin or below it, [rows, BINS], for positions [rows, values] counted in bins.

    positions: are changed; those beyond the bins count in the first or last. numbers: int32, memory of the same shape.
    """
    rows = torch.arange(len(positions), dtype=torch.int32, device=positions.device)
    numbers.copy_(positions.clamp_(0, BINS - 1)).add_(BINS * rows.view(-1, 1))
    counts = torch.bincount(numbers.flatten(), minlength=BINS * len(rows))
    return counts.view(-1, BINS).cumsum(1).int()


def wasserstein(first: Tensor, second: Tensor) -> float:
    """The mean over rows of the one-dimensional Wasserstein-1 distance of two `cumulated` sets of equal size.

    It is the area between the two cumulative distributions, and that is the mean difference of the sorted values.
    """
    return WIDTH * int((first - second).abs().sum()) / int(first[:, -1].sum())


def pyramid(images: Tensor) -> list[Tensor]:
    """The Laplacian pyramid: what each halving loses, and the coarsest images; [N, 3, S, S], [N, 3, S/2, S/2], ..."""
    levels = []
    for _ in range(LEVELS - 1):
        blur = _blur(images.shape[-1], images.device)
        halve, spread = blur[::2], 2 * blur[:, ::2]
        coarse = halve @ images @ halve.T
        levels.append(images - spread @ coarse @ spread.T)
        images = coarse
    return [*levels, images]


def _blur(size: int, device: torch.device) -> Tensor:
    """The kernel 1 4 6 4 1 along one axis, mirrored at the edges (Burt and Adelson 1983), as a matrix [size, size]."""
    matrix, rows = torch.zeros(size, size), torch.arange(size)
    for shift, weight in enumerate((1, 4, 6, 4, 1), start=-2):
        mirrored = size - 1 - (size - 1 - (rows + shift).abs()).abs()
        matrix[rows, mirrored] += weight / 16
    return matrix.to(device)
