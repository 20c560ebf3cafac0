"""A small network that reads the attributes of a face, learnt from drawn faces, whose attributes are known.

It serves three ends: its features stand in for Inception's where those weights cannot be had, the attributes that it
reads in fakes show what a generator makes too seldom, and they give directions in latent space a name.

    python -m animegan.measure.classifier    learns it anew (some minutes) and writes the weights that come with it

The weights come with animegan, because a distance in features can only be compared with another one in the same
features.
"""

from __future__ import annotations

import colorsys
import functools
import itertools
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from animegan.data import to_unit
from animegan.drawing import CHOICES, EYE_COLOURS, HAIR_COLOURS, Face, draw
from animegan.errors import UserError
from animegan.models import load_weights, save_weights

WEIGHTS = Path(__file__).with_name("face_classifier.pth")
FEATURES = 128


def _either(style: str) -> str:
    return style.removesuffix(" left").removesuffix(" right")


# The attributes that can be seen in 96 pixels, and their values. Left and right are not told apart, since training
# may mirror a face, and styles that differ in a strand are one.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "hair colour": tuple(HAIR_COLOURS),
    "hair style": CHOICES["back_hair"],
    "fringe": tuple(dict.fromkeys(_either(name) for name in CHOICES["fringe"])),
    "eye colour": tuple(EYE_COLOURS),
    "eyes": tuple(dict.fromkeys(_either(name) for name in CHOICES["eyes"])),
    "expression": CHOICES["expression"],
    "accessory": CHOICES["accessory"],
    "skin": CHOICES["skin"],
}


def attributes(face: Face) -> dict[str, str]:
    """The value of each of ATTRIBUTES for a drawn face."""
    return {
        "hair colour": _colour(HAIR_COLOURS, face.hair_hue, face.hair_saturation, face.hair_value),
        "hair style": face.back_hair,
        "fringe": _either(face.fringe),
        "eye colour": _colour(EYE_COLOURS, face.eye_hue, face.eye_saturation, face.eye_value),
        "eyes": _either(face.eyes),
        "expression": face.expression,
        "accessory": face.accessory,
        "skin": face.skin,
    }


def _colour(palette: dict[str, tuple], *hsv: float) -> str:
    """The name of the nearest colour of a palette, measured in RGB."""
    wanted = colorsys.hsv_to_rgb(*hsv)
    shades = [(name, colorsys.hsv_to_rgb(*shade)) for name, entries in palette.items() for _, shade in entries]
    return min(shades, key=lambda named: math.dist(named[1], wanted))[0]


