"""Data sets, archives and pictures from strangers: nothing outside is touched, and no program is started."""

import contextlib
import io
import json
import os
import struct
from pathlib import Path

import pytest
from PIL import Image
from test_sources import encoded, face, files, folder, table, take, zipped

from animegan.data import check_folder
from animegan.drawing import Face, draw
from animegan.errors import UserError

__all__ = ["folder"]  # a fixture

pytest.importorskip("imagehash", reason="imports need the extra 'data': pip install -e '.[data]'")


def rewrite(out: Path, change) -> None:
    """Let `change` edit each line of the journal, as a dict."""
    journal = out / ".import" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text("ascii").splitlines()]
    for line in lines:
        change(line)
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")


# --- the journal -----------------------------------------------------------------------------------------------------

NAMES = [
    "../../thesis.docx", "{thesis}", "..", ".", "faces/x.png", "..\\..\\thesis.docx", "C:thesis.docx", "a\0b", ".x",
]  # fmt: skip


@pytest.mark.parametrize("mark", [{"leaving": True}, {"to_delete": True}, {"status": "duplicate"}, {}])
@pytest.mark.parametrize("name", NAMES)
def test_a_journal_that_names_files_elsewhere_is_damaged(folder, tmp_path, name, mark):
    out, thesis = tmp_path / "out", tmp_path / "thesis.docx"
    thesis.write_bytes(b"five years of work")
    take(folder, out)
    rewrite(out, lambda line: line["found"][0].update(file=name.replace("{thesis}", str(thesis)), **mark))
    before = files(out)
    with pytest.raises(
        UserError, match=r"journal.jsonl is damaged \(status is .*delete the folder and import"
    ) as caught:
        take(folder, out)
    assert thesis.read_bytes() == b"five years of work" and files(out) == before
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"file": ""}, {"status": "mine"}, {"hash": -1}, {"hash": 2**64}, {"hash": 0.5}, {"hash": True}, {"box": [1, 2]},
        {"box": [1, 2, "3"]}, {"bytes": ["x"]}, {"sharpness": float("nan")}, {"sharpness": 10**400}, {"reason": None},
        {"retry": "no"}, {"sha256": 5}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_line_of_the_journal_is_one_line(folder, tmp_path, change):
    take(folder, tmp_path / "out")
    rewrite(tmp_path / "out", lambda line: line["found"][0].update(change))
    with pytest.raises(UserError, match="journal.jsonl is damaged"):
        take(folder, tmp_path / "out")


@pytest.mark.parametrize("line", ["5", "null", "[]", '{"found": 5}', '{"found": [5]}', "[" * 100_000, "\xff", "{}"])
def test_a_line_of_another_kind_is_one_line_too(folder, tmp_path, line):
    take(folder, tmp_path / "out")
    with open(tmp_path / "out" / ".import" / "journal.jsonl", "ab") as journal:
        journal.write(line.encode("latin-1") + b"\nthe rest of a line")
    before = (tmp_path / "out" / ".import" / "journal.jsonl").read_bytes()
    with pytest.raises(UserError, match="journal.jsonl is damaged"):
        take(folder, tmp_path / "out")
    assert (tmp_path / "out" / ".import" / "journal.jsonl").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize(
    "place", [".import/staged", ".import/aside", ".import/journal.jsonl", ".import/lock", "faces", ".import", ".x.part"]
)
def test_a_data_set_with_links_in_its_own_folders_is_refused(folder, tmp_path, place):
    """The folder `staged` is emptied, and the last incomplete line of a journal is cut off: not those of the user."""
    out, mine = tmp_path / "out", tmp_path / "mine"
    take(folder, out)
    link = out / place
    is_folder = link.is_dir()
    if link.exists():
        link.rename(tmp_path / "away")
    mine.mkdir()
    (mine / "thesis.docx").write_bytes(b"five years")
    link.symlink_to(mine if is_folder else mine / "thesis.docx")
    with pytest.raises(UserError, match="is a link, .*give another --out"):
        take(folder, out)
    assert [path.name for path in mine.iterdir()] == ["thesis.docx"]
    assert (mine / "thesis.docx").read_bytes() == b"five years"


