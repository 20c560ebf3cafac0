"""Skin and features: face, ears, eyes, brows, nose, mouth and blush."""

from typing import NamedTuple

import numpy as np

from animegan.drawing.canvas import Gradient, Mask, intersect, subtract
from animegan.drawing.outlines import arc, curve, moved, oval, path, ribbon
from animegan.drawing.palette import mix
from animegan.drawing.sketch import Sketch

EYE_LINE = 13.2  # distance of an eye from the middle of the face, in face units


class EyeShape(NamedTuple):
    """An open eye in face units: half its width, and the y of its lids (`top`, `bottom`) and of its two corners."""

    width: float
    top: float
    bottom: float
    inner: float
    outer: float


EYE_SHAPES = {
    "round": EyeShape(7.4, -8.4, 7.4, 1.8, 0.6),
    "almond": EyeShape(8.2, -6.6, 5.6, 2.6, -1.6),
    "drooping": EyeShape(7.7, -7.8, 6.6, -0.8, 3.8),
    "upturned": EyeShape(8.1, -7.0, 6.2, 4.0, -4.4),
    "narrow": EyeShape(8.4, -4.6, 4.8, 1.4, -1.0),
    "tall": EyeShape(6.8, -10.4, 8.6, 2.0, 0.8),
}
EYES = ("open", "half open", "closed", "smiling", "wink left", "wink right")
# x, y and size of each highlight in the iris, in half axes of the iris
HIGHLIGHTS = {
    "one": ((-0.4, -0.42, 0.33),),
    "two": ((-0.42, -0.44, 0.32), (0.44, 0.34, 0.2)),
    "large": ((-0.4, -0.42, 0.43), (0.42, 0.46, 0.16)),
    "sparkling": ((-0.42, -0.46, 0.34), (0.42, 0.3, 0.2), (-0.3, 0.58, 0.14), (0.36, -0.4, 0.12)),
}
BROWS = {  # y of the inner end, of the middle and of the outer end
    "flat": (0.3, -0.5, 0.2), "arched": (0.8, -1.6, 0.8), "angry": (2.6, -0.4, -1.2), "worried": (-1.8, -1.0, 1.6),
    "raised": (-0.8, -3.2, -1.0),
}  # fmt: skip
EXPRESSIONS = (
    "neutral", "smile", "open smile", "laugh", "sad", "surprised", "pout", "cat", "smirk", "fang", "gasp",
)  # fmt: skip


# ---------------------------------------------------------------- skin


def face_outline(sketch: Sketch) -> np.ndarray:
    """The outline of the face. In a turned face the chin moves and the far cheek is flatter."""
    face = sketch.face
    wide, chin, turn = face.face_width, face.chin, face.turn
    sides = []
    for side in (-1, 1):
        far, near = max(turn * side, 0.0), max(-turn * side, 0.0)
        sides.append([
            (side * (24.5 * wide - 0.8 * near), -22),
            (side * (25.6 * wide - 0.4 * far - 1.0 * near), -4),
            (side * (24.0 * wide - 0.2 * far - 1.6 * near) + 0.6 * turn, 8),
            (side * (19.6 * wide - 0.8 * far - 1.0 * near) + 1.6 * turn, 17 + 0.3 * chin),
            (side * (10.6 * wide - 0.8 * far) + 2.8 * turn, 24.6 + 0.8 * chin),
            (side * 3.0 + 3.8 * turn, 28.8 + chin),
        ])  # fmt: skip
    left, right = sides
    return curve([(0, -38), *left, *right[::-1]], closed=True, steps=4)


def draw_ears(sketch: Sketch) -> None:
    head, colours = sketch.head, sketch.colours
    ear = curve([(-2, -3), (2.6, -3.5), (3, 2), (0, 8.5), (-3, 7)], True)
    x, back = 26.0 * sketch.face.face_width, -2.2 * sketch.face.turn
    places = [((side, 1), (side * x + back, 0)) for side in (-1, 1)]
    head.outlined([ear * flip + place for flip, place in places], colours.skin, colours.skin_line, 0.6)
    inner = oval(0.9, 1.5, 1.2, 3.0)
    head.fill([inner * flip + place for flip, place in places], colours.skin_shade)


def draw_face(sketch: Sketch) -> Mask:
    head, colours, face = sketch.head, sketch.colours, sketch.face
    outline = face_outline(sketch)
    skin = head.outlined(outline, colours.skin, colours.skin_line, 0.7)
    lit = head.mask(moved(outline, -3.2 * face.light, -1.4))
    head.paint(subtract(skin, lit), colours.skin_shade, 0.6)
    return skin


