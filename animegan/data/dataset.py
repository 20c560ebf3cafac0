"""A folder of pictures becomes one array of faces.

Every picture is decoded once, into one uint8 array [N, 3, S, S] in a cache file beside the pictures, and memory-mapped
from then on. The layout is that of torchvision's `ImageFolder` (flat, or in class folders), and so is the preparation:
resize to cover, crop the centre. No file of the user is ever changed or deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import itertools
import json
import os
import secrets
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from animegan.data.folder import CACHE_FILE, scan
from animegan.data.pictures import MIN_SIDE, read_picture
from animegan.data.report import KINDS, FolderReport
from animegan.errors import UserError
from animegan.files import atomic_open
from animegan.text import printable, some

_VERSION = 2  # of the cache files; a new number makes all older ones stale
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
    long as no name, size or time of a file changes. The cache is written into the folder, else into a folder of its own
    in $ANIMEGAN_CACHE or the system's temporary folder; if neither works, the array stays in memory.

    Raises UserError if the folder is missing, is a file, or holds no picture that can be used.
    """
    faces = _load(folder, image_size, progress, workers)
    if len(faces):
        return faces
    report, where = faces.report, printable(faces.report.folder)
    if report.total == len(report.hidden) + len(report.foreign):
        others = f" (only {some(report.foreign + report.hidden)})" if report.total else ""
        raise UserError(f"there are no pictures in {where}{others}: {_HOW_TO_GET_SOME}")
    counts = ", ".join(
        f"{len(names)} {KINDS[kind][0]}"
        for kind in ("corrupt", "too_small", "too_large", "unreadable")
        if (names := getattr(report, kind))
    )
    raise UserError(
        f"no picture in {where} can be used ({counts}): put intact pictures there, of {MIN_SIDE} pixels a side or more"
    )


def check_folder(folder: str | Path, image_size: int = 96, progress: bool = True) -> FolderReport:
    """The report of `load_faces`, also when no picture can be used.

    Raises UserError if the folder is missing or is a file.
    """
    return _load(folder, image_size, progress, None).report


def _load(folder: str | Path, image_size: int, progress: bool, workers: int | None) -> FaceDataset:
    folder = Path(os.path.expanduser(folder))
    shown = printable(str(folder))
    if os.path.isfile(folder):
        raise UserError(f"{shown} is a file: give the folder that holds the pictures (unpack an archive)")
    if not os.path.isdir(folder):
        here = "" if folder.is_absolute() else f" in {printable(os.getcwd())}"
        raise UserError(f"there is no folder {shown}{here}: check the path, or {_HOW_TO_GET_SOME}")
    found, skipped = scan(folder)
    decode = functools.partial(_decode, folder, found, progress, workers or min(8, os.cpu_count() or 1))
    shape = (len(found), 3, image_size, image_size)
    faces = _cached(folder, found, shape, decode)
    if faces is None:
        try:
            images = np.empty(shape, np.uint8)
        except MemoryError:
            raise UserError(f"{shown} holds {len(found):,} files, too many: give a folder with pictures only") from None
        faces = _faces(images, decode(images))
        faces.images.flags.writeable = False
        faces.report.notes.append("no place for a cache file: the pictures are kept in memory")

    report = faces.report
    report.folder = str(folder)
    report.total = len(found) + sum(map(len, skipped.values()))
    for kind, names in skipped.items():
        setattr(report, kind, sorted(getattr(report, kind) + names))
    return faces


def _decode(folder: Path, found: list[tuple[str, int, int]], progress: bool, workers: int, images: np.ndarray) -> dict:
    """Decode all files, in order, into the first places of `images` [N, 3, S, S]; returns the facts about them."""
    report, files, originals, pixels_hash = FolderReport(), [], {}, hashlib.sha256()
    # Filters belong to the whole process, so they are set once, around the threads.
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as pool:
        warnings.simplefilter("ignore")
        with tqdm(total=len(found), desc="pictures", mininterval=0.5, disable=not progress) as bar:
            for first in range(0, len(found), 256):  # so that few results wait in memory
                part = found[first : first + 256]
                pictures = pool.map(lambda file: read_picture(folder / file[0], file[1], images.shape[-1]), part)
                for (name, *_), (kinds, digest, pixels, _) in zip(part, pictures, strict=True):
                    bar.update()
                    for kind in kinds:
                        getattr(report, kind).append(name)
                    if pixels is None:
                        continue
                    if (original := originals.setdefault(digest, name)) != name:
                        report.duplicates[name] = original
                    images[len(files)] = pixels
                    files.append(name)
                    pixels_hash.update(pixels)
    report.usable = len(files)
    return {"files": files, "fingerprint": pixels_hash.hexdigest(), "report": dataclasses.asdict(report)}