# --- no other program ------------------------------------------------------------------------------------------------

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.fixture
def started(tmp_path, monkeypatch) -> Path:
    """A file that exists once a program called gs was started."""
    (tmp_path / "bin").mkdir()
    mark = tmp_path / "gs was started"
    for name in ("gs", "gswin64c"):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\ntouch '{mark}'\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)  # Pillow looks for it once
    return mark


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_no_picture_starts_ghostscript(started, folder, tmp_path):
    with contextlib.suppress(Exception):
        Image.open(io.BytesIO(EPS)).load()
    assert started.exists(), "Pillow would start it"
    started.unlink()
    for name in ("a.eps", "b.png"):
        (folder / name).write_bytes(EPS)
    zipped(tmp_path / "eps.zip", {"c.eps": EPS, "d.jpg": EPS})
    out = tmp_path / "out"
    take([folder, tmp_path / "eps.zip"], out)
    assert not started.exists()
    # A data set that was handed on may have anything in the folders whose pictures are on the contact sheet.
    (out / "contact_sheet.png").unlink()
    (out / "faces" / "face 0.png").write_bytes(EPS)
    (out / ".import" / "aside" / "000.png").write_bytes(EPS)
    take(folder, out)
    check_folder(out, progress=False)
    assert (out / "contact_sheet.png").exists() and not started.exists()


def test_a_picture_of_too_many_pixels_is_not_decoded_for_the_contact_sheet(folder, tmp_path):
    out = tmp_path / "out"
    take(folder, out)
    (out / "contact_sheet.png").unlink()
    huge = encoded(Image.new("1", (12_000, 12_000)))
    (out / "faces" / "face 0.png").write_bytes(huge)
    before = Image.Image.load
    sizes = []

    def load(image):
        sizes.append(image.size)
        return before(image)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image.Image, "load", load)
        take(folder, out)
    assert (12_000, 12_000) not in sizes


# --- archives that need another step ---------------------------------------------------------------------------------


def test_a_method_that_python_cannot_read_is_named(tmp_path):
    """Windows Explorer packs by Deflate64 beyond 2 GB: the file is good."""
    archive = zipped(tmp_path / "deflate64.zip", {f"{n}.png": face(n) for n in range(3)})
    data = bytearray(archive.read_bytes())
    for start, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(start + data[data.find(start) + 4 :][:2])
        while place >= 0:
            data[place + offset : place + offset + 2] = struct.pack("<H", 9)
            place = data.find(start, place + 1)
    archive.write_bytes(data)
    summary = take(archive, tmp_path / "out")
    (reason,) = summary.reasons
    assert "packed by Deflate64, which Python cannot read: unpack it" in reason and "import the folder" in reason
    zipped(archive, {f"{n}.png": face(n) for n in range(3)})
    assert take(archive, tmp_path / "out").kept == 3, "it is tried again"


