"""Wrong answers to the exercises of notebook 02, and a piece of the hint that each must meet."""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from animegan.drawing import Face, draw

ORDER = {"expression": "laugh", "accessory": "glasses", "hair_hue": 0.93, "tilt": 10}
ORDERED = replace(Face.random(seed=0, index=7), **ORDER)


def _box(width, height):
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _cut_on_both_sides(width, height):
    left, top, _, _ = _box(width, height)
    return left, top, width - left, height - top


def _scaled(values):
    return (values + 1) * 127.5


def _digest(path):
    return hashlib.sha256(path.read_bytes()).digest()


def _duplicates(paths, key=_digest, keep_first=True):
    first, found = {}, {}
    for path in paths:
        if key(path) in first:
            found[path] = first[key(path)]
        if not keep_first or key(path) not in first:
            first[key(path)] = path
    return found


def _red(limit=0.03, circle=True, saturation=0.5, empty=0):
    def count(rows):
        hues = [float(row["hair_hue"]) for row in rows if float(row["hair_saturation"]) > saturation]
        return sum((min(hue, 1 - hue) if circle else hue) < limit for hue in hues) if rows else empty

    return count


def _red_by_text(rows):
    hues = [row["hair_hue"] for row in rows if row["hair_saturation"] > "0.5"]
    return sum(hue < "0.03" or hue > "0.97" for hue in hues)


def _folder(pictures):
    folder = Path(tempfile.mkdtemp(prefix="animegan-wrong-"))
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number}.png")
    return folder


def _drawn(indices, **changes):
    return [draw(replace(Face.random(seed=0, index=index), **changes)) for index in indices]


def _margin(sides=2, centred=True, inside=True, far=True, shrunk=True, middle=True):
    def box(left, top, side, width, height, margin):
        whole = int(side * (1 + sides * margin))
        larger = min(whole, width, height) if shrunk else whole
        grown = (larger if middle else whole) - side
        if centred:
            left, top = left - grown // 2, top - grown // 2
        if inside:
            left, top = max(0, left), max(0, top)
        if inside and far:
            left, top = min(left, width - larger), min(top, height - larger)
        return left, top, larger

    return box


TWIN_TAILS = {"back_hair": "twin tails"}

WRONG = {
    "02.1": [
        (draw(ORDERED), "answer with a Face"),
        (replace(ORDERED, expression="smile"), "yours has the expression 'smile'"),
        (replace(ORDERED, accessory="none"), "yours has 'none'"),
        (replace(ORDERED, hair_hue=0.5), "yours is 0.5"),
        (replace(ORDERED, tilt=-10), "yours is tilted by -10"),
        (replace(Face.random(0, 8), **ORDER), "start from customer"),
    ],
    "02.2": [
        (lambda width, height: (0, 0), "four numbers"),
        (lambda width, height: (0.0, 0.0, width / 1, height / 1), "divide with //"),
        (lambda width, height: (0, 0, min(width, height) // 2, min(width, height) // 2), "nothing is cut off"),
        (lambda width, height: (0, 0, min(width, height), min(width, height)), "too wide by 180"),
        (lambda width, height: _box(width, min(width, height)), "too tall by 320"),
        (_cut_on_both_sides, "yours is 201x200"),
    ],
    "02.3": [
        (lambda a, b: 1, "0 bits apart"),
        (lambda a, b: abs(a - b), "yours says 8"),
        (lambda a, b: int(a != b), "1100 and 1010"),
        (lambda a, b: bin((a ^ b) % 2**32).count("1"), "all 64 bits"),
    ],
    "02.4": [
        (lambda *box: box[:4], "three numbers"),
        (lambda left, top, side, w, h, m: (left - side * m, top - side * m, side * (1 + 2 * m)), "whole numbers"),
        (_margin(sides=1), "yours is 60"),
        (_margin(centred=False), "yours at (100, 100)"),
        (_margin(inside=False), "to (0, 0)"),
        (_margin(far=False), "(330, 230)"),
        (_margin(shrunk=False), "the largest has 120"),
        (_margin(middle=False), "(10, 40, 100, 120, 200, 1.0) is (0, 30, 120): the face stays in the middle"),
    ],
    "02.5": [
        (lambda values: values.add_(1).mul_(127.5).round().clamp(0, 255).to(torch.uint8), "make new ones"),
        (lambda values: _scaled(values).round().clamp(0, 255), "your result is torch.float32"),
        (lambda values: (values * 127.5).round().clamp(0, 255).to(torch.uint8), "-1 and 1 become"),
        (lambda values: (_scaled(values).round().int() % 256).to(torch.uint8), "lie outside the range"),
        (lambda values: _scaled(values).clamp(0, 255).to(torch.uint8), "round, do not cut off"),
        (lambda values: _scaled(values).round().clamp(0, 255).to(torch.uint8).flatten(), "the shape must stay"),
    ],
    "02.6": [
        (lambda rows: len(rows), "the answer is 1"),
        (_red(empty=1), "an empty table"),
        (_red(circle=False), "0.99 is red as well"),
        (_red(saturation=0), "nearly black"),
        (_red(limit=0.07), "too far from 0"),
        (_red_by_text, "convert every value with float"),
    ],
    "02.7": [
        (lambda paths: list(_duplicates(paths)), "return a dictionary"),
        (lambda paths: _duplicates(paths, key=lambda path: path.stat().st_size), "different bytes"),
        (lambda paths: {a: c for c, a in _duplicates(paths).items()}, "later file points to the earlier"),
        (lambda paths: _duplicates(paths, keep_first=False), "point to the first"),
        (lambda paths: _duplicates(sorted(paths)), "follow the list"),
        (lambda paths: {path: paths[0] for path in paths[1:] if _digest(path) == _digest(paths[0])}, "several groups"),
    ],
    "02.8": [
        (Path("nowhere"), "a folder that exists"),
        (_folder([]), "no PNG file"),
        (_folder(_drawn([0] * 32, **TWIN_TAILS)), "a different index"),
        (_folder(_drawn(range(5), **TWIN_TAILS)), "5 pictures"),
        (_folder(_drawn(range(32))), "change only its back_hair"),
    ],
}
