"""Several processes train one GAN: the same steps as one process takes, and whatever happens to one happens to all."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import FORKED, TINY
from test_training import assert_same

from animegan import distributed
from animegan.cli import main
from animegan.config import TrainConfig
from animegan.distributed import ALONE, Team, joined
from animegan.gan import GAN
from animegan.runs import Run
from animegan.training import train

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="torchrun's processes are imitated with signals")
CPU = torch.device("cpu")
SETTINGS = {**TINY, "precision": "float32"}


def _as_torchrun(rank: int, port: int, log: str, work, *arguments) -> None:
    """Do the work as a process that torchrun has started, without torchrun, which ends all as soon as one fails."""
    torch.set_num_threads(1)
    with open(f"{log}{rank}", "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()}, TORCHELASTIC_RUN_ID="test")
    sys.exit(work(*arguments))


def together(log: Path, work, *arguments) -> tuple[list[int], str]:
    """Both exit codes, and what the first process printed; the other one prints nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [FORKED.Process(target=_as_torchrun, args=(rank, port, str(log), work, *arguments)) for rank in (0, 1)]
    for process in processes:
        process.start()
    processes[0].join(100)
    with contextlib.suppress(ProcessLookupError):
        os.kill(processes[1].pid, signal.SIGCONT)  # if it was stopped
    processes[1].join(20)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    printed, nothing = (Path(f"{log}{rank}").read_text() for rank in (0, 1))
    assert "Traceback" not in printed and not nothing, printed + nothing
    return codes, printed


def command(drawn, outf, *more: str) -> list[str]:
    options = [f"--{name}={value}" for name, value in SETTINGS.items()]
    return ["train", f"--data_path={drawn}", f"--outf={outf}", *options, *more]


def signalled(which: int, rank: int, at_step: int, arguments: list[str]) -> int:
    """Train, and send this process a signal at this step, if its number is `rank`."""
    step, calls = GAN.step, []

    def counted(self, real):
        calls.append(1)
        if len(calls) == at_step and os.environ["RANK"] == str(rank):
            os.kill(os.getpid(), which)
        return step(self, real)

    GAN.step, distributed.STEP_LIMIT = counted, timedelta(seconds=3)
    return main(arguments)


@pytest.fixture(scope="module")
def straight(drawn, tmp_path_factory) -> Run:
    """A run that two processes have trained without a pause."""
    folder = tmp_path_factory.mktemp("straight")
    codes, printed = together(folder / "log", main, command(drawn, folder / "run"))
    assert codes == [0, 0] and "36 images, 2 processes, on cpu in float32" in printed
    return Run(folder / "run")


INGREDIENTS = (
    {"ema": 0.9},
    {"mixed_batch": True, "r1": 1.0},
    {"spectral_norm": True, "loss": "hinge", "r1": 1.0},
    {"loss": "probabilities", "flips": False},
)


def _gradients(team: Team) -> dict[str, torch.Tensor]:
    """What one step computes with several recipes, on batches that two processes can and cannot halve.

    In float64: in float32 a rounding error turns a ReLU on or off now and then, which changes a gradient by a percent.
    """
    found = {}
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double
    for number, changes in enumerate(INGREDIENTS):
        for count in (5, 8):
            changes = {**changes, "minibatch": 0}
            gan = GAN(TrainConfig(**{**SETTINGS, "batchSize": count}, changes=changes), CPU, team)
            figures = gan.step(torch.rand(count, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 2 - 1)
            named = {"figures": figures, **dict(gan.netD.named_buffers())}
            for network in (gan.netG, gan.netD):
                named |= {f"{type(network).__name__}.{name}": p.grad for name, p in network.named_parameters()}
            found |= {f"{number} {count} {name}": value for name, value in named.items()}
    return found


def _save_gradients(folder: Path) -> None:
    with joined() as team:
        team.meet(CPU)
        torch.save(_gradients(team), folder / f"two{team.rank}.pth")
    if not team.rank:
        torch.save(_gradients(ALONE), folder / "one.pth")


def test_gradients_and_statistics_are_those_of_one_process(tmp_path):
    assert together(tmp_path / "log", _save_gradients, tmp_path)[0] == [0, 0]
    one, *both = (torch.load(tmp_path / name) for name in ("one.pth", "two0.pth", "two1.pth"))
    assert one.keys() == both[0].keys() == both[1].keys()
    for name, value in one.items():
        assert torch.equal(both[0][name], both[1][name]), name
        assert (both[0][name] - value).double().norm() <= 1e-10 * value.double().norm(), name


RECIPES = (
    ["--recipe=handout"],
    ["--set=minibatch=4"],
    ["--set=minibatch=4", "--set=r1=1", "--set=lazy_r1=2", "--set=mixed_batch=true"],
    ["--set=minibatch=4", "--set=spectral_norm=true", "--set=ema=0"],
)


@pytest.mark.parametrize("recipe", RECIPES, ids=" ".join)
def test_the_losses_are_those_of_one_process(drawn, tmp_path, recipe):
    assert together(tmp_path / "log", main, command(drawn, tmp_path / "two", "--epoch=1", *recipe))[0] == [0, 0]
    assert main(command(drawn, tmp_path / "one", "--epoch=1", *recipe)) == 0
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    for column in ("loss_D", "loss_G", "D_x", "D_G_z"):
        np.testing.assert_allclose(two.history[column][:3], one.history[column][:3], rtol=2e-3, err_msg=column)
    assert {path.name for path in two.path.iterdir()} == {path.name for path in one.path.iterdir()}
    assert two.generator(1) and torch.load(two.path / "netD_001.pth").keys() == one.networks()[1].state_dict().keys()


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGKILL])
def test_stopped_or_killed_in_one_process_the_run_resumes_bit_for_bit(drawn, tmp_path, straight, rank, which):
    arguments = command(drawn, tmp_path / "run")
    codes, printed = together(tmp_path / "log", signalled, which, rank, 6, arguments)
    if which == signal.SIGINT:
        assert codes == [130, 0] and "interrupted; everything so far is in" in printed
        assert 6 <= len(Run(tmp_path / "run").read_steps()) <= 8, "it stops when the figures are read, or an epoch ends"
    else:
        assert codes[rank] == -signal.SIGKILL and codes[1 - rank] == 2
        ended = "one of the 2 processes has ended or does not answer; repeat the torchrun line with --resume."
        assert (f"\nanimegan: {ended}\n" in printed) == (rank == 1)
    assert together(tmp_path / "log", main, [*arguments, "--resume"])[0] == [0, 0]
    assert_same(straight, Run(tmp_path / "run"), 3)


