"""NetG and NetD, the two networks of the handout, and their shapes as a table.

    z  100x1x1 --NetG--> 512x4x4 -> 256x8x8 -> 128x16x16 -> 64x32x32 -> 3x96x96   a picture
    x  3x96x96 --NetD--> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> 1x1x1     real or fake

Layers, their order and the names of their weights are the handout's, so that a `netG_025.pth`
goes to and from its `model.py`. The architecture is that of Radford, Metz and Chintala, "Unsupervised
Representation Learning with Deep Convolutional Generative Adversarial Networks" (DCGAN, 2016),
with one step of stride 3 where they have stride 2: 32x32 becomes 96x96.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from animegan.errors import UserError

IMAGE_SIZE = 96  # 4 -> 8 -> 16 -> 32 by stride 2, then 32 -> 96 by stride 3: no other size comes out


ENLARGE = {
    "k5s3": lambda ngf: [nn.ConvTranspose2d(ngf, 3, kernel_size=5, stride=3, padding=1, bias=False)],
    "k6s3": lambda ngf: [nn.ConvTranspose2d(ngf, 3, kernel_size=6, stride=3, padding=2, output_padding=1, bias=False)],
    "resize": lambda ngf: [nn.Upsample(scale_factor=3), nn.Conv2d(ngf, 3, kernel_size=5, padding=2, bias=False)],
}


class NetG(nn.Module):
    """The generator: a latent vector becomes a picture.

    ngf: feature maps of the last hidden layer; the first has eight times as many.
    nz: length of the latent vector z.
    enlarge: how the last layer makes 96x96 of 32x32. "k5s3" is the handout's: its kernel of 5 overlaps unevenly at
        stride 3. "k6s3" overlaps evenly; "resize" enlarges by nearest neighbour before a plain convolution (both Odena,
        Dumoulin and Olah 2016, "Deconvolution and Checkerboard Artifacts"). Neither of them fits the handout's model.
    Input [B, nz, 1, 1], drawn from N(0, 1); output [B, 3, 96, 96] in [-1, 1].
    Source: the handout's model.py.
    """

    def __init__(self, ngf: int = 64, nz: int = 100, enlarge: str = "k5s3"):
        super().__init__()
        self.layer1 = _up(nz, ngf * 8, kernel=4, stride=1, padding=0)  # [B, ngf*8, 4, 4]
        self.layer2 = _up(ngf * 8, ngf * 4, kernel=4, stride=2, padding=1)  # [B, ngf*4, 8, 8]
        self.layer3 = _up(ngf * 4, ngf * 2, kernel=4, stride=2, padding=1)  # [B, ngf*2, 16, 16]
        self.layer4 = _up(ngf * 2, ngf, kernel=4, stride=2, padding=1)  # [B, ngf, 32, 32]
        self.layer5 = nn.Sequential(*ENLARGE[enlarge](ngf), nn.Tanh())  # [B, 3, 96, 96]

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.children():
            z = layer(z)
        return z


class NetD(nn.Module):
    """The discriminator: a picture becomes the probability that it is real.

    ndf: feature maps of the first layer; the last hidden one has eight times as many.
    Input [B, 3, 96, 96] in [-1, 1]; output [B, 1, 1, 1] in (0, 1).
    Source: the handout's model.py.
    """

    def __init__(self, ndf: int = 64):
        super().__init__()
        self.layer1 = _down(3, ndf, kernel=5, stride=3, padding=1)  # [B, ndf, 32, 32]
        self.layer2 = _down(ndf, ndf * 2, kernel=4, stride=2, padding=1)  # [B, ndf*2, 16, 16]
        self.layer3 = _down(ndf * 2, ndf * 4, kernel=4, stride=2, padding=1)  # [B, ndf*4, 8, 8]
        self.layer4 = _down(ndf * 4, ndf * 8, kernel=4, stride=2, padding=1)  # [B, ndf*8, 4, 4]
        self.layer5 = nn.Sequential(  # [B, 1, 1, 1]
            nn.Conv2d(ndf * 8, 1, kernel_size=4, stride=1, padding=0, bias=False),
            nn.Sigmoid(),
        )

    def logits(self, x: Tensor) -> Tensor:
        """The verdicts before the sigmoid, [B]: above 0 for real, below 0 for fake.

        A loss on logits is the same mathematics as one on probabilities, but it never takes the
        logarithm of a probability that was rounded to 0.
        """
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4, self.layer5[0]):
            x = layer(x)
        return x.flatten()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x


def _up(channels_in: int, channels_out: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(channels_in, channels_out, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _down(channels_in: int, channels_out: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.LeakyReLU(0.2, inplace=True),
    )


def init_weights(network: nn.Module, generator: torch.Generator | None = None) -> nn.Module:
    """Draw a network's weights anew, in place, and return it: convolutions from N(0, 0.02).

    The scales of BatchNorm come from N(1, 0.02), its shifts are 0.
    Source: the DCGAN paper, section 4 ("all weights were initialized from a zero-centered Normal
    distribution with standard deviation 0.02").
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=generator)
            nn.init.zeros_(module.bias)
    return network


