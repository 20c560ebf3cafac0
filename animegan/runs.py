"""A run folder: everything a training run leaves behind, written atomically and read through `Run`.

    fake_samples_epoch_001.png   64 faces from the fixed noise, after every epoch    (as the handout)
    netG_001.pth  netD_001.pth   both networks, after every epoch                    (as the handout)
    real_samples.png             64 of the training images
    history.csv                  one line per batch: losses, D(x), D(G(z)), seconds
    run.json                     settings, seed, versions, device, fingerprint of the dataset
    checkpoint.pth               all that `--resume` needs
    metrics.csv and others       what the commands after training add: see OUTPUTS

No other module knows these names: everything after training asks `Run`.
"""

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import START_AGAIN, write_bytes, write_picture, write_text
from animegan.grids import cut, grid_picture
from animegan.models import NetD, NetG, generate, load_weights, save_weights
from animegan.recipes import Recipe, get_recipe, new_networks
from animegan.text import ranges

INFO = "run.json"
OUTPUTS = {  # what the commands after training write into a run folder
    "compare": "compare.png",
    "metrics": "metrics.csv",
    "metrics picture": "metrics.png",
    "coverage": "coverage.png",
    "neighbours": "neighbours.png",
    "sample": "sample_epoch_{epoch:03d}.png",
    "walk": "walk.gif",
    "growth": "growth.gif",
}
# Settings in which two runs of the same training may differ: for how many epochs, where its files are, and on which
# device. `changes` is compared ingredient by ingredient.
NOT_COMPARED = ("epoch", "device", "data_path", "outf", "changes")


class Step(NamedTuple):
    """One line of history.csv: means over one batch, which is one training step, or one for each of its minibatches.

    `D_x` is D's mean verdict on the real pictures, `D_G_z` on the fake ones (both 0 to 1, before
    D's update); `seconds` counts from the start of the run, pauses left out.
    """

    epoch: int
    iteration: int
    loss_D: float
    loss_G: float
    D_x: float
    D_G_z: float
    seconds: float


