"""A picture as a notebook shows and stores it: whole, and once; and the font for text on it."""

import base64
import contextlib
import functools
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image, ImageFont
from torch import Tensor

from animegan.data import to_uint8
from animegan.language import translated

MAX_BYTES = 150_000  # of a PNG in a notebook: with ten of them it still opens quickly, on GitHub too
FINE = {"quality": 90, "subsampling": 0}  # of a JPEG: every pixel has its own colour, so thin lines keep theirs


class Picture(Image.Image):
    """A Pillow picture that a notebook stores once, at its full size.

    Pillow alone gives Jupyter a PNG and a JPEG as well. Saving or copying it keeps the full quality.
    """

    def __init__(self, picture: Image.Image):
        super().__init__()
        self.__dict__.update(picture.__dict__)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return in_notebook(self)

    def _repr_png_(self) -> None:
        return None

    _repr_jpeg_ = _repr_png_


def encoded(picture: Image.Image, most: int = MAX_BYTES, **jpeg: Any) -> tuple[str, bytes]:
    """The picture's media type and bytes: a PNG, or, if that has more than `most` bytes, a JPEG.

    jpeg: Pillow's options of a JPEG, in place of those of FINE.
    """
    picture, buffer = picture.convert("RGB"), io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    if buffer.tell() <= most:
        return "image/png", buffer.getvalue()
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **{**FINE, **jpeg})
    return "image/jpeg", buffer.getvalue()


def in_notebook(picture: Image.Image, most: int = MAX_BYTES, **jpeg: Any) -> dict[str, str]:
    """`encoded` as Jupyter stores it: the bytes as base64, by their type."""
    kind, content = encoded(picture, most, **jpeg)
    return {kind: base64.b64encode(content).decode("ascii")}


def face_picture(face: Tensor | np.ndarray) -> Image.Image:
    """One face [3, H, W] as a picture: float in [-1, 1], or uint8."""
    if isinstance(face, Tensor) and face.is_floating_point():
        face = to_uint8(face.detach().cpu().float())
    return Image.fromarray(np.ascontiguousarray(np.asarray(face).transpose(1, 2, 0)))


# The usual Chinese fonts of Windows, macOS and Linux.
CHINESE = (
    "msyh.ttc", "simhei.ttf", "simsun.ttc", "PingFang.ttc", "Hiragino Sans GB.ttc", "STHeiti Medium.ttc",
    "NotoSansCJK-Regular.ttc", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
)  # fmt: skip


@functools.cache
def chinese_font() -> str:
    """The file of an installed Chinese font; "" without one."""
    for name in CHINESE:
        with contextlib.suppress(OSError):
            return str(ImageFont.truetype(name).path)
    return ""


def on_picture(text: str) -> str:
    """The text in the student's language if this machine has a font for it; else as it is: better than boxes."""
    shown = translated(text)
    return shown if shown == text or chinese_font() else text


def font_for(size: int, lines: Iterable[str]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; if a line is not ASCII, e.g. a folder's Chinese name, the first installed Chinese font."""
    if not all(line.isascii() for line in lines) and chinese_font():
        return ImageFont.truetype(chinese_font(), size)
    return ImageFont.load_default(size)
