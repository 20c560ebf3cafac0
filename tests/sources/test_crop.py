"""Faces are found in whole illustrations."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from test_sources import encoded, table

from animegan.drawing import Face, draw
from animegan.errors import UserError

pytest.importorskip("cv2", reason="--crop needs the extra 'data': pip install -e '.[data]'")

from animegan.sources import FaceFinder, face_finder, import_pictures
from animegan.sources.face_finder import Box, _square


@pytest.fixture(scope="session")
def cascade() -> Path:
    return Path(os.environ.get("ANIMEGAN_CASCADE") or pytest.skip("set ANIMEGAN_CASCADE to lbpcascade_animeface.xml"))


def test_a_square_stays_within_the_picture():
    assert _square((100, 100, 50, 50), 1.0, 0.2, (400, 300)) == Box(90, 86, 70)
    assert _square((0, 0, 50, 50), 2.0, 0.2, (400, 300)) == Box(0, 0, 140)
    assert _square((150, 100, 40, 40), 2.0, 0.5, (400, 300)) == Box(240, 140, 160)
    assert _square((10, 10, 100, 100), 1.0, 2.0, (120, 200)) == Box(0, 0, 120)


def test_faces_are_cut_out_of_portraits(cascade, tmp_path):
    archive = os.environ.get("ANIMEGAN_PORTRAITS") or pytest.skip("set ANIMEGAN_PORTRAITS to a zip of portraits")
    with zipfile.ZipFile(archive) as file:
        count = sum(name.endswith(".png") for name in file.namelist())
    finder = FaceFinder(cascade)
    summary = import_pictures([archive], tmp_path / "out", finder, threshold=-1, progress=False)
    with_face = {name for name, row in table(tmp_path / "out").items() if row["status"] == "kept"}
    assert len(with_face) >= 0.95 * count
    assert summary.kept <= 1.05 * count
    for path in (tmp_path / "out" / "faces").iterdir():
        with Image.open(path) as image:
            assert image.width == image.height >= 64


def test_several_faces_one_and_none(cascade, tmp_path):
    archive = os.environ.get("ANIMEGAN_PORTRAITS") or pytest.skip("set ANIMEGAN_PORTRAITS to a zip of portraits")
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".png"))
        portraits = [Image.open(io.BytesIO(file.read(name))).convert("RGB") for name in names[:40]]
    finder = FaceFinder(cascade)
    one, two = [p for p in portraits if len(finder.find(p)) == 1][:2]
    page = Image.new("RGB", (1600, 900), "white")
    page.paste(one, (100, 500))
    page.paste(two.resize((400, 400)), (1000, 100))
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.jpg").write_bytes(encoded(page, "JPEG", quality=95))
    (source / "landscape.png").write_bytes(encoded(Image.effect_noise((500, 400), 60).convert("RGB")))
    summary = import_pictures([source], tmp_path / "out", finder, progress=False)
    assert sorted(p.name for p in (tmp_path / "out" / "faces").iterdir()) == ["page face 2.png", "page.png"]
    assert summary.reasons["no face was found in it"] == 1
    with Image.open(source / "page.jpg") as stored:
        boxes = finder.find(stored.convert("RGB"))
    assert boxes[0].side > boxes[1].side and boxes[0].left > 900 and boxes[1].top > 400
    row = table(tmp_path / "out")["page.jpg"]
    assert int(row["side"]) == boxes[1].side and int(row["left"]) == boxes[1].left


def test_drawn_faces_are_found_too(cascade):
    finder, found = FaceFinder(cascade), 0
    for index in range(30):
        page = Image.new("RGB", (700, 500), "#9fc4e8")
        page.paste(draw(Face.random(seed=0, index=index), size=220), (300, 150))
        middles = [(box.left + box.side / 2, box.top + box.side / 2) for box in finder.find(page)]
        found += any(abs(x - 410) < 60 and abs(y - 260) < 60 for x, y in middles)
    assert found >= 25, f"{found} of 30"


def test_the_cascade_is_fetched_from_either_address_and_checked(tmp_path, monkeypatch):
    from animegan.sources import download

    asked = []

    def fetch(url, path, sha256, *_args, **_options):
        asked.append((url, sha256))
        if len(asked) == 1:
            raise UserError(f"{url} cannot be fetched")
        path.write_text("<xml/>", encoding="utf-8")
        return path

    monkeypatch.setattr(download, "fetch", fetch)
    monkeypatch.setenv("ANIMEGAN_CACHE", str(tmp_path))
    monkeypatch.delenv("ANIMEGAN_CASCADE", raising=False)
    with pytest.raises(UserError, match="is not a cascade of OpenCV"):
        FaceFinder(any_cascade=True)
    github, mirror = asked
    assert github[0].startswith("https://raw.githubusercontent.com/nagadomi/lbpcascade_animeface/")
    assert mirror[0].startswith("https://cdn.jsdelivr.net/gh/nagadomi/lbpcascade_animeface@")
    assert github[1] == mirror[1] == face_finder.CASCADE_SHA256


def test_mistakes(tmp_path, monkeypatch):
    (tmp_path / "no.xml").write_text("<html>404</html>")
    (tmp_path / "other.xml").write_text("<?xml version='1.0'?><opencv_storage><a>1</a></opencv_storage>")
    (tmp_path / "bytes.xml").write_bytes(b"\xff\xfe\x00")
    wrong, unreadable = "is not a cascade of OpenCV", "cannot be read"
    damaged, other = "is damaged", "is not lbpcascade_animeface.xml.*add --any-cascade"
    for name, message in zip(("no", "other", "bytes", "nowhere"), (wrong, wrong, damaged, unreadable), strict=True):
        with pytest.raises(UserError, match=message):
            FaceFinder(tmp_path / f"{name}.xml", any_cascade=True)
        with pytest.raises(UserError, match=unreadable if name == "nowhere" else other):
            FaceFinder(tmp_path / f"{name}.xml")
    with pytest.raises(UserError, match="--margin 3 is out of range"):
        FaceFinder(tmp_path / "no.xml", margin=3)
    import cv2

    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UserError, match="needs OpenCV 4"):
        FaceFinder(tmp_path / "no.xml")
    assert face_finder.CASCADE_SHA256.startswith("9376d30a")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("any_cascade", [False, True])
def test_a_cascade_is_a_small_file_that_is_known(tmp_path, monkeypatch, any_cascade):
    """OpenCV crashes on some wrong ones, /dev/zero never ends, and a pipe waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2**33)
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path / "large", tmp_path / "loop", tmp_path, "n" * 300, "a\nb"):
        with pytest.raises(UserError, match=r"--cascade .* (is damaged|cannot be read) .*: give lbpcascade") as caught:
            FaceFinder(path, any_cascade=any_cascade)
        assert "\n" not in str(caught.value)
        monkeypatch.setenv("ANIMEGAN_CASCADE", str(path))
        with pytest.raises(UserError, match=r"--cascade .*give lbpcascade"):
            FaceFinder(any_cascade=any_cascade)


def test_a_changed_cascade_never_reaches_opencv(cascade, tmp_path, monkeypatch):
    import cv2

    (tmp_path / "changed.xml").write_bytes(cascade.read_bytes().replace(b"24", b"25", 1))
    reached = []
    with monkeypatch.context() as patch:
        patch.setattr(cv2, "FileStorage", lambda *args: reached.append(args))
        with pytest.raises(UserError, match="is not lbpcascade_animeface.xml"):
            FaceFinder(tmp_path / "changed.xml")
    assert not reached
    FaceFinder(cascade)
