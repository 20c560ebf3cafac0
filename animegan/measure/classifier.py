"""A small network that reads the attributes of a face, trained on drawn faces, whose attributes are known.

It serves three ends: its features replace Inception's if those weights are not available, the attributes that it reads
in fakes show what a generator makes too seldom, and they give directions in latent space a name.

The weights come with animegan, because distances can only be compared if they rest on the same features. Train them
again with `python -m animegan.measure.train_classifier`.
"""

import colorsys
import functools
import itertools
import math
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from animegan.data import to_unit
from animegan.drawing import CHOICES, EYE_COLOURS, HAIR_COLOURS, Face
from animegan.errors import UserError
from animegan.files import reading

WEIGHTS = Path(__file__).with_name("face_classifier.pth")
FEATURES = 128


def _either_side(style: str) -> str:
    return style.removesuffix(" left").removesuffix(" right")


# The attributes that can be seen in 96 pixels, and their values. Left and right count as one, since training may mirror
# a face, and so do styles that differ in a strand.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "hair colour": tuple(HAIR_COLOURS),
    "hair style": CHOICES["back_hair"],
    "fringe": tuple(dict.fromkeys(_either_side(name) for name in CHOICES["fringe"])),
    "eye colour": tuple(EYE_COLOURS),
    "eyes": tuple(dict.fromkeys(_either_side(name) for name in CHOICES["eyes"])),
    "expression": CHOICES["expression"],
    "accessory": CHOICES["accessory"],
    "skin": CHOICES["skin"],
}


def attributes(face: Face) -> dict[str, str]:
    """The value of each of ATTRIBUTES for a drawn face."""
    return {
        "hair colour": _colour(HAIR_COLOURS, face.hair_hue, face.hair_saturation, face.hair_value),
        "hair style": face.back_hair,
        "fringe": _either_side(face.fringe),
        "eye colour": _colour(EYE_COLOURS, face.eye_hue, face.eye_saturation, face.eye_value),
        "eyes": _either_side(face.eyes),
        "expression": face.expression,
        "accessory": face.accessory,
        "skin": face.skin,
    }


def _colour(palette: dict[str, tuple], *hsv: float) -> str:
    """The name of the nearest colour of a palette, measured in RGB."""
    rgb = colorsys.hsv_to_rgb(*hsv)
    shades = [(name, colorsys.hsv_to_rgb(*shade)) for name, entries in palette.items() for _, shade in entries]
    return min(shades, key=lambda shade: math.dist(shade[1], rgb))[0]


class FaceClassifier(nn.Module):
    """Input [B, 3, 96, 96] in [-1, 1]; output {attribute: logits [B, number of its values]}.

    Source: a plain convolutional network with five strided layers like NetD's, BatchNorm and mean pooling.
    """

    def __init__(self):
        super().__init__()
        widths = (3, 24, 48, 96, 128, FEATURES)
        self.body = nn.Sequential()
        for channels_in, channels_out in itertools.pairwise(widths):
            convolution = nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False)
            self.body.append(nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)))
        self.heads = nn.ModuleDict({_key(name): nn.Linear(FEATURES, len(v)) for name, v in ATTRIBUTES.items()})

    def features(self, x: Tensor) -> Tensor:
        """What it sees in a face, [B, FEATURES]: the last layer before the attributes, averaged over all positions."""
        return self.body(x).mean((2, 3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.features(x)
        return {name: self.heads[_key(name)](features) for name in ATTRIBUTES}

    @torch.inference_mode()
    def read(self, images: Tensor | np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
        """Features [N, FEATURES] and, by attribute, the numbers [N] of the most likely values.

        images: uint8 [N, 3, 96, 96], or float in [-1, 1].
        """
        features, values = [], {name: [] for name in ATTRIBUTES}
        for part in torch.as_tensor(np.asarray(images)).split(256):
            features.append(self.features(to_unit(part) if part.dtype == torch.uint8 else part))
            for name, numbers in values.items():
                numbers.append(self.heads[_key(name)](features[-1]).argmax(1))
        return torch.cat(features), {name: torch.cat(numbers) for name, numbers in values.items()}


def _key(attribute: str) -> str:
    return attribute.replace(" ", "_")


def read_tensors(path: str | Path, fix: str) -> dict[str, Tensor]:
    """The weights in a file, {name: tensor}, without running code from it; UserError, with `fix`, for anything else."""
    if not os.path.isfile(path):  # nor a pipe, which would be waited for
        raise UserError(f"there is no file {path}: {fix}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Not load_weights, which takes only PyTorch's newer format: Inception's file is older than that.
            weights = torch.load(path, map_location="cpu", weights_only=True)
        if not all(isinstance(name, str) and value.isfinite().all() for name, value in weights.items()):
            raise ValueError("a weight is not finite")
        return dict(weights)
    except Exception as error:  # PyTorch has many types of tensors, and of errors
        raise UserError(f"{path} does not hold the weights of a network: {fix}.") from error


@functools.cache
def face_classifier() -> FaceClassifier:
    """The classifier with the weights that come with animegan, in eval mode, on the CPU."""
    weights = read_tensors(WEIGHTS, "restore it, or train it again with python -m animegan.measure.train_classifier")
    classifier = FaceClassifier()
    with reading(WEIGHTS, "restore it", RuntimeError):
        classifier.load_state_dict({name: value.float() for name, value in weights.items()})
    return classifier.eval().requires_grad_(False)
