"""What somebody, or a dying disk, can do to the files of a run: one line says so."""

import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import TINY, forbid
from PIL import Image

from animegan import training
from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import locked
from animegan.gan import GAN
from animegan.models import latent_vectors, load_weights, save_weights
from animegan.runs import LOCK, Run, Step
from animegan.training import pick_device, train


@pytest.fixture
def run(finished, tmp_path) -> Run:
    """A copy of the finished run, to be damaged."""
    return Run(shutil.copytree(finished.path, tmp_path / "run"))


def resume(run: Run, **settings) -> Run:
    return train(replace(run.config, outf=str(run.path), epoch=4, **settings), resume=True, progress=False)


def refused(run: Run, words: str, **settings) -> None:
    before = {p.name: p.read_bytes() for p in run.path.iterdir()}
    with pytest.raises(UserError, match=words) as caught:
        resume(run, **settings)
    assert "\n" not in str(caught.value)
    assert before == {p.name: p.read_bytes() for p in run.path.iterdir()}, "nothing is written"


# --- the checkpoint --------------------------------------------------------------------------------------------------


def moments(**values):
    """Damage to Adam's state of G's first weight."""
    return lambda state: state["game"]["optimizerG"]["state"][0].update(values)


CHECKPOINTS = {
    "of one number": moments(exp_avg=torch.zeros(1)),
    "of no dimension": moments(exp_avg_sq=torch.zeros(())),
    "of another type": moments(exp_avg=torch.zeros(16, 64, 4, 4, dtype=torch.float64)),
    "sparse": moments(exp_avg=torch.zeros(16, 64, 4, 4).to_sparse()),
    "no tensor": moments(exp_avg=3),
    "many steps": moments(step=torch.zeros(2)),
    "another step": moments(step=torch.tensor(5.0)),
    "without a weight": lambda state: state["game"]["optimizerD"]["state"].pop(0),
    "without an optimiser": lambda state: state["game"].update(optimizerG=None),
    "an endless epoch": lambda state: state.update(epoch=-(10**9)),
    "a later epoch": lambda state: state.update(epoch=9),
    "a whole epoch's iterations": lambda state: state.update(iteration=4),
    "half an iteration": lambda state: state.update(iteration=0.5),
    "no time": lambda state: state.update(seconds=float("nan")),
    "other steps": lambda state: state["game"].update(steps=-1),
    "a key that is no name": lambda state: state["game"]["netG"].update({5: torch.zeros(1)}),
    "weights of another shape": lambda state: state["game"]["netG"].update({"layer1.1.bias": torch.zeros(1)}),
    "impossible random numbers": lambda state: state["game"]["random"][16:18].fill_(255),
    "without random numbers": lambda state: state["game"].pop("random"),
    "more": lambda state: state.update(more=1),
    "nothing": dict.clear,
}


@pytest.mark.parametrize("damage", CHECKPOINTS)
def test_a_checkpoint_with_something_else_is_refused_before_it_is_used(run, damage):
    state = load_weights(run.path / "checkpoint.pth")
    CHECKPOINTS[damage](state)
    save_weights(run.path / "checkpoint.pth", state)
    refused(run, "restore the right file, or start a new run in another --outf")


def test_a_checkpoint_gives_values_and_neither_memory_nor_settings(run, finished, tmp_path):
    """One number that is repeated has the right shape, and no memory to write into. The groups are those of the run."""
    state = load_weights(run.path / "checkpoint.pth")
    for optimizer in (state["game"]["optimizerG"], state["game"]["optimizerD"]):
        optimizer["param_groups"] = [{"lr": float("nan"), "betas": (9, 9), "params": [[]]}]
        for of in optimizer["state"].values():
            of["exp_avg"] = of["exp_avg"].flatten()[:1].expand(of["exp_avg"].numel()).view(of["exp_avg"].shape)
    gan = GAN(run.config, torch.device("cpu"))
    gan.load_state_dict(state["game"])
    for optimizer in (gan.optimizerG, gan.optimizerD):
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)
        for weight, of in optimizer.state.items():
            assert of["exp_avg"].is_contiguous() and of["exp_avg"].untyped_storage().size() >= weight.nbytes
    gan.step(torch.zeros(8, 3, 96, 96))


