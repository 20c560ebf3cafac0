"""Widgets for the notebooks: two epochs side by side, a training run as it goes on, latent space, a layer's sizes.

Each is a box of ipywidgets that can be worked by keyboard; where there is no kernel, the notebook
shows a picture of it instead.
"""

from __future__ import annotations

from typing import Any

import ipywidgets
from PIL import Image

from animegan.errors import UserError
from animegan.models import conv_size, conv_transpose_size
from animegan.runs import FACES_IN_GRID, GRID_COLUMNS, Run
from animegan.show import OVERLAP_INPUT, overlap_picture
from animegan.widgets.box import NAME_IN_FULL, PicturedBox, beside, image, jpeg, row, say, stacked, text
from animegan.widgets.latent import LatentExplorer
from animegan.widgets.monitor import TrainingMonitor

__all__ = ["EpochComparer", "LatentExplorer", "ShapeExplorer", "TrainingMonitor"]

PLAY_MILLISECONDS = 800  # an epoch: long enough to look at one face
CONTROL = {"width": "26em", "max_width": "100%"}


class EpochComparer(PicturedBox):
    """Two epochs of a run side by side, cell by cell from the same latent vectors.

    other: a second run for the right side, e.g. of another recipe. Raises UserError for a run without epochs.
    """

    def __init__(self, run: Run, other: Run | None = None):
        two = other is not None
        self.left = _Side("Left epoch", run, at_first=not two, name_recipe=two)
        self.right = _Side("Right epoch", other if two else run, at_first=False, name_recipe=two)
        slider = self.right.slider
        self.play = ipywidgets.Play(
            min=slider.min, max=slider.max, value=slider.value, interval=PLAY_MILLISECONDS, show_repeat=False
        )
        self.enlarge = ipywidgets.Checkbox(
            description="Enlarge one face", indent=False, style=NAME_IN_FULL, layout={"width": "auto"}
        )
        self.face = ipywidgets.IntSlider(
            1, 1, FACES_IN_GRID, description=f"Face (1 to {FACES_IN_GRID})", style=NAME_IN_FULL, layout=CONTROL
        )
        super().__init__(
            [
                row(self.left.box, self.right.box),
                row(
                    ipywidgets.HBox([text("Play the right epochs:"), self.play], layout={"align_items": "center"}),
                    self.enlarge,
                    self.face,
                ),
            ]
        )
        self._link()
        self._draw()

    def _link(self) -> None:
        self.left.slider.observe(lambda _: self._draw(self.left), "value")
        self.right.slider.observe(lambda _: self._draw(self.right), "value")
        ipywidgets.link((self.play, "value"), (self.right.slider, "value"))
        self.play.observe(self._from_start, "playing")
        self.enlarge.observe(lambda _: self._draw(), "value")
        self.face.observe(self._choose, "value")

    def _from_start(self, change: dict[str, Any]) -> None:
        """Played when it stands at the last epoch, it has nowhere to go but the first."""
        if change["new"] and self.play.value == self.play.max:
            self.play.value = self.play.min

    def _choose(self, _change: dict[str, Any]) -> None:
        if self.enlarge.value:
            self._draw()
        else:
            self.enlarge.value = True

    def _draw(self, *sides: _Side) -> None:
        for side in sides or (self.left, self.right):
            side.draw(self.face.value if self.enlarge.value else None)

    def picture(self) -> Image.Image:
        """Both sides as they stand, as one picture; of a grid, which would be too small to read, a quarter."""
        return beside(*(side.picture() for side in (self.left, self.right)))


