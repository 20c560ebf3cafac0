"""The command line: what it does, and every mistake as one line with exit status 2."""

import errno
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from conftest import TINY, forbid
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from animegan import drawing
from animegan.cli import main
from animegan.cli import train as train_commands
from animegan.config import DRAWN_COUNT, QUICK, QUICK_COUNT, TrainConfig
from animegan.gan import GAN
from animegan.runs import Run
from animegan.show.sheets import GAP, MARGIN

TINY_OPTIONS = [f"--{name}={value}" for name, value in TINY.items()]


@pytest.fixture
def run(capsys):
    """Call the command line; return exit status, standard output and standard error."""

    def call(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse ends the program itself
            status = stop.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def fails(run):
    """Call the command line, make sure that it fails with one line and status 2, return the line."""

    def call(*arguments):
        status, _, errors = run(*arguments)
        errors = re.sub(r"^.*\r", "", errors)  # the progress bar is overwritten
        bars = ("images/s", "pictures:")
        lines = [line for line in errors.splitlines() if line.strip() and not any(bar in line for bar in bars)]
        assert status == 2, errors
        assert len(lines) == 1, errors
        assert lines[0].startswith("animegan")
        return lines[0]

    return call


def train(data, outf, *options):
    return ["train", "--data_path", data, "--outf", outf, *TINY_OPTIONS, *options]


# --- what it does ------------------------------------------------------------------------------------


def test_train_ends_with_the_comparison_and_its_path(run, drawn, tmp_path):
    status, out, _ = run(*train(drawn, tmp_path / "run"))
    assert status == 0
    assert out.strip().endswith(f"epoch 1 beside epoch 3: {tmp_path / 'run' / 'compare.png'}")
    assert Image.open(tmp_path / "run" / "compare.png").width > 1000


@pytest.mark.parametrize("batch", ["--batchSize", "--batch-size"])
def test_options_are_spelled_as_in_the_handout_and_in_the_usual_way(run, drawn, tmp_path, batch):
    status, *_ = run(
        "train", "--data_path", drawn, "--outf", tmp_path / "run", batch, 12, "--image-size", 96, "--imageSize", 96,
        "--nz", 9, "--ngf", 4, "--ndf", 4, "--epoch", 1, "--lr", 0.001, "--beta1", 0.4, "--seed", 5, "--device", "cpu",
        "--recipe", "handout", "--set", "flips=true", "--set", "ema=0.9",
    )  # fmt: skip
    assert status == 0
    config = Run(tmp_path / "run").config
    assert (config.batchSize, config.nz, config.lr, config.beta1, config.seed) == (12, 9, 0.001, 0.4, 5)
    assert (config.recipe, config.changes) == ("handout", {"flips": True, "ema": 0.9})


def test_a_finished_run_is_not_changed_by_resume(run, finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "run")
    settings = (tmp_path / "run" / "run.json").read_bytes()
    for epoch in ([], ["--epoch", 2]):
        status, out, _ = run("train", "--resume", "--outf", tmp_path / "run", *epoch)
        assert status == 0 and "has 3 epochs already: nothing was trained" in out and "epoch 1 beside epoch 3" in out
    assert (tmp_path / "run" / "run.json").read_bytes() == settings


def test_several_datasets_are_mixed_only_on_request(fails, run, drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(drawn, "data/drawn")
    assert run("train", *TINY_OPTIONS, "--epoch", 1, "--outf", "imgs/one")[0] == 0
    shutil.copytree(drawn / "faces", "data/mine")
    line = fails("train", *TINY_OPTIONS, "--outf", "imgs/two")
    assert "data holds drawn, mine: name one with --data_path data/drawn" in line.replace(os.sep, "/")
    assert run("train", *TINY_OPTIONS, "--epoch", 1, "--outf", "imgs/all", "--data_path", "data")[0] == 0


def test_train_says_how_many_images_it_uses(run, drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "data")
    (tmp_path / "data" / "broken.png").write_bytes(b"x")
    _, out, _ = run(*train(tmp_path / "data", tmp_path / "run", "--epoch", 1))
    found = re.search(r"36 images \((\d+) files left out; why: animegan data check .*\), on cpu", out)
    assert found and int(found[1]) == 1, "broken.png; what animegan itself writes beside the faces does not count"
    assert "faces of epoch 1:" in out


def test_resume_needs_no_other_option(run, drawn, tmp_path, finished):
    shutil.copytree(finished.path, tmp_path / "run")
    status, out, _ = run("train", "--resume", "--outf", tmp_path / "run", "--epoch", 4)
    assert status == 0
    assert Run(tmp_path / "run").epochs == [1, 2, 3, 4]
    assert "epoch 1 beside epoch 4" in out


def test_of_all_who_set_a_value_the_one_nearest_to_the_user_wins(tmp_path, monkeypatch):
    """What was given, then --draw, --quick, --resume, and the defaults."""
    monkeypatch.chdir(tmp_path)
    resolve = train_commands.resolve
    before = TrainConfig(lr=0.01, beta1=0.9, data_path="data/mine", outf="imgs/mine")
    assert resolve({}) == (TrainConfig(), None)
    assert resolve({}, before=before) == (before, None)
    config, _ = resolve({}, quick=True, before=before)
    assert QUICK.items() <= config.as_dict().items() and config.lr != before.lr
    assert (config.beta1, config.data_path, config.outf) == (0.9, "data/mine", "imgs/mine")
    assert resolve({}, draw=True, before=before)[0].data_path == "data/drawn"
    given = {"lr": 0.5, "data_path": "data/own"}
    config, _ = resolve(given, quick=True, draw=True, before=before)
    assert (config.lr, config.data_path, config.ngf, config.beta1) == (0.5, "data/own", QUICK["ngf"], 0.9)


def test_a_drawn_set_that_is_there_keeps_its_count_and_seed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resolve = train_commands.resolve
    assert resolve({}, draw=True)[1] == {"count": DRAWN_COUNT, "seed": 0}
    assert resolve({}, quick=True, draw=True)[1] == {"count": QUICK_COUNT, "seed": 0}
    drawing.write_faces("data/drawn", 3, seed=5, progress=False)
    drawing.write_faces("data/own", 2, seed=6, progress=False)
    for quick in (False, True):
        assert resolve({}, quick, draw=True)[1] == {"count": 3, "seed": 5}
        assert resolve({"data_path": "data/own"}, quick, draw=True)[1] == {"count": 2, "seed": 6}


def test_draw_then_check(run, tmp_path):
    assert run("draw", tmp_path / "faces", "--count", 5)[0] == 0
    status, out, _ = run("data", "check", tmp_path / "faces")
    assert status == 0
    assert "5 pictures to use" in out


def test_train_can_draw_its_own_data(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_commands, "QUICK_COUNT", 36)
    status, *_ = run("train", "--draw", "--quick", *TINY_OPTIONS, "--epoch", 1)
    assert status == 0
    assert len(list(Path("data/drawn/faces").glob("*.png"))) == 36
    assert Run("imgs").config.data_path == "data/drawn"
    # faces that are there already are used as they are, whatever their number
    assert run("train", "--draw", *TINY_OPTIONS, "--epoch", 1, "--outf", "imgs/more")[0] == 0
    assert len(list(Path("data/drawn/faces").glob("*.png"))) == 36


def test_sample_makes_new_faces_from_weights(run, finished, tmp_path):
    status, out, _ = run("sample", finished.path, "--epoch", 2, "--count", 9, "--out", tmp_path / "faces.png")
    assert status == 0 and "9 new faces of epoch 2" in out
    first = Image.open(tmp_path / "faces.png")
    assert first.size == (3 * 98 + 2, 3 * 98 + 2)
    run("sample", finished.path, "--epoch", 2, "--count", 9, "--seed", 1, "--out", tmp_path / "others.png")
    assert first.tobytes() != Image.open(tmp_path / "others.png").tobytes()


def test_compare_shows_epochs_and_runs_side_by_side(run, finished, tmp_path):
    out = tmp_path / "compare.png"
    assert run("compare", finished.path, "--epochs", 1, 3, "--count", 12, "--out", out)[0] == 0
    one = Image.open(out)
    cells = np.asarray(one)[MARGIN : MARGIN + 96, GAP - 12 * 98 - MARGIN :]
    assert np.array_equal(cells[:, :96], np.asarray(finished.faces(1)[0]))
    assert run("compare", finished.path, finished.path, "--epochs", 1, 3, "--count", 12, "--out", out)[0] == 0
    two = Image.open(out)
    assert two.height == pytest.approx(2 * one.height, abs=20)


def test_slides_without_code_are_numbered_as_they_are_saved(run, tmp_path):
    long_code = new_code_cell("\n".join(f"x = {n}" for n in range(40)))
    cells = [new_markdown_cell("# A"), long_code, new_markdown_cell("# B\n\n✍ write here")]
    for cell in (cells[0], cells[2]):
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    nbformat.write(new_notebook(cells=cells), tmp_path / "report.ipynb")
    left = [run("slides", tmp_path / "report.ipynb", "--to", "html", *more)[1] for more in ([], ["--no-input"])]
    numbers = [int(re.search(r"still to be written \(✍\): slide (\d+)\n", out)[1]) for out in left]
    assert numbers[0] > numbers[1] == 2, "the code takes slides of its own"


def test_every_command_explains_itself(run):
    commands = "draw train sample compare share evaluate diagnose coverage neighbours film ablate slides doctor"
    for command in (*([name] for name in commands.split()), *(["data", name] for name in ("check", "get", "crawl"))):
        status, out, _ = run(*command, "--help")
        assert status == 0 and out.startswith(f"usage: animegan {' '.join(command)} ")


def test_doctor_speaks_in_lines(run):
    status, out, _ = run("doctor")
    assert status in (0, 1)
    assert all(re.match(r"\[(OK|WARN|FAIL)\]|  +->|$|\d+ FAIL", line) for line in out.splitlines())
    assert "PyTorch" in out


def test_ctrl_c_says_how_to_resume(run, drawn, tmp_path, monkeypatch):
    step = GAN.step
    monkeypatch.setattr(GAN, "step", lambda *a: (signal.raise_signal(signal.SIGINT), step(*a))[1])
    status, out, _ = run(*train(drawn, tmp_path / "run"))
    assert status == 130
    assert "interrupted; " in out and f"Resume with: animegan train --resume --outf {tmp_path / 'run'}" in out


def test_the_library_imports_without_what_only_notebooks_need():
    """Training runs on a bare GPU machine: PyTorch, torchvision, NumPy, Pillow and tqdm."""
    code = (
        "import sys\n"
        "names = 'matplotlib ipywidgets IPython nbformat jupyterlab yaml packaging cv2 imagehash requests pooch'\n"
        "for name in names.split():\n"
        "    sys.modules[name] = None\n"
        "import animegan.training, animegan.drawing, animegan.show, animegan.doctor, animegan.cli.app\n"
        "assert 'torchvision' not in sys.modules, 'it takes a second that the first step need not wait for'\n"
        "import os; os.execv(sys.executable, [sys.executable, '-c', "
        '\'import sys, animegan.cli.app; assert "torch" not in sys.modules, "--help need not wait for it"\'])\n'
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# --- bad input ---------------------------------------------------------------------------------------


def test_no_data_says_how_to_get_some_and_offers_the_drawn_faces(fails, run, tmp_path, monkeypatch):
    line = fails(*train(tmp_path / "nowhere", tmp_path / "run"))
    assert "there is no folder" in line and "put a few thousand faces there" in line and "--draw" in line
    (tmp_path / "empty").mkdir()
    assert "there are no pictures in" in fails(*train(tmp_path / "empty", tmp_path / "run"))
    assert "nothing to train on" in run("data", "check", tmp_path / "empty")[1]
    monkeypatch.chdir(tmp_path)
    assert f"there is no folder photos in {tmp_path}" in fails(*train("photos", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_fewer_pictures_than_a_batch(fails, drawn, tmp_path):
    assert "36 usable images, fewer than one batch of 64" in fails(*train(drawn, tmp_path / "run", "--batchSize", 64))


def test_all_pictures_corrupt(fails, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a.jpg", "b.png"):
        (tmp_path / "data" / name).write_bytes(b"\xff\xd8 no picture")
    line = fails(*train(tmp_path / "data", tmp_path / "run"))
    assert "no picture in" in line and "can be used (2 corrupt" in line


def test_a_data_path_that_is_a_file(fails, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "is a file: give the folder" in fails(*train(tmp_path / "file", tmp_path / "run"))
    assert "is a file: give the folder" in fails("data", "check", tmp_path / "file")


def test_bad_files_are_left_out_and_named_while_training_goes_on(run, drawn, tmp_path):
    """Zero bytes, truncated, 1x1, a bomb, animated, misnamed, unreadable, Chinese and emoji names."""
    data = tmp_path / "数据 🌸"
    shutil.copytree(drawn, data)
    some = next((drawn / "faces").glob("*.png"))
    (data / "空.png").write_bytes(b"")
    (data / "截断.png").write_bytes(some.read_bytes()[:900])
    Image.new("RGB", (1, 1)).save(data / "one.png")
    Image.new("1", (20_000, 20_000)).save(data / "bomb.png")
    frames = [Image.new("RGB", (96, 96), colour) for colour in ("red", "blue")]
    frames[0].save(data / "动画😀.gif", save_all=True, append_images=frames[1:])
    shutil.copy(some, data / "misnamed.jpg")
    (data / "broken-link.png").symlink_to(tmp_path / "gone.png")
    status, out, _ = run("data", "check", data)
    assert status == 0
    for name in ("空.png", "截断.png", "one.png", "bomb.png", "动画😀.gif", "misnamed.jpg", "broken-link.png"):
        assert name in out, name
    assert "38 pictures to use" in out
    assert run(*train(data, tmp_path / "跑 🎀", "--epoch", 1))[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--imageSize", 64], "--imageSize 64 does not fit this network: its layers make 4, 8, 16, 32"),
        (["--batchSize", 0], "--batchSize 0 is out of range"),
        (["--batchSize", 1], "--batchSize 1 is out of range: it takes 2 or more (BatchNorm needs at least 2"),
        (["--lr", 0], "--lr 0.0 is out of range: it takes more than 0 (0.0002 is usual)"),
        (["--lr", -0.1], "--lr -0.1 is out of range"),
        (["--lr", "nan"], "--lr nan is out of range"),
        (["--epoch", 0], "--epoch 0 is out of range: it takes 1 or more"),
        (["--recipe", "best"], "--recipe best is not known; choose handout or stable or patient"),
        (["--set", "ema=2"], "--set ema=2 is out of range"),
        (["--set", "ema"], "--set"),
        (["--device", "quantum"], "--device quantum is not known: choose auto, cpu"),
        (["--lr", "fast"], "argument --lr: invalid float value: 'fast'"),
        (["--epochs", 3], "animegan train: unrecognized arguments: --epochs 3, did you mean --epoch?"),
        (["my", "faces"], 'unrecognized arguments: my faces (quote a path with spaces: "my faces")'),
        (["--set", "shift"], "shift is not NAME=VALUE, e.g. ema=0.99 or flips=true"),
        (["--set", "loss=best"], "--set loss=best is not known; choose probabilities, logits or hinge"),
        (["--set", "minibatch=1"], "--set minibatch=1 is out of range: it takes 0, or 2 or more"),
        (["--set", "ema=fast"], "--set ema=fast is not a number"),
        (["--hold_out", -1], "--hold_out -1 is out of range"),
        (["--hold_out", 36], "--hold_out 36 leaves no training images: there are 36 pictures"),
        (["--hold_out", 30], "has 6 usable images beyond the 30 held out, fewer than one batch of"),
        (["--data_path", ""], "--data_path is empty: name a folder"),
        (["--outf", " "], "--outf is empty: name a folder"),
    ],
)
def test_a_setting_that_cannot_work(fails, drawn, tmp_path, options, message):
    assert message in fails(*train(drawn, tmp_path / "run", *options))
    assert not (tmp_path / "run" / "run.json").exists()


def test_outf_that_is_a_file_or_locked_or_taken(fails, drawn, tmp_path, finished, monkeypatch):
    (tmp_path / "file").write_text("precious")
    assert "is a file, not a folder" in fails(*train(drawn, tmp_path / "file"))
    before = {p.name: p.stat().st_mtime_ns for p in finished.path.iterdir()}
    assert "already holds a run" in fails(*train(drawn, finished.path))
    assert before == {p.name: p.stat().st_mtime_ns for p in finished.path.iterdir()}
    forbid(monkeypatch, Path, "mkdir")
    assert "cannot be written (Permission denied)" in fails(*train(drawn, tmp_path / "locked"))


def test_resume_that_cannot_work(fails, drawn, tmp_path, finished):
    assert "there is no run in" in fails("train", "--resume", "--outf", tmp_path / "nothing")
    run = tmp_path / "run"
    shutil.copytree(finished.path, run)
    resume = ["train", "--resume", "--outf", run, "--epoch", 4]
    assert "cannot resume with other settings (lr 0.0002 is now 0.5)" in fails(*resume, "--lr", 0.5)
    shutil.copytree(drawn, tmp_path / "other")
    next((tmp_path / "other" / "faces").glob("*.png")).unlink()
    assert "does not hold the images that" in fails(*resume, "--data_path", tmp_path / "other")
    intact = (run / "checkpoint.pth").read_bytes()
    for content in (intact[:5000], b"", b"GIF89a something else"):
        (run / "checkpoint.pth").write_bytes(content)
        assert "is truncated or not a weights file" in fails(*resume)
    torch.save({"epoch": 3}, run / "checkpoint.pth")
    assert "is not an animegan checkpoint" in fails(*resume)
    assert Run(run).epochs == [1, 2, 3]


def test_a_full_disk_keeps_the_last_good_checkpoint(fails, run, drawn, tmp_path, monkeypatch):
    forbid(monkeypatch, os, "replace", lambda _, target: str(target).endswith("netG_003.pth"), errno.ENOSPC)
    assert "No space left on device" in fails(*train(drawn, tmp_path / "run"))
    monkeypatch.undo()
    assert Run(tmp_path / "run").load_checkpoint()["epoch"] == 3
    assert run("train", "--resume", "--outf", tmp_path / "run")[0] == 0


def test_a_loss_that_is_not_finite(fails, drawn, tmp_path, monkeypatch):
    step, calls = GAN.step, []

    def diverging(self, real):
        calls.append(1)
        return step(self, real) * (math.nan if len(calls) == 10 else 1)

    monkeypatch.setattr(GAN, "step", diverging)
    line = fails(*train(drawn, tmp_path / "run"))
    assert "the loss is not finite at epoch 3, batch 2" in line and "epoch 2 and all before it are saved" in line


def test_a_learning_rate_far_too_large(fails, drawn, tmp_path):
    line = fails(*train(drawn, tmp_path / "run", "--lr", 1e9))
    assert "training has diverged and was stopped" in line and "smaller --lr than 1e+09" in line


def test_sample_and_compare_say_what_is_missing(fails, finished, tmp_path):
    assert "there is no run in" in fails("sample", tmp_path)
    assert "has no netG_009.pth: it exists for epoch 1 to 3" in fails("sample", finished.path, "--epoch", 9)
    assert "--count: 0 is out of range: give 1 to 10,000" in fails("sample", finished.path, "--count", 0)
    assert "does not end in the suffix of a picture" in fails("sample", finished.path, "--out", tmp_path / "faces.txt")
    assert "has no fake_samples_epoch_009.png" in fails("compare", finished.path, "--epochs", 1, 9)
    assert "--count: 65 is out of range: give 1 to 64" in fails("compare", finished.path, "--count", 65)
    assert "could not be saved" in fails("compare", finished.path, "--out", tmp_path / "no" / "folder" / "x.png")


def test_share_says_what_it_made_and_what_is_wrong(run, fails, finished, tmp_path):
    _, out, _ = run("share", finished.path, tmp_path / "copy", "--weights", 1, 3)
    assert "grids of epochs 1 to 3, history, netG of epochs 1, 3" in out and "copy" in out
    run("share", finished.path, tmp_path / "small", "--weights", "--quality", 40)
    sizes = [(tmp_path / name / "fake_samples_epoch_003.jpg").stat().st_size for name in ("small", "copy")]
    assert sizes[0] < 0.7 * sizes[1] and "--quality: 96 is out of" in fails("share", "a", "b", "--quality", 96)
    line = fails("share", finished.path, tmp_path / "copy")
    assert "is not empty, and its files are never overwritten: name a new folder" in line and "--" not in line
    assert "has no netG_009.pth" in fails("share", finished.path, tmp_path / "new", "--weights", 9)
    assert "there is no run in" in fails("share", tmp_path / "nowhere", tmp_path / "new")


def test_draw_says_what_is_wrong(fails, tmp_path):
    assert "count" in fails("draw", tmp_path / "faces", "--count", 0)
    (tmp_path / "file").write_text("x")
    assert str(tmp_path / "file") in fails("draw", tmp_path / "file", "--count", 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_bytes(b"precious")
    fails("draw", tmp_path / "mine", "--count", 3)
    assert (tmp_path / "mine" / "photo.jpg").read_bytes() == b"precious"
    assert drawing.write_faces


def test_no_command_is_one_line(run):
    status, _, errors = run()
    assert status == 2 and errors.count("\n") == 1


def test_a_closed_pipe_is_no_mistake(tmp_path):
    for name in ("drawn.toml", "drawn.csv"):
        shutil.copy(Path(__file__).parents[2] / "imgs" / "ablation" / name, tmp_path)
    command = [sys.executable, "-m", "animegan", "ablate", str(tmp_path / "drawn.toml"), "--table"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(60) == 0


@pytest.fixture
def shell(tmp_path):
    """Run a line of shell in which $A is the program, with variables; return its status, output and errors."""

    def call(line, **variables):
        variables = {**os.environ, "A": f"{sys.executable} -m animegan", "OUT": str(tmp_path / "faces"), **variables}
        done = subprocess.run(["sh", "-c", line], env=variables, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    return call


FULL = Path("/dev/full").exists()


@pytest.mark.skipif(not FULL, reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("$A draw $OUT --count 2 >&-", 0, ""),
        ("$A draw $OUT --count 2 2>&-", 0, "2 drawn faces in "),
        ("$A draw $OUT --count 2 >&- 2>&-", 0, ""),
        ("$A draw $OUT --count 2 2>/dev/full", 0, "2 drawn faces in "),
        ("$A draw $OUT --count 0 2>/dev/full", 2, ""),
        ("$A draw $OUT --count 2 >/dev/full", 2, "standard output could not be written (No space left on device)"),
        ("$A --help >/dev/full", 2, "standard output could not be written (No space left on device)"),
        ("$A --version >&-", 0, ""),
    ],
)
def test_output_that_is_closed_or_full_loses_no_work(shell, tmp_path, line, status, said):
    ended, out, errors = shell(line)
    assert ended == status and "Traceback" not in errors and "Exception ignored" not in errors
    assert said in out + errors
    assert (tmp_path / "faces" / "attributes.csv").exists() == ("--count 2" in line)


def test_variables_for_other_libraries_that_make_no_sense(shell, finished, tmp_path):
    for name, value in (("TQDM_MININTERVAL", "x"), ("TQDM_FILE", "log.txt"), ("TQDM_NCOLS", "40")):
        assert shell("$A draw $OUT --count 2", **{name: value})[0] == 0
    for name in ("drawn.toml", "drawn.csv"):
        shutil.copy(Path(__file__).parents[2] / "imgs" / "ablation" / name, tmp_path)
    line = f"$A ablate {tmp_path / 'drawn.toml'} --table"
    assert shell(line, MPLBACKEND="nonsense")[0] == 0
    assert (tmp_path / "drawn.png").exists(), "the figure was drawn"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RecursionError("maximum recursion depth exceeded"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes."),
        RuntimeError("Storage size calculation overflowed with sizes=[4]"),
    ],
    ids=repr,
)
def test_too_little_memory_is_one_line(fails, finished, monkeypatch, error):
    def generate(*_args):
        raise error

    monkeypatch.setattr(Run, "generate", generate)
    assert "takes more memory than there is: choose smaller numbers" in fails("sample", finished.path)
    error.args = ("a fault of the program",)
    if type(error) is RuntimeError:
        with pytest.raises(RuntimeError, match="a fault of the program"):
            fails("sample", finished.path)


def test_more_memory_than_any_machine_has_is_one_line(fails, finished, monkeypatch):
    monkeypatch.setattr("animegan.models.latent_vectors", lambda *_args: torch.empty(2**45))
    assert "takes more memory than there is" in fails("sample", finished.path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sample RUN --count 2147483648", "--count: 2147483648 is out of range: give 1 to 10,000"),
        ("sample RUN --seed 99999999999999999999", "is out of range: give 0 to 9,223,372,036,854,775,807"),
        ("sample RUN --seed -1", "--seed: -1 is out of range"),
        ("sample RUN --epoch 0", "--epoch: 0 is out of range: give 1 to 999,999"),
        ("sample RUN --epoch ²", "--epoch: '²' is not a whole number"),
        (f"sample RUN --epoch {'1' * 5000}", f"--epoch: '{'1' * 40}' is not a whole number"),
        ("sample RUN --count=--", "--count: -- is not a value"),
        ("compare RUN --epochs=--", "--epochs: -- is not a value"),
        ("compare RUN --epochs 1 1e3", "--epochs: '1e3' is not a whole number"),
        ("share RUN OUT --weights 0", "--weights: 0 is out of range"),
        ("evaluate RUN --count 63", "--count: 63 is out of range: give 64 to 50,000"),
        ("coverage RUN --count 99999999999999999999", "is out of range: give 64 to 10,000"),
        ("neighbours RUN --count 0", "is out of range: give 1 to 10,000"),
        ("film RUN --stops 2147483648", "--stops: 2147483648 is out of range: give 2 to 100"),
        ("film RUN --count 65", "--count: 65 is out of range: give 1 to 64"),
        ("ablate grid.toml --jobs 0", "--jobs: 0 is out of range: give 1 to 256"),
    ],
)
def test_a_number_beyond_its_range_is_refused_with_the_range(fails, finished, line, words):
    assert words in fails(*(str(finished.path) if word == "RUN" else word for word in line.split()))


@pytest.mark.parametrize(
    "line",
    [
        "sample _", "sample RUN --out _", "compare RUN _", "compare RUN --out _", "share RUN _", "share _ OUT",
        "evaluate RUN --reals _", "evaluate RUN --inception _", "evaluate _", "diagnose _", "coverage RUN --out _",
        "neighbours RUN --out _", "film RUN --out _", "ablate _", "ablate G --out _", "ablate G --data_path _",
    ],
)  # fmt: skip
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_path_is_named_and_not_ignored(fails, finished, line, empty):
    places = {"_": empty, "RUN": str(finished.path)}
    words = fails(*(places.get(word, word) for word in line.split()))
    assert "it is empty: name a file or folder (is a variable not set?)" in words


def test_two_dashes_are_not_a_value(fails, finished):
    assert "argument --sha256: -- is not a value" in fails("data", "get", "--sha256=--")
    assert "argument --reals: -- is not a value" in fails("evaluate", finished.path, "--reals=--", "--epochs", 3)
    assert "argument --by: -- is not a value" in fails("neighbours", finished.path, "--by=--")


def test_a_line_feed_in_what_was_given_stays_on_one_line(fails, finished, tmp_path):
    assert r"a\nb" in fails("sample", "a\nb")
    assert r"--a\u2028b" in fails("sample", finished.path, "--a\u2028b")
    assert r"a\nb" in fails("neighbours", finished.path, "--by", "a\nb")
    assert r"a\udcff" in fails("sample", finished.path, "--seed", "a\udcff")


def test_an_output_that_cannot_be_written_is_one_line(fails, finished, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder.png").mkdir()
    for out in (tmp_path / ("n" * 300 + ".png"), tmp_path / "loop" / "x.png", tmp_path / "folder.png", "/dev/full"):
        for command in ("sample", "compare"):
            assert str(out)[:40] in fails(command, finished.path, "--out", out)


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("--cuda", "a GPU is used if there is one; --device chooses another"),
        ("--no-cuda", "here it is --device cpu"),
        ("--niter=25", "here it is --epoch"),
        ("--workers", "leave it out: all pictures are kept in memory"),
        ("--manualSeed", "here it is --seed"),
        ("--netG", "leave it out: --resume continues a run with its networks"),
        ("--netD", "leave it out: --resume"),
        ("--ngpu", "leave it out: one GPU is used"),
        ("--dataroot", "here it is --data_path"),
        ("--dry-run", "here a short run is --quick, or --epoch 1"),
        ("--classes", "leave it out: all pictures below --data_path are used"),
    ],
)
def test_options_of_other_programs_are_known(fails, option, hint):
    line = fails("train", option, "x")
    assert f"unrecognized arguments: {option} x ({hint}" in line and "did you mean" not in line