def draw_neck(sketch: Sketch) -> None:
    body, colours, middle = sketch.body, sketch.colours, 1.4 * sketch.face.turn
    left = curve([(middle - 8, 16), (middle - 7.6, 30), (middle - 9.5, 36), (-20, 39.5), (-42, 46)])
    right = curve([(42, 46), (20, 39.5), (middle + 9.5, 36), (middle + 7.6, 30), (middle + 8, 16)])
    neck = body.outlined(path(left, (-44, 70), (44, 70), right), colours.skin, colours.skin_line, 0.7)
    shadow = sketch.head.mask(moved(face_outline(sketch), 2.0 * sketch.face.light, 6.5))
    body.paint(intersect(neck, shadow), mix(colours.skin_shade, colours.skin_line, 0.12))
    bones = [arc((middle + side * 4, 42), (middle + side * 15, 40.4), 0.08 * side) for side in (-1, 1)]
    body.fill([ribbon(bone, 0.9, 0.7, 0.1) for bone in bones], colours.skin_shade)


def draw_blush(sketch: Sketch, skin: Mask) -> None:
    face, colours, head = sketch.face, sketch.colours, sketch.head
    rose = mix(colours.skin_shade, (255, 92, 100), 0.5 if colours.skin[1] > 180 else 0.25)
    marks = []
    for side in (-1, 1):
        x, wide = sketch.across(side * 16.0), 7.6 * sketch.squeeze(side * 16.0)
        head.paint(head.glow(x, 11.5, wide, 4.6), rose, 0.9 * face.blush, skin)
        marks += [arc((x + along + 0.7, 10.2), (x + along - 0.7, 13.0)) for along in (-2.6, 0, 2.6)]
    if face.blush > 0.62:
        strokes = [ribbon(mark, 0.2, 0.8, 0.2) for mark in marks]
        head.fill(strokes, mix(rose, (214, 40, 60), 0.45), 0.7, skin)


def draw_nose(sketch: Sketch) -> None:
    head, colours = sketch.head, sketch.colours
    x = sketch.across(0.0) + 1.2 * sketch.face.turn
    lean = 1 if sketch.face.light > 0 else -1
    head.fill(oval(x + 0.8 * lean, 10.6, 1.7, 1.0), colours.skin_shade)
    head.fill(ribbon(arc((x - 0.9, 11.2), (x + 0.9, 11.2), -0.15), 0.1, 1.0, 0.1), colours.skin_line, 0.75)


# ---------------------------------------------------------------- eyes


class _Eye(NamedTuple):
    """One open eye in its place: its outlines, and the centre and half axes of its iris."""

    white: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    x: float
    y: float
    across: float
    down: float
    side: int


def _place_eye(sketch: Sketch, side: int) -> tuple[float, float]:
    """The x of the middle of an eye, and the factor by which the turn of the head narrows it."""
    x = side * (EYE_LINE + sketch.face.eye_distance)
    return sketch.across(x), sketch.squeeze(x)


def _open_eye(sketch: Sketch, side: int) -> _Eye:
    face, shape = sketch.face, EYE_SHAPES[sketch.face.eye_shape]
    x, squeeze = _place_eye(sketch, side)
    half = shape.width * face.eye_size * squeeze
    x -= side * max(side * x + half - 24.0 * face.face_width, 0.0)  # the far eye stays on the face
    wide = half * side
    top = shape.top * face.eye_size * (0.36 if face.eyes == "half open" else 1)
    bottom, inner, outer = shape.bottom * face.eye_size, shape.inner, shape.outer
    upper = curve([
        (x - wide, inner), (x - 0.72 * wide, inner + 0.66 * (top - inner)), (x - 0.1 * wide, top),
        (x + 0.62 * wide, outer + 0.74 * (top - outer)), (x + wide, outer),
    ])  # fmt: skip
    lower = curve([
        (x + wide, outer), (x + 0.8 * wide, outer + 0.6 * (bottom - outer)), (x + 0.1 * wide, bottom),
        (x - 0.6 * wide, inner + 0.66 * (bottom - inner)), (x - wide, inner),
    ])  # fmt: skip
    full = (shape.bottom - shape.top) * face.eye_size
    iris_x = x + face.gaze_x * 2.2 - 0.06 * wide + face.turn * 0.6
    iris_y = (shape.top + shape.bottom) / 2 * face.eye_size + face.gaze_y * 1.4 + 0.2
    across = 0.68 * shape.width * face.eye_size * (0.5 + 0.5 * squeeze)
    return _Eye(path(upper, lower[1:-1]), upper, lower, iris_x, iris_y, across, 0.5 * full, side)


