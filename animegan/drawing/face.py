"""The attributes of a drawn face, and how a random face gets them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, fields

from animegan.drawing.clothes import COLLARS
from animegan.drawing.features import BROWS, EXPRESSIONS, EYE_SHAPES, EYES, HIGHLIGHTS
from animegan.drawing.fringe import FRINGES
from animegan.drawing.hair import BACK_HAIR
from animegan.drawing.palette import SKINS
from animegan.drawing.scene import ACCESSORIES, BACKGROUNDS
from animegan.errors import UserError

CHOICES = {
    "skin": tuple(SKINS), "fringe": tuple(FRINGES), "back_hair": BACK_HAIR, "eyes": EYES,
    "eye_shape": tuple(EYE_SHAPES), "highlights": tuple(HIGHLIGHTS), "brows": tuple(BROWS),
    "expression": EXPRESSIONS, "accessory": ACCESSORIES, "collar": COLLARS, "background": BACKGROUNDS,
}  # fmt: skip
# The ranges within which the drawing works; all other numbers may be from -2 to 2.
LIMITS = {
    "chin": (-6, 6), "scale": (0.5, 2), "tilt": (-45, 45), "turn": (-1, 1), "shift_x": (-30, 30), "shift_y": (-30, 30),
    "variation": (0, 9999),
}  # fmt: skip


@dataclass(frozen=True)
class Face:
    """All attributes of one drawn face. Its fields, in this order, are the columns of `attributes.csv`.

    Hues, saturations and values are 0..1, as are amounts (volume, length, shine, blush). Sizes are
    factors around 1. Lengths (`chin`, `eye_distance`, shifts) are in pixels of a picture 96 pixels wide.
    `gaze`, `light` and `turn` go from -1 (left) to 1 (right); `tilt` is in degrees. `variation` seeds
    the details that have no attribute: where a strand lies, where a tip hangs.

    Raises UserError for a style that does not exist and for a number out of range.
    """

    skin: str
    face_width: float
    chin: float
    hair_hue: float
    hair_saturation: float
    hair_value: float
    hair_volume: float
    hair_length: float
    messiness: float
    shine: float
    fringe: str
    fringe_length: float
    side_locks: float
    back_hair: str
    eyes: str
    eye_shape: str
    eye_hue: float
    eye_saturation: float
    eye_value: float
    eye_size: float
    eye_distance: float
    gaze_x: float
    gaze_y: float
    highlights: str
    brows: str
    expression: str
    mouth_size: float
    blush: float
    accessory: str
    accessory_hue: float
    collar: str
    collar_hue: float
    collar_saturation: float
    collar_value: float
    background: str
    background_hue: float
    background_saturation: float
    background_value: float
    light: float
    tilt: float
    turn: float
    scale: float
    shift_x: float
    shift_y: float
    variation: int

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name in CHOICES:
                if value not in CHOICES[name]:
                    raise UserError(f"there is no {name} {value!r}: choose one of {', '.join(CHOICES[name])}")
                continue
            low, high = LIMITS.get(name, (-2, 2))
            kind = int if field.type == "int" else (int, float)
            if not isinstance(value, kind) or not low <= value <= high:
                whole = "a whole number" if field.type == "int" else "a number"
                raise UserError(f"{name} must be {whole} from {low} to {high}, not {value!r}")

    @staticmethod
    def random(seed: int, index: int) -> Face:
        """Face number `index` (0, 1, ...) of the endless sequence of faces that belongs to `seed`."""
        return random_face(Sampler(f"{seed}-{index}"))


# ---------------------------------------------------------------- random faces

# The colours of hair and eyes by name: for each shade its weight, then hue, saturation and value.
HAIR_COLOURS = {
    "black": ((10, (0.66, 0.25, 0.24)), (6, (0.02, 0.2, 0.27))),
    "brown": ((12, (0.05, 0.5, 0.42)), (8, (0.07, 0.55, 0.58)), (6, (0.03, 0.62, 0.5))),
    "blonde": ((12, (0.125, 0.5, 0.93)), (6, (0.105, 0.6, 0.82)), (5, (0.13, 0.2, 0.95))),
    "silver": ((6, (0.62, 0.1, 0.88)),),
    "red": ((7, (0.01, 0.7, 0.76)), (6, (0.055, 0.72, 0.9))),
    "pink": ((10, (0.93, 0.4, 0.95)), (5, (0.9, 0.6, 0.85))),
    "violet": ((9, (0.75, 0.42, 0.72)), (5, (0.7, 0.3, 0.85))),
    "blue": ((10, (0.61, 0.58, 0.78)), (6, (0.57, 0.4, 0.92))),
    "green": ((6, (0.5, 0.45, 0.82)), (6, (0.38, 0.4, 0.7)), (6, (0.25, 0.45, 0.78))),
}
EYE_COLOURS = {
    "blue": ((16, (0.59, 0.75, 0.85)), (8, (0.53, 0.7, 0.85))),
    "brown": ((12, (0.06, 0.7, 0.62)), (8, (0.1, 0.8, 0.85))),
    "green": ((10, (0.36, 0.65, 0.72)),), "red": ((10, (0.99, 0.75, 0.82)),), "violet": ((10, (0.76, 0.6, 0.8)),),
    "pink": ((7, (0.92, 0.6, 0.9)),), "grey": ((4, (0.65, 0.25, 0.55)),),
}  # fmt: skip
_EXPRESSIONS = (
    (18, "neutral"), (20, "smile"), (14, "open smile"), (10, "laugh"), (5, "sad"), (6, "surprised"),
    (6, "pout"), (6, "cat"), (5, "smirk"), (4, "fang"), (5, "gasp"),
)  # fmt: skip
_HAPPY = ("smile", "open smile", "laugh", "cat", "fang")
_BROWS = {
    "sad": ((6, "worried"), (1, "flat")), "laugh": ((3, "raised"), (3, "arched")),
    "surprised": ((4, "raised"), (1, "worried")), "gasp": ((3, "raised"), (2, "worried")),
    "fang": ((3, "angry"), (2, "arched")), "pout": ((3, "angry"), (2, "worried")),
    "smirk": ((3, "angry"), (2, "flat"), (2, "arched")),
}  # fmt: skip
_USUAL_BROWS = ((3, "flat"), (4, "arched"), (1, "angry"), (1.5, "worried"), (1.5, "raised"))
_SKINS = ((12, "porcelain"), (34, "fair"), (30, "peach"), (10, "tan"), (7, "brown"), (5, "deep"))
_BACKGROUNDS = (
    (30, "plain"), (26, "gradient"), (7, "stripes"), (6, "dots"), (10, "bokeh"), (5, "checks"), (6, "rays"),
    (8, "halves"),
)  # fmt: skip


class Sampler:
    """Random numbers and choices from one seed.

    They use `random.Random.random` alone: the only method whose sequence every version of Python keeps
    (Python documentation, `random`, "Notes on Reproducibility").
    """

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed).random

    def uniform(self, low: float, high: float) -> float:
        return round(low + (high - low) * self.random(), 4)

    def normal(self, middle: float, spread: float) -> float:
        """Roughly normal, and at most two spreads away from the middle."""
        bell = (self.random() + self.random() + self.random() + self.random() - 2) * math.sqrt(3)
        return round(middle + spread * min(max(bell, -2.0), 2.0), 4)

    def choice(self, values: tuple):
        return values[int(self.random() * len(values))]

    def weighted(self, pairs: tuple):
        """One value of pairs (weight, value)."""
        left = self.random() * sum(weight for weight, _ in pairs)
        for weight, value in pairs:
            left -= weight
            if left < 0:
                return value
        return pairs[-1][1]

    def shade(self, colour: tuple, hue: float, rest: float) -> tuple[float, float, float]:
        """A colour near (hue, saturation, value) `colour`, with these spreads of its hue and of the other two."""
        saturation = min(max(self.normal(colour[1], rest), 0.02), 1.0)
        value = min(max(self.normal(colour[2], rest), 0.12), 1.0)
        return round(self.normal(colour[0], hue) % 1, 4), saturation, value


def random_face(sampler: Sampler) -> Face:
    """A face whose attributes fit together. The order of the draws is part of every face: never change it."""
    hair = sampler.shade(sampler.weighted(sum(HAIR_COLOURS.values(), ())), 0.02, 0.07)
    iris = sampler.shade(sampler.weighted(sum(EYE_COLOURS.values(), ())), 0.03, 0.1)
    expression = sampler.weighted(_EXPRESSIONS)
    happy = expression in _HAPPY
    lids = (
        (80, "open"), (1 if happy else 6, "half open"), (4, "closed"), (12 if happy else 1, "smiling"),
        (3, "wink left"), (3, "wink right"),
    )  # fmt: skip
    back_hair = sampler.choice((*BACK_HAIR, "long", "long", "short", "bob"))
    accessory = sampler.weighted(tuple((60 if name == "none" else 5, name) for name in ACCESSORIES))
    tall = accessory in ("cat ears", "hat") or back_hair == "buns"  # these need room above the head
    return Face(
        skin=sampler.weighted(_SKINS), face_width=sampler.normal(1, 0.035), chin=sampler.normal(0, 1.2),
        hair_hue=hair[0], hair_saturation=hair[1], hair_value=hair[2], hair_volume=sampler.uniform(0, 1),
        hair_length=sampler.uniform(0, 1), messiness=sampler.uniform(0, 1), shine=sampler.uniform(0, 1),
        fringe=sampler.choice(CHOICES["fringe"]), fringe_length=sampler.uniform(0, 1),
        side_locks=sampler.uniform(0, 1), back_hair=back_hair,
        eyes=sampler.weighted(lids), eye_shape=sampler.choice(CHOICES["eye_shape"]),
        eye_hue=iris[0], eye_saturation=iris[1], eye_value=iris[2], eye_size=sampler.normal(1.1, 0.055),
        eye_distance=sampler.normal(0, 0.5), gaze_x=sampler.normal(0, 0.4), gaze_y=sampler.normal(0, 0.35),
        highlights=sampler.choice(CHOICES["highlights"]), brows=sampler.weighted(_BROWS.get(expression, _USUAL_BROWS)),
        expression=expression, mouth_size=sampler.normal(1, 0.1), blush=sampler.uniform(0, 1), accessory=accessory,
        # near the complementary colour of the hair, so that the two go well together
        accessory_hue=round((hair[0] + sampler.choice((0.33, 0.42, 0.5, 0.58, 0.67)) + sampler.normal(0, 0.05)) % 1, 4),
        collar=sampler.choice(COLLARS), collar_hue=sampler.uniform(0, 1),
        collar_saturation=sampler.uniform(0.05, 0.65), collar_value=sampler.uniform(0.3, 0.98),
        background=sampler.weighted(_BACKGROUNDS), background_hue=sampler.uniform(0, 1),
        background_saturation=sampler.uniform(0.03, sampler.uniform(0.05, 0.55)),
        background_value=sampler.uniform(*sampler.weighted(((5, (0.8, 1.0)), (1, (0.3, 0.7))))),
        light=sampler.choice((-1, 1)) * sampler.uniform(0.4, 1), tilt=sampler.normal(0, 7.5),
        turn=sampler.normal(0, 0.45), scale=sampler.normal(0.93 if tall else 1.0, 0.065),
        shift_x=sampler.normal(0, 2), shift_y=sampler.normal(2.5 if tall else 0, 2),
        variation=int(sampler.random() * 10000),
    )  # fmt: skip
