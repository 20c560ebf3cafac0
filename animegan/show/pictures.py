"""A picture as a notebook shows and stores it: one PNG of modest size; the font that is written on it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from PIL import Image, ImageFont
from torch import Tensor

MAX_BYTES = 150_000  # of one picture in a notebook: with ten of them it still opens quickly, on GitHub too


class Picture(Image.Image):
    """A Pillow picture that a notebook stores as one small PNG.

    By itself Pillow gives Jupyter a large PNG and a JPEG beside it. Saved or copied, it is as fine as it was drawn.
    """

    def __init__(self, picture: Image.Image):
        super().__init__()
        self.__dict__.update(picture.__dict__)

    def _repr_png_(self) -> bytes:
        return small_png(self)

    def _repr_jpeg_(self) -> None:
        return None


def small_png(picture: Image.Image, most: int = MAX_BYTES) -> bytes:
    """The picture as a PNG of `most` bytes at the utmost: with 256 colours, and shrunk where these are not enough."""
    picture = picture.convert("RGB")
    while True:
        # The octree keeps a colour that is rare but striking, blue hair among brown; the second pass
        # gives each pixel the nearest of the 256, which the first, for speed, does not.
        palette = picture.quantize(256, Image.Quantize.FASTOCTREE)
        content = png(picture.quantize(palette=palette, dither=Image.Dither.NONE), optimize=True)
        if len(content) <= most:
            return content
        scale = 0.97 * (most / len(content)) ** 0.5
        size = round(picture.width * scale), round(picture.height * scale)
        picture = picture.resize(size, Image.Resampling.LANCZOS)


def png(picture: Image.Image, **options: int) -> bytes:
    """The picture as the bytes of a PNG file; `options` are Pillow's."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def face_picture(face: Tensor) -> Image.Image:
    """One face, [3, H, W] in [-1, 1], as a picture."""
    pixels = face.detach().cpu().float().clamp(-1, 1).add(1).mul(127.5).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def font_for(size: int, lines: Iterable[str]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; for a folder with a Chinese name, the first system font that has the signs."""
    if not all(line.isascii() for line in lines):
        for name in ("msyh.ttc", "PingFang.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "simhei.ttf"):
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)
