"""One picture file becomes one small RGB array, or the reason why not.

`dataset` calls `read_picture` for every file of a folder, from several threads: Pillow releases the interpreter lock
while it decodes.
"""

import contextlib
import hashlib
import importlib
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from animegan.config import MAX_BYTES, MAX_PIXELS, PICTURE_FORMATS

MIN_SIDE = 64  # pixels; enlarging a smaller picture would invent most of its pixels
FORMATS = PICTURE_FORMATS
with contextlib.suppress(Exception):  # an optional package: it registers HEIF, the format of iPhones, with Pillow
    importlib.import_module("pillow_heif").register_heif_opener()
    FORMATS += ("HEIF",)
_ALIAS = {"MPO": "JPEG"}  # a phone's JPEG with a preview inside: an ordinary picture
SUFFIXES = {end: _ALIAS.get(name, name) for end, name in Image.registered_extensions().items() if name in FORMATS}
_OPENED = [name for name in FORMATS if name in Image.OPEN]  # AVIF needs Pillow 11.3
_END = b"\xff\xd9"  # of a JPEG
_MORE = b"".join(b"\x5a\xa3\x3c\x96\xe1" * 20 + bytes([0xFF, 0xD0 + n]) for n in range(8))  # with all restart markers
_PEAKS = (1, 255, 1023, 4095, 65535)  # white in a grey picture of more than 8 bits: floats, and 8, 10, 12, 16 bits
_BY_HAND = "convert it to JPEG or PNG"
_OTHERS = (  # how files begin that hold pictures and are not read, what they are, and what to do
    (rb".{4}ftyp(?:hei|hev|mif1|msf1|avi)", "HEIC or AVIF", f"{_BY_HAND}, or: pip install pillow-heif"),
    (rb"\xff\x0a|.{4}JXL ", "JPEG XL", _BY_HAND),
    (rb"8BPS", "PSD, a file of Photoshop", _BY_HAND),
    (rb"\x93NUMPY|PK\x03\x04.{26}[^/]{1,80}\.npy", "arrays of NumPy (npy, npz)", "save each array as a PNG"),
    (rb"PAR1", "a table (parquet)", "save its pictures as files"),
)


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
    """`read_picture` for the bytes of a file called `name`: the picture is resized to cover, and centre-cropped."""
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
            whole = _upright(image, data, 2 * image_size)
            fitted = ImageOps.fit(whole, (image_size, image_size), Image.Resampling.BICUBIC)
            pixels = np.ascontiguousarray(np.asarray(fitted).transpose(2, 0, 1))
            return Picture(kinds, hashlib.sha256(data).digest(), pixels, actual)
    except (Image.DecompressionBombError, MemoryError):
        return Picture(["too_large"])
    except Exception:
        return Picture(["corrupt" if promised else "foreign"])


def _promised(name: str) -> str | None:
    """The format that a file's suffix promises."""
    return SUFFIXES.get(Path(name).suffix.lower())


def other_format(file: Path | bytes) -> str:
    """What a file (or its bytes) is, if not a picture that can be read, and what to do; "" if that is unknown."""
    start = file if isinstance(file, bytes) else b""
    with contextlib.suppress(OSError):
        if isinstance(file, Path) and file.is_file():  # reading a pipe would wait for ever
            with open(file, "rb") as stream:
                start = stream.read(200)
    return next((f"{what}: {fix}" for pattern, what, fix in _OTHERS if re.match(pattern, start, re.DOTALL)), "")


def opened(data: bytes, side: int = 0) -> Image.Image:
    """The complete picture in a file, as RGB. Raises what Pillow raises, and ValueError beyond MAX_PIXELS.

    side: what is needed, in pixels a side; a JPEG is then decoded at a fraction of its size (0: all of it).
    """
    with Image.open(io.BytesIO(data), formats=_OPENED) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too large")
        return _upright(image, data, side)


def _upright(image: Image.Image, data: bytes, side: int) -> Image.Image:
    """An open picture of any mode as RGB: rotated as its EXIF data says, on white where it is transparent."""
    if side:
        image.draft(None, (side, side))
    try:
        image.load()
    except OSError:
        # A JPEG that lacks only its end marker is complete: then it makes no difference what follows.
        if image.format not in ("JPEG", "MPO") or data.endswith(_END):
            raise
        start = data.removesuffix(_END[:1])
        ended, continued = (opened(start + more + _END, side) for more in (b"", _MORE))
        if ended.tobytes() != continued.tobytes():
            raise
        return ended
    with contextlib.suppress(Exception):  # a damaged EXIF block must not cost the picture
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode[0] in "IF":  # 16 bits, 32 bits or floats: Pillow would clip the values instead of scaling them
        values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
        peak = float(values.max())
        limit = next((limit for limit in _PEAKS if peak <= limit), peak)
        image = Image.fromarray(np.rint(values.clip(0, limit) * (255 / limit)).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