@pytest.mark.parametrize("name", ["f.zip.001", "f.zip.002", "f.7z.001", "F.ZIP.003", "f.tar.gz.001", "f.z01", "f.r00"])
def test_a_part_of_a_split_archive_is_not_called_damaged(tmp_path, name):
    whole = zipped(io.BytesIO(), {f"{n}.png": face(n) for n in range(3)}).getvalue()
    source = tmp_path / "parts"
    source.mkdir()
    (source / name).write_bytes(whole[: len(whole) // 2])
    (source / "x.png").write_bytes(face(9))
    with pytest.raises(UserError, match="is a part of a split archive: put its parts together") as caught:
        take(source / name, tmp_path / "out")
    assert "damaged" not in str(caught.value) and "again" not in str(caught.value)
    take(source, tmp_path / "all")
    assert "a part of a split archive" in table(tmp_path / "all")[name]["reason"]


@pytest.mark.parametrize("name", ["f.zip", "f.tar.gz", "f.part1.rar", "f.7z", "photo.001.png", "f.tar.xz", "f.zip.png"])
def test_what_is_no_part_is_not_called_one(tmp_path, name):
    from animegan.sources.archives import PART

    assert not PART.search(name)


def test_the_last_part_of_a_zip_on_several_disks(tmp_path):
    whole = zipped(io.BytesIO(), {f"{n}.png": face(n) for n in range(3)}).getvalue()
    last = bytearray(whole[len(whole) // 2 :])
    end = last.rindex(b"PK\x05\x06")
    last[end + 4 : end + 8] = struct.pack("<HH", 1, 1)  # this disk, and the one with the directory
    (tmp_path / "faces.zip").write_bytes(last)
    with pytest.raises(UserError, match="is a part of a split archive"):
        take(tmp_path / "faces.zip", tmp_path / "out")


def test_a_7z_by_a_method_that_py7zr_does_not_know_is_not_damaged(tmp_path, monkeypatch):
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as file:
        file.writestr(face(1), "a.png")

    def unknown(*_args, **_options):
        raise py7zr.exceptions.UnsupportedCompressionMethodError(b"\x00", "BCJ2 is not supported")

    monkeypatch.setattr(py7zr.SevenZipFile, "extract", unknown)
    with pytest.raises(UserError, match="cannot be read here .*: unpack it with another program") as caught:
        take(tmp_path / "a.7z", tmp_path / "out")
    assert type(caught.value) is UserError, "it is not to be fetched again"


# --- formats ---------------------------------------------------------------------------------------------------------

OTHERS = {
    "iphone.heic": (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "HEIC", "pip install pillow-heif"),
    "named as.jpg": (b"\0\0\0\x24ftypmif1\0\0\0\0mif1heic", "HEIC", "convert it to JPEG"),
    "new.jxl": (b"\xff\x0a\x00\x10", "JPEG XL", "convert it"),
    "boxed.jxl": (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "convert it"),
    "layers.psd": (b"8BPS\0\x01", "PSD", "convert it"),
    "faces.npy": (b"\x93NUMPY\x01\x00", "NumPy", "save each array"),
    "train-00000.parquet": (b"PAR1\x15\x04", "parquet", "save its pictures"),
}


def test_files_of_other_formats_are_named_with_what_to_do(tmp_path, capsys):
    import numpy as np

    from animegan.cli import main

    source = tmp_path / "source"
    source.mkdir()
    for name, (start, *_) in OTHERS.items():
        (source / name).write_bytes(start + bytes(300))
    np.savez(source / "faces.npz", faces=np.zeros((4, 96, 96, 3), np.uint8))
    np.savez(source / "labelled.png", arr_0=np.zeros(3))
    (source / "labelled.png.npz").rename(source / "labelled.png")
    (source / "x.png").write_bytes(face(1))
    take(source, tmp_path / "out")
    rows = table(tmp_path / "out")
    expected = {**OTHERS, "faces.npz": (b"", "NumPy", "save each"), "labelled.png": (b"", "NumPy", "save each")}
    for name, (_, what, fix) in expected.items():
        assert what in rows[name]["reason"] and fix in rows[name]["reason"], name
    assert main(["data", "check", str(source)]) == 0
    out = capsys.readouterr().out
    for _, what, fix in expected.values():
        assert any(what in line and fix in line for line in out.splitlines()), what


def test_a_jpeg_without_its_end_marker_is_kept_and_half_of_one_is_not(tmp_path):
    from animegan.data import load_faces

    source = tmp_path / "source"
    source.mkdir()
    whole = encoded(draw(Face.random(seed=0, index=1), size=300), "JPEG", quality=90)
    (source / "two bytes.jpg").write_bytes(whole[:-2])
    (source / "half.jpg").write_bytes(whole[: len(whole) // 2])
    assert take(source, tmp_path / "out").kept == 1
    assert files(tmp_path / "out") == ["two bytes.jpg"]
    assert len(load_faces(tmp_path / "out", progress=False)) == 1
