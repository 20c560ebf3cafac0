import errno
import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from animegan import files, runs
from animegan.config import TrainConfig
from animegan.data import to_uint8
from animegan.errors import UserError, require
from animegan.grids import cells, cut, fixed_noise, grid_picture
from animegan.recipes import Recipe, get_recipe
from animegan.runs import Run, Step, differences
from animegan.shapes import shape_table


def new_run(tmp_path, **settings) -> Run:
    settings = {"ngf": 8, "ndf": 8, "nz": 16, "outf": str(tmp_path / "run"), **settings}
    return Run.create(TrainConfig(**settings), {"data": {"fingerprint": "x"}})


def test_a_finished_run_holds_what_the_handout_writes_and_more(finished):
    names = sorted(p.name for p in finished.path.iterdir())
    patterns = ("fake_samples_epoch_00{}.png", "netD_00{}.pth", "netG_00{}.pth")
    numbered = [pattern.format(n) for pattern in patterns for n in (1, 2, 3)]
    others = [".lock", "checkpoint.pth", "history.csv", "real_samples.png", "run.json"]
    assert names == sorted([*numbered, *others])


def test_run_answers_for_everything_after_training(finished):
    run = Run(finished.path)
    assert run.epochs == [1, 2, 3]
    assert run.config.ngf == 8
    assert run.grid(2).size == (8 * 98 + 2, 8 * 98 + 2)
    assert run.reals.size[0] == 8 * 98 + 2
    history = run.history
    assert list(history) == ["epoch", "iteration", "loss_D", "loss_G", "D_x", "D_G_z", "seconds"]
    assert history["epoch"].tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert history["iteration"].tolist() == [1, 2, 3, 4] * 3
    assert (np.diff(history["seconds"]) > 0).all()
    assert ((history["D_x"] > 0) & (history["D_x"] < 1)).all()
    assert {"torch", "python"} <= set(run.info["versions"])
    assert (run.pictures, run.steps_per_epoch, run.diverged) == (36, 4, None)
    assert len(run.fingerprint) == 64
    assert run.device.startswith("cpu")
    assert run.recipe == get_recipe("stable")
    assert run.output("sample", epoch=3) == run.path / "sample_epoch_003.png"


def test_what_a_run_of_an_older_version_does_not_say(tmp_path):
    older = {name: value for name, value in asdict(Recipe(ema=0.5)).items() if name not in ("decay_after", "lazy_r1")}
    config = TrainConfig(outf=tmp_path / "run")
    settings = {name: value for name, value in config.as_dict().items() if name != "precision"}
    run = Run.create(config, {"ingredients": {**older, "of_the_future": 1}, "config": settings})
    assert run.recipe == Recipe(ema=0.5), "an ingredient that it does not know was not in it"
    assert (run.pictures, run.steps_per_epoch, run.fingerprint, run.diverged) == (None, None, None, None)
    assert run.config.precision == "float32"


def test_differences_are_settings_and_ingredients_but_not_length_and_place(tmp_path):
    config = TrainConfig(outf=tmp_path / "one", lr=0.001, epoch=3, device="cpu", changes={"ema": 0.9})
    run = Run.create(config, {"ingredients": asdict(get_recipe("stable", {"ema": 0.9}))})
    assert differences(run, replace(config, epoch=9, outf="elsewhere", data_path="other", device="auto")) == {}
    assert differences(run, config) == {}, "settings that a run is to be started with"
    other = replace(config, lr=0.002, recipe="handout", precision="bfloat16")
    found = differences(run, other)
    assert found["lr"] == (0.001, 0.002) and found["recipe"] == ("stable", "handout")
    assert found["loss"] == ("logits", "probabilities") and "precision" not in found
    assert "ema" not in found and "changes" not in found


