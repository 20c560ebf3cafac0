"""What a generator makes too seldom, and whether it copies: on sets whose answer is known; the figures that show it."""

import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import TINY
from PIL import Image

from animegan.cli import main
from animegan.config import TrainConfig
from animegan.drawing import Face, draw
from animegan.errors import UserError
from animegan.measure import ATTRIBUTES, REAL, Distance, Evaluation, Fidelity, coverage, neighbours
from animegan.measure.train_classifier import drawn_with_attributes
from animegan.show import neighbours_picture, plot_coverage, plot_evaluation, plot_neighbours
from animegan.show.sheets import GAP, HEADING, MARGIN
from animegan.training import train


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return drawn_with_attributes(500, seed=31)[0]


def test_shares_add_up_and_alike_sets_lack_nothing(faces):
    found = coverage(faces[:250], faces[250:])
    for name, values in ATTRIBUTES.items():
        mine = [share for share in found if share.attribute == name]
        assert tuple(share.value for share in mine) == values
        assert sum(share.fake for share in mine) == pytest.approx(1) == sum(share.real for share in mine)
    assert not [share for share in found if share.seldom]


def test_what_is_never_made_is_named(faces):
    collapsed = [replace(Face.random(32, n), eyes="open", accessory="glasses", tilt=0.0, scale=1.0) for n in range(250)]
    pictures = np.stack([draw(face) for face in collapsed]).transpose(0, 3, 1, 2)
    seldom = {(share.attribute, share.value) for share in coverage(pictures, faces) if share.seldom}
    assert {("accessory", "none"), ("accessory", "hat"), ("eyes", "smiling")} <= seldom
    assert not {name for name, _ in seldom} & {"hair colour", "skin", "eye colour"}, "and nothing else"
    with pytest.raises(UserError, match="fewer than 64 faces"):
        coverage(pictures[:10], faces)


@pytest.mark.parametrize("by", ["pixels", "features"])
def test_copies_are_found_also_mirrored_and_others_are_not_copies(faces, by):
    training, unseen, others = faces[:250], faces[250:400], faces[400:]
    copies = torch.cat([training[10:20], training[20:30].flip(3)])
    grainy = copies.float() + 6 * torch.randn(copies.shape, generator=torch.Generator().manual_seed(0))
    found = neighbours((grainy.clamp(0, 255) / 127.5 - 1), training, unseen, by)
    assert found.nearest.tolist() == list(range(10, 30)), "floats in [-1, 1] and bytes alike"
    assert found.copies > 0.9
    honest = neighbours(others, training, unseen, by)
    assert honest.copies < 0.06
    assert honest.distances.mean() == pytest.approx(honest.usual.mean().item(), rel=0.1)
    with pytest.raises(UserError, match="by 'eye' is not known"):
        neighbours(others, training, unseen, "eye")


def test_of_many_reals_a_thousand_are_enough_and_always_the_same(faces):
    some, again = (coverage(faces[:100], reals, count=200) for reals in (faces, faces.numpy()))
    assert (some.fakes, some.reals) == (100, 200) and list(some) == list(again), "tensors and arrays alike"
    assert list(coverage(faces[:100], faces)) != list(some) and coverage(faces[:100], faces).reals == 500
    with pytest.raises(UserError, match="fewer than 64 faces"):
        coverage(faces, faces, count=63)


def test_coverage_as_text_lists_what_is_made_too_seldom_worst_first(faces):
    found = coverage(faces[:64].float().mean(0).expand(64, -1, -1, -1).to(torch.uint8), faces)
    first, second, empty, header, *lines = str(found).splitlines()
    assert first == "64 fakes compared with 500 real faces" and not empty
    assert second == f"read by the face classifier: {len(found.seldom)} of {len(found)} values are made too seldom"
    assert header.split() == ["attribute", "value", "in", "reals", "in", "fakes"] and len(lines) == len(found.seldom)
    lacks = [float(line.split()[-2].rstrip("%")) - float(line.split()[-1].rstrip("%")) for line in lines]
    assert len(lacks) > 10 and lacks == sorted(lacks, reverse=True) and min(lacks) > 0
    assert len(str(coverage(faces[:250], faces[250:])).splitlines()) == 2, "nothing is made too seldom: no table"


def test_neighbours_as_text_gives_distances_and_says_what_the_others_are(faces):
    found = neighbours(faces[:20], faces[100:300], faces[300:364], words="faces of the same seed")
    lines = str(found).splitlines()
    assert lines[0] == "distance in pixels to the nearest of 200 training images, mirrored or not"
    for name, count in (("fakes", 20), ("other reals", 64)):
        (line,) = (line for line in lines if line.startswith(f"{name}  "))
        figures = [float(figure) for figure in line.removeprefix(name).split()]
        assert figures[0] == count and 0 < figures[1] <= figures[2] < figures[3]
    assert lines[-2] == "other reals are faces of the same seed"
    assert lines[-1] == f"copies, nearer than 99 of 100 other reals: {found.copies:.1%} of the fakes"
    assert "other reals are" not in str(neighbours(faces[:20], faces[100:300], faces[300:364]))


def test_distances_in_pixels_are_levels_of_brightness(faces):
    dim = (faces[:8].float() - 10).clamp(0, 255).to(torch.uint8)
    found = neighbours(dim, faces[:8], faces[100:164])
    assert found.nearest.tolist() == list(range(8)) and 8 < found.distances.mean() <= 10


