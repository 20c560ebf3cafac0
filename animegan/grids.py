"""64 faces as one picture, and back; the fixed noise that they come from."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from animegan.config import IMAGE_SIZE
from animegan.errors import UserError

GRID_COLUMNS = 8
FACES_IN_GRID = GRID_COLUMNS**2
GRID_GAP = 2  # pixels between two faces of a grid


def fixed_noise(nz: int, count: int = FACES_IN_GRID) -> Tensor:
    """The latent vectors of the grids, [count, nz, 1, 1]: the same for every epoch, run and device.

    They are drawn on the CPU with a seed of their own, so a cell shows the same face throughout, and
    two runs with equal `nz` can be laid side by side.
    """
    return torch.randn(count, nz, 1, 1, generator=torch.Generator().manual_seed(2014))


def grid_picture(faces: Tensor, columns: int = GRID_COLUMNS) -> Image.Image:
    """Faces [N, 3, H, W] in [-1, 1] as one picture, row by row.

    The scale is fixed, unlike the handout's `normalize=True`, which stretches every grid by its own
    darkest and brightest pixel: epochs can be compared.
    """
    from torchvision.utils import make_grid  # here: it takes a second, and the first step does not need it

    grid = make_grid(faces.detach().cpu().float(), columns, GRID_GAP, normalize=True, value_range=(-1, 1), pad_value=1)
    return Image.fromarray(grid.mul(255).round().byte().permute(1, 2, 0).numpy())


def cells(grid: Image.Image) -> np.ndarray:
    """The faces of a grid as float [N, 96, 96, 3], 0 to 255, row by row.

    Of a last row that is not full, as a grid of few real pictures has it, the white cells at its end are no faces.
    Raises UserError for a picture that is no such grid.
    """
    pitch = IMAGE_SIZE + GRID_GAP
    (width, height), gap = grid.size, GRID_GAP
    rows, columns = height // pitch, width // pitch
    if not (rows and columns) or grid.size != (columns * pitch + gap, rows * pitch + gap):
        raise UserError(
            f"a grid has cells of {IMAGE_SIZE}x{IMAGE_SIZE} pixels, {gap} apart, and a picture of {width}x{height} is "
            f"none: restore the file, or train the run again."
        )
    pixels = np.asarray(grid.convert("RGB"), dtype=np.float32)[gap:, gap:].reshape(rows, pitch, columns, pitch, 3)
    found = pixels[:, :IMAGE_SIZE, :, :IMAGE_SIZE].swapaxes(1, 2).reshape(-1, IMAGE_SIZE, IMAGE_SIZE, 3)
    filled = np.flatnonzero(found.mean((1, 2, 3)) < 254)  # a JPEG of white is not white to the last digit
    return found[: max(filled[-1] + 1 if len(filled) else 0, len(found) - columns + 1)]