def draw_eyes(sketch: Sketch) -> Mask:
    """Draw both eyes; returns what they cover, so that they can show through the fringe."""
    face = sketch.face
    shut = {"closed": (-1, 1), "smiling": (-1, 1), "wink left": (-1,), "wink right": (1,)}.get(face.eyes, ())
    eyes = [_open_eye(sketch, side) for side in (-1, 1) if side not in shut]
    lines = [stroke for side in shut for stroke in _shut_eye(sketch, side)]
    lines += [stroke for eye in eyes for stroke in _lashes(sketch, eye)]
    if eyes:
        _draw_open(sketch, eyes)
    sketch.head.fill(lines, sketch.colours.lash)
    if eyes:
        creases = [ribbon(moved(eye.upper[5:-1], 0, -2.8), 0.1, 1.0, 0.1) for eye in eyes]
        sketch.head.fill(creases, sketch.colours.skin_line, 0.7)
    return sketch.head.mask(*lines, *(eye.white for eye in eyes))


def _draw_open(sketch: Sketch, eyes: list[_Eye]) -> None:
    head, colours = sketch.head, sketch.colours
    white = head.fill([eye.white for eye in eyes], (255, 252, 252))
    middle, down = eyes[0].y, eyes[0].down
    head.fill([ribbon(moved(eye.upper, 0, 1.2), 2.0, 4.2, 3.0) for eye in eyes], (190, 184, 208), 0.8, white)
    rim = mix(colours.iris_dark, colours.lash, 0.35)
    head.fill([oval(eye.x, eye.y, eye.across, eye.down) for eye in eyes], rim, 1.0, white)
    iris = intersect(head.mask(*[oval(eye.x, eye.y, eye.across - 0.8, eye.down - 0.8) for eye in eyes]), white)
    head.paint(iris, Gradient(colours.iris_dark, colours.iris, middle - 0.7 * down, middle + 0.25 * down))
    glints = [oval(eye.x, eye.y + 0.56 * eye.down, 0.6 * eye.across, 0.36 * eye.down) for eye in eyes]
    head.fill(glints, colours.iris_light, 0.85, iris)
    pupils = [oval(eye.x, eye.y - 0.06 * eye.down, 0.4 * eye.across, 0.42 * eye.down) for eye in eyes]
    head.fill(pupils, mix(colours.iris_dark, (20, 8, 24), 0.6), 0.9, iris)
    lean = -1 if sketch.face.light > 0 else 1  # towards the light
    spots = [
        oval(eye.x + lean * x * eye.across, eye.y + y * eye.down, size * eye.across, 1.25 * size * eye.across)
        for eye in eyes
        for x, y, size in HIGHLIGHTS[sketch.face.highlights]
    ]
    head.fill(spots, (255, 255, 255), 0.96, white)


