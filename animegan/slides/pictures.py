"""Pictures for slides: from a notebook's outputs, its attachments, data addresses, and files beside it."""

import base64
import io
import os
import warnings
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from PIL import Image, ImageOps

from animegan.config import MAX_BYTES, MAX_PIXELS, PICTURE_FORMATS
from animegan.slides.model import Picture
from animegan.slides.svg import read_svg

KINDS = ("png", "jpeg", "gif")  # what PowerPoint and every browser can show
MAX_SIDE = 2400  # pixels: more cannot be seen on a screen, and makes the file large
POINTS_PER_PIXEL = 0.75  # at the natural size


def read_picture(data: bytes, alt: str) -> Picture:
    """A picture in any format that Pillow reads, or an SVG; ValueError if it is not a picture."""
    if data[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_svg(data, alt)
    try:
        Image.init()
        formats = [name for name in PICTURE_FORMATS if name in Image.OPEN]  # AVIF needs Pillow 11.3
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=formats)
        with image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.load()
            kind = (image.format or "").lower()
            is_turned = image.getexif().get(0x0112, 1) != 1  # the EXIF tag that says how the camera was held
            if kind not in KINDS or is_turned or max(image.size) > MAX_SIDE:
                is_photo = kind in ("jpeg", "mpo")
                kind = "jpeg" if is_photo else "png"
                image = ImageOps.exif_transpose(image)
                image = image.convert("RGB" if is_photo or not image.has_transparency_data else "RGBA")
                image.thumbnail((MAX_SIDE, MAX_SIDE))
                buffer = io.BytesIO()
                image.save(buffer, kind, quality=90)  # which only a JPEG has
                data = buffer.getvalue()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ValueError(f"over {MAX_PIXELS // 10**6} megapixels: make it smaller") from error
    except Exception as error:  # Pillow raises many exception types, depending on the format
        raise ValueError("not a picture, or a damaged one") from error
    return Picture(data, kind, *(POINTS_PER_PIXEL * side for side in image.size), alt)


def stored_picture(bundle: dict, alt: str) -> Picture:
    """A picture that a notebook stores in one format or several: the first that can be shown; else ValueError."""
    problem = ValueError("there is no such attachment")
    for kind in sorted(bundle, key=lambda kind: (kind[:6] != "image/", kind[6:] not in KINDS)):
        try:
            return read_picture(decode(bundle[kind]), alt)
        except ValueError as error:
            problem = error
    raise problem


def find_picture(folder: Path, attachments: dict, address: str, alt: str) -> Picture | str:
    """The picture that a Markdown cell names, or a line that says why there is none.

    folder: the notebook's. attachments: the cell's. Nothing is ever downloaded.
    """
    name = "picture" if address.startswith("data:") else f"picture: {Path(unquote(address)).stem}"
    try:
        return _find(address, alt or name, attachments, folder)
    except (OSError, ValueError) as error:
        shown = f"{address[:60]}…" if len(address) > 61 else address or "a picture without an address"
        reason = getattr(error, "strerror", None) or error
        return f"Picture left out{f' ({alt})' if alt else ''}: {shown} cannot be read ({reason})."


def _find(address: str, alt: str, attachments: dict, folder: Path) -> Picture:
    if address.startswith(("http:", "https:", "//", "\\\\", "ftp:", "file:")):
        raise ValueError("it is not downloaded: save it beside the notebook")
    if address.startswith("data:"):
        header, _, content = address.partition(",")
        return read_picture(decode(content) if header.endswith(";base64") else unquote_to_bytes(content), alt)
    if address.startswith("attachment:"):
        return stored_picture(attachments.get(unquote(address.removeprefix("attachment:")), {}), alt)
    path = Path(unquote(address.partition("?")[0].partition("#")[0]))
    if path.anchor:
        raise ValueError("give its path relative to the notebook")
    path = Path(os.path.realpath(folder / path))
    if not path.is_relative_to(_project(Path(os.path.realpath(folder)))):
        raise ValueError("it lies outside the folder of the notebook and its project: copy it beside the notebook")
    if not path.is_file():
        raise ValueError("there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES // 2**20} MiB: make it smaller")
    return read_picture(path.read_bytes(), alt)


def _project(folder: Path) -> Path:
    """The folder whose pictures a notebook in `folder` may show; others may be private, and slides are handed on."""
    home = Path(os.path.realpath(os.path.expanduser("~")))  # may be under version control as a whole
    below = takewhile(lambda parent: parent not in (home, Path(parent.anchor)), (folder, *folder.parents))
    projects = (p for p in below if os.path.exists(p / "pyproject.toml") or os.path.exists(p / ".git"))
    return next(projects, folder)


def decode(content: str | list[str]) -> bytes:
    """The bytes of a picture as notebooks store it: an SVG as text, others as base64; else ValueError."""
    try:
        text = "".join(content).lstrip("\ufeff \t\r\n")
        return text.encode("utf-8", "replace") if text.startswith("<") else base64.b64decode(text)
    except (TypeError, ValueError) as error:
        raise ValueError("not base64") from error
