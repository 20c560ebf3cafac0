"""What a folder or an archive holds, entry by entry, read into memory and never written under its own name.

An archive from the internet may be malicious: names that lead out of it, links, devices, a few bytes that inflate to
gigabytes. Here no entry's name becomes a path and every read has a limit; what remains is to say which entries are
refused, and why.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from animegan.data import MAX_BYTES, scan
from animegan.errors import UserError, require

MAX_TOTAL = 64 * 2**30  # bytes of one source, inflated
MAX_RATIO, HARMLESS = 200, 2**20  # no picture is compressed so much, unless it is small (bytes)
MAX_ENTRIES = 1_000_000
OUTSIDE = "its name leads out of the archive"
ENCRYPTED = "encrypted: unpack it with its password, and import the folder"
NESTED = "an archive in the archive: unpack it, and import it by itself"
# What the libraries raise for a damaged archive, besides errors of their own.
DAMAGED = (
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError,
    NotImplementedError, ValueError, LookupError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A file in a source. `name` has "/" between its parts; `stamp` changes when the content does.

    `read()` gives the bytes, or raises one of DAMAGED; of a tar it must come before the next entry is asked for.
    `refused` says why the entry is not read, "" if it is.
    """

    name: str
    stamp: str
    read: Callable[[], bytes]
    refused: str = ""
    retry: bool = False  # refused for now: the source may be fixed, and imported again


class Source:
    """A folder, an archive or a single picture. `note` is what the user should know once all entries were read."""

    def __init__(self, path: Path):
        self.path, self.note = path, ""
        self._total = 0

    def __iter__(self) -> Iterator[Entry]:
        """Every file, refused ones included. Raises UserError if nothing at all can be read."""
        count = 0
        try:
            for count, entry in enumerate(self._entries(), 1):
                if count > MAX_ENTRIES:
                    self.note = f"{self.path} has more than {MAX_ENTRIES:,} entries: the rest was not read"
                    return
                yield entry
        except DAMAGED as error:
            if not count:
                raise UserError(f"{self.path} cannot be read ({_words(error)}): {_fix(error)}.") from error
            self.note = f"{self.path} breaks off after {count} entries ({_words(error)}): get it again"

    def _entries(self) -> Iterator[Entry]:
        if self.path.is_dir():
            return self._folder()
        if not self.path.is_file():
            raise UserError(f"{self.path} is a device or a pipe: give a folder, an archive or pictures.")
        with open(self.path, "rb") as file:
            start = file.read(300)
        kind = (
            "zip" if zipfile.is_zipfile(self.path) else _kind(start)
        )  # a zip may begin with a program that unpacks it
        if kind:
            return {"zip": self._zip, "7z": self._seven_zip, "rar": self._rar, "tar": self._tar}[kind]()
        status = self.path.stat()
        return iter([self._file(self.path, self.path.name, status.st_size, status.st_mtime_ns)])

    # --- folder, and a file by itself ----------------------------------------------------------------------

    def _folder(self) -> Iterator[Entry]:
        found, skipped = scan(self.path)
        for kind, names in skipped.items():
            for name in names:
                yield Entry(
                    name, kind, bytes, {"hidden": "hidden", "foreign": "not a file"}.get(kind, "cannot be opened")
                )
        for name, size, time in found:
            yield self._file(self.path / name, name, size, time)

    def _file(self, path: Path, name: str, size: int, time: int) -> Entry:
        return Entry(name, f"{size}-{time}", path.read_bytes, self._too_much(name, size, size))

    # --- archives ------------------------------------------------------------------------------------------

    def _zip(self) -> Iterator[Entry]:
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                name, mode = _zip_name(info), info.external_attr >> 16
                refused = self._too_much(name, info.file_size, info.compress_size)
                if is_locked := bool(info.flag_bits & 1):
                    refused = ENCRYPTED
                elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    refused = "a link" if stat.S_ISLNK(mode) else "a device, not a file"
                read = functools.partial(_read, functools.partial(archive.open, info))
                yield Entry(name, f"{info.file_size}-{info.CRC:08x}", read, refused, retry=is_locked)

    def _tar(self) -> Iterator[Entry]:
        with tarfile.open(self.path, tarinfo=_TarInfo) as archive:
            for member in archive:
                archive.members = []  # else it keeps every header in memory
                if member.isdir():
                    continue
                refused = self._too_much(member.name, member.size, member.size)
                if not member.isfile():
                    refused = "a link" if member.issym() or member.islnk() else "a device, not a file"
                read = functools.partial(_read, functools.partial(archive.extractfile, member))
                yield Entry(member.name, f"{member.size}-{member.mtime}", read, refused)
                if self._total > MAX_TOTAL:  # to skip an entry, a compressed tar inflates it
                    self.note = f"{self.path} inflates to more than {MAX_TOTAL >> 30} GiB: the rest was not read"
                    return

    def _seven_zip(self) -> Iterator[Entry]:
        py7zr = require("py7zr", "data", str(self.path))
        locked = UserError(f"{self.path} is {ENCRYPTED}.")
        with _as_errors(py7zr.exceptions.ArchiveError), contextlib.ExitStack() as stack:
            try:
                archive = stack.enter_context(py7zr.SevenZipFile(self.path))
            except py7zr.exceptions.PasswordRequired:
                raise locked from None
            if archive.needs_password():
                raise locked
            infos = [info for info in archive.list() if not info.is_directory]
            refused = {
                info.filename: "a link" if info.is_symlink else self._too_much(info.filename, info.uncompressed, 0)
                for info in infos
            }
            wanted = [name for name, reason in refused.items() if not reason]
            total = sum(info.uncompressed for info in infos)
            if total > HARMLESS and total > MAX_RATIO * self.path.stat().st_size:
                raise UserError(f"{self.path} is a bomb: it inflates to {total / 2**20:,.0f} MiB. Leave it alone.")
            if total > shutil.disk_usage(tempfile.gettempdir()).free:
                raise UserError(
                    f"{self.path} unpacks to {total / 2**20:,.0f} MiB, more than there is room for: free some space."
                )
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                from animegan.sources.seven_zip import NumberedFiles

                files = NumberedFiles(Path(folder))
                if wanted:
                    archive.extract(targets=wanted, factory=files)
                for info in infos:
                    read = functools.partial(files.read, info.filename)
                    stamp = f"{info.uncompressed}-{info.crc32 or 0:08x}"
                    yield Entry(info.filename, stamp, read, refused[info.filename])

    def _rar(self) -> Iterator[Entry]:
        rarfile = require("rarfile", "data", str(self.path))
        with _as_errors(rarfile.Error), rarfile.RarFile(self.path) as archive:
            if archive.needs_password():
                raise UserError(f"{self.path} is {ENCRYPTED}.")
            for info in archive.infolist():
                if info.is_dir():
                    continue
                refused = self._too_much(info.filename, info.file_size, info.compress_size)
                refused = "a link" if info.is_symlink() else refused
                read = functools.partial(self._read_rar, rarfile, archive, info)
                yield Entry(info.filename, f"{info.file_size}-{info.CRC or 0:08x}", read, refused)

    def _read_rar(self, rarfile, archive, info) -> bytes:
        try:
            with _as_errors(rarfile.Error):
                return _read(functools.partial(archive.open, info))
        except OSError as error:
            if isinstance(error.__cause__, rarfile.RarCannotExec):
                raise UserError(
                    f"{self.path}: reading rar needs the program unrar, unar or bsdtar, and none is installed: "
                    f"install one, or unpack the file and import the folder."
                ) from error
            raise

    def _too_much(self, name: str, size: int, packed: int) -> str:
        """Why an entry is refused by its name and size, "" if it is not; adds its size to the total."""
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or parts[0].endswith(":"):
            return OUTSIDE
        if "__MACOSX" in parts:
            return "not a file of yours: a Mac has added it"
        if any(part.startswith(".") for part in parts if part != "."):
            return "hidden"
        if size > MAX_BYTES:
            return f"too large (over {MAX_BYTES >> 20} MiB)"
        if size > HARMLESS and size > MAX_RATIO * packed > 0:
            return f"a bomb: it inflates {size // packed:,}-fold"
        self._total += size
        return "" if self._total <= MAX_TOTAL else f"over the total limit of {MAX_TOTAL >> 30} GiB"


