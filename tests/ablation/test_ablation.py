"""A sweep of runs: read, trained, interrupted and resumed, and made into a table."""

import csv
import errno
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MANY, TINY, count_calls
from PIL import Image

from animegan import files
from animegan.ablation import Result, Sweep, ablate, read_results, runner, table
from animegan.ablation.sweep import write_results
from animegan.cli import main
from animegan.errors import UserError
from animegan.gan import GAN
from animegan.runs import Run
from animegan.show import FADED, metric_plots
from animegan.show.figures import BLUE
from animegan.training import train

OPTIONS = "\n".join(f"{name} = {json.dumps(value)}" for name, value in {**TINY, "epoch": 1, "hold_out": 64}.items())


pytestmark = pytest.mark.usefixtures("small_metric")


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch):
    monkeypatch.setattr(runner, "SPEED_SECONDS", 0.05)


def sweep_file(folder, rows, options=OPTIONS):
    path = folder / "sweep.toml"
    path.write_text(f"[options]\n{options}\n{rows}", encoding="utf-8")
    return path


ROWS = """
[[row]]
name = "Stable"
seeds = 2
[[row]]
name = "no flips"
set = { flips = false }
"""


def test_a_sweep_is_trained_measured_and_resumed(tmp_path, many, monkeypatch, capsys):
    path = sweep_file(tmp_path, ROWS)
    command = ["ablate", str(path), "--data_path", str(many), "--out", str(tmp_path / "runs"), "--count", "64"]
    assert main([*command, "--rows", "no flips"]) == 0
    assert [(r.row, r.seed) for r in read_results(Sweep.read(path))] == [("no flips", 0)]

    trained = []
    train = runner.train
    monkeypatch.setattr(runner, "train", lambda config, **more: (trained.append(config), train(config, **more))[1])
    assert main(command) == 0
    assert [(config.seed, config.changes) for config in trained] == [(0, {}), (1, {})], "results are kept"
    results = read_results(Sweep.read(path))
    assert [(r.row, r.seed) for r in results] == [("Stable", 0), ("Stable", 1), ("no flips", 0)]
    assert results[0].swd != results[1].swd and all(r.images_per_second > 0 and r.fid > 0 for r in results)
    with open(tmp_path / "runs" / "stable" / "1" / "metrics.csv", encoding="utf-8") as file:
        measured = [float(row["swd"]) for row in csv.DictReader(file) if row["epoch"] == "1"]
    assert results[1].swd == pytest.approx(statistics.fmean(measured), abs=1e-3)
    assert Run(tmp_path / "runs" / "no-flips" / "0").config.changes == {"flips": False}
    assert "animegan train" in results[2].command and "--set flips=false" in results[2].command
    assert str(tmp_path) not in (tmp_path / "sweep.csv").read_text(encoding="utf-8"), "no path of this computer"

    capsys.readouterr()
    trained.clear()
    assert main(["ablate", str(path), "--table"]) == 0
    assert not trained, "a table trains nothing"
    assert capsys.readouterr().out.count("| ") > 3 * 7
    with Image.open(tmp_path / "sweep.png") as picture:
        assert picture.width > 1000, "the table as a picture, beside the results"


def test_an_interrupted_run_ends_the_sweep_and_resumes(tmp_path, many, monkeypatch):
    path = sweep_file(tmp_path, ROWS)
    command = ["ablate", str(path), "--data_path", str(many), "--out", str(tmp_path / "runs"), "--count", "64"]
    step, steps = GAN.step, []

    def stopping(gan, real):
        if len(steps) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        steps.append(real)
        return step(gan, real)

    monkeypatch.setattr(GAN, "step", stopping)
    assert main([*command, "--rows", "no flips"]) == 130
    assert not read_results(Sweep.read(path)) and (tmp_path / "runs" / "no-flips" / "0" / "checkpoint.pth").is_file()
    done = len(steps)
    monkeypatch.setattr(runner, "measure_speed", lambda configs, _seconds: {name: [1.0] for name in configs})
    assert main([*command, "--rows", "no flips"]) == 0
    assert [r.images_per_second for r in read_results(Sweep.read(path))] == [1.0]
    assert len(steps) == (MANY - 64) // 8 > done >= 4, "no step is done twice"


