"""Checks of notebook 03: sizes, parameters, receptive fields, checkerboards."""

import torch
from torch import nn

from animegan.course.registry import exercise
from animegan.errors import UserError
from animegan.models import NetG
from animegan.shapes import conv_transpose_size
from animegan.show import overlap_counts

SHOWN = ((3, 3, 0), (9, 3, 3))  # of the layers that exercise 03.6 asks for


@exercise("03.1")
def size_after(answer):
    yield answer(8, 4, 4, 0) == 2, "a kernel of 4 with stride 4 has 2 places in 8 pixels: the first place counts, too."
    yield answer(96, 5, 3, 1) == 32, "NetD's layer1: size 96, kernel 5, stride 3, padding 1. Padding is on both sides."
    for size in (32, 16, 8):
        yield answer(size, 4, 2, 1) == size // 2, "kernel 4, stride 2, padding 1 halves an even size."
    yield answer(4, 4, 1, 0) == 1, "NetD's layer5: a kernel of 4 has one place in 4 pixels."
    yield answer(98, 5, 3, 1) == 32, "98 becomes 32, like 96: a rest too short for a step is dropped; divide with //."


@exercise("03.2")
def size_after_transposed(answer):
    yield answer(1, 4, 1, 0) == 4, "NetG's layer1: a single number writes a whole kernel of 4."
    yield answer(3, 5, 3, 0) == 11, "without padding, 3 numbers, kernel 5 and stride 3 gave 11 in the row above."
    yield answer(3, 5, 3, 1) == 9, "with padding 1, one number less on each side: 9 in the row above."
    yield answer(32, 5, 3, 1) == 96, "NetG's layer5: 32 becomes 96."


@exercise("03.3")
def predictions(answer):
    a, b, c = answer
    yield a == _picture_side(layer5=(4, 2, 1)), "a: the first four layers still end at 32; go on from there."
    yield b == _picture_side(layer4=(3, 2, 1)), "b: 16 no longer becomes 32; take the new size on through layer5."
    yield c == _picture_side(z=2), "c: z has 2x2 numbers, so layer1 starts from 2: what does kernel 4, stride 1 make?"


def _picture_side(z: int = 1, **changed: tuple[int, int, int]) -> int:
    netG = NetG(8, 4).eval()  # narrow: sizes do not depend on it
    for name, layer in changed.items():
        old = getattr(netG, name)[0]
        getattr(netG, name)[0] = nn.ConvTranspose2d(old.in_channels, old.out_channels, *layer, bias=False)
    with torch.inference_mode():
        return netG(torch.zeros(1, 4, z, z)).shape[-1]


@exercise("03.4")
def parameters(answer):
    yield answer(1, 1, 5, False) == 25, "one channel in, one out, kernel 5, no BatchNorm: 5x5 weights and no bias."
    yield answer(64, 3, 5, False) == 4800, "NetG's layer5, 64 to 3 channels: one kernel for each pair of channels."
    yield answer(3, 64, 5, True) == 4928, "NetD's layer1, 3 to 64, has BatchNorm: a scale and a shift for each output."
    sides = ((3, 64, 5, True), (64, 128, 4, True), (128, 256, 4, True), (256, 512, 4, True), (512, 1, 4, False))
    holds = sum(answer(*layer) for layer in sides) == 2_767_424
    yield holds, "your numbers for the five layers of NetD do not add up to 2,767,424."


@exercise("03.5")
def receptive_field(answer):
    yield answer([(5, 3)]) == 5, "one layer of kernel 5 sees 5 pixels, whatever its stride."
    yield answer([(3, 1), (3, 1)]) == 5, "two layers of kernel 3 and stride 1 see 5: the second adds 2."
    yield answer([(5, 3), (4, 2)]) == 14, "NetD's first two layers see 14: the inputs of the second lie 3 pixels apart."
    yield answer([(5, 3), (4, 2), (4, 2), (4, 2)]) == 68, "NetD's first four see 68: strides multiply, they do not add."
    yield answer([]) == 1, "without any layer a pixel sees itself: 1."


@exercise("03.6")
def even_layer(answer):
    yield len(answer) == 3, "answer with three numbers: (kernel, stride, padding)."
    try:
        size = conv_transpose_size(32, *answer)
    except UserError:
        size = 0
    yield size == 96, f"the size does not fit: 32 should become 96; yours gives {size or 'no layer at all'}."
    kernel, stride, padding = answer
    inner = overlap_counts(kernel, stride, padding, 32)[kernel:-kernel]
    yield len(inner) > 0, "with such a wide kernel every pixel is near the border: use a smaller one."
    counts = sorted(set(inner.tolist()))
    holds = len(counts) == 1
    yield holds, f"away from the border, the pixels of a row are still written {counts} times: look at kernel/stride."
    yield tuple(answer) not in SHOWN, "this layer stands above: find another one."


@exercise("03.7")
def a_pair_for_64(answer):
    netG, netD = answer
    layers = {"netG.layer5": netG.layer5, "netD.layer1": netD.layer1}
    lost = [name for name, layer in layers.items() if not isinstance(layer, nn.Sequential)]
    hint = f"{lost and lost[0]} is now a bare convolution, without what came after it: replace {lost and lost[0]}[0]."
    yield not lost, hint
    with torch.inference_mode():
        pictures = netG.eval()(torch.zeros(2, 100, 1, 1))
        yield tuple(pictures.shape[2:]) == (64, 64), f"G makes {_by(pictures)}: layer5 should turn 32 into 64."
        yield pictures.shape[1] == 3, f"G's pictures have {pictures.shape[1]} channels: red, green and blue are 3."
        try:
            verdicts = netD.eval()(torch.zeros(2, 3, 64, 64))
        except RuntimeError:
            verdicts = torch.zeros(2, 1, 0, 0)
        yield verdicts.numel() > 0, "D cannot take 64x64: its layer1 should turn that into 32x32, as it did with 96x96."
        yield tuple(verdicts.shape) == (2, 1, 1, 1), f"D gives {_by(verdicts)} verdicts a picture; it should give one."


def _by(batch: torch.Tensor) -> str:
    return "x".join(map(str, batch.shape[2:]))
