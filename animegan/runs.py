"""A run folder: everything a training run leaves behind, written atomically and read through `Run`.

    fake_samples_epoch_001.png   64 faces from the fixed noise, after every epoch    (as the handout)
    netG_001.pth  netD_001.pth   both networks, after every epoch                    (as the handout)
    real_samples.png             64 of the training images
    history.csv                  one line per batch: losses, D(x), D(G(z)), seconds
    run.json                     settings, seed, versions, device, fingerprint of the dataset
    checkpoint.pth               all that `--resume` needs
    .lock                        keeps a second training out
    metrics.csv and others       what the commands after training add: see OUTPUTS

No other module knows these names: everything after training asks `Run`.
"""

import contextlib
import io
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from glob import escape, glob
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from animegan.config import TrainConfig, check_complete
from animegan.errors import UserError
from animegan.files import START_AGAIN, build, read_json, reading, saving, write_bytes, write_picture, write_text
from animegan.grids import FACES_IN_GRID, cut, grid_picture
from animegan.models import NetD, NetG, allocating, fits, generate, latent_vectors, load_weights, save_weights
from animegan.recipes import Recipe, get_recipe, new_networks
from animegan.text import ranges

INFO, HISTORY, LOCK = "run.json", "history.csv", ".lock"
SMALLER = {"optimize": True, "progressive": True}  # of a JPEG, by a tenth
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


@dataclass
class Data:
    """What run.json says of the dataset."""

    pictures: int | None = None
    fingerprint: str | None = None


@dataclass
class Info:
    """The content of run.json; `ingredients` are those of the recipe, with the changes of the run.

    threads: of an earlier version; see `Checkpoint`.
    """

    config: dict[str, Any]
    ingredients: dict[str, Any]
    started: str = ""
    device: str = "unknown"
    threads: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    diverged: str | None = None


@dataclass
class Checkpoint:
    """The content of checkpoint.pth: the epoch in progress, how many of its steps are done, and what `GAN` needs.

    threads: with how many the next steps are computed on the CPU. settings: those of `settings()` that a run must
    keep. Checkpoints of older versions are without both.
    """

    kind: str
    epoch: int
    iteration: int
    seconds: float
    game: dict[str, Any]
    threads: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)


