"""Backgrounds, and the accessories worn on the head."""

import numpy as np

from animegan.drawing.canvas import Canvas, Gradient
from animegan.drawing.outlines import arc, curve, mirror, moved, oval, path, ribbon, symmetric
from animegan.drawing.palette import hsv, mix
from animegan.drawing.sketch import Sketch, uniform

BACKGROUNDS = ("plain", "gradient", "stripes", "dots", "bokeh", "checks", "rays", "halves")
ACCESSORIES = (
    "none", "ribbon", "two ribbons", "hairpin", "flower", "headband", "glasses", "cat ears", "headphones",
    "hat",
)  # fmt: skip


# ---------------------------------------------------------------- background


def draw_background(sketch: Sketch, canvas: Canvas) -> None:
    """Draw the background. `canvas` has an upright frame, in which the picture is (-48, -48) to (48, 48)."""
    face, rng = sketch.face, sketch.rng("background")
    hue, saturation, value = face.background_hue, face.background_saturation, face.background_value
    first = hsv(hue, saturation, value)
    second = hsv(hue + 0.06, saturation * 0.55, value + 0.12)
    canvas.pixels[:] = np.array(first, np.uint16)[:, None, None]
    everything = path((-60, -60), (60, -60), (60, 60), (-60, 60))
    kind = face.background
    if kind == "gradient":
        canvas.fill(everything, Gradient(second, hsv(hue - 0.05, saturation, value * 0.86), -48, 48))
    elif kind == "bokeh":
        canvas.fill(everything, Gradient(first, mix(first, second, 0.7), -48, 48))
        for _ in range(6):
            size = uniform(rng, 6, 13)
            canvas.fill(oval(uniform(rng, -48, 48), uniform(rng, -48, 48), size, size), second, 0.55)
    elif kind != "plain":
        canvas.fill(_pattern(kind, rng), second, 0.8)


def _pattern(kind: str, rng) -> list[np.ndarray]:
    if kind == "stripes":
        lean = uniform(rng, -30, 30)
        return [path((x, -50), (x + 7, -50), (x + 7 - lean, 50), (x - lean, 50)) for x in range(-84, 84, 14)]
    if kind == "dots":
        size = uniform(rng, 2.4, 4.0)
        return [oval(x + 6 * (y % 2), y * 11 - 46, size, size) for y in range(9) for x in range(-54, 54, 12)]
    if kind == "checks":
        corners = [(x, y * 12 - 48) for y in range(8) for x in range(12 * (y % 2) - 48, 48, 24)]
        return [path((x, y), (x + 12, y), (x + 12, y + 12), (x, y + 12)) for x, y in corners]
    if kind == "rays":
        rim = [(x, -70) for x in range(-70, 70, 20)] + [(70, y) for y in range(-70, 70, 20)]
        rim += [(-x, -y) for x, y in rim]
        return [path((0, 0), rim[i], rim[i + 1]) for i in range(0, len(rim) - 1, 2)]
    y = uniform(rng, -25, 25)  # halves
    return [path((-50, y), (50, -y), (50, 50), (-50, 50))]


# ---------------------------------------------------------------- accessories


def draw_cat_ears(sketch: Sketch) -> None:
    """Draw cat ears; they grow out of the hair, so they are drawn before it."""
    if sketch.face.accessory != "cat ears":
        return
    head, colours = sketch.head, sketch.colours
    ear = path(arc((-33, -16), (-31, -46), 0.08), arc((-31, -46), (-8, -40), 0.12))
    back = (sketch.behind, 0)
    fur = Gradient(colours.hair, colours.hair_dark, -48, -26)
    head.outlined([ear + back, mirror(ear) + back], fur, colours.hair_line)
    inner = path(arc((-29.5, -22), (-29, -40.5), 0.08), arc((-29, -40.5), (-14, -36), 0.12))
    head.fill([inner + back, mirror(inner) + back], (255, 186, 192))


def draw_accessory(sketch: Sketch) -> None:
    """Draw whatever is worn over the hair."""
    kind, head, colours, side = sketch.face.accessory, sketch.head, sketch.colours, sketch.side
    bright = Gradient(colours.extra_light, colours.extra, -40, -22)
    if kind == "ribbon":
        _draw_ribbon(sketch, side * 23.0, -31.0)
    elif kind == "two ribbons":
        _draw_ribbon(sketch, -23.0, -31.0)
        _draw_ribbon(sketch, 23.0, -31.0)
    elif kind == "hairpin":
        pins = [ribbon(arc((side * 17, y), (side * 25, y + 1.5)), 2.0) for y in (-26, -22)]
        head.outlined(pins, colours.extra, colours.extra_line, 0.5)
    elif kind == "flower":
        _draw_flower(sketch, side * 23.0, -24.0)
    elif kind == "headband":
        wide = sketch.hair_width
        band = moved(curve(symmetric([(-wide, -12), (-0.86 * wide, -27), (-0.4 * wide, -37)])), sketch.behind, 0)
        head.outlined(ribbon(band, 3.4, 5.4, 3.4), bright, colours.extra_line, 0.6)
    elif kind in ("glasses", "headphones", "hat"):
        {"glasses": _draw_glasses, "headphones": _draw_headphones, "hat": _draw_hat}[kind](sketch)


