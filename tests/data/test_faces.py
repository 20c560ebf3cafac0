"""A folder of pictures, good and bad, becomes the right array, report and batches."""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import count_calls, forbid, load, picture
from PIL import Image

from animegan.data import batches, check_folder, dataset, epoch_order, pictures, to_device, to_uint8, to_unit
from animegan.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")


def check(folder: Path, **options):
    return check_folder(folder, progress=False, **options)


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Name -> hash and time of every file that is not the library's own."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".animegan-")
    }


def test_flat_and_class_folders_in_order(tmp_path):
    names = ["B.png", "a-b.png", "a.png", "ä.png", "脸.png", "😀.png"]  # in code-point order
    for number, name in enumerate(reversed(names)):
        flat, nested = tmp_path / "flat" / name, tmp_path / "nested" / "class" / "deep" / name
        for path in (flat, nested):
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(number).save(path)
    flat, nested = load(tmp_path / "flat"), load(tmp_path / "nested", workers=1)
    assert flat.files == names
    assert nested.files == [f"class/deep/{name}" for name in names]
    assert np.array_equal(flat.images, nested.images)
    assert flat.fingerprint == nested.fingerprint
    for image, name in zip(flat.images, names, strict=True):
        assert np.array_equal(image.transpose(1, 2, 0), Image.open(tmp_path / "flat" / name))


def test_more_files_than_are_decoded_at_a_time(tmp_path):
    for number in range(300):
        Image.new("RGB", (96, 96), (number % 256, number // 256, 0)).save(tmp_path / f"{number:03}.png")
    faces = load(tmp_path)
    assert np.array_equal(faces.images[:, 0, 0, 0], np.arange(300) % 256)
    assert np.array_equal(faces.images[:, 1, 0, 0], np.arange(300) // 256)
    assert faces.fingerprint == hashlib.sha256(faces.images.tobytes()).hexdigest()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links(tmp_path):
    folder = tmp_path / "faces"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "loop").symlink_to(folder)
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    picture().save(tmp_path / "far.png")
    (folder / "near.png").symlink_to(tmp_path / "far.png")
    os.mkfifo(folder / "pipe.png")
    faces = load(folder)
    assert faces.files == ["near.png"]
    assert faces.report.unreadable == ["gone.png"]
    assert faces.report.foreign == ["pipe.png"]


def test_errors_that_a_user_can_fix(tmp_path):
    with pytest.raises(UserError, match="there is no folder .*nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="there is no folder"):
        check(tmp_path / "nowhere")
    empty = tmp_path / "empty\nfolder" if sys.platform != "win32" else tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="there are no pictures in .*empty.*: put") as caught:
        load(empty)
    assert "\n" not in str(caught.value)
    assert check(empty).total == 0
    (empty / "notes.txt").write_text("no face", encoding="utf-8")
    with pytest.raises(UserError, match=r"no pictures in .*\(only notes.txt\)"):
        load(empty)
    (empty / "a.jpg").write_bytes(b"")
    (empty / "b.jpg").write_bytes(b"\xff\xd8\xff")
    picture(0, 30, 30).save(empty / "c.png")
    with pytest.raises(UserError, match="no picture in .* can be used .2 corrupt.* 1 too small"):
        load(empty)
    for function in (load, check):
        with pytest.raises(UserError, match="is a file"):
            function(empty / "a.jpg")
    assert (check(empty).total, check(empty).usable) == (4, 0)


def png_header(width: int, height: int) -> bytes:
    """A PNG file that promises a size and holds no pixels."""
    png = b"\x89PNG\r\n\x1a\n"
    for tag, data in ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b""))):
        png += struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
    return png


