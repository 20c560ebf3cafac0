"""Films of faces as GIFs: a walk through latent space, and faces that grow up through the epochs of a run."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from animegan.errors import UserError
from animegan.files import write_picture
from animegan.grids import FACES_IN_GRID, GRID_GAP
from animegan.latent import slerp
from animegan.models import generate
from animegan.runs import Run
from animegan.show.pictures import MAX_BYTES, face_picture, font_for, small_png

COLOURS = 256  # of a film's one palette, as many as a GIF may have: with 128, violet hair turns brown
FEWER_COLOURS = (COLOURS, 128, 64)  # in a notebook, where a film would else be too large
SAMPLED = 12  # frames that the palette is made from
WALK_MILLISECONDS = 80  # a frame
EPOCH_MILLISECONDS = 240
HOLD_MILLISECONDS = 2400  # the last epoch
ENLARGED = 2  # times, in a notebook
LABEL = 26  # pixels below the faces, for the number of the epoch
INK, PAPER = "#1b1b1f", "#ffffff"


@dataclass(frozen=True)
class Film:
    """Frames, and how many milliseconds each of them is shown; a notebook plays it, over and over."""

    frames: tuple[Image.Image, ...]
    milliseconds: tuple[int, ...]

    def save(self, path: str | os.PathLike) -> Path:
        """Write it as a GIF, whole or not at all; UserError for another suffix or where it cannot be written."""
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise UserError(f"{path} has not the suffix of a film; let it end in .gif.")
        first, *others = self._in_few_colours(COLOURS)
        write_picture(path, first, **self._options(others))
        return path

    def gif(self, colours: int = COLOURS) -> bytes:
        """The bytes of the GIF."""
        buffer = io.BytesIO()
        first, *others = self._in_few_colours(colours)
        first.save(buffer, "GIF", **self._options(others))
        return buffer.getvalue()

    def picture(self, count: int = 6) -> Image.Image:
        """At most `count` of its frames, evenly spread, the first and the last among them, from left to right."""
        last = len(self.frames) - 1
        chosen = sorted({round(n * last / max(1, count - 1)) for n in range(count)})
        return _beside([self.frames[number] for number in chosen], len(chosen))

    def _in_few_colours(self, colours: int) -> list[Image.Image]:
        """Each frame by one palette, lest colours flicker from frame to frame; without the noise of dithering."""
        sampled = _beside(self.frames[:: -(-len(self.frames) // SAMPLED)], SAMPLED)
        palette = sampled.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1)
        return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]

    def _options(self, others: list[Image.Image]) -> dict[str, Any]:
        return {"save_all": True, "append_images": others, "duration": list(self.milliseconds), "loop": 0}

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        few = next((n for n in FEWER_COLOURS if len(self.gif(n)) <= 2 * MAX_BYTES // 3), FEWER_COLOURS[-1])
        parts = (self.gif(few), small_png(self.picture(), MAX_BYTES // 6))
        content, still = (base64.b64encode(part).decode("ascii") for part in parts)
        told = f"a film of {len(self.frames)} frames"
        width = ENLARGED * self.frames[0].width
        return {
            "text/html": f'<img alt="{told}" width="{width}" src="data:image/gif;base64,{content}">',
            "image/png": still,
            "text/plain": told,
        }


def walk(netG: Callable[[Tensor], Tensor], stops: Tensor, steps: int = 12) -> Film:
    """Faces that walk from stop to stop along arcs, and back to the first: the film has no end.

    stops: [stops, faces, nz, 1, 1], for each stop the z of all faces. steps: frames from one stop to the next.
    """
    if len(stops) < 2:
        raise UserError("a walk takes two stops or more.")
    frames = []
    for start, end in zip(stops, stops.roll(-1, 0), strict=True):
        ways = torch.stack([slerp(a, b, steps + 1) for a, b in zip(start, end, strict=True)], 1)
        frames.extend(_beside([face_picture(face) for face in generate(netG, z)], _columns(len(z))) for z in ways[:-1])
    return Film(tuple(frames), (WALK_MILLISECONDS,) * len(frames))


def growth(run: Run, cells: Sequence[int] = (0,), epochs: Sequence[int] | None = None) -> Film:
    """Chosen faces from epoch to epoch, its number below them; the last one is held.

    cells: positions in `run.faces(epoch)`, 0 to 63. epochs: by default all whose grid is there; no weights are needed.
    Raises UserError for a cell that a grid does not have or an epoch that the run lacks.
    """
    epochs = run.epochs if epochs is None else list(epochs)
    if not epochs:
        raise UserError(f"{run.path} has no epoch to show yet: let it finish its first one.")
    if not cells or not all(0 <= cell < FACES_IN_GRID for cell in cells):
        raise UserError(f"faces {list(cells)} cannot be shown: a grid has the cells 0 to {FACES_IN_GRID - 1}.")
    frames = []
    for epoch in epochs:
        faces = run.faces(epoch)
        shown = _beside([faces[cell] for cell in cells], _columns(len(cells)))
        frame = Image.new("RGB", (shown.width, shown.height + LABEL), PAPER)
        frame.paste(shown)
        name, middle = f"epoch {epoch}", (frame.width / 2, shown.height + LABEL / 2 - 1)
        ImageDraw.Draw(frame).text(middle, name, INK, font_for(18, [name]), anchor="mm")
        frames.append(frame)
    return Film(tuple(frames), (EPOCH_MILLISECONDS,) * (len(frames) - 1) + (HOLD_MILLISECONDS,))


def _columns(faces: int) -> int:
    """As wide as high, or a little wider."""
    return math.ceil(faces**0.5)


def _beside(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size in rows, with the gaps of a grid."""
    width, height = pictures[0].size
    rows, columns = -(-len(pictures) // columns), min(columns, len(pictures))
    across, down = width + GRID_GAP, height + GRID_GAP
    sheet = Image.new("RGB", (GRID_GAP + columns * across, GRID_GAP + rows * down), PAPER)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(picture, (GRID_GAP + column * across, GRID_GAP + row * down))
    return sheet
