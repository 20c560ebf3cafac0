"""All settings of a run with their ranges (`TrainConfig`), and the sizes that several rooms share."""

import math
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, NamedTuple

from animegan.errors import UserError

IMAGE_SIZE = 96  # pixels a side; 4 -> 8 -> 16 -> 32 by stride 2, then 32 -> 96 by stride 3: no other size comes out

# `--quick`: a run that a laptop without a GPU finishes within minutes, on QUICK_COUNT drawn faces.
QUICK = {"ngf": 32, "ndf": 16, "batchSize": 16, "lr": 0.0004}
QUICK_COUNT = 1024
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


def setting(default: Any, help: str = "", range: Range | None = None, choices: tuple[str, ...] = ()) -> Any:
    """A field of a dataclass of settings: its default, the sentence for `--help`, and the values that it takes."""
    return field(default=default, metadata={"help": help, "range": range, "choices": choices})


def check_setting(option: str, value: Any, known: Field) -> None:
    """Raise UserError unless the value has the type of the field and lies in its range.

    option: option and value as the user wrote them, e.g. "--lr 0" or "--set ema=2".
    """
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number if known.type is float else type(value) is known.type):
        example = f", e.g. {known.default}" if known.default else ""
        raise UserError(f"{option} is not {kinds[known.type]}; give one{example}.")
    choices, range = known.metadata.get("choices"), known.metadata.get("range")
    if choices and value not in choices:
        raise UserError(f"{option} is not known; choose {', '.join(choices[:-1])} or {choices[-1]}.")
    if range and not range.covers(value):
        raise UserError(f"{option} is out of range: it takes {range}.")


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

    recipe: str = setting("stable", "how a step is done: 'stable' gives faces, 'handout' repeats the handout")
    seed: int = setting(0, "seed of all random numbers", Range(0, 2**63))
    precision: str = setting(
        "float32", "number format of the convolutions: float32, or bfloat16, faster where the hardware has it",
        choices=("float32", "bfloat16"),
    )  # fmt: skip
    hold_out: int = setting(0, "images to keep out of training, for `animegan evaluate` to measure with", Range(0))
    device: str = setting("auto", "auto, cpu, cuda, cuda:1, mps; auto takes the GPU if there is one")
    changes: dict = field(default_factory=dict)  # ingredients of the recipe that this run overrides

    def __post_init__(self):
        for known in fields(self):
            name, value = known.name, getattr(self, known.name)
            if name in ("data_path", "outf"):
                object.__setattr__(self, name, str(value))  # a pathlib.Path is welcome too
                if not str(value).strip():
                    raise UserError(f"--{name} is empty: name a folder, e.g. {known.default} (is a variable not set?).")
            elif name != "changes":
                check_setting(f"--{name} {value!r}", value, known)
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
        raise UserError(
            f"--imageSize {size} does not fit this network: its layers make 4, 8, 16, 32 (stride 2) and then "
            f"96 (stride 3), nothing else; leave --imageSize at 96 (images of any size are resized to it)."
        )