def test_the_figures_show_all_of_it(faces):
    found = coverage(faces[:250], faces[250:])
    chart = plot_coverage([found[0]._replace(fake=0.0, seldom=True), *found[1:]])
    assert has(chart, (213, 94, 0)) and not has(plot_coverage(found), (213, 94, 0), least=3000)
    near = neighbours(faces[:64], faces[64:256], faces[256:320])
    assert plot_neighbours(near).width > 900
    picture = neighbours_picture(faces[:64], faces[64:256].numpy(), near, count=3)
    closest = int(near.distances.argmin())
    top, left = MARGIN + HEADING + GAP, picture.width - MARGIN + GAP - 3 * (96 + GAP)
    column = np.array(picture.crop((left, top, left + 96, picture.height - MARGIN)))
    assert np.array_equal(column[:96], faces[closest].permute(1, 2, 0))
    assert np.array_equal(column[96 + GAP :], faces[64 + int(near.nearest[closest])].permute(1, 2, 0))


def has(picture, colour: tuple[int, int, int], least: int = 100) -> bool:
    return int((np.array(picture.convert("RGB")) == colour).all(2).sum()) >= least


@pytest.mark.parametrize("fidelities", [True, False])
def test_an_evaluation_is_drawn_with_or_without_fid(fidelities):
    figures = {e: Fidelity(50.0 - e, 100.0, 0.8, 0.02 * e, "face classifier") for e in (1, 8, 25, REAL) if e != REAL}
    figures[REAL] = Fidelity(0.5, 0.1, 0.8, 0.8, "face classifier")
    distances = {e: [Distance((float(60 - e),) * 3, 60.0 - e)] for e in (1, 8, 25)}
    found = Evaluation(distances, [Distance((5.0,) * 3, 5.0)], 2048, "x", figures if fidelities else {})
    picture = plot_evaluation(found)
    assert picture.width > (1400 if fidelities else 850)
    assert has(picture, (0, 114, 178)) and has(picture, (213, 94, 0)), "the line, and the mark of the best epoch"
    assert plot_evaluation(Evaluation({3: distances[8]}, found.floor, 64, "x")).height > 500, "one epoch alone"


# --- the commands ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(many, tmp_path_factory):
    """A run that held images out: nothing needs to be drawn to compare with."""
    outf = tmp_path_factory.mktemp("a") / "r"
    return train(TrainConfig(**{**TINY, "epoch": 2, "hold_out": 64}, data_path=many, outf=outf), progress=False)


def test_the_command_coverage_prints_what_is_seldom_and_draws_all(run, capsys):
    assert main(["coverage", str(run.path), "--count", "64", "--epoch", "1"]) == 0
    out = capsys.readouterr().out
    assert "epoch 1: 64 fakes compared with 64 real faces" in out
    lines = [line.split() for line in out.splitlines() if line.endswith("%")]
    lacks = [float(line[-2].rstrip("%")) - float(line[-1].rstrip("%")) for line in lines]
    assert len(lines) > 10 and f"{len(lines)} of 74 values" in out, "after 24 steps nearly all are one blur"
    assert lacks == sorted(lacks, reverse=True) and min(lacks) > 0
    assert Image.open(run.path / "coverage.png").width > 1400


@pytest.mark.parametrize("by", ["pixels", "features"])
def test_the_command_neighbours_prints_distances_and_shows_the_nearest(run, tmp_path, capsys, by):
    assert main(["neighbours", str(run.path), "--by", by, "--count", "20", "--out", str(tmp_path / "n.png")]) == 0
    out = capsys.readouterr().out
    assert f"epoch 2: distance in {by} to the nearest of 96 training images" in out
    assert "other reals are the held-out images" in out
    for name, count in (("fakes", 20), ("other reals", 64)):
        (line,) = (line for line in out.splitlines() if line.startswith(f"{name}  "))
        found = [float(figure) for figure in line.removeprefix(name).split()]
        assert found[0] == count and 0 < found[1] <= found[2] < found[3]
    assert re.search(r"copies, nearer than 99 of 100 other reals: [\d.]+% of the fakes$", out, re.MULTILINE)
    picture = Image.open(tmp_path / "n.png")
    assert picture.height == MARGIN + HEADING + GAP + 96 + GAP + 96 + MARGIN and picture.width > 10 * 96 + 100


def test_the_commands_work_where_there_is_no_matplotlib(run, tmp_path, monkeypatch, capsys):
    for name in {"matplotlib", *(name for name in sys.modules if name.startswith("matplotlib"))}:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["coverage", str(run.path), "--count", "64", "--out", str(tmp_path / "c.png")]) == 0
    out = capsys.readouterr().out
    assert "values are made too seldom" in out and "no picture of it: matplotlib" in out
    assert not (tmp_path / "c.png").exists()
    assert main(["neighbours", str(run.path), "--count", "4", "--out", str(tmp_path / "n.png")]) == 0
    assert (tmp_path / "n.png").exists()


@pytest.mark.parametrize("command", ["coverage", "neighbours"])
def test_mistakes_are_one_line(run, command, tmp_path, capsys):
    for arguments, message in (
        ([run.path, "--epoch", 9], "has no netG_009.pth: it exists for epoch 1 to 2"),
        ([tmp_path], "there is no run in"),
        ([run.path, "--count", 64, "--out", tmp_path / "x.txt"], "x.txt does not end in the suffix of a picture"),
    ):
        assert main([command, *map(str, arguments)]) == 2
        errors = capsys.readouterr().err
        assert message in errors and errors.count("animegan:") == 1
    assert main(["neighbours", str(run.path), "--by", "eye"]) == 2
    assert "invalid choice: 'eye'" in capsys.readouterr().err
