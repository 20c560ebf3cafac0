"""An import: what it keeps, what it sets aside and why, and that it can be interrupted and resumed."""

import builtins
import contextlib
import csv
import io
import itertools
import json
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import FORKED, count_calls, forbid, picture
from PIL import Image, ImageFilter

from animegan.cli import main
from animegan.data import load_faces
from animegan.drawing import Face, draw
from animegan.errors import UserError
from animegan.sources.archives import NESTED, OUTSIDE
from animegan.sources.filenames import Names, safe_stem

pytest.importorskip("imagehash", reason="imports need the extra 'data': pip install -e '.[data]'")
from animegan.sources import filenames, import_pictures


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def face(seed: int) -> bytes:
    """A picture unlike those of other seeds."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    return encoded(Image.fromarray(noise).resize((128, 128), Image.Resampling.BICUBIC))


def take(sources, out: Path, **options):
    sources = sources if isinstance(sources, list) else [sources]
    return import_pictures(sources, out, progress=False, **options)


def zipped(path, files: dict[str, bytes]):
    """A zip of `files` (name -> content); path: where, or a buffer in its place."""
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def add(file: tarfile.TarFile, name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = ""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, target
    file.addfile(info, io.BytesIO(content))


def table(out: Path) -> dict[str, dict[str, str]]:
    """import.csv: name -> row (of an entry with several rows, the last)."""
    with open(out / "import.csv", newline="", encoding="utf-8-sig") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def files(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "faces").iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    """Five faces, one of them twice."""
    source = tmp_path / "图片 source"
    (source / "blonde").mkdir(parents=True)
    for n in range(5):
        (source / f"face {n}.png").write_bytes(face(n))
    (source / "blonde" / "again.png").write_bytes(face(3))
    return source


# --- what it does ---------------------------------------------------------------------------------------


def test_a_folder_becomes_a_data_set_that_training_reads(folder, tmp_path):
    before = contents(folder)
    summary = take(folder, tmp_path / "数据")
    assert (summary.kept, summary.new, summary.duplicates) == (5, 5, 1)
    assert contents(folder) == before
    faces = load_faces(tmp_path / "数据", progress=False)
    assert {"contact_sheet.png", "import.csv", ".import"} <= set(os.listdir(tmp_path / "数据"))
    assert len(faces) == faces.report.total == 5, "files of our own are not left out"
    assert (tmp_path / "数据" / "faces" / "face 0.png").read_bytes() == face(0), "kept byte for byte"
    assert "5 pictures to use" in str(summary) and "1  duplicate" in str(summary)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2", "7z", "picture"])
def test_every_kind_of_source(folder, tmp_path, kind):
    archive = tmp_path / f"faces.{kind}"
    if kind == "zip":
        zipped(archive, contents(folder))
    elif kind == "7z":
        py7zr = pytest.importorskip("py7zr")
        with py7zr.SevenZipFile(archive, "w") as file:
            file.writeall(folder, "faces")
    elif kind == "picture":
        archive = [folder / f"face {n}.png" for n in range(5)]
    else:
        with tarfile.open(archive, f"w:{kind[4:]}") as file:
            file.add(folder, "faces")
    assert take(archive, tmp_path / "out").kept == 5
    assert set(contents(tmp_path / "out" / "faces").values()) == {face(n) for n in range(5)}


def test_several_sources_and_a_second_import_add_nothing_twice(folder, tmp_path):
    out, more = tmp_path / "out", tmp_path / "more"
    more.mkdir()
    (more / "face 9.png").write_bytes(face(9))
    (more / "old.png").write_bytes(face(1))
    assert take([folder, more], out).kept == 6
    before = contents(out)
    again = take([folder, more], out)
    assert (again.kept, again.new) == (6, 0)
    assert contents(out) == before
    moved = folder.rename(tmp_path / "moved")  # the same pictures under another name
    assert take(moved, out).new == 0
    assert len(files(out)) == 6


def test_the_sharpest_of_near_duplicates_is_kept(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    original = draw(Face.random(seed=0, index=1), size=300)
    (source / "a small.jpg").write_bytes(encoded(original.resize((70, 70)), "JPEG", quality=60))
    (source / "b sharp.png").write_bytes(encoded(original))
    (source / "c blurred.png").write_bytes(encoded(original.filter(ImageFilter.GaussianBlur(4))))
    (source / "d other.png").write_bytes(face(2))
    summary = take(source, tmp_path / "out")
    assert files(tmp_path / "out") == ["b sharp.png", "d other.png"]
    assert summary.duplicates == 2
    assert "shows the same as b sharp.png" in table(tmp_path / "out")["a small.jpg"]["reason"]
    assert take(source, tmp_path / "all", threshold=-1).kept == 4


def test_a_sharper_one_that_comes_later_takes_the_place(tmp_path):
    original = draw(Face.random(seed=0, index=1), size=300)
    first, second = tmp_path / "first.jpg", tmp_path / "second.png"
    first.write_bytes(encoded(original.filter(ImageFilter.GaussianBlur(6)), "JPEG"))
    second.write_bytes(encoded(original))
    take(first, tmp_path / "out")
    found = take(second, tmp_path / "out")
    assert files(tmp_path / "out") == ["second.png"]
    assert (found.kept, found.new) == (1, 1), "a new picture that takes the place of an old one is new"


def test_what_was_removed_by_hand_does_not_come_back(folder, tmp_path):
    out = tmp_path / "out"
    take(folder, out)
    (out / "faces" / "face 2.png").unlink()
    assert take(folder, out).kept == 4
    assert "face 2.png" not in files(out)
    assert table(out)["face 2.png"]["status"] == "removed by hand"


def test_the_contact_sheet_shows_all_three_kinds(folder, tmp_path):
    (folder / "tiny.png").write_bytes(encoded(picture(0, 20, 20)))
    (folder / "blurred.png").write_bytes(encoded(Image.open(io.BytesIO(face(1))).filter(ImageFilter.GaussianBlur(3))))
    summary = take(folder, tmp_path / "out")
    sheet = Image.open(summary.sheet)
    assert sheet.width > 1000 and sheet.height > 3 * 96
    take(folder, tmp_path / "out")
    assert Image.open(summary.sheet).tobytes() == sheet.tobytes(), "nothing new, nothing to show"


# --- interrupted, and resumed ---------------------------------------------------------------------------------


def _import_and_die(source: Path, out: Path, last: int) -> None:
    """Die at the `last` renaming. A new picture is renamed twice: for the journal, then into the data set."""
    rename, count = os.replace, itertools.count(1)
    os.replace = lambda *a: os._exit(9) if next(count) == last else rename(*a)
    import_pictures([source], out, progress=False, workers=1)


def test_interrupted_at_any_moment_it_ends_the_same(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for n in range(40):
        (source / f"{n:02}.png").write_bytes(face(n % 37))
    take(source, tmp_path / "straight")
    for last in (1, 2, 7, 8, 9, 10, 13, 14):
        child = FORKED.Process(target=_import_and_die, args=(source, tmp_path / "killed", last))
        child.start()
        child.join()
        assert child.exitcode == 9
    assert 0 < len(os.listdir(tmp_path / "killed" / "faces")) < 37
    summary = take(source, tmp_path / "killed")
    assert summary.kept == 37
    assert contents(tmp_path / "killed" / "faces") == contents(tmp_path / "straight" / "faces")
    assert table(tmp_path / "killed") == table(tmp_path / "straight")


def test_a_line_that_was_cut_off_is_imported_again(folder, tmp_path):
    out = tmp_path / "out"
    take(folder, out)
    journal = out / ".import" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert take(folder, out).kept == 5
    assert journal.read_bytes().count(b"\n") == 6


@pytest.mark.parametrize(("retry", "to_delete"), [("again", "leaving"), ("retry", "to_delete")])
def test_a_journal_of_an_earlier_version_is_read(folder, tmp_path, retry, to_delete):
    """Lines as they were written when a duplicate had a mark until its file was deleted, under both sets of names."""
    out, journal = tmp_path / "out", tmp_path / "out" / ".import" / "journal.jsonl"
    original = draw(Face.random(seed=0, index=1), size=300)
    (folder / "sharp.png").write_bytes(encoded(original))
    (folder / "small.jpg").write_bytes(encoded(original.resize((90, 90)), "JPEG"))
    (folder / "cut off.png").write_bytes(face(6))
    take(folder, out)
    lines = [json.loads(line) for line in journal.read_text("ascii").splitlines()]
    for line in lines:
        for found in line["found"]:
            found[retry], found[to_delete] = found.pop("retry"), False
            if line["name"] == "cut off.png":  # could not be read then
                found |= {"status": "set aside", "reason": "damaged", "file": "", "sha256": "", retry: True}
            if line["name"] == "small.jpg":  # its file was to be deleted when the import was killed
                assert found["status"] == "duplicate"
                found[to_delete] = True
    (out / "faces" / "cut off.png").unlink()
    (out / "faces" / "small.jpg").write_bytes((folder / "small.jpg").read_bytes())
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")
    summary = take(folder, out)
    assert (summary.kept, summary.duplicates) == (7, 2), "cut off.png is tried again, and small.jpg is deleted"
    faces = [f"face {n}.png" for n in (0, 1, 2, 4)]
    assert files(out) == ["again.png", "cut off.png", *faces, "sharp.png"]
    assert table(out)["small.jpg"]["status"] == "duplicate"
    assert not any(f'"{name}"' in journal.read_text("ascii") for name in ("again", "leaving", "to_delete"))


def test_interrupted_while_duplicates_are_removed(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for index in range(3):
        original = draw(Face.random(seed=0, index=index), size=300)
        (source / f"sharp {index}.png").write_bytes(encoded(original))
        (source / f"small {index}.jpg").write_bytes(encoded(original.resize((90, 90)), "JPEG"))
    take(source, tmp_path / "straight")
    assert files(tmp_path / "straight") == ["sharp 0.png", "sharp 1.png", "sharp 2.png"]
    rename, is_reached = os.replace, []

    for last in range(12, 20):  # 6 pictures are renamed twice; then come the sheet, three duplicates, the journal, ...
        count = itertools.count(1)

        def interrupted(*paths, count=count, last=last):
            if next(count) == last:
                is_reached.append(last)
                raise KeyboardInterrupt
            rename(*paths)

        out = tmp_path / f"killed {last}"
        with monkeypatch.context() as context:
            context.setattr(os, "replace", interrupted)
            with contextlib.suppress(KeyboardInterrupt):
                take(source, out)
        take(source, out)
        assert contents(out / "faces") == contents(tmp_path / "straight" / "faces")
        assert table(out) == table(tmp_path / "straight")
        assert not any((out / ".import" / "staged").iterdir())
    assert len(is_reached) >= 6


# --- a dirty archive ------------------------------------------------------------------------------------------


BAD = {  # name -> content, and a part of the reason
    "../../evil.png": (face(100), OUTSIDE),
    "/etc/absolute.png": (face(101), OUTSIDE),
    "C:/windows.png": (face(102), OUTSIDE),
    "..\\..\\back.png": (face(103), OUTSIDE),
    "__MACOSX/._a.png": (b"\x00\x05\x16\x07", "a Mac"),
    ".hidden.png": (face(104), "hidden"),
    "folder/.git/config.png": (face(105), "hidden"),
    "empty.png": (b"", "corrupt"),
    "cut off.png": (face(106)[:900], "corrupt"),
    "error page.jpg": (b"<html>404 Not Found</html>", "corrupt"),
    "notes.txt": (b"crawled on a Sunday", "not a picture"),
    "program.exe": (b"MZ\x90\x00" + b"\x00" * 500, "not a picture"),
    "vector.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    "one.png": (encoded(Image.new("RGB", (1, 1))), "too small"),
    "thumb.png": (encoded(picture(1, 63, 200)), "too small"),
    "bomb.png": (encoded(Image.new("1", (20_000, 20_000))), "too large"),
    "white.png": (encoded(Image.new("RGB", (200, 200), "white")), "nearly one colour"),
    "gradient.png": (encoded(Image.linear_gradient("L").point(lambda v: 120 + v // 16)), "nearly one colour"),
    "inner.zip": (b"PK\x03\x04" + b"\x00" * 100, NESTED),
    "inner.7z": (b"7z\xbc\xaf\x27\x1c" + b"\x00" * 100, NESTED),
    "inner.rar": (b"Rar!\x1a\x07\x01\x00" + b"\x00" * 100, NESTED),
    "inner.tar.gz": (b"\x1f\x8b\x08" + b"\x00" * 100, NESTED),
    "inner.jpg": (b"PK\x03\x04" + b"\x00" * 100, NESTED),
    "a link.png": (b"/etc/passwd", "a link"),
    "a device.png": (b"", "a device"),
    "zeros.png": (b"\x00" * 3_000_000, "a bomb"),
    "huge.png": (b"\x00" * (129 * 2**20), "too large"),
    "broken.png": (face(107), "damaged in its source"),
    "locked.png": (face(108), "encrypted"),
}
GOOD = {
    "good.png": face(0), "图片/二.png": face(1), "emoji 🌸.png": face(2), "CON.png": face(3), "a<b>:c?.png": face(4),
    "trailing dot..png": face(5), "really a png.jpg": face(6), "no suffix": face(7),
    "Same.png": face(8), "other/same.PNG": face(9), "x" * 250 + ".png": face(10),
    "with\nnewline.png": face(11), "=formula().png": face(12), "right\u202egnp.exe.png": face(13),
    "animated.gif": encoded(picture(20, 96, 96), "GIF", save_all=True, append_images=[picture(21, 96, 96)]),
    "cmyk.jpg": encoded(picture(22, 120, 150).convert("CMYK"), "JPEG"),
}  # fmt: skip
MODES = {"a link.png": 0o120777, "a device.png": 0o020666}


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    """A zip with all of BAD and GOOD; the same good file twice under one name, too."""
    path = tmp_path_factory.mktemp("dirty") / "dirty.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**{name: content for name, (content, _) in BAD.items()}, **GOOD}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = MODES.get(name, 0) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("good.png", face(50))
        archive.mkdir("empty folder") if hasattr(archive, "mkdir") else archive.writestr("empty folder/", b"")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        broken, locked = archive.getinfo("broken.png"), archive.getinfo("locked.png")
        start = broken.header_offset + 30 + len(broken.filename)
    data[start + 200 : start + 260] = bytes(60)
    directory = data.rindex(b"locked.png") - 46
    assert data[directory : directory + 4] == b"PK\x01\x02" and locked
    data[directory + 8] |= 1  # "encrypted"
    path.write_bytes(data)
    return path


def test_a_dirty_archive_gives_all_that_is_good_and_a_reason_for_the_rest(dirty, tmp_path):
    out = tmp_path / "out"
    summary = take(dirty, out)
    rows = table(out)
    assert len(BAD) >= 30
    for name, (_, reason) in BAD.items():
        row = rows[name]
        assert row["status"] == "set aside" and reason in row["reason"], (name, row)
    assert summary.kept == len(GOOD) + 1
    stored = set(contents(out / "faces").values())
    assert stored == {*GOOD.values(), face(50)}
    assert not [path for path in tmp_path.rglob("evil*")] and not Path("/etc/absolute.png").exists()
    assert len(load_faces(out, progress=False)) == summary.kept


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_three_times_in_an_archive(tmp_path):
    archive = tmp_path / "thrice.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for n in (1, 2, 1):
            file.writestr("a.png", face(n))
    for new in (2, 0):
        summary = take(archive, tmp_path / "out")
        assert (summary.kept, summary.new, summary.duplicates) == (2, new, 0)
    assert set(contents(tmp_path / "out" / "faces").values()) == {face(1), face(2)}


def test_what_it_writes_has_names_for_every_system(dirty, tmp_path):
    take(dirty, tmp_path / "out")
    names = files(tmp_path / "out")
    assert len({name.casefold() for name in names}) == len(names)
    expected = {"good.png", "good-2.png", "二.png", "emoji 🌸.png", "_CON.png", "a_b__c_.png", "really a png.png"}
    assert expected <= set(names)
    for name in names:
        assert not set(name) & set('<>:"/\\|?*\n\u202e') and len(name.encode()) < 140


def test_a_dirty_tar(tmp_path):
    archive = tmp_path / "dirty.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name, content in {"good.png": face(1), "../evil.png": face(2), "/abs.png": face(3)}.items():
            add(file, name, content)
        add(file, "link.png", kind=tarfile.SYMTYPE, target="/etc/passwd")
        add(file, "hard.png", kind=tarfile.LNKTYPE, target="good.png")
        for name, kind in {"pipe": tarfile.FIFOTYPE, "disk": tarfile.BLKTYPE, "tty": tarfile.CHRTYPE}.items():
            add(file, f"{name}.png", kind=kind)
        add(file, "last.png", face(4))
    assert take(archive, tmp_path / "out").kept == 2
    rows = table(tmp_path / "out")
    reasons = {name: row["reason"] for name, row in rows.items() if row["status"] == "set aside"}
    assert reasons == {
        "../evil.png": OUTSIDE, "/abs.png": OUTSIDE, "link.png": "a link", "hard.png": "a link",
        "pipe.png": "a device, not a file", "disk.png": "a device, not a file", "tty.png": "a device, not a file",
    }  # fmt: skip


def test_an_archive_that_breaks_off_gives_what_came_before(tmp_path):
    archive = tmp_path / "half.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for n in range(20):
            add(file, f"{n}.png", face(n))
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    summary = take(archive, tmp_path / "out")
    assert 5 <= summary.kept < 20
    assert "breaks off after" in str(summary)


def test_names_in_gbk_as_windows_in_china_writes_them(tmp_path):
    archive = zipped(tmp_path / "gbk.zip", {"AAAA.png": face(1)})
    archive.write_bytes(archive.read_bytes().replace(b"AAAA", "头像".encode("gbk")))
    take(archive, tmp_path / "out")
    assert files(tmp_path / "out") == ["头像.png"]


def test_thousands_of_tiny_files_are_one_line_each(tmp_path):
    archive = zipped(tmp_path / "tiny.zip", {**{f"{n}.txt": b"x" for n in range(5000)}, "one.png": face(1)})
    summary = take(archive, tmp_path / "out")
    assert summary.kept == 1 and summary.reasons["not a picture"] == 5000


def test_the_limit_of_all_bytes_together(tmp_path, monkeypatch):
    monkeypatch.setattr("animegan.sources.archives.MAX_TOTAL", 60_000)
    for n in range(4):
        (tmp_path / f"{n}.png").write_bytes(face(n))
    archive = zipped(tmp_path / "much.zip", {f"{n}.png": face(n) for n in range(4)})
    assert 0 < take(archive, tmp_path / "out").kept < 4
    tar = tmp_path / "much.tar.gz"
    with tarfile.open(tar, "w:gz") as file:
        for n in range(4):
            file.add(tmp_path / f"{n}.png", f".hidden/{n}.png")  # to skip them, they are inflated all the same
        file.add(tmp_path / "0.png", "last.png")
    summary = take(tar, tmp_path / "tar")
    assert summary.kept == 0 and "inflates to more than" in str(summary)
    monkeypatch.setattr("animegan.sources.archives.MAX_ENTRIES", 2)
    summary = take(archive, tmp_path / "few")
    assert "more than 2 entries" in str(summary)


def test_an_encrypted_7z_says_so(tmp_path):
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(tmp_path / "locked.7z", "w", password="secret") as file:
        file.writestr(face(1), "a.png")
    with pytest.raises(UserError, match="is encrypted: unpack it with its password"):
        take(tmp_path / "locked.7z", tmp_path / "out")


# --- fixed, put back, at the same time -------------------------------------------------------------------------


def test_a_source_that_was_fixed_is_read_again(tmp_path):
    whole = zipped(tmp_path / "whole.zip", {f"{n}.png": face(n) for n in range(4)}).read_bytes()
    source = tmp_path / "faces.zip"
    damaged = bytearray(whole)
    start = damaged.index(face(2)[:200])
    damaged[start + 300 : start + 330] = bytes(30)
    source.write_bytes(damaged)
    assert take(source, tmp_path / "out").kept == 3
    assert "damaged" in table(tmp_path / "out")["2.png"]["reason"]
    locked = bytearray(whole)
    locked[locked.rindex(b"1.png") - 46 + 8] |= 1
    source.write_bytes(locked)
    assert take(source, tmp_path / "locked").kept == 3
    source.write_bytes(whole)
    for out in (tmp_path / "out", tmp_path / "locked"):
        summary = take(source, out)
        assert (summary.kept, summary.new) == (4, 1) and not summary.reasons
        assert len(table(out)) == 4


def test_a_file_that_could_not_be_opened_is_tried_again(folder, tmp_path, monkeypatch):
    forbid(monkeypatch, builtins, "open", lambda path, *mode: path == folder / "face 2.png")
    assert take(folder, tmp_path / "out").kept == 4
    assert table(tmp_path / "out")["face 2.png"]["reason"] == "cannot be opened: you may not read it"
    monkeypatch.undo()
    assert take(folder, tmp_path / "out").kept == 5


def test_a_file_of_the_students_own_is_never_deleted(folder, tmp_path):
    out = tmp_path / "out"
    original = draw(Face.random(seed=0, index=1), size=300)
    (folder / "sharp.png").write_bytes(encoded(original))
    (folder / "small.jpg").write_bytes(encoded(original.resize((90, 90)), "JPEG"))
    take(folder, out)
    assert "small.jpg" not in files(out)
    (out / "faces" / "small.jpg").write_bytes(face(99))  # another picture under the name of a duplicate
    (out / "faces" / "mine.png").write_bytes(face(98))
    assert take(folder, out).kept == 7
    assert (out / "faces" / "small.jpg").read_bytes() == face(99) and "mine.png" in files(out)
    assert table(out)["small.jpg"]["reason"] == "put back by hand"
    (out / "faces" / "face 0.png").rename(tmp_path / "kept for later.png")
    assert take(folder, out).kept == 6
    (tmp_path / "kept for later.png").rename(out / "faces" / "face 0.png")
    assert take(folder, out).kept == 7


def test_two_imports_into_one_folder_do_not_meet(folder, tmp_path):
    from filelock import FileLock

    take(folder, tmp_path / "out")
    lock = FileLock(tmp_path / "out" / ".import" / "lock")
    with lock, pytest.raises(UserError, match="another import into .* is running"):
        take(folder, tmp_path / "out")
    assert take(folder, tmp_path / "out").kept == 5


def test_one_bad_source_does_not_stop_the_others(folder, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    (tmp_path / "last.png").write_bytes(face(42))
    with pytest.raises(UserError, match=r"bad.zip cannot be read.*The other sources were imported: 6 pictures to use"):
        take([folder, tmp_path / "bad.zip", tmp_path / "last.png"], tmp_path / "out")
    assert (tmp_path / "out" / "import.csv").exists()
    with pytest.raises(UserError, match="cannot be read"):
        take(tmp_path / "bad.zip", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_whole_pictures_and_faces_are_not_mixed(folder, tmp_path):
    class Finder:
        margin = 0.2

        def crops(self, data):
            return []

    take(folder, tmp_path / "out")
    with pytest.raises(UserError, match="imported another way"):
        take(folder, tmp_path / "out", finder=Finder())


def test_a_touched_file_is_one_line(folder, tmp_path):
    take(folder, tmp_path / "out")
    for path in folder.rglob("*.png"):
        os.utime(path, (1e9, 1e9))
    assert take(folder, tmp_path / "out").duplicates == 1
    with open(tmp_path / "out" / "import.csv", encoding="utf-8-sig") as file:
        assert len(file.readlines()) == 7


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_devices_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(UserError, match="it is not a file"):
            take(path, tmp_path / "out")


def test_paths_that_no_system_takes(folder, tmp_path):
    for path in ("x" * 5000, "a\0b"):
        with pytest.raises(UserError, match="cannot be read|embedded null byte"):
            take(path, tmp_path / "out")
        with pytest.raises(UserError, match="could not be saved|is not a path"):
            take(folder, tmp_path / path)


def test_a_header_of_megabytes_and_a_7z_bomb(tmp_path):
    with tarfile.open(tmp_path / "long.tar.gz", "w:gz", format=tarfile.GNU_FORMAT) as file:
        add(file, "x" * 3_000_000, b"abc")
    with pytest.raises(UserError, match="a header of 2 MiB"):
        take(tmp_path / "long.tar.gz", tmp_path / "out")
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(tmp_path / "bomb.7z", "w") as file:
        file.writestr(bytes(20_000_000), "zeros.png")
    with pytest.raises(UserError, match="is a bomb: it inflates to 19 MiB"):
        take(tmp_path / "bomb.7z", tmp_path / "out")
    with py7zr.SevenZipFile(tmp_path / "locked.7z", "w", password="secret", header_encryption=True) as file:
        file.writestr(face(1), "a.png")
    with pytest.raises(UserError, match="is encrypted"):
        take(tmp_path / "locked.7z", tmp_path / "out")


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/b/c.jpg", "c"), ("..\\..\\evil.png", "evil"), ("CON.jpg", "_CON"), ("nul.tar.gz", "_nul.tar"),
        ("COM1", "_COM1"), ("com¹.png", "_com¹"), ("lpt9.txt", "_lpt9"), ("conin$", "_conin$"), ("icon.png", "icon"),
        ('a<b>:"|?*.png', "a_b______"), ("名 字.png", "名 字"), ("😀.png", "😀"), (".hidden.png", "hidden"),
        ("...", "picture"), ("", "picture"), ("end. ", "end"), (" lead.png", "lead"),
        ("=cmd.jpg", "_=cmd"), ("@a.png", "_@a"), ("e\u0301.png", "é"),
        ("a\x00b\x1f.png", "ab"), ("a\u202egnp.exe", "agnp"), ("half\ud83d.png", "half"), ("字" * 100, "字" * 40),
    ],
)  # fmt: skip
def test_a_safe_stem(name, stem):
    assert safe_stem(name) == stem


def test_names_are_given_out_once(monkeypatch):
    names = Names(["Face.PNG"])
    assert [names.new("face", ".png"), names.new("FACE", ".png"), names.new("face", ".jpg")] == [
        "face-2.png", "FACE-3.png", "face.jpg",
    ]  # fmt: skip
    compared = count_calls(monkeypatch, filenames, "_key")
    assert len({names.new("image", ".png") for _ in range(30_000)}) == 30_000
    assert 30_000 <= len(compared) <= 5 * 30_000, "counting continues at the last number"


# --- mistakes, each one line ------------------------------------------------------------------------------


def test_mistakes(folder, tmp_path, monkeypatch):
    def fails(message, *arguments, **options):
        with pytest.raises(UserError, match=message) as caught:
            take(*arguments, **options)
        assert "\n" not in str(caught.value)

    fails("nowhere cannot be read .*: give a folder, an archive", tmp_path / "nowhere", tmp_path / "out")
    fails("out of range", folder, tmp_path / "out", threshold=40)
    (tmp_path / "file").write_text("x")
    fails("is not a folder", folder, tmp_path / "file")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.jpg").write_bytes(b"x")
    fails("holds other files", folder, tmp_path / "mine")
    assert (tmp_path / "mine" / "precious.jpg").exists()
    fails("imported into itself", folder, folder / "out")
    take(folder, tmp_path / "set")
    fails("imported into itself", tmp_path / "set" / "faces", tmp_path / "set")
    for kind, start in {"zip": b"PK\x03\x04", "7z": b"7z\xbc\xaf\x27\x1c", "tar.gz": b"\x1f\x8b"}.items():
        (tmp_path / f"broken.{kind}").write_bytes(start + bytes(50))
        fails("cannot be read", tmp_path / f"broken.{kind}", tmp_path / "out")
    take(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / ".import" / "journal.jsonl").write_text("{}\n")
    fails("is damaged", folder, tmp_path / "damaged")


def test_a_full_disk_keeps_what_there_is(folder, tmp_path, monkeypatch):
    import animegan.sources.import_job as module

    write, calls = module.write_whole, []

    def full(path, content, **options):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        write(path, content, **options)

    monkeypatch.setattr(module, "write_whole", full)
    with pytest.raises(UserError, match="No space left on device.*is kept: free some space"):
        take(folder, tmp_path / "out")
    monkeypatch.undo()
    assert take(folder, tmp_path / "out").kept == 5


def _rar(files: dict[str, bytes], method: int = 0x30) -> bytes:
    """A RAR 3 archive of files that are stored as they are; no free program writes one."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        header = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header

    parts = [b"Rar!\x1a\x07\x00", block(0x73, 0, bytes(6))]
    for name, data in files.items():
        fixed = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 20, method, len(name), 0o644)
        parts += [block(0x74, 0x8000, fixed + name.encode("ascii")), data]
    return b"".join([*parts, block(0x7B, 0x4000, b"")])


