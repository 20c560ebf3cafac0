"""One picture file becomes one small RGB array, or the reason why not.

`dataset` calls `read_picture` for every file of a folder, from several threads: Pillow releases the interpreter lock
while it decodes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

MIN_SIDE = 64  # pixels; enlarging a smaller picture would invent most of its pixels
MAX_PIXELS = 64_000_000  # a decompression bomb is recognised by its header
MAX_BYTES = 128 * 2**20  # a larger file is not even read
# Formats that their first bytes identify; for others Pillow guesses, or starts a program (EPS).
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "AVIF", "PPM", "ICO")
_ALIAS = {"MPO": "JPEG"}  # a phone's JPEG with a preview inside: an ordinary picture
SUFFIXES = {end: _ALIAS.get(name, name) for end, name in Image.registered_extensions().items() if name in FORMATS}
_OPENED = [name for name in FORMATS if name in Image.OPEN]  # AVIF needs Pillow 11.3


class Picture(NamedTuple):
    """The kinds of a file (fields of `FolderReport`), and the rest if it is used.

    `digest` is the SHA-256 of the file, `pixels` uint8 [3, S, S], `format` Pillow's name of its actual format; all None
    if the file is left out.
    """

    kinds: list[str]
    digest: bytes | None = None
    pixels: np.ndarray | None = None
    format: str | None = None


def read_picture(path: Path, size: int, image_size: int) -> Picture:
    """Read a file of `size` bytes once; hash it, and decode it to `image_size` pixels a side.

    A bad file raises nothing: it has a kind that says so.
    """
    if size > MAX_BYTES:
        return Picture(["too_large" if _promised(path.name) else "foreign"])
    try:
        data = path.read_bytes()
    except OSError:
        return Picture(["unreadable"])
    return decode_picture(data, path.name, image_size)


def decode_picture(data: bytes, name: str, image_size: int) -> Picture:
    """`read_picture` for the bytes of a file called `name`."""
    promised = _promised(name)
    try:
        with Image.open(io.BytesIO(data), formats=_OPENED) as image:
            short, long = sorted(image.size)
            if short * long > MAX_PIXELS:
                return Picture(["too_large"])
            if short < MIN_SIDE:
                return Picture(["too_small"])
            actual = _ALIAS.get(image.format or "", image.format)
            kinds = ["odd_shapes"] if long > 2 * short else []
            kinds += ["misnamed"] if promised != actual else []
            kinds += ["animated"] if actual != "JPEG" and getattr(image, "is_animated", False) else []
            return Picture(kinds, hashlib.sha256(data).digest(), _pixels(image, image_size), actual)
    except (Image.DecompressionBombError, MemoryError):
        return Picture(["too_large"])
    except Exception:
        return Picture(["corrupt" if promised else "foreign"])


def _promised(name: str) -> str | None:
    """The format that a file's suffix promises."""
    return SUFFIXES.get(Path(name).suffix.lower())


def opened(data: bytes) -> Image.Image:
    """The complete picture, as RGB, of a file that `decode_picture` has accepted. Raises what Pillow raises."""
    with Image.open(io.BytesIO(data), formats=_OPENED) as image:
        return _upright(image)


def _pixels(image: Image.Image, image_size: int) -> np.ndarray:
    """An open picture of any mode -> uint8 [3, S, S]: resized to cover, centre-cropped."""
    image.draft(None, (2 * image_size, 2 * image_size))  # JPEG: decode at a fraction of the size
    image = ImageOps.fit(_upright(image), (image_size, image_size), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def _upright(image: Image.Image) -> Image.Image:
    """An open picture of any mode as RGB: rotated as its EXIF data says, on white where it is transparent."""
    image.load()
    with contextlib.suppress(Exception):  # a damaged EXIF block must not cost the picture
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode[0] in "IF":  # 16 bits, 32 bits or floats: Pillow would clip the values instead of scaling them
        values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
        limits = (1, 255, 65535) if image.mode == "F" else (65535,)
        peak = float(values.max())
        limit = min((limit for limit in limits if peak <= limit), default=peak)
        image = Image.fromarray(np.rint(values.clip(0, limit) * (255 / limit)).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