@pytest.fixture
def mixed(tmp_path) -> Path:
    """A folder with one of everything that can be wrong."""
    folder = tmp_path / "混ざり 😀"
    folder.mkdir()
    picture(1).save(folder / "good.png")
    shutil.copy(folder / "good.png", folder / "good copy.png")
    picture(2, 70, 300).save(folder / "tall.png")
    picture(3).save(folder / "liar.jpg", format="png")
    picture(4).save(folder / "no suffix", format="png")
    picture(5).save(folder / "moves.gif", save_all=True, append_images=[picture(6)])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a face", encoding="utf-8")
    for suffix in ("jpg", "png", "webp", "gif", "bmp", "tif"):
        whole = folder / f"cut.{suffix}"
        picture(7).save(whole)
        whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    picture(8, 1, 1).save(folder / "dot.png")
    picture(8, 500, 63).save(folder / "strip.png")
    (folder / "bomb.png").write_bytes(png_header(20_000, 20_000))
    (folder / "half bomb.png").write_bytes(png_header(10_000, 10_000))
    Image.new("1", (8100, 8000)).save(folder / "large.png")
    picture(9).save(folder / ".hidden.png")
    (folder / ".git").mkdir()
    picture(9).save(folder / ".git" / "a.png")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._good.png").write_bytes(b"resource")
    for name in ("Thumbs.db", "desktop.ini", "labels.csv", "labels.json", "notes.txt", "BM.txt"):
        (folder / name).write_text("BM P6 " + name, encoding="utf-8")
    (folder / "locked.png").write_bytes(b"locked")
    return folder


def test_every_kind_of_bad_file_is_named(mixed, monkeypatch, capfd):
    files = contents(mixed)
    forbid(monkeypatch, Path, "read_bytes", lambda path: path.name == "locked.png")
    report = check(mixed)
    cut = ["cut.bmp", "cut.gif", "cut.jpg", "cut.png", "cut.tif", "cut.webp"]
    assert report.corrupt == [*cut, "empty.jpg", "text.jpg"]
    assert report.too_small == ["dot.png", "strip.png"]
    assert report.too_large == ["bomb.png", "half bomb.png", "large.png"]
    assert report.unreadable == ["locked.png"]
    assert report.hidden == [".git/a.png", ".hidden.png"]
    assert report.foreign == [
        "BM.txt", "Thumbs.db", "__MACOSX/._good.png", "desktop.ini", "labels.csv", "labels.json", "notes.txt",
    ]  # fmt: skip
    assert report.duplicates == {"good.png": "good copy.png"}
    assert report.odd_shapes == ["tall.png"]
    assert report.misnamed == ["liar.jpg", "no suffix"]
    assert report.animated == ["moves.gif"]
    assert report.usable == 6
    assert report.total == len(files)
    assert capfd.readouterr() == ("", "")

    lines = str(report).splitlines()
    assert lines[0].endswith(f"混ざり 😀: {report.total} files, 6 pictures to use")
    assert len({line.index(" left out ") for line in lines if " left out " in line}) == 1
    for expected in (
        "too small (a side under 64 pixels) 2 left out dot.png, strip.png",
        "too large (over 64 megapixels) 3 left out bomb.png, half bomb.png, large.png",
        "cannot be opened 1 left out locked.png",
        "hidden 2 left out .git/a.png, .hidden.png",
        "exact duplicate 1 kept good.png = good copy.png",
        "odd shape (beyond 2:1) 1 kept, cropped tall.png",
        "named as another format 2 kept liar.jpg, no suffix",
        "animated 1 kept, first frame moves.gif",
    ):
        assert expected in [" ".join(line.split()) for line in lines]
    assert next(line for line in lines if "not a picture" in line).endswith("labels.csv and 2 more")


def test_files_of_our_own_are_not_left_out(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "drawn")
    assert {"attributes.csv", "drawing.json"} <= set(os.listdir(tmp_path / "drawn"))
    report = check(tmp_path / "drawn")
    assert report.total == report.usable == 36 and report.foreign == report.hidden == []
    assert len(str(report).splitlines()) == 1


def test_neither_a_page_nor_hidden_faces_of_our_own_are_left_out(drawn, tmp_path):
    """The project's data/ after `draw` and `evaluate`: a page, the faces, and hidden ones to measure with."""
    for name in ("drawn", ".drawn-held-out-36"):
        shutil.copytree(drawn, tmp_path / name)
    for page in (tmp_path / "README.md", tmp_path / "drawn" / "README.md"):
        page.write_text("Training images go here")
    for folder in (tmp_path, tmp_path / "drawn"):
        report = check(folder)
        assert report.total == report.usable == 36 and report.foreign == report.hidden == []
    assert check(tmp_path / ".drawn-held-out-36").usable == 36, "it can be named"


