"""Atomic writes: a file appears with all its bytes or not at all, whatever interrupts the writing."""

import contextlib
import csv
import errno
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from animegan.errors import UserError

START_AGAIN = "restore the right file, or start a new run in another --outf."


@contextlib.contextmanager
def saving(path: str | os.PathLike, fix: str = "make sure that you may write there, then try again") -> Iterator[None]:
    """Turn an OSError of the block into one line for the user: which file, why, and what to do."""
    try:
        yield
    except OSError as error:
        fixes = {errno.ENOSPC: "free some space, then try again", errno.ENOENT: "make the folder first, then try again"}
        raise UserError(
            f"{path} could not be saved ({error.strerror or error}); what was saved before is kept: "
            f"{fixes.get(error.errno or 0, fix)}."
        ) from error


@contextlib.contextmanager
def atomic_open(path: Path, part: Path | None = None, durable: bool = False) -> Iterator[BinaryIO]:
    """Open `path` for writing under another name, `part`, and rename it when the block ends without an error.

    A reader sees the old file or the new one. With `durable` the bytes are on the disk before the
    rename, so that the file survives a power cut too. An error or an interrupt leaves no `part`.
    """
    part = part or path.with_name(f".{path.name}.part")  # hidden: no reader takes it for a picture
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes, durable: bool = False) -> None:
    """Write a file atomically; raises OSError."""
    with atomic_open(path, durable=durable) as file:
        file.write(content)


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a CSV file atomically; floats with four decimals."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows([f"{value:.4f}" if isinstance(value, float) else value for value in row] for row in rows)
    write_whole(path, text.getvalue().encode("utf-8"))


def write_picture(path: Path, picture: Image.Image, **options: Any) -> None:
    """Write a picture atomically, in the format of its suffix; UserError if Pillow cannot write that format."""
    formats = Image.registered_extensions()
    format = formats.get(path.suffix.lower())
    if format not in Image.SAVE:
        raise UserError(f"{path} does not end in the suffix of a picture format; let it end in .png.")
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **({"quality": 85, "subsampling": 0} if format == "JPEG" else options))
    write_bytes(path, buffer.getvalue())


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, as UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write atomically and durably; UserError if that fails."""
    with saving(path, "make sure that you may write there, then try again (a training run continues with --resume)"):
        write_whole(path, content, durable=True)
