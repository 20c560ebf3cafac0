"""TrainConfig: every setting of a run, the handout's ten under their own names, then ours."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from animegan.errors import UserError

PRECISIONS = ("float32", "bfloat16")
IMAGE_SIZE = 96  # 4 -> 8 -> 16 -> 32 by stride 2, then 32 -> 96 by stride 3: no other size comes out


def _option(default: Any, help: str) -> Any:
    """A field that also carries the sentence that `animegan train --help` prints for it."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training run; they are checked when it is made.

    The first ten are the options of the handout's train.py, with its names and its defaults.
    Raises UserError, with what to do, for a value that cannot work.
    """

    batchSize: int = _option(64, "pictures in one training step")
    imageSize: int = _option(96, "height and width of a picture; this network makes 96 only")
    nz: int = _option(100, "length of the latent vector z")
    ngf: int = _option(64, "feature maps of NetG's last hidden layer")
    ndf: int = _option(64, "feature maps of NetD's first layer")
    epoch: int = _option(25, "epochs to train for: one epoch shows every picture once")
    lr: float = _option(0.0002, "learning rate of Adam")
    beta1: float = _option(0.5, "beta1 of Adam")
    data_path: str = _option("data/", "folder with the pictures to learn from")
    outf: str = _option("imgs/", "run folder: grids, weights, history and checkpoint go there")

    recipe: str = _option("stable", "how a step is done: 'stable' gives faces, 'handout' repeats the handout")
    seed: int = _option(0, "seed of everything that is random")
    precision: str = _option("float32", "numbers in which convolutions compute: float32, or bfloat16, which is faster")
    hold_out: int = _option(0, "pictures to leave out of training, for `animegan evaluate` to measure with")
    device: str = _option("auto", "auto, cpu, cuda, cuda:1, mps; auto takes the GPU where there is one")
    changes: dict = field(  # ingredients of the recipe that this run sets otherwise
        default_factory=dict, metadata={"help": "change an ingredient of the recipe, e.g. --set ema=0.99"}
    )

    def __post_init__(self):
        for name in ("batchSize", "imageSize", "nz", "ngf", "ndf", "epoch", "seed", "hold_out"):
            if type(getattr(self, name)) is not int:
                raise UserError(
                    f"--{name} {getattr(self, name)!r} is not a whole number; give one, e.g. {_default(name)}."
                )
        for name in ("lr", "beta1"):
            if not isinstance(getattr(self, name), int | float):
                raise UserError(f"--{name} {getattr(self, name)!r} is not a number; give one, e.g. {_default(name)}.")
        for name in ("data_path", "outf"):
            object.__setattr__(self, name, str(getattr(self, name)))  # a pathlib.Path is welcome too
            if not getattr(self, name).strip():
                raise UserError(f"--{name} is empty: name a folder, e.g. {_default(name)} (is a variable not set?).")
        check_image_size(self.imageSize)
        if self.precision not in PRECISIONS:
            raise UserError(f"--precision {self.precision} is not known; choose {' or '.join(PRECISIONS)}.")
        if self.batchSize < 2:
            raise UserError(
                f"--batchSize {self.batchSize} is too small: BatchNorm needs at least 2 pictures to tell their "
                f"mean from their spread; 64 is usual, 16 saves memory."
            )
        for name in ("nz", "ngf", "ndf", "epoch"):
            if getattr(self, name) < 1:
                raise UserError(
                    f"--{name} {getattr(self, name)} is too small; give 1 or more ({_default(name)} is usual)."
                )
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise UserError(f"--lr {self.lr:g} cannot train: the learning rate is a number above 0; 0.0002 is usual.")
        if not 0 <= self.beta1 < 1:
            raise UserError(f"--beta1 {self.beta1:g} is out of range: Adam takes 0 to below 1; 0.5 is usual for GANs.")
        if self.hold_out < 0:
            raise UserError(f"--hold_out {self.hold_out} is out of range; give 0 or more, e.g. 2048 of 6000 pictures.")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"--seed {self.seed} is out of range; give a whole number from 0 to 2**63 - 1.")

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


def _default(name: str) -> Any:
    return TrainConfig.__dataclass_fields__[name].default


def check_image_size(size: int) -> None:
    """Raise UserError unless `size` is the one that this network makes."""
    if size != IMAGE_SIZE:
        raise UserError(
            f"--imageSize {size} does not fit this network: its layers make 4, 8, 16, 32 (stride 2) and then "
            f"96 (stride 3), nothing else; leave --imageSize at 96 (pictures of any size are resized to it)."
        )


# What `--quick` stands for: a run that a laptop without a GPU finishes within minutes.
QUICK = {"ngf": 32, "ndf": 16, "batchSize": 16, "lr": 0.0004}
QUICK_COUNT = 1024  # and so many drawn faces
