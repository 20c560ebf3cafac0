"""The built-in data set: anime faces, drawn from attributes and a seed.

    from dataclasses import replace
    from animegan.drawing import Face, draw

    face = Face.random(seed=0, index=5)
    draw(replace(face, fringe="curtain", eyes="smiling"), size=384).show()

Every pixel is computed by this code, so the pictures are free for any use (CC0, see LICENSE), and the same
seed gives the same pixels on every computer. `sketch` has what the parts of a face share; `features`, `hair`,
`fringe`, `clothes` and `scene` draw the parts; `outlines` makes their shapes, and `canvas` fills them.
"""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from animegan.drawing import clothes, features, fringe, hair, scene
from animegan.drawing.canvas import Canvas, Frame
from animegan.drawing.face import Face
from animegan.drawing.sketch import Sketch
from animegan.errors import UserError


def draw(face: Face, size: int = 96) -> Image.Image:
    """Draw a face as an RGB picture of `size` x `size` pixels (16 to 2048); all lines scale with the size.

    Raises UserError for another size.
    """
    if not isinstance(size, int) or not 16 <= size <= 2048:
        raise UserError(f"size must be a whole number of pixels from 16 to 2048, not {size!r}")
    unit = size / 96
    head, body = _frames(face, unit)
    canvas = Canvas(size, head)
    sketch = Sketch(face, canvas, Canvas(size, body, canvas.pixels))
    front, notches = fringe.fringe_shapes(sketch)

    scene.draw_background(sketch, Canvas(size, Frame(size / 2, size / 2, unit, 1.0, 0.0), canvas.pixels))
    hair.draw_back_hair(sketch)
    features.draw_neck(sketch)
    clothes.draw_collar(sketch)
    hair.draw_front_tails(sketch)
    features.draw_ears(sketch)
    skin = features.draw_face(sketch)
    fringe.draw_shadow(sketch, front, skin)
    features.draw_blush(sketch, skin)
    features.draw_nose(sketch)
    features.draw_mouth(sketch)
    brows = features.draw_brows(sketch)
    eyes = features.draw_eyes(sketch)
    bare = canvas.pixels.copy()
    scene.draw_cat_ears(sketch)
    fringe.draw_front_hair(sketch, front, notches)
    # Eyes and brows show through the hair, as is usual in this style: no fringe hides the expression.
    canvas.paint(eyes, bare, 0.8)
    canvas.paint(brows, bare, 0.4)
    scene.draw_accessory(sketch)
    return Image.fromarray(np.ascontiguousarray(canvas.pixels.astype(np.uint8).transpose(1, 2, 0)))


def comic_page(seed: int = 0, index: int = 0, faces: int = 2) -> tuple[Image.Image, list[tuple[int, int, int]]]:
    """A comic page for trying out face detectors: six panels on 720 x 960 pixels, `faces` (0 to 6) of them with a face.

    Returns the page, and for each face the square that it was drawn in: (left, top, side) in pixels, panel by
    panel. The same seed and index give the same pixels. Raises UserError for another number of faces.
    """
    if not 0 <= faces <= 6:
        raise UserError(f"{faces} faces do not fit on a page of 6 panels: give 0 to 6.")
    rng = random.Random(f"comic {seed} {index}")
    with_face, boxes = set(rng.sample(range(6), faces)), []
    page = Image.new("RGB", (720, 960), "white")
    for row in range(3):
        gutter = rng.randint(320, 400)
        for column, (left, right) in enumerate(((16, gutter - 8), (gutter + 8, 704))):
            top, size = 16 + 312 * row, (right - left, 296)
            panel = _bokeh(rng, size)
            if (number := 2 * row + column) in with_face:
                side = rng.randint(150, min(size))
                x, y = (rng.randint(0, whole - side) for whole in size)
                panel.paste(draw(Face.random(seed, 6 * index + number), side), (x, y))
                boxes.append((left + x, top + y, side))
            page.paste(panel, (left, top))
            ImageDraw.Draw(page).rectangle((left, top, right, top + 296), outline="black", width=3)
    return page, boxes


def _bokeh(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """Round lights on one colour, like lights out of focus."""
    shade = tuple(rng.randint(140, 220) for _ in range(3))
    panel = Image.new("RGB", size, shade)
    for _ in range(9):
        x, y, radius = rng.randint(0, size[0]), rng.randint(0, size[1]), rng.randint(8, 50)
        lighter = tuple(part + rng.randint(8, 30) for part in shade)
        ImageDraw.Draw(panel).ellipse((x - radius, y - radius, x + radius, y + radius), fill=lighter)
    return panel


def _frames(face: Face, unit: float) -> tuple[Frame, Frame]:
    """The frames of head and body. Both turn about the same point of the neck; the body is tilted less."""
    scale, neck = 1.16 * unit * face.scale, 22.0
    x, y = unit * (48 + face.shift_x - 1.5 * face.turn), unit * (47.5 + face.shift_y)
    cosine, sine = _direction(face.tilt)
    body_cosine, body_sine = _direction(0.3 * face.tilt)
    body_x = x + scale * neck * (body_sine - sine)
    body_y = y + scale * neck * (cosine - body_cosine)
    return Frame(x, y, scale, cosine, sine), Frame(body_x, body_y, scale, body_cosine, body_sine)


def _direction(degrees: float) -> tuple[float, float]:
    # Rounded, because the last bit of a sine differs between systems.
    return round(math.cos(math.radians(degrees)), 6), round(math.sin(math.radians(degrees)), 6)