def test_networks_have_the_shapes_of_the_run(tmp_path):
    changes = {"enlarge": "resize", "spectral_norm": True}
    config = TrainConfig(outf=tmp_path / "run", ngf=8, ndf=4, nz=7, changes=changes)
    netG, netD = Run.create(config, {"ingredients": asdict(get_recipe("stable", changes))}).networks()
    assert [row.output[0] for row in shape_table(netG)] == [64, 32, 16, 8, 3] and netG.input_shape == (7, 1, 1)
    assert shape_table(netG)[-1].kind == "Upsample+Conv2d"
    assert [row.output[0] for row in shape_table(netD)] == [4, 8, 16, 32, 1]
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in netD.modules())


def test_the_saved_network_draws_the_saved_grid(finished):
    faces = finished.generate(3, fixed_noise(16))
    drawn = np.asarray(grid_picture(faces)).astype(int)
    assert np.abs(drawn - np.asarray(finished.grid(3)).astype(int)).max() <= 1


def test_faces_are_the_cells_of_the_grid(finished):
    cells = finished.faces(3)
    assert len(cells) == 64
    assert all(cell.size == (96, 96) for cell in cells)
    again = grid_picture(torch.stack([torch.from_numpy(np.array(c)).permute(2, 0, 1) / 127.5 - 1 for c in cells]))
    assert np.array_equal(np.asarray(again), np.asarray(finished.grid(3)))