def test_a_folder_nested_deeper_than_pythons_recursion(tmp_path):
    deep = tmp_path.joinpath(*"a" * 250)
    deep.mkdir(parents=True)
    picture().save(deep / "x.png")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 200)  # at the usual limit the test takes long
    try:
        report = check(tmp_path)
    finally:
        sys.setrecursionlimit(limit)
    assert (report.total, report.usable) == (1, 1)


ODD_PATHS = {
    "": "is empty", " ": "is empty", "n" * 300: "too long", "loop": "symbolic links", "loop/x": "symbolic links",
    "file": "is a file", "file/x": "there is no folder", "fifo": "it is not a file", "a\nb": r"no folder a\\nb",
    "\udcff": r"no folder \\udcff", "\0": "null", "/dev/null/x": "there is no folder",
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="it has no named pipes")
@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_path_that_is_no_folder_is_one_line(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("file").write_bytes(b"")
    os.mkfifo("fifo")
    for function in (load, check):
        with pytest.raises(UserError, match=ODD_PATHS[path]) as caught:
            function(path)
        assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_opened_is_named(tmp_path, monkeypatch):
    forbid(monkeypatch, os, "scandir", lambda path=".": Path(path) == tmp_path)
    for function in (load, check):
        with pytest.raises(UserError, match="cannot be read .Permission denied"):
            function(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a name be any bytes")
def test_a_folder_whose_name_is_not_utf8_is_read_and_cached(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xcd\xbc"))
    folder.mkdir()
    picture().save(folder / "a.png")
    assert load(folder).fingerprint == load(folder).fingerprint
    assert len(list(folder.glob(".animegan-*"))) == 2


def test_files_that_only_have_the_names_of_ours_are_looked_at(tmp_path):
    picture().save(tmp_path / "contact_sheet.png")
    (tmp_path / "attributes.csv").write_text("file,hair", encoding="utf-8")
    report = check(tmp_path)
    assert (report.total, report.usable, report.foreign) == (2, 1, ["attributes.csv"])


def test_the_kept_files_are_in_the_data_set(mixed):
    faces = load(mixed)
    assert faces.files == ["good copy.png", "good.png", "liar.jpg", "moves.gif", "no suffix", "tall.png"]
    assert len(faces) == len(faces.images) == faces.report.usable == 6
    assert np.array_equal(faces.images[0], faces.images[1])
    assert np.array_equal(faces.images[2].transpose(1, 2, 0), picture(3))


def test_nothing_in_the_folder_is_changed(mixed):
    before = contents(mixed)
    check(mixed)
    load(mixed)
    load(mixed, image_size=64)
    assert contents(mixed) == before


def test_the_same_report_from_the_cache(mixed):
    assert check(mixed) == check(mixed)


def test_a_file_that_can_be_read_again_is_read(tmp_path, monkeypatch):
    picture(1).save(tmp_path / "a.png")
    picture(2).save(tmp_path / "b.png")
    with monkeypatch.context() as context:
        forbid(context, Path, "read_bytes", lambda path: path.name == "b.png")
        assert check(tmp_path).unreadable == ["b.png"]
    assert load(tmp_path).files == ["a.png", "b.png"]


def test_a_huge_file_is_not_even_read(tmp_path, monkeypatch):
    for folder in (tmp_path / "usual", tmp_path / "huge"):
        folder.mkdir()
        picture().save(folder / "a.png")
        shutil.copy(folder / "a.png", folder / "model.pt")
    read = count_calls(monkeypatch, Path, "read_bytes")
    assert check(tmp_path / "usual").usable == 2
    assert {path.name for (path,) in read} >= {"a.png", "model.pt"}
    read.clear()
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    report = check(tmp_path / "huge")
    assert (report.too_large, report.foreign) == (["a.png"], ["model.pt"])
    assert not {path.name for (path,) in read} & {"a.png", "model.pt"}


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a name be any bytes")
def test_names_that_cannot_be_printed(tmp_path):
    for name in (b"\xff\xfe.png", b"two\nlines.png"):
        picture().save(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    for report in (check(tmp_path), check(tmp_path)):  # decoded, and from the cache
        text = str(report)
        assert text.encode("utf-8") and "two\\nlines.png" in text and "\\udcff\\udcfe.png" in text
    assert load(tmp_path).files == ["two\nlines.png", "\udcff\udcfe.png"]


def numbered(count: int) -> np.ndarray:
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 3, 2, 2))


def drawn(found) -> list[int]:
    return [int(image[0, 0, 0]) for batch in found for image in to_uint8(batch)]


def test_order_is_a_permutation_of_seed_and_epoch():
    order = epoch_order(100, seed=1, epoch=2)
    assert order.dtype == torch.int64 and sorted(order.tolist()) == list(range(100))
    torch.manual_seed(5)
    assert torch.equal(order, epoch_order(100, seed=1, epoch=2))
    others = [epoch_order(100, 1, 3), epoch_order(100, 2, 2), epoch_order(100, 2, 1), epoch_order(100, -1, 2)]
    assert not any(torch.equal(order, other) for other in others)
    before = torch.get_rng_state()
    epoch_order(100, 0, 0)
    assert torch.equal(before, torch.get_rng_state())


def test_batches_cover_the_order_and_drop_the_last():
    order = epoch_order(103, 0, 0)
    found = list(batches(numbered(103), order, 10))
    assert [batch.shape for batch in found] == [(10, 3, 2, 2)] * 10
    assert drawn(found) == order.tolist()[:100]
    assert all(batch.dtype == torch.float32 and batch.is_contiguous() for batch in found)


def test_start_skips_batches_without_reading_them():
    read = []

    class Watched:
        def __getitem__(self, chosen):
            read.extend(chosen.tolist())
            return numbered(103)[chosen]

    order = epoch_order(103, 0, 0)
    assert drawn(batches(Watched(), order, 10, "cpu", 7)) == order.tolist()[70:100] == read
    assert list(batches(Watched(), order, 10, start=10)) == []


def test_batches_of_pictures_that_are_on_the_device_already_are_the_same():
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 8, 8), np.uint8)
    order = epoch_order(10, 1, 1)
    assert to_device(images, torch.device("cpu")) is images, "only a GPU's memory is another one"
    for one, other in zip(batches(images, order, 3), batches(torch.from_numpy(images), order, 3), strict=True):
        assert torch.equal(one, other)


