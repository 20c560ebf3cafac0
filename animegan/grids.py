"""64 faces as one picture, and back; the fixed noise that they come from."""

import numpy as np
from PIL import Image
from torch import Tensor

from animegan.config import IMAGE_SIZE
from animegan.data import to_uint8
from animegan.errors import UserError
from animegan.models import latent_vectors

GRID_COLUMNS = 8
FACES_IN_GRID = GRID_COLUMNS**2
GRID_GAP = 2  # pixels between two faces of a grid
GRID_SEED = 2014  # the year of the first GAN


def fixed_noise(nz: int, count: int = FACES_IN_GRID) -> Tensor:
    """The latent vectors of the grids, [count, nz, 1, 1]: the same for every epoch, run and device.

    A cell therefore shows the same face in every epoch, and two runs with equal `nz` can be compared cell by cell.
    """
    return latent_vectors(count, nz, GRID_SEED)


def grid_picture(faces: Tensor, columns: int = GRID_COLUMNS) -> Image.Image:
    """Faces [N, 3, H, W] in [-1, 1] as one picture, row by row.

    The scale is fixed, unlike the handout's `normalize=True`, which stretches every grid by its own
    darkest and brightest pixel: epochs can be compared.
    """
    from torchvision.utils import make_grid  # imported here: it takes a second, which the first step need not wait for

    grid = make_grid(to_uint8(faces.detach().cpu().float()), columns, GRID_GAP, pad_value=255)
    return Image.fromarray(grid.permute(1, 2, 0).numpy())


def cut(grid: Image.Image) -> list[Image.Image]:
    """The cells of a grid one by one, row by row, 96x96 each; UserError for a picture that is not such a grid."""
    pitch = IMAGE_SIZE + GRID_GAP
    rows, columns = grid.height // pitch, grid.width // pitch
    if not (rows and columns) or grid.size != (columns * pitch + GRID_GAP, rows * pitch + GRID_GAP):
        raise UserError(
            f"a grid has cells of {IMAGE_SIZE}x{IMAGE_SIZE} pixels, {GRID_GAP} apart, which does not fit a picture of "
            f"{grid.width}x{grid.height}: restore the file, or train the run again."
        )
    corners = [(GRID_GAP + x * pitch, GRID_GAP + y * pitch) for y in range(rows) for x in range(columns)]
    return [grid.crop((left, top, left + IMAGE_SIZE, top + IMAGE_SIZE)) for left, top in corners]


def cells(grid: Image.Image) -> np.ndarray:
    """The faces of a grid as float32 [N, 96, 96, 3], 0 to 255, row by row.

    A grid of few real images ends with white cells, which are not faces: they are left out.
    """
    faces = np.stack([np.asarray(face, dtype=np.float32) for face in cut(grid.convert("RGB"))])
    columns = grid.width // (IMAGE_SIZE + GRID_GAP)
    filled = np.flatnonzero(faces.mean((1, 2, 3)) < 254)  # white in a JPEG is not exactly 255
    return faces[: max(filled[-1] + 1 if len(filled) else 0, len(faces) - columns + 1)]