def test_several_runs_at_a_time(tmp_path, many, capsys):
    sweep = Sweep.read(sweep_file(tmp_path, ROWS))
    found = ablate(sweep, tmp_path / "runs", {"data_path": str(many)}, count=64, jobs=2)
    assert [(r.row, r.seed) for r in found] == [("Stable", 0), ("Stable", 1), ("no flips", 0)]
    assert len({r.swd for r in found}) == 3 and all(r.images_per_second and r.timed_on for r in found)
    shown = capsys.readouterr().out.splitlines()
    begun = ["Stable, seed 0 begins", "no flips, seed 0 begins"]
    assert shown[:2] == begun, "every row has its first seed before any has its second"
    assert f"Stable, seed 1: {found[1].swd:.1f}" in shown and "timing 2 rows, which takes" in shown[-3]
    assert re.fullmatch(r"no flips: \d+ images/s", shown[-1])


LONG_AND_SHORT = '[[row]]\nname = "long"\nepoch = 10000\n[[row]]\nname = "short"\n[[row]]\nname = "later"'
on_posix = pytest.mark.skipif(os.name != "posix", reason="signals go to a process group")


@pytest.fixture
def busy_sweep(tmp_path, many):
    """A sweep in its own process group, two runs at a time, once its first run is measured; and its errors."""
    path = sweep_file(tmp_path, LONG_AND_SHORT)
    command = [sys.executable, "-m", "animegan", "ablate", str(path), "--data_path", str(many), "--jobs", "2"]
    command += ["--rows", "long", "short", "--out", str(tmp_path / "runs")]
    with open(tmp_path / "errors", "w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, stderr=errors, start_new_session=True)
    until = time.monotonic() + 120
    while not ((tmp_path / "sweep.csv").exists() and list((tmp_path / "runs" / "long" / "0").glob("netG_002.pth"))):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.1)
    yield process, lambda: (tmp_path / "errors").read_text(encoding="utf-8")
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@on_posix
def test_several_runs_are_interrupted_together_and_resume(tmp_path, busy_sweep):
    process, errors = busy_sweep  # by now one of its two workers is idle
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert errors().splitlines() == ["animegan: interrupted"]
    assert [r.row for r in read_results(Sweep.read(tmp_path / "sweep.toml"))] == ["short"]
    run = Run(tmp_path / "runs" / "long" / "0")
    done = run.epochs[-1]
    again = train(replace(run.config, epoch=done + 1), resume=True, progress=False)
    assert again.epochs[-1] == done + 1 < 10000


@on_posix
def test_a_run_that_is_killed_ends_the_sweep_with_one_line(tmp_path, busy_sweep):
    process, errors = busy_sweep
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.is_file():
        pytest.skip("this system does not list the processes that the sweep has started")
    for child in map(int, children.read_text().split()):
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(child, signal.SIGKILL)
    assert process.wait(60) == 2
    line = "animegan: one of the runs was killed, probably because memory ran out: try fewer --jobs."
    assert errors().startswith(line) and "Traceback" not in errors()


def result(row: str, seed: int, swd: float) -> Result:
    distances, machine = (swd, swd, swd, swd, 5.0, 1.0), ("M", "2", "2026-01-02")
    return Result(row, seed, 1, 64, *distances, "x", 640, 100.0, "C", "animegan train", *machine)


def test_a_run_that_diverges_is_a_result(tmp_path, many, monkeypatch, capsys):
    rows = '[[row]]\nname = "too fast"\nlr = 1e9\n[[row]]\nname = "usual"'
    sweep = Sweep.read(sweep_file(tmp_path, rows))
    trained = count_calls(monkeypatch, runner, "train")
    found = ablate(sweep, tmp_path / "runs", {"data_path": str(many)}, count=64, progress=False)
    assert "training has diverged" in capsys.readouterr().out
    assert [(r.row, math.isinf(r.swd)) for r in found] == [("too fast", True), ("usual", False)]
    lines = table(sweep).splitlines()
    assert lines[3].startswith("| too fast | diverged (1 of 1) |") and "nan" not in lines[-1]
    (tmp_path / "other").mkdir()
    other = Sweep.read(sweep_file(tmp_path / "other", rows))
    with pytest.raises(UserError, match="nowhere"):  # no other error counts as divergence
        ablate(other, tmp_path / "more", {"data_path": str(tmp_path / "nowhere")}, count=64, progress=False)
    tries = len(trained)
    assert str(ablate(sweep, tmp_path / "runs", count=64)) == str(found), "it is not tried again"
    assert len(trained) == tries >= 2
    figures = []
    monkeypatch.setattr(metric_plots, "to_picture", figures.append)
    metric_plots.plot_standings(sweep)
    assert next(text.get_text() for text in figures[0].axes[0].texts) == "diverged"


