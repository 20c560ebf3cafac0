"""A folder of pictures becomes one array of faces, and the array becomes batches.

Every picture is decoded once, into one uint8 array [N, 3, S, S] that lies in a cache file beside
the pictures and is memory-mapped from then on. The layout is that of torchvision's `ImageFolder`
(flat, or in class folders), and so is the preparation: resize to cover, crop the centre. No file
of the user is ever changed or deleted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import os
import secrets
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from animegan.data.folder import OWN_FILE, scan
from animegan.data.pictures import MIN_SIDE, read_picture
from animegan.data.report import KINDS, FolderReport
from animegan.errors import UserError
from animegan.files import atomic_open
from animegan.text import printable, some

_VERSION = 1  # of the cache files; a new number makes all older ones stale
_HOW_TO_GET_SOME = "put a few thousand faces there (JPEG or PNG), or train on drawn ones: animegan train --draw"
_HEADER = 128  # bytes before the pixels in the .npy file, whatever the number of pictures


@dataclass
class FaceDataset:
    """A data set: `images` is uint8 [N, 3, S, S], RGB, read-only, a memory map where possible.

    `files` are the N relative names in the same order. `fingerprint` is the SHA-256 of the pixels:
    equal for a copied folder, different as soon as one picture is.
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

    The first start decodes with `workers` threads (default: one per core, 8 at most); later starts
    map the cache file as long as no name, size or time of a file changes. The cache goes into the
    folder, else into a folder of its own in $ANIMEGAN_CACHE or the system's temporary folder, else
    the array stays in memory.

    Raises UserError if the folder is missing, is a file, or holds no picture that can be used.
    """
    faces = _load(folder, image_size, progress, workers)
    if len(faces):
        return faces
    report, where = faces.report, printable(faces.report.folder)
    if report.total == len(report.hidden) + len(report.foreign):
        found = f" (only {some(report.foreign + report.hidden)})" if report.total else ""
        raise UserError(f"there are no pictures in {where}{found}: {_HOW_TO_GET_SOME}")
    counts = ", ".join(
        f"{len(names)} {KINDS[kind][0]}"
        for kind in ("corrupt", "too_small", "too_large", "unreadable")
        if (names := getattr(report, kind))
    )
    raise UserError(
        f"no picture in {where} can be used ({counts}): put whole pictures of {MIN_SIDE} pixels a side or more there"
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
    key = hashlib.sha256(json.dumps([_VERSION, image_size, found]).encode()).hexdigest()
    path_hash = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogatepass")).hexdigest()
    elsewhere = Path(os.path.expanduser(os.environ.get("ANIMEGAN_CACHE") or tempfile.gettempdir()))
    stems = [
        place / f".animegan-{image_size}-{key[:16]}" for place in (folder, elsewhere / f"animegan-{path_hash[:16]}")
    ]
    recall = functools.partial(_recall, folder, key, image_size)
    workers = workers or min(8, os.cpu_count() or 1)
    decode = functools.partial(_decode, folder, found, image_size, progress, workers)

    faces = next((faces for faces in map(recall, stems) if faces is not None), None)
    for stem in stems if faces is None else ():
        # Whatever fails here (a read-only folder, a full disk), the next place is tried.
        with contextlib.suppress(OSError):
            _store(stem, key, decode)
        if (faces := recall(stem)) is not None:
            break
    if faces is None:
        stream = io.BytesIO()
        facts = decode(stream)
        shape = (len(facts["files"]), 3, image_size, image_size)
        faces = _faces(np.ndarray(shape, np.uint8, stream.getvalue(), _HEADER), facts)

    report = faces.report
    report.folder = str(folder)
    report.total = len(found) + sum(map(len, skipped.values()))
    for kind, names in skipped.items():
        setattr(report, kind, sorted(getattr(report, kind) + names))
    if not isinstance(faces.images, np.memmap):
        report.notes.append("no place for a cache file: the pictures are kept in memory")
    elif not os.path.samefile(place := Path(faces.images.filename).parent, folder):
        report.notes.append(f"the folder cannot be written to: the cache lies in {place}")
    return faces


def _decode(folder, found, image_size, progress, workers, stream) -> dict:
    """Decode all files in order into `stream`, as a .npy file; return the facts for the sidecar."""
    report, files, originals, pixels_hash = FolderReport(), [], {}, hashlib.sha256()
    stream.write(bytes(_HEADER))
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
                    pixels_hash.update(pixels)
                    stream.write(pixels)
    report.usable = len(files)
    stream.seek(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(files), 3, image_size, image_size)}
    np.lib.format.write_array_header_1_0(stream, header)
    return {"files": files, "fingerprint": pixels_hash.hexdigest(), "report": dataclasses.asdict(report)}


def _store(stem: Path, key: str, decode) -> None:
    """Decode into the cache file, then write its sidecar; raises OSError where that cannot be."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each process: two may decode the same folder at the same time.
    part = stem.with_name(f"{stem.name}-{secrets.token_hex(4)}.tmp")
    with atomic_open(Path(f"{stem}.npy"), part) as stream:
        facts = decode(stream)
    with atomic_open(Path(f"{stem}.json"), part) as stream:
        stream.write(json.dumps({"key": key, **facts}).encode("ascii"))
    size = stem.name.split("-")[1]
    for path in stem.parent.iterdir():
        own = OWN_FILE.fullmatch(path.name)
        if own and own[1] == size and not path.name.startswith(stem.name):
            # Another process may still write its temporary file, or (on Windows) map the old cache.
            with contextlib.suppress(OSError):
                if own[3] != "tmp" or path.stat().st_mtime < time.time() - 86400:
                    path.unlink()


def _recall(folder: Path, key: str, image_size: int, stem: Path) -> FaceDataset | None:
    """The cached data set, or None if there is none that can be trusted."""
    try:
        facts = json.loads(Path(f"{stem}.json").read_text(encoding="ascii"))
        images = np.load(f"{stem}.npy", mmap_mode="r")
        faces = _faces(images, facts)
        shape = (len(faces), 3, image_size, image_size)
        complete = os.path.getsize(f"{stem}.npy") == _HEADER + images.nbytes
        if facts["key"] != key or images.shape != shape or images.dtype != np.uint8 or not complete:
            return None
    except Exception:
        return None
    for name in faces.report.unreadable:
        with contextlib.suppress(OSError), open(folder / name, "rb"):
            return None  # it can be read by now
    return faces


def _faces(images: np.ndarray, facts: dict) -> FaceDataset:
    return FaceDataset(images, facts["files"], facts["fingerprint"], FolderReport(**facts["report"]))
