"""Training itself: it goes on bit for bit after every kind of stop, and says what is wrong in one line."""

import csv
import errno
import itertools
import math
import os
import random
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import FORKED, TINY, forbid

from animegan import recipes, training
from animegan.config import TrainConfig
from animegan.data import hold_out, load_faces, to_unit
from animegan.errors import UserError
from animegan.gan import GAN
from animegan.models import load_weights
from animegan.runs import Run
from animegan.training import pick_device, train


def config(drawn, outf, **settings) -> TrainConfig:
    return TrainConfig(data_path=str(drawn), outf=str(outf), **{**TINY, **settings})


def weights(run: Run, epoch: int) -> dict:
    return load_weights(run.path / f"netG_{epoch:03d}.pth")


def assert_same(one: Run, other: Run, epoch: int) -> None:
    for name, value in weights(one, epoch).items():
        assert torch.equal(value, weights(other, epoch)[name]), name
    for column in ("epoch", "iteration", "loss_D", "loss_G", "D_x", "D_G_z"):
        assert one.history[column].tolist() == other.history[column].tolist(), column
    assert one.grid(epoch).tobytes() == other.grid(epoch).tobytes()


def test_same_seed_same_run(drawn, tmp_path, finished):
    assert_same(finished, train(config(drawn, tmp_path / "again"), progress=False), 3)
    other = train(config(drawn, tmp_path / "other", seed=1, epoch=1), progress=False)
    assert not torch.equal(weights(finished, 1)["layer1.0.weight"], weights(other, 1)["layer1.0.weight"])


def test_pictures_held_out_are_never_learnt_from(drawn, tmp_path, monkeypatch):
    seen = []
    step = GAN.step
    monkeypatch.setattr(GAN, "step", lambda game, real: (seen.append(real), step(game, real))[1])
    faces = load_faces(drawn, progress=False)
    learnt, held = hold_out(len(faces), 12)
    assert sorted([*learnt.tolist(), *held.tolist()]) == list(range(36)) and len(held) == 12
    for seed in (0, 1):
        settings = {"hold_out": 12, "seed": seed, "epoch": 2, "batchSize": 8}
        train(config(drawn, tmp_path / str(seed), **settings), progress=False)
    shown = {picture.numpy().tobytes() for batch in seen for picture in batch}
    assert len(seen) == 2 * 2 * 24 // 8
    assert shown == {picture.numpy().tobytes() for picture in to_unit(torch.from_numpy(faces.images[learnt.numpy()]))}


def test_more_epochs_later_are_the_same_as_at_once(drawn, tmp_path, finished):
    for epoch in (1, 2, 3):
        run = train(config(drawn, tmp_path / "run", epoch=epoch), resume=epoch > 1, progress=False)
    assert run.config.epoch == Run(run.path).config.epoch == 3
    assert_same(finished, run, 3)


def test_a_finished_run_is_left_alone_by_resume(drawn, tmp_path, finished):
    shutil.copytree(finished.path, tmp_path / "run")
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").glob("net*")}
    train(config(drawn, tmp_path / "run"), resume=True, progress=False)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "run").glob("net*")}


@pytest.mark.parametrize("at_step", [1, 2, 4, 6])
def test_the_stop_button_ends_cleanly_and_resumably(drawn, tmp_path, finished, monkeypatch, at_step):
    """SIGINT during a step, as Ctrl-C and Jupyter's stop button send it."""
    step, calls = GAN.step, []

    def interrupted_step(self, real):
        calls.append(1)
        if len(calls) == at_step:
            signal.raise_signal(signal.SIGINT)
        return step(self, real)

    monkeypatch.setattr(GAN, "step", interrupted_step)
    before = signal.getsignal(signal.SIGINT)
    run = train(config(drawn, tmp_path / "run"), progress=False)
    assert len(calls) == at_step, "the step in progress is finished, no other is begun"
    assert signal.getsignal(signal.SIGINT) is before
    assert len(run.history["epoch"]) == at_step
    monkeypatch.undo()
    assert_same(finished, train(config(drawn, tmp_path / "run"), resume=True, progress=False), 3)