class Run:
    """A run folder, for everything that comes after training.

    path: the folder that `--outf` named. Raises UserError where there is no run in it.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self._written = (0, 0)  # how many lines of history.csv are known to be right, and how many bytes they are
        file, fix = self.path / INFO, "restore the file, the run needs it"
        with reading(file, "name the folder of a run"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.stat(file)  # or why it cannot be seen: the path is too long, or may not be entered
        if not self.exists(self.path):
            near = sorted(Path(found).parent.name for found in glob(f"{escape(str(self.path))}/*/{INFO}"))
            hint = f"it holds the runs {', '.join(near)}: name one of them" if near else "make one with: animegan train"
            raise UserError(f"there is no run in {self.path}; {hint}.")
        self.info: dict[str, Any] = asdict(read_json(file, Info, fix))
        with reading(file, fix):
            check_complete(self.info["config"], TrainConfig)
            check_complete(self.info["ingredients"], Recipe)
        try:
            # Runs that are older than the setting were trained in float32.
            self.config = TrainConfig.from_dict({"precision": "float32", **self.info["config"]})
            _ = self.recipe
        except UserError as error:
            raise UserError(f"{file} cannot be used ({str(error).rstrip('.')}): {fix}.") from error

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}): {self.config.recipe}, {len(self.epochs)} of {self.config.epoch} epochs"

    # --- reading ---------------------------------------------------------------------------------

    @staticmethod
    def exists(path: str | os.PathLike) -> bool:
        """Whether the folder holds a run."""
        return os.path.isfile(Path(path) / INFO)

    @property
    def recipe(self) -> Recipe:
        """The ingredients that the run was trained with; one that is newer than the run was not used."""
        known = {f.name for f in fields(Recipe)}
        return Recipe(**{name: value for name, value in self.info["ingredients"].items() if name in known})

    @property
    def pictures(self) -> int | None:
        """How many images the dataset had, held-out ones included; None if the run does not say."""
        return self.info["data"].get("pictures")

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the dataset: see `data.FaceDataset`."""
        return self.info["data"].get("fingerprint")

    @property
    def device(self) -> str:
        """What the run was trained on, e.g. "cpu (x86_64)"."""
        return self.info["device"]

    @property
    def last_trained(self) -> float:
        """When its history was last written, in seconds since 1970; 0 if it has none yet."""
        path = self.path / HISTORY
        return path.stat().st_mtime if path.is_file() else 0.0

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
        with reading(self.path, "restore the folder"):
            names = [
                re.fullmatch(r"fake_samples_epoch_([0-9]{3,9})\.(png|jpg)", name) for name in os.listdir(self.path)
            ]
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
        if len(faces := cut(self.grid(epoch))) != FACES_IN_GRID:
            raise UserError(f"the grid of epoch {epoch} in {self.path} has {len(faces)} faces, not 64: restore it.")
        return faces

    @property
    def reals(self) -> Image.Image:
        """A grid of training images."""
        return self._picture(_or_jpeg(self.path / "real_samples.png"))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of history.csv by name (the fields of `Step`), one value per training step."""
        return self._read_history()

    def _read_history(self, count: int | None = None) -> dict[str, np.ndarray]:
        """`history`, or its first `count` steps. UserError if a line is damaged; the end of one is still missing while
        it is being written, or if the process was killed then: that line does not count.
        """
        path = self.path / HISTORY
        with reading(path, "restore the file, or train the run again in a new folder"):
            content = path.read_bytes() if os.path.lexists(path) else b""
            header, *lines = content.decode("utf-8-sig").split("\n")[:-1] or [",".join(Step._fields)]
            if header.rstrip("\r").split(",") != list(Step._fields):
                raise ValueError(f"its first line is not {','.join(Step._fields)}")
            with warnings.catch_warnings():  # of a history without a step
                warnings.simplefilter("ignore")
                rows = np.loadtxt(lines[:count], delimiter=",", comments=None, ndmin=2).reshape(-1, len(Step._fields))
            whole, verdicts = rows[:, :2], rows[:, 4:6]
            wrong = ~(np.isfinite(rows).all(1) & ((whole >= 1) & (whole == whole.round()) & (whole < 1e15)).all(1))
            wrong |= ((verdicts < 0) | (verdicts > 1)).any(1)
            if wrong.any():
                raise ValueError(f"line {wrong.argmax() + 2} has an impossible number")
        # A file with more than these lines, or others between them, is written again.
        self._written = (len(rows), content.rfind(b"\n") + 1) if content.count(b"\n") == len(rows) + 1 else (0, 0)
        return {name: rows[:, i].astype(int if i < 2 else float) for i, name in enumerate(Step._fields)}

    def generator(self, epoch: int) -> NetG:
        """NetG after `epoch`, on the CPU, in eval mode: the network that drew the grid."""
        path, info = self._epoch_file("netG_{:03d}.pth", epoch), self.path / INFO
        with allocating(f"the network of {info}", "restore the file"):
            netG = NetG(self.config.ngf, self.config.nz, self.recipe.enlarge).eval()
        state = load_weights(path)
        if isinstance(state, dict):  # a shared run has its kernels in half precision
            state = {name: _full_precision(value) for name, value in state.items()}
        if not fits(state, netG.state_dict()):
            raise UserError(f"{path} does not fit the networks of {info}: restore it.")
        netG.load_state_dict(state)  # without PyTorch's own notes in the file, which may say anything
        with torch.inference_mode():  # a wrong variance shows only in a picture
            values = [*netG.state_dict().values(), netG(latent_vectors(1, self.config.nz, 0))]
        if not all(value.isfinite().all() for value in values):
            raise UserError(f"{path} has weights that are not finite numbers, and draws nothing: restore it.")
        return netG

    def networks(self) -> tuple[NetG, NetD]:
        """Both networks in the shapes that they have in this run, untrained: for `shapes.shape_table`."""
        return new_networks(self.config, self.recipe)

    def generate(self, epoch: int, z: Tensor, device: str | torch.device = "cpu") -> Tensor:
        """Faces [N, 3, 96, 96] in [-1, 1] from z [N, nz, 1, 1]; computed on `device`, returned on the CPU."""
        with torch.backends.cudnn.flags(allow_tf32=False):
            return generate(self.generator(epoch).to(device), z.to(device)).cpu()

    def share(self, to: str | os.PathLike, weights: Iterable[int] = (), quality: int = 85) -> "Run":
        """Copy what is small enough to hand on into the folder `to`: history, settings, what `evaluate` measured, the
        grids as JPEG of this `quality` (with 85, a quarter of the size), and netG of the epochs in `weights` with its
        kernels in half precision (float16, half the size); no netD, no checkpoint.

        Returns the copy. Raises UserError if `to` is not empty or an epoch is missing.
        """
        if not self.epochs:
            raise UserError(f"{self.path} has no finished epoch yet: continue it with animegan train --resume.")
        networks = {self._epoch_file("netG_{:03d}.pth", epoch).name: self.generator(epoch) for epoch in weights}
        if _names(Path(to)):
            raise UserError(f"{to} is not empty, and its files are never overwritten: name a new folder for the copy.")
        final = Path(os.path.realpath(to))
        part = final.with_name(f".{final.name}.part")  # one that was killed is left with this name
        jpeg = {"quality": quality, **SMALLER}
        try:
            with saving(to, "name a folder that you may write to"):
                shutil.rmtree(part) if os.path.lexists(part) else None
                part.mkdir(parents=True)
                _write_info(part, {**self.info, "config": replace(self.config, outf=str(to)).as_dict()})
                copy = Run(part)
                copy.save_steps(self.read_steps())
                for path in self.path.glob(OUTPUTS["metrics"]):
                    with reading(path, "restore the file"):
                        content = path.read_bytes()
                    write_bytes(part / path.name, content)
                for name, netG in networks.items():
                    state = netG.state_dict()
                    kernels = {key: value.half() for key, value in state.items() if value.ndim == 4}
                    save_weights(part / name, {**state, **kernels})
                for epoch in self.epochs:
                    write_picture(part / f"fake_samples_epoch_{epoch:03d}.jpg", self.grid(epoch), **jpeg)
                write_picture(part / "real_samples.jpg", self.reals, **jpeg)
                if os.path.isdir(final):
                    final.rmdir()
                part.rename(final)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return Run(to)

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
        with reading(path, "restore it, or train again", Exception), warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            content = io.BytesIO(path.read_bytes())
            Image.open(content, formats=("PNG", "JPEG")).verify()  # checks the CRCs of a PNG
            return Image.open(content, formats=("PNG", "JPEG")).convert("RGB")

    # --- writing ---------------------------------------------------------------------------------

    @classmethod
    def create(cls, config: TrainConfig, info: dict[str, Any]) -> "Run":
        """Start a run folder; UserError if it holds a run already or cannot be written."""
        path = Path(config.outf)
        check_run_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        ingredients = asdict(get_recipe(config.recipe, config.changes))
        _write_info(path, {"config": config.as_dict(), "ingredients": ingredients, **info})
        return cls(path)

    def save_info(self, config: TrainConfig, **news: Any) -> None:
        """Rewrite run.json with other settings or further facts."""
        self.config, self.info = config, {**self.info, "config": config.as_dict(), **news}
        _write_info(self.path, self.info)

    def discard(self) -> None:
        """Delete what a run that has not taken a step has written, so that its folder is free."""
        for name in (INFO, HISTORY, "checkpoint.pth"):
            (self.path / name).unlink(missing_ok=True)

    def save_reals(self, faces: Tensor) -> None:
        """Save a grid of training images [N, 3, 96, 96] in [-1, 1]."""
        write_picture(self.path / "real_samples.png", grid_picture(faces))

    def save_epoch(self, epoch: int, faces: Tensor, netG: torch.nn.Module, netD: torch.nn.Module) -> None:
        """Save what the handout saves of an epoch: the grid and the weights of both networks."""
        save_weights(self.path / f"netG_{epoch:03d}.pth", netG.state_dict())
        save_weights(self.path / f"netD_{epoch:03d}.pth", netD.state_dict())
        write_picture(self.path / f"fake_samples_epoch_{epoch:03d}.png", grid_picture(faces))

    def save_steps(self, steps: Iterable[Step]) -> None:
        """Let history.csv hold these steps: what follows the lines that this object has read or written is appended."""
        path, (count, size) = self.path / HISTORY, self._written
        steps = steps if isinstance(steps, list) else list(steps)
        known = count <= len(steps) and size and os.path.isfile(path) and os.path.getsize(path) >= size
        count, size = (count, size) if known else (0, 0)
        lines = [] if known else [",".join(Step._fields)]
        lines += [f"{s.epoch},{s.iteration}," + ",".join(f"{value:.6g}" for value in s[2:]) for s in steps[count:]]
        content = "".join(f"{line}\n" for line in lines).encode()
        if known:
            with saving(path), open(path, "r+b") as file:
                file.truncate(size)  # what follows was not finished, or was not known to this run
                file.seek(size)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        else:
            write_bytes(path, content)
        self._written = (len(steps), size + len(content))

    def read_steps(self, count: int | None = None) -> list[Step]:
        """The lines of history.csv, or the first `count`; an empty list before the first epoch is finished."""
        return list(map(Step, *(column.tolist() for column in self._read_history(count).values())))

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
        with reading(path, START_AGAIN.rstrip(".")):
            return vars(build(Checkpoint, state, "it"))


def _write_info(path: Path, info: dict[str, Any]) -> None:
    info = {name: value for name, value in info.items() if value is not None}
    write_text(path / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")


def _full_precision(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.float16 else value


def _or_jpeg(path: Path) -> Path:
    """The picture's path, or, in a run that was shared, its path as a JPEG."""
    jpeg = path.with_suffix(".jpg")
    return jpeg if jpeg.is_file() and not path.is_file() else path