def _faces(images: np.ndarray, facts: dict) -> FaceDataset:
    files = facts["files"]
    return FaceDataset(images[: len(files)], files, facts["fingerprint"], FolderReport(**facts["report"]))


# --- the cache: STEM.npy, with a place for every file of the folder, and STEM.json, which says how many are taken ----


def _cached(folder: Path, found: list, shape: tuple[int, ...], decode: Callable) -> FaceDataset | None:
    """The data set from its cache, which is written if it is missing; None if there is no place for one."""
    key = hashlib.sha256(json.dumps([_VERSION, shape[-1], found]).encode()).hexdigest()
    path_hash = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogatepass")).hexdigest()
    elsewhere = Path(os.path.expanduser(os.environ.get("ANIMEGAN_CACHE") or tempfile.gettempdir()))
    places = (folder, elsewhere / f"animegan-{path_hash[:16]}")
    for is_missing, place in itertools.product((False, True), places):
        stem = place / f".animegan-{shape[-1]}-{key[:16]}"
        if is_missing:
            with contextlib.suppress(OSError):  # a read-only folder, a full disk: the next place is tried
                _write(stem, key, shape, decode)
        if (faces := _find(stem, key, shape, folder)) is not None:
            if place is not folder:
                faces.report.notes.append(f"the folder cannot be written to: the cache is in {place}")
            return faces
    return None


def _find(stem: Path, key: str, shape: tuple[int, ...], folder: Path) -> FaceDataset | None:
    """The cached data set, or None if there is none that can be trusted."""
    try:
        facts = json.loads(Path(f"{stem}.json").read_text(encoding="ascii"))
        images = np.load(f"{stem}.npy", mmap_mode="r")
        is_complete = os.path.getsize(images.filename) == images.offset + images.nbytes
        if facts["key"] != key or images.shape != shape or images.dtype != np.uint8 or not is_complete:
            return None
        faces = _faces(images, facts)
    except Exception:
        return None
    for name in faces.report.unreadable:
        with contextlib.suppress(OSError), open(folder / name, "rb"):
            return None  # it can be read by now
    return faces


def _write(stem: Path, key: str, shape: tuple[int, ...], decode: Callable) -> None:
    """Decode into the cache file, then write its sidecar and delete stale caches. Raises OSError if that fails."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each process: two may decode the same folder at the same time.
    part = stem.with_name(f"{stem.name}-{secrets.token_hex(4)}.tmp")
    try:
        facts = _decode_into(part, shape, decode)
        os.replace(part, f"{stem}.npy")
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold the map, and Windows deletes no file that is mapped
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    with atomic_open(Path(f"{stem}.json"), part) as stream:
        stream.write(json.dumps({"key": key, **facts}).encode("ascii"))
    size = stem.name.split("-")[1]
    for path in stem.parent.iterdir():
        own = CACHE_FILE.fullmatch(path.name)
        if own and own[1] == size and not path.name.startswith(stem.name):
            # Another process may still write its temporary file, or (on Windows) map the old cache.
            with contextlib.suppress(OSError):
                if own[3] != "tmp" or path.stat().st_mtime < time.time() - 86400:
                    path.unlink()


def _decode_into(path: Path, shape: tuple[int, ...], decode: Callable) -> dict:
    images = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    # Reserve the room: on a full disk, a write to a memory map ends the process (SIGBUS) instead of raising OSError.
    size = os.path.getsize(path)
    if hasattr(os, "posix_fallocate"):  # it respects the user's quota, too
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    facts = decode(images)
    images.flush()
    return facts
