"""LatentExplorer without a browser: values are set as a slider would set them."""

import io
import re

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image
from test_widgets import parts, shown, stored, stored_picture, words

from animegan.errors import UserError
from animegan.latent import truncate
from animegan.models import generate, latent_vectors
from animegan.show import MAX_BYTES
from animegan.widgets import LatentExplorer

NZ = 16
DIRECTIONS = {"first": torch.eye(NZ)[0], ("hair colour", "black"): torch.eye(NZ)[3]}


@pytest.fixture
def explorer(finished, tmp_path):
    return LatentExplorer(finished, DIRECTIONS, tmp_path / "faces")


def face_of(run, z) -> np.ndarray:
    return generate(run.generator(3), z)[0].add(1).mul(127.5).round().permute(1, 2, 0).int().numpy()


def shown_small(explorer) -> np.ndarray:
    picture = shown(explorer.image)
    return np.asarray(picture.resize((96, 96), Image.Resampling.BOX), dtype=int)


def test_it_starts_with_the_face_of_its_seed(explorer, finished):
    assert torch.equal(explorer.z, latent_vectors(1, NZ, 0))
    assert np.abs(shown_small(explorer) - face_of(finished, explorer.z)).mean() < 6
    assert re.search("Face 0, classified as: hair colour [a-z]+, hair style [a-z ]+, eye colour ", words(explorer))


def test_a_slider_moves_z_along_its_direction(explorer):
    before, value = latent_vectors(1, NZ, 0), explorer.image.value
    assert [slider.description for slider in explorer.sliders] == ["first", "hair colour: black"]
    explorer.sliders[1].value = 2.5
    torch.testing.assert_close((explorer.z - before).flatten(), 2.5 * torch.eye(NZ)[3])
    assert explorer.image.value != value
    explorer.sliders[0].value = -1.0
    torch.testing.assert_close((explorer.z - before).flatten(), 2.5 * torch.eye(NZ)[3] - torch.eye(NZ)[0])
    explorer.reset.click()
    assert torch.equal(explorer.z, before) and explorer.image.value == value


def test_truncation_comes_before_the_directions(explorer):
    explorer.limit.value = 0.5
    torch.testing.assert_close(explorer.z, truncate(latent_vectors(1, NZ, 0), 0.5))
    explorer.sliders[0].value = 4.0
    assert explorer.z.abs().max() > 3


def test_shuffle_brings_another_face_and_keeps_the_sliders(explorer):
    value = explorer.image.value
    explorer.sliders[0].value = 1.0
    explorer.shuffle.click()
    torch.testing.assert_close(explorer.z.flatten(), latent_vectors(1, NZ, 1).flatten() + torch.eye(NZ)[0])
    assert explorer.image.value != value and "Face 1, classified as" in words(explorer)


def test_save_overwrites_no_face_and_says_where_it_is(explorer, finished, tmp_path):
    explorer.save.click()
    explorer.sliders[0].value = 3.0
    explorer.save.click()
    assert f"Saved: {(tmp_path / 'faces' / 'face_002.png').as_posix()}" in words(explorer)
    first, second = (np.asarray(Image.open(tmp_path / "faces" / f"face_00{n}.png"), dtype=int) for n in (1, 2))
    assert first.shape == (96, 96, 3) and np.array_equal(second, face_of(finished, explorer.z))
    assert not np.array_equal(first, second)


def test_errors_are_reported_in_one_sentence(finished, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    explorer = LatentExplorer(finished, DIRECTIONS, tmp_path / "file")
    explorer.save.click()
    assert "Not saved: " in words(explorer)
    with pytest.raises(UserError, match="no direction to move along"):
        LatentExplorer(finished, {}, tmp_path)
    with pytest.raises(UserError, match="vector of 16 numbers"):
        LatentExplorer(finished, {"long": torch.ones(100)}, tmp_path)
    with pytest.raises(UserError, match="no netG_009"):
        LatentExplorer(finished, DIRECTIONS, tmp_path, epoch=9)
    shared = finished.share(tmp_path / "shared", weights=[1])
    weights = LatentExplorer(shared, DIRECTIONS, tmp_path).netG.state_dict()
    first = shared.generator(1).state_dict()
    assert all(torch.equal(weights[name], first[name]) for name in first), "the last epoch with weights"
    with pytest.raises(UserError, match="no netG_001.pth: it exists for no epoch"):
        LatentExplorer(finished.share(tmp_path / "bare"), DIRECTIONS, tmp_path)


def test_it_is_built_like_the_other_widgets(explorer):
    bundle = explorer._repr_mimebundle_()
    before = stored_picture(bundle)
    assert len(stored(bundle)) < MAX_BYTES * 4 / 3 and before.width > 380
    explorer.sliders[0].value = 2.0
    assert stored_picture(explorer._repr_mimebundle_()).height > before.height, "the moved sliders are written below"
    moved = stored_picture(explorer._repr_mimebundle_()).height
    explorer.limit.value = 1.0
    assert stored_picture(explorer._repr_mimebundle_()).height > moved, "and so is the limit of truncation"
    kinds = [part for part in parts(explorer) if hasattr(part, "description") and not isinstance(part, ipywidgets.HTML)]
    assert len(kinds) == 6 and all(control.description for control in kinds)
    for slider in (*explorer.sliders, explorer.limit):
        width = float(slider.style.description_width.removesuffix("em"))
        assert width == float(explorer.limit.style.description_width.removesuffix("em"))
        assert width > 0.5 * len(slider.description), "no label is cut"
    assert explorer.image.tooltip is None and explorer.image.layout.max_width == "100%"
    assert Image.open(io.BytesIO(explorer.image.value)).format == "JPEG"