def test_a_second_ctrl_c_does_not_wait(drawn, tmp_path, monkeypatch):
    def stuck(self, real):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(GAN, "step", stuck)
    with pytest.raises(KeyboardInterrupt):
        train(config(drawn, tmp_path / "run"), progress=False)


def test_training_works_outside_the_main_thread(drawn, tmp_path):
    settings, done = config(drawn, tmp_path / "run", epoch=1), []
    thread = threading.Thread(target=lambda: done.append(train(settings, progress=False)))
    thread.start()
    thread.join(120)
    assert done[0].epochs == [1]


def _train_in_child(settings: dict, resume: bool, last: int) -> None:
    """Train, and be killed at the `last` of the moments that count: training steps, flushes and renamings of files."""
    torch.set_num_threads(1)
    moments = itertools.count(1)

    def dying(work):
        def counted(*arguments):
            if next(moments) == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments)

        return counted

    GAN.step, os.fsync, os.replace = dying(GAN.step), dying(os.fsync), dying(os.replace)
    train(TrainConfig(**settings), resume=resume, progress=False)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_at_ten_random_moments_the_run_ends_the_same(drawn, tmp_path):
    settings = config(drawn, tmp_path / "straight", epoch=20).as_dict()
    straight = train(TrainConfig(**settings), progress=False)
    killed = tmp_path / "killed"
    settings["outf"] = str(killed)
    chance, met = random.Random(0), []
    for kill in range(10):
        # An epoch is 4 steps and 9 moments of its files: every other kill may hit the first, the others come later.
        last = chance.randint(1, 14) if kill % 2 == 0 else chance.randint(15, 45)
        child = FORKED.Process(target=_train_in_child, args=(settings, (killed / "run.json").exists(), last))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL, f"kill {kill}, at moment {last}, came too late"
        met.append((len(list(killed.glob("*.png"))), len(list(killed.glob("*.pth"))), len(list(killed.glob("*.part")))))
    assert len(set(met)) >= 5, f"the kills met the run in different states: {met}"
    assert 0 < len(list(killed.glob("fake_samples_epoch_*.png"))) < 20
    run = train(TrainConfig(**settings), resume=(killed / "run.json").exists(), progress=False)
    assert_same(straight, run, 20)


def test_killed_between_the_first_epochs_files_and_its_checkpoint(drawn, tmp_path, finished, monkeypatch):
    save, saved = Run.save_checkpoint, []

    def killed(self, state):
        saved.append(state["epoch"])
        if state["epoch"] == 2:
            raise SystemExit("killed")
        save(self, state)

    monkeypatch.setattr(Run, "save_checkpoint", killed)
    with pytest.raises(SystemExit):
        train(config(drawn, tmp_path / "run"), progress=False)
    monkeypatch.undo()
    assert saved == [1, 2] and Run(tmp_path / "run").epochs == [1]
    assert_same(finished, train(config(drawn, tmp_path / "run"), resume=True, progress=False), 3)


def test_progress_is_reported_with_every_epoch(drawn, tmp_path):
    seen = []
    train(config(drawn, tmp_path / "run"), progress=False, on_update=seen.append)
    ends = [p for p in seen if p.epoch_done]
    assert [p.epoch for p in ends] == [1, 2, 3]
    assert [len(p.steps) for p in ends] == [12, 12, 12]  # one list, which grows
    assert ends[0].run.grid(1)


def test_the_bar_is_one_line_with_losses_and_speed(drawn, tmp_path, capsys):
    train(config(drawn, tmp_path / "run"))
    shown = capsys.readouterr().err
    last = shown.split("\r")[-1]
    assert "images/s" in last and "loss D" in last and "D(G(z))" in last and "epoch 3/3" in last
    assert shown.count("\n") == 1


