"""Real images to compare fakes with: those that a run was trained on, and others of their kind."""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from animegan.data import hold_out, load_faces
from animegan.drawing import drawn_set, write_faces
from animegan.errors import UserError
from animegan.runs import Run

HELD_OUT, DRAWN_UNSEEN, SPLIT_IN_HALF = "held out", "drawn", "split in half"  # the kinds of References
WORDS = {  # what the unseen images are, for people to read
    HELD_OUT: "the held-out images",
    DRAWN_UNSEEN: "drawn faces that it has never seen",
    SPLIT_IN_HALF: "training images",
}


class References(NamedTuple):
    """Real images, all uint8 [N, 3, 96, 96]: `training` from the training images, `unseen` others of their kind.

    kind: HELD_OUT, DRAWN_UNSEEN, or SPLIT_IN_HALF, where the run has seen the unseen ones too.
    """

    training: np.ndarray
    unseen: np.ndarray
    kind: str

    @property
    def words(self) -> str:
        """What the unseen images are."""
        return WORDS[self.kind]

    @property
    def explanation(self) -> str:
        """`words`, and what follows from them for a search for copies."""
        half = ": half of them, since no others are known; copies of this half cannot be found"
        return self.words + half * (self.kind == SPLIT_IN_HALF)


def reference_images(run: Run, count: int = 512, data: str | Path | None = None, progress: bool = True) -> References:
    """The training images of a run and others of their kind: the case that fits the run.

    count: how many faces to draw for a run on drawn faces. data: the folder of the training images, if it is no longer
    where the run says. Raises UserError if the folder is missing or has changed.
    """
    data = training_folder(run) if data is None else Path(data)
    if run.config.hold_out:
        return held_out(run, data, progress=progress)
    if drawn_set(data):
        training, unseen = load_faces(data, progress=progress).images, draw_unseen(data, count, progress)
        return References(np.array(training), np.array(unseen), DRAWN_UNSEEN)
    return split_in_half(data, progress)


def held_out(run: Run, data: Path, most: int | None = None, progress: bool = True) -> References:
    """For a run that held images out: those. most: maximum number of training images (default: all)."""
    faces = load_faces(data, progress=progress)
    if faces.fingerprint != run.fingerprint:
        raise UserError(
            f"{data} has changed since {run.path} was trained, so it is no longer known which images were held out: "
            f"restore the folder."
        )
    training, held = hold_out(len(faces), run.config.hold_out)
    if most is not None:
        training = training[_shuffled(len(training))[:most]]
    return References(faces.images[training.numpy()], faces.images[held.numpy()], HELD_OUT)


def split_in_half(data: str | Path, progress: bool = True) -> References:
    """For a run that has seen all images there are: two random halves, always the same ones."""
    unseen, training = halves(load_faces(data, progress=progress).images)
    return References(training, unseen, SPLIT_IN_HALF)


def reals_and_others(
    run: Run, reals: str | Path | None, count: int, progress: bool = True
) -> tuple[np.ndarray, np.ndarray, str]:
    """What `evaluate` needs: real images to measure with, others for the floor, and in words what the first are.

    reals: a folder of images to measure with, in place of those that fit the run. count: how many to draw of each.
    """
    if reals is not None:
        first, second = halves(load_faces(reals, progress=progress).images)
        return second, first, f"the images in {reals}"
    data = training_folder(run)
    if run.config.hold_out:
        found = held_out(run, data, run.config.hold_out, progress)
    elif drawn_set(data):
        return *halves(draw_unseen(data, 2 * count, progress)), WORDS[DRAWN_UNSEEN]
    else:
        found = split_in_half(data, progress)
    return found.unseen, found.training, found.words


def draw_unseen(data: Path, count: int, progress: bool = True) -> np.ndarray:
    """The first `count` faces of the seed after that of the drawn faces in `data`, uint8 [count, 3, 96, 96].

    They are kept in one folder beside `data`, which serves smaller counts too and is replaced for a larger one or
    another seed. It is hidden, so that neither training nor a student takes it for another dataset.
    """
    seed, name = drawn_set(data)["seed"] + 1, f".{data.name}-held-out-"
    kept = {folder: drawn for folder in data.parent.glob(f"{glob.escape(name)}[0-9]*") if (drawn := drawn_set(folder))}
    total = max([count, *(drawn["count"] for drawn in kept.values() if drawn["seed"] == seed)])
    chosen = data.parent / f"{name}{total}"
    for folder, drawn in kept.items():
        if folder != chosen or drawn["seed"] != seed:
            shutil.rmtree(folder, ignore_errors=True)  # fails on Windows while another process reads it
    write_faces(chosen, total, seed, progress=progress)
    return load_faces(chosen, progress=progress).images[:count]


def halves(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two random halves, always the same ones."""
    order = _shuffled(len(images)).numpy()
    return images[order[: len(order) // 2]], images[order[len(order) // 2 :]]


def _shuffled(count: int) -> torch.Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))


def training_folder(run: Run) -> Path:
    """The folder of a run's training images.

    run.json has its path as seen from where the run was started, and so has the run's own folder; the way from one to
    the other is the same from everywhere.
    """
    data, outf = Path(run.config.data_path), Path(run.config.outf)
    if os.path.exists(data) or data.is_absolute() or outf.is_absolute():
        return data
    found = Path(os.path.normpath(run.path / os.path.relpath(data, outf)))
    return found if os.path.exists(found) else data