def test_a_flipped_bit_is_noticed(run):
    for name, use in (("netG_003.pth", lambda: run.generator(3)), ("checkpoint.pth", lambda: resume(run))):
        path = run.path / name
        whole = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        for where in (largest.file_size // 2, 0):
            bits = bytearray(whole)
            bits[largest.header_offset + 200 + where] ^= 1
            path.write_bytes(bits)
            with pytest.raises(UserError, match="is truncated or not a weights file"):
                use()
        path.write_bytes(whole)


def test_only_zip_archives_are_weights_and_pytorch_says_nothing_itself(run, capfd):
    path = run.path / "netG_003.pth"
    state = load_weights(path)
    first = next(iter(state))
    contents = {"a pickle": state, "sparse": {**state, first: state[first].to_sparse()}, "a list": [1], "a number": 5}
    odd = {"a type": state[first].double(), "not finite": state[first] * np.nan, "a shape": torch.ones(1), "none": None}
    contents |= {"a tensor": state[first], "a key": {**state, 5: state[first]}}
    contents |= {name: {**state, first: value} for name, value in odd.items()}
    contents |= {"a negative variance": {**state, "layer1.1.running_var": -torch.ones(64)}}
    for name, content in contents.items():
        torch.save(content, path, _use_new_zipfile_serialization=name != "a pickle")
        with warnings.catch_warnings(record=True) as warned, pytest.raises(UserError) as caught:
            run.generator(3)
        assert not warned, name
        assert "netG_003.pth" in str(caught.value) and "\n" not in str(caught.value), name
    assert capfd.readouterr() == ("", "")


# --- history.csv -----------------------------------------------------------------------------------------------------

HISTORIES = {
    "gone": lambda lines: [],
    "empty": lambda lines: lines[:1],
    "missing": lambda lines: lines[:5] + lines[6:],
    "doubled": lambda lines: lines[:5] + lines[4:],
    "moved": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "reversed": lambda lines: lines[:1] + lines[:0:-1],
    "short": lambda lines: lines[:-1],
    "cut": lambda lines: [*lines[:-1], lines[-1][:9]],
    "nan": lambda lines: [*lines[:-1], lines[-1].replace("3,4,", "3,4,nan,", 1)],
    "a verdict of 30": lambda lines: [*lines[:4], "1,4,1,1,30,0.5,9\n", *lines[5:]],
    "a long field": lambda lines: [*lines[:4], "y" * 200_000 + "\n", *lines[5:]],
}


@pytest.mark.parametrize("damage", HISTORIES)
def test_a_history_that_does_not_reach_the_checkpoint_is_named(run, damage):
    path = run.path / "history.csv"
    path.write_text("".join(HISTORIES[damage](path.read_text().splitlines(keepends=True))))
    if damage == "gone":
        path.unlink()
    refused(run, r"history.csv (lacks epoch|is damaged)")


def test_what_follows_the_checkpoint_in_the_history_is_trained_again(run, finished, tmp_path):
    whole = resume(Run(shutil.copytree(finished.path, tmp_path / "whole"))).path / "history.csv"
    with open(run.path / "history.csv", "ab") as file:
        file.write(b"4,1,0.5,0.5,0.5,0.5,9\n4,2,0.5,0.\0\0\0")  # power was cut while it was written
    assert len(Run(run.path).read_steps(12)) == 12
    resume(run)
    columns = [line.split(",")[:6] for line in whole.read_text().splitlines()]
    assert [line.split(",")[:6] for line in (run.path / "history.csv").read_text().splitlines()] == columns


def test_a_line_that_is_being_written_does_not_disturb_a_reader(run):
    with open(run.path / "history.csv", "ab") as file:
        file.write(b"4,1,0.5,0.")
    assert len(run.history["epoch"]) == len(run.read_steps()) == 12


def test_history_grows_by_what_is_new(run, monkeypatch):
    path, written = run.path / "history.csv", []
    before, steps = path.read_bytes(), run.read_steps()
    inode = path.stat().st_ino
    steps += [Step(4, 1, 1.0, 1.0, 0.5, 0.5, 9.0)]
    run.save_steps(steps)
    assert path.stat().st_ino == inode and path.read_bytes() == before + b"4,1,1,1,0.5,0.5,9\n"
    path.unlink()  # somebody deletes it during a training
    run.save_steps(steps)
    assert path.read_bytes() == before + b"4,1,1,1,0.5,0.5,9\n" and not written


def test_a_disk_that_is_full_while_history_grows_loses_nothing(run):
    steps, soft = run.read_steps(), resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (run.path / "history.csv").stat().st_size
    more = [*steps, *(Step(4, n + 1, 1.0, 1.0, 0.5, 0.5, 9.0) for n in range(4))]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, soft[1]))
    try:
        with pytest.raises(UserError, match=r"history.csv could not be saved \(File too large\)"):
            run.save_steps(more)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
    assert Run(run.path).read_steps()[:12] == steps
    run.save_steps(more)
    assert Run(run.path).read_steps() == more