def test_the_table_says_what_is_as_good_as_the_first_row(tmp_path):
    rows = "".join(f'\n[[row]]\nname = "{name}"' for name in ("best", "bad", "near", "not run"))
    sweep = Sweep.read(sweep_file(tmp_path, rows))
    with pytest.raises(UserError, match="has no results yet: animegan ablate"):
        table(sweep)
    found = [("bad", (40, 42)), ("near", (21,)), ("best", (19, 21))]
    write_results(sweep, [result(row, n, swd) for row, all in found for n, swd in enumerate(all)])
    lines = table(sweep).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:5]] == ["| best", "| near", "| bad"]
    assert "| best | **20.0** ± 1.4 |" in lines[2] and "| near | **21.0** |" in lines[3]
    assert "| bad | 41.0 ± 1.4 |" in lines[4] and "±: standard deviation between seeds, 6% over all rows" in lines[-1]
    write_results(sweep, [result(row, 0, all[0]) for row, all in found])
    assert "**" not in (lone := table(sweep)) and "every difference may be luck" in lone


def test_results_of_a_row_that_is_no_longer_in_the_sweep_are_kept(tmp_path, many):
    path = sweep_file(tmp_path, '[[row]]\nname = "usual"')
    write_results(Sweep.read(path), [result("before", 0, 20.0)])
    ablate(Sweep.read(path), tmp_path / "runs", {"data_path": str(many)}, count=64, progress=False)
    assert [r.row for r in read_results(Sweep.read(path))] == ["usual"] and "before" not in table(Sweep.read(path))
    again = Sweep.read(sweep_file(tmp_path, '[[row]]\nname = "usual"\n[[row]]\nname = "before"'))
    assert [(r.row, r.images_per_second) for r in read_results(again)][1] == ("before", 100.0)


