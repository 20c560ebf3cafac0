"""Checks of notebook 02: faces from attributes, crops, pixels, tables, duplicates."""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from animegan.config import QUICK_COUNT
from animegan.course.classroom import sized
from animegan.course.registry import exercise
from animegan.data import load_faces, to_unit
from animegan.drawing import Face, draw


@exercise("02.1")
def face_to_order(answer):
    yield isinstance(answer, Face), "answer with a Face, not with a picture of it: replace(customer, ...) returns one."
    yield answer.expression == "laugh", f"the face should laugh; yours has the expression {answer.expression!r}."
    yield answer.accessory == "glasses", f"the face should wear glasses; yours has {answer.accessory!r}."
    yield answer.hair_hue == 0.93, f"the hair should be pink, hair_hue 0.93; yours is {answer.hair_hue}."
    yield answer.tilt == 10, f"the head should be tilted by 10 degrees; yours is tilted by {answer.tilt}."
    customer = asdict(Face.random(seed=0, index=7))
    ordered = {"expression", "accessory", "hair_hue", "tilt"}
    others = [name for name, value in asdict(answer).items() if name not in ordered and value != customer[name]]
    yield not others, f"more was changed than was ordered ({', '.join(others[:3])}): start from customer."


@exercise("02.2")
def crop_box(answer):
    box = answer(96, 96)
    yield len(box) == 4, "return four numbers: left, top, right, bottom."
    yield all(type(edge) is int for edge in box), "the edges are whole pixels: divide with //, which gives an int."
    yield tuple(box) == (0, 0, 96, 96), "a picture of 96x96 is a square already: nothing is cut off."
    box = tuple(answer(420, 240))
    yield box == (90, 0, 330, 240), f"420x240 is too wide by 180: cut off 90 on each side; yours gives {box}."
    box = tuple(answer(240, 560))
    yield box == (0, 160, 240, 400), f"240x560 is too tall by 320: cut off 160 at top and bottom; yours gives {box}."
    left, top, right, bottom = answer(401, 200)
    holds = (right - left, bottom - top) == (200, 200) and left in (100, 101)
    yield holds, f"401x200 becomes a square of 200x200; yours is {right - left}x{bottom - top}, from {left} to {right}."


@exercise("02.3")
def distance(answer):
    yield answer(0, 0) == 0, "two equal hashes are 0 bits apart."
    yield answer(0b1000, 0) == 1, f"1000 and 0000 differ in one bit; yours says {answer(0b1000, 0)}: count the bits."
    yield answer(0b1100, 0b1010) == 2, "1100 and 1010 differ in two bits, the second and the third."
    yield answer(0, 2**64 - 1) == 64, "all 64 bits differ between 0 and 2**64 - 1."


@exercise("02.4")
def with_margin(answer):
    box = tuple(answer(100, 100, 50, 400, 300, 0.2))
    yield len(box) == 3, "return three numbers: left, top, side."
    yield all(type(part) is int for part in box), "whole numbers, please: int(...) and //."
    yield box[2] == 70, f"a side of 50 with 20 % more on each side is 70; yours is {box[2]}."
    yield box == (90, 90, 70), f"the square grows equally on all sides, so it begins at (90, 90); yours at {box[:2]}."
    corner = tuple(answer(0, 5, 50, 400, 300, 0.2))
    yield corner == (0, 0, 70), f"at (0, 5) it would stick out of the picture: move it to (0, 0); yours is {corner}."
    other = tuple(answer(350, 250, 50, 400, 300, 0.2))
    yield other == (330, 230, 70), f"on the right, too: (330, 230) in a picture of 400x300; yours is {other}."
    tall = tuple(answer(10, 40, 100, 120, 200, 1.0))
    yield tall[2] == 120, f"a square of 300 does not fit into 120x200: the largest has 120; yours has {tall[2]}."
    hint = f"with_margin(10, 40, 100, 120, 200, 1.0) is (0, 30, 120): the face stays in the middle; yours is {tall}."
    yield tall == (0, 30, 120), hint


