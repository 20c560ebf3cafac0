"""Lines and outlines: curves, ovals and ribbons, in face units."""

import math
from functools import cache

import numpy as np

CIRCLE = np.array([(round(math.cos(a), 6), round(math.sin(a), 6)) for a in (math.tau * i / 24 for i in range(24))])


@cache
def _spline_weights(steps: int) -> tuple[np.ndarray, ...]:
    t = (np.arange(steps) / steps)[None, :, None]
    return (
        (-t + 2 * t * t - t * t * t) / 2,
        (2 - 5 * t * t + 3 * t * t * t) / 2,
        (t + 4 * t * t - 3 * t * t * t) / 2,
        (t * t * t - t * t) / 2,
    )


def curve(points, closed: bool = False, steps: int = 5) -> np.ndarray:
    """A smooth line through all points (a Catmull-Rom spline), with `steps` straight pieces between two points."""
    knots = np.asarray(points, dtype=float)
    if closed:
        around = np.concatenate((knots[-1:], knots, knots[:2]))
    else:
        around = np.concatenate((2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]))
    count = len(around) - 3
    line = sum(w * around[i : i + count, None] for i, w in enumerate(_spline_weights(steps))).reshape(-1, 2)
    return line if closed else np.concatenate((line, knots[-1:]))


def arc(start, end, bulge: float = 0.0, steps: int = 6) -> np.ndarray:
    """A quadratic Bezier arc; `bulge` is its height as a fraction of its chord, to the left of its direction if > 0."""
    (x0, y0), (x1, y1) = start, end
    middle_x = (x0 + x1) / 2 + 2 * bulge * (y1 - y0)
    middle_y = (y0 + y1) / 2 - 2 * bulge * (x1 - x0)
    t = _steps(steps)
    a, b, c = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
    return np.stack((a * x0 + b * middle_x + c * x1, a * y0 + b * middle_y + c * y1), axis=1)


@cache
def _steps(steps: int) -> np.ndarray:
    return np.arange(steps + 1) / steps


def oval(x: float, y: float, across: float, down: float) -> np.ndarray:
    """An ellipse with centre (`x`, `y`) and half axes `across` and `down`."""
    return moved(CIRCLE * (across, down), x, y)


def path(*pieces) -> np.ndarray:
    """Pieces (curves, arcs, corners) joined into one outline."""
    return np.concatenate([np.atleast_2d(np.asarray(piece, dtype=float)) for piece in pieces])


def moved(outline: np.ndarray, x: float, y: float) -> np.ndarray:
    """The outline (or point) moved by `x` to the right and `y` down."""
    return outline + np.array((x, y))


def mirror(points) -> np.ndarray:
    """The points on the other side of the face."""
    return np.asarray(points, dtype=float) * (-1.0, 1.0)


def symmetric(half: list[tuple], *middle: tuple) -> list[tuple]:
    """The corners of the left half, those in the middle, and the left half mirrored to the right."""
    return [*half, *middle, *[(-x, y) for x, y in half[::-1]]]


def ribbon(line: np.ndarray, *widths: float) -> np.ndarray:
    """A brush stroke along a line, of one width or with a width at its start, its middle and its end."""
    half = _half_widths(len(line), *(widths if len(widths) == 3 else widths * 3))
    ahead = np.concatenate((line[1:2] - line[:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]))
    side = _normals(ahead) * half
    return np.concatenate((line + side, (line - side)[::-1]))


@cache
def _half_widths(points: int, start: float, middle: float, end: float) -> np.ndarray:
    t = _steps(points - 1)[:, None]
    return ((1 - t) * (1 - t) * start + 2 * t * (1 - t) * middle + t * t * end) / 2


def expand(outline: np.ndarray, by: float) -> np.ndarray:
    """The closed outline moved outwards by `by`, for a line around a shape."""
    after = np.concatenate((outline[1:], outline[:1]))
    area = (outline[:, 0] * after[:, 1] - outline[:, 1] * after[:, 0]).sum()
    return outline + _normals(after - np.concatenate((outline[-1:], outline[:-1]))) * (-by if area > 0 else by)


def _normals(ahead: np.ndarray) -> np.ndarray:
    x, y = ahead[:, 0], ahead[:, 1]
    length = np.sqrt(x * x + y * y)
    length[length == 0] = 1.0
    return np.stack((-y / length, x / length), axis=1)