def _draw_ribbon(sketch: Sketch, x: float, y: float) -> None:
    head, colours = sketch.head, sketch.colours
    loop = curve([(0, 0), (5, -6.5), (11, -6), (10, 4.5), (5, 3.6)], True)
    end = path((0, 0), (7.5, 9), (2.6, 9.5))
    head.outlined([moved(end, x, y), moved(mirror(end), x, y)], colours.extra_dark, colours.extra_line, 0.6)
    silk = Gradient(colours.extra_light, colours.extra, y - 8, y + 3)
    head.outlined([moved(loop, x, y), moved(mirror(loop), x, y)], silk, colours.extra_line, 0.6)
    head.outlined(oval(x, y - 0.4, 2.4, 2.8), colours.extra, colours.extra_line, 0.5)


def _draw_flower(sketch: Sketch, x: float, y: float) -> None:
    head, colours = sketch.head, sketch.colours
    around = ((0, -4.6), (4.4, -1.4), (2.8, 3.7), (-2.8, 3.7), (-4.4, -1.4))
    petals = [oval(x + right, y + down, 3.9, 3.9) for right, down in around]
    head.outlined(petals, Gradient(colours.extra_light, colours.extra, y - 7, y + 8), colours.extra_line, 0.6)
    head.fill(oval(x, y, 2.4, 2.4), (255, 224, 110))


def _draw_glasses(sketch: Sketch) -> None:
    head, colours, face = sketch.head, sketch.colours, sketch.face
    lens = curve([(-1, -3), (-0.7, -7.6), (0.7, -7.6), (1, -3), (0.75, 6.6), (0, 8.6), (-0.75, 6.6)], True)
    glint = path((-0.3, -6.5), (0.1, -6.5), (-0.4, 5), (-0.7, 4))
    frame = [ribbon(arc((sketch.across(-4.2), -2), (sketch.across(4.2), -2), 0.2), 1.2)]
    for side in (-1, 1):
        ahead = side * (13.4 + face.eye_distance)
        x, wide = sketch.across(ahead), 9.6 * sketch.squeeze(ahead)
        rim = moved(lens * (wide, 1), x, 0)
        head.fill(rim, (255, 255, 255), 0.14)
        head.fill(moved(glint * (wide, 1), x, 0), (255, 255, 255), 0.3)
        frame.append(ribbon(path(rim, rim[:2]), 1.35))
        if side * x + wide < 24:  # otherwise the rim hides the arm of the glasses
            frame.append(ribbon(arc((x + side * wide, -3), (side * 25 - face.turn, -4)), 1.2))
    head.fill(frame, mix(colours.extra_line, colours.extra, 0.15))


def _draw_headphones(sketch: Sketch) -> None:
    head, colours = sketch.head, sketch.colours
    wide, top, back = sketch.hair_width + 1.4, sketch.hair_top - 2.0, sketch.behind
    band = moved(curve(symmetric([(-wide, -2), (-0.97 * wide, -20), (-0.6 * wide, top + 7)], (0, top))), back, 0)
    head.outlined(ribbon(band, 3.4), colours.extra, colours.extra_line, 0.6)
    cups = [oval(side * wide + back, 0.5, 5.4, 9.4) for side in (-1, 1)]
    head.outlined(cups, Gradient(colours.extra_light, colours.extra, -10, 10), colours.extra_line, 0.7)
    pads = [oval(side * (wide + 2) + back, 0.5, 3.0, 6.2) for side in (-1, 1)]
    head.outlined(pads, colours.extra_dark, colours.extra_line, 0.5)


def _draw_hat(sketch: Sketch) -> None:
    head, colours, back = sketch.head, sketch.colours, (sketch.behind, 0)
    wide = sketch.hair_width + 2.4
    dome = curve(symmetric([(-wide + 1, -26), (-wide + 2, -39), (-0.5 * wide, -51)])) + back
    felt = Gradient(colours.extra_light, colours.extra, -54, -30)
    head.outlined(path(dome, arc(dome[-1], dome[0], 0.12)), felt, colours.extra_line, 0.8)
    brim = curve(symmetric([(-wide - 2, -21), (-wide, -28.5), (-0.5 * wide, -36.5)])) + back
    shaded = Gradient(colours.extra, colours.extra_dark, -38, -24)
    head.outlined(path(brim, arc(brim[-1], brim[0], 0.15)), shaded, colours.extra_line, 0.7)