def init_smooth(netG: NetG, generator: torch.Generator | None = None) -> NetG:
    """Draw the weights of NetG's upsampling layers anew, in place, as smooth kernels; return netG.

    Every 2-d kernel becomes the one of bilinear interpolation (for stride 3 that is 1 2 3 2 1, which
    is exactly as wide as the handout's last layer) times one number from a normal distribution; the
    spread over the layer is the 0.02 of `init_weights`. Independent weights print the overlap of
    the transposed convolutions on every picture as a checkerboard, which D learns to spot within a
    few steps, long before there is a face to judge.
    Sources: the kernel, Long, Shelhamer and Darrell 2015 (FCN), section 3.3; a start without
    checkerboard, Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution" (ICNR).
    """
    for convolution in netG.modules():
        if not isinstance(convolution, nn.ConvTranspose2d) or convolution is netG.layer1[0]:
            continue
        size, stride = convolution.kernel_size[0], convolution.stride[0]
        side = 1 - (torch.arange(size) - (size - 1) / 2).abs() / stride
        kernel = torch.outer(side, side)
        kernel *= 0.02 / kernel.square().mean().sqrt()
        factors = torch.randn(*convolution.weight.shape[:2], 1, 1, generator=generator)
        with torch.no_grad():
            convolution.weight.copy_(factors * kernel)
    return netG


def spectral_norm(netD: NetD) -> NetD:
    """Bound the slope of every layer of NetD to 1, in place of its BatchNorm; return netD.

    Source: Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks".
    """
    for layer in netD.children():
        nn.utils.parametrizations.spectral_norm(layer[0])
        if isinstance(layer[1], nn.BatchNorm2d):
            layer[1] = nn.Identity()
    return netD


def faces_of(netG: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Faces [N, 3, 96, 96] in [-1, 1] from z [N, nz, 1, 1], in batches of 64, so that many z do not fill the memory."""
    with torch.inference_mode():
        return torch.cat([netG(part) for part in z.split(64)])


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
    """
    rows = []

    def note(layer: nn.Sequential, _inputs, output: Tensor):
        convolution = layer[0]
        rows.append(
            LayerShape(
                layer=next(name for name, child in network.named_children() if child is layer),
                kind=type(convolution).__name__,
                kernel=convolution.kernel_size[0],
                stride=convolution.stride[0],
                padding=convolution.padding[0],
                output=tuple(output.shape[1:]),
                parameters=sum(p.numel() for p in layer.parameters()),
            )
        )

    hooks = [layer.register_forward_hook(note) for layer in network.children()]
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
    """A shape table as text, a line a layer and a line for the sum."""
    lines = [f"{'layer':8}{'kind':17}{'kernel':>6}{'stride':>8}{'padding':>9}{'output':>14}{'parameters':>13}"]
    for row in rows:
        output = "x".join(map(str, row.output))
        lines.append(
            f"{row.layer:8}{row.kind:17}{row.kernel:6}{row.stride:8}{row.padding:9}{output:>14}{row.parameters:13,}"
        )
    lines.append(f"{'sum':62}{sum(row.parameters for row in rows):13,}")
    return "\n".join(lines)


def conv_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) of what a convolution makes of an input of that height: rounded down, as PyTorch does.

    (size + 2 * padding - kernel) // stride + 1. All in pixels. Raises UserError where no such layer can be.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 2.4.
    """
    _check_layer(size, kernel, stride, padding)
    if size + 2 * padding < kernel:
        padded = f" and padding {padding} on both sides" if padding else ""
        raise UserError(f"a kernel of {kernel} does not fit into an input of {size}{padded}: take a smaller kernel.")
    return (size + 2 * padding - kernel) // stride + 1


def conv_transpose_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) of what a transposed convolution makes of an input of that height.

    (size - 1) * stride - 2 * padding + kernel. All in pixels. Raises UserError where no such layer can be.
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


def check_image_size(size: int) -> None:
    """Raise UserError unless `size` is the one that this network makes."""
    if size != IMAGE_SIZE:
        raise UserError(
            f"--imageSize {size} does not fit this network: its layers make 4, 8, 16, 32 (stride 2) and then "
            f"96 (stride 3), nothing else; leave --imageSize at 96 (pictures of any size are resized to it)."
        )
