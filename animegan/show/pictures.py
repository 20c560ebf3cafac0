"""A picture as a notebook shows and stores it: one PNG of modest size; and the font for text on it."""

import contextlib
import io
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageFont
from torch import Tensor

from animegan.data import to_uint8

MAX_BYTES = 150_000  # of one picture in a notebook: with ten of them it still opens quickly, on GitHub too


class Picture(Image.Image):
    """A Pillow picture that a notebook stores as one small PNG.

    Pillow alone gives Jupyter a large PNG and a JPEG as well. Saving or copying it keeps the full quality.
    """

    def __init__(self, picture: Image.Image):
        super().__init__()
        self.__dict__.update(picture.__dict__)

    def _repr_png_(self) -> bytes:
        return small_png(self)

    def _repr_jpeg_(self) -> None:
        return None


def small_png(picture: Image.Image, most: int = MAX_BYTES) -> bytes:
    """The picture as a PNG of at most `most` bytes: with 256 colours, and shrunk if that is not enough."""
    picture = picture.convert("RGB")
    while True:
        # The octree keeps a rare but striking colour, such as blue hair among brown. For speed it does not choose
        # the nearest of the 256 colours for each pixel; the second pass does.
        palette = picture.quantize(256, Image.Quantize.FASTOCTREE)
        buffer = io.BytesIO()
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= most:
            return buffer.getvalue()
        scale = 0.97 * (most / buffer.tell()) ** 0.5
        size = round(picture.width * scale), round(picture.height * scale)
        picture = picture.resize(size, Image.Resampling.LANCZOS)


def face_picture(face: Tensor | np.ndarray) -> Image.Image:
    """One face [3, H, W] as a picture: float in [-1, 1], or uint8."""
    if isinstance(face, Tensor) and face.is_floating_point():
        face = to_uint8(face.detach().cpu().float())
    return Image.fromarray(np.ascontiguousarray(np.asarray(face).transpose(1, 2, 0)))


def font_for(size: int, lines: Iterable[str]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; if a line is not ASCII, e.g. a folder's Chinese name, the first installed Chinese font."""
    if not all(line.isascii() for line in lines):
        for name in ("msyh.ttc", "PingFang.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "simhei.ttf"):
            with contextlib.suppress(OSError):
                return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)