def _names(path: Path) -> list[str]:
    """What a folder holds, nothing if it does not exist; UserError if it is a file, or cannot be read."""
    with reading(path, "name a folder that you may write to"):
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise UserError(f"{path} is a file, not a folder; name a folder for the run.") from error


def check_run_folder(path: Path) -> None:
    """Raise UserError unless a run can begin in this folder: existing files are never overwritten."""
    pattern = rf"{re.escape(INFO)}|checkpoint\.pth|netG_.*\.pth|fake_samples_epoch_.*"
    if taken := [name for name in _names(path) if re.fullmatch(pattern, name, re.DOTALL)]:
        held = f"{path} already holds a run ({taken[-1]}), which is not overwritten"
        raise UserError(f"{held}; continue it with --resume, or name another folder.")


def settings(of: Run | TrainConfig) -> dict[str, Any]:
    """All settings of a run, or of one that is to be started, ingredients included."""
    if isinstance(of, TrainConfig):
        return {**of.as_dict(), **asdict(get_recipe(of.recipe, of.changes))}
    return {**of.config.as_dict(), **asdict(of.recipe)}


def differences(first: Run | TrainConfig, second: Run | TrainConfig) -> dict[str, tuple[Any, Any]]:
    """The settings in which two runs differ, {name: (value of the first, value of the second)}, but NOT_COMPARED.

    Nor is the precision, which by default depends on the machine. The datasets are compared by the caller: a run knows
    its `fingerprint`, settings do not.
    """
    one, other = settings(first), settings(second)
    left_out = (*NOT_COMPARED, "precision")
    return {name: (one[name], other[name]) for name in one if name not in left_out and one[name] != other[name]}
