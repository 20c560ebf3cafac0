"""Files that are written atomically, and checked when they are read.

A file appears with all its bytes or not at all, whatever interrupts the writing. What is read may have been changed by
hand or damaged: `read_json` and `read_table` hold it against types, and one line says what is wrong.
"""

import contextlib
import csv
import errno
import functools
import io
import json
import math
import os
import tempfile
import types
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from filelock import FileLock, Timeout
from PIL import Image, ImageFile

from animegan.errors import UserError

T = TypeVar("T")
Row = TypeVar("Row", bound=NamedTuple)

# What reading a file raises if it holds something else than expected. RecursionError: nested a thousand levels deep;
# OverflowError: a number of 400 digits.
WRONG_CONTENT = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError, EOFError,
    csv.Error,
)  # fmt: skip
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


def check_writable(path: Path) -> None:
    """Raise UserError if no file can be made in the folder of `path`: before what takes hours, not after it."""
    with saving(path):
        tempfile.TemporaryFile(dir=path.parent).close()


@contextlib.contextmanager
def atomic_open(path: Path, part: Path | None = None, durable: bool = False) -> Iterator[BinaryIO]:
    """Open `path` for writing under another name, `part`, and rename it when the block ends without an error.

    A reader sees the old file or the new one. With `durable` the bytes are on the disk before the
    rename, so that the file survives a power cut too. An error or an interrupt leaves no `part`.
    """
    part = part or path.with_name(f".{path.name}.part")  # hidden: no reader takes it for a picture
    try:
        part.unlink(missing_ok=True)  # a pipe in its place would be waited for, a link followed
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
    # PNG's level 4 makes a grid of faces as small as the default level 6, in half the time.
    settings = {"JPEG": {"quality": 85, "subsampling": 0, **options}, "PNG": {"compress_level": 4, **options}}
    buffer = io.BytesIO()
    if format == "JPEG":  # an optimised one must fit into one block, and noise does not fit into Pillow's
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 4 * picture.width * picture.height)
    try:
        picture.save(buffer, format=format, **settings.get(format, options))
    except (OSError, ValueError) as error:  # a format without colours, or one for films
        raise UserError(f"{path}: {format} cannot hold this picture; let it end in .png.") from error
    write_bytes(path, buffer.getvalue())


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, as UTF-8; half a character (from a path that is not UTF-8) as JSON's escape of it."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write atomically and durably; UserError if that fails."""
    with saving(path, "make sure that you may write there, then try again (a training run continues with --resume)"):
        write_whole(path, content, durable=True)


@contextlib.contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Keep other processes out while the block runs: they get UserError with the line `busy`.

    path: the file of the lock, made with its folder; it stays, and the lock ends with the process, however that ends.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(FileLock(path, timeout=0))
        except Timeout as error:
            raise UserError(busy) from error
        except OSError as error:
            why = error.strerror or error
            raise UserError(f"{path.parent} cannot be written ({why}); name a folder that you may write to.") from error
        yield


@contextlib.contextmanager
def reading(path: str | os.PathLike, fix: str, errors: Any = WRONG_CONTENT) -> Iterator[None]:
    """Turn what the block raises over a file (unreadable, damaged, changed by hand) into one line for the user."""
    try:
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):  # a pipe would be waited for
            raise OSError("it is not a file")
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}): {fix}.") from error
    except errors as error:
        words = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"{path} is damaged ({words}): {fix}.") from error


def read_json(path: Path, kind: type[T], fix: str) -> T:
    """The content of a JSON file as a `kind`: see `build`. UserError if it is anything else."""
    with reading(path, fix):
        return build(kind, json.loads(path.read_bytes()), "its content")


def read_table(path: Path, kind: type[Row], fix: str, finite: bool = True) -> list[Row]:
    """The lines of a CSV file, one `kind` (a NamedTuple of numbers and strings) each; UserError if one is damaged.

    finite: whether nan and inf are refused.
    """
    hints = _type_hints(kind)
    with reading(path, fix), open(path, newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if missing := [name for name in hints if name not in header]:
            raise ValueError(f"it has no column {missing[0]}")
        columns = [(header.index(name), name, hints[name]) for name in hints]
        rows = []
        for cells in lines:
            if len(cells) != len(header):
                raise ValueError(f"line {lines.line_num} has {len(cells)} cells instead of {len(header)}")
            row = kind._make(convert(cells[place]) for place, _, convert in columns)
            for (_, name, convert), value in zip(columns, row, strict=True):
                if convert is int or (convert is float and finite):
                    build(convert, value, f"line {lines.line_num}: {name}")
            rows.append(row)
        return rows


_type_hints = functools.cache(get_type_hints)  # an import's journal asks for the same ones thousands of times


def build(kind: Any, value: Any, name: str) -> Any:
    """A value from a file as `kind`: a plain type, list[...], dict[str, ...], a union, or a dataclass of these.

    A dataclass is made of a dict: keys without a default must be there, and others than its fields may not. Numbers are
    finite and at most 64 bits long. Raises ValueError that says where the value differs; `name` is the value's.
    """
    origin, of = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        for each in of:
            with contextlib.suppress(ValueError):
                return build(each, value, name)
    elif is_dataclass(kind) and isinstance(value, dict):
        hints = _type_hints(kind)
        needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
        if missing := sorted(needed - set(value)):
            raise ValueError(f"{name} has no {missing[0]}")
        if unknown := sorted(set(value) - set(hints)):
            raise ValueError(f"{name} has an unknown {unknown[0][:40]}")
        return kind(**{key: build(hints[key], value[key], key) for key in value})  # pyright: ignore[reportCallIssue]
    elif origin is list and isinstance(value, list):
        return [build(of[0], each, name) for each in value] if of else value
    elif origin is dict and isinstance(value, dict):
        return {key: build(of[1], each, key) for key, each in value.items()} if of else value
    elif kind is float and type(value) in (int, float):
        if math.isfinite(value):  # raises OverflowError for a whole number that no float can hold
            return float(value)
    elif type(value) is kind and (kind is not int or -(2**63) <= value < 2**63):
        return value
    raise ValueError(f"{name} is {repr(value)[:40]}")
