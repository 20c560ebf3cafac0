"""What fakes are held against: the pictures that a run learnt from, and others of their kind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from animegan.data import hold_out, load_faces
from animegan.drawing import drawn_set, write_faces
from animegan.errors import UserError
from animegan.runs import Run

NEVER_SEEN, LEARNT = "drawn faces that it has never seen", "the pictures that it learnt from"


def learnt_and_unseen(
    run: Run, count: int = 512, data: str | Path | None = None, progress: bool = True
) -> tuple[np.ndarray, np.ndarray, str]:
    """The pictures that a run learnt from, others of their kind, and in words what these others are.

    Both uint8 [N, 3, 96, 96]. The others are the pictures held out, all of them, or of a run on drawn faces `count`
    that it has never seen, drawn on first use. Any other run has seen all there are: then the first are one half of
    them, the others are the other half, and the words are LEARNT; a copy of the other half is not found so.
    data: the folder that it learnt from, where it is no longer the one that the run names.
    """
    data = learnt_folder(run) if data is None else Path(data)
    others, more, told = reference_pictures(run, None, -(-count // 2), progress, data)
    if told == LEARNT:
        return more, others, told
    learnt = load_faces(data, progress=progress).images
    if run.config.hold_out:
        return learnt[hold_out(len(learnt), run.config.hold_out)[0].numpy()], others, told
    return np.array(learnt), np.concatenate([others, more]), told


def learnt_folder(run: Run) -> Path:
    """The folder that a run learnt from. Its name is as seen from where the run was started; so is that of its own
    folder, which tells the way from the one to the other.
    """
    data, outf = Path(run.config.data_path), Path(run.config.outf)
    if data.exists() or data.is_absolute() or outf.is_absolute():
        return data
    found = Path(os.path.normpath(run.path / os.path.relpath(data, outf)))
    return found if found.exists() else data


def reference_pictures(
    run: Run, reals: str | Path | None, count: int, progress: bool, data: Path
) -> tuple[np.ndarray, np.ndarray, str]:
    """Real pictures [N, 3, 96, 96] to measure with, other ones for the floor, and what the first are."""
    if reals is not None:
        return *_halves(load_faces(reals, progress=progress).images), f"the pictures in {reals}"
    if run.config.hold_out:
        faces = load_faces(data, progress=progress)
        if faces.fingerprint != run.fingerprint:
            raise UserError(f"{data} has changed since {run.path} was trained: which pictures were held out is lost.")
        learnt, held = hold_out(len(faces), run.config.hold_out)
        shuffled = learnt[torch.randperm(len(learnt), generator=torch.Generator().manual_seed(0))][: len(held)]
        return faces.images[held.numpy()], faces.images[shuffled.numpy()], "the pictures held out"
    if made := drawn_set(data):
        # Hidden, so that neither training nor a look into data/ takes it for a data set of the student's.
        folder = data.with_name(f".{data.name}-held-out-{2 * count}")
        write_faces(folder, 2 * count, seed=made["seed"] + 1, progress=progress)
        return *_halves(load_faces(folder, progress=progress).images), NEVER_SEEN
    return *_halves(load_faces(data, progress=progress).images), LEARNT


def _halves(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two random halves, always the same ones."""
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0)).numpy()
    half = len(order) // 2
    return pictures[order[:half]], pictures[order[half:]]
