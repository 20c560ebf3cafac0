"""A folder of drawn faces: resumable, and the same for the same seed."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path

from tqdm.auto import tqdm

from animegan.drawing.face import Face
from animegan.drawing.render import draw
from animegan.errors import UserError
from animegan.files import write_whole

VERSION = 1  # of the drawing: any change to a pixel needs a new one
MARKER = "drawing.json"
TABLE = "attributes.csv"
CHUNK = 32  # faces that a process draws before it reports


def write_faces(
    folder: str | Path, count: int, seed: int = 0, workers: int | None = None, progress: bool = True
) -> Path:
    """Draw the faces 0 .. `count` - 1 of `seed` into `folder`, 96 x 96 pixels each.

    Writes `faces/face_00000.png` and so on (one class folder, as torchvision's ImageFolder wants it),
    `attributes.csv` (column `file`, then the fields of `Face`) and `drawing.json`, which says what the
    folder holds. What is there already is kept: a finished folder returns at once, an interrupted one is
    gone on with. `workers` is the number of processes (default: one for each core). Returns the folder.

    Raises UserError if the folder holds anything else, or cannot be written.
    """
    folder = Path(folder)
    for name, value, low in (("count", count, 1), ("workers", 1 if workers is None else workers, 1)):
        if not isinstance(value, int) or value < low:
            raise UserError(f"{name} must be a whole number from {low} on, not {value!r}")
    if not isinstance(seed, int):
        raise UserError(f"seed must be a whole number, not {seed!r}")
    made = {"version": VERSION, "seed": seed, "count": count}
    try:
        complete = _claim(folder, made)
        here = {entry.name for entry in os.scandir(folder / "faces")}
        missing = [index for index in range(count) if _file_name(index) not in here]
        if complete and not missing and (folder / TABLE).is_file():
            return folder
        with tqdm(total=count, initial=count - len(missing), desc="drawing faces", unit="face",
                  mininterval=0.5, disable=not progress) as bar:  # fmt: skip
            for drawn in _draw_all(folder, seed, missing, workers or _cores()):
                bar.update(drawn)
        write_whole(folder / TABLE, _table(seed, count).encode())
        write_whole(folder / MARKER, json.dumps({**made, "complete": True}).encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write faces into {folder} ({reason}): choose another folder") from error
    return folder


def drawn_set(folder: str | Path) -> dict[str, int]:
    """`count` and `seed` of the set that `write_faces` has drawn, or begun to draw, in `folder`; else {}."""
    try:
        found = json.loads((Path(folder) / MARKER).read_bytes())
        return {"count": found["count"], "seed": found["seed"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _claim(folder: Path, made: dict) -> bool:
    """Make the folder ours, or find that it is; True if it was finished. Raises UserError if not ours."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: choose a folder to draw into")
    marker = folder / MARKER
    if marker.is_file():
        try:
            found = json.loads(marker.read_bytes())
            complete = found["complete"]
            known = {name: found[name] for name in made}
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{marker} cannot be read: delete {folder} or choose another folder") from None
        if known != made:
            raise UserError(
                f"{folder} already holds {_described(known)}, not {_described(made)}: "
                f"choose another folder or delete this one"
            )
        (folder / "faces").mkdir(exist_ok=True)
        return bool(complete)
    others = sorted(p.name for p in folder.iterdir() if not _harmless(p.name)) if folder.is_dir() else []
    if others:
        raise UserError(f"{folder} already holds other files ({others[0]}, ...): choose another folder to draw into")
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    write_whole(marker, json.dumps({**made, "complete": False}).encode())
    return False


def _described(made: dict) -> str:
    version = "" if made["version"] == VERSION else f" by version {made['version']} of the drawing"
    return f"{made['count']} drawn faces of seed {made['seed']}{version}"


def _harmless(name: str) -> bool:
    return name.startswith(".") or name == "README.md"


def _draw_all(folder: Path, seed: int, indices: list[int], workers: int) -> Iterator[int]:
    """Draw the faces; yields how many more are done."""
    chunks = [indices[i : i + CHUNK] for i in range(0, len(indices), CHUNK)]
    if workers > 1 and len(chunks) > 2:  # for less, starting processes takes longer than drawing
        # "spawn" is what all systems have, and safe after PyTorch has started its threads
        pool = ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn"))
        left = {pool.submit(_draw_chunk, folder, seed, chunk): chunk for chunk in chunks}
        try:
            for future in as_completed(list(left)):
                yield future.result()
                del left[future]
        except BrokenProcessPool:
            pass  # a script without `if __name__ == "__main__"` cannot start processes: draw the rest here
        finally:
            pool.shutdown(cancel_futures=True)
        chunks = list(left.values())
    for chunk in chunks:
        yield _draw_chunk(folder, seed, chunk)


def _draw_chunk(folder: Path, seed: int, indices: list[int]) -> int:
    for index in indices:
        encoded = io.BytesIO()
        draw(Face.random(seed, index)).save(encoded, "PNG", compress_level=1)
        write_whole(folder / "faces" / _file_name(index), encoded.getvalue())
    return len(indices)


def _file_name(index: int) -> str:
    return f"face_{index:05}.png"


def _table(seed: int, count: int) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *(field.name for field in fields(Face))])
    for index in range(count):
        writer.writerow([f"faces/{_file_name(index)}", *asdict(Face.random(seed, index)).values()])
    return text.getvalue()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
