"""What the notebooks share."""

import os
from pathlib import Path

import numpy as np
import pytest

from animegan.course import classroom
from animegan.errors import UserError
from animegan.measure import DRAWN_UNSEEN


@pytest.fixture
def student(tmp_path, monkeypatch):
    """The project of a student who has not started; the notebook runs in its folder notebooks/."""
    monkeypatch.delenv("ANIMEGAN_SMOKE", raising=False)
    monkeypatch.setattr(classroom, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def test_a_student_works_in_the_project_and_sees_short_paths(student):
    assert classroom.folder("imgs/mine") == Path("../imgs/mine")
    assert classroom.sized(25, 2) == 25


def test_a_test_works_elsewhere(student, monkeypatch):
    monkeypatch.setenv("ANIMEGAN_SMOKE", "1")
    folder = classroom.folder("imgs/mine")
    assert folder == classroom.folder("imgs") / "mine" and student not in folder.resolve().parents
    assert classroom.sized(25, 2) == 2
    monkeypatch.setenv("ANIMEGAN_SMOKE", "0")
    assert not classroom.is_smoke()


def test_drawn_faces_uses_the_set_that_exists(student, monkeypatch):
    monkeypatch.setattr(classroom, "QUICK_COUNT", 3)
    assert classroom.drawn_faces() == Path("../data/drawn")
    monkeypatch.setattr(classroom, "QUICK_COUNT", 5)
    assert len(list((classroom.drawn_faces() / "faces").glob("*.png"))) == 3


def test_the_reference_run_is_used_until_the_student_has_one(student, finished, capsys):
    with pytest.raises(UserError, match="there is no reference run in imgs/reference"):
        classroom.my_run()
    finished.share(student / "imgs" / "reference", weights=[1, 3])
    assert classroom.my_run().path == Path("../imgs/reference")
    assert "showing the reference run" in capsys.readouterr().out.splitlines()[-1]
    finished.share(student / "imgs" / "mine")
    assert classroom.my_run().path == Path("../imgs/mine")
    assert capsys.readouterr().out == "showing your run imgs/mine: 3 epochs\n"
    assert classroom.my_run(weights=True).path == Path("../imgs/reference"), "a shared run has none"
    assert "no run of yours with weights in imgs yet" in capsys.readouterr().out


def test_the_newest_run_is_shown_unless_another_is_named(student, finished, capsys):
    for day, name in enumerate(("mine", "quick", "reference"), start=1):
        history = finished.share(student / "imgs" / name).path / "history.csv"
        os.utime(history, (86_400 * day, 86_400 * day))
    (student / "imgs" / "experiments" / "beta09").mkdir(parents=True)
    assert classroom.my_run().path == Path("../imgs/quick")
    assert classroom.my_run("imgs/mine").path == Path("../imgs/mine")
    assert capsys.readouterr().out == "showing your run imgs/quick: 3 epochs\nshowing your run imgs/mine: 3 epochs\n"
    os.utime(student / "imgs" / "mine" / "history.csv")
    assert classroom.my_run().path == Path("../imgs/mine"), "it has been resumed"
    assert classroom.my_run("imgs/nowhere").path == Path("../imgs/reference")
    assert "no run of yours in imgs/nowhere yet" in capsys.readouterr().out


def measure(run, mean: float) -> None:
    """Write what `animegan evaluate` would: a distance of `mean` on all levels, and no FID."""
    header = "epoch,seed,count,swd_96,swd_48,swd_24,swd,fid,kid,precision,recall,features,reference\n"
    lines = (f"{epoch},0,64,{mean},{mean},{mean},{mean},,,,,,others\n" for epoch in (1, "real"))
    run.output("metrics").write_text(header + "".join(lines), encoding="utf-8")


def test_the_figures_of_the_reference_run_are_used_until_a_run_is_measured(student, finished, capsys):
    measure(finished.share(student / "imgs" / "reference"), mean=40.0)
    mine = finished.share(student / "imgs" / "mine")
    assert classroom.measured(classroom.my_run()).mean(1) == 40
    assert "imgs/mine has not been measured yet" in (printed := capsys.readouterr().out)
    assert "    animegan evaluate imgs/mine\n" in printed and "minutes" in printed
    measure(mine, mean=30.0)
    assert classroom.measured(classroom.my_run()).mean(1) == 30
    assert capsys.readouterr().out == "showing your run imgs/mine: 3 epochs\n"


def test_the_faces_of_the_reference_run_are_drawn_if_they_do_not_exist(student, finished):
    finished.share(student / "imgs" / "reference")
    found = classroom.pictures_of(classroom.reference_run(), 4)
    assert (len(found.training), len(found.unseen), found.kind) == (finished.pictures, 4, DRAWN_UNSEEN)
    assert (student / "data" / f"drawn-{finished.pictures}").is_dir()


def test_a_shared_run_can_be_read_but_not_resumed(finished, tmp_path):
    copy = finished.share(tmp_path / "copy", weights=[1, 3])
    assert copy.epochs == finished.epochs
    difference = np.asarray(copy.grid(2), float) - np.asarray(finished.grid(2), float)
    assert abs(difference).mean() < 3, "of 255 levels: JPEG of good quality"
    assert copy.reals.size == finished.reals.size and len(copy.faces(2)) == 64
    assert copy.history["loss_G"].tolist() == finished.history["loss_G"].tolist()
    assert copy.config.outf == str(tmp_path / "copy")
    assert copy.generator(3) is not None
    with pytest.raises(UserError, match="has no netG_002.pth"):
        copy.generator(2)
    assert not (copy.path / "checkpoint.pth").exists()
    with pytest.raises(UserError, match="its files are never overwritten"):
        finished.share(tmp_path / "copy")
    with pytest.raises(UserError, match="has no netG_009.pth"):
        finished.share(tmp_path / "other", weights=[9])
    assert not (tmp_path / "other").exists()
