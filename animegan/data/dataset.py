"""A folder of pictures becomes one array of faces.

Every picture is decoded once, into one uint8 array [N, 3, S, S] in a cache file beside the pictures, and memory-mapped
from then on. The layout is that of torchvision's `ImageFolder` (flat, or in class folders), and so is the preparation:
resize to cover, crop the centre. No file of the user is ever changed or deleted.
"""

import contextlib
import dataclasses
import functools
import hashlib
import io
import itertools
import json
import os
import secrets
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm.auto import tqdm

from animegan.data.folder import CACHE_FILE, KINDS, FolderReport, scan
from animegan.data.pictures import MIN_SIDE, read_picture
from animegan.errors import UserError
from animegan.files import atomic_open, read_json, reading
from animegan.text import some

_VERSION = 4  # of the cache files; a new number makes all older ones stale
_HOW_TO_GET_SOME = "put a few thousand faces there (JPEG or PNG), or train on drawn ones: animegan train --draw"


@dataclass
class FaceDataset:
    """A data set: `images` is uint8 [N, 3, S, S], RGB, read-only, a memory map where possible.

    `files` are the N relative names in the same order. `fingerprint` is the SHA-256 of the pixels: equal for a copied
    folder, different as soon as one picture is.
    """

    images: np.ndarray
    files: list[str]
    fingerprint: str
    report: FolderReport

    def __len__(self) -> int:
        return len(self.files)


def load_faces(
    folder: str | Path, image_size: int = 96, progress: bool = True, workers: int | None = None
) -> FaceDataset:
    """Read all pictures under `folder`, at any depth, ordered by relative name (code points).

    The first call decodes with `workers` threads (default: one per core, at most 8); later calls map the cache file as
    long as no name, size or time of a file changes and the cache is undamaged. It is in the folder, else in a folder of
    its own in $ANIMEGAN_CACHE or the system's temporary folder; if neither works, the array stays in memory.

    Raises UserError if the folder is missing, is a file, cannot be opened, or holds no picture that can be used.
    """
    faces = _load(folder, image_size, progress, workers)
    if len(faces):
        return faces
    report, where = faces.report, faces.report.folder
    if report.total == len(report.hidden) + len(report.foreign):
        others = f" (only {some(report.foreign + report.hidden)})" if report.total else ""
        raise UserError(f"there are no pictures in {where}{others}: {_HOW_TO_GET_SOME}")
    unusable = {kind: getattr(report, kind) for kind in ("corrupt", "too_small", "too_large", "unreadable")}
    counts = ", ".join(f"{len(names)} {KINDS[kind][0]}" for kind, names in unusable.items() if names)
    fix = f"put intact pictures there, of {MIN_SIDE} pixels a side or more"
    raise UserError(f"no picture in {where} can be used ({counts}): {fix}")


def check_folder(folder: str | Path, image_size: int = 96, progress: bool = True) -> FolderReport:
    """The report of `load_faces`, also when no picture can be used; then there is no cache either.

    Raises UserError if the folder is missing, is a file, or cannot be opened.
    """
    return _load(folder, image_size, progress, None).report


def _load(folder: str | Path, image_size: int, progress: bool, workers: int | None) -> FaceDataset:
    if not str(folder).strip():
        raise UserError("the name of the folder of pictures is empty: name one, e.g. data/ (is a variable not set?)")
    folder = Path(os.path.expanduser(folder))
    if os.path.isfile(folder):
        raise UserError(f"{folder} is a file: give the folder that holds the pictures (unpack an archive)")
    with reading(folder, "give another folder, or make sure that you may open this one"):
        try:
            os.scandir(folder).close()
        except (FileNotFoundError, NotADirectoryError):
            here = "" if folder.is_absolute() else f" in {os.getcwd()}"
            raise UserError(f"there is no folder {folder}{here}: check the path, or {_HOW_TO_GET_SOME}") from None
    found, skipped = scan(folder)
    found = [file for file in found if file[0] != "README.md"]  # the page that data/ comes with
    decode = functools.partial(_decode, folder, found, image_size, progress, workers or min(8, os.cpu_count() or 1))
    try:
        faces = _cached(folder, found, image_size, decode)
    except _NoPictures as error:
        faces = FaceDataset(np.empty((0, 3, image_size, image_size), np.uint8), [], "", error.args[0])
    report = faces.report
    report.folder = str(folder)
    report.total = len(found) + sum(map(len, skipped.values()))
    for kind, names in skipped.items():
        setattr(report, kind, sorted(getattr(report, kind) + names))
    return faces


class _NoPictures(Exception):
    """Raised with the report: no file can be used, so nothing is cached."""


def _decode(
    folder: Path, found: list[tuple[str, int, int]], image_size: int, progress: bool, workers: int, stream: BinaryIO
) -> dict:
    """Decode all files, in order, and write their pixels to `stream`; returns the facts about them.

    Those are the fields of FaceDataset except `images`. Raises _NoPictures if none of the files can be used.
    """
    report, files, originals, pixels_hash = FolderReport(), [], {}, hashlib.sha256()
    # Filters belong to the whole process, so they are set once, around the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as pool:
        warnings.simplefilter("ignore")
        with tqdm(total=len(found), desc="pictures", mininterval=0.5, disable=not progress) as bar:
            for first in range(0, len(found), 256):  # so that few results wait in memory
                part = found[first : first + 256]
                pictures = pool.map(lambda file: read_picture(folder / file[0], file[1], image_size), part)
                for (name, *_), (kinds, digest, pixels, _) in zip(part, pictures, strict=True):
                    bar.update()
                    for kind in kinds:
                        getattr(report, kind).append(name)
                    if pixels is None:
                        continue
                    if (original := originals.setdefault(digest, name)) != name:
                        report.duplicates[name] = original
                    files.append(name)
                    values = pixels.tobytes()
                    pixels_hash.update(values)
                    stream.write(values)
    if not files:
        raise _NoPictures(report)
    report.usable = len(files)
    return {"files": files, "fingerprint": pixels_hash.hexdigest(), "report": report}


