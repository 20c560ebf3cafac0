"""A small painter: smooth shapes, soft edges and colours, in integers alone.

The faces must be the same to the last byte on every computer, so nothing here leaves a rounding to
the platform. Curves use only +, -, *, / and square roots, which IEEE 754 fixes; corners are then
rounded to 1/256 of a pixel; and from there on (coverage, gradients, blending) all numbers are integers.

Shapes are float arrays [points, 2] in face units: x to the right, y down, (0, 0) between the eyes, and
96 units span the picture. `Frame` says where the face lies in the picture.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from animegan.drawing.outlines import grown

LINES = 4  # a pixel row is sampled on 4 lines; along a line the coverage is exact
UNIT = 16  # face units are kept in sixteenths for gradients


class Ramp(NamedTuple):
    """A vertical gradient: `top` above y = `start`, `bottom` below y = `end` (face units)."""

    top: tuple
    bottom: tuple
    start: float
    end: float


class Mask(NamedTuple):
    """How much of each pixel is covered (uint16, 0..255) inside a window of the picture."""

    top: int
    left: int
    cover: np.ndarray

    @property
    def window(self) -> tuple[slice, slice]:
        rows, columns = self.cover.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


class Frame(NamedTuple):
    """Face units to pixels: turn by (`cosine`, `sine`), stretch by `scale`, move to (`x`, `y`)."""

    x: float
    y: float
    scale: float
    cosine: float
    sine: float

    def place(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel columns and rows of points, in whole 1/256 of a pixel."""
        across, down = points[:, 0], points[:, 1]
        x = self.x + self.scale * (self.cosine * across - self.sine * down)
        y = self.y + self.scale * (self.sine * across + self.cosine * down)
        return np.rint(x * 256).astype(np.int64), np.rint(y * 256).astype(np.int64)


# ---------------------------------------------------------------- picture