@exercise("02.5")
def to_pixels(answer):
    given = torch.tensor([-1.0, 1.0])
    ends = answer(given)
    yield given.tolist() == [-1, 1], "the pictures you were given have changed: make new ones, without add_() or +=."
    yield ends.dtype == torch.uint8, f"your result is {ends.dtype}; pixels are torch.uint8."
    yield ends.tolist() == [0, 255], f"-1 and 1 become 0 and 255; yours gives {ends.tolist()}."
    beyond = answer(torch.tensor([-1.2, 1.2])).tolist()
    yield beyond == [0, 255], f"-1.2 and 1.2 lie outside the range: they become 0 and 255, too; yours gives {beyond}."
    every = torch.arange(256, dtype=torch.uint8)
    back = answer(to_unit(every))
    wrong = (back != every).nonzero().flatten().tolist()
    yield not wrong, f"{len(wrong)} of the 256 values change on the way to -1..1 and back: round, do not cut off."
    shape = tuple(answer(torch.zeros(2, 3, 4, 4)).shape)
    yield shape == (2, 3, 4, 4), f"the shape must stay (2, 3, 4, 4); yours became {shape}."


@exercise("02.6")
def red_haired(answer):
    def count(*colours):
        return answer([{"hair_hue": hue, "hair_saturation": saturation} for hue, saturation in colours])

    yield count(("0.01", "0.7"), ("0.6", "0.7"), ("0.5", "0.7")) == 1, "one red (0.01) and two blues: the answer is 1."
    yield count() == 0, "in an empty table nobody has red hair: 0."
    yield count(("0.99", "0.7"), ("0.01", "0.7")) == 2, "hue 0.99 is red as well: hues are a circle, and 1 is 0 again."
    yield count(("0.02", "0.2")) == 0, "hue 0.02 with a saturation of 0.2 is nearly black, not red."
    yield count(("0.06", "0.7"), ("0.95", "0.7")) == 0, "0.06 is orange and 0.95 is pink: both are too far from 0."
    holds = count(("6e-01", "0.7"), ("5e-03", "7e-01")) == 1
    yield holds, "convert every value with float: 6e-01 is 0.6, which is blue, and 5e-03 is 0.005, which is red."


@exercise("02.7")
def duplicates(answer):
    with tempfile.TemporaryDirectory() as place:
        a, b, c, d, e = (Path(place) / name for name in "abcde")
        for path, content in ((a, b"face"), (b, b"nose"), (c, b"face"), (d, b"face"), (e, b"nose")):
            path.write_bytes(content)
        yield isinstance(answer([]), dict), "return a dictionary, also for an empty list."
        yield answer([a, b]) == {}, "two files of the same size with different bytes are not duplicates: {}."
        yield answer([a, b, c]) == {c: a}, "c has the same bytes as a: {c: a}, the later file points to the earlier."
        yield answer([a, c, d]) == {c: a, d: a}, "a, c and d are equal: both later ones point to the first, a."
        yield answer([c, a]) == {a: c}, "with c before a in the list, a is the copy of c: follow the list, not names."
        yield answer([a, b, c, e]) == {c: a, e: b}, "there may be several groups: c equals a, and e equals b."


@exercise("02.8")
def one_hair_style(answer):
    folder, wanted = Path(answer), sized(QUICK_COUNT, 32)
    yield folder.is_dir(), "answer with a folder that exists: folder('data/twin_tails'), made with mkdir."
    yield any(folder.rglob("*.png")), "there is no PNG file in the folder: draw(face).save(only / name)."
    faces = load_faces(folder, progress=False)
    yield not faces.report.duplicates, "some pictures are equal: use a different index for each."
    yield len(faces) == wanted, f"there are {len(faces)} pictures; the task asks for {wanted}: faces 0 to {wanted - 1}."
    for index in (0, wanted // 2, wanted - 1):
        face = replace(Face.random(seed=0, index=index), back_hair="twin tails")
        pixels = np.asarray(draw(face)).transpose(2, 0, 1)
        found = (faces.images == pixels).all(axis=(1, 2, 3)).any()
        yield bool(found), "a face is missing: take Face.random(seed=0, index=...) and change only its back_hair."
