"""A run folder: all that a training run leaves behind, written whole or not at all, and read as `Run`.

    fake_samples_epoch_001.png   64 faces from the fixed noise, after every epoch    (as the handout)
    netG_001.pth  netD_001.pth   both networks, after every epoch                    (as the handout)
    real_samples.png             64 of the pictures that were learnt from
    history.csv                  a line a step: losses, D(x), D(G(z)), seconds
    run.json                     settings, seed, versions, device, data fingerprint
    checkpoint.pth               all that `--resume` needs

Nobody else knows these names: what comes after training asks `Run`.
"""

import csv
import io
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import START_ANEW, write_bytes, write_picture, write_text
from animegan.grids import GRID_COLUMNS, GRID_GAP, grid_picture
from animegan.models import NetG, generate, load_weights, save_weights
from animegan.text import ranges


class Step(NamedTuple):
    """One line of history.csv: means over the batch of one training step.

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
        if not (self.path / "run.json").is_file():
            near = sorted(p.parent.name for p in self.path.glob("*/run.json")) if self.path.is_dir() else []
            hint = f"it holds the runs {', '.join(near)}: name one of them" if near else "make one with: animegan train"
            raise UserError(f"there is no run in {self.path}; {hint}.")
        try:
            self.info: dict[str, Any] = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
            self.config = TrainConfig.from_dict(self.info["config"])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.path / 'run.json'} cannot be read ({error}); the run needs it: restore the file."
            ) from error

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}): {self.config.recipe}, {len(self.epochs)} of {self.config.epoch} epochs"

    # --- reading ---------------------------------------------------------------------------------

    @property
    def epochs(self) -> list[int]:
        """The epochs whose grid is there, in order."""
        names = (re.fullmatch(r"fake_samples_epoch_(\d{3,})\.(png|jpg)", p.name) for p in self.path.iterdir())
        return sorted({int(name[1]) for name in names if name})

    @property
    def with_weights(self) -> list[int]:
        """The epochs whose netG is there, in order."""
        return self._epochs_with("netG_{:03d}.pth")

    def grid(self, epoch: int) -> Image.Image:
        """The fixed-noise grid after `epoch`, 8 by 8 faces; UserError where it is not there."""
        return self._picture(self._epoch_file("fake_samples_epoch_{:03d}.png", epoch))

    def faces(self, epoch: int) -> list[Image.Image]:
        """The faces of a grid one by one, row by row, each as large as the network made it."""
        grid, size = self.grid(epoch), self.config.imageSize
        corners = [GRID_GAP + n * (size + GRID_GAP) for n in range(GRID_COLUMNS)]
        return [grid.crop((left, top, left + size, top + size)) for top in corners for left in corners]

    @property
    def reals(self) -> Image.Image:
        """A grid of the real pictures."""
        return self._picture(_or_jpeg(self.path / "real_samples.png"))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of history.csv by name (the fields of `Step`), a value a training step."""
        steps = self.read_steps()
        columns = zip(*steps, strict=True) if steps else ([] for _ in Step._fields)
        return {name: np.array(column) for name, column in zip(Step._fields, columns, strict=True)}

    def generator(self, epoch: int) -> NetG:
        """NetG after `epoch`, on the CPU, in eval mode: the network that drew the grid."""
        enlarge = self.info.get("ingredients", {}).get("enlarge", "k5s3")
        return self._network(NetG(self.config.ngf, self.config.nz, enlarge), "netG_{:03d}.pth", epoch)

    def generate(self, epoch: int, z: Tensor, device: str | torch.device = "cpu") -> Tensor:
        """Faces [N, 3, 96, 96] in [-1, 1] from latent vectors z [N, nz, 1, 1], made on `device`, on the CPU."""
        with torch.backends.cudnn.flags(allow_tf32=False):
            return generate(self.generator(epoch).to(device), z.to(device)).cpu()

    def share(self, to: str | os.PathLike, weights: Iterable[int] = ()) -> "Run":
        """Copy into the folder `to` what is small enough to hand on: history, settings, what `evaluate` measured, the
        grids as JPEG (a quarter of the size), and netG of the epochs in `weights`; no netD, no checkpoint.

        Returns the copy. Raises UserError where `to` holds a run already, or an epoch is missing.
        """
        names = [self._epoch_file("netG_{:03d}.pth", epoch).name for epoch in weights]
        if Path(to).is_dir() and any(Path(to).iterdir()):
            raise UserError(f"{to} is not empty, and nothing in it is overwritten: name a new folder for the copy.")
        copy = Run.create(replace(self.config, outf=str(to)), {k: v for k, v in self.info.items() if k != "config"})
        for name in (*names, "history.csv", *(path.name for path in self.path.glob("metrics.csv"))):
            write_bytes(copy.path / name, (self.path / name).read_bytes())
        for epoch in self.epochs:
            write_picture(copy.path / f"fake_samples_epoch_{epoch:03d}.jpg", self.grid(epoch))
        write_picture(copy.path / "real_samples.jpg", self.reals)
        return copy

    def _epochs_with(self, pattern: str) -> list[int]:
        return [epoch for epoch in self.epochs if _or_jpeg(self.path / pattern.format(epoch)).is_file()]

    def _epoch_file(self, pattern: str, epoch: int) -> Path:
        path = _or_jpeg(self.path / pattern.format(epoch))
        if not path.is_file():
            have = self._epochs_with(pattern)
            nothing = "there is none for any epoch" if self.epochs else "no epoch is finished yet"
            there = f"there is one for epoch {ranges(have)}" if have else nothing
            raise UserError(f"{self.path} has no {path.name}: {there}.")
        return path

    def _picture(self, path: Path) -> Image.Image:
        try:
            return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
        except OSError as error:
            raise UserError(f"{path} cannot be read as a picture ({error}); train the run again.") from error

    def _network(self, network: torch.nn.Module, pattern: str, epoch: int) -> Any:
        path = self._epoch_file(pattern, epoch)
        try:
            network.load_state_dict(load_weights(path))
        except RuntimeError as error:
            raise UserError(f"{path} does not fit the networks of {self.path / 'run.json'}.") from error
        return network.eval()

    # --- writing ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, config: TrainConfig, info: dict[str, Any]) -> "Run":
        """Start a run folder; UserError where it holds a run already or cannot be written."""
        path = Path(config.outf)
        check_run_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"config": config.as_dict(), **info}, indent=2, ensure_ascii=False)
        write_text(path / "run.json", text + "\n")
        return cls(path)

    def save_info(self, config: TrainConfig, **news: Any) -> None:
        """Write run.json anew, with other settings or further facts."""
        self.config, self.info = config, {**self.info, "config": config.as_dict(), **news}
        write_text(self.path / "run.json", json.dumps(self.info, indent=2, ensure_ascii=False) + "\n")

    def save_reals(self, faces: Tensor) -> None:
        """Keep a grid of real pictures [N, 3, 96, 96] in [-1, 1]."""
        write_picture(self.path / "real_samples.png", grid_picture(faces))

    def save_epoch(self, epoch: int, faces: Tensor, netG: torch.nn.Module, netD: torch.nn.Module) -> None:
        """Keep what the handout keeps of an epoch: the grid and the weights of both networks."""
        save_weights(self.path / f"netG_{epoch:03d}.pth", netG.state_dict())
        save_weights(self.path / f"netD_{epoch:03d}.pth", netD.state_dict())
        write_picture(self.path / f"fake_samples_epoch_{epoch:03d}.png", grid_picture(faces))

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Write history.csv anew."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Step._fields)
        writer.writerows((s.epoch, s.iteration, *(f"{value:.6g}" for value in s[2:])) for s in steps)
        write_text(self.path / "history.csv", text.getvalue())

    def read_steps(self) -> list[Step]:
        """The lines of history.csv; none where no epoch is finished yet."""
        path = self.path / "history.csv"
        if not path.is_file():
            return []
        try:
            with open(path, newline="", encoding="utf-8") as file:
                return [
                    Step(int(row["epoch"]), int(row["iteration"]), *(float(row[name]) for name in Step._fields[2:]))
                    for row in csv.DictReader(file)
                ]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path} is damaged ({error}); restore it, or train the run again in a new folder."
            ) from error

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Keep all that resuming needs; the one before stays until the new one is complete."""
        save_weights(self.path / "checkpoint.pth", state)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """What `save_checkpoint` kept, None before the first; UserError where it is truncated or lost."""
        path = self.path / "checkpoint.pth"
        if not path.is_file():
            if self.epochs:
                raise UserError(f"{path} is gone, and the run cannot go on without it; {START_ANEW}")
            return None
        state = load_weights(path)
        if not (isinstance(state, dict) and state.get("kind") == "animegan checkpoint"):
            raise UserError(f"{path} is no checkpoint of animegan; {START_ANEW}")
        return state


def _or_jpeg(path: Path) -> Path:
    """The picture's name, or, in a run that was shared, its name as a JPEG."""
    jpeg = path.with_suffix(".jpg")
    return jpeg if jpeg.is_file() and not path.is_file() else path


def check_run_folder(path: Path) -> None:
    """Raise UserError unless a run can begin in this folder: nothing that is there is ever overwritten."""
    if path.exists() and not path.is_dir():
        raise UserError(f"--outf {path} is a file, not a folder; name a folder for the run.")
    patterns = ("run.json", "checkpoint.pth", "netG_*.pth", "fake_samples_epoch_*")
    taken = [found.name for pattern in patterns for found in path.glob(pattern)]
    if taken:
        raise UserError(
            f"--outf {path} already holds a run ({taken[0]}), which is not overwritten; go on with it by --resume, "
            f"or name another folder."
        )
    try:
        new = not path.exists()
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".animegan-probe"
        probe.write_bytes(b"")
        probe.unlink()
        if new:
            path.rmdir()
    except OSError as error:
        raise UserError(
            f"--outf {path} cannot be written ({error.strerror or error}); name a folder that you may write to."
        ) from error


def steps_per_epoch(run: Run) -> int | None:
    """How many training steps an epoch of this run has; None where its data are not known."""
    pictures = run.info.get("data", {}).get("pictures", 0)
    return max(0, pictures - run.config.hold_out) // run.config.batchSize or None
