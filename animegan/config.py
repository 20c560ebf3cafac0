"""All settings of a run with their ranges (`TrainConfig`), and the sizes that several rooms share."""

import math
import os
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, NamedTuple

from animegan.errors import UserError

IMAGE_SIZE = 96  # pixels a side; 4 -> 8 -> 16 -> 32 by stride 2, then 32 -> 96 by stride 3: no other size comes out

MAX_PIXELS = 64_000_000  # of a picture that is read: a decompression bomb is recognised by its header
MAX_BYTES = 128 * 2**20  # a larger picture file is not even read
# Formats that their first bytes identify; for others Pillow guesses, or starts a program (EPS).
PICTURE_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "AVIF", "PPM", "ICO")

# `--quick`: a run that a laptop without a GPU finishes within minutes, on QUICK_COUNT drawn faces.
QUICK = {"ngf": 32, "ndf": 24, "lr": 0.0004}
QUICK_COUNT = 1536
DRAWN_FOLDER, DRAWN_COUNT = "data/drawn", 2048  # where `animegan draw` puts how many faces


class Range(NamedTuple):
    """The numbers that a setting takes: from `low` (without it if `open`) to below `below`; also 0 if `or_0`."""

    low: float
    below: float = math.inf
    or_0: bool = False
    open: bool = False
    why: str = ""

    def covers(self, value: float) -> bool:
        inside = self.low < value < self.below if self.open else self.low <= value < self.below
        return inside or (self.or_0 and value == 0)

    def __str__(self) -> str:
        limit = f"more than {self.low}" if self.open else f"{self.low} or more"
        if self.below < math.inf:
            limit = f"{'more than ' * self.open}{self.low} to below {self.below}"
        return "0, or " * self.or_0 + limit + f" ({self.why})" * bool(self.why)


def setting(
    default: Any, help: str = "", range: Range | None = None, choices: tuple[str, ...] = (), later: bool = False
) -> Any:
    """A field of a dataclass of settings: its default, the sentence for `--help`, and the values that it takes.

    later: it was added when there were runs already, which are without it: their run.json may lack it.
    """
    return field(default=default, metadata={"help": help, "range": range, "choices": choices, "later": later})


def check_setting(option: str, value: Any, known: Field) -> Any:
    """The value in the type of the field, a whole number as a float where that is the type.

    option: the option as the user writes it before the value, e.g. "--lr " or "--set ema=".
    Raises UserError unless the value has that type and lies in the range of the field.
    """
    if isinstance(value, int) and abs(value) >= 2**63:
        raise UserError(f"{option.strip()} takes no number of more than 18 digits: give a smaller one.")
    option += (repr(value) if option.endswith(" ") else str(value))[:80]
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a word", dict: "a dictionary"}
    if known.type is float and isinstance(value, int | float) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not known.type:
        example = f", e.g. {known.default}" if isinstance(known.default, int | float | str) and known.default else ""
        raise UserError(f"{option} is not {kinds[known.type]}; give one{example}.")
    choices, range = known.metadata.get("choices"), known.metadata.get("range")
    if choices and value not in choices:
        raise UserError(f"{option} is not known; choose {', '.join(choices[:-1])} or {choices[-1]}.")
    if range and not range.covers(value):
        raise UserError(f"{option} is out of range: it takes {range}.")
    return value


def check_complete(values: dict[str, Any], kind: type) -> None:
    """Raise ValueError if a run.json has no value for a setting of `kind`, unless it was added later."""
    if missing := [f.name for f in fields(kind) if f.name not in values and not f.metadata.get("later")]:
        raise ValueError(f"it has no {missing[0]}")


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training run; they are checked when it is made.

    The first ten are the options of the handout's train.py, with its names and its defaults.
    Raises UserError, with what to do, for a value that cannot work.
    """

    batchSize: int = setting(
        64, "images in one batch", Range(2, why="BatchNorm needs at least 2 images for a mean and a spread")
    )
    imageSize: int = setting(96, "height and width of an image; this network makes 96 only")
    nz: int = setting(100, "length of the latent vector z", Range(1))
    ngf: int = setting(64, "feature maps of NetG's last hidden layer", Range(1))
    ndf: int = setting(64, "feature maps of NetD's first layer", Range(1))
    epoch: int = setting(25, "epochs to train for: one epoch shows every image once", Range(1))
    lr: float = setting(0.0002, "learning rate of Adam", Range(0, open=True, why="0.0002 is usual"))
    beta1: float = setting(0.5, "beta1 of Adam", Range(0, 1, why="0.5 is usual for GANs"))
    data_path: str = setting("data/", "folder with the training images")
    outf: str = setting("imgs/", "run folder: grids, weights, history and checkpoint go there")

    recipe: str = setting(
        "stable", "how a step is done: 'stable' gives faces, 'handout' repeats the handout, 'patient' is for 100 epochs"
    )  # fmt: skip
    seed: int = setting(0, "seed of all random numbers", Range(0, 2**63))
    precision: str = setting(
        "auto", "number format of the convolutions: float32, bfloat16, or auto: bfloat16 where the hardware has it, "
        "except for the handout's recipe", choices=("auto", "float32", "bfloat16"), later=True,
    )  # fmt: skip
    hold_out: int = setting(0, "images to keep out of training, for `animegan evaluate` to measure with", Range(0))
    device: str = setting("auto", "auto, cpu, cuda, cuda:1, mps; auto takes the GPU if there is one")
    changes: dict = field(default_factory=dict)  # ingredients of the recipe that this run overrides

    def __post_init__(self):
        for known in fields(self):
            name, value = known.name, getattr(self, known.name)
            value = str(value) if isinstance(value, os.PathLike) else value
            object.__setattr__(self, name, check_setting(f"--{name} ", value, known))
            if name in ("data_path", "outf") and not value.strip():
                raise UserError(f"--{name} is empty: name a folder, e.g. {known.default} (is a variable not set?).")
        check_image_size(self.imageSize)

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, in order, as run.json keeps them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """The inverse of `as_dict`; raises UserError for a setting of another version of animegan."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise UserError(f"this run was made by another version of animegan: unknown setting {', '.join(unknown)}.")
        return cls(**values)


def check_image_size(size: int) -> None:
    """Raise UserError unless `size` is the one that this network makes."""
    if size != IMAGE_SIZE:
        layers = "its layers make 4, 8, 16, 32 (stride 2) and then 96 (stride 3), nothing else"
        fix = "leave --imageSize at 96 (images of any size are resized to it)"
        raise UserError(f"--imageSize {size} does not fit this network: {layers}; {fix}.")