def test_a_process_that_hangs_ends_the_training_after_a_while(drawn, tmp_path):
    codes, printed = together(tmp_path / "log", signalled, signal.SIGSTOP, 1, 6, command(drawn, tmp_path / "run"))
    assert codes == [2, 2] and printed.count("one of the 2 processes has ended or does not answer") == 1
    assert Run(tmp_path / "run").load_checkpoint()["epoch"] == 2


def _elsewhere(folder: Path, arguments: list[str]) -> int:
    if os.environ["RANK"] == "1":
        os.chdir(folder)
    return main(arguments)


@pytest.mark.parametrize(
    ("place", "more", "line"),
    [
        (".", ["--batchSize=3"], "minibatch of 3 images, as each needs 2: start fewer, or use --batchSize 4."),
        (".", ["--set=minibatch=2"], "minibatch of 2 images, as each needs 2: start fewer, or use --set minibatch=4."),
        (".", ["--device=cuda:1"], "--device cuda:1: each process needs a GPU of its own, and this machine has"),
        (".", ["--device=cuda"], "give torchrun no larger --nproc-per-node, and leave --device at auto."),
        (".", ["--data_path=nowhere"], "there is no folder nowhere"),
        (".", ["--lr=1e30"], "training has diverged and was stopped"),
        ("empty", [], "process 1 of 0 to 1: there is no folder faces in"),
        ("other", [], "process 1 of 0 to 1: faces does not hold the same images there: copy them"),
    ],
)
def test_bad_use_is_one_line_of_the_first_process(drawn, tmp_path, monkeypatch, place, more, line):
    if "--device=cuda" in more and torch.cuda.device_count() > 1:
        pytest.skip("there are GPUs for both")
    for folder in ("empty", "other/faces"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "faces").symlink_to(drawn)
    for path in sorted(Path(drawn).rglob("*.png"))[:20]:
        (tmp_path / "other" / "faces" / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    codes, printed = together(tmp_path / "log", _elsewhere, tmp_path / place, command("faces", "run", *more))
    assert codes == [2, 2]
    assert printed.count("animegan: ") == 1 and re.search(rf"animegan: .*{re.escape(line)}", printed)
    assert os.path.exists("run") == ("--lr=1e30" in more)


def test_torchrun_itself(drawn, tmp_path, straight):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "animegan"]
    subprocess.run([*torchrun, *command(drawn, tmp_path / "run")], check=True, timeout=120, capture_output=True)
    assert_same(straight, Run(tmp_path / "run"), 3)


def test_one_process_of_torchrun_trains_as_without_it(drawn, tmp_path, monkeypatch):
    settings = {"data_path": str(drawn), **SETTINGS, "epoch": 1}
    plain = train(TrainConfig(**settings, outf=str(tmp_path / "plain")), progress=False)
    for name, value in {"TORCHELASTIC_RUN_ID": "test", "RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    assert_same(plain, train(TrainConfig(**settings, outf=str(tmp_path / "run")), progress=False), 1)
