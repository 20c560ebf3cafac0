"""Hair in front of the head: the crown, the fringe over the forehead and the locks at the temples."""

import itertools
from typing import NamedTuple

import numpy as np

from animegan.drawing.canvas import Gradient, Mask
from animegan.drawing.hair import LINE_WIDTH, braid, crown
from animegan.drawing.outlines import arc, curve, moved, path, ribbon, symmetric
from animegan.drawing.palette import mix
from animegan.drawing.sketch import Sketch, uniform


class Fringe(NamedTuple):
    """How the locks over the forehead hang.

    They part at x = `part`, and the forehead shows there up to y = `opening` (0: no parting). The tips
    hang at y = `near` next to the part and at y = `far` at the temples. The notches between two locks lie
    `depth` above the tips. Tips point outwards by `lean` and vary in height by `ragged`.
    """

    locks: int
    part: float
    opening: float
    near: float
    far: float
    depth: float
    lean: float
    ragged: float


FRINGES = {
    "straight": Fringe(7, 0, 0, -8.5, -3, 8, 0.0, 1.6),
    "blunt": Fringe(8, 0, 0, -9.5, -7, 3.2, 0.0, 0.4),
    "hime": Fringe(7, 0, 0, -9.5, -8, 2.6, 0.0, 0.3),
    "wispy": Fringe(9, 0, 0, -9, -2, 11, 0.4, 3.2),
    "spiky": Fringe(5, 0, 0, -3.5, -1, 14, 0.0, 4.0),
    "crossed": Fringe(5, 0, 0, 0.5, -9, 13, 0.6, 1.6),
    "parted left": Fringe(6, -11, -33, -17, 3, 7, 2.6, 1.6),
    "parted right": Fringe(6, 11, -33, -17, 3, 7, 2.6, 1.6),
    "parted centre": Fringe(6, 0, -34, -18, 4, 7, 2.6, 1.4),
    "curtain": Fringe(4, 0, -35, -20, 13, 9, 4.0, 1.0),
    "swept left": Fringe(5, 19, -25, -16, 2, 9, 6.0, 1.6),
    "swept right": Fringe(5, -19, -25, -16, 2, 9, 6.0, 1.6),
    "over one eye": Fringe(4, -15, -30, -15, 13, 9, 3.6, 1.4),
    "swept back": Fringe(0, 0, -30, 0, 0, 0, 0.0, 0.0),
    "side braid": Fringe(6, -9, -32, -17, 0, 7, 2.6, 1.4),
}


def fringe_shapes(sketch: Sketch) -> tuple[list[np.ndarray], list[tuple[float, float]]]:
    """The shapes of the front hair (the first is its main mass), and the notches from which strands start."""
    edge, notches = _fringe_edge(sketch, FRINGES[sketch.face.fringe], sketch.rng("fringe"))
    left, right = _temple(sketch, -1, edge[0]), _temple(sketch, 1, edge[-1])
    return [path(crown(sketch, low=-4), right, edge[::-1], left[::-1]), *_tufts(sketch)], notches


def _temple(sketch: Sketch, side: int, goal: np.ndarray) -> np.ndarray:
    """The lock in front of an ear, from the end of the crown down to its tip and up to `goal` on the forehead."""
    face = sketch.face
    wide = sketch.hair_width + sketch.behind * side
    if face.fringe == "hime":
        low = 15 + 8 * face.side_locks
        inner = arc((side * sketch.across(side * 20.5), low + 0.4), (side * goal[0], goal[1]))
        return path((wide - 0.6, low), inner) * (side, 1)
    low = 6 + 32 * face.side_locks
    wide = max(wide, 27.0)
    tip = (side * sketch.across(side * (23.5 + 1.5 * face.side_locks)), low)
    outside = curve([(wide, -4), (wide + 0.4, 0.3 * low), (0.4 * wide + 0.6 * tip[0], 0.75 * low), tip], steps=3)
    inside = arc(tip, (side * goal[0], goal[1]), -0.06)
    return path(outside, inside[1:]) * (side, 1)


