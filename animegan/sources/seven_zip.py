"""The files of a 7z archive, written under numbers, so that no name in it becomes a path."""

from pathlib import Path
from typing import IO

from py7zr.io import NullIO, WriterFactory


class NumberedFiles(WriterFactory):
    """py7zr extracts into `folder`; `open(name)` opens what it has extracted.

    No file becomes larger than the archive declares: py7zr cuts it off there.
    """

    def __init__(self, folder: Path):
        self.folder, self.files = folder, {}

    def create(self, filename: str) -> NullIO:
        self.files[filename] = path = self.folder / str(len(self.files))
        return _File(path)

    def open(self, name: str) -> IO[bytes]:
        """Raises KeyError for a name that was not extracted."""
        return open(self.files[name], "rb")


class _File(NullIO):
    """Only written to, and closed after every write: an archive may hold more files than a process may have open."""

    def __init__(self, path: Path):
        self.path = path
        path.touch()

    def write(self, data: bytes | bytearray) -> int:
        with open(self.path, "ab") as file:
            return file.write(data)
