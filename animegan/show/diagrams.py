"""Diagrams that explain: the game, both networks to scale, and what three figures measure."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from animegan.drawing import Face, draw
from animegan.models import NetD, NetG
from animegan.shapes import LayerShape, shape_table
from animegan.show.figures import BLUE, FADED, INK, ORANGE, PAPER, RULE, SMALL, new_figure, to_picture
from animegan.show.pictures import Picture

TEXT = SMALL + 3  # points: these are read from the third row of a classroom
THIN = 0.18  # length of one channel in the drawing of a layer, in pixels of the picture
SLANT = 0.35  # how far the side of a box runs to the right and up


def game_diagram(fake: Image.Image, real: Image.Image | None = None) -> Picture:
    """Who sees what, and who learns from what: z -> NetG -> fake; fake and real -> NetD -> verdict.

    fake: a face of NetG, to be shown in it. real: a training image; by default a face is drawn.
    """
    figure, panel = _canvas((11, 4.9), (0, 108), (0, 51))
    for place, number in enumerate(np.random.default_rng(4).normal(size=12)):
        panel.add_patch(_box(4, 26 + 0.9 * place, 2.4, 0.9, colour=_grey(number), edge=PAPER))
    _words(panel, 5.2, 40, "z", "100 random numbers")
    _face(panel, fake, 40, 25)
    _words(panel, 46, 40, "fake")
    _face(panel, real or draw(Face.random(seed=0, index=7)), 40, 3)
    _words(panel, 46, 18, "real", "a training image")
    for left, name, colour in ((16, "NetG", ORANGE), (66, "NetD", BLUE)):
        bottom = 26 if name == "NetG" else 15
        panel.add_patch(_box(left, bottom, 15, 11, colour=colour, edge=colour))
        panel.text(left + 7.5, bottom + 5.5, name, ha="center", va="center", color=PAPER, fontsize=TEXT + 3)
    for start, end in (((8, 31.5), (15.5, 31.5)), ((31.5, 31.5), (39.5, 31.5)), ((81.5, 20.5), (88, 20.5))):
        _arrow(panel, start, end)
    _arrow(panel, (53, 31), (65.5, 23.5))
    _arrow(panel, (53, 9), (65.5, 17.5))
    _words(panel, 98, 22, "verdict", "real: 1, fake: 0")
    _arrow(panel, (98, 17), (73.5, 14.5), BLUE, bend=-0.35)
    panel.text(89, 7.5, "NetD learns:\nreal is 1, fake is 0", ha="center", color=BLUE, fontsize=TEXT, va="top")
    _arrow(panel, (98, 28), (23.5, 37.5), ORANGE, bend=0.3)
    panel.text(
        85, 46.5, "NetG learns:\nmake NetD say 1 for the fake", ha="center", va="center", color=ORANGE, fontsize=TEXT
    )
    return to_picture(figure)


def networks_diagram(netG: NetG, netD: NetD) -> Picture:
    """Every layer's output of both networks as a box, to scale: its height and width in pixels, its length in channels.

    The shapes come from running the networks.
    """
    figure, panel = _canvas((11, 7), (-14, 392), (-38, 240))
    up, down = shape_table(netG), shape_table(netD)
    _row(panel, 170, "NetG", ORANGE, netG.input_shape, up)
    _row(panel, 44, "NetD", BLUE, netD.input_shape, down)
    return to_picture(figure)


def swd_diagram() -> Picture:
    """The sliced Wasserstein distance along one direction: project both sets, sort both, compare neighbours."""
    reals, fakes = _clouds(12)
    direction = np.array([np.cos(0.5), np.sin(0.5)])
    figure, (left, right) = new_figure((11, 3.8), 1, 2)
    for points, colour, label in ((reals, FADED, "real"), (fakes, BLUE, "fake")):
        on_line = np.outer(points @ direction, direction)
        left.plot(*np.stack([points, on_line], axis=2).transpose(1, 2, 0), color=colour, lw=0.6, alpha=0.6)
        left.plot(*points.T, "o", color=colour, ms=7, label=label)
        left.plot(*on_line.T, "|", color=colour, ms=12, mew=2)
    left.plot(*np.outer((-3.4, 4.2), direction).T, color=INK, lw=1)
    left.set_title("1  project all points on one direction", fontsize=TEXT, loc="left", color=INK)
    left.legend(frameon=False, fontsize=TEXT, loc="upper left")
    one, two = np.sort(reals @ direction), np.sort(fakes @ direction)
    places = np.arange(len(one))
    right.vlines(places, one, two, color=ORANGE, lw=5, alpha=0.45)
    right.plot(places, one, "o", color=FADED, ms=7)
    right.plot(places, two, "o", color=BLUE, ms=7)
    mean = np.abs(one - two).mean()
    right.set_title(f"2  sort both, 3  mean difference: {mean:.2f}", fontsize=TEXT, loc="left", color=INK)
    _bare(left, right)
    left.set_aspect("equal", adjustable="datalim")
    return to_picture(figure)


def precision_recall_diagram() -> Picture:
    """Precision: the share of fakes inside a circle around a real face; recall: the other way round."""
    reals, fakes = _clouds(14, spread=0.55)
    figure, panels = new_figure((11, 3.9), 1, 2, sharex=True, sharey=True)
    for panel, (name, inner, outer, kind) in zip(
        panels, (("precision", fakes, reals, "fakes"), ("recall", reals, fakes, "reals")), strict=True
    ):
        around, colour = (FADED, BLUE) if name == "precision" else (BLUE, FADED)
        radii = np.sort(np.linalg.norm(outer[:, None] - outer, axis=2))[:, 3]  # to the third neighbour
        is_inside = (np.linalg.norm(inner[:, None] - outer, axis=2) <= radii).any(axis=1)
        for point, radius in zip(outer, radii, strict=True):
            panel.add_patch(_circle(point, radius, around))
        panel.plot(*outer.T, "o", color=around, ms=6)
        panel.plot(*inner[is_inside].T, "o", color=colour, ms=8, mec=INK)
        panel.plot(*inner[~is_inside].T, "X", color=ORANGE, ms=10, mec=INK)
        title = f"{name}: {is_inside.sum()} of {len(inner)} {kind} lie in a circle"
        panel.set_title(title, fontsize=TEXT, loc="left", color=INK)
        panel.set_aspect("equal")
    _bare(*panels)
    return to_picture(figure)


def fid_diagram() -> Picture:
    """FID: an ellipse (mean and covariance) around each set; the distance counts their centres and their shapes."""
    reals, fakes = _clouds(60, spread=0.55)
    figure, panel = new_figure((7, 4))
    for points, colour, label in ((reals, FADED, "real"), (fakes, BLUE, "fake")):
        panel.plot(*points.T, "o", color=colour, ms=4, alpha=0.6)
        turn = np.linspace(0, 2 * np.pi, 100)
        values, axes = np.linalg.eigh(np.cov(points.T))
        edge = points.mean(0) + 2 * (np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.sqrt(values)) @ axes.T
        panel.plot(*edge.T, color=colour, lw=2.5, label=label)
    _arrow(panel, reals.mean(0), fakes.mean(0), ORANGE)
    panel.set_title(
        "how far apart are the centres, and how different the shapes?", fontsize=TEXT, loc="left", color=INK
    )
    panel.legend(frameon=False, fontsize=TEXT, loc="upper left")
    panel.set_aspect("equal")
    _bare(panel)
    return to_picture(figure)


def _clouds(count: int, spread: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Made-up features in two dimensions, [count, 2] each: reals, and fakes that vary less and lie beside them."""
    random = np.random.default_rng(11)
    reals, fakes = random.normal(size=(2, count, 2))
    return reals * (1.5, 0.8), fakes * (1.5, 0.8) * spread + (0.9, 0.3)


