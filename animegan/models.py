"""NetG and NetD, the two networks of the handout, their weights and the latent vectors z.

    z  100x1x1 --NetG--> 512x4x4 -> 256x8x8 -> 128x16x16 -> 64x32x32 -> 3x96x96   a picture
    x  3x96x96 --NetD--> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> 1x1x1     real or fake

Layers, their order and the names of their weights are the handout's, so its `model.py` can load a
`netG_025.pth` of this project, and the other way round. The architecture is that of Radford, Metz and
Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks" (DCGAN, 2016), with one layer of stride 3 where they have stride 2: 32x32 becomes 96x96.
"""

import contextlib
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from animegan.config import IMAGE_SIZE
from animegan.errors import UserError
from animegan.files import START_AGAIN, reading, write_bytes

ENLARGE = {
    "k5s3": lambda ngf: [nn.ConvTranspose2d(ngf, 3, kernel_size=5, stride=3, padding=1, bias=False)],
    "k6s3": lambda ngf: [nn.ConvTranspose2d(ngf, 3, kernel_size=6, stride=3, padding=2, output_padding=1, bias=False)],
    "resize": lambda ngf: [nn.Upsample(scale_factor=3), nn.Conv2d(ngf, 3, kernel_size=5, padding=2, bias=False)],
}


class NetG(nn.Module):
    """The generator: a latent vector becomes an image.

    ngf: feature maps of the last hidden layer; the first has eight times as many.
    nz: length of the latent vector z.
    enlarge: how the last layer turns 32x32 into 96x96. "k5s3" is the handout's: its kernel of 5 overlaps unevenly at
        stride 3. "k6s3" overlaps evenly; "resize" enlarges by nearest neighbour before a plain convolution (both Odena,
        Dumoulin and Olah 2016, "Deconvolution and Checkerboard Artifacts"). The handout's model can load neither.
    Input [B, nz, 1, 1], drawn from N(0, 1); output [B, 3, 96, 96] in [-1, 1].
    Source: the handout's model.py.
    """

    def __init__(self, ngf: int = 64, nz: int = 100, enlarge: str = "k5s3"):
        super().__init__()
        self.input_shape = (nz, 1, 1)
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
    """The discriminator: an image becomes the probability that it is real.

    ndf: feature maps of the first layer; the last hidden one has eight times as many.
    Input [B, 3, 96, 96] in [-1, 1]; output [B, 1, 1, 1] in (0, 1).
    Source: the handout's model.py.
    """

    def __init__(self, ndf: int = 64):
        super().__init__()
        self.input_shape = (3, IMAGE_SIZE, IMAGE_SIZE)
        self.layer1 = _down(3, ndf, kernel=5, stride=3, padding=1)  # [B, ndf, 32, 32]
        self.layer2 = _down(ndf, ndf * 2, kernel=4, stride=2, padding=1)  # [B, ndf*2, 16, 16]
        self.layer3 = _down(ndf * 2, ndf * 4, kernel=4, stride=2, padding=1)  # [B, ndf*4, 8, 8]
        self.layer4 = _down(ndf * 4, ndf * 8, kernel=4, stride=2, padding=1)  # [B, ndf*8, 4, 4]
        verdict = nn.Conv2d(ndf * 8, 1, kernel_size=4, stride=1, padding=0, bias=False)
        self.layer5 = nn.Sequential(verdict, nn.Sigmoid())  # [B, 1, 1, 1]

    def logits(self, x: Tensor, groups: int = 1) -> Tensor:
        """The verdicts before the sigmoid, [B]: above 0 for real, below 0 for fake.

        A loss on logits is mathematically the same as one on probabilities, but never takes the
        logarithm of a probability that was rounded to 0.
        groups: BatchNorm takes this many equal parts of the batch as batches of their own. It is the same as one call
        for each part, but convolutions are faster on all of them together.
        """
        for module in (*self.layer1, *self.layer2, *self.layer3, *self.layer4, self.layer5[0]):
            if groups > 1 and isinstance(module, nn.BatchNorm2d):
                x = torch.cat([module(part) for part in x.chunk(groups)])
            else:
                x = module(x)
        return x.flatten()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x


def _up(channels_in: int, channels_out: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(channels_in, channels_out, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))


