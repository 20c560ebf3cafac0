"""What a folder or an archive holds, entry by entry, read into memory and never written under its own name.

An archive from the internet may be malicious: names that lead out of it, links, devices, a few bytes that inflate to
gigabytes. Here no entry's name becomes a path and every read has a limit; what remains is to say which entries are
refused, and why.
"""

import contextlib
import errno
import functools
import lzma
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from animegan.data import MAX_BYTES, scan
from animegan.errors import UserError, require

MAX_TOTAL = 64 * 2**30  # bytes of one source, inflated
MAX_RATIO, HARMLESS = 200, 2**20  # no picture is compressed so much, unless it is small (bytes)
MAX_ENTRIES = 1_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)  # that Python can read
LINK, DEVICE = "a link", "a device, not a file"
UNIX_TYPES = {0: "", stat.S_IFREG: "", stat.S_IFLNK: LINK}  # others are a DEVICE; 0: the archive says none
OUTSIDE = "its name leads out of the archive"
UNPACK = "unpack it with another program (7-Zip, or Windows Explorer), and import the folder"
ENCRYPTED = "encrypted: unpack it with its password, and import the folder"
NESTED = "an archive in the archive: unpack it, and import it by itself"
SPLIT = "a part of a split archive: put its parts together (as 7-Zip does), and import what they hold"
PART = re.compile(r"(\.(zip|7z|rar|tar|tgz|gz|xz|bz2)\.\d{3}|\.[zr]\d\d)$", re.IGNORECASE)  # x.zip.001, x.z01
# What the libraries raise for a damaged archive, besides errors of their own.
DAMAGED = (
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError,
    NotImplementedError, ValueError, LookupError, MemoryError,
)  # fmt: skip
STARTS = {  # the first bytes of a file -> its kind
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar",
    b"\x1f\x8b": "tar", b"BZh": "tar", b"\xfd7zXZ\x00": "tar",
}  # fmt: skip


