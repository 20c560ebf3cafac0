"""What the widgets share: a box that stores a picture of itself in the notebook, and the style of its parts."""

import html
import io
from collections.abc import Sequence
from typing import Any

import ipywidgets
from PIL import Image, ImageDraw

from animegan.language import translated
from animegan.show import INK, PAPER, font_for, in_notebook, on_picture

NAME_IN_FULL = {"description_width": "initial"}  # otherwise ipywidgets cuts a description at 80 pixels
CONTROL = {"width": "26em", "max_width": "100%"}  # of a slider
MARGIN = 12  # pixels, in the picture of a box
SENTENCE = "An animegan widget: run this notebook to use it. The picture shows its last state."


class PicturedBox(ipywidgets.VBox):
    """A box of controls whose output also contains a picture, for readers without a kernel: GitHub, nbviewer, HTML."""

    def __init__(self, children: Sequence[ipywidgets.Widget]):
        super().__init__(children, layout={"padding": "0 0.5em"})  # clear of JupyterLab's bar at the left
        translate_names(self)

    def picture(self) -> Image.Image:
        """The current state of the box as one picture."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options)
        # No widget id in the text: it must be the same each time the notebook runs.
        bundle["text/plain"] = SENTENCE
        return {**bundle, **in_notebook(self.picture())}


def translate_names(widget: ipywidgets.Widget) -> None:
    """The descriptions and tooltips of a widget and of all inside it, in the student's language."""
    for name in ("description", "tooltip"):
        if text := getattr(widget, name, ""):
            setattr(widget, name, translated(text))
    for child in getattr(widget, "children", ()):
        translate_names(child)


def row(*children: ipywidgets.Widget) -> ipywidgets.HBox:
    """Widgets side by side; they wrap if the window is narrow or the text large."""
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0.2em 1.5em", overflow="visible")
    return ipywidgets.HBox(children, layout=layout)


def image() -> ipywidgets.Image:
    """An image as wide as its place allows. It cannot have a description: a line of text must say what it shows."""
    return ipywidgets.Image(format="jpeg", layout={"width": "100%", "max_width": "100%", "height": "auto"})


def text(sentence: str = "", bold: bool = False) -> ipywidgets.HTML:
    """A line of text that wraps, in the notebook's font."""
    part = ipywidgets.HTML(layout={"max_width": "100%", "height": "auto"})
    say(part, sentence, bold)
    return part


def say(part: ipywidgets.HTML, sentence: str, bold: bool = False) -> None:
    """Show `sentence` in a line of text; special characters are escaped."""
    weight = "bold" if bold else "normal"
    part.value = f'<span style="line-height: 1.5; font-weight: {weight}">{html.escape(translated(sentence))}</span>'


def jpeg(picture: Image.Image) -> bytes:
    """The bytes sent to the browser: a quarter of a PNG's for a grid, without a visible loss."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue()


def stacked(*parts: Image.Image | str) -> Image.Image:
    """Pictures and lines of text from top to bottom, as one picture."""
    parts = tuple(on_picture(part) if isinstance(part, str) else part for part in parts)
    scale = max([1.0, *(part.width / 1000 for part in parts if not isinstance(part, str))])  # shown at one width
    font, line = font_for(round(22 * scale), [part for part in parts if isinstance(part, str)]), round(30 * scale)
    heights = [line if isinstance(part, str) else part.height for part in parts]
    widths = [font.getlength(part) if isinstance(part, str) else part.width for part in parts]
    sheet = Image.new("RGB", (round(max(widths)) + 2 * MARGIN, sum(heights) + MARGIN * (len(parts) + 1)), PAPER)
    pen, top = ImageDraw.Draw(sheet), MARGIN
    for part, height in zip(parts, heights, strict=True):
        if isinstance(part, str):
            pen.text((MARGIN, top + height / 2), part, INK, font, anchor="lm")
        else:
            sheet.paste(part, (MARGIN, top))
        top += height + MARGIN
    return sheet


def beside(*pictures: Image.Image) -> Image.Image:
    """Pictures from left to right, as one picture."""
    width = sum(picture.width for picture in pictures) + MARGIN * (len(pictures) - 1)
    sheet, left = Image.new("RGB", (width, max(picture.height for picture in pictures)), PAPER), 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + MARGIN
    return sheet
