"""Hair behind the head: its mass, and the tails that hang over the shoulders."""

import numpy as np

from animegan.drawing.canvas import Gradient, Mask
from animegan.drawing.outlines import arc, curve, mirror, moved, oval, path, ribbon, symmetric
from animegan.drawing.palette import mix
from animegan.drawing.sketch import Sketch, uniform

LINE_WIDTH = 0.75  # width of the line around hair, in face units

BACK_HAIR = (
    "short", "bob", "long", "wavy", "twin tails", "low tails", "ponytail", "side tail", "buns", "spiky",
    "curly", "braids", "drills",
)  # fmt: skip


def crown(sketch: Sketch, low: float = 0.0, wider: float = 0.0) -> np.ndarray:
    """The outer line of the hair, from the left side at y = `low` over the top to the right side."""
    wide, top, back = sketch.hair_width, sketch.hair_top, sketch.behind
    half = [
        (-wide - wider, low), (-wide - 0.6 - 0.4 * wider, -12), (-0.92 * wide, -25),
        (-0.66 * wide, top + 8.5), (-0.32 * wide, top + 1.4),
    ]  # fmt: skip
    return curve([(x + back, y) for x, y in symmetric(half, (0.03 * wide, top))], steps=4)


# ---------------------------------------------------------------- behind the head


def draw_back_hair(sketch: Sketch) -> None:
    """Draw all hair behind the neck and the face."""
    shapes, head, colours = _back_shapes(sketch), sketch.head, sketch.colours
    upper, lower = (mix(colours.hair, colours.hair_dark, part) for part in (0.35, 0.75))
    gradient = Gradient(upper, lower, -20, 30)
    mass = head.outlined(shapes, gradient, colours.hair_line, LINE_WIDTH)
    head.paint(head.glow(0, 22, 27, 26), mix(colours.hair_dark, colours.hair_line, 0.45), 0.8, mass)
    if sketch.face.back_hair == "curly":
        curls = [ribbon(arc(shape[20], shape[8], -0.28), 0.2, 1.2, 0.2) for shape in shapes[1:]]
        head.fill(curls, colours.hair_line, 0.6, mass)
    else:
        _draw_back_strands(sketch, mass)


def _draw_back_strands(sketch: Sketch, mass: Mask) -> None:
    rng, wide = sketch.rng("back strands"), sketch.hair_width
    strokes, lights = [], []
    for side in (-1, 1):
        for place in (0.2, 0.62):
            x = side * (wide - 6 + 7 * place + uniform(rng, -1, 1))
            line = curve([(x * 0.92, -8), (x, 8), (x * 1.02 + uniform(rng, -2, 2), 26), (x, 46)])
            (strokes if rng.random() < 0.6 else lights).append(ribbon(line, 0.2, 1.2, 0.6))
    for shapes, colour, opacity in ((strokes, sketch.colours.hair_line, 0.6), (lights, sketch.colours.hair_light, 0.5)):
        if shapes:
            sketch.head.fill(shapes, colour, opacity, mass)


def _locks_below(sketch: Sketch, wide: float, low: float, tips: int, ragged: float, depth: float) -> np.ndarray:
    """Hair that falls from the crown and ends in a row of `tips` at y = `low`."""
    rng, back = sketch.rng("back"), sketch.behind
    edge = [np.array([(wide + back, low - depth)])]
    for i in range(tips):
        right, left = (wide - 2 * wide * n / tips for n in (i, i + 1))
        middle = (left + right) / 2
        tip = (middle + 0.16 * middle + uniform(rng, -2, 2) + back, low + uniform(rng, -ragged, ragged))
        notch = (left + back, low - depth * uniform(rng, 0.7, 1.2))
        edge += [arc((right + back, notch[1]), tip, 0.12, 4), arc(tip, notch, 0.12, 4)]
    return path(crown(sketch, low=2, wider=wide - sketch.hair_width), *edge)


def _back_shapes(sketch: Sketch) -> list[np.ndarray]:
    face, rng = sketch.face, sketch.rng("tails")
    wide, top, long, kind = sketch.hair_width, sketch.hair_top, face.hair_length, face.back_hair
    base = _locks_below(sketch, wide - 0.5, 15 + 4 * long, 6, 2.2, 7)
    if kind == "bob":
        return [_locks_below(sketch, wide + 2.2, 24 + 7 * long, 7, 1.4, 3.4)]
    if kind == "long":
        return [_locks_below(sketch, wide + 2 + 3 * long, 32 + 36 * long, 8, 3, 8)]
    if kind == "wavy":
        return [base, *_waves(sketch)]
    if kind == "curly":
        return [base, *_curls(sketch)]
    if kind == "spiky":
        return [_spikes(sketch)]
    if kind == "buns":
        size = 8.6 + 3.0 * long
        x, y = 0.7 * wide, top + 7 - long
        return [base, *[oval(side * x + sketch.behind, y, size, 0.94 * size) for side in (-1, 1)]]
    if kind == "twin tails":
        out, low = wide + 6 + 2 * long, 40 + 36 * long
        return [base, *[_tail(side, wide - 4, -22, out, low, 8 + long, rng) for side in (-1, 1)]]
    if kind == "ponytail":
        side = -1 if face.turn > 0 else 1
        return [base, _tail(side, wide * 0.3, top + 7, wide + 7 + 3 * long, 36 + 36 * long, 9, rng)]
    if kind == "side tail":
        return [base, _tail(sketch.side, wide - 2, -4, wide + 7 + 3 * long, 44 + 30 * long, 8.5, rng)]
    return [base]