def test_a_long_history_is_read_as_columns(run, monkeypatch):
    rows = "".join(f"{n // 4 + 1},{n % 4 + 1},1,1,0.5,0.5,{n}\n" for n in range(40_000))
    (run.path / "history.csv").write_text(",".join(Step._fields) + "\n" + rows)
    monkeypatch.setattr("animegan.runs.Step", None)  # no object for each line
    monkeypatch.setattr("animegan.runs.Step", type("S", (), {"_fields": Step._fields}))
    assert run.history["epoch"].dtype == int and run.history["seconds"].sum() == sum(range(40_000))


# --- run.json --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["batchSize", "seed", "outf", "changes"])
def test_a_setting_that_run_json_lacks_is_named_and_not_guessed(run, key):
    info = json.loads((run.path / "run.json").read_text())
    del info["config"][key]
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(UserError, match=f"run.json is damaged .it has no {key}.: restore the file"):
        Run(run.path)


@pytest.mark.parametrize(
    "change",
    [
        {"config": []}, {"ingredients": None}, {"ingredients": {}}, {"data": {"pictures": "x"}}, {"versions": 5},
        {"device": None}, {"more": 1}, {"config": {"lr": 10**400}}, {"config": {"nz": 2**63}},
        {"config": {"recipe": []}}, {"config": {"outf": None}}, {"ingredients": {"ema": "x"}},
        {"ingredients": {"enlarge": None}},
    ],
)  # fmt: skip
def test_run_json_with_something_else_is_one_line(run, change):
    info = json.loads((run.path / "run.json").read_text())
    for key, value in change.items():
        info[key] = info[key] | value if value and isinstance(value, dict) else value
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(UserError, match="run.json") as caught:
        Run(run.path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_settings_changed_by_hand_do_not_continue_a_run(run):
    info = json.loads((run.path / "run.json").read_text())
    info["config"]["seed"] = 7
    (run.path / "run.json").write_text(json.dumps(info))
    refused(run, "seed has changed in run.json", seed=7)


def test_run_json_deleted_during_a_training_is_written_again(drawn, tmp_path):
    def delete(progress):
        (progress.run.path / "run.json").unlink(missing_ok=True)

    settings = TrainConfig(data_path=drawn, outf=tmp_path / "run", **{**TINY, "epoch": 2})
    train(settings, progress=False, on_update=lambda p: delete(p) if p.epoch == 1 else None)
    assert Run(tmp_path / "run").epochs == [1, 2]


def test_a_grid_that_is_damaged_or_something_else_is_one_line(run):
    path = run.path / "fake_samples_epoch_003.png"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(UserError, match="is damaged|cannot be read"):
        run.grid(3)
    for picture, format in ((Image.new("L", (10_000, 10_000)), "PNG"), (Image.new("RGB", (9, 9)), "EPS")):
        picture.save(path, format)
        with pytest.raises(UserError, match="is damaged|cannot be read"):
            run.grid(3)


# --- the folder ------------------------------------------------------------------------------------------------------


def _holds(path, ready, done):
    with locked(path / LOCK, "busy"):
        ready.set()
        done.wait(60)


def test_a_second_process_is_told_that_a_training_is_at_work(run, drawn):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_holds, args=(run.path, ready, done))
    other.start()
    assert ready.wait(60)
    with pytest.raises(UserError, match="a training is at work in .*: wait until it has ended"):
        resume(run)
    with pytest.raises(UserError, match="a training is at work in .*: wait until it has ended"):
        train(replace(run.config, outf=str(run.path)), progress=False)
    assert Run(run.path).share(run.path.parent / "copy").epochs == [1, 2, 3], "readers are not disturbed"
    other.kill()
    other.join()
    assert resume(run).epochs == [1, 2, 3, 4], "the lock of a process that was killed is gone"


