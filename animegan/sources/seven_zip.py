"""The files of a 7z archive, written under numbers, so that no name in it becomes a path."""

from __future__ import annotations

from pathlib import Path

from py7zr.io import Py7zIO, WriterFactory

from animegan.data import MAX_BYTES


class NumberedFiles(WriterFactory):
    """py7zr extracts into `folder`; `read(name)` returns what it has extracted."""

    def __init__(self, folder: Path):
        self.folder, self.files = folder, {}

    def create(self, filename: str, mode: str = "w") -> Py7zIO:  # noqa: ARG002
        path = self.folder / str(len(self.files))
        self.files[filename] = path
        return _File(path)

    def read(self, name: str) -> bytes:
        """Raises KeyError for a name that was not extracted, ValueError for a file above MAX_BYTES."""
        data = self.files[name].read_bytes()
        if len(data) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB, although the archive declares less")
        return data


class _File(Py7zIO):
    def __init__(self, path: Path):
        self.path, self.written = path, 0
        path.touch()

    def write(self, data: bytes | bytearray) -> int:
        if self.written <= MAX_BYTES:  # one byte above the limit shows that it was too large
            with open(self.path, "ab") as file:
                file.write(data[: MAX_BYTES + 1 - self.written])
        self.written += len(data)
        return len(data)

    def read(self, size: int | None = None) -> bytes:
        return self.path.read_bytes()[:size]

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002
        return offset

    def flush(self) -> None:
        pass

    def size(self) -> int:
        return self.written
