"""The shapes of NetG and NetD and their parameters, layer by layer, and the arithmetic behind them."""

from typing import Any, NamedTuple

import torch
from torch import nn

from animegan.errors import UserError
from animegan.models import NetD, NetG


class LayerShape(NamedTuple):
    """One row of the shape table; `output` is [channels, height, width]."""

    layer: str
    kind: str
    kernel: int
    stride: int
    padding: int
    output: tuple[int, ...]
    parameters: int


def shape_table(network: NetG | NetD) -> list[LayerShape]:
    """What each of the five layers makes, found by running the network on one blank input.

    `parameters` counts all trainable numbers of the layer, its BatchNorm included, so that the
    column adds up to the network's size: 3,578,432 for NetG and 2,767,424 for NetD by default.
    A layer that resizes before its convolution is of kind "Upsample+Conv2d".
    """
    rows, was_training = [], network.training
    x = torch.zeros(1, *network.input_shape, device=next(network.parameters()).device)
    network.eval()  # BatchNorm has no spread to measure in one input
    with torch.no_grad():
        for name, layer in network.named_children():
            x = layer(x)
            convolution: Any = next(m for m in layer.children() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
            resizes = any(isinstance(m, nn.Upsample) for m in layer.children())
            # Spectral norm turns the layer into an instance of a subclass, ParametrizedConv2d.
            kind = "Upsample+" * resizes + type(convolution).__name__.removeprefix("Parametrized")
            kernel, stride, padding = (getattr(convolution, f)[0] for f in ("kernel_size", "stride", "padding"))
            parameters = sum(p.numel() for p in layer.parameters())
            rows.append(LayerShape(name, kind, kernel, stride, padding, tuple(x.shape[1:]), parameters))
    network.train(was_training)
    return rows


def format_shapes(rows: list[LayerShape]) -> str:
    """A shape table as text, one line per layer and one for the sum."""
    lines = [f"{'layer':8}{'kind':17}{'kernel':>6}{'stride':>8}{'padding':>9}{'output':>14}{'parameters':>13}"]
    for layer, kind, kernel, stride, padding, output, parameters in rows:
        size = "x".join(map(str, output))
        lines.append(f"{layer:8}{kind:17}{kernel:6}{stride:8}{padding:9}{size:>14}{parameters:13,}")
    lines.append(f"{'sum':62}{sum(row.parameters for row in rows):13,}")
    return "\n".join(lines)


def conv_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) of a convolution's output for an input of that height: rounded down, as PyTorch does.

    (size + 2 * padding - kernel) // stride + 1. All in pixels. Raises UserError for an impossible layer.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 2.4.
    """
    _check_layer(size, kernel, stride, padding)
    if size + 2 * padding < kernel:
        padded = f" and padding {padding} on both sides" if padding else ""
        raise UserError(f"a kernel of {kernel} does not fit into an input of {size}{padded}: take a smaller kernel.")
    return (size + 2 * padding - kernel) // stride + 1


def conv_transpose_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) of a transposed convolution's output for an input of that height.

    (size - 1) * stride - 2 * padding + kernel. All in pixels. Raises UserError for an impossible layer.
    Source: Dumoulin and Visin 2016, section 4.
    """
    _check_layer(size, kernel, stride, padding)
    output = (size - 1) * stride - 2 * padding + kernel
    if output < 1:
        raise UserError(
            f"padding {padding} takes {2 * padding} pixels away, and without it there would be {output + 2 * padding}: "
            f"take a smaller padding."
        )
    return output


def _check_layer(size: int, kernel: int, stride: int, padding: int) -> None:
    for name, value in {"size": size, "kernel": kernel, "stride": stride, "padding": padding}.items():
        least = 0 if name == "padding" else 1
        if type(value) is not int or value < least:
            raise UserError(f"{name} {value!r} is impossible: give a whole number of {least} or more.")