def test_a_copy_appears_complete_or_not_at_all(run, monkeypatch):
    copy = run.path.parent / "copy"
    (run.path.parent / ".copy.part").mkdir()
    (run.path.parent / ".copy.part" / "run.json").write_text("{}")  # what a killed process leaves
    forbid(monkeypatch, os, "replace", lambda _, target: str(target).endswith("epoch_002.jpg"), 28)
    with pytest.raises(UserError, match="free some space"):
        run.share(copy)
    assert sorted(path.name for path in copy.parent.iterdir()) == ["run"]
    monkeypatch.undo()
    copy.mkdir()
    shared = run.share(copy, weights=[3])
    assert sorted(path.name for path in copy.parent.iterdir()) == ["copy", "run"]
    assert shared.path == copy and shared.config.outf == str(copy) and shared.with_weights == [3]
    ours, theirs = load_weights(run.path / "netG_003.pth"), load_weights(copy / "netG_003.pth")
    assert all(torch.equal(theirs[name], value.half() if value.ndim == 4 else value) for name, value in ours.items())
    z = latent_vectors(4, run.config.nz, seed=1)
    assert (shared.generate(3, z) - run.generate(3, z)).abs().max() < 2 / 255, "half precision cannot be seen"


@pytest.mark.parametrize("name", ["n" * 300, "loop", "loop/x", "file/x", "a\0b"])
def test_odd_paths_of_a_run_are_one_line(finished, tmp_path, name):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"x")
    path = tmp_path / name
    settings = replace(finished.config, outf=str(path))
    tries = (lambda: Run(path), lambda: finished.share(path), lambda: train(settings, progress=False))
    for attempt in (*tries, lambda: train(settings, resume=True, progress=False)):
        with pytest.raises(UserError) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_entered_is_said(finished, monkeypatch):
    forbid(monkeypatch, os, "stat")
    with pytest.raises(UserError, match=r"run.json cannot be read \(Permission denied\)"):
        Run(finished.path)


@pytest.mark.skipif(os.name != "posix", reason="a name that is not UTF-8")
def test_a_folder_whose_name_is_not_utf8_trains(drawn, tmp_path):
    name = os.fsdecode(b"\xcd\xbc\xc6\xac\n")
    data = shutil.copytree(drawn, tmp_path / name / "data")
    settings = TrainConfig(data_path=data, outf=tmp_path / name / "run", **{**TINY, "epoch": 1})
    train(settings, progress=False)
    assert Run(settings.outf).config == replace(settings, precision=Run(settings.outf).config.precision)
    assert Run(settings.outf).share(tmp_path / name / "copy").epochs == [1]


# --- settings --------------------------------------------------------------------------------------------------------


