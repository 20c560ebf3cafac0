"""A small rasteriser: fills shapes with antialiased edges, colours and gradients, in integer arithmetic.

The faces must be the same to the last byte on every computer, so no rounding may depend on the platform.
Curves use only +, -, *, / and square roots, whose results IEEE 754 defines exactly; corners are then
rounded to 1/256 of a pixel; everything after that (coverage, gradients, blending) is computed in integers.

Shapes are float arrays [points, 2] in face units: x to the right, y down, (0, 0) between the eyes; the
picture is 96 units wide. A `Frame` says where the face lies in the picture.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from animegan.drawing.outlines import expand

SCANLINES = 4  # per row of pixels; along a scanline the coverage is exact
UNIT = 16  # gradients are computed in 1/16 of a face unit


class Gradient(NamedTuple):
    """A vertical gradient: `top` above y = `start`, `bottom` below y = `end` (face units)."""

    top: tuple
    bottom: tuple
    start: float
    end: float


class Mask(NamedTuple):
    """How much of each pixel is covered (uint16, 0..255) inside a window of the picture."""

    top: int
    left: int
    coverage: np.ndarray

    @property
    def window(self) -> tuple[slice, slice]:
        rows, columns = self.coverage.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


class Frame(NamedTuple):
    """From face units to pixels: rotate by (`cosine`, `sine`), scale by `scale`, move to (`x`, `y`)."""

    x: float
    y: float
    scale: float
    cosine: float
    sine: float

    def to_pixels(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel columns and rows of the points, as integers in 1/256 of a pixel."""
        across, down = points[:, 0], points[:, 1]
        x = self.x + self.scale * (self.cosine * across - self.sine * down)
        y = self.y + self.scale * (self.sine * across + self.cosine * down)
        return np.rint(x * 256).astype(np.int64), np.rint(y * 256).astype(np.int64)


# ---------------------------------------------------------------- picture