def test_batches_from_a_memory_map(mixed):
    faces = load(mixed)
    batch = next(batches(faces.images, torch.tensor([4, 2]), 2))
    assert torch.equal(to_uint8(batch), torch.from_numpy(np.array(faces.images[[4, 2]])))


def test_values_are_normalised_exactly():
    every = torch.arange(256, dtype=torch.uint8)
    unit = to_unit(every)
    assert unit[0] == -1 and unit[255] == 1
    assert torch.allclose(unit, (every / 255 - 0.5) / 0.5, atol=1e-6, rtol=0)
    assert torch.equal(to_uint8(unit), every)
    assert to_uint8(torch.tensor([-2.0, 3.0])).tolist() == [0, 255]


def test_batch_sizes_that_cannot_be():
    for size, words in ((0, "batch size is 0"), (5, "exceeds the 4 pictures")):
        with pytest.raises(UserError, match=words):
            next(batches(numbered(4), epoch_order(4, 0, 0), size))


def test_thousands_of_real_faces_start_at_once_the_second_time(tmp_path, monkeypatch):
    archive = os.environ.get("ANIMEGAN_REAL_FACES") or pytest.skip("set ANIMEGAN_REAL_FACES to a zip of real faces")
    shutil.unpack_archive(archive, tmp_path)
    read = count_calls(monkeypatch, dataset, "read_picture")
    first = load(tmp_path)
    assert len(first) == first.report.usable > 2000 and len(read) >= len(first)
    assert first.images.shape[1:] == (3, 96, 96)
    read.clear()
    second = load(tmp_path)
    assert not read, "no file is read again"
    assert second.fingerprint == first.fingerprint and isinstance(second.images, np.memmap)
