"""The drawn faces: the same for the same seed, all different, and as their attributes say."""

import csv
import hashlib
import json
import math
import os
import sys
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from conftest import count_calls
from PIL import Image

from animegan.drawing import CHOICES, Face, draw, drawn_set, write_faces
from animegan.drawing import folder as folder_module
from animegan.errors import UserError

# (seed, index): the first 16 hex digits of the SHA-256 of the pixels
GOLDEN = {
    (0, 0): "6193a6044be8a5a7", (0, 1): "a4e1cca583eb87d0", (0, 2047): "39a8d72807909cde", (1, 0): "baeee923c00b57bd",
    (7, 5): "e366e5442ae1c272", (42, 123): "47be92cc2a453054", (-3, 99999): "877995d741a7183a",
}  # fmt: skip


def pixels(face: Face, size: int = 96) -> np.ndarray:
    return np.asarray(draw(face, size)).astype(int)


@pytest.fixture(scope="module")
def plain() -> Face:
    """A face that looks straight ahead, with nothing in front of it."""
    return replace(
        Face.random(0, 0), skin="fair", hair_hue=0.6, hair_saturation=0.6, hair_value=0.8, messiness=0.2,
        shine=0.5, fringe="straight", fringe_length=0.2, side_locks=0.3, back_hair="long", eyes="open",
        eye_shape="round", eye_hue=0.0, eye_saturation=0.9, eye_value=0.9, eye_size=1.05, gaze_x=0.0,
        gaze_y=0.0, brows="flat", expression="neutral", blush=0.0, accessory="none", collar="shirt",
        background="plain", background_saturation=0.05, background_value=0.95, light=0.6, tilt=0.0,
        turn=0.0, scale=1.0, shift_x=0.0, shift_y=0.0, variation=4,
    )  # fmt: skip


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    """The first 512 faces of seed 0, uint8 [512, 96, 96, 3]."""
    return np.stack([np.asarray(draw(Face.random(0, index))) for index in range(512)])


# ---------------------------------------------------------------- the seed


@pytest.mark.parametrize(("seed", "index"), GOLDEN)
def test_a_seed_gives_the_same_pixels_on_every_computer(seed, index):
    image = draw(Face.random(seed, index))
    assert (image.mode, image.size) == ("RGB", (96, 96))
    assert hashlib.sha256(image.tobytes()).hexdigest()[:16] == GOLDEN[seed, index]


def test_seed_and_index_both_matter():
    faces = {Face.random(seed, index) for seed in (0, 1, 2) for index in range(20)}
    assert len(faces) == 60


def test_a_larger_picture_shows_the_same_face(plain):
    small, large = pixels(plain), np.asarray(draw(plain, 384).reduce(4)).astype(int)
    assert draw(plain, 384).size == (384, 384)
    assert np.abs(small - large).mean() < 2


# ---------------------------------------------------------------- the attributes


@pytest.mark.parametrize("attribute", CHOICES)
def test_every_style_can_be_drawn_and_looks_different_from_the_others(plain, attribute):
    base = replace(plain, fringe="swept back") if attribute == "brows" else plain
    drawn = {choice: pixels(replace(base, **{attribute: choice})) for choice in CHOICES[attribute]}
    names = list(drawn)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            changed = (np.abs(drawn[first] - drawn[second]).max(axis=2) > 12).sum()
            assert changed >= 8, f"{attribute}: {first!r} looks like {second!r}"


@pytest.mark.parametrize(
    "number", [field.name for field in fields(Face) if field.type != "str" and "accessory" not in field.name]
)
def test_every_number_changes_the_picture(plain, number):
    face = replace(plain, background="gradient", blush=0.4, expression="laugh")
    step = {"variation": 1, "tilt": 5.0, "chin": 1.5, "shift_x": 2.0, "shift_y": 2.0, "gaze_x": 0.5}.get(number, 0.2)
    other = replace(face, **{number: getattr(face, number) + step})
    assert not np.array_equal(pixels(face), pixels(other))