def test_the_picture_has_a_dot_for_each_run_and_shows_what_is_as_good_as_the_first_row(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(metric_plots, "to_picture", figures.append)
    sweep = Sweep.read(sweep_file(tmp_path, "".join(f'\n[[row]]\nname = "{name}"' for name in ("best", "bad", "near"))))
    with pytest.raises(UserError, match="has no results yet"):
        metric_plots.plot_standings(sweep)
    found = [("bad", (40, 42)), ("near", (21,)), ("best", (19, 21))]
    write_results(sweep, [result(row, n, swd) for row, all in found for n, swd in enumerate(all)])
    metric_plots.plot_standings(sweep)
    (panel,) = figures[0].axes
    dots = [line for line in panel.lines if line.get_marker() == "o"]
    assert [list(line.get_xdata()) for line in dots] == [[19, 21], [21], [40, 42]]
    assert [line.get_color() for line in dots] == [BLUE, BLUE, FADED]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["best", "near", "bad"]
    metric_plots.plot_standings(sweep, names=["bad"])
    (panel,) = figures[1].axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["best", "bad"], "and the row to compare with"
    assert panel.get_ylim()[0] > panel.get_ylim()[1], "the best on top"


def test_a_row_may_be_like_another_one(tmp_path):
    first = '[[row]]\nname = "first"\nseeds = 2\nlr = 0.01\nset = { ema = 0.5, r1 = 1.0 }\n'
    second = '[[row]]\nname = "second"\nlike = "first"\nnz = 7\nset = { r1 = 2.0 }\n'
    third = '[[row]]\nname = "third"\nlike = "second"\nlr = 0.02\n[[row]]\nname = "fourth"'
    rows = Sweep.read(sweep_file(tmp_path, first + second + third, 'device = "cpu"\nset = { shift = 0.0 }')).rows
    assert [row.seeds for row in rows] == [2, 1, 1, 1]
    assert [row.options.get("lr") for row in rows] == [0.01, 0.01, 0.02, None]
    assert [row.options.get("nz") for row in rows] == [None, 7, 7, None]
    assert [row.options["changes"].get("r1") for row in rows] == [1.0, 2.0, 2.0, None]
    assert [row.options["changes"].get("ema") for row in rows] == [0.5, 0.5, 0.5, None]
    assert all(row.options["device"] == "cpu" and row.options["changes"]["shift"] == 0.0 for row in rows)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ("", OPTIONS, "needs one or more [[row]]"),
        ("[other]\na = 1" + ROWS, OPTIONS, "and nothing else; it has other"),
        ('[[row]]\nname = "a"\nset = "flips=false"', OPTIONS, "row 'a' has set = 'flips=false'; write it as set = {"),
        (ROWS, f"{OPTIONS}\nset = 3", "row 'Stable' has set = 3; write it as"),
        (ROWS, f"{OPTIONS}\nseed = 3", "row 'Stable' sets seed; give seeds, the number of seeds"),
        ("= 3", OPTIONS, "sweep.toml is damaged ("),
        ("[[row]]\nseeds = 2", OPTIONS, "a [[row]] has no name"),
        ('[[row]]\nname = "a"\nseeds = 0', OPTIONS, "row 'a' has seeds = 0"),
        ('[[row]]\nname = "a"\n[[row]]\nname = "A!"', OPTIONS, "more than one row 'a'"),
        ('[[row]]\nname = "a"\nset = { speed = 1 }', OPTIONS, "row 'a': --set speed: no such ingredient"),
        ('[[row]]\nname = "a"\nepochs = 3', OPTIONS, "row 'a' sets epochs, which is not an option of animegan train"),
        (ROWS, f"{OPTIONS}\nnz = 3", "sweep.toml is damaged ("),
        (ROWS, f"{OPTIONS}\nseeds = 3", "row 'Stable' sets seeds, which is not an option of animegan train"),
        ('[[row]]\nname = "a"\nlr = -1.0', OPTIONS, "row 'a': --lr -1.0 is out of range"),
        ('[[row]]\nname = "a"\nset = { ema = 2.0 }', OPTIONS, "row 'a': --set ema=2.0 is out of range"),
        ('[[row]]\nname = "a"\nseeds = 1000000000', OPTIONS, "seeds = 1000000000; give a whole number from 1 to 1000"),
        ('[[row]]\nname = "a"\nseeds = true', OPTIONS, "row 'a' has seeds = True; give a whole number"),
        (f'[[row]]\nname = "{"n" * 400}"', OPTIONS, "a [[row]] has no name of 1 to 100 letters"),
        ('[[row]]\nname = "a"\nrecipe = ["x"]', OPTIONS, "row 'a': --recipe ['x'] is not a word"),
        ('[[row]]\nname = "a"\ndevice = [1]', OPTIONS.replace("device", "# "), "row 'a': --device [1] is not a word"),
        ('[[row]]\nname = "a"\nset = [1]', OPTIONS, "row 'a' has set = [1]; write it as"),
        ('[[row]]\nname = "a"\nlr = 1979-05-27', OPTIONS, "row 'a': --lr"),
        (f'[[row]]\nname = "a"\nlr = {"9" * 400}', OPTIONS, "row 'a': "),
        (f'[[row]]\nname = "a"\nlr = {"9" * 5000}', OPTIONS, "sweep.toml is damaged ("),
        (f'[[row]]\nname = "a"\nset = {"[" * 5000}', OPTIONS, "sweep.toml is damaged ("),
        ("[[row]]\nname = 5", OPTIONS, "a [[row]] has no name"),
        ('[[row]]\nname = "a"\nlike = "b"\n[[row]]\nname = "b"', OPTIONS, "row 'a' has like = 'b'; give the name of a"),
        ('[[row]]\nname = "a"\nlike = ["a"]', OPTIONS, "row 'a' has like = ['a']; give the name of a row above it"),
    ],
)
def test_a_sweep_that_cannot_be_trained_is_one_line(tmp_path, capsys, rows, options, message):
    assert main(["ablate", str(sweep_file(tmp_path, rows, options))]) == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.count("animegan:") == 1
    assert not (tmp_path / "sweep.csv").exists()


