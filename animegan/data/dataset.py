"""A folder of pictures becomes one array of faces.

Every picture is decoded once, into one uint8 array [N, 3, S, S] in a cache file beside the pictures, and memory-mapped
from then on. The layout is that of torchvision's `ImageFolder` (flat, or in class folders), and so is the preparation:
resize to cover, crop the centre. No file of the user is ever changed or deleted.
"""

from __future__ import annotations

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

from animegan.data.folder import CACHE_FILE, scan
from animegan.data.pictures import MIN_SIDE, read_picture
from animegan.data.report import KINDS, FolderReport
from animegan.errors import UserError
from animegan.files import atomic_open
from animegan.text import printable, some

_VERSION = 3  # of the cache files; a new number makes all older ones stale
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
    unusable = {kind: getattr(report, kind) for kind in ("corrupt", "too_small", "too_large", "unreadable")}
    counts = ", ".join(f"{len(names)} {KINDS[kind][0]}" for kind, names in unusable.items() if names)
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
    decode = functools.partial(_decode, folder, found, image_size, progress, workers or min(8, os.cpu_count() or 1))
    faces = _cached(folder, found, image_size, decode)
    if faces is None:
        try:
            facts = decode(memory := io.BytesIO())
            images = np.frombuffer(memory.getvalue(), np.uint8).reshape(-1, 3, image_size, image_size)
        except MemoryError:
            raise UserError(f"{shown} holds {len(found):,} files, too many: give a folder with pictures only") from None
        faces = FaceDataset(images, **facts)
        faces.report.notes.append("no place for a cache file: the pictures are kept in memory")
    report = faces.report
    report.folder = str(folder)
    report.total = len(found) + sum(map(len, skipped.values()))
    for kind, names in skipped.items():
        setattr(report, kind, sorted(getattr(report, kind) + names))
    return faces


def _decode(
    folder: Path, found: list[tuple[str, int, int]], image_size: int, progress: bool, workers: int, stream: BinaryIO
) -> dict:
    """Decode all files, in order, and write their pixels to `stream`; returns the facts about them.

    Those are the fields of FaceDataset except `images`.
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
    report.usable = len(files)
    return {"files": files, "fingerprint": pixels_hash.hexdigest(), "report": report}


# --- the cache: STEM.npy with the pixels, and STEM.json with the facts about them ------------------------------------


def _cached(folder: Path, found: list, image_size: int, decode: Callable[[BinaryIO], dict]) -> FaceDataset | None:
    """The data set from its cache, which is written if it is missing; None if there is no place for one."""
    key = hashlib.sha256(json.dumps([_VERSION, image_size, found]).encode()).hexdigest()
    path_hash = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogatepass")).hexdigest()
    elsewhere = Path(os.path.expanduser(os.environ.get("ANIMEGAN_CACHE") or tempfile.gettempdir()))
    places = (folder, elsewhere / f"animegan-{path_hash[:16]}")
    for is_missing, place in itertools.product((False, True), places):
        stem = place / f".animegan-{image_size}-{key[:16]}"
        if is_missing:
            with contextlib.suppress(OSError):  # a read-only folder, a full disk: the next place is tried
                _write(stem, key, image_size, decode)
        if (faces := _find(stem, key, image_size, folder)) is not None:
            if place is not folder:
                faces.report.notes.append(f"the folder cannot be written to: the cache is in {place}")
            return faces
    return None


def _find(stem: Path, key: str, image_size: int, folder: Path) -> FaceDataset | None:
    """The cached data set, or None if there is none that can be trusted."""
    try:
        facts = json.loads(Path(f"{stem}.json").read_text(encoding="ascii"))
        images = np.load(f"{stem}.npy", mmap_mode="r")
        is_complete = os.path.getsize(images.filename) == images.offset + images.nbytes
        shape = (len(facts["files"]), 3, image_size, image_size)
        report = FolderReport(**facts.pop("report"))
        if facts.pop("key") != key or images.shape != shape or images.dtype != np.uint8 or not is_complete:
            return None
        faces = FaceDataset(images, **facts, report=report)
    except Exception:
        return None
    for name in faces.report.unreadable:
        with contextlib.suppress(OSError), open(folder / name, "rb"):
            return None  # it can be read by now
    return faces


def _write(stem: Path, key: str, image_size: int, decode: Callable[[BinaryIO], dict]) -> None:
    """Decode into the cache file, then write its sidecar and delete stale caches. Raises OSError if that fails."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each process: two may decode the same folder at the same time.
    part = stem.with_name(f"{stem.name}-{secrets.token_hex(4)}.tmp")
    with atomic_open(Path(f"{stem}.npy"), part) as stream:
        _write_header(stream, 0, image_size)
        facts = decode(stream)
        stream.seek(0)  # a header has the same length for every number of pictures
        _write_header(stream, len(facts["files"]), image_size)
    with atomic_open(Path(f"{stem}.json"), part) as stream:
        stream.write(json.dumps({"key": key, **facts, "report": dataclasses.asdict(facts["report"])}).encode("ascii"))
    for path in stem.parent.iterdir():
        own = CACHE_FILE.fullmatch(path.name)
        if own and own[1] == str(image_size) and not path.name.startswith(stem.name):
            # Another process may still write its temporary file, or (on Windows) map the old cache.
            with contextlib.suppress(OSError):
                if own[3] != "tmp" or path.stat().st_mtime < time.time() - 86400:
                    path.unlink()


def _write_header(stream: BinaryIO, count: int, image_size: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, image_size, image_size)}
    np.lib.format.write_array_header_1_0(stream, header)