class Canvas:
    """A picture (uint16, [3, size, size], 0..255) with a frame that places face units on it."""

    def __init__(self, size: int, frame: Frame, pixels: np.ndarray | None = None) -> None:
        self.size = size
        self.frame = frame
        self.pixels = np.zeros((3, size, size), np.uint16) if pixels is None else pixels

    def with_frame(self, frame: Frame) -> Canvas:
        """The same picture, seen from another frame."""
        return Canvas(self.size, frame, self.pixels)

    def mask(self, *shapes: np.ndarray) -> Mask:
        """The pixels covered by any of the closed shapes."""
        if len(shapes) == 1:
            x, y = self.frame.place(shapes[0])
            after, turns = np.arange(1, len(x) + 1), None
            after[-1] = 0
        else:
            x, y = self.frame.place(np.concatenate(shapes))
            sizes = np.array([len(shape) for shape in shapes])
            starts = sizes.cumsum() - sizes
            after = np.arange(1, len(x) + 1)
            after[starts + sizes - 1] = starts
            # All outlines must count as turning the same way, so that overlaps add up.
            turns = np.sign(np.add.reduceat(x * y[after] - x[after] * y, starts)).repeat(sizes)
        return _coverage(x, y, x[after], y[after], turns, self.size)

    def glow(self, x: float, y: float, across: float, down: float) -> Mask:
        """A soft spot, full in its middle and gone at its rim."""
        columns, rows = self.frame.place(np.array([(x, y)]))
        reach = int(max(across, down) * self.frame.scale) + 2
        left, right = (min(max((int(columns[0]) >> 8) + by, 0), self.size) for by in (-reach, reach))
        top, bottom = (min(max((int(rows[0]) >> 8) + by, 0), self.size) for by in (-reach, reach))
        here_across, here_down = (units[top:bottom, left:right] for units in self._face_units)
        u = (here_across - int(x * UNIT)) * 256 // int(across * UNIT)
        v = (here_down - int(y * UNIT)) * 256 // int(down * UNIT)
        height = np.maximum(256 - (u * u + v * v) // 256, 0)
        return Mask(top, left, (height * height * 255 >> 16).astype(np.uint16))

    def paint(self, mask: Mask, colour, strength: float = 1.0, clip: Mask | None = None) -> None:
        """Blend a colour, a `Ramp` or another picture over the mask, inside `clip` if given."""
        if clip is not None:
            mask = both(mask, clip)
        rows, columns = mask.window
        cover = mask.cover
        if not cover.size:
            return
        if strength < 1:
            cover = cover * np.uint16(int(strength * 256)) >> 8
        if isinstance(colour, Ramp):
            colour = self._gradient(colour, rows, columns)
        elif isinstance(colour, np.ndarray):
            colour = colour[:, rows, columns]
        else:
            colour = np.array(colour, np.uint16)[:, None, None]
        total = self.pixels[:, rows, columns] * (255 - cover)
        total += colour * cover
        total += np.uint16(128)
        total += total >> np.uint16(8)  # with the next shift: divided by 255 and rounded
        self.pixels[:, rows, columns] = total >> np.uint16(8)

    def fill(self, shapes, colour, strength: float = 1.0, clip: Mask | None = None) -> Mask:
        """Paint one shape or a list of shapes; returns what they cover."""
        shapes = [shapes] if isinstance(shapes, np.ndarray) else shapes
        mask = self.mask(*shapes)
        self.paint(mask, colour, strength, clip)
        return mask

    def rimmed(self, shapes, colour, line: tuple, width: float = 0.8) -> Mask:
        """Paint shapes with a thin line around their union; returns what they cover without it."""
        shapes = [shapes] if isinstance(shapes, np.ndarray) else shapes
        self.fill([grown(shape, width) for shape in shapes], line)
        return self.fill(shapes, colour)

    def _gradient(self, ramp: Ramp, rows: slice, columns: slice) -> np.ndarray:
        start, end = int(ramp.start * UNIT), int(ramp.end * UNIT)
        share = _within((self._face_units[1][rows, columns] - start) * 256 // (end - start), 0, 256)
        top, bottom = (np.array(c, np.int32)[:, None, None] for c in (ramp.top, ramp.bottom))
        return ((top * 256 + (bottom - top) * share + 128) >> 8).astype(np.uint16)

    @cached_property
    def _face_units(self) -> tuple[np.ndarray, np.ndarray]:
        frame = self.frame
        cosine = int(frame.cosine / frame.scale * 65536)
        sine = int(frame.sine / frame.scale * 65536)
        pixel = np.arange(self.size, dtype=np.int64) * UNIT + UNIT // 2
        x, y = (pixel - int(frame.x * UNIT))[None, :], (pixel - int(frame.y * UNIT))[:, None]
        return (
            ((x * cosine + y * sine) >> 16).astype(np.int32),
            ((y * cosine - x * sine) >> 16).astype(np.int32),
        )


def both(first: Mask, second: Mask) -> Mask:
    """Where two masks overlap."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    bottom = min(first.top + first.cover.shape[0], second.top + second.cover.shape[0])
    right = min(first.left + first.cover.shape[1], second.left + second.cover.shape[1])
    if bottom <= top or right <= left:
        return Mask(0, 0, np.zeros((0, 0), np.uint16))
    one = first.cover[top - first.top : bottom - first.top, left - first.left : right - first.left]
    two = second.cover[top - second.top : bottom - second.top, left - second.left : right - second.left]
    return Mask(top, left, one * two // 255)


def without(first: Mask, second: Mask) -> Mask:
    """The first mask where the second does not cover it."""
    cover = first.cover.copy()
    common = both(first, second)
    rows = slice(common.top - first.top, common.top - first.top + common.cover.shape[0])
    columns = slice(common.left - first.left, common.left - first.left + common.cover.shape[1])
    cover[rows, columns] -= common.cover
    return Mask(first.top, first.left, cover)


def _coverage(x0, y0, x1, y1, turns, size: int) -> Mask:
    """Fill outlines with soft borders; their edges go from (x0, y0) to (x1, y1), in 1/256 pixel.

    Every edge meets sample lines; at each meeting the coverage steps up or down, part of the step in
    the pixel it falls into and the rest in the next. A running sum along the row then gives the area.
    An edge with `turns` = -1 counts as if it ran the other way.
    """
    near = int(np.minimum.reduce(x0)) >> 8, int(np.minimum.reduce(y0)) >> 8
    far = (int(np.maximum.reduce(x0)) >> 8) + 1, (int(np.maximum.reduce(y0)) >> 8) + 1
    left, top = max(near[0], 0), max(near[1], 0)
    right, bottom = min(far[0], size), min(far[1], size)
    if right <= left or bottom <= top:
        return Mask(0, 0, np.zeros((0, 0), np.uint16))
    falls = y1 - y0
    first, last = (np.minimum(y0, y1) + 31) >> 6, (np.maximum(y0, y1) + 31) >> 6  # line n is at 64 n + 32
    if near[1] < 0 or far[1] > size:
        first, last = (_within(line, top * LINES, bottom * LINES) for line in (first, last))
    meetings = last - first
    edge = np.arange(len(x0)).repeat(meetings)
    line = np.arange(len(edge)) + (first + meetings - meetings.cumsum())[edge]
    x = x0[edge] + ((line << 6) + 32 - y0[edge]) * (x1 - x0)[edge] // falls[edge]
    if near[0] < 0 or far[0] > size:
        x = _within(x, left * 256, right * 256)
    x -= left * 256
    sign = (np.sign(falls) if turns is None else np.sign(falls) * turns)[edge]
    part = (x & 255) * sign
    width = right - left + 2
    cell = ((line >> 2) - top) * width + (x >> 8)
    total = (bottom - top) * width
    change = np.bincount(cell, sign * 256 - part, total) + np.bincount(cell + 1, part, total)
    # These are floats, but all of them small multiples of 1/1024, which are exact.
    area = np.abs(change.reshape(-1, width).cumsum(axis=1)[:, : right - left])
    area = np.minimum(area, 256 * LINES) * (255 / (256 * LINES))
    return Mask(top, left, area.astype(np.uint16))


def _within(values: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.minimum(np.maximum(values, low), high)  # np.clip says the same, more slowly
