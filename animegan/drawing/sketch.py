"""What all parts of a face share while it is drawn: canvases, colours, the size of the hair, the turn of the head."""

import math
import random

import numpy as np

from animegan.drawing.canvas import Canvas
from animegan.drawing.palette import palette

SKULL = 34.0  # radius of the sphere on which eyes and mouth lie, in face units


class Sketch:
    """A face while it is drawn: the canvas in the frame of the tilted `head`, and in the frame of the `body`.

    `side` (-1 left, 1 right) is the side of whatever a face has on one side only.
    """

    def __init__(self, face, head: Canvas, body: Canvas) -> None:
        self.face = face
        self.head = head
        self.body = body
        self.colours = palette(face)
        self.hair_width = 29.6 + 3.4 * face.hair_volume  # from the middle of the head to one side
        self.hair_top = -42.0 - 5.0 * face.hair_volume  # y of the highest point
        self.side = -1 if face.variation % 2 else 1
        self.behind = -1.4 * face.turn  # how far the back of the head moves when the face turns
        self._sine = 0.2 * face.turn
        self._cosine = math.sqrt(1 - self._sine * self._sine)

    def rng(self, part: str) -> random.Random:
        """Random numbers for the irregularities of one part, independent of all other parts."""
        return random.Random(f"{part}-{self.face.variation}")

    def across(self, x: float) -> float:
        """Where a feature at `x` of a face looking straight ahead lies when the head is turned."""
        return x * self._cosine + math.sqrt(max(SKULL * SKULL - x * x, 0.0)) * self._sine

    def squeeze(self, x: float) -> float:
        """The factor by which a small feature at `x` looks narrower when the head is turned."""
        return self._cosine - x / math.sqrt(max(SKULL * SKULL - x * x, 1.0)) * self._sine

    def turned(self, points) -> np.ndarray:
        """Points of a face looking straight ahead, on the turned head."""
        return np.array([(self.across(x), y) for x, y in points])


def uniform(rng: random.Random, low: float, high: float) -> float:
    """A random number from `low` to `high`; only `.random()` gives the same sequence in every version of Python."""
    return low + (high - low) * rng.random()