def _tail(side: int, x: float, y: float, out: float, low: float, thick: float, rng) -> np.ndarray:
    """A tail tied at (`x`, `y`) that swings out to x = `out` and ends at y = `low`."""
    sway = uniform(rng, -3.0, 3.0)
    line = [(x, y), (0.5 * x + 0.5 * out + 1, y - 1), (out, y + 14), (out + 2, 0.5 * (y + low)), (out + sway, low)]
    return ribbon(curve(line), 3.0, 3.4 * thick, 0.3) * (side, 1)


def _waves(sketch: Sketch) -> list[np.ndarray]:
    rng, wide = sketch.rng("waves"), sketch.hair_width
    shapes = []
    for side in (-1, 1):
        swing = uniform(rng, 2.0, 3.4)
        outer = [(wide - 4, -24), (wide + 1.5, -10)]
        for i in range(6):
            x = wide + 4.2 + (swing if i % 2 else -swing) * (0.5 + 0.1 * i)
            outer.append((x, 2 + 11 * i + uniform(rng, -1, 1)))
        shapes.append(path(curve(outer), (0, 66), (0, -20)) * (side, 1))
    return shapes


def _curls(sketch: Sketch) -> list[np.ndarray]:
    rng, wide, long = sketch.rng("waves"), sketch.hair_width, sketch.face.hair_length
    count, low = 6 + int(2 * long), 24 + 20 * long
    curls = []
    for side in (-1, 1):
        for i in range(count):
            y = -26 + (low + 26) * i / (count - 1)
            x = wide - 3.0 + 4.4 * (1 - (y / 40) * (y / 40)) + uniform(rng, -1.2, 1.2)
            curls.append(oval(side * x, y, uniform(rng, 7.0, 9.0), uniform(rng, 6.6, 8.2)))
    return curls


def _spikes(sketch: Sketch) -> np.ndarray:
    rng, wide, top = sketch.rng("spikes"), sketch.hair_width, sketch.hair_top
    half = [(-0.5, 25), (-1.08, 24), (-1.42, 9), (-1.46, -12), (-1.26, -33), (-0.74, -50)]
    rays = [(x * wide, y * (-top / 46)) for x, y in symmetric(half, (-0.1, -56))]
    pieces, inner = [], (-0.3 * wide, 14.0)
    for (x, y), (next_x, next_y) in zip(rays, [*rays[1:], (0.5 * wide, 10.0)], strict=True):
        long = uniform(rng, 0.86, 1.08)
        tip = (x * long + uniform(rng, -3, 3), y * long + uniform(rng, -2, 4))
        deep = uniform(rng, 0.36, 0.42)
        notch = ((x + next_x) * deep, (y + next_y) * deep)
        pieces += [arc(inner, tip, 0.12, 4), arc(tip, notch, -0.04, 4)]
        inner = notch
    return path(*pieces)


def draw_front_tails(sketch: Sketch) -> None:
    """Draw the tails, braids and ringlets that hang over the shoulders, in front of the collar."""
    kind, head, colours = sketch.face.back_hair, sketch.head, sketch.colours
    wide, long = sketch.hair_width, sketch.face.hair_length
    rng = sketch.rng("front tails")
    gradient = Gradient(colours.hair, mix(colours.hair, colours.hair_dark, 0.6), 10, 48)
    if kind == "low tails":
        tails = [_tail(side, wide - 7, 14, wide - 1 + 3 * long, 50 + 24 * long, 6.5, rng) for side in (-1, 1)]
        head.outlined(tails, gradient, colours.hair_line, LINE_WIDTH)
        ties = [oval(side * (wide - 4), 15.5, 3.6, 2.6) for side in (-1, 1)]
        head.outlined(ties, colours.extra, colours.extra_line, 0.6)
    if kind in ("braids", "drills"):
        links = braid(wide - 2.0, 12, 6.2, 6, 0.6) if kind == "braids" else _ringlet(wide - 2.0, -2)
        for link in links:
            head.outlined([link, mirror(link)], gradient, colours.hair_line, 0.65)
    if kind in ("twin tails", "side tail"):
        x, y = (wide - 1.5, -21) if kind == "twin tails" else (wide + 0.5, -5)
        sides = (-1, 1) if kind == "twin tails" else (sketch.side,)
        head.outlined([oval(side * x, y, 3.2, 3.8) for side in sides], colours.extra, colours.extra_line, 0.6)


def braid(x: float, y: float, size: float, links: int, drift: float) -> list[np.ndarray]:
    """A braid as hearts, each of which overlaps the one above it."""
    heart = curve([*symmetric([(-0.8, 0.4), (-1, -0.5), (-0.55, -0.95)], (0, -0.5)), (0, 1.1)], True, 3)
    sizes = [(size * (1 - 0.03 * i), 0.86 * size) for i in range(links)]
    return [moved(heart * each, x + drift * i, y + 1.22 * size * i) for i, each in enumerate(sizes)]


def _ringlet(x: float, y: float) -> list[np.ndarray]:
    """A ringlet as slanted rings that get smaller towards the tip."""
    rings = []
    for i in range(7):
        ring = oval(0, 0, 8.4 - 0.8 * i, 4.6)
        slant = np.stack((np.zeros(len(ring)), 0.32 * ring[:, 0]), axis=1)
        rings.append(moved(ring + slant, x + 0.9 * i, y + 7.0 * i))
    return rings
