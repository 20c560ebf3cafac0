"""How often a transposed convolution writes each pixel, as shades and as bars."""

from typing import Any

import numpy as np

from animegan.shapes import conv_size, conv_transpose_size
from animegan.show.figures import BLUE, FADED, INK, PAPER, RULE, despine, new_figure, to_picture
from animegan.show.pictures import Picture

OVERLAP_INPUT = 8  # pixels
MAX_SHADES, MAX_NUMBERS = 12, 40  # in the legend of an overlap picture, and above its bars


def overlap_counts(
    kernel: int, stride: int, padding: int, size: int = OVERLAP_INPUT, transposed: bool = True
) -> np.ndarray:
    """How many input pixels of one row write to each output pixel of a transposed convolution, [output size].

    In two dimensions the counts of both axes multiply. Where they alternate, the picture gets a checkerboard.
    transposed: False counts how many output pixels of an ordinary convolution read each input pixel, [size].
    Source: Odena, Dumoulin and Olah 2016, "Deconvolution and Checkerboard Artifacts".
    """
    output = (conv_transpose_size if transposed else conv_size)(size, kernel, stride, padding)
    windows, length = (size, output) if transposed else (output, size)
    starts = np.arange(windows)[:, None] * stride - padding
    pixels = np.arange(length)
    return ((starts <= pixels) & (pixels < starts + kernel)).sum(axis=0)


def overlap_picture(
    kernel: int, stride: int, padding: int, size: int = OVERLAP_INPUT, transposed: bool = True
) -> Picture:
    """How often a transposed convolution writes each output pixel: as a map, and along one row as bars with numbers.

    transposed: False for an ordinary convolution: how often it reads each input pixel.
    size: height and width of the input, in pixels. Raises UserError if no such layer is possible.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    counts = overlap_counts(kernel, stride, padding, size, transposed)
    layer, side, verb = "convolution", "input", "read"
    if transposed:
        layer, side, verb = "transposed convolution", "output", "written"
    plane = np.outer(counts, counts)
    values = np.unique(plane)
    figure, (panel, profile) = new_figure((7.5, 3.2), 1, 2, width_ratios=(1, 1.7))
    title = f"{layer}, kernel {kernel}, stride {stride}, padding {padding}: how often each {side} pixel is {verb}"
    figure.suptitle(title, fontsize=10, color=INK)

    shades = shades_of(values)
    norm = BoundaryNorm([*(values - 0.5), values[-1] + 0.5], len(values))
    panel.imshow(plane, cmap=ListedColormap(shades), norm=norm, extent=(0, len(counts), len(counts), 0))
    panel.spines[:].set_color(FADED)
    panel.tick_params(labelsize=9)
    panel.locator_params(integer=True)
    label = f"{len(counts)}x{len(counts)} {side} pixels" + f", from {size}x{size}" * transposed
    panel.set(anchor="N", xlabel=label)
    shown = spread(len(values), MAX_SHADES)
    panel.legend(
        handles=[Patch(facecolor=shades[n], edgecolor=RULE, label=f"{values[n]}x") for n in shown],
        loc="upper left", bbox_to_anchor=(1, 1.03), frameon=False, handlelength=1, handleheight=1, fontsize=9,
    )  # fmt: skip

    despine(profile)
    bars = profile.bar(np.arange(len(counts)), counts, width=0.86, color=BLUE)
    if len(counts) <= MAX_NUMBERS:
        profile.bar_label(bars, fontsize=9 if len(counts) <= 26 else 7, color=INK, padding=2)
    profile.set(xlim=(-0.8, len(counts) - 0.2), ylim=(0, counts.max() * 1.15 + 0.1), xlabel=f"{side} pixels of one row")
    profile.locator_params(integer=True)
    return to_picture(figure)


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 to count - 1, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def shades_of(values: np.ndarray) -> list[Any]:
    """One colour per value: white for 0, then light to dark blue."""
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("ramp", ["#d6e8f5", "#5ba3cf", "#08306b"])
    return [PAPER if value == 0 else ramp((value - 1) / max(1, values[-1] - 1)) for value in values]