def test_random_faces_use_every_style():
    faces = [Face.random(7, index) for index in range(2000)]
    for attribute, choices in CHOICES.items():
        found = [getattr(face, attribute) for face in faces]
        rare = [choice for choice in choices if found.count(choice) < 10]
        assert not rare, f"{attribute}: hardly ever {rare}"
    assert max(map(CHOICES["accessory"].index, [face.accessory for face in faces])) > 0
    assert sum(face.accessory == "none" for face in faces) > 1000


def test_random_hair_and_eyes_have_hues_from_all_quarters_of_the_colour_circle():
    for name in ("hair", "eye"):
        hues = [getattr(Face.random(3, index), f"{name}_hue") for index in range(2000)]
        counts, _ = np.histogram(hues, bins=4, range=(0, 1))
        assert counts.min() > 150, (name, counts)


@pytest.mark.parametrize("hue", [0.0, 0.12, 0.33, 0.6, 0.9])
def test_the_hair_has_the_colour_of_its_attributes(plain, hue):
    crown = pixels(replace(plain, hair_hue=hue, hair_saturation=0.7))[8:20, 25:70].reshape(-1, 3)
    red, green, blue = np.median(crown, axis=0) / 255
    angle = math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue) / math.tau
    assert abs((angle - hue + 0.5) % 1 - 0.5) < 0.05


def iris_pixels(picture: np.ndarray) -> np.ndarray:
    """Where the picture is strongly red between brows and mouth: these are the irises of `plain`."""
    red, rest = picture[..., 0], picture[..., 1:].max(axis=2)
    found = (red > 110) & (red - rest > 70)
    found[:38] = found[62:] = False
    return found


def test_shut_eyes_show_less_of_the_iris(plain):
    count = {eyes: iris_pixels(pixels(replace(plain, eyes=eyes))).sum() for eyes in CHOICES["eyes"]}
    assert count["open"] > 60
    assert count["closed"] == count["smiling"] == 0
    assert 0.3 < count["wink left"] / count["open"] < 0.7
    assert 0.3 < count["wink right"] / count["open"] < 0.7

    def opening(eyes: str) -> int:
        shut = pixels(replace(plain, eyes="closed"))
        return (np.abs(pixels(replace(plain, eyes=eyes)) - shut).max(axis=2) > 12).sum()

    assert 0.3 < opening("half open") / opening("open") < 0.85


def test_eyes_follow_turn_tilt_and_position(plain):
    def middle(**changes) -> tuple[float, float, float]:
        rows, columns = np.nonzero(iris_pixels(pixels(replace(plain, **changes))))
        right = columns > columns.mean()
        return columns.mean(), rows.mean(), rows[right].mean() - rows[~right].mean()

    x, y, slope = middle()
    assert abs(x - 48) < 1 and abs(slope) < 1
    assert middle(turn=0.8)[0] > x + 2 and middle(turn=-0.8)[0] < x - 2
    assert middle(tilt=10.0)[2] > slope + 3 and middle(tilt=-10.0)[2] < slope - 3
    assert middle(shift_x=5.0)[0] == pytest.approx(x + 5, abs=0.7)
    assert middle(shift_y=3.0)[1] == pytest.approx(y + 3, abs=0.7)


def test_both_eyes_are_visible_under_any_fringe(plain):
    bare = iris_pixels(pixels(replace(plain, fringe="swept back")))
    for fringe in CHOICES["fringe"]:
        for variation in (4, 5):
            shown = pixels(replace(plain, fringe=fringe, fringe_length=1.0, variation=variation))
            warm = (shown[..., 0] > shown[..., 2] + 25) & bare  # hair is blue, irises are red
            for half in (slice(0, 48), slice(48, 96)):
                assert warm[:, half].sum() > 0.5 * bare[:, half].sum(), fringe


# ---------------------------------------------------------------- the set as a whole


