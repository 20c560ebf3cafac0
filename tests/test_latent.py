"""Latent space: closed forms, and a toy G whose directions are known."""

import math

import numpy as np
import pytest
import torch

from animegan import latent
from animegan.errors import UserError
from animegan.latent import Effect, Survey, around, effect, lerp, move, orthogonal, read_values, slerp, survey, truncate
from animegan.measure import ATTRIBUTES
from animegan.models import generate, latent_vectors
from animegan.show import plot_effects, plot_lengths, rows_picture
from animegan.show.latent_plots import SIZE
from animegan.show.sheets import GAP, HEADING, MARGIN

NZ = 12
PLANTED = torch.nn.functional.normalize(torch.tensor([3.0, -2.0, 0.0, 1.0] + [0.0] * (NZ - 4)), dim=0)


def toy_G(z):
    """Grey faces: the further z lies along PLANTED, the brighter."""
    return (z.flatten(1) @ PLANTED).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def toy_read(faces):
    """Bright faces are blonde, dark ones black, no other colour occurs; the brightest faces wear hats."""
    light = faces.mean((1, 2, 3))
    hair, hat = ATTRIBUTES["hair colour"], ATTRIBUTES["accessory"]
    blonde, black = hair.index("blonde"), hair.index("black")
    return {
        "hair colour": torch.where(light > 0.5, blonde, black),
        "accessory": torch.where(light > 3, hat.index("hat"), hat.index("none")),
    }


@pytest.fixture(scope="module")
def found():
    return survey(toy_G, NZ, 1500, seed=2, read=toy_read)


# --- walks -------------------------------------------------------------------------------------------


@pytest.fixture
def ends():
    return latent_vectors(2, 100, seed=0)


@pytest.mark.parametrize("walk", [lerp, slerp])
def test_a_walk_has_both_ends_and_the_right_number_of_steps(walk, ends):
    points = walk(*ends, 7)
    assert points.shape == (7, 100, 1, 1)
    torch.testing.assert_close(points[[0, -1]], ends)
    with pytest.raises(UserError, match="steps 1 is too few"):
        walk(*ends, 1)
    with pytest.raises(UserError, match=r"one z has shape \[100, 1, 1\] and the other \[99, 1, 1\]"):
        walk(ends[0], ends[1][:99], 3)


def test_a_line_is_shorter_in_the_middle_and_even():
    a, b = torch.eye(2) * 10
    points = lerp(a, b, 5)
    assert points[2].norm() == pytest.approx(10 / math.sqrt(2))
    gaps = (points[1:] - points[:-1]).norm(dim=1)
    torch.testing.assert_close(gaps, gaps[:1].expand(4))


def test_an_arc_keeps_the_length_and_turns_by_equal_angles(ends):
    a, b = (10 * z / z.norm() for z in ends)
    points = slerp(a, b, 9).flatten(1)
    torch.testing.assert_close(points.norm(dim=1), torch.full((9,), 10.0))
    turned = torch.nn.functional.cosine_similarity(points[1:], points[:-1]).acos()
    torch.testing.assert_close(turned, turned.mean().expand(8), rtol=1e-3, atol=1e-4)


def test_parallel_vectors_are_joined_by_a_line():
    a = torch.tensor([1.0, 2.0])
    for b in (3 * a, -a, 0 * a):
        torch.testing.assert_close(slerp(a, b, 5), lerp(a, b, 5))


def test_vectors_around_one_are_at_the_distance_that_was_asked_for():
    z = latent_vectors(1, 100, seed=1)
    near = around(z, 2.5, 20)
    assert near.shape == (20, 100, 1, 1)
    torch.testing.assert_close((near - z).flatten(1).norm(dim=1), torch.full((20,), 2.5))
    assert (near[0] - near[1]).norm() > 2