def _tufts(sketch: Sketch) -> list[np.ndarray]:
    """Tips that stick out of the crown: the messier the hair, the more of them and the longer."""
    face, rng = sketch.face, sketch.rng("tufts")
    wide, top, back = sketch.hair_width, sketch.hair_top, sketch.behind
    tufts = []
    for side in (-1, 1):
        for x, y, out, down in ((0.98, 3, 4, 10), (1.0, -9, 5.5, 8)):
            size = face.messiness * uniform(rng, 0.0, 1.7)
            if size < 0.55:
                continue
            root = np.array((x * wide, y))
            tip = root + np.array((out, down)) * min(size, 1.15)
            tuft = path(arc(moved(root, -4, -16), tip, 0.03, 5), arc(tip, moved(root, -7, -3), 0.14, 4))
            tufts.append(moved(tuft * (side, 1), back, 0))
    if face.messiness > 0.72:
        lean, root = -sketch.side, (back, top + 1.5)
        tip = (back + lean * uniform(rng, 7, 12), top - uniform(rng, 1, 5))
        tufts.append(path(arc(root, tip, 0.3 * lean), arc(tip, (back + lean * 2.4, top + 1.5), -0.2 * lean)))
    return tufts


def _fringe_edge(sketch: Sketch, style: Fringe, rng) -> tuple[np.ndarray, list]:
    """The lower edge of the fringe from the left temple to the right, and the notches between its locks."""
    reach = 20.5
    drop = 8.0 * (sketch.face.fringe_length - 0.4)
    part = style.part * (sketch.side if sketch.face.fringe == "over one eye" else 1)
    if style.locks == 0:
        line = curve(symmetric([(-reach, -15), (-0.8 * reach, -24), (-0.3 * reach, -29)]))
        roots = ((-20, -20), (-14, -26), (-7, -28.5), (0, -29), (7, -28.5), (14, -26), (20, -20))
        return sketch.turned(line), [(sketch.across(x), y) for x, y in roots]
    borders = _borders(style, part, reach, rng)
    edge, notches, start = [], [], None
    for left, right in itertools.pairwise(borders):
        middle = (left + right) / 2
        away = 1 if middle > part else -1
        distance = abs(middle - part) / (reach + abs(part))
        lean = style.lean * away if style.opening else style.lean * sketch.side
        lean += uniform(rng, -1.0, 1.0) * min(style.ragged, 2.4)
        y = style.near + (style.far - style.near) * distance * (0.4 + 0.6 * distance)
        y += drop + uniform(rng, -style.ragged, style.ragged)
        tip = (middle + lean, y)
        start = start or (-reach, min(y - 0.7 * style.depth, -12.0))
        if right == borders[-1]:
            end = (reach, min(y - 0.7 * style.depth, -12.0))
        elif style.opening and right == part:
            end = (part, style.opening + drop * 0.3)
        else:
            end = (right, y - style.depth * uniform(rng, 0.8, 1.2))
        bend = 0.018 * lean
        edge += [arc(start, tip, -0.1 - bend, 4), arc(tip, end, -0.1 + bend, 4)[1:]]
        notches.append(end)
        start = end
    return sketch.turned(np.concatenate(edge)), [(sketch.across(x), y) for x, y in notches[:-1]]


def _borders(style: Fringe, part: float, reach: float, rng) -> list[float]:
    """The x where one lock ends and the next begins; the part is always one of them."""
    if not style.opening:
        inner = [-reach + 2 * reach * (i + uniform(rng, -0.2, 0.2)) / style.locks for i in range(1, style.locks)]
        return [-reach, *inner, reach]
    left = max(1, int(style.locks * (part + reach) / (2 * reach) + 0.5))
    right = max(1, style.locks - left)
    before = [-reach + (part + reach) * i / left for i in range(left)]
    return [*before, part, *[part + (reach - part) * (i + 1) / right for i in range(right)]]


def draw_shadow(sketch: Sketch, shapes: list[np.ndarray], skin: Mask) -> None:
    """Draw the shadow of the front hair on the forehead and the cheeks."""
    shadow = sketch.head.mask(*[moved(shape, 1.4 * sketch.face.light, 3.6) for shape in shapes])
    sketch.head.paint(shadow, sketch.colours.skin_shade, 0.85, skin)


def draw_front_hair(sketch: Sketch, shapes: list[np.ndarray], notches: list) -> None:
    """Draw crown and fringe, with shade, shine and strands."""
    head, colours, top = sketch.head, sketch.colours, sketch.hair_top
    gradient = Gradient(mix(colours.hair, colours.hair_dark, 0.3), colours.hair, top, top + 16)
    mass = head.outlined(shapes, gradient, colours.hair_line, LINE_WIDTH)
    head.paint(mass, Gradient(colours.hair, colours.hair_light, -16, 12), 0.45)
    side, wide = 1 if sketch.face.light > 0 else -1, sketch.hair_width
    shade = path(curve([(12, -50), (wide * 0.66, -34), (wide * 0.8, -14), (wide * 0.8, 40)]), (60, 40), (60, -50))
    head.fill(shade * (side, 1), colours.hair_dark, 0.4 * abs(sketch.face.light) + 0.15, mass)
    _draw_shine(sketch, mass)
    _draw_strands(sketch, notches, mass)
    _draw_loose_locks(sketch, notches)


