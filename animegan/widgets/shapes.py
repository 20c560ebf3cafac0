"""ShapeExplorer: the output size of a convolution, and the overlap of its kernels, with sliders."""

import ipywidgets
from PIL import Image

from animegan.errors import UserError
from animegan.shapes import conv_size, conv_transpose_size
from animegan.show import OVERLAP_INPUT, overlap_picture
from animegan.widgets.box import NAME_IN_FULL, PicturedBox, image, jpeg, row, say, stacked, text

LABEL = {"description_width": "6em"}  # the sliders begin below one another


class ShapeExplorer(PicturedBox):
    """The output size of a convolution or a transposed convolution, and how its kernels overlap.

    The arguments are the initial values. For impossible settings it says what is wrong.
    """

    def __init__(self, kernel: int = 5, stride: int = 3, padding: int = 1, size: int = 32, transposed: bool = True):
        # Buttons, because JupyterLab takes the arrow keys from a drop-down list.
        self.kind = ipywidgets.ToggleButtons(
            options=[("convolution", False), ("transposed convolution", True)], value=bool(transposed),
            description="Layer", style={**NAME_IN_FULL, "button_width": "auto"}, layout={"width": "100%"},
        )  # fmt: skip
        self.kernel = _number("Kernel", kernel, 1, 11)
        self.stride = _number("Stride", stride, 1, 6)
        self.padding = _number("Padding", padding, 0, 6)
        self.size = _number("Input size", size, 1, 128)
        self.lines = (text(), text(), text())  # the layer, the formula, the result
        self.image = image()
        self.controls = (self.kind, self.kernel, self.stride, self.padding, self.size)
        left = ipywidgets.VBox([*self.controls, *self.lines], layout={"flex": "1 1 20em", "min_width": "0"})
        right = ipywidgets.VBox([self.image], layout={"flex": "2 1 30em", "min_width": "0"})
        super().__init__([row(left, right)])
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
        """The settings, the result and the overlap as one picture."""
        return stacked(*self._lines, *([self._shown] if self._shown else []))


def _pattern(kernel: int, stride: int, padding: int, size: int, transposed: bool) -> tuple[Image.Image, int]:
    """The overlap for an input small enough to read, and that input's size; the full size if a small one is impossible.

    The small input is large enough that a pixel in the middle is overlapped by all kernels that can reach it.
    """
    enough = max(OVERLAP_INPUT, 2 * -(-kernel // stride)) if transposed else max(OVERLAP_INPUT * stride, 2 * kernel)
    small = min(size, enough)
    try:
        return overlap_picture(kernel, stride, padding, small, transposed), small
    except UserError:
        return overlap_picture(kernel, stride, padding, size, transposed), size


def _number(label: str, value: int, least: int, most: int) -> ipywidgets.IntSlider:
    if type(value) is not int or value < least:
        raise UserError(f"{label.lower()} {value!r} is impossible: give a whole number of {least} or more.")
    return ipywidgets.IntSlider(
        value, least, max(value, most), description=label, style=LABEL, layout={"width": "100%"}
    )
