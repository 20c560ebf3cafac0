"""A folder of drawn faces. Drawing can be interrupted and resumed; the same seed gives the same files."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path

from tqdm.auto import tqdm

from animegan.drawing.face import Face
from animegan.drawing.render import draw
from animegan.errors import UserError
from animegan.files import read_json, saving, write_whole

VERSION = 1  # of the drawing: increase it whenever a pixel changes
MARKER = "drawing.json"
TABLE = "attributes.csv"
CHUNK = 32  # faces that a process draws between two reports of progress


@dataclass
class _Marker:
    """The content of drawing.json. complete: whether all faces have been drawn."""

    version: int
    seed: int
    count: int
    complete: bool

    def __str__(self) -> str:
        version = "" if self.version == VERSION else f" by version {self.version} of the drawing"
        return f"{self.count} drawn faces of seed {self.seed}{version}"


def write_faces(
    folder: str | Path, count: int, seed: int = 0, workers: int | None = None, progress: bool = True
) -> Path:
    """Draw the faces 0 .. `count` - 1 of `seed` into `folder`, 96 x 96 pixels each.

    Writes `faces/face_00000.png` and so on (one class folder, as torchvision's ImageFolder wants it),
    `attributes.csv` (column `file`, then the fields of `Face`) and `drawing.json`, which says what the
    folder holds. Faces that exist are kept: nothing is drawn into a finished folder, and an interrupted
    one is completed. `workers` is the number of processes (default: one per core). Returns the folder.

    Raises UserError if the folder holds anything else, or cannot be written.
    """
    if not str(folder).strip():
        raise UserError("the name of the folder to draw into is empty: name one, e.g. data/drawn")
    folder = Path(folder)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # 1,000,000 faces are 10 GB; the seed after this one (see `animegan.measure`) fits into 64 bits, too.
    for name, value, least, most in (("count", count, 1, 1_000_000), ("seed", seed, 1 - 2**63, 2**63 - 2)):
        if not isinstance(value, int) or not least <= value <= most:
            raise UserError(f"{name} must be a whole number from {least} to {most}, not {str(value)[:40]}")
    wanted = _Marker(VERSION, seed, count, complete=True)
    with saving(folder, "choose another folder"):
        complete = _claim(folder, wanted)
        existing = {entry.name for entry in os.scandir(folder / "faces")}
        missing = [index for index in range(count) if _file_name(index) not in existing]
        if complete and not missing and (folder / TABLE).is_file():
            return folder
        options = {"desc": "drawing faces", "unit": "face", "mininterval": 0.5, "disable": not progress}
        with tqdm(total=count, initial=count - len(missing), **options) as bar:
            for drawn in _draw_all(folder, seed, missing, workers or cores):
                bar.update(drawn)
        write_whole(folder / TABLE, _table(seed, count).encode())
        write_whole(folder / MARKER, json.dumps(vars(wanted)).encode())
    return folder


def drawn_set(folder: str | Path) -> dict[str, int]:
    """`count` and `seed` of the set that `write_faces` drew, or began to draw, in `folder`; {} if there is none."""
    with contextlib.suppress(UserError):
        drawn = read_json(Path(folder) / MARKER, _Marker, "")
        return {"count": drawn.count, "seed": drawn.seed}
    return {}


def _claim(folder: Path, wanted: _Marker) -> bool:
    """Mark the folder as drawn faces; True if it is complete already. Raises UserError for a folder of other files."""
    if os.path.isfile(folder):
        raise UserError(f"{folder} is a file: choose a folder to draw into")
    if os.path.isfile(folder / MARKER):
        drawn = read_json(folder / MARKER, _Marker, f"delete {folder} or choose another folder")
        if replace(drawn, complete=True) != wanted:
            raise UserError(f"{folder} already holds {drawn}, not {wanted}: choose another folder or delete this one")
        (folder / "faces").mkdir(exist_ok=True)
        return drawn.complete
    names = os.listdir(folder) if os.path.isdir(folder) else []
    others = sorted(name for name in names if not name.startswith(".") and name != "README.md")
    if others:
        raise UserError(f"{folder} already holds other files ({others[0]}, ...): choose another folder to draw into")
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    write_whole(folder / MARKER, json.dumps(vars(replace(wanted, complete=False))).encode())
    return False


def _draw_all(folder: Path, seed: int, indices: list[int], workers: int) -> Iterator[int]:
    """Draw the faces, and yield how many more are done."""
    chunks = [indices[i : i + CHUNK] for i in range(0, len(indices), CHUNK)]
    if workers > 1 and len(chunks) > 2:  # otherwise starting processes takes longer than drawing
        # Windows can wait for 61 processes. All systems have "spawn", and it is safe after PyTorch has started threads.
        pool = ProcessPoolExecutor(min(workers, len(chunks), 61), mp_context=get_context("spawn"))
        left = {pool.submit(_draw_chunk, folder, seed, chunk): chunk for chunk in chunks}
        try:
            for future in as_completed(list(left)):
                yield future.result()
                del left[future]
        except BrokenProcessPool:
            pass  # a script without `if __name__ == "__main__"` cannot start processes: draw the rest in this one
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