def _draw_loose_locks(sketch: Sketch, notches: list) -> None:
    """Draw a few locks that lie over the others and end a little lower, and the braid at the side."""
    rng, head, colours = sketch.rng("loose"), sketch.head, sketch.colours
    locks = []
    for x, y in notches:
        if y < -20 or not FRINGES[sketch.face.fringe].locks or rng.random() > 0.4:
            continue
        lean, wide = uniform(rng, -4, 4), uniform(rng, 2.2, 3.2)
        root, tip = (x - 0.3 * lean, y - 10), (x + lean, y + uniform(rng, 6, 11))
        locks.append(path(arc((root[0] - wide, root[1]), tip, -0.1), arc(tip, (root[0] + wide, root[1]), -0.1)))
    if locks:
        head.fill(locks, mix(colours.hair, colours.hair_light, 0.3))
        head.fill([ribbon(lock, 0.0, 1.9, 0.0) for lock in locks], colours.hair_line)
    if sketch.face.fringe == "side braid":
        side = sketch.side
        for link in braid(sketch.across(side * 23.5), -13, 4.4, 8, side * 0.2):
            head.outlined(link, colours.hair, colours.hair_line, 0.6)


def _draw_shine(sketch: Sketch, mass: Mask) -> None:
    """Draw the band of light around the crown; its edges are ragged where it crosses strands."""
    rng, face, wide = sketch.rng("shine"), sketch.face, sketch.hair_width * 0.86
    upper, lower = [], []
    for i in range(11):
        u = 2 * i / 10 - 1
        x = wide * u + 1.5 * face.turn - 2.0 * face.light
        y = -31.5 + 11.0 * u * u
        thick = 3.6 * (1 - 0.8 * u * u) * (0.6 + 0.6 * face.shine)
        upper.append((x, y - thick * uniform(rng, 0.5, 1.1)))
        lower.append((x + 1.5, y + thick * (uniform(rng, 0.9, 1.9) if i % 2 else uniform(rng, -0.1, 0.4))))
    band = path(curve(upper, steps=3), lower[::-1])
    sketch.head.fill(band, sketch.colours.hair_shine, 0.25 + 0.5 * face.shine, mass)


def _draw_strands(sketch: Sketch, notches: list, mass: Mask) -> None:
    """Draw lines and soft shade that run from the notches between the locks up to the crown."""
    rng, style = sketch.rng("strands"), FRINGES[sketch.face.fringe]
    top = (0.6 * style.part if style.opening else 1.0, sketch.hair_top + 4)
    shades, darks = [], []
    for x, y in notches:
        if y < -22 and style.locks:  # the part itself
            continue
        reach = uniform(rng, 0.35, 0.6)
        goal = (x + (top[0] - x) * reach, y + (top[1] - y) * reach)
        line = arc((x, y + 0.6), goal, 0.07 if x < top[0] else -0.07)
        shades.append(ribbon(line, 3.6, 1.6, 0.1))
        darks.append(ribbon(line, 0.95, 0.6, 0.05))
    for side in (-1, 1):
        x = side * (sketch.hair_width - 4.5)
        line = curve([(x * 0.93, 10), (x, -6), (x * 0.92, -22)])
        shades.append(ribbon(line, 0.1, 4.0, 0.1))
        darks.append(ribbon(line, 0.05, 1.2, 0.05))
    for place in (-0.62, -0.3, 0.1, 0.44, 0.7):
        x = top[0] + (place + uniform(rng, -0.08, 0.08)) * 12
        goal = (1.5 * place * sketch.hair_width * 0.6, uniform(rng, -33, -27) + 9 * place * place)
        shades.append(ribbon(arc((x, top[1] - 2.5), goal, -0.12 * place), 0.1, 1.1, 0.1))
    sketch.head.fill(shades, sketch.colours.hair_dark, 0.55, mass)
    sketch.head.fill(darks, sketch.colours.hair_line, 0.85, mass)
