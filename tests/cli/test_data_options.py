"""Odd paths and values for the commands `animegan data ...`: each is one line with status 2."""

import os
import re

import pytest
from conftest import picture

from animegan.cli import main

COMMANDS = {
    "check": "{}", "import": "{} --out new", "out": "faces --out {}", "cascade": "faces --out new --crop --cascade {}",
    "get": "{}", "url": "--url {} --out new", "mirror": "faces-96 --mirror {} --out new",
    "sha256": "--url http://nowhere.invalid/x --out new --sha256={}", "site": "--tags x --limit 1 --out new --site {}",
}  # fmt: skip
VALUES = ["", " ", "n" * 300, "loop", "loop/x", "a\nb", "pipe", "\udcff", "²", "--", "file/x"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_odd_path_or_value_is_one_line(tmp_path, monkeypatch, capsys, command, value):
    for package in ("cv2", "pooch", "gallery_dl", "imagehash"):
        pytest.importorskip(package, reason="this needs the extra 'data'")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    picture().save(tmp_path / "faces" / "a.png")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    name = {"out": "import", "cascade": "import", "check": "check", "import": "import", "site": "crawl"}.get(
        command, "get"
    )
    if (command, value) == ("get", "--") or (command == "out" and value in ("a\nb", "\udcff", "²")):
        pytest.skip("this is right")
    words = [word.replace("{}", value) for word in COMMANDS[command].split()]
    try:
        status = main(["data", name, *words])
    except SystemExit as end:
        status = end.code
    errors = re.sub(r"\r[^\n]*", "", capsys.readouterr().err)  # no progress bars
    lines = [line for line in errors.splitlines() if line.strip()]
    assert status == 2 and len(lines) == 1, lines
    assert os.listdir(tmp_path / "faces") in (["a.png"], [".animegan-96"]) or command == "check"


@pytest.mark.parametrize("option", ["--limit", "--threshold", "--margin"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "²", "", "-99999999999999999999", "9" * 5000, "x", "--"])
def test_an_odd_number_is_one_line(tmp_path, monkeypatch, capsys, option, value):
    pytest.importorskip("gallery_dl", reason="a crawl needs the extra 'data'")
    monkeypatch.chdir(tmp_path)
    words = ["crawl", "--tags", "x", "--site", "http://nowhere.invalid", "--crop", "--limit", "1", f"{option}={value}"]
    try:
        status = main(["data", *words])
    except SystemExit as end:
        status = end.code
    assert status == 2 and len(capsys.readouterr().err.splitlines()) == 1
