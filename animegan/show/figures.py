"""The colours of all pictures, and figures drawn with matplotlib without its global state."""

import warnings
from typing import Any

import numpy as np
from PIL import Image

from animegan.language import language
from animegan.show.pictures import Picture, chinese_font, on_picture

INK, PAPER, FADED, RULE = "#1b1b1f", "#ffffff", "#6b6b76", "#c9c9d1"
# Blue and orange are distinct for every kind of colour blindness (Okabe and Ito 2008), and in grey.
BLUE, ORANGE = "#0072b2", "#d55e00"
ON_PAPER = {"facecolor": PAPER, "edgecolor": "none", "framealpha": 1}  # of a legend that may cover lines
SMALL = 9  # points: titles are one larger
DPI = 160  # twice as fine as a notebook shows it, for slides and high-density screens


def new_figure(inches: tuple[float, float], rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure of this width and height, unknown to pyplot, and its panel or panels, as `Figure.subplots` has them."""
    from matplotlib.figure import Figure

    figure = Figure(inches, dpi=DPI, layout="constrained", facecolor=PAPER)
    return figure, figure.subplots(rows, columns, **options)


def despine(panel, title: str = "", xlabel: str = "") -> None:
    """Remove the parts of a panel's frame that are not needed to read it; write its title and the x axis's label."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(FADED)
    panel.tick_params(colors=INK, labelsize=SMALL)
    panel.grid(axis="y", color=RULE, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.set_title(title, loc="left", fontsize=SMALL + 1, color=INK)
    if xlabel:
        panel.set_xlabel(xlabel, fontsize=SMALL, color=INK)


def to_picture(figure) -> Picture:
    """The figure as a picture, its texts in the student's language if this machine has a font for it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if language() != "en" and chinese_font():
        _translate(figure)
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a folder's name that no installed font can write
        canvas.draw()
    return Picture(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))


def _translate(figure) -> None:
    """Put the texts of a figure, the names at its ticks included, into the student's language."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

    path = chinese_font()
    for text in figure.findobj(Text):
        if (shown := on_picture(text.get_text())) != text.get_text():
            text.set(text=shown, fontproperties=FontProperties(fname=path, size=text.get_fontsize()))
    for axis in (axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if (shown := [on_picture(name) for name in names]) != names:
            axis.set_ticklabels(shown, fontproperties=FontProperties(fname=path, size=SMALL))