class Run:
    """A run folder, for everything that comes after training.

    path: the folder that `--outf` named. Raises UserError where there is no run in it.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.exists(self.path):
            near = sorted(p.parent.name for p in self.path.glob(f"*/{INFO}")) if self.path.is_dir() else []
            hint = f"it holds the runs {', '.join(near)}: name one of them" if near else "make one with: animegan train"
            raise UserError(f"there is no run in {self.path}; {hint}.")
        file = self.path / INFO
        try:
            self.info: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            self.config = TrainConfig.from_dict(self.info["config"])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file} cannot be read ({error}): restore the file, the run needs it.") from error

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}): {self.config.recipe}, {len(self.epochs)} of {self.config.epoch} epochs"

    # --- reading ---------------------------------------------------------------------------------

    @staticmethod
    def exists(path: str | os.PathLike) -> bool:
        """Whether the folder holds a run."""
        return (Path(path) / INFO).is_file()

    @property
    def recipe(self) -> Recipe:
        """The ingredients that the run was trained with; one that is newer than the run was not used."""
        known = {f.name for f in fields(Recipe)}
        return Recipe(**{name: value for name, value in self.info.get("ingredients", {}).items() if name in known})

    @property
    def pictures(self) -> int | None:
        """How many images the dataset had, held-out ones included; None if the run does not say."""
        return self.info.get("data", {}).get("pictures")

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the dataset: see `data.FaceDataset`."""
        return self.info.get("data", {}).get("fingerprint")

    @property
    def device(self) -> str:
        """What the run was trained on, e.g. "cpu (x86_64)"."""
        return self.info.get("device", "unknown")

    @property
    def diverged(self) -> str | None:
        """Why training was stopped, if it diverged."""
        return self.info.get("diverged")

    @property
    def steps_per_epoch(self) -> int | None:
        """Batches in one epoch; None if the size of the dataset is unknown."""
        return max(0, (self.pictures or 0) - self.config.hold_out) // self.config.batchSize or None

    @property
    def epochs(self) -> list[int]:
        """The epochs with a grid, in order."""
        names = (re.fullmatch(r"fake_samples_epoch_(\d{3,})\.(png|jpg)", p.name) for p in self.path.iterdir())
        return sorted({int(name[1]) for name in names if name})

    @property
    def with_weights(self) -> list[int]:
        """The epochs with the weights of netG, in order."""
        return self._epochs_with("netG_{:03d}.pth")

    def grid(self, epoch: int) -> Image.Image:
        """The fixed-noise grid after `epoch`, 8 by 8 faces; UserError if it is missing."""
        return self._picture(self._epoch_file("fake_samples_epoch_{:03d}.png", epoch))

    def faces(self, epoch: int) -> list[Image.Image]:
        """The 64 faces of a grid one by one, row by row, 96x96 each."""
        return cut(self.grid(epoch))

    @property
    def reals(self) -> Image.Image:
        """A grid of training images."""
        return self._picture(_or_jpeg(self.path / "real_samples.png"))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of history.csv by name (the fields of `Step`), one value per training step."""
        steps = self.read_steps()
        return {name: np.array([getattr(step, name) for step in steps]) for name in Step._fields}

    def generator(self, epoch: int) -> NetG:
        """NetG after `epoch`, on the CPU, in eval mode: the network that drew the grid."""
        netG = NetG(self.config.ngf, self.config.nz, self.recipe.enlarge)
        path = self._epoch_file("netG_{:03d}.pth", epoch)
        try:
            netG.load_state_dict(load_weights(path))
        except RuntimeError as error:
            raise UserError(f"{path} does not fit the networks of {self.path / INFO}: restore it.") from error
        return netG.eval()

    def networks(self) -> tuple[NetG, NetD]:
        """Both networks in the shapes that they have in this run, untrained: for `shapes.shape_table`."""
        return new_networks(self.config, self.recipe)

    def generate(self, epoch: int, z: Tensor, device: str | torch.device = "cpu") -> Tensor:
        """Faces [N, 3, 96, 96] in [-1, 1] from z [N, nz, 1, 1]; computed on `device`, returned on the CPU."""
        with torch.backends.cudnn.flags(allow_tf32=False):
            return generate(self.generator(epoch).to(device), z.to(device)).cpu()

    def share(self, to: str | os.PathLike, weights: Iterable[int] = ()) -> "Run":
        """Copy what is small enough to hand on into the folder `to`: history, settings, what `evaluate` measured, the
        grids as JPEG (a quarter of the size), and netG of the epochs in `weights`; no netD, no checkpoint.

        Returns the copy. Raises UserError if `to` is not empty or an epoch is missing.
        """
        names = [self._epoch_file("netG_{:03d}.pth", epoch).name for epoch in weights]
        if not self.epochs:
            raise UserError(f"{self.path} has no finished epoch yet: continue it with animegan train --resume.")
        if Path(to).is_dir() and any(Path(to).iterdir()):
            raise UserError(f"{to} is not empty, and its files are never overwritten: name a new folder for the copy.")
        copy = Run.create(replace(self.config, outf=str(to)), {k: v for k, v in self.info.items() if k != "config"})
        for name in (*names, "history.csv", *(path.name for path in self.path.glob(OUTPUTS["metrics"]))):
            write_bytes(copy.path / name, (self.path / name).read_bytes())
        for epoch in self.epochs:
            write_picture(copy.path / f"fake_samples_epoch_{epoch:03d}.jpg", self.grid(epoch))
        write_picture(copy.path / "real_samples.jpg", self.reals)
        return copy

    def output(self, name: str, **values: int) -> Path:
        """Where a command after training writes this output: a name in OUTPUTS."""
        return self.path / OUTPUTS[name].format(**values)

    def _epochs_with(self, pattern: str) -> list[int]:
        return [epoch for epoch in self.epochs if _or_jpeg(self.path / pattern.format(epoch)).is_file()]

    def _epoch_file(self, pattern: str, epoch: int) -> Path:
        path = _or_jpeg(self.path / pattern.format(epoch))
        if not path.is_file():
            have = self._epochs_with(pattern)
            nothing = "it exists for no epoch" if self.epochs else "no epoch is finished yet"
            there = f"it exists for epoch {ranges(have)}" if have else nothing
            raise UserError(f"{self.path} has no {path.name}: {there}.")
        return path

    def _picture(self, path: Path) -> Image.Image:
        try:
            return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
        except OSError as error:
            raise UserError(f"{path} cannot be read as a picture ({error}): restore it, or train again.") from error

    # --- writing ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, config: TrainConfig, info: dict[str, Any]) -> "Run":
        """Start a run folder; UserError if it holds a run already or cannot be written."""
        path = Path(config.outf)
        check_run_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        _write_info(path, {"config": config.as_dict(), **info})
        return cls(path)

    def save_info(self, config: TrainConfig, **news: Any) -> None:
        """Rewrite run.json with other settings or further facts."""
        self.config, self.info = config, {**self.info, "config": config.as_dict(), **news}
        _write_info(self.path, self.info)

    def save_reals(self, faces: Tensor) -> None:
        """Save a grid of training images [N, 3, 96, 96] in [-1, 1]."""
        write_picture(self.path / "real_samples.png", grid_picture(faces))

    def save_epoch(self, epoch: int, faces: Tensor, netG: torch.nn.Module, netD: torch.nn.Module) -> None:
        """Save what the handout saves of an epoch: the grid and the weights of both networks."""
        save_weights(self.path / f"netG_{epoch:03d}.pth", netG.state_dict())
        save_weights(self.path / f"netD_{epoch:03d}.pth", netD.state_dict())
        write_picture(self.path / f"fake_samples_epoch_{epoch:03d}.png", grid_picture(faces))

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Rewrite history.csv."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Step._fields)
        writer.writerows((s.epoch, s.iteration, *(f"{value:.6g}" for value in s[2:])) for s in steps)
        write_text(self.path / "history.csv", text.getvalue())

    def read_steps(self) -> list[Step]:
        """The lines of history.csv; an empty list before the first epoch is finished."""
        path = self.path / "history.csv"
        if not path.is_file():
            return []
        try:
            with open(path, newline="", encoding="utf-8") as file:
                kinds = Step.__annotations__.items()
                return [Step(*(kind(row[name]) for name, kind in kinds)) for row in csv.DictReader(file)]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path} is damaged ({error}); restore it, or train the run again in a new folder."
            ) from error

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Save all that resuming needs; the previous checkpoint stays until the new one is complete."""
        save_weights(self.path / "checkpoint.pth", state)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """What `save_checkpoint` saved, None before the first; UserError if it is truncated or lost."""
        path = self.path / "checkpoint.pth"
        if not path.is_file():
            if self.epochs:
                raise UserError(f"{path} is missing, and the run cannot resume without it; {START_AGAIN}")
            return None
        state = load_weights(path)
        if not (isinstance(state, dict) and state.get("kind") == "animegan checkpoint"):
            raise UserError(f"{path} is not an animegan checkpoint; {START_AGAIN}")
        return state