# --- truncation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0.1, 0.5, 1.0, 2.0])
def test_truncated_numbers_are_those_that_lay_within_the_limit(limit):
    """The same distribution as drawing again: N(0, 1) restricted to the numbers within the limit."""
    z = latent_vectors(400, 100, seed=3)
    got = truncate(z, limit)
    assert got.shape == z.shape and got.dtype == z.dtype and got.abs().max() <= limit
    drawn_again = z[z.abs() <= limit]
    for share in (0.05, 0.25, 0.5, 0.8, 0.95):
        wanted = drawn_again.quantile(share).item()
        assert got.flatten().quantile(share).item() == pytest.approx(wanted, abs=0.04 * limit)
    assert (got.flatten()[z.flatten().argsort()].diff() >= 0).all(), "each keeps its rank"


def test_a_large_limit_changes_nothing_and_a_limit_of_0_or_less_is_an_error():
    z = latent_vectors(50, 100, seed=4)
    torch.testing.assert_close(truncate(z, 8.0), z, atol=1e-4, rtol=0)
    assert truncate(torch.tensor([[60.0], [-60.0]]), 1.0).tolist() == [[1.0], [-1.0]]
    for limit in (0, -1, float("nan")):
        with pytest.raises(UserError, match="out of range"):
            truncate(z, limit)


# --- directions --------------------------------------------------------------------------------------


def test_a_planted_direction_is_found_again(found):
    blonde, black = (found.direction("hair colour", value) for value in ("blonde", "black"))
    assert blonde.shape == (NZ,) and blonde.norm() == pytest.approx(1)
    assert blonde @ PLANTED > 0.97
    torch.testing.assert_close(black, -blonde)


def test_directions_are_found_for_values_that_are_frequent_enough(found):
    counts = found.counts("hair colour")
    assert list(counts)[:2] == ["black", "blonde"] and sum(counts.values()) == 1500
    assert 0 < found.counts("accessory")["hat"] < latent.MIN_COUNT
    assert set(found.directions(("hair colour", "accessory"))) == {("hair colour", "black"), ("hair colour", "blonde")}
    with pytest.raises(UserError, match="0 of 1,500 faces have hair colour green: a direction needs 20"):
        found.direction("hair colour", "green")
    with pytest.raises(UserError, match="'hair colour' has no value 'tartan': its values are black, brown"):
        found.direction("hair colour", "tartan")
    with pytest.raises(UserError, match="'nose' has no value 'long': there are hair colour"):
        found.direction("nose", "long")


def test_the_effect_is_measured_on_faces_that_lacked_the_value(found):
    fresh = survey(toy_G, NZ, 800, seed=9, read=toy_read)
    along, control, lacked = effect(toy_G, found, "hair colour", "blonde", 1.0, fresh, toy_read)
    light = fresh.z.flatten(1) @ PLANTED
    assert lacked == int((light <= 0.5).sum())
    moved = light[light <= 0.5] + found.direction("hair colour", "blonde") @ PLANTED
    assert along == pytest.approx((moved > 0.5).float().mean().item(), abs=1e-6)
    assert along > 0.5 > control + 0.2
    assert effect(toy_G, found, "hair colour", "blonde", 9.0, fresh, toy_read).along == 1.0
    assert effect(toy_G, found, "hair colour", "blonde", 0.0, fresh, toy_read)[:2] == (0.0, 0.0)
    default = effect(toy_G, found, "hair colour", "blonde", 9.0, read=toy_read)
    assert default.along == 1.0, "by default it surveys fresh faces"
    only = Survey(fresh.z[light > 0.5], {name: values[light > 0.5] for name, values in fresh.values.items()})
    with pytest.raises(UserError, match="have hair colour blonde already"):
        effect(toy_G, found, "hair colour", "blonde", 1.0, only, toy_read)


def test_orthogonal_leaves_the_others_alone_and_changes_least():
    a, b, c = torch.nn.functional.normalize(latent_vectors(3, NZ, seed=5).flatten(1), dim=1)
    got = orthogonal(a, b, c)
    assert got.norm() == pytest.approx(1)
    assert abs(got @ b) < 1e-5 and abs(got @ c) < 1e-5 and got @ a > 0.5
    torch.testing.assert_close(orthogonal(2 * a), a)
    with pytest.raises(UserError, match="nothing is left"):
        orthogonal(b, a, b)


