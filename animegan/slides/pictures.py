"""Pictures for slides: from a notebook's outputs, its attachments, data addresses, and files beside it."""

from __future__ import annotations

import base64
import contextlib
import io
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from PIL import Image, ImageOps

from animegan.slides.model import Picture
from animegan.slides.svg import read_svg

KINDS = ("png", "jpeg", "gif")  # what PowerPoint and every browser can show
MAX_PIXELS = 2400  # per side: more cannot be seen on a screen, and makes the file large
POINTS_PER_PIXEL = 0.75  # at the natural size
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held


def read_picture(data: bytes, alt: str) -> Picture:
    """A picture in any format that Pillow reads, or an SVG; ValueError if it is not a picture."""
    if data[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_svg(data, alt)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            kind = (image.format or "").lower()
            is_turned = image.getexif().get(ORIENTATION, 1) != 1
            if kind not in KINDS or is_turned or max(image.size) > MAX_PIXELS:
                data, kind, image = _converted(image, kind)
            width, height = image.size
    except Exception as error:  # Pillow raises many exception types, depending on the format
        raise ValueError("not a picture, or a damaged one") from error
    return Picture(data, kind, POINTS_PER_PIXEL * width, POINTS_PER_PIXEL * height, alt)


def _converted(image: Image.Image, kind: str) -> tuple[bytes, str, Image.Image]:
    """The picture upright, small enough, and as JPEG or PNG."""
    image = ImageOps.exif_transpose(image)
    is_photo = kind in ("jpeg", "mpo")
    image = image.convert("RGB" if is_photo or not image.has_transparency_data else "RGBA")
    image.thumbnail((MAX_PIXELS, MAX_PIXELS))
    kind = "jpeg" if is_photo else "png"
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **({"quality": 90} if is_photo else {}))
    return buffer.getvalue(), kind, image


def stored_picture(bundle: dict, alt: str) -> Picture:
    """A picture that a notebook stores in one format or several: the first that can be shown; else ValueError."""
    *others, last = sorted(bundle, key=lambda kind: (kind[:6] != "image/", kind[6:] not in KINDS))
    for kind in others:
        with contextlib.suppress(ValueError):
            return read_picture(decode(bundle[kind]), alt)
    return read_picture(decode(bundle[last]), alt)


def find_picture(address: str, alt: str, attachments: dict, folder: Path) -> Picture | str:
    """The picture that a Markdown cell names, or a line that says why there is none.

    attachments: the cell's. folder: the notebook's. Nothing is ever downloaded.
    """
    described = f" ({alt})" if alt else ""
    if address.startswith(("http:", "https:", "//", "\\\\", "ftp:", "file:")):
        return f"Picture left out{described}: {address} is not downloaded; save it beside the notebook."
    shown = f"{address[:60]}…" if len(address) > 61 else address
    name = "picture" if address.startswith("data:") else f"picture: {Path(unquote(address)).stem}"
    try:
        return _find(address, alt or name, attachments, folder)
    except FileNotFoundError:
        return f"Picture missing{described}: {f'there is no {shown}' if address else 'it has no address'}."
    except (OSError, ValueError) as error:
        return f"Picture left out{described}: {shown} cannot be read ({error})."


def _find(address: str, alt: str, attachments: dict, folder: Path) -> Picture:
    if address.startswith("data:"):
        header, _, content = address.partition(",")
        return read_picture(decode(content) if header.endswith(";base64") else unquote_to_bytes(content), alt)
    if address.startswith("attachment:"):
        bundle = attachments.get(unquote(address.removeprefix("attachment:")))
        if not bundle:
            raise FileNotFoundError(address)
        return stored_picture(bundle, alt)
    path = Path(unquote(address.partition("?")[0].partition("#")[0]))
    if path.anchor:
        raise ValueError("give its path relative to the notebook")
    if not address or not (folder / path).is_file():
        raise FileNotFoundError(address)
    return read_picture((folder / path).read_bytes(), alt)


def decode(content: str | list[str]) -> bytes:
    """The bytes of a picture as notebooks store it: an SVG as text, others as base64; else ValueError."""
    try:
        text = "".join(content).lstrip("\ufeff \t\r\n")
        return text.encode("utf-8", "replace") if text.startswith("<") else base64.b64decode(text)
    except (TypeError, ValueError) as error:
        raise ValueError("not base64") from error
