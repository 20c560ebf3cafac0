"""The diagrams that explain: they draw what they say."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch_fidelity import metric_prc

from animegan.models import NetD, NetG
from animegan.show import diagrams, fid_diagram, game_diagram, networks_diagram, precision_recall_diagram, swd_diagram


def texts(figure) -> list[str]:
    return [text.get_text() for panel in figure.axes for text in panel.texts] + [
        panel.get_title(loc="left") for panel in figure.axes
    ]


@pytest.fixture
def drawn(monkeypatch):
    """The texts of the figures that were drawn."""
    said = []
    to_picture = diagrams.to_picture
    monkeypatch.setattr(diagrams, "to_picture", lambda figure: said.extend(texts(figure)) or to_picture(figure))
    return said


def test_the_game_shows_the_fake_and_names_all_players(drawn):
    one, other = (np.asarray(game_diagram(Image.new("RGB", (96, 96), colour))) for colour in ("red", "white"))
    assert (one != other).any() and one.shape == other.shape
    said = "\n".join(drawn)
    assert all(word in said for word in ("z", "NetG", "fake", "real", "NetD", "verdict", "NetD learns", "NetG learns"))


def test_the_boxes_of_the_networks_have_the_shapes_of_the_layers(drawn):
    networks_diagram(NetG(nz=7, ngf=8), NetD(ndf=4))
    assert {"7", "64\n4x4", "32\n8x8", "3\n96x96", "4\n32x32", "32\n4x4", "k5\ns3"} <= set(drawn)
    assert drawn.count("3\n96x96") == 2, "made by NetG, read by NetD"


def test_precision_and_recall_are_counted_as_torch_fidelity_does(drawn):
    precision_recall_diagram()
    reals, fakes = (torch.from_numpy(points) for points in diagrams._clouds(14, spread=0.55))
    found = metric_prc.prc_features_to_metric(fakes, reals, prc_neighborhood=3, verbose=False)
    assert f"precision: {round(14 * found['precision'])} of 14 fakes lie in a circle" in drawn
    assert f"recall: {round(14 * found['recall'])} of 14 reals lie in a circle" in drawn
    assert found["recall"] < found["precision"], "which is what the picture is about"


def test_the_distance_is_that_of_the_sorted_projections(drawn):
    swd_diagram()
    reals, fakes = diagrams._clouds(12)
    along = np.array([np.cos(0.5), np.sin(0.5)])
    costs = np.abs((reals @ along)[:, None] - fakes @ along)
    scipy = pytest.importorskip("scipy.optimize")
    assert f"2  sort both, 3  mean difference: {costs[scipy.linear_sum_assignment(costs)].mean():.2f}" in drawn


def test_fid_has_a_picture():
    assert min(fid_diagram().size) > 400
