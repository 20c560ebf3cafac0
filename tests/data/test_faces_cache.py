"""The cache of decoded pictures is used, renewed, and never in the way."""

from __future__ import annotations

import builtins
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, count_calls, forbid, load, picture
from PIL import Image

from animegan.data import check_folder, dataset, load_faces

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


def edited(**changes):
    """Replace facts in the sidecar; those of the report with the prefix `report_`."""

    def edit(array, sidecar):
        facts = json.loads(sidecar.read_bytes())
        for name, value in changes.items():
            container = facts["report"] if name.startswith("report_") else facts
            container[name.removeprefix("report_")] = value
        sidecar.write_text(json.dumps(facts))

    return edit


def flipped(place):
    """Flip one bit of the pixels; place: 0 is the first byte, 1 the last."""

    def flip(array, sidecar):
        data = bytearray(array.read_bytes())
        data[128 + round(place * (len(data) - 129))] ^= 1
        array.write_bytes(data)

    return flip


def swap_pictures(array, sidecar):
    pixels = np.load(array)
    pixels[[0, 1]] = pixels[[1, 0]]
    np.save(array, pixels)


def pipe(array, sidecar):
    sidecar.unlink()
    os.mkfifo(sidecar)


DAMAGE = {
    "first bit": flipped(0),
    "some bit": flipped(0.7),
    "last bit": flipped(1),
    "noise": lambda array, sidecar: np.save(array, 255 - np.load(array)),
    "swapped": swap_pictures,
    "usable": edited(report_usable=4),
    "usable a text": edited(report_usable="x"),
    "kinds a number": edited(report_corrupt=5),
    "kinds a text": edited(report_misnamed="\ud800"),
    "names": edited(files=["a.png"] * 5),
    "names numbers": edited(files=[1] * 5),
    "fingerprint": edited(fingerprint="0" * 64),
    "more": edited(more=1),
    "report null": edited(report=None),
    "nested": lambda array, sidecar: sidecar.write_text("[" * 100_000),
    "long number": edited(report_usable=10**400),
    "pipe": pipe,
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
    if damage is pipe and sys.platform == "win32":
        pytest.skip("it has no named pipes")
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


def test_an_odd_size_has_a_seal_too(folder, monkeypatch):
    load(folder, image_size=65)
    array = next(folder.glob("*.npy"))
    flipped(0.5)(array, None)
    opened = count_calls(monkeypatch, Image, "open")
    assert len(load(folder, image_size=65)) == len(opened) == 5


def test_what_a_killed_build_left_goes_after_a_day(folder):
    script = """
        import os, signal, sys
        from animegan.data import dataset, load_faces
        dataset.read_picture = lambda *args: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        load_faces(sys.argv[1], progress=False)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(folder)], capture_output=True)
    assert killed.returncode == -getattr(signal, "SIGKILL", -signal.SIGTERM), killed.stderr
    (left,) = cache_files(folder)
    assert left.suffix == ".tmp" and len(load(folder)) == 5
    assert left.exists(), "a process may still write it"
    other = folder / ".animegan-32-0123456789abcdef-01234567.tmp"
    other.write_bytes(b"of another size")
    for path in (left, other):
        os.utime(path, (10**9, 10**9))
    load(folder)  # the cache is only read
    assert not left.exists() and not other.exists() and len(cache_files(folder)) == 2


def test_a_folder_without_a_usable_picture_gets_no_cache(tmp_path, own_cache_folder):
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(picture().tobytes()[:50])
    for _ in range(2):
        report = check_folder(tmp_path, progress=False)
        assert (report.usable, report.corrupt, report.foreign) == (0, ["cut.png"], ["notes.txt"])
    assert [*cache_files(tmp_path), *own_cache_folder.iterdir()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut short there")
def test_a_cache_that_is_cut_short_under_a_training_is_one_line(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "faces", ignore=shutil.ignore_patterns(".animegan*"))
    script = f"""
        import os, pathlib, sys
        from animegan.config import TrainConfig
        from animegan.errors import UserError
        from animegan.training import train

        def cut(progress):
            os.truncate(next(pathlib.Path("faces").glob("*.npy")), 4096)

        try:
            train(TrainConfig(data_path="faces", outf="run", **{TINY!r}), progress=False, on_update=cut)
        except UserError as error:
            print(error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, f"{ended.returncode}: {ended.stderr}"
    assert "was cut short by another program: start again" in ended.stdout
    assert len(load(tmp_path / "faces")) == 36


def test_without_any_temporary_folder_the_cache_is_in_the_folder(folder, monkeypatch):
    monkeypatch.delenv("ANIMEGAN_CACHE")
    monkeypatch.setattr(dataset.tempfile, "gettempdir", lambda: (_ for _ in ()).throw(FileNotFoundError(2, "none")))
    assert isinstance(load(folder).images, np.memmap) and len(cache_files(folder)) == 2


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
