"""Films of faces as GIFs: a walk through latent space, and faces that change through the epochs of a run."""

import base64
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from animegan.errors import UserError
from animegan.files import write_bytes
from animegan.grids import FACES_IN_GRID
from animegan.latent import slerp
from animegan.models import generate
from animegan.runs import Run
from animegan.show.pictures import MAX_BYTES, face_picture, in_notebook
from animegan.show.sheets import GAP, faces_sheet

COLOURS = 256  # of a film's one palette, as many as a GIF may have: with 128, violet hair turns brown
FEWER_COLOURS = (COLOURS, 128, 64)  # tried in this order in a notebook, until the film is small enough
SAMPLED = 12  # frames that the palette is made from
WALK_MILLISECONDS = 80  # per frame
EPOCH_MILLISECONDS = 240
HOLD_MILLISECONDS = 2400  # the last epoch
ENLARGED = 2  # times, in a notebook


@dataclass(frozen=True)
class Film:
    """Frames, and how many milliseconds each is shown; a notebook plays it in a loop."""

    frames: tuple[Image.Image, ...]
    milliseconds: tuple[int, ...]

    def save(self, path: str | os.PathLike) -> Path:
        """Write it as a GIF, atomically; UserError for another suffix or if it cannot be written."""
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise UserError(f"{path} does not have the suffix of a film; let it end in .gif.")
        write_bytes(path, self.gif())
        return path

    def gif(self, colours: int = COLOURS) -> bytes:
        """The bytes of the GIF.

        All frames share one palette, or colours would flicker from frame to frame; dithering would add noise.
        """
        sampled = _strip(self.frames[:: -(-len(self.frames) // SAMPLED)])
        palette = sampled.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1)
        first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        buffer = io.BytesIO()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=list(self.milliseconds), loop=0)
        return buffer.getvalue()

    def picture(self, count: int = 6) -> Image.Image:
        """At most `count` of its frames from left to right, evenly spread from the first to the last."""
        last = len(self.frames) - 1
        chosen = sorted({round(n * last / max(1, count - 1)) for n in range(count)})
        return _strip([self.frames[number] for number in chosen])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        for colours in FEWER_COLOURS:
            content = self.gif(colours)
            if len(content) <= 2 * MAX_BYTES // 3:
                break
        description = f"a film of {len(self.frames)} frames"
        width = ENLARGED * self.frames[0].width
        return {
            "text/html": f'<img alt="{description}" width="{width}" src="data:image/gif;base64,{_base64(content)}">',
            **in_notebook(self.picture()),
            "text/plain": description,
        }


def walk(netG: Callable[[Tensor], Tensor], stops: Tensor, steps: int = 12) -> Film:
    """Faces that move from stop to stop along arcs, and back to the first: the film loops without a jump.

    stops: [stops, faces, nz, 1, 1], the z of all faces at each stop. steps: frames from one stop to the next.
    """
    if len(stops) < 2:
        raise UserError("a walk takes two stops or more.")
    frames = []
    for start, end in zip(stops, stops.roll(-1, 0), strict=True):
        paths = torch.stack([slerp(a, b, steps + 1) for a, b in zip(start, end, strict=True)], 1)
        frames.extend(_frame([face_picture(face) for face in generate(netG, z)]) for z in paths[:-1])
    return Film(tuple(frames), (WALK_MILLISECONDS,) * len(frames))


def growth(run: Run, cells: Sequence[int] = (0,), epochs: Sequence[int] | None = None) -> Film:
    """Chosen faces from epoch to epoch, with the epoch's number below them; the last one is shown longer.

    cells: positions in `run.faces(epoch)`, 0 to 63. epochs: by default all that have a grid; no weights are needed.
    Raises UserError for a cell that a grid does not have or an epoch that the run lacks.
    """
    epochs = run.epochs if epochs is None else list(epochs)
    if not epochs:
        raise UserError(f"{run.path} has no epoch to show yet: let it finish its first one.")
    if not cells or not all(0 <= cell < FACES_IN_GRID for cell in cells):
        raise UserError(f"faces {list(cells)} cannot be shown: a grid has the cells 0 to {FACES_IN_GRID - 1}.")
    grids = zip(epochs, map(run.faces, epochs), strict=True)
    frames = [_frame([faces[cell] for cell in cells], f"epoch {epoch}") for epoch, faces in grids]
    return Film(tuple(frames), (EPOCH_MILLISECONDS,) * (len(frames) - 1) + (HOLD_MILLISECONDS,))


def _frame(faces: Sequence[Image.Image], caption: str = "") -> Image.Image:
    """Faces in rows, as wide as high or a little wider."""
    return faces_sheet([("", faces)], math.ceil(len(faces) ** 0.5), margin=GAP, font_size=18, caption=caption)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _strip(frames: Sequence[Image.Image]) -> Image.Image:
    return faces_sheet([("", frames)], margin=GAP)
