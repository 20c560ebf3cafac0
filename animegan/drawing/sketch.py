"""What all parts of a face share while it is drawn: the canvases, the colours and the turn of the head."""

from __future__ import annotations

import math
import random

import numpy as np

from animegan.drawing.canvas import Canvas
from animegan.drawing.palette import palette

SKULL = 34.0  # radius of the ball on which eyes and mouth sit, in face units


class Sketch:
    """One face on its way: `head` is the canvas in the tilted frame of the head, `body` below it."""

    def __init__(self, face, head: Canvas, body: Canvas) -> None:
        self.face = face
        self.head = head
        self.body = body
        self.colours = palette(face)
        self.behind = -1.4 * face.turn  # how far the back of the head moves when the face turns
        self._sine = 0.2 * face.turn
        self._cosine = math.sqrt(1 - self._sine * self._sine)

    def chance(self, part: str) -> random.Random:
        """Small irregularities of one part; parts do not disturb each other."""
        return random.Random(f"{part}-{self.face.variation}")

    def across(self, x: float) -> float:
        """Where a feature at `x` of the face looking ahead lies once the head is turned."""
        return x * self._cosine + math.sqrt(max(SKULL * SKULL - x * x, 0.0)) * self._sine

    def squeeze(self, x: float) -> float:
        """How wide a small feature at `x` still looks once the head is turned (1 = as ahead)."""
        depth = math.sqrt(max(SKULL * SKULL - x * x, 1.0))
        return self._cosine - x / depth * self._sine

    def turned(self, points) -> np.ndarray:
        """Points of the face looking ahead, on the turned head."""
        return np.array([(self.across(x), y) for x, y in points])


def between(chance: random.Random, low: float, high: float) -> float:
    """A number between two others; only `.random()` is promised to stay the same in every Python."""
    return low + (high - low) * chance.random()