def test_a_finished_run_that_is_taken_up_again_is_shown_once(drawn, tmp_path, finished):
    path = shutil.copytree(finished.path, tmp_path / "run")
    seen = []
    train(replace(finished.config, outf=str(path)), resume=True, progress=False, on_update=seen.append)
    (update,) = seen
    assert update.epoch == 3 and update.epoch_done and len(update.steps) == len(finished.history["epoch"])


def test_updates_come_twice_a_second_at_most(drawn, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: now[0])
    step = GAN.step

    def slow_step(self, real):
        now[0] += 0.125
        return step(self, real)

    monkeypatch.setattr(GAN, "step", slow_step)
    seen = []
    settings = config(drawn, tmp_path / "run", epoch=2, batchSize=4)  # 9 steps an epoch, 1.125 seconds by this clock
    train(settings, progress=False, on_update=lambda p: seen.append((now[0], p.epoch_done)))
    assert seen == [(0.5, False), (1.0, False), (1.125, True), (1.625, False), (2.125, False), (2.25, True)]


# --- what can go wrong: one line, nothing lost -------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_epoch(drawn, tmp_path, monkeypatch):
    step, calls = GAN.step, []

    def diverging_step(self, real):
        calls.append(1)
        return step(self, real) * (math.nan if len(calls) == 6 else 1)

    monkeypatch.setattr(GAN, "step", diverging_step)
    with pytest.raises(UserError) as error:
        train(config(drawn, tmp_path / "run"), progress=False)
    line = str(error.value)
    assert "the loss is not finite at epoch 2, batch 2" in line
    assert "epoch 1 and all before it are saved" in line and "smaller --lr than 0.0002" in line
    run = Run(tmp_path / "run")
    assert run.epochs == [1]
    assert run.load_checkpoint()["epoch"] == 2
    assert all(value.isfinite().all() for value in weights(run, 1).values())


def test_a_learning_rate_that_explodes_is_noticed(drawn, tmp_path):
    with pytest.raises(UserError, match="has diverged"):
        train(config(drawn, tmp_path / "run", lr=1e30, epoch=3), progress=False)


def test_fewer_pictures_than_a_batch(drawn, tmp_path):
    with pytest.raises(UserError, match="36 usable images, fewer than one batch of 64: add images"):
        train(config(drawn, tmp_path / "run", batchSize=64), progress=False)
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_run_is_never_overwritten(drawn, tmp_path, finished):
    before = {p.name: p.read_bytes() for p in finished.path.iterdir()}
    with pytest.raises(UserError, match="already holds a run .* continue it with --resume, or name another folder"):
        train(config(drawn, finished.path), progress=False)
    # the handout's own results have no run.json, and are not overwritten either
    (tmp_path / "netG_001.pth").write_bytes(b"months of work")
    with pytest.raises(UserError, match=r"already holds a run \(netG_001.pth\)"):
        train(config(drawn, tmp_path), progress=False)
    assert before == {p.name: p.read_bytes() for p in finished.path.iterdir()}


def test_outf_that_is_a_file_or_cannot_be_written(drawn, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UserError, match="file is a file, not a folder; name a folder"):
        train(config(drawn, tmp_path / "file"), progress=False)
    assert (tmp_path / "file").read_text() == "precious"
    forbid(monkeypatch, Path, "mkdir")
    with pytest.raises(UserError, match="cannot be written .*Permission denied.*; name a folder"):
        train(config(drawn, tmp_path / "locked"), progress=False)


def test_resume_refuses_changed_settings(drawn, finished):
    with pytest.raises(UserError, match=r"cannot resume with other settings \(lr 0.0002 is now 0.001\)"):
        train(config(drawn, finished.path, lr=0.001, epoch=4), resume=True, progress=False)
    with pytest.raises(UserError, match=r"\(ema 0.998 is now 0.5\)"):
        train(config(drawn, finished.path, changes={"ema": 0.5}, epoch=4), resume=True, progress=False)


def test_resume_refuses_a_recipe_that_another_version_mixes_otherwise(drawn, finished, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "stable", replace(recipes.RECIPES["stable"], label_smoothing=0.2))
    with pytest.raises(UserError, match=r"other settings \(label_smoothing 0.1 is now 0.2\)"):
        train(config(drawn, finished.path, epoch=4), resume=True, progress=False)