class _TarInfo(tarfile.TarInfo):
    """A tar may contain a name of gigabytes, which tarfile would read into memory."""

    def _proc_member(self, archive):
        long = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)
        if self.type in long and self.size > HARMLESS:
            raise tarfile.ReadError(f"a header of {self.size >> 20} MiB")
        return super()._proc_member(archive)


def is_archive(data: bytes) -> bool:
    """Whether the bytes of an entry are themselves an archive."""
    return bool(_kind(data))


def _kind(data: bytes) -> str:
    """The kind of archive that begins with these bytes, "" for none."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if data.startswith(b"7z\xbc\xaf\x27\x1c"):
        return "7z"
    if data.startswith(b"Rar!\x1a\x07"):
        return "rar"
    is_tar = data.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")) or data[257:262] == b"ustar"
    return "tar" if is_tar else ""


def _read(opened: Callable[[], BinaryIO]) -> bytes:
    """All bytes, but no more than a picture may have: the sizes that an archive declares may be wrong."""
    with opened() as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB, although the archive declares less")
    return data


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Windows in China writes names in GBK without a mark; Python then decodes them as cp437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gbk"):
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return info.filename


@contextlib.contextmanager
def _as_errors(kind: type[Exception]) -> Iterator[None]:
    """Turn a library's own error into one of DAMAGED."""
    try:
        yield
    except kind as error:
        raise OSError(_words(error)) from error


def _fix(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "make sure that you are allowed to read it"
    return "free some space" if getattr(error, "errno", None) == errno.ENOSPC else "get it again"


def _words(error: BaseException) -> str:
    if type(error).__name__ == "CrcError" and len(error.args) == 3:  # py7zr's
        return f"wrong checksum in {error.args[2]}"
    return " ".join(str(error).split())[:120] or type(error).__name__
