"""What the notebooks share: how large to run, where the student's work is, and what replaces it until it exists."""

import functools
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from animegan.ablation import Sweep
from animegan.config import DRAWN_FOLDER, QUICK_COUNT
from animegan.drawing import drawn_set, write_faces
from animegan.errors import UserError
from animegan.language import translated
from animegan.measure import Evaluation, References, read_evaluation, reference_images
from animegan.runs import Run

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "imgs/reference"
Size = TypeVar("Size")


def is_smoke() -> bool:
    """Whether the notebooks run as a test, in tiny sizes: the variable ANIMEGAN_SMOKE is set, to 1 or a folder."""
    return os.environ.get("ANIMEGAN_SMOKE", "") not in ("", "0")


def sized(full: Size, smoke: Size) -> Size:
    """`full` for a student, `smoke` in a test."""
    return smoke if is_smoke() else full


def folder(name: str) -> Path:
    """A folder of the project, e.g. "data/drawn" or "imgs/mine", as seen from the notebook.

    In a test it is a temporary folder of that name: a test must not touch a student's work. It is new for every kernel,
    or the same for all if ANIMEGAN_SMOKE names a folder.
    """
    return _temporary() / name if is_smoke() else _from_here(name)


def _from_here(name: str) -> Path:
    try:
        return Path(os.path.relpath(ROOT / name))
    except ValueError:  # on Windows, from another drive
        return ROOT / name


@functools.cache
def _temporary() -> Path:
    shared = Path(os.environ["ANIMEGAN_SMOKE"])
    return shared if shared.is_absolute() else Path(tempfile.mkdtemp(prefix="animegan-"))


def drawn_faces() -> Path:
    """The folder of drawn faces that the notebooks train on; drawn on first use, which takes half a minute.

    QUICK_COUNT faces, 64 in a test; an existing set is used as it is, whatever its size.
    """
    path = folder(DRAWN_FOLDER)
    wanted = {"count": sized(QUICK_COUNT, 64), "seed": 0}
    return write_faces(path, **{**wanted, **drawn_set(path)}, progress=False)


def reference_run() -> Run:
    """The run that comes with the course: drawn faces, 25 epochs, all measured, netG of epochs 1 and 25."""
    if not Run.exists(ROOT / REFERENCE):
        raise UserError(f"there is no reference run in {REFERENCE}: download the whole project, or run: make reference")
    return Run(_from_here(REFERENCE))


def recipe_grid(name: str) -> Sweep:
    """A grid of recipes that comes with the course, measured: "drawn" or "real"."""
    return Sweep.read(_from_here(f"imgs/ablation/{name}.toml"))


def my_run(name: str | None = None, weights: bool = False) -> Run:
    """The student's run in folder `name`, or his newest one in imgs/; without any, the reference run. Prints which.

    A run counts if it has two epochs to compare. weights: it must also have weights to make faces with, which a shared
    run may lack.
    """
    paths = [folder(name)] if name else [path for path in folder("imgs").glob("*") if path.name != Path(REFERENCE).name]
    runs = [Run(path) for path in paths if Run.exists(path)]
    runs = [run for run in runs if len(run.epochs) >= 2 and (run.with_weights or not weights)]
    if runs:
        run = max(runs, key=lambda run: run.last_trained)
        print(translated(f"showing your run {name or f'imgs/{run.path.name}'}: {len(run.epochs)} epochs"))
        return run
    kind = "run of yours with weights" if weights else "run of yours"
    print(translated(f"no {kind} in {name or 'imgs'} yet: showing the reference run (you train yours in notebook 04)"))
    return reference_run()


def pictures_of(run: Run, count: int) -> References:
    """`animegan.measure.reference_images`; for the reference run, its faces are drawn if they do not exist yet."""
    data = None
    if run.path == _from_here(REFERENCE):
        faces = run.pictures or 0
        text = f"the reference run was trained on {faces:,} drawn faces; they are drawn once, in a minute or two"
        print(translated(text))
        data = write_faces(folder(f"data/drawn-{faces}"), sized(faces, 64), progress=False)
    return reference_images(run, count, data, progress=False)


def measured(run: Run) -> Evaluation:
    """What `animegan evaluate` measured; if it has not run yet, print how to run it, and use the reference run."""
    if not run.output("metrics").is_file():
        path = run.path.resolve()
        path = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(translated(f"{path.as_posix()} has not been measured yet. In a terminal, in the project's folder, type"))
        print(f"    animegan evaluate {path.as_posix()}")
        text = "(about 3 minutes for 25 epochs on two CPU cores). Until then, you see the figures of the reference run"
        print(translated(text))
        run = reference_run()
    return read_evaluation(run)