def test_an_ingredient_that_the_run_does_not_know_was_not_in_it(drawn, tmp_path):
    off, on = {"changes": {"lazy_r1": 0}}, {"changes": {"lazy_r1": 4}}
    older = train(config(drawn, tmp_path / "run", **off), progress=False)
    known = {name: value for name, value in older.info["ingredients"].items() if name != "lazy_r1"}
    older.save_info(older.config, ingredients=known)
    assert train(config(drawn, older.path, epoch=4, **off), resume=True, progress=False).epochs[-1] == 4
    with pytest.raises(UserError, match=r"\(lazy_r1 0 is now 4\)"):
        train(config(drawn, older.path, epoch=4, **on), resume=True, progress=False)


def test_resume_refuses_other_data(drawn, tmp_path, finished):
    shutil.copytree(drawn, tmp_path / "other")
    next((tmp_path / "other").rglob("*.png")).unlink()
    with pytest.raises(UserError, match="does not hold the images that .* was trained on"):
        train(config(tmp_path / "other", finished.path, epoch=4), resume=True, progress=False)


def test_resume_takes_the_same_data_elsewhere(drawn, tmp_path, finished):
    shutil.copytree(drawn, tmp_path / "copy")
    shutil.copytree(finished.path, tmp_path / "run")
    assert train(config(tmp_path / "copy", tmp_path / "run", epoch=4), resume=True, progress=False).epochs[-1] == 4


def test_resume_without_a_run(drawn, tmp_path):
    with pytest.raises(UserError, match="there is no run in"):
        train(config(drawn, tmp_path / "nothing"), resume=True, progress=False)


@pytest.mark.parametrize("damage", ["truncated", "empty", "a picture", "other tensors", "other run", "gone"])
def test_resume_with_a_damaged_checkpoint(drawn, tmp_path, finished, damage):
    shutil.copytree(finished.path, tmp_path / "run")
    names = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    whole = names.pop("checkpoint.pth")
    contents = {"truncated": whole[: len(whole) // 2], "empty": b""}
    contents |= {"a picture": names["real_samples.png"], "other tensors": names["netG_001.pth"]}
    if damage == "other run":
        other = train(config(drawn, tmp_path / "other", ngf=4, epoch=1), progress=False)
        contents[damage] = (other.path / "checkpoint.pth").read_bytes()
    (tmp_path / "run" / "checkpoint.pth").unlink()
    if damage != "gone":
        (tmp_path / "run" / "checkpoint.pth").write_bytes(contents[damage])
        names["checkpoint.pth"] = contents[damage]
    with pytest.raises(UserError, match="restore the right file, or start a new run in another --outf") as error:
        train(config(drawn, tmp_path / "run", epoch=4), resume=True, progress=False)
    assert "\n" not in str(error.value)
    assert names == {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}


def test_a_full_disk_at_the_end_of_an_epoch_keeps_the_last_good_checkpoint(drawn, tmp_path, finished, monkeypatch):
    forbid(monkeypatch, os, "replace", lambda _, target: str(target).endswith("netD_002.pth"), errno.ENOSPC)
    with pytest.raises(UserError, match="netD_002.pth could not be saved .*free some space, then try again"):
        train(config(drawn, tmp_path / "run"), progress=False)
    monkeypatch.undo()
    assert Run(tmp_path / "run").load_checkpoint()["epoch"] == 2
    assert_same(finished, train(config(drawn, tmp_path / "run"), resume=True, progress=False), 3)


def test_devices_are_picked_or_refused():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda", "mps", "xpu")
    with pytest.raises(UserError, match="--device quantum is not known: choose"):
        pick_device("quantum")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="--device cuda is not available on this machine"):
            pick_device("cuda")


def test_history_csv_has_the_columns_of_the_docs(finished):
    with open(finished.path / "history.csv", encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["epoch", "iteration", "loss_D", "loss_G", "D_x", "D_G_z", "seconds"]