def test_means_are_taken_over_faces_with_the_wanted_values(found):
    blonde = found.means({"hair colour": "blonde"}, draws=50)
    assert blonde.shape == (50, NZ, 1, 1)
    assert (blonde.flatten(1) @ PLANTED > 0.5).all()
    assert torch.equal(blonde, found.means({"hair colour": "blonde"}, draws=50))
    assert not torch.equal(blonde, found.means({"hair colour": "blonde"}, draws=50, seed=1))
    one = found.means({}, count=1, draws=1)
    assert (found.z == one).all(1).any(), "the mean of one z is that z"
    assert found.means({}, draws=300).std() == pytest.approx(3**-0.5, rel=0.06), "each is the mean of three different z"
    both = {"hair colour": "black", "accessory": "hat"}
    with pytest.raises(UserError, match="0 faces have hair colour black, accessory hat, and a mean needs 3"):
        found.means(both)


def test_faces_come_in_batches_and_are_read_by_the_classifier():
    sizes = []

    def counting_G(z):
        sizes.append(len(z))
        return torch.tanh(z[:, :3].expand(-1, -1, 96, 96))

    z = latent_vectors(70, NZ, seed=6)
    assert generate(counting_G, z).shape == (70, 3, 96, 96) and sizes == [64, 6]
    values = read_values(counting_G, z)
    assert set(values) == set(ATTRIBUTES) and all(value.shape == (70,) for value in values.values())
    moved = move(z, torch.eye(NZ)[1], 2.0) - z
    torch.testing.assert_close(moved, torch.tensor([0.0, 2.0] + [0.0] * (NZ - 2)).view(1, -1, 1, 1).expand_as(z))


# --- pictures ----------------------------------------------------------------------------------------


def has(picture, colour: tuple[int, int, int]) -> bool:
    return int((np.array(picture.convert("RGB")) == colour).all(2).sum()) >= 100


def test_rows_show_every_face_beside_its_label():
    faces = torch.stack([torch.full((3, 96, 96), value) for value in (-1.0, 0.0, 1.0)])
    sheet = rows_picture({"dark to light": faces, "one": faces[:1]}, heads=["-4", "0", "+4"])
    top, left = MARGIN + HEADING + GAP, sheet.width - MARGIN + GAP - 3 * (SIZE + GAP)
    assert sheet.height == top + 2 * SIZE + GAP + MARGIN
    middles = [sheet.getpixel((left + n * (SIZE + GAP) + SIZE // 2, top + SIZE // 2)) for n in range(3)]
    assert middles == [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    label = np.array(sheet.crop((0, top, left, top + SIZE)))
    assert label.min() < 100 and (label[:, -3:] == 255).all(), "written, and not cut off"
    assert rows_picture({"one": faces}).height == MARGIN + SIZE + MARGIN


def test_figures_of_lengths_and_of_effects():
    z = latent_vectors(500, 100, seed=1)
    figure = plot_lengths(z, {"line": lerp(z[0], z[1], 9), "arc": slerp(z[0], z[1], 9)})
    assert figure.width > 1000 and has(figure, (0, 114, 178)) and has(figure, (213, 94, 0))
    effects = {("hair colour", "black"): Effect(0.9, 0.1, 40), ("expression", "open smile"): Effect(0.3, 0.0, 50)}
    bars = plot_effects(effects)
    assert has(bars, (0, 114, 178)) and has(bars, (213, 94, 0))
    none = plot_effects({("eyes", "open"): Effect(0.0, 0.0, 9)})
    count = [int((np.array(p.convert("RGB")) == (0, 114, 178)).all(2).sum()) for p in (bars, none)]
    assert count[0] > 10 * count[1] and none.height < bars.height
