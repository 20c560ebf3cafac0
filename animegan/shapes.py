"""The shapes of NetG and NetD and their parameters, layer by layer, and the arithmetic behind them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from animegan.config import IMAGE_SIZE
from animegan.errors import UserError
from animegan.models import NetD, NetG


class LayerShape(NamedTuple):
    """One row of the shape table; `output` is [channels, height, width]."""

    layer: str
    kind: str
    kernel: int
    stride: int
    padding: int
    output: tuple[int, int, int]
    parameters: int


def shape_table(network: NetG | NetD) -> list[LayerShape]:
    """What each of the five layers makes, found by running the network on one blank input.

    `parameters` counts all trainable numbers of the layer, its BatchNorm included, so that the
    column adds up to the network's size: 3,578,432 for NetG and 2,767,424 for NetD by default.
    A layer that resizes before its convolution is of kind "Upsample+Conv2d".
    """
    rows = []

    def add_row(layer: nn.Sequential, _inputs, output: Tensor):
        convolution = next(module for module in layer if isinstance(module, nn.Conv2d | nn.ConvTranspose2d))
        before = "Upsample+" if isinstance(layer[0], nn.Upsample) else ""
        rows.append(
            LayerShape(
                layer=next(name for name, child in network.named_children() if child is layer),
                # Spectral norm makes a subclass of the layer, ParametrizedConv2d.
                kind=before + type(convolution).__name__.removeprefix("Parametrized"),
                kernel=convolution.kernel_size[0],
                stride=convolution.stride[0],
                padding=convolution.padding[0],
                output=tuple(output.shape[1:]),
                parameters=sum(p.numel() for p in layer.parameters()),
            )
        )

    hooks = [layer.register_forward_hook(add_row) for layer in network.children()]
    was_training = network.training
    weight = network.layer1[0].weight
    if isinstance(network, NetG):
        blank = weight.new_zeros(1, weight.shape[0], 1, 1)
    else:
        blank = weight.new_zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    try:
        with torch.no_grad():
            network.eval()(blank)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return rows


def format_shapes(rows: list[LayerShape]) -> str:
    """A shape table as text, one line per layer and one for the sum."""
    lines = [f"{'layer':8}{'kind':17}{'kernel':>6}{'stride':>8}{'padding':>9}{'output':>14}{'parameters':>13}"]
    for row in rows:
        output = "x".join(map(str, row.output))
        lines.append(
            f"{row.layer:8}{row.kind:17}{row.kernel:6}{row.stride:8}{row.padding:9}{output:>14}{row.parameters:13,}"
        )
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