def test_rar(tmp_path, monkeypatch):
    rarfile = pytest.importorskip("rarfile")
    archive = tmp_path / "faces.rar"
    archive.write_bytes(_rar({"a.png": face(1), "../evil.png": face(2), "b.png": face(3)}))
    assert take(archive, tmp_path / "out").kept == 2
    assert table(tmp_path / "out")["../evil.png"]["reason"] == OUTSIDE
    archive.write_bytes(_rar({"a.png": face(1)}, method=0x33))  # compressed: that takes a program
    none = rarfile.RarCannotExec("no program")
    monkeypatch.setattr(rarfile, "tool_setup", lambda: (_ for _ in ()).throw(none))
    with pytest.raises(UserError, match="needs the program unrar, unar or bsdtar.*import the folder"):
        take(archive, tmp_path / "other")


def test_thousands_of_real_faces(tmp_path, monkeypatch):
    archive = os.environ.get("ANIMEGAN_REAL_FACES") or pytest.skip("set ANIMEGAN_REAL_FACES to a zip of real faces")
    opened = count_calls(monkeypatch, Image, "open")
    summary = take(Path(archive), tmp_path / "real")
    assert summary.kept > 6000
    assert len(opened) <= 3 * summary.kept, "a picture is decoded once, not once for every other picture"
    shutil.rmtree(tmp_path / "real")