def _lashes(sketch: Sketch, eye: _Eye) -> list[np.ndarray]:
    side, (x, y) = eye.side, eye.upper[-1]
    lift = 1.5 if sketch.face.eye_shape != "drooping" else -0.2
    wing = path(moved(eye.upper[-4], 0, -0.6), (x + side * 2.3, y - lift), (x - side * 0.4, y + 1.2))
    lower = eye.lower[1 : len(eye.lower) * 5 // 8]
    return [ribbon(moved(eye.upper, 0, -0.4), 0.9, 3.1, 2.2), wing, ribbon(lower, 1.3, 0.7, 0.2)]


def _shut_eye(sketch: Sketch, side: int) -> list[np.ndarray]:
    face = sketch.face
    x, squeeze = _place_eye(sketch, side)
    wide = 7.4 * face.eye_size * squeeze * side
    if face.eyes == "closed":
        line = curve([(x - wide, 2.2), (x - 0.4 * wide, 4.4), (x + 0.3 * wide, 4.6), (x + wide, 1.8)])
        ends = ((1.0, 1.8, 1.35, 2.6), (0.66, 3.6, 0.95, 5.0), (0.3, 4.4, 0.46, 6.0))
    else:
        line = curve([(x - wide, 4.2), (x - 0.5 * wide, 0.4), (x + 0.25 * wide, -0.6), (x + wide, 3.6)])
        ends = ((1.0, 3.4, 1.3, 3.0), (0.8, 1.8, 1.15, 1.0))
    ticks = [ribbon(arc((x + a * wide, b), (x + c * wide, d)), 1.4, 0.9, 0.1) for a, b, c, d in ends]
    return [ribbon(line, 0.9, 2.4, 1.4), *ticks]


# ---------------------------------------------------------------- brows and mouth


def draw_brows(sketch: Sketch) -> Mask:
    """Draw both brows; returns what they cover, so that they can show through the fringe."""
    face, colours = sketch.face, sketch.colours
    inner, middle, outer = BROWS[face.brows]
    y = EYE_SHAPES[face.eye_shape].top * face.eye_size - 4.4
    strokes = []
    for side in (-1, 1):
        x = side * (EYE_LINE + face.eye_distance)
        knots = [(x - side * 5.6, y + inner), (x + side * 0.4, y + middle), (x + side * 6.4, y + outer)]
        strokes.append(ribbon(curve(sketch.turned(knots)), 1.5, 1.3, 0.2))
    return sketch.head.fill(strokes, mix(colours.hair_line, colours.lash, 0.3), 0.85)


def draw_mouth(sketch: Sketch) -> None:
    head, colours, face = sketch.head, sketch.colours, sketch.face
    x, y = sketch.across(0.0) + 0.6 * face.turn, 18.6 + 0.4 * face.chin
    kind, wide = face.expression, face.mouth_size
    line = mix(colours.skin_line, (110, 24, 36), 0.4)

    def at(*points) -> np.ndarray:
        return np.array([(x + a * wide * (1 - 0.12 * abs(face.turn)), y + b * wide) for a, b in points])

    bows = {
        "neutral": [(-2.8, 0), (0, 0.5), (2.8, 0)],
        "smile": [(-4.2, -0.9), (-2, 0.6), (0, 1.0), (2, 0.6), (4.2, -0.9)],
        "sad": [(-3.2, 1.2), (0, -0.4), (3.2, 1.2)],
        "pout": [(-2.0, 0.9), (-0.7, -0.1), (0, 0.3), (0.7, -0.1), (2.0, 0.9)],
        "cat": [(-4.4, -1.0), (-2.6, 0.9), (-0.8, 0.5), (0, -0.8), (0.8, 0.5), (2.6, 0.9), (4.4, -1.0)],
        "smirk": [(-2.6, 0.6), (0.6, 0.6), (4.0, -1.2)],
    }
    if kind in bows:
        head.fill(ribbon(curve(at(*bows[kind])), 0.9, 1.3, 0.9), line)
        if kind in ("neutral", "smile", "pout"):
            head.fill(ribbon(arc(*at((-1.3, 3.2), (1.3, 3.2)), -0.1), 0.1, 1.0, 0.1), colours.skin_shade)
        return
    mouths = {
        "open smile": [(-4.0, -1.2), (0, -0.4), (4.0, -1.2), (2.7, 2.6), (0, 4.0), (-2.7, 2.6)],
        "laugh": [(-5.4, -2.0), (0, -1.2), (5.4, -2.0), (4.2, 3.4), (0, 6.2), (-4.2, 3.4)],
        "surprised": [(-1.7, 0.2), (0, -1.3), (1.7, 0.2), (1.5, 2.0), (0, 3.0), (-1.5, 2.0)],
        "gasp": [(-2.6, -0.6), (0, -1.6), (2.6, -0.6), (3.2, 2.8), (0, 3.8), (-3.2, 2.8)],
        "fang": [(-4.0, -1.2), (0, -0.6), (4.0, -1.2), (2.4, 2.2), (0, 3.2), (-2.4, 2.2)],
    }
    outline = curve(at(*mouths[kind]), closed=True, steps=4)
    inside = head.outlined(outline, (150, 48, 56), line, 0.6)
    tongue = oval(*at((0.2, 4.6 if kind == "laugh" else 3.2))[0], 2.9 * wide, 2.2 * wide)
    head.fill(tongue, (240, 128, 124), 1, inside)
    if kind in ("laugh", "open smile"):
        head.fill(at((-5, -3), (5, -3), (4, -0.1), (0, 0.5), (-4, -0.1)), (255, 250, 246), 1, inside)
    if kind == "fang":
        head.fill(at((1.2, -1.6), (3.2, -1.6), (2.2, 1.4)), (255, 252, 248), 1, inside)