def _down(channels_in: int, channels_out: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.LeakyReLU(0.2, inplace=True))


def init_weights(network: nn.Module, generator: torch.Generator | None = None) -> nn.Module:
    """Initialise a network's weights in place and return it: convolutions from N(0, 0.02).

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
    """Initialise NetG's upsampling layers in place with smooth kernels; return netG.

    Every 2-d kernel becomes the one of bilinear interpolation (for stride 3 that is 1 2 3 2 1, which
    is exactly as wide as the handout's last layer) times one number from a normal distribution; the
    spread over the layer is the 0.02 of `init_weights`. Independent weights print the overlap of
    the transposed convolutions on every image as a checkerboard, which D learns to spot within a
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
    """Limit the slope of every layer of NetD to 1, which replaces its BatchNorm; return netD.

    Source: Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks".
    """
    for layer in (netD.layer1, netD.layer2, netD.layer3, netD.layer4, netD.layer5):
        nn.utils.parametrizations.spectral_norm(layer[0])
        if isinstance(layer[1], nn.BatchNorm2d):
            layer[1] = nn.Identity()
    return netD


def generate(netG: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Faces [N, 3, 96, 96] in [-1, 1] from z [N, nz, 1, 1], in batches of 64 to save memory."""
    with torch.inference_mode():
        return torch.cat([netG(part) for part in z.split(64)])


def latent_vectors(count: int, nz: int, seed: int) -> Tensor:
    """`count` latent vectors from N(0, I), [count, nz, 1, 1]; drawn on the CPU: the same for a seed everywhere.

    Raises UserError for a seed that PyTorch does not take, and for more vectors than fit into memory.
    """
    if not 0 <= seed < 2**63:
        raise UserError(f"seed {seed} is out of range: give a whole number from 0 to below 2**63.")
    with allocating(f"{count} latent vectors", "take fewer"):
        return torch.randn(count, nz, 1, 1, generator=torch.Generator().manual_seed(seed))


@contextlib.contextmanager
def allocating(what: str, fix: str) -> Iterator[None]:
    """Turn it into one line for the user if the block runs out of memory, on the CPU or another device."""
    pattern = "out of memory|(allocate|enough) memory|size calculation overflow|Overflow when unpacking"
    try:
        yield
    except (RuntimeError, MemoryError, TypeError) as error:  # it depends on the device, and on how absurd the size is
        if not (isinstance(error, MemoryError) or re.search(pattern, str(error))):
            raise
        raise UserError(f"not enough memory for {what}: {fix}.") from error


def save_weights(path: Path, state: dict[str, Any]) -> None:
    """torch.save, written atomically."""
    buffer = io.BytesIO()  # in memory first, so that a full disk is one plain OSError
    torch.save(state, buffer)
    write_bytes(path, buffer.getvalue())


def load_weights(path: Path) -> Any:
    """torch.load for tensors and plain values only: a file from a stranger cannot run code.

    The file is a zip archive, as torch.save writes it, whose CRCs are checked: PyTorch itself does not notice a flipped
    bit. Raises UserError.
    """
    with reading(path, START_AGAIN.rstrip(".")):
        content = io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(content) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()) or archive.testzip():
                raise zipfile.BadZipFile
        content.seek(0)
        with warnings.catch_warnings():  # the one line below says what is wrong
            warnings.simplefilter("ignore")
            return torch.load(content, map_location="cpu", weights_only=True)
    except Exception as error:  # zipfile and torch raise many types for a damaged file or another format
        raise UserError(f"{path} is truncated or not a weights file ({type(error).__name__}); {START_AGAIN}") from error


def fits(state: Any, like: Any) -> bool:
    """Whether a state from a file is built as `like`: the same keys, and tensors of the same shape and type.

    PyTorch checks the shapes of weights, but not those of an optimiser's state, and its kernels then write beyond it.
    """
    if isinstance(like, Tensor):
        same = isinstance(state, Tensor) and (state.shape, state.dtype) == (like.shape, like.dtype)
        return same and state.layout == torch.strided and state.device.type == "cpu"
    if isinstance(like, dict):
        return isinstance(state, dict) and state.keys() == like.keys() and all(fits(state[k], like[k]) for k in like)
    return type(state) is type(like)