class _Side:
    """One half of the comparer: a run, the slider of its epochs, and the picture."""

    def __init__(self, label: str, run: Run, at_first: bool, name_recipe: bool):
        self.run, self.epochs = run, run.epochs
        self.title = f"{run.path.name} ({run.config.recipe})" if name_recipe else run.path.name
        if not self.epochs:
            raise UserError(f"{run.path} has no epoch to compare yet: let it finish its first one.")
        begin, end = self.epochs[0], self.epochs[-1]
        self.slider = ipywidgets.IntSlider(
            begin if at_first else end, begin, end, description=label, style=NAME_IN_FULL, layout={"width": "100%"}
        )
        self.heading = text()
        self.image = image()
        self.name, self.shown, self.enlarged = "", Image.new("RGB", (1, 1)), False
        self.box = ipywidgets.VBox(
            [self.heading, self.image, self.slider],
            layout={"flex": "1 1 18em", "min_width": "0", "max_width": "40em", "overflow": "visible"},
        )

    def picture(self) -> Image.Image:
        if self.enlarged:
            return stacked(self.name, self.shown)
        quarter = tuple(part // 2 for part in self.shown.size)
        return stacked(f"{self.name} (16 of {FACES_IN_GRID} faces)", self.shown.crop((0, 0, *quarter)))

    def draw(self, face: int | None) -> None:
        """Show the grid, or one face of it, 1 to 64, as large as the grid."""
        epoch = max(epoch for epoch in self.epochs if epoch <= self.slider.value)  # one may have been deleted
        self.name, self.enlarged = f"{self.title}, epoch {epoch}", face is not None
        try:
            self.shown = self.run.grid(epoch)
        except UserError as error:  # raised, it would not reach the notebook
            say(self.heading, str(error), bold=True)
            return
        if face is not None:
            at_row, at_column = divmod(face - 1, GRID_COLUMNS)
            self.name += f", face {face} (row {at_row + 1}, column {at_column + 1})"
            self.shown = self.run.faces(epoch)[face - 1].resize(self.shown.size, Image.Resampling.BICUBIC)
        say(self.heading, self.name, bold=True)
        self.image.value = jpeg(self.shown)


class ShapeExplorer(PicturedBox):
    """What a convolution or a transposed convolution makes of a size, and how its kernels overlap.

    The arguments are what it starts with. Settings that no layer can have are answered with a sentence.
    """

    def __init__(self, kernel: int = 5, stride: int = 3, padding: int = 1, size: int = 32, transposed: bool = True):
        # Buttons, since JupyterLab takes the arrow keys away from a drop-down list.
        self.kind = ipywidgets.ToggleButtons(
            options=[("convolution", False), ("transposed convolution", True)],
            value=bool(transposed),
            description="Layer",
            style={**NAME_IN_FULL, "button_width": "auto"},
            layout={"width": "100%"},
        )
        self.kernel = _number("Kernel", kernel, 1, 11)
        self.stride = _number("Stride", stride, 1, 6)
        self.padding = _number("Padding", padding, 0, 6)
        self.size = _number("Input size", size, 1, 128)
        self.lines = (text(), text(), text())  # the layer, the formula, what comes out
        self.image = image()
        self.controls = (self.kind, self.kernel, self.stride, self.padding, self.size)
        super().__init__([row(*self.controls), *self.lines, self.image])
        for control in self.controls:
            control.observe(lambda _: self._draw(), "value")
        self._draw()

    def _draw(self) -> None:
        transposed = self.kind.value
        kernel, stride, padding, size = (control.value for control in self.controls[1:])
        if transposed:
            name, formula = "ConvTranspose2d", f"({size} - 1) * {stride} - 2 * {padding} + {kernel}"
        else:
            name, formula = "Conv2d", f"({size} + 2 * {padding} - {kernel}) // {stride} + 1"
        self._lines = [f"nn.{name}(..., kernel_size={kernel}, stride={stride}, padding={padding})"]
        self._shown = None
        try:
            output = (conv_transpose_size if transposed else conv_size)(size, kernel, stride, padding)
        except UserError as error:
            self._lines += [f"output size = {formula}", f"Impossible: {error}"]
        else:
            self._shown, drawn = _pattern(kernel, stride, padding, size, transposed)
            smaller = f" (the picture is drawn for {drawn}x{drawn})" if drawn < size else ""
            self._lines += [f"output size = {formula} = {output}", f"{size}x{size} becomes {output}x{output}{smaller}"]
            self.image.value = jpeg(self._shown)
        for part, line in zip(self.lines, self._lines, strict=True):
            say(part, line, bold=part is self.lines[-1])
        self.image.layout.visibility = "visible" if self._shown else "hidden"

    def picture(self) -> Image.Image:
        """The settings, what they make, and the overlap, as one picture."""
        return stacked(*self._lines, *([self._shown] if self._shown else []))


def _pattern(kernel: int, stride: int, padding: int, size: int, transposed: bool) -> tuple[Image.Image, int]:
    """The overlap for an input small enough to read, and that input's size; where none so small can be, for all of it.

    It is large enough for a pixel in the middle to be overlapped by all kernels that can reach it.
    """
    small = max(OVERLAP_INPUT, 2 * -(-kernel // stride)) if transposed else max(OVERLAP_INPUT * stride, 2 * kernel)
    small = min(size, small)
    try:
        return overlap_picture(kernel, stride, padding, small, transposed), small
    except UserError:
        return overlap_picture(kernel, stride, padding, size, transposed), size


def _number(label: str, value: int, least: int, most: int) -> ipywidgets.IntSlider:
    if type(value) is not int or value < least:
        raise UserError(f"{label.lower()} {value!r} is impossible: give a whole number of {least} or more.")
    return ipywidgets.IntSlider(value, least, max(value, most), description=label, style=NAME_IN_FULL, layout=CONTROL)