class Canvas:
    """A picture (uint16, [3, size, size], 0..255), and the frame of the shapes that are drawn on it."""

    def __init__(self, size: int, frame: Frame, pixels: np.ndarray | None = None) -> None:
        self.size = size
        self.frame = frame
        self.pixels = np.zeros((3, size, size), np.uint16) if pixels is None else pixels

    def mask(self, *shapes: np.ndarray) -> Mask:
        """The pixels covered by any of the closed shapes."""
        x, y = self.frame.to_pixels(np.concatenate(shapes))
        sizes = np.array([len(shape) for shape in shapes])
        starts = sizes.cumsum() - sizes
        next_corner = np.arange(1, len(x) + 1)
        next_corner[starts + sizes - 1] = starts
        # All outlines are counted in the same orientation, so that overlaps add up instead of cancelling.
        orientation = np.sign(np.add.reduceat(x * y[next_corner] - x[next_corner] * y, starts)).repeat(sizes)
        return _rasterise(x, y, x[next_corner], y[next_corner], orientation, self.size)

    def glow(self, x: float, y: float, across: float, down: float) -> Mask:
        """A soft elliptical spot with half axes `across` and `down`: opaque at its centre, transparent at its edge."""
        columns, rows = self.frame.to_pixels(np.array([(x, y)]))
        reach = int(max(across, down) * self.frame.scale) + 2
        spots = (int(columns[0]) >> 8, int(rows[0]) >> 8)
        left, top, right, bottom = (min(max(at + by, 0), self.size) for by in (-reach, reach) for at in spots)
        units_x, units_y = (units[top:bottom, left:right] for units in self._face_units)
        u = (units_x - int(x * UNIT)) * 256 // int(across * UNIT)
        v = (units_y - int(y * UNIT)) * 256 // int(down * UNIT)
        height = np.maximum(256 - (u * u + v * v) // 256, 0)
        return Mask(top, left, (height * height * 255 >> 16).astype(np.uint16))

    def paint(self, mask: Mask, colour, opacity: float = 1.0, clip: Mask | None = None) -> None:
        """Blend a colour, a `Gradient` or another picture over the mask, inside `clip` if given. opacity: 0 to 1."""
        if clip is not None:
            mask = intersect(mask, clip)
        rows, columns = mask.window
        alpha = mask.coverage
        if not alpha.size:
            return
        if opacity < 1:
            alpha = alpha * np.uint16(int(opacity * 256)) >> 8
        if isinstance(colour, Gradient):
            colour = self._gradient(colour, rows, columns)
        elif isinstance(colour, np.ndarray):
            colour = colour[:, rows, columns]
        else:
            colour = np.array(colour, np.uint16)[:, None, None]
        total = self.pixels[:, rows, columns] * (255 - alpha)
        total += colour * alpha
        total += np.uint16(128)
        total += total >> np.uint16(8)  # with the next shift: divided by 255 and rounded
        self.pixels[:, rows, columns] = total >> np.uint16(8)

    def fill(self, shapes, colour, opacity: float = 1.0, clip: Mask | None = None) -> Mask:
        """Paint one shape or a list of shapes; returns the mask of what they cover."""
        shapes = [shapes] if isinstance(shapes, np.ndarray) else shapes
        mask = self.mask(*shapes)
        self.paint(mask, colour, opacity, clip)
        return mask

    def outlined(self, shapes, colour, line: tuple, width: float = 0.8) -> Mask:
        """Paint shapes with a thin line around their union; returns the mask of the shapes without the line."""
        shapes = [shapes] if isinstance(shapes, np.ndarray) else shapes
        self.fill([expand(shape, width) for shape in shapes], line)
        return self.fill(shapes, colour)

    def _gradient(self, gradient: Gradient, rows: slice, columns: slice) -> np.ndarray:
        start, end = int(gradient.start * UNIT), int(gradient.end * UNIT)
        share = _clamp((self._face_units[1][rows, columns] - start) * 256 // (end - start), 0, 256)
        top, bottom = (np.array(c, np.int32)[:, None, None] for c in (gradient.top, gradient.bottom))
        return ((top * 256 + (bottom - top) * share + 128) >> 8).astype(np.uint16)

    @cached_property
    def _face_units(self) -> tuple[np.ndarray, np.ndarray]:
        frame = self.frame
        cosine = int(frame.cosine / frame.scale * 65536)
        sine = int(frame.sine / frame.scale * 65536)
        pixel = np.arange(self.size, dtype=np.int64) * UNIT + UNIT // 2
        x, y = (pixel - int(frame.x * UNIT))[None, :], (pixel - int(frame.y * UNIT))[:, None]
        return ((x * cosine + y * sine) >> 16).astype(np.int32), ((y * cosine - x * sine) >> 16).astype(np.int32)


def intersect(first: Mask, second: Mask) -> Mask:
    """The part that both masks cover."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    bottom, right = (min(one.stop, two.stop) for one, two in zip(first.window, second.window, strict=True))
    if bottom <= top or right <= left:
        return Mask(0, 0, np.zeros((0, 0), np.uint16))
    one, two = (
        mask.coverage[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left]
        for mask in (first, second)
    )
    return Mask(top, left, one * two // 255)


def subtract(first: Mask, second: Mask) -> Mask:
    """The part of the first mask that the second does not cover."""
    coverage = first.coverage.copy()
    common = intersect(first, second)
    inside = common._replace(top=common.top - first.top, left=common.left - first.left)
    coverage[inside.window] -= common.coverage
    return Mask(first.top, first.left, coverage)


def _rasterise(x0, y0, x1, y1, orientation, size: int) -> Mask:
    """The coverage of closed outlines, whose edges go from (x0, y0) to (x1, y1), in 1/256 of a pixel.

    Wherever an edge crosses a scanline the coverage steps up or down: partly in the pixel of the crossing,
    the rest in the next pixel. The cumulative sum along the row is the covered area. An edge with an
    `orientation` of -1 counts as if it ran the other way.
    """
    low = int(np.minimum.reduce(x0)) >> 8, int(np.minimum.reduce(y0)) >> 8
    high = (int(np.maximum.reduce(x0)) >> 8) + 1, (int(np.maximum.reduce(y0)) >> 8) + 1
    left, top = max(low[0], 0), max(low[1], 0)
    right, bottom = min(high[0], size), min(high[1], size)
    if right <= left or bottom <= top:
        return Mask(0, 0, np.zeros((0, 0), np.uint16))
    heights = y1 - y0
    first, last = (np.minimum(y0, y1) + 31) >> 6, (np.maximum(y0, y1) + 31) >> 6  # scanline n is at y = 64 n + 32
    if low[1] < 0 or high[1] > size:
        first, last = (_clamp(line, top * SCANLINES, bottom * SCANLINES) for line in (first, last))
    crossings = last - first
    edge = np.arange(len(x0)).repeat(crossings)
    line = np.arange(len(edge)) + (first + crossings - crossings.cumsum())[edge]
    x = x0[edge] + ((line << 6) + 32 - y0[edge]) * (x1 - x0)[edge] // heights[edge]
    if low[0] < 0 or high[0] > size:
        x = _clamp(x, left * 256, right * 256)
    x -= left * 256
    sign = (np.sign(heights) * orientation)[edge]
    part = (x & 255) * sign
    width = right - left + 2
    cell = ((line >> 2) - top) * width + (x >> 8)
    total = (bottom - top) * width
    change = np.bincount(cell, sign * 256 - part, total) + np.bincount(cell + 1, part, total)
    # These are floats, but exact: all are small multiples of 1/1024.
    area = np.abs(change.reshape(-1, width).cumsum(axis=1)[:, : right - left])
    area = np.minimum(area, 256 * SCANLINES) * (255 / (256 * SCANLINES))
    return Mask(top, left, area.astype(np.uint16))


def _clamp(values: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.minimum(np.maximum(values, low), high)  # np.clip does the same, but more slowly
