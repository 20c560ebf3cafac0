"""What several test files share: drawn faces, a run that is trained once, the handout where it is to be had."""

import errno
import importlib.util
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from animegan.config import TrainConfig
from animegan.data import load_faces
from animegan.drawing import write_faces
from animegan.training import train

# The smallest run that has everything: 3 epochs of 4 steps.
TINY = {"batchSize": 8, "ngf": 8, "ndf": 8, "nz": 16, "epoch": 3, "device": "cpu"}

# Processes of their own: forked from one that has imported what takes seconds (Adam imports torch._dynamo).
FORKED = multiprocessing.get_context("forkserver")
PRELOADED = ["animegan.training", "animegan.show", "animegan.sources", "animegan.measure", "torch._dynamo", "pytest"]
FORKED.set_forkserver_preload(PRELOADED)


# The files that take longest, longest first. Several files run at a time in `make test`: no worker shall be left alone
# with one of these at the end.
SLOW = [
    "test_diagnosis.py", "test_metrics.py", "test_training.py", "test_torchrun.py", "test_ablation.py",
    "06_when_training_fails.ipynb",
    "test_browser.py", "07_latent_space.ipynb", "test_sources.py", "test_widgets.py", "test_fidelity.py",
    "05_epoch_comparison.ipynb", "test_fuzz.py", "test_cli.py", "04_training.ipynb", "08_report.ipynb",
    "test_slides.py", "test_crawl.py",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))


def picture(seed: int = 0, width: int = 96, height: int = 96) -> Image.Image:
    """A smooth picture, another for every seed."""
    across, down = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 6, height))
    planes = [np.sin(across + seed + 2 * i) * np.cos(down - seed * i) for i in range(3)]
    return Image.fromarray((127.5 + 127.5 * np.stack(planes, axis=-1)).astype(np.uint8))


def load(folder: Path, **options):
    return load_faces(folder, progress=False, **options)


def count_calls(monkeypatch, module, name: str) -> list:
    """Let `module.name` work as before and note the arguments of every call: work is counted, not timed."""
    original, calls = getattr(module, name), []

    def counted(*args, **options):
        calls.append(args)
        return original(*args, **options)

    monkeypatch.setattr(module, name, counted)
    return calls


def forbid(monkeypatch, module, name: str, matches=lambda *args: True, why=errno.EACCES) -> None:
    """`module.name` raises the OSError of the number `why` for the calls that match: by default PermissionError."""
    original = getattr(module, name)

    def guarded(*args, **options):
        if matches(*args):
            raise OSError(why, os.strerror(why), str(args[0]))
        return original(*args, **options)

    monkeypatch.setattr(module, name, guarded)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)  # networks this small gain nothing from a second one


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """A folder of 36 drawn faces."""
    return Path(write_faces(tmp_path_factory.mktemp("drawn"), 36, seed=1, progress=False))


MANY = 160  # enough to hold some out


@pytest.fixture(scope="session")
def many(tmp_path_factory) -> Path:
    """A folder of MANY drawn faces, to measure with."""
    return write_faces(tmp_path_factory.mktemp("many") / "drawn", MANY, seed=5, progress=False)


@pytest.fixture
def small_metric(monkeypatch):
    """The sliced Wasserstein distance with fewer patches and directions: quick, and rough."""
    from animegan.measure import sliced_wasserstein

    for name, value in {"DIRECTIONS": 32, "REPEATS": 2, "PATCHES": 32}.items():
        monkeypatch.setattr(sliced_wasserstein, name, value)
    small = sliced_wasserstein.SlicedWasserstein(np.arange(2 * 3 * 96 * 96, dtype=np.uint8).reshape(2, 3, 96, 96))
    assert [part[:, -1].tolist() for part in small._reals] == [[2 * 32] * 32] * 3 * 2, "the numbers above are read"


@pytest.fixture(scope="session")
def finished(drawn, tmp_path_factory):
    """A run that is trained to the end; tests only read it."""
    outf = tmp_path_factory.mktemp("finished") / "run"
    return train(TrainConfig(data_path=str(drawn), outf=str(outf), **TINY), progress=False)


@pytest.fixture(scope="session")
def handout():
    """The handout's own model.py as a module."""
    folder = os.environ.get("ANIMEGAN_HANDOUT")
    if not folder:
        pytest.skip("the handout's model.py is not here: set ANIMEGAN_HANDOUT to its folder")
    spec = importlib.util.spec_from_file_location("handout_model", Path(folder) / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