# --- the cache: STEM.npy with the pixels, and STEM.json with the facts about them ------------------------------------


@dataclass
class _Facts:
    """The content of STEM.json."""

    key: str
    files: list[str]
    fingerprint: str
    report: FolderReport
    seal: str = ""

    def as_json(self) -> bytes:
        return json.dumps(self, default=vars).encode("ascii")


def _seal(facts: _Facts, images: np.ndarray) -> str:
    """A hash of the facts and the pixels, by which damage is noticed, down to one flipped bit.

    It takes the sums of each picture and of each place in a picture, as 64-bit words, instead of their bytes: for 6,144
    faces of 96 x 96 half as long as CRC-32, so that every start can afford it. (SHA-256 takes three times as long.)
    """
    rows = images.reshape(len(images), -1)
    rows = rows.view(np.uint64) if rows.shape[1] % 8 == 0 else rows
    sums = b"".join(rows.sum(axis=axis, dtype=np.uint64).tobytes() for axis in (0, 1))
    return hashlib.sha256(dataclasses.replace(facts, seal="").as_json() + sums).hexdigest()


def _cached(folder: Path, found: list, image_size: int, decode: Callable[[BinaryIO], dict]) -> FaceDataset:
    """The data set from its cache, which is written if it is missing; from memory if there is no place for one."""
    key = hashlib.sha256(json.dumps([_VERSION, image_size, found]).encode()).hexdigest()
    path_hash = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogatepass")).hexdigest()
    places = [folder]
    with contextlib.suppress(OSError):  # a system may lack a temporary folder, too
        elsewhere = Path(os.path.expanduser(os.environ.get("ANIMEGAN_CACHE") or tempfile.gettempdir()))
        places.append(elsewhere / f"animegan-{path_hash[:16]}")
    stem_name = f".animegan-{image_size}-{key[:16]}"
    for place in places:
        with contextlib.suppress(OSError):  # not there, or closed
            _delete_stale(place, stem_name)
    for is_missing, place in itertools.product((False, True), places):
        stem = place / stem_name
        if is_missing:
            with contextlib.suppress(OSError):  # a read-only folder, a full disk: the next place is tried
                _write(stem, key, image_size, decode)
        if (faces := _find(stem, key, image_size, folder)) is not None:
            if place is not folder:
                faces.report.notes.append(f"the folder cannot be written to: the cache is in {place}")
            return faces
    try:
        facts = decode(memory := io.BytesIO())
    except MemoryError:
        raise UserError(f"{folder} holds too many files for the memory: give a folder with pictures only") from None
    facts["report"].notes.append("no place for a cache file: the pictures are kept in memory")
    images = np.frombuffer(memory.getvalue(), np.uint8).reshape(-1, 3, image_size, image_size)
    return FaceDataset(images, **facts)


def _find(stem: Path, key: str, image_size: int, folder: Path) -> FaceDataset | None:
    """The cached data set, or None if there is none, or a damaged one: it is then decoded again."""
    try:
        facts = read_json(Path(f"{stem}.json"), _Facts, "")
        with reading(f"{stem}.npy", ""):
            images = np.load(f"{stem}.npy", mmap_mode="r")
        shape, length = (len(facts.files), 3, image_size, image_size), images.offset + images.nbytes
        is_whole = images.shape == shape and images.dtype == np.uint8 and os.path.getsize(images.filename) == length
        if not is_whole or (facts.key, facts.seal) != (key, _seal(facts, images)):
            return None
    except Exception:  # a damaged header has many: SyntaxError, tokenize.TokenError
        return None
    for name in facts.report.unreadable:
        with contextlib.suppress(OSError), open(folder / name, "rb"):
            return None  # it can be read by now
    return FaceDataset(images, facts.files, facts.fingerprint, facts.report)


def _write(stem: Path, key: str, image_size: int, decode: Callable[[BinaryIO], dict]) -> None:
    """Decode into the cache file, then write its sidecar. Raises OSError if that fails."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each process: two may decode the same folder at the same time.
    part = stem.with_name(f"{stem.name}-{secrets.token_hex(4)}.tmp")
    with atomic_open(Path(f"{stem}.npy"), part) as stream:
        _write_header(stream, 0, image_size)
        facts = _Facts(key, **decode(stream))
        stream.seek(0)  # a header has the same length for every number of pictures
        _write_header(stream, len(facts.files), image_size)
    facts.seal = _seal(facts, np.load(f"{stem}.npy", mmap_mode="r"))
    with atomic_open(Path(f"{stem}.json"), part) as stream:
        stream.write(facts.as_json())


def _write_header(stream: BinaryIO, count: int, image_size: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, image_size, image_size)}
    np.lib.format.write_array_header_1_0(stream, header)


def _delete_stale(place: Path, stem_name: str) -> None:
    """Delete the caches that no longer fit the folder, and what killed processes left of a cache with any key."""
    for own in filter(None, map(CACHE_FILE.fullmatch, os.listdir(place))):
        path, of_this_size = place / own[0], stem_name.startswith(f".animegan-{own[1]}-")
        # Another process may still write its temporary file, or (on Windows) map the old cache.
        with contextlib.suppress(OSError):
            is_old = path.stat().st_mtime < time.time() - 86400
            if is_old if own[3] == "tmp" else of_this_size and not own[0].startswith(stem_name):
                path.unlink()
