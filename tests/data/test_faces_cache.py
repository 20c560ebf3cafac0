"""The cache of decoded pictures is used, renewed, and never in the way."""

from __future__ import annotations

import builtins
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import count_calls, forbid, load, picture
from PIL import Image

from animegan.data import dataset, load_faces

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path_factory, monkeypatch):
    """Whatever cannot be cached beside the pictures goes here, not into the user's folders."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ANIMEGAN_CACHE", str(place))
    return place


def cache_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(".animegan-*"))


@pytest.fixture
def folder(tmp_path) -> Path:
    place = tmp_path / "faces"
    place.mkdir()
    for number in range(5):
        picture(number).save(place / f"{number}.png")
    return place


def test_the_second_load_maps_the_cache(folder, monkeypatch):
    opened = count_calls(monkeypatch, Image, "open")
    first = load(folder)
    assert len(opened) == 5
    second = load(folder)
    assert len(opened) == 5, "no picture is decoded again"
    for faces in (first, second):
        assert isinstance(faces.images, np.memmap) and not faces.images.flags.writeable
    assert np.array_equal(first.images, second.images)
    assert (first.files, first.fingerprint, first.report) == (second.files, second.fingerprint, second.report)
    assert second.report.total == 5 and second.report.notes == [] and second.report.hidden == []
    picture(9).save(folder / "new.png")
    assert len(load(folder)) == 6 and len(opened) == 5 + 6


def test_the_cache_follows_the_folder(folder):
    seen, caches = [load(folder).fingerprint], [cache_files(folder)]
    for change in (
        lambda: picture(7).save(folder / "new.png"),
        lambda: picture(8).save(folder / "0.png"),
        lambda: (folder / "1.png").rename(folder / "z.png"),
        lambda: os.utime(folder / "0.png", (10**9, 10**9)),  # touched: decoded again, to the same pixels
    ):
        change()
        seen.append(load(folder).fingerprint)
        caches.append(cache_files(folder))
    assert len(set(seen)) == 4 and seen[-1] == seen[-2]
    (folder / ".DS_Store").write_bytes(b"looked at")
    assert load(folder).report.hidden == [".DS_Store"]
    assert cache_files(folder) == caches[-1]
    assert len({str(pair) for pair in caches}) == 5 and all(len(pair) == 2 for pair in caches)


DAMAGE = {
    "truncated": lambda array, sidecar: array.write_bytes(array.read_bytes()[:-1]),
    "lengthened": lambda array, sidecar: array.write_bytes(array.read_bytes() + b"x"),
    "empty": lambda array, sidecar: array.write_bytes(b""),
    "header": lambda array, sidecar: array.write_bytes(b"{'(" * 10 + array.read_bytes()[30:]),
    "garbage": lambda array, sidecar: sidecar.write_bytes(b"\xff{"),
    "list": lambda array, sidecar: sidecar.write_text("[]", encoding="utf-8"),
    "key": lambda array, sidecar: sidecar.write_bytes(sidecar.read_bytes().replace(b'{"key": "', b'{"key": "0')),
    "missing": lambda array, sidecar: array.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_built_again(folder, damage, monkeypatch):
    images = np.array(load(folder).images)
    sidecar, array = cache_files(folder)
    whole = sidecar.read_bytes(), array.read_bytes()
    damage(array, sidecar)
    opened = count_calls(monkeypatch, Image, "open")
    assert np.array_equal(load(folder).images, images) and len(opened) == 5
    assert (sidecar.read_bytes(), array.read_bytes()) == whole
    assert np.array_equal(load(folder).images, images) and len(opened) == 5, "no picture is decoded again"


def test_only_own_stale_files_are_removed(folder):
    other = [".animegan-96-mine.npy", ".animegan-32-0123456789abcdef.npy", ".animegan.npy"]
    fresh, old = (f".animegan-96-0123456789abcdef-{end * 8}.tmp" for end in "01")
    stale = ".animegan-96-0123456789abcdef.npy"
    for name in (*other, fresh, old, stale):
        (folder / name).write_bytes(b"mine")
    os.utime(folder / old, (10**9, 10**9))
    report = load(folder).report
    assert {path.name for path in cache_files(folder)} >= {*other, fresh} - {".animegan.npy"}
    assert (folder / ".animegan.npy").exists()
    assert not (folder / old).exists() and not (folder / stale).exists()
    assert report.hidden == [".animegan-96-mine.npy", ".animegan.npy"]


def test_a_read_only_folder_is_cached_elsewhere(folder, own_cache_folder, monkeypatch):
    with monkeypatch.context() as context:
        forbid(context, builtins, "open", lambda path, mode="r": "w" in mode and folder in Path(path).parents)
        opened = count_calls(context, Image, "open")
        first, second = load(folder), load(folder)
        assert len(opened) == 5, "no picture is decoded again"
    assert cache_files(folder) == []
    assert len(list(own_cache_folder.rglob("*.npy"))) == len(list(own_cache_folder.rglob("*.json"))) == 1
    for faces in (first, second):
        assert isinstance(faces.images, np.memmap) and len(faces) == 5
        assert faces.report.notes[0].endswith(str(next(own_cache_folder.iterdir())))
        assert "note: the folder cannot be written to" in str(faces.report)


@pytest.mark.parametrize("failing", ["open", "replace", "full disk"])
def test_without_any_place_the_array_stays_in_memory(folder, own_cache_folder, monkeypatch, failing):
    expected = load(folder)
    expected.images = images = np.array(expected.images)  # Windows keeps a mapped file from going
    for path in cache_files(folder):
        path.unlink()
    if failing == "open":
        forbid(monkeypatch, builtins, "open", lambda path, mode="r", *rest: "w" in mode)
    elif failing == "replace":
        forbid(monkeypatch, os, "replace")
    else:
        resource = pytest.importorskip("resource")  # a limit on the size of a file acts like a full disk
        signal = pytest.importorskip("signal")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        faces = load(folder)
    finally:
        if failing == "full disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
    assert np.array_equal(faces.images, images) and not faces.images.flags.writeable
    assert (faces.files, faces.fingerprint) == (expected.files, expected.fingerprint)
    assert "kept in memory" in faces.report.notes[0]
    assert [*cache_files(folder), *own_cache_folder.rglob("*.*")] == []


def test_an_interrupted_start_leaves_nothing(folder, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(dataset, "read_picture", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(folder)
    assert cache_files(folder) == []
    assert len(load(folder)) == 5


def test_the_fingerprint_is_that_of_the_pixels(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in copy.iterdir():
        os.utime(path, (10**9, 10**9))
    assert load(copy).fingerprint == load(folder).fingerprint
    changed = picture(3)
    changed.putpixel((50, 50), (1, 2, 3))
    changed.save(copy / "3.png")
    assert load(copy).fingerprint != load(folder).fingerprint


def test_progress_bar(folder, tmp_path, capfd):
    load_faces(folder, progress=False)
    assert capfd.readouterr() == ("", "")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".animegan*"))
    load_faces(copy)
    assert "5/5" in capfd.readouterr().err
    load_faces(copy)
    assert capfd.readouterr() == ("", "")