class FaceClassifier(nn.Module):
    """Input [B, 3, 96, 96] in [-1, 1]; output {attribute: logits [B, number of its values]}.

    Source: a plain convolutional network of five strided layers, as NetD's, with BatchNorm and mean pooling.
    """

    def __init__(self):
        super().__init__()
        widths = (3, 24, 48, 96, 128, FEATURES)
        self.body = nn.Sequential(*(_layer(*pair) for pair in itertools.pairwise(widths)))
        self.heads = nn.ModuleDict({_key(name): nn.Linear(FEATURES, len(v)) for name, v in ATTRIBUTES.items()})

    def features(self, x: Tensor) -> Tensor:
        """What it sees in a face, [B, FEATURES]: the last layer before the attributes, averaged over places."""
        return self.body(x).mean((2, 3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.features(x)
        return {name: self.heads[_key(name)](features) for name in ATTRIBUTES}

    @torch.inference_mode()
    def read(self, pictures: Tensor | np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
        """Features [N, FEATURES] and, by attribute, the number [N] of the likeliest value.

        pictures: uint8 [N, 3, 96, 96], or float in [-1, 1].
        """
        features, values = [], {name: [] for name in ATTRIBUTES}
        for part in torch.as_tensor(np.asarray(pictures)).split(256):
            seen = self.features(to_unit(part) if part.dtype == torch.uint8 else part)
            features.append(seen)
            for name, found in values.items():
                found.append(self.heads[_key(name)](seen).argmax(1))
        return torch.cat(features), {name: torch.cat(found) for name, found in values.items()}


def _layer(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _key(attribute: str) -> str:
    return attribute.replace(" ", "_")


@functools.cache
def face_classifier() -> FaceClassifier:
    """The classifier with the weights that come with animegan, in eval mode, on the CPU."""
    if not WEIGHTS.is_file():
        raise UserError(f"{WEIGHTS.name} is missing: learn it anew with python -m animegan.measure.classifier")
    classifier = FaceClassifier()
    classifier.load_state_dict({name: value.float() for name, value in load_weights(WEIGHTS).items()})
    return classifier.eval().requires_grad_(False)


def drawn_with_attributes(count: int, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """The faces 0 .. `count` - 1 of `seed`: uint8 [count, 3, 96, 96], and by attribute the numbers of its values."""
    pictures = torch.empty(count, 3, 96, 96, dtype=torch.uint8)
    values = {name: torch.empty(count, dtype=torch.long) for name in ATTRIBUTES}
    for index in tqdm(range(count), unit=" faces drawn", disable=count < 4096):
        face = Face.random(seed, index)
        pictures[index] = torch.from_numpy(np.array(draw(face))).permute(2, 0, 1)
        for name, value in attributes(face).items():
            values[name][index] = ATTRIBUTES[name].index(value)
    return pictures, values


def learn(pictures: Tensor, values: dict[str, Tensor], epochs: int, seed: int = 0) -> FaceClassifier:
    """A classifier that learnt from pictures uint8 [N, 3, 96, 96] and their attributes."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = FaceClassifier().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.02)
    steps = epochs * (len(pictures) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.004, total_steps=steps)
    bar = tqdm(total=steps, unit=" steps", desc="learning")
    with bar:
        for _ in range(epochs):
            order = torch.randperm(len(pictures), generator=random)
            for chosen in order[: len(order) // 64 * 64].view(-1, 64):
                said = classifier(_roughened(to_unit(pictures[chosen]), random))
                # Some smoothing, for attributes that hair or a hand hides.
                loss = sum(F.cross_entropy(said[k], v[chosen], label_smoothing=0.05) for k, v in values.items())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.update()
    return classifier.eval()


def _roughened(x: Tensor, random: torch.Generator) -> Tensor:
    """Faces as a generator might make them: mirrored, shifted, brighter, paler, softer, with noise.

    A classifier that only ever saw clean drawings would read attributes into the smudges of a fake.
    """
    flip, soft = (torch.rand(len(x), 1, 1, 1, generator=random) < 0.5 for _ in range(2))
    x = torch.where(flip, x.flip(3), x)
    x = torch.where(soft, F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False), x)
    down, right = torch.randint(-6, 7, (2,), generator=random).tolist()
    x = torch.roll(x, (down, right), (2, 3))
    light, contrast, grain = (torch.rand(3, len(x), 1, 1, 1, generator=random) * 2 - 1).unbind()
    x = (x * (1 + 0.15 * contrast) + 0.15 * light).clamp(-1, 1)
    return x + 0.08 * grain * torch.randn(x.shape, generator=random)


def accuracy(classifier: FaceClassifier, pictures: Tensor, values: dict[str, Tensor]) -> dict[str, float]:
    """The share of faces, 0..1, whose value it names, by attribute."""
    _, said = classifier.read(pictures)
    return {name: (said[name] == value).float().mean().item() for name, value in values.items()}


def _main() -> None:
    classifier = learn(*drawn_with_attributes(12288, seed=4), epochs=16)
    save_weights(WEIGHTS, {name: value.half() for name, value in classifier.state_dict().items()})
    face_classifier.cache_clear()
    for name, share in accuracy(face_classifier(), *drawn_with_attributes(2048, seed=5)).items():
        print(f"{name:12} {share:6.1%} of 2,048 faces that it had never seen; {len(ATTRIBUTES[name])} values")
    print(f"{WEIGHTS} ({WEIGHTS.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    _main()