def _write_info(path: Path, info: dict[str, Any]) -> None:
    write_text(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")


def _or_jpeg(path: Path) -> Path:
    """The picture's path, or, in a run that was shared, its path as a JPEG."""
    jpeg = path.with_suffix(".jpg")
    return jpeg if jpeg.is_file() and not path.is_file() else path


def check_run_folder(path: Path) -> None:
    """Raise UserError unless a run can begin in this folder: existing files are never overwritten."""
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file, not a folder; name a folder for the run.")
    patterns = (INFO, "checkpoint.pth", "netG_*.pth", "fake_samples_epoch_*")
    taken = [found.name for pattern in patterns for found in path.glob(pattern)]
    if taken:
        raise UserError(
            f"{path} already holds a run ({taken[0]}), which is not overwritten; continue it with --resume, "
            f"or name another folder."
        )
    try:
        new = not path.exists()
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
        if new:
            path.rmdir()
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); name a folder that you may write to."
        ) from error


def settings(of: Run | TrainConfig) -> dict[str, Any]:
    """All settings of a run, or of one that is to be started, ingredients included."""
    if isinstance(of, TrainConfig):
        return {**of.as_dict(), **asdict(get_recipe(of.recipe, of.changes))}
    return {**of.config.as_dict(), **asdict(of.recipe)}


def differences(first: Run | TrainConfig, second: Run | TrainConfig) -> dict[str, tuple[Any, Any]]:
    """The settings in which two runs differ, {name: (value of the first, value of the second)}, but NOT_COMPARED.

    The datasets are compared by the caller: a run knows its `fingerprint`, settings do not.
    """
    one, other = settings(first), settings(second)
    return {name: (one[name], other[name]) for name in one if name not in NOT_COMPARED and one[name] != other[name]}