def test_no_two_faces_look_alike(many):
    tiny = many.reshape(512, 12, 8, 12, 8, 3).mean(axis=(2, 4)).reshape(512, -1)
    square = (tiny * tiny).sum(axis=1)
    distance = square[:, None] + square - 2 * tiny @ tiny.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.sqrt(distance.min(axis=1) / tiny.shape[1])  # in grey levels
    assert nearest.min() > 14 and np.median(nearest) > 28


def test_every_picture_has_contrast_and_their_mean_is_neither_dark_nor_bright(many):
    assert many.std(axis=(1, 2, 3)).min() > 20
    assert 100 < many.mean() < 190


# ---------------------------------------------------------------- the folder


def test_folder_holds_faces_and_their_attributes(tmp_path):
    folder = write_faces(tmp_path / "new" / "faces", 5, seed=3, progress=False)
    assert folder == tmp_path / "new" / "faces"
    with open(folder / "attributes.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", *(field.name for field in fields(Face))]
    assert [row["file"] for row in rows] == [f"faces/face_0000{i}.png" for i in range(5)]
    assert {p.name for p in folder.rglob("*.*")} == {
        "drawing.json", "attributes.csv", *(f"face_0000{i}.png" for i in range(5)),
    }  # fmt: skip
    for index, row in enumerate(rows):
        face = Face.random(3, index)
        assert row == {"file": row["file"], **{name: str(value) for name, value in asdict(face).items()}}
        with Image.open(folder / row["file"]) as image:
            assert image.tobytes() == draw(face).tobytes()


def test_several_processes_draw_what_one_draws(tmp_path):
    one = write_faces(tmp_path / "one", 70, workers=1, progress=False)
    two = write_faces(tmp_path / "two", 70, workers=2, progress=False)
    names = sorted(p.relative_to(one) for p in one.rglob("*.*"))
    assert len(names) == 72
    assert names == sorted(p.relative_to(two) for p in two.rglob("*.*"))
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)


def test_a_finished_folder_is_left_alone(tmp_path, monkeypatch):
    drawn = count_calls(monkeypatch, folder_module, "draw")
    write_faces(tmp_path, 3, progress=False)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}
    assert len(drawn) == 3
    assert write_faces(tmp_path, 3, progress=False) == tmp_path
    assert len(drawn) == 3, "nothing is drawn again"
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}


def test_an_interrupted_folder_is_completed(tmp_path, monkeypatch):
    drawn = []

    def draw_three(face):
        if len(drawn) == 3:
            raise KeyboardInterrupt
        drawn.append(face)
        return draw(face)

    monkeypatch.setattr(folder_module, "draw", draw_three)
    with pytest.raises(KeyboardInterrupt):
        write_faces(tmp_path, 5, progress=False)
    assert json.loads((tmp_path / "drawing.json").read_text())["complete"] is False
    assert len(list(tmp_path.rglob("*.png"))) == 3
    drawn.clear()
    write_faces(tmp_path, 5, progress=False)
    assert drawn == [Face.random(0, 3), Face.random(0, 4)]
    assert json.loads((tmp_path / "drawing.json").read_text())["complete"] is True
    os.remove(tmp_path / "faces" / "face_00001.png")  # lost later, and drawn again
    drawn.clear()
    write_faces(tmp_path, 5, progress=False)
    assert drawn == [Face.random(0, 1)]


def test_a_failed_write_leaves_no_partial_file(tmp_path, monkeypatch):
    def disk_full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module.os, "replace", disk_full)
    with pytest.raises(UserError, match="No space left"):
        write_faces(tmp_path / "new", 2, progress=False)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize(("count", "seed"), [(4, 0), (3, 1)])
def test_another_set_is_not_overwritten(tmp_path, count, seed):
    write_faces(tmp_path, 3, progress=False)
    with pytest.raises(UserError, match=r"already holds 3 drawn faces of seed 0, not .*another folder"):
        write_faces(tmp_path, count, seed=seed, progress=False)
    assert len(list(tmp_path.rglob("*.png"))) == 3