def test_a_grid_is_cut_into_its_cells_or_refused():
    faces = torch.rand(10, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    grid = grid_picture(faces)
    assert [face.size for face in cut(grid)] == [(96, 96)] * 16, "two rows of eight"
    assert len(cells(grid)) == 10, "the white cells at the end are not faces"
    assert np.array_equal(cells(grid), to_uint8(faces).permute(0, 2, 3, 1).numpy())
    with pytest.raises(UserError, match="does not fit a picture of 100x99: restore the file"):
        cut(Image.new("RGB", (100, 99)))


@pytest.mark.parametrize(
    ("number", "fix"), [(errno.ENOSPC, "free some space"), (errno.ENOENT, "make the folder first"), (1, "try this")]
)
def test_what_cannot_be_saved_is_one_line_with_a_way_out(number, fix):
    message = rf"x.csv could not be saved \(why\); what was saved before is kept: {fix}"
    with pytest.raises(UserError, match=message), files.saving("x.csv", "try this"):
        raise OSError(number, "why")


def test_a_missing_package_is_one_line_with_the_command_that_installs_it():
    assert require("json", "data", "anything").dumps([]) == "[]"
    with pytest.raises(UserError, match=r"FID needs no_such_package: pip install -e '.\[metrics\]' installs it."):
        require("no_such_package", "metrics", "FID")


def test_fixed_noise_is_always_the_same():
    before = torch.get_rng_state()
    noise = fixed_noise(100)
    assert noise.shape == (64, 100, 1, 1)
    assert torch.equal(noise, fixed_noise(100))
    assert torch.equal(before, torch.get_rng_state())
    assert noise[0, 0, 0, 0].item() == pytest.approx(fixed_noise(100)[0, 0, 0, 0].item())


def test_the_grids_scale_is_fixed():
    black, grey = torch.full((64, 3, 96, 96), -1.0), torch.zeros(64, 3, 96, 96)
    assert grid_picture(black).getpixel((50, 50)) == (0, 0, 0)
    assert grid_picture(grey).getpixel((50, 50)) == (128, 128, 128)


def test_no_run_is_one_clear_line(tmp_path, finished):
    with pytest.raises(UserError, match="there is no run in .*; make one with: animegan train"):
        Run(tmp_path)
    with pytest.raises(UserError, match="it holds the runs run: name one of them"):
        Run(finished.path.parent)
    with pytest.raises(UserError, match="has no netG_009.pth: it exists for epoch 1 to 3"):
        finished.generator(9)
    with pytest.raises(UserError, match="no epoch is finished yet"):
        new_run(tmp_path).grid(1)


def test_a_damaged_run_json_is_one_clear_line(tmp_path):
    run = new_run(tmp_path)
    for text in ("{", "[]", '{"config": {"lr": 0}}'):
        (run.path / "run.json").write_text(text)
        with pytest.raises(UserError) as error:
            Run(run.path)
        assert "\n" not in str(error.value)


def test_a_run_without_a_finished_epoch_is_not_shared_by_half(tmp_path):
    run = new_run(tmp_path)
    with pytest.raises(UserError, match="has no finished epoch yet: continue it with animegan train --resume"):
        run.share(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_damaged_files_are_named(tmp_path):
    run = new_run(tmp_path)
    (run.path / "netG_001.pth").write_bytes(b"PK\x03\x04 no weights")
    with pytest.raises(UserError, match="netG_001.pth is truncated or not a weights file"):
        run.generator(1)
    runs.save_weights(run.path / "netG_001.pth", {"layer1.0.weight": torch.zeros(3)})
    with pytest.raises(UserError, match="netG_001.pth does not fit the networks"):
        run.generator(1)
    (run.path / "fake_samples_epoch_001.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="is damaged|cannot be read"):
        run.grid(1)
    (run.path / "history.csv").write_text("epoch,iteration\n1,x\n")
    with pytest.raises(UserError, match="history.csv is damaged"):
        _ = run.history


def test_weights_that_would_run_code_are_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    torch.save({"layer1.0.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="not a weights file"):
        runs.load_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "pwned").exists()


def test_history_comes_back_as_it_was_written(tmp_path):
    run = new_run(tmp_path)
    assert run.history["loss_D"].tolist() == []
    steps = [Step(1, 1, 0.5, 1.25, 0.75, 0.125, 2.5), Step(1, 2, 1e-7, 123.456, 0.5, 0.5, 3.0)]
    run.save_steps(steps)
    assert run.read_steps() == steps


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_last_good_file(tmp_path, monkeypatch, moment):
    run = new_run(tmp_path)
    state = {"kind": "animegan checkpoint", "epoch": 1, "iteration": 0, "seconds": 0.0, "game": {}}
    run.save_checkpoint(state)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    if moment == "write":

        class FullFile:
            def __init__(self, path):
                self.file = open(path, "wb")  # noqa: SIM115

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self.file.close()

            def write(self, content):
                self.file.write(content[: len(content) // 2])
                full()

        monkeypatch.setattr(files, "open", lambda path, mode: FullFile(path), raising=False)
    else:
        monkeypatch.setattr(os, moment, full)
    message = "checkpoint.pth could not be saved .*No space left.* free some space, then"
    with pytest.raises(UserError, match=message) as error:
        run.save_checkpoint({**state, "epoch": 2})
    assert "\n" not in str(error.value)
    monkeypatch.undo()
    assert run.load_checkpoint()["epoch"] == 1
    assert not list(run.path.glob("*.part"))


def test_files_appear_whole(tmp_path, monkeypatch):
    run = new_run(tmp_path)
    seen, replace = [], os.replace
    look = lambda a, b: seen.append((os.path.getsize(a), os.path.exists(b)))  # noqa: E731
    monkeypatch.setattr(os, "replace", lambda a, b: (look(a, b), replace(a, b))[1])
    runs.write_picture(run.path / "x.png", Image.new("RGB", (10, 10)))
    assert seen == [((run.path / "x.png").stat().st_size, False)]
    assert json.loads((run.path / "run.json").read_text(encoding="utf-8"))["config"]["ngf"] == 8


@pytest.mark.parametrize(
    ("name", "format"), [("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.JPEG", "JPEG"), ("d.webp", "WEBP")]
)
def test_a_picture_is_written_in_the_format_of_its_suffix(tmp_path, name, format):
    runs.write_picture(tmp_path / name, Image.new("RGB", (10, 10)))
    assert Image.open(tmp_path / name).format == format
