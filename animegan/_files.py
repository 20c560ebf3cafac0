"""A file appears with all its bytes or not at all, whatever interrupts the writing."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole(path: Path, part: Path | None = None, durable: bool = False) -> Iterator[BinaryIO]:
    """Open `path` for writing under another name, `part`, and rename it when the block has ended well.

    A reader sees the old file or the new one. With `durable` the bytes are on the disk before the
    rename, so that it holds through a power cut too. An error or an interrupt leaves no `part`.
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
    """Write all of a file with `whole`."""
    with whole(path, durable=durable) as file:
        file.write(content)