def test_networks_that_do_not_fit_into_memory_leave_the_folder_free(drawn, tmp_path):
    settings = TrainConfig(data_path=drawn, outf=tmp_path / "run", **{**TINY, "epoch": 1})
    for change in ({"ngf": 10**8}, {"ngf": 2**62}, {"nz": 2**62}, {"ndf": 10**9}):
        with pytest.raises(UserError, match="not enough memory for these networks .*: make them smaller"):
            train(replace(settings, **change), progress=False)
        assert not (tmp_path / "run").exists()
    assert train(replace(settings, beta1=0), progress=False).config.beta1 == 0.0


def test_a_first_batch_that_does_not_fit_leaves_the_folder_free(drawn, tmp_path, monkeypatch):
    def full(self, real):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    settings = TrainConfig(data_path=drawn, outf=tmp_path / "run", **{**TINY, "epoch": 1})
    monkeypatch.setattr(GAN, "step", full)
    with pytest.raises(UserError, match="not enough memory for a batch of 8 on cpu: try --batchSize 4"):
        train(settings, progress=False)
    assert not (tmp_path / "run").exists()


def test_whole_numbers_are_numbers_and_absurd_ones_are_refused():
    assert [type(value) for value in (TrainConfig(beta1=0).beta1, TrainConfig(lr=1).lr)] == [float, float]
    for settings in ({"nz": 10**400}, {"nz": 10**5000}, {"lr": 10**400}, {"epoch": 2**63}, {"lr": 10**5000}):
        with pytest.raises(UserError, match="takes no number of more than 18 digits"):
            TrainConfig(**settings)
    for settings in ({"data_path": None}, {"changes": [1]}, {"recipe": ["x"]}, {"device": [1]}):
        with pytest.raises(UserError, match="is not a"):
            TrainConfig(**settings)


def test_what_pytorch_cannot_draw_is_one_line():
    for seed in (-1, 2**63, 10**30):
        with pytest.raises(UserError, match="seed .* is out of range"):
            latent_vectors(1, 4, seed)
    with pytest.raises(UserError, match="not enough memory for"):
        latent_vectors(2**62, 4, 0)
    for name, problem in (("meta", "available"), ("cuda:99999999999999999999", "known"), ("\udcff", "known")):
        with pytest.raises(UserError, match=f"is not {problem}"):
            pick_device(name)
    assert training.pick_device("cpu").type == "cpu"


def test_nonsense_for_tqdm_does_not_stop_a_training():
    command = [sys.executable, "-c", "import animegan.training, os; print('TQDM_MININTERVAL' in os.environ)"]
    for value, kept in (("x", "False"), ("3", "True")):
        ended = subprocess.run(command, env={**os.environ, "TQDM_MININTERVAL": value}, capture_output=True, text=True)
        assert (ended.returncode, ended.stdout.strip()) == (0, kept), ended.stderr


@pytest.mark.parametrize("tail", ["3,1,1.4", "3", "\r", "garbage"])
def test_resuming_cuts_a_line_that_was_broken_off(run, tail):
    with open(run.path / "history.csv", "a", newline="") as file:
        file.write(tail)
    assert resume(run).epochs == [1, 2, 3, 4]
    history = Run(run.path).history
    assert history["epoch"].tolist() == [n // 4 + 1 for n in range(16)]


def test_notes_of_pytorch_in_a_file_of_weights_mean_nothing(run):
    path = run.path / "netG_003.pth"
    state, faces = torch.load(path, weights_only=True), Run(run.path).generate(3, latent_vectors(2, 16, 0))
    for notes in (5, {"": 5}, {"": {"version": 2, "assign_to_params_buffers": True}}):
        state._metadata = notes
        torch.save(state, path)
        assert torch.equal(Run(run.path).generate(3, latent_vectors(2, 16, 0)), faces)


def test_a_history_with_a_number_beyond_all_counting_is_damaged(run):
    with open(run.path / "history.csv", "a") as file:
        file.write("4,9999999999999999999999,1,1,0.5,0.5,9\n")
    with pytest.raises(UserError, match="impossible number"):
        Run(run.path).read_steps()