def test_other_files_are_not_mixed_with_faces(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"cat\.jpg.*another folder"):
        write_faces(tmp_path, 3, progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["cat.jpg"]


def test_a_readme_and_hidden_files_are_ignored(tmp_path):
    (tmp_path / "README.md").write_text("put pictures here")
    (tmp_path / ".gitkeep").write_text("")
    write_faces(tmp_path, 1, progress=False)
    assert (tmp_path / "README.md").read_text() == "put pictures here"


@pytest.mark.parametrize(
    ("file", "content", "to", "message"),
    [
        ("faces", "", "faces", "is a file"),
        ("file", "", "file/faces", "choose another folder"),  # which cannot be created
        ("drawing.json", "{", ".", r"drawing\.json is damaged"),
    ],
)
def test_a_file_in_the_way_is_named(tmp_path, file, content, to, message):
    (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match=message):
        write_faces(tmp_path / to, 3, progress=False)


MARKER = {"version": 1, "seed": 0, "count": 3, "complete": True}
DAMAGED = {
    "nested": "[" * 100_000, "list": "[]", "empty": "", "bytes": "\0\0",
    **{f"without {key}": json.dumps({k: v for k, v in MARKER.items() if k != key}) for key in MARKER},
    **{f"{key} a text": json.dumps({**MARKER, key: "x"}) for key in MARKER},
    "seed null": json.dumps({**MARKER, "seed": None}), "count half": json.dumps({**MARKER, "count": 0.5}),
    "seed long": json.dumps({**MARKER, "seed": 10**400}), "count true": json.dumps({**MARKER, "count": True}),
    "unknown": json.dumps({**MARKER, "x": 1}),
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_marker_is_one_line_and_the_faces_stay(tmp_path, content):
    write_faces(tmp_path, 3, progress=False)
    (tmp_path / "drawing.json").write_text(content)
    with pytest.raises(UserError, match=r"drawing\.json is damaged .*another folder") as caught:
        write_faces(tmp_path, 3, progress=False)
    assert "\n" not in str(caught.value) and len(list(tmp_path.rglob("*.png"))) == 3
    assert drawn_set(tmp_path) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no named pipes")
def test_a_marker_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "drawing.json")
    assert drawn_set(tmp_path) == {}
    with pytest.raises(UserError, match=r"other files \(drawing\.json"):
        write_faces(tmp_path, 3, progress=False)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("path", ["", " ", "n" * 300, "loop", "loop/x", "file/x", "/dev/null/x"])
def test_a_folder_that_cannot_be_made_is_one_line(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", "loop")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="is empty|choose another folder") as caught:
        write_faces(path, 1, progress=False)
    assert "\n" not in str(caught.value) and sorted(os.listdir()) == ["file", "loop"]
    assert drawn_set(path) == {}


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize("attribute", CHOICES)
def test_an_unknown_style_is_answered_with_the_known_ones(plain, attribute):
    with pytest.raises(UserError, match=CHOICES[attribute][-1]) as caught:
        replace(plain, **{attribute: "moustache"})
    assert "\n" not in str(caught.value) and attribute in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"scale": 0.0}, {"tilt": math.nan}, {"turn": "left"}, {"variation": 1.5}, {"hair_hue": math.inf}]
)
def test_a_number_out_of_range_is_named(plain, change):
    with pytest.raises(UserError, match=next(iter(change))):
        replace(plain, **change)


@pytest.mark.parametrize("size", [0, 15, 5000, 96.0])
def test_a_size_that_cannot_be_drawn_is_named(plain, size):
    with pytest.raises(UserError, match="size must be"):
        draw(plain, size)


@pytest.mark.parametrize(
    "wrong", [
        {"count": 0}, {"count": 2.5}, {"count": 2**31}, {"count": 10**400}, {"count": 3, "seed": "x"},
        {"count": 3, "seed": 2**63 - 1}, {"count": 3, "seed": -(10**20)},
    ],
)  # fmt: skip
def test_wrong_arguments_of_write_faces(tmp_path, wrong):
    with pytest.raises(UserError, match="whole number"):
        write_faces(tmp_path / "new", progress=False, **wrong)
    assert not (tmp_path / "new").exists()
