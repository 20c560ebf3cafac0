"""The built-in data set: anime faces, drawn from attributes and a seed.

    from dataclasses import replace
    from animegan.drawing.face import Face; from animegan.drawing.render import draw

    face = Face.random(seed=0, index=5)
    draw(replace(face, fringe="curtain", eyes="smiling"), size=384).show()

No pixel comes from anywhere but this code, so the pictures are free of any licence, and the same seed
gives the same pixels on every computer. How a face is drawn: `animegan.drawing.sketch` has what its parts
share, `features`, `hair`, `fringe`, `clothes` and `scene` draw the parts, and `canvas` is the brush.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm.auto import tqdm

from animegan.drawing import clothes, features, fringe, hair, scene
from animegan.drawing.canvas import Canvas, Frame
from animegan.drawing.face import CHOICES, Face
from animegan.drawing.sketch import Sketch
from animegan.errors import UserError
from animegan.files import write_whole

__all__ = [
    "ACCESSORIES", "BACKGROUNDS", "BACK_HAIR", "BROWS", "COLLARS", "EXPRESSIONS", "EYES", "EYE_SHAPES",
    "FRINGES", "HIGHLIGHTS", "SKINS", "Face", "comic_page", "draw", "drawn_set", "write_faces",
]  # fmt: skip

SKINS = CHOICES["skin"]
FRINGES = CHOICES["fringe"]
BACK_HAIR = CHOICES["back_hair"]
EYES = CHOICES["eyes"]
EYE_SHAPES = CHOICES["eye_shape"]
HIGHLIGHTS = CHOICES["highlights"]
BROWS = CHOICES["brows"]
EXPRESSIONS = CHOICES["expression"]
ACCESSORIES = CHOICES["accessory"]
COLLARS = CHOICES["collar"]
BACKGROUNDS = CHOICES["background"]

VERSION = 1  # of the drawing: any change to a pixel needs a new one
MARKER = "drawing.json"
TABLE = "attributes.csv"
CHUNK = 32  # faces that a process draws before it reports


# ---------------------------------------------------------------- one face


def draw(face: Face, size: int = 96) -> Image.Image:
    """Draw a face as an RGB picture of `size` x `size` pixels (16..2048); all lines grow with it."""
    if not isinstance(size, int) or not 16 <= size <= 2048:
        raise UserError(f"size must be a whole number of pixels from 16 to 2048, not {size!r}")
    unit = size / 96
    head, body = _frames(face, unit)
    canvas = Canvas(size, head)
    sketch = Sketch(face, canvas, canvas.with_frame(body))
    front, notches = fringe.fringe_shapes(sketch)

    scene.draw_background(sketch, canvas.with_frame(Frame(size / 2, size / 2, unit, 1.0, 0.0)))
    hair.draw_back_hair(sketch)
    features.draw_neck(sketch)
    clothes.draw_collar(sketch)
    hair.draw_front_tails(sketch)
    features.draw_ears(sketch)
    skin = features.draw_face(sketch)
    fringe.draw_shadow(sketch, front, skin)
    features.draw_blush(sketch, skin)
    features.draw_nose(sketch)
    features.draw_mouth(sketch)
    brows = features.draw_brows(sketch)
    eyes = features.draw_eyes(sketch)
    bare = canvas.pixels.copy()
    scene.draw_cat_ears(sketch)
    fringe.draw_front_hair(sketch, front, notches)
    # Eyes and brows show through the hair: in this style no fringe may hide an expression.
    canvas.paint(eyes, bare, 0.8)
    canvas.paint(brows, bare, 0.4)
    scene.draw_accessory(sketch)
    return Image.fromarray(np.ascontiguousarray(canvas.pixels.astype(np.uint8).transpose(1, 2, 0)))


def comic_page(seed: int = 0, index: int = 0, faces: int = 2) -> tuple[Image.Image, list[tuple[int, int, int]]]:
    """A page of six panels, 720 x 960 pixels, with faces in some and bokeh in the others, and where the faces are.

    It is there to try out what finds a face in a picture. faces: 0 to 6. The boxes are (left, top, side) of the
    squares that the faces were drawn in, panel by panel. Same seed and index, same pixels. Raises UserError.
    """
    if not 0 <= faces <= 6:
        raise UserError(f"{faces} faces do not fit on a page of 6 panels: give 0 to 6.")
    chance = random.Random(f"comic {seed} {index}")
    with_face, boxes = set(chance.sample(range(6), faces)), []
    page = Image.new("RGB", (720, 960), "white")
    for row in range(3):
        gutter = chance.randint(320, 400)
        for column, (left, right) in enumerate(((16, gutter - 8), (gutter + 8, 704))):
            top, size = 16 + 312 * row, (right - left, 296)
            panel = _bokeh(chance, size)
            if (number := 2 * row + column) in with_face:
                side = chance.randint(150, min(size))
                x, y = (chance.randint(0, whole - side) for whole in size)
                panel.paste(draw(Face.random(seed, 6 * index + number), side), (x, y))
                boxes.append((left + x, top + y, side))
            page.paste(panel, (left, top))
            ImageDraw.Draw(page).rectangle((left, top, right, top + 296), outline="black", width=3)
    return page, boxes


def _bokeh(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    """Blurred lights on one colour."""
    shade = tuple(chance.randint(140, 220) for _ in range(3))
    panel = Image.new("RGB", size, shade)
    for _ in range(9):
        x, y, radius = chance.randint(0, size[0]), chance.randint(0, size[1]), chance.randint(8, 50)
        lighter = tuple(part + chance.randint(8, 30) for part in shade)
        ImageDraw.Draw(panel).ellipse((x - radius, y - radius, x + radius, y + radius), fill=lighter)
    return panel


def _frames(face: Face, unit: float) -> tuple[Frame, Frame]:
    """Where head and body lie; both hang on the same point of the neck, the body less tilted."""
    scale, neck = 1.16 * unit * face.scale, 22.0
    x, y = unit * (48 + face.shift_x - 1.5 * face.turn), unit * (47.5 + face.shift_y)
    cosine, sine = _direction(face.tilt)
    body_cosine, body_sine = _direction(0.3 * face.tilt)
    body_x = x + scale * neck * (body_sine - sine)
    body_y = y + scale * neck * (cosine - body_cosine)
    return Frame(x, y, scale, cosine, sine), Frame(body_x, body_y, scale, body_cosine, body_sine)


def _direction(degrees: float) -> tuple[float, float]:
    # Rounded, because the last bit of a sine differs between systems.
    return round(math.cos(math.radians(degrees)), 6), round(math.sin(math.radians(degrees)), 6)


# ---------------------------------------------------------------- a folder of faces


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