def test_a_sweep_that_is_not_a_file_is_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff" * 50)
    for name, words in (
        (tmp_path / "pipe.toml", "cannot be read (it is not a file)"), (tmp_path, "Is a directory"),
        ("/dev/zero", "it is not a file"), ("n" * 300, "cannot be read"), (tmp_path / "loop.toml", "cannot be read"),
        (tmp_path / "bytes.toml", "is damaged"),
    ):  # fmt: skip
        assert main(["ablate", str(name), "--table"]) == 2
        assert words in (errors := capsys.readouterr().err) and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("swd", "nan"), ("swd", "inf"), ("swd", "-inf"), ("swd_96", "x"), ("swd", "1e300"), ("swd", "-5"),
        ("floor", "nan"), ("seed", "1"), ("seed", "x"), ("count", "1e3"), ("epoch", "9" * 30), ("swd", "9" * 5000),
        ("images_per_second", "nan"), ("images_per_second", "-1"), ("command", "y" * 140_000),
    ],
)  # fmt: skip
def test_results_that_were_changed_or_damaged_are_one_line(tmp_path, column, value, capsys):
    path = sweep_file(tmp_path, ROWS)
    write_results(Sweep.read(path), [result("Stable", seed, 20.0 + seed) for seed in range(2)])
    assert main(["ablate", str(path), "--table"]) == 0
    with open(tmp_path / "sweep.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    lines[0][column] = value
    with open(tmp_path / "sweep.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, Result._fields)
        table.writeheader()
        table.writerows(lines)
    capsys.readouterr()
    assert main(["ablate", str(path), "--table"]) == 2
    errors = capsys.readouterr().err
    assert "sweep.csv is damaged" in errors and errors.count("\n") == 1


def test_what_was_measured_is_printed_before_it_is_written(tmp_path, many, monkeypatch, capsys):
    resource = pytest.importorskip("resource")
    path = sweep_file(tmp_path, '[[row]]\nname = "usual"')
    command = ["ablate", str(path), "--data_path", str(many), "--out", str(tmp_path / "runs"), "--count", "64"]
    limits, write = resource.getrlimit(resource.RLIMIT_FSIZE), runner.write_results

    def write_to_full_disk(*arguments):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        try:
            write(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(runner, "write_results", write_to_full_disk)
    assert main(command) == 2
    out, errors = capsys.readouterr()
    assert (
        "usual, seed 0: " in out and "sweep.csv could not be saved" in errors and not (tmp_path / "sweep.csv").exists()
    )
    trained = count_calls(monkeypatch, runner, "train")
    locked = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(files.tempfile, "TemporaryFile", lambda **_options: (_ for _ in ()).throw(locked))
    assert main(command) == 2 and not trained, "a locked folder is reported before anything is trained"
    assert "sweep.csv could not be saved (Permission denied)" in capsys.readouterr().err


def test_other_mistakes(tmp_path, capsys):
    path = sweep_file(tmp_path, ROWS)
    for name, content in (("list", "row = [1, 2]"), ("number", "options = 3\n[[row]]\nname = 'a'")):
        (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
    for arguments, message in (
        (["nowhere.toml"], "nowhere.toml cannot be read"),
        ([str(tmp_path / "list.toml")], "list.toml needs one or more [[row]]"),
        ([str(tmp_path / "number.toml")], "number.toml needs one or more [[row]]"),
        ([str(path), "--rows", "flips"], "has no row 'flips'; it has 'Stable', 'no flips'"),
        ([str(path), "--table"], "has no results yet"),
    ):
        assert main(["ablate", *arguments]) == 2
        assert message in capsys.readouterr().err
    write_results(Sweep.read(path), [result("Stable", 0, 20.0)])  # by an `animegan train` with other settings
    with pytest.raises(UserError, match=r"row 'Stable' was measured as `animegan train` and is now `animegan train --"):
        ablate(Sweep.read(path), tmp_path / "runs")
    (tmp_path / "sweep.csv").write_text("row,seed\na,b\n", encoding="utf-8")
    with pytest.raises(UserError, match="is damaged"):
        ablate(Sweep.read(path), tmp_path / "runs")
