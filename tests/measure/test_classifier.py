"""The face classifier: what it reads in unseen faces, and in fakes."""

import numpy as np
import pytest
import torch
from PIL import Image

from animegan.drawing import Face, draw
from animegan.errors import UserError
from animegan.measure import ATTRIBUTES, classifier, face_classifier
from animegan.measure.classifier import FEATURES, attributes
from animegan.measure.train_classifier import accuracy, drawn_with_attributes, learn


@pytest.fixture(scope="module")
def unseen():
    return drawn_with_attributes(200, seed=99)


def test_it_reads_unseen_faces(unseen):
    shares = accuracy(face_classifier(), *unseen)
    floors = {"hair colour": 0.9, "hair style": 0.82, "fringe": 0.75, "eye colour": 0.78, "eyes": 0.94}
    floors |= {"expression": 0.8, "accessory": 0.93, "skin": 0.96}
    assert {name for name, floor in floors.items() if shares[name] < floor} == set()
    assert set(floors) == set(ATTRIBUTES)


def test_a_face_has_one_value_of_each_attribute():
    seen = {name: set() for name in ATTRIBUTES}
    for index in range(600):
        for name, value in attributes(Face.random(3, index)).items():
            seen[name].add(value)
    assert seen == {name: set(values) for name, values in ATTRIBUTES.items()}, "every value appears, and no other"


def test_left_and_right_are_one(unseen):
    pictures, values = unseen
    mirrored = accuracy(face_classifier(), pictures.flip(3), values)
    shares = accuracy(face_classifier(), pictures, values)
    assert all(abs(mirrored[name] - shares[name]) < 0.1 for name in shares)


def test_bytes_floats_and_arrays_are_read_alike():
    face = np.array(draw(Face.random(1, 1)))[None].transpose(0, 3, 1, 2)
    features, values = face_classifier().read(face)
    assert features.shape == (1, FEATURES) and values["skin"].shape == (1,)
    again, _ = face_classifier().read(torch.from_numpy(face / 127.5 - 1).float())
    assert torch.allclose(features, again, atol=1e-5)
    logits = face_classifier()(torch.from_numpy(face / 127.5 - 1).float())
    assert {name: found.shape for name, found in logits.items()} == {n: (1, len(v)) for n, v in ATTRIBUTES.items()}


def test_a_large_picture_of_the_same_face_is_read_the_same():
    faces = [Face.random(8, index) for index in range(40)]
    small = np.stack([draw(face) for face in faces])
    large = np.stack([draw(face, 192).resize((96, 96), Image.Resampling.BOX) for face in faces])
    one, other = (face_classifier().read(pictures.transpose(0, 3, 1, 2))[1] for pictures in (small, large))
    assert np.mean([(one[name] == other[name]).float().mean() for name in ATTRIBUTES]) > 0.9


def test_it_can_be_trained_again():
    pictures, values = drawn_with_attributes(256, seed=4)
    before = torch.get_rng_state()
    small = learn(pictures, values, epochs=4)
    assert torch.equal(before, torch.get_rng_state()), "the global generator is left alone"
    shares = accuracy(small, pictures, values)
    chance = {name: values[name].bincount().max().item() / len(pictures) for name in ATTRIBUTES}
    assert shares["hair colour"] > chance["hair colour"] + 0.2


def test_lost_weights_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(classifier, "WEIGHTS", tmp_path / "face_classifier.pth")
    face_classifier.cache_clear()
    with pytest.raises(UserError, match="train it again with python -m animegan.measure.train_classifier"):
        face_classifier()
    face_classifier.cache_clear()