class DamagedSource(UserError):
    """A source of which nothing can be read."""


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
        self._errors: tuple[type[Exception], ...] = DAMAGED  # and what the library of this kind of archive raises

    def __iter__(self) -> Iterator[Entry]:
        """Every file, refused ones included. Raises DamagedSource if nothing at all can be read."""
        count = 0
        try:
            for count, entry in enumerate(self._entries(), 1):
                if count > MAX_ENTRIES:
                    self.note = f"{self.path} has more than {MAX_ENTRIES:,} entries: the rest was not read"
                    return
                yield entry
        except self._errors as error:
            if not count and (isinstance(error, NotImplementedError) or "Unsupported" in type(error).__name__):
                raise UserError(f"{self.path} cannot be read here ({_words(error)}): {UNPACK}.") from error
            if not count:
                raise DamagedSource(f"{self.path} cannot be read ({_words(error)}): {_fix(error)}.") from error
            self.note = f"{self.path} breaks off after {count} entries ({_words(error)}): get it again"

    def _entries(self) -> Iterator[Entry]:
        if self.path.is_dir():
            return self._folder()
        if PART.search(self.path.name) or ((kind := kind_of_file(self.path)) == "zip" and _is_split(self.path)):
            raise UserError(f"{self.path} is {SPLIT}.")
        kinds = {"zip": self._zip, "7z": self._seven_zip, "rar": self._rar, "tar": self._tar, "": self._picture}
        return kinds[kind]()

    def _entry(self, name: str, size: int, version: object, opened: Callable, packed: int = 0, odd: str = "") -> Entry:
        """An entry of `size` bytes, of which the archive holds `packed`; `version` changes with its content.

        opened: returns the open file. odd: why it is not read, whatever its name and size.
        """
        read, refused = functools.partial(self._read, opened), self._too_much(name, size, packed)
        return Entry(name, f"{size}-{version}", read, odd or refused, retry=odd not in ("", LINK, DEVICE))

    def _read(self, opened: Callable) -> bytes:
        """All bytes, but no more than a picture may have: the sizes that an archive declares may be wrong."""
        try:
            with opened() as file:
                data = file.read(MAX_BYTES + 1)
        except self._errors as error:
            if isinstance(error, DAMAGED):
                raise
            raise OSError(_words(error)) from error
        if len(data) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB, although the archive declares less")
        return data

    # --- folder, and a picture by itself -------------------------------------------------------------------

    def _folder(self) -> Iterator[Entry]:
        found, skipped = scan(self.path)
        reasons = {"hidden": "hidden", "foreign": "not a file", "unreadable": "cannot be opened"}
        yield from (Entry(name, kind, bytes, reasons[kind]) for kind, names in skipped.items() for name in names)
        for name, size, time in found:
            yield self._entry(name, size, time, functools.partial(open, self.path / name, "rb"))

    def _picture(self) -> Iterator[Entry]:
        status, opened = self.path.stat(), functools.partial(open, self.path, "rb")
        yield self._entry(self.path.name, status.st_size, status.st_mtime_ns, opened)

    # --- archives ------------------------------------------------------------------------------------------

    def _zip(self) -> Iterator[Entry]:
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                odd = UNIX_TYPES.get(stat.S_IFMT(info.external_attr >> 16), DEVICE)
                if info.compress_type not in METHODS:
                    method = "Deflate64" if info.compress_type == 9 else f"method {info.compress_type}"
                    odd = f"packed by {method}, which Python cannot read: {UNPACK}"
                odd = ENCRYPTED if info.flag_bits & 1 else odd
                opened = functools.partial(archive.open, info)
                yield self._entry(_zip_name(info), info.file_size, f"{info.CRC:08x}", opened, info.compress_size, odd)

    def _tar(self) -> Iterator[Entry]:
        with tarfile.open(self.path, tarinfo=_TarInfo) as archive:
            for member in archive:
                archive.members = []  # else it keeps every header in memory
                if member.isdir():
                    continue
                odd = "" if member.isfile() else LINK if member.issym() or member.islnk() else DEVICE
                opened = functools.partial(archive.extractfile, member)
                yield self._entry(member.name, member.size, member.mtime, opened, odd=odd)
                if archive.offset > MAX_TOTAL:  # to skip an entry, a compressed tar inflates it
                    self.note = f"{self.path} inflates to more than {MAX_TOTAL >> 30} GiB: the rest was not read"
                    return

    def _seven_zip(self) -> Iterator[Entry]:
        py7zr = require("py7zr", "data", str(self.path))
        from animegan.sources.seven_zip import NumberedFiles

        self._errors, locked = (*DAMAGED, py7zr.exceptions.ArchiveError), UserError(f"{self.path} is {ENCRYPTED}.")
        try:
            archive = py7zr.SevenZipFile(self.path)
        except py7zr.exceptions.PasswordRequired:
            raise locked from None
        with archive, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            if archive.needs_password():
                raise locked
            infos = [info for info in archive.list() if not info.is_directory]
            total = sum(info.uncompressed for info in infos)
            size = f"{total / 2**20:,.0f} MiB"
            if total > HARMLESS and total > MAX_RATIO * self.path.stat().st_size:
                raise UserError(f"{self.path} is a bomb: it inflates to {size}. Leave it alone.")
            if total > shutil.disk_usage(folder).free:
                raise UserError(f"{self.path} unpacks to {size}, more than there is room for: free some space.")
            files, entries = NumberedFiles(Path(folder)), []
            for info in infos:
                opened, odd = functools.partial(files.open, info.filename), LINK if info.is_symlink else ""
                entries.append(self._entry(info.filename, info.uncompressed, f"{info.crc32 or 0:08x}", opened, odd=odd))
            if wanted := [entry.name for entry in entries if not entry.refused]:
                archive.extract(targets=wanted, factory=files)  # at once: it compresses many files as one
            yield from entries

    def _rar(self) -> Iterator[Entry]:
        rarfile = require("rarfile", "data", str(self.path))
        self._errors = (*DAMAGED, rarfile.Error)
        with rarfile.RarFile(self.path) as archive:
            if archive.needs_password():
                raise UserError(f"{self.path} is {ENCRYPTED}.")
            infos = [info for info in archive.infolist() if not info.is_dir()]
            try:
                if any(info.compress_type != rarfile.RAR_M0 for info in infos):
                    rarfile.tool_setup()
            except rarfile.RarCannotExec as error:
                fix = "install one, or unpack the file and import the folder"
                raise UserError(f"{self.path}: reading rar needs the program unrar, unar or bsdtar: {fix}.") from error
            for info in infos:
                opened, odd = functools.partial(archive.open, info), LINK if info.is_symlink() else ""
                version = f"{info.CRC or 0:08x}"
                yield self._entry(info.filename, info.file_size, version, opened, info.compress_size, odd)

    def _too_much(self, name: str, size: int, packed: int) -> str:
        """Why an entry is refused by its name and size, "" if it is not; adds its size to the total."""
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or parts[0].endswith(":"):
            return OUTSIDE
        if PART.search(name):
            return SPLIT
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


def kind_of_archive(data: bytes) -> str:
    """The kind of archive that begins with these bytes (zip, 7z, rar, tar), "" for none."""
    if data[257:262] == b"ustar":
        return "tar"
    return next((kind for start, kind in STARTS.items() if data.startswith(start)), "")


def kind_of_file(path: Path) -> str:
    """`kind_of_archive` of a file; a zip may begin with a program that unpacks it."""
    with open(path, "rb") as file:
        start = file.read(300)
    return "zip" if zipfile.is_zipfile(path) else kind_of_archive(start)


def _is_split(path: Path) -> bool:
    """Whether a zip is the last of several parts, NAME.z01 ... NAME.zip: its end record has the number of this part."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - HARMLESS // 8))
        _, is_end, number = file.read().rpartition(b"PK\x05\x06")
    return bool(is_end) and number[:2] not in (b"\0\0", b"\xff\xff")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Windows in China writes names in GBK without a mark; Python then decodes them as cp437."""
    if info.flag_bits & 0x800:
        return info.filename
    for encoding in ("utf-8", "gbk"):
        with contextlib.suppress(UnicodeError):
            return info.filename.encode("cp437").decode(encoding)
    return info.filename


def _fix(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "make sure that you are allowed to read it"
    return "free some space" if getattr(error, "errno", None) == errno.ENOSPC else "get it again"


def _words(error: BaseException) -> str:
    if type(error).__name__ == "CrcError" and len(error.args) == 3:  # py7zr's
        return f"wrong checksum in {error.args[2]}"
    return " ".join(str(error).split())[:120] or type(error).__name__