# --- the command line ---------------------------------------------------------------------------------------


def test_import_from_the_command_line(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "import", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "5 pictures to use, 5 of them new" in out and "contact_sheet.png" in out
    assert f"animegan train --data_path {Path('data') / '图片 source'}" in out
    assert main(["data", "import", str(folder), "--out", "data/all", "--threshold", "-1"]) == 0
    assert main(["data", "check", "data/all"]) == 0
    assert "5 pictures to use" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "nowhere.zip"], "nowhere.zip cannot be read (No such file or directory): give a folder"),
        (["import", ".", "--out", "x", "--threshold", "99"], "--threshold: 99 is out of range"),
        (["import", ".", "--out", "x", "--crop", "--cascade", "no.xml"], "--cascade no.xml cannot be read"),
        (["import", ".", "--out", "x", "--crop", "--margin", "9"], "--margin 9 is out of range"),
        (["import", ".", "--out", "x", "--cascade", "no.xml"], "--cascade and --any-cascade go with --crop"),
        (["get", "--mirror", "http://m"], "--mirror and --sha256 need the name of a set"),
        (["get", "best-set"], "there is no set best-set"),
        (["get", "--url", "ftp://example.org/a.zip"], "only http:// and https:// addresses"),
        (["crawl", "--tags", " ", "--limit", "3"], "--tags is empty"),
        (["crawl", "--tags", "solo", "--limit", "0"], "--limit 0 is out of range"),
        (["crawl", "--tags", "solo"], "the following arguments are required: --limit"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(tmp_path, capsys, monkeypatch, arguments, message):
    pytest.importorskip("cv2", reason="--crop needs the extra 'data'")
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["data", *arguments])
    except SystemExit as stop:
        status = stop.code
    errors = capsys.readouterr().err
    assert status == 2 and errors.count("\n") == 1 and message in errors


def test_nothing_that_can_be_used_is_a_mistake(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("no picture")
    assert main(["data", "import", "notes.txt", "--out", "x"]) == 2
    captured = capsys.readouterr()
    assert "0 pictures to use" in captured.out and "no picture came out of it" in captured.err


def test_what_there_is_to_get(capsys):
    assert main(["data", "get"]) == 0
    assert "faces-96" in capsys.readouterr().out
