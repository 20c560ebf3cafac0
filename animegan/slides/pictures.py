"""Pictures for slides: from a notebook's outputs, its attachments, data addresses and files beside it."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from PIL import Image, ImageOps

from animegan.slides.model import Picture

KINDS = ("png", "jpeg", "gif")  # what PowerPoint and every browser show
MAX_PIXELS = 2400  # a side: more is not seen on a screen, and makes the file large
POINTS = 0.75  # a pixel's size


def read_picture(data: bytes, alt: str) -> Picture:
    """A picture of any format that Pillow reads; ValueError for what is none."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            kind = (image.format or "").lower()
            is_turned = image.getexif().get(0x0112, 1) != 1  # how the camera was held
            if kind not in KINDS or is_turned or max(image.size) > MAX_PIXELS:
                data, kind, image = _written_anew(image, kind)
            width, height = image.size
    except Exception as error:  # Pillow raises many kinds, by format
        raise ValueError("not a picture, or a damaged one") from error
    return Picture(data, kind, POINTS * width, POINTS * height, alt)


def _written_anew(image: Image.Image, kind: str) -> tuple[bytes, str, Image.Image]:
    image = ImageOps.exif_transpose(image)
    is_photo = kind in ("jpeg", "mpo")
    image = image.convert("RGB" if is_photo or not image.has_transparency_data else "RGBA")
    image.thumbnail((MAX_PIXELS, MAX_PIXELS))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG" if is_photo else "PNG", **({"quality": 90} if is_photo else {}))
    return buffer.getvalue(), "jpeg" if is_photo else "png", image


def find_picture(address: str, alt: str, attachments: dict, folder: Path) -> Picture | str:
    """The picture that a Markdown cell names, or a line that says why there is none.

    attachments: the cell's. folder: the notebook's. Nothing is ever fetched from the net.
    """
    described = f" ({alt})" if alt else ""
    if address.startswith(("http:", "https:", "//", "\\\\", "ftp:", "file:")):
        return f"Picture left out{described}: {address} is not fetched; save it beside the notebook."
    shown = f"{address[:60]}…" if len(address) > 61 else address
    try:
        return read_picture(_bytes(address, attachments, folder), alt or _name(address))
    except FileNotFoundError:
        return f"Picture missing{described}: there is no {shown}."
    except (OSError, ValueError) as error:
        return f"Picture left out{described}: {shown} cannot be read ({error})."


def _bytes(address: str, attachments: dict, folder: Path) -> bytes:
    if address.startswith("data:"):
        header, _, content = address.partition(",")
        return decoded(content) if header.endswith(";base64") else unquote_to_bytes(content)
    if address.startswith("attachment:"):
        name = unquote(address.removeprefix("attachment:"))
        bundle = attachments.get(name) or {}
        if not bundle:
            raise FileNotFoundError(name)
        return decoded(next(iter(bundle.values())))
    path = Path(unquote(address.partition("?")[0].partition("#")[0]))
    if path.anchor:
        raise ValueError("give its path as seen from the notebook")
    if not address or not (folder / path).is_file():
        raise FileNotFoundError(address)
    return (folder / path).read_bytes()


def decoded(content: str | list[str]) -> bytes:
    """Base64 as notebooks keep it; ValueError for what is none."""
    text = content if isinstance(content, str) else "".join(content)
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _name(address: str) -> str:
    """A description where the author has given none."""
    return "picture" if address.startswith("data:") else f"picture: {Path(unquote(address)).stem}"
