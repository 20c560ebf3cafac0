"""Clothes: what is worn on the shoulders, and the shape of the neckline."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from animegan.drawing.canvas import Gradient
from animegan.drawing.outlines import arc, curve, moved, oval, path, ribbon
from animegan.drawing.palette import hsv, mix
from animegan.drawing.sketch import Sketch, uniform


class _Wardrobe:
    """The colours of the clothes, and points that follow the turn of the neck."""

    def __init__(self, sketch: Sketch) -> None:
        face = sketch.face
        hue, saturation, value = face.collar_hue, face.collar_saturation, face.collar_value
        self.body = sketch.body
        self.middle = 1.4 * face.turn
        self.cloth = hsv(hue, saturation, value)
        self.shade = hsv(hue + 0.03, saturation + 0.1, value * 0.78)
        self.line = hsv(hue + 0.03, saturation * 0.7 + 0.2, value * 0.4)
        self.pale = hsv(hue, 0.05, 0.98)
        self.bright = hsv(face.accessory_hue, 0.72, 0.86)
        self.contrast = hsv(face.accessory_hue + 0.4, 0.7, 0.9)

    def at(self, *points) -> np.ndarray:
        return moved(np.array(points, dtype=float), self.middle, 0)

    def sides(self, *points) -> list[np.ndarray]:
        return [self.at(*points), self.at(*[(-x, y) for x, y in points])]

    def arc(self, start: tuple, end: tuple, bulge: float = 0.0) -> np.ndarray:
        return moved(arc(start, end, bulge), self.middle, 0)


class Collar(NamedTuple):
    """The function that draws what lies on the cloth; where the cloth begins beside the neck (x = `out`, y = `high`),
    and its lowest point (x = `dip`, y = `low`)."""

    draw: Callable[[_Wardrobe], None]
    out: float
    high: float
    dip: float
    low: float
    bulge: float  # how round the opening is; 0 is a V


def draw_collar(sketch: Sketch) -> None:
    """Draw the clothes; the neck is drawn before, and shows where they are open."""
    kind, wear, body = sketch.face.collar, _Wardrobe(sketch), sketch.body
    if kind in ("bare", "choker"):
        straps = [wear.at((x, 38), (x + 4.5, 38), (x + 5, 70), (x, 70)) for x in (-24, 19)]
        hem = curve(wear.at((-40, 52), (-16, 49), (0, 51), (16, 49), (40, 52)))
        body.outlined([*straps, path(hem, (44, 70), (-44, 70))], wear.cloth, wear.line, 0.7)
        if kind == "choker":
            band = ribbon(curve(wear.at((-8.4, 33.6), (0, 36.2), (8.4, 33.6))), 2.6)
            body.outlined(band, wear.bright, mix(wear.bright, (30, 10, 30), 0.6), 0.5)
            body.outlined(oval(wear.middle, 38.2, 1.6, 1.8), (255, 226, 120), (120, 80, 30), 0.5)
        return
    neck = OPEN_COLLARS[kind]
    left = curve(wear.at((-50, 58), (-40, 44), (-24, 39), (neck.out - 1, neck.high)))
    right = curve(wear.at((-neck.out + 1, neck.high), (24, 39), (40, 44), (50, 58)))
    lowest = (neck.dip + wear.middle, neck.low)
    opening = path(arc(left[-1], lowest, neck.bulge), arc(lowest, right[0], neck.bulge))
    cloth = path(left, opening, right, (50, 70), (-50, 70))
    mask = body.outlined(cloth, Gradient(wear.cloth, wear.shade, 36, 56), wear.line, 0.75)
    neck.draw(wear)
    rng = sketch.rng("cloth")
    folds = [wear.arc((side * uniform(rng, 26, 34), 44), (side * 24, 60), 0.1 * side) for side in (-1, 1)]
    body.fill([ribbon(fold, 0.2, 1.0, 0.3) for fold in folds], wear.line, 0.5, mask)


def _draw_shirt(wear: _Wardrobe) -> None:
    wear.body.outlined(wear.sides((-9, 33), (-13.5, 38), (-8, 49), (0, 47)), wear.pale, wear.line, 0.6)
    wear.body.outlined(wear.at((-2.4, 46), (2.4, 46), (3.4, 70), (-3.4, 70)), wear.bright, wear.line, 0.6)


def _draw_sailor(wear: _Wardrobe) -> None:
    wear.body.outlined(wear.sides((-10, 34), (-27, 40), (-25, 56), (0, 52)), wear.bright, wear.line, 0.6)
    stripes = [ribbon(line, 1.1) for line in wear.sides((-24, 40.5), (-22, 53.5), (-2, 50.5))]
    wear.body.fill(stripes, (255, 255, 255))
    knot = wear.at((0, 50), (-8, 47), (-8, 56), (0, 53), (8, 56), (8, 47))
    wear.body.outlined(knot, wear.contrast, wear.line, 0.5)


def _draw_turtleneck(wear: _Wardrobe) -> None:
    upper = curve(wear.at((-9.4, 29.5), (0, 33.2), (9.4, 29.5)))
    lower = curve(wear.at((10.6, 38), (0, 42), (-10.6, 38)))
    wear.body.outlined(path(upper, lower), mix(wear.cloth, wear.pale, 0.16), wear.line, 0.7)
    wear.body.fill([ribbon(wear.arc((x, 33.5), (x * 1.1, 39.5)), 0.7) for x in (-6, -2, 2, 6)], wear.shade)


def _draw_hoodie(wear: _Wardrobe) -> None:
    hood = wear.sides((-11, 33), (-25, 37), (-27, 46), (-12, 50), (-3, 46), (-9, 41))
    wear.body.outlined([curve(half, True) for half in hood], mix(wear.cloth, wear.pale, 0.12), wear.line, 0.7)
    wear.body.fill([ribbon(wear.arc((x, 45), (x * 1.2, 58)), 1.3) for x in (-5, 5)], wear.pale)


def _draw_kimono(wear: _Wardrobe) -> None:
    wear.body.outlined(ribbon(wear.arc((10, 35), (-6, 58), -0.05), 4.6), wear.pale, wear.line, 0.6)
    wear.body.outlined(ribbon(wear.arc((-10.5, 35), (9, 58), 0.05), 4.6), wear.bright, wear.line, 0.6)


def _draw_bow_tie(wear: _Wardrobe) -> None:
    wear.body.outlined(wear.sides((-8.6, 32), (-11.5, 37), (-7, 43), (0, 40)), wear.pale, wear.line, 0.6)
    loops = wear.sides((0, 42), (-9, 37.5), (-12, 42), (-9, 47))
    wear.body.outlined([curve(loop, True) for loop in loops], wear.bright, wear.line, 0.6)
    knot = oval(wear.middle, 42.4, 2.3, 2.6)
    wear.body.outlined(knot, mix(wear.bright, (255, 255, 255), 0.2), wear.line, 0.5)


OPEN_COLLARS = {
    "shirt": Collar(_draw_shirt, -10, 35, 0, 48, 0),
    "sailor": Collar(_draw_sailor, -10.5, 36, 0, 50, 0),
    "turtleneck": Collar(_draw_turtleneck, -8.5, 30, 0, 33, 0.1),
    "hoodie": Collar(_draw_hoodie, -12.5, 35, 0, 42, 0.1),
    "kimono": Collar(_draw_kimono, -11.5, 35, 2, 50, 0),
    "bow": Collar(_draw_bow_tie, -9, 34, 0, 38, 0.1),
}
COLLARS = ("bare", "choker", *OPEN_COLLARS)