def _row(panel, middle: float, name: str, colour: str, given: Sequence[int], rows: Sequence[LayerShape]) -> None:
    """One network: a box for what goes in and for what each layer makes, and an arrow for each layer."""
    x = 6.0
    panel.text(-8, middle, name, rotation=90, ha="center", va="center", color=colour, fontsize=TEXT + 3)
    for place, (channels, height, width) in enumerate([given, *(row.output for row in rows)]):
        length, height_drawn, slant = max(channels * THIN, 2), max(height, 3), SLANT * max(width, 3)
        bottom, right = middle - (height_drawn + slant) / 2, x + length
        upper = bottom + height_drawn
        front = [(x, bottom), (right, bottom), (right, upper), (x, upper)]
        top = [(x, upper), (right, upper), (right + slant, upper + slant), (x + slant, upper + slant)]
        side = [(right, bottom), (right, upper), (right + slant, upper + slant), (right + slant, bottom + slant)]
        for corners, alpha in ((front, 0.75), (top, 0.35), (side, 0.5)):
            panel.add_patch(_polygon(corners, colour, alpha))
        label = f"{channels}\n{height}x{width}" if height > 1 else f"{channels}"
        panel.text(x + (length + slant) / 2, bottom - 5, label, ha="center", va="top", color=INK, fontsize=TEXT - 1)
        end = x + length + slant
        if place < len(rows):
            layer = rows[place]
            _arrow(panel, (end + 3, middle), (end + 21, middle), FADED)
            kernel = f"k{layer.kernel}\ns{layer.stride}"
            panel.text(end + 12, middle + 4, kernel, ha="center", va="bottom", color=FADED, fontsize=TEXT - 2)
        x = end + 24


def _canvas(inches: tuple[float, float], across: tuple[float, float], up: tuple[float, float]):
    figure, panel = new_figure(inches)
    panel.set(xlim=across, ylim=up, aspect="equal")
    panel.axis("off")
    return figure, panel


def _bare(*panels) -> None:
    for panel in panels:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_color(RULE)


def _words(panel, x: float, y: float, title: str, more: str = "") -> None:
    panel.text(x, y, title, ha="center", va="bottom", color=INK, fontsize=TEXT + 2)
    panel.text(x, y - 0.4, more, ha="center", va="top", color=FADED, fontsize=TEXT - 2)


def _face(panel, face: Image.Image, left: float, bottom: float, side: float = 12.5) -> None:
    panel.imshow(face, extent=(left, left + side, bottom, bottom + side), interpolation="lanczos", zorder=2)


def _arrow(panel, start, end, colour: str = INK, bend: float = 0.0) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 2, "connectionstyle": f"arc3,rad={bend}", "mutation_scale": 16}
    panel.annotate("", end, start, arrowprops=style)


def _grey(number: float) -> str:
    return str(float(np.clip(0.5 + 0.25 * number, 0, 1)))


def _box(left: float, bottom: float, width: float, height: float, colour: str, edge: str):
    from matplotlib.patches import Rectangle

    return Rectangle((left, bottom), width, height, facecolor=colour, edgecolor=edge)


def _circle(centre, radius: float, colour: str):
    from matplotlib.patches import Circle

    return Circle(centre, radius, facecolor=colour, alpha=0.12, edgecolor=colour)


def _polygon(corners, colour: str, alpha: float):
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Polygon

    shade = tuple(alpha * part + 1 - alpha for part in to_rgb(colour))
    return Polygon(corners, facecolor=shade, edgecolor=PAPER, lw=0.8)
