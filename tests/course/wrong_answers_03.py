"""Wrong answers to the exercises of notebook 03, and a piece of the hint that each must meet."""

from torch import nn

from animegan.models import NetD, NetG


def _size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def _field(layers, jumps=lambda jump, stride: jump * stride, start=1):
    field, jump = start, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jumps(jump, stride)
    return field


def _weights(channels_in, channels_out, kernel, batchnorm):
    return channels_in * channels_out * kernel * kernel


def _pair(layer5=(4, 2, 1), layer1=(4, 2, 1), channels=3):
    netG, netD = NetG(), NetD()
    netG.layer5[0] = nn.ConvTranspose2d(64, channels, *layer5, bias=False)
    netD.layer1[0] = nn.Conv2d(3, 64, *layer1, bias=False)
    return netG, netD


def _bare_layer5():
    netG = NetG()
    netG.layer5 = nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False)
    return netG, NetD()


WRONG = {
    "03.1": [
        (lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride, "counts, too"),
        (lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1, "on both sides"),
        (lambda size, *layer: size if layer[1] == 2 else _size(size, *layer), "halves an even size"),
        (lambda size, *layer: 0 if size == layer[0] else _size(size, *layer), "one place in 4 pixels"),
        (lambda size, kernel, stride, padding: -(-(size + 2 * padding - kernel) // stride) + 1, "98 becomes 32"),
    ],
    "03.2": [
        (lambda size, kernel, stride, padding: size * stride, "a whole kernel of 4"),
        (lambda size, kernel, stride, padding: kernel + size - 1, "gave 11"),
        (lambda size, kernel, stride, padding: (size - 1) * stride + kernel - padding, "9 in the row above"),
        (lambda size, kernel, stride, padding: min(95, (size - 1) * stride + kernel - 2 * padding), "32 becomes 96"),
    ],
    "03.3": [((128, 93, 120), "a: "), ((64, 96, 120), "b: "), ((64, 93, 192), "c: ")],
    "03.4": [
        (lambda channels_in, channels_out, kernel, batchnorm: kernel, "5x5 weights"),
        (lambda channels_in, channels_out, kernel, batchnorm: channels_in * kernel**2, "for each pair"),
        (_weights, "a scale and a shift"),
        (lambda *layer: _weights(*layer) + 128 * layer[3], "do not add up"),
    ],
    "03.5": [
        (lambda layers: 15, "sees 5 pixels"),
        (lambda layers: max([kernel for kernel, _ in layers], default=1), "the second adds 2"),
        (lambda layers: _field(layers, lambda jump, stride: 1), "3 pixels apart"),
        (lambda layers: _field(layers, lambda jump, stride: jump + stride if jump > 1 else stride), "strides multiply"),
        (lambda layers: _field(layers) if layers else 0, "sees itself"),
    ],
    "03.6": [
        ((5, 3), "three numbers"),
        ((6, 3, 1), "the size does not fit"),
        ((6, 3, 1.5), "no layer at all"),
        ((65, 1, 0), "near the border"),
        ((5, 3, 1), "written [1, 2] times"),
        ((9, 3, 3), "find another one"),
    ],
    "03.7": [
        (_bare_layer5(), "netG.layer5 is now a bare convolution"),
        (_pair(layer5=(5, 3, 1)), "G makes 96x96"),
        (_pair(channels=1), "have 1 channels"),
        (_pair(layer1=(5, 3, 1)), "D cannot take 64x64"),
        (_pair(layer1=(3, 1, 1)), "it should give one"),
    ],
}
