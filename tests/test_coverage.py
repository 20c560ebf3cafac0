"""What a generator makes too seldom, and whether it copies: on sets whose answer is known; the figures of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from animegan._metric_plots import neighbours_picture, plot_coverage, plot_evaluation, plot_neighbours
from animegan.classifier import ATTRIBUTES, drawn_with_attributes
from animegan.coverage import coverage, neighbours
from animegan.drawing import Face, draw
from animegan.errors import UserError
from animegan.evaluation import REAL, Evaluation
from animegan.fidelity import Fidelity
from animegan.metrics import Distance


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
    pictures = torch.stack([torch.from_numpy(np.array(draw(face))).permute(2, 0, 1) for face in collapsed])
    seldom = {(share.attribute, share.value) for share in coverage(pictures, faces) if share.seldom}
    assert {("accessory", "none"), ("accessory", "hat"), ("eyes", "smiling")} <= seldom
    assert not {name for name, _ in seldom} & {"hair colour", "skin", "eye colour"}, "and nothing else"
    with pytest.raises(UserError, match="fewer than 64 faces"):
        coverage(pictures[:10], faces)


@pytest.mark.parametrize("by", ["pixels", "features"])
def test_copies_are_found_also_mirrored_and_others_are_none(faces, by):
    learnt, unseen, others = faces[:250], faces[250:400], faces[400:]
    copies = torch.cat([learnt[10:20], learnt[20:30].flip(3)])
    grainy = copies.float() + 6 * torch.randn(copies.shape, generator=torch.Generator().manual_seed(0))
    found = neighbours((grainy.clamp(0, 255) / 127.5 - 1), learnt, unseen, by)
    assert found.nearest.tolist() == list(range(10, 30)), "floats in [-1, 1] and bytes alike"
    assert found.copies > 0.9
    honest = neighbours(others, learnt, unseen, by)
    assert honest.copies < 0.06
    assert honest.distances.mean() == pytest.approx(honest.usual.mean().item(), rel=0.1)
    with pytest.raises(UserError, match="by 'eye' is not known"):
        neighbours(others, learnt, unseen, "eye")


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
    column = np.array(picture.crop((92, 24, 188, 220)))
    assert np.array_equal(column[:96], faces[closest].permute(1, 2, 0))
    assert np.array_equal(column[100:], faces[64 + int(near.nearest[closest])].permute(1, 2, 0))


def has(picture, colour: tuple[int, int, int], least: int = 100) -> bool:
    return int((np.array(picture.convert("RGB")) == colour).all(2).sum()) >= least


@pytest.mark.parametrize("fidelities", [True, False])
def test_an_evaluation_is_drawn_with_or_without_fid(fidelities):
    figures = {e: Fidelity(50.0 - e, 100.0, 0.8, 0.02 * e, "face classifier") for e in (1, 8, 25, REAL) if e != REAL}
    figures[REAL] = Fidelity(0.5, 0.1, 0.8, 0.8, "face classifier")
    distances = {e: [Distance((float(60 - e),) * 3, 60.0 - e)] for e in (1, 8, 25)}
    found = Evaluation(distances, [Distance((5.0,) * 3, 5.0)], 2048, "x", figures if fidelities else {})
    picture = plot_evaluation(found)
    assert picture.width > (1700 if fidelities else 1000)
    assert has(picture, (0, 114, 178)) and has(picture, (213, 94, 0)), "the line, and the mark of the best epoch"
    assert plot_evaluation(Evaluation({3: distances[8]}, found.floor, 64, "x")).height > 600, "one epoch alone"
