"""A fuzzer: every file that the program reads is damaged, and every option of the command line gets odd values.

Whatever comes in, a command ends with its usual result, or with one line and status 2. No traceback, no second line,
and no other result without a word: a command that succeeds on a damaged file must give what it gave before.

By default a few hundred cases are tried, always the same. ANIMEGAN_FUZZ=5000 tries that many, others for every
ANIMEGAN_FUZZ_SEED.
"""

import argparse
import contextlib
import copy
import hashlib
import io
import json
import operator
import os
import random
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import picture
from PIL import Image

from animegan.cli import app
from animegan.config import TrainConfig
from animegan.runs import Run
from animegan.training import train

CASES = int(os.environ.get("ANIMEGAN_FUZZ", "330"))
SEED = int(os.environ.get("ANIMEGAN_FUZZ_SEED", "0"))
NUMBERS = (0, -1, -(10**9), 2**31, 2**63, 10**400, 0.5, -0.5, 1e308, float("nan"), float("inf"))
VALUES = (*NUMBERS, None, True, "", "x", "²", "a\nb", "\ud800", "x" * 5000, [], [1], ["x"], {}, {"x": 1}, [[]] * 3)
WORDS = (
    "", " ", "-1", "0", "0.5", "1e400", "nan", "inf", "99999999999999999999", "2147483648", "1" * 5000, "²", "--", "-",
    "=", "x", "a\nb", "a\u2028b", "\udcff", "图片", "n" * 300, "/".join("n" * 200), "/dev/null/x", "/dev/full",
    "{loop}", "{loop}/x", "{file}", "{folder}", "{fifo}", "~nobody/x", "%s{}", "*",
)  # fmt: skip


# --- how a command ends ----------------------------------------------------------------------------------------------


def run_command(*arguments: str) -> tuple[int, str, str]:
    """Status, standard output and standard error of a command; 99 and the exception if it lets one through."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = app.main(list(arguments))
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException as error:
            return 99, out.getvalue(), f"{type(error).__name__}: {error}"[:200]
    return status, out.getvalue(), errors.getvalue()


def fault(status: int, out: str, errors: str, expected: str | None) -> str:
    """What is wrong with the way a command ended, "" if nothing is. expected: what it prints if it succeeds."""
    if status == 99:
        return f"a traceback: {errors}"
    if status == 2:
        lines = [line for line in re.sub(r"\r[^\n]*", "", errors).splitlines() if line.strip()]  # no progress bars
        return "" if len(lines) == 1 else f"{len(lines)} lines: {errors[:300]!r}"
    if status:
        return f"status {status}: {errors[:200]}"
    return "" if expected is None or out == expected else f"another result without a word: {out[:200]!r}"


def digest(*paths: Path) -> str:
    """A hash of files and of all files in folders, names included."""
    hashed = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                hashed.update(file.name.encode("utf-8", "surrogateescape") + file.read_bytes())
    return hashed.hexdigest()


# --- how a file is damaged -------------------------------------------------------------------------------------------


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything within a value from JSON."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def mutate_value(content: Any, dice: random.Random) -> tuple[Any, str]:
    """A copy with one value replaced by one of another kind, or left out; and what was done."""
    content = copy.deepcopy(content)
    container, key = dice.choice(list(places(content)))
    old, what = container[key], dice.choice(VALUES)
    if dice.random() < 0.25:
        del container[key]
        return content, f"without {key}"
    if type(what) is type(old) and not isinstance(old, dict | list):
        what = {str: 7, int: "7", float: "0.5", bool: "yes"}.get(type(old), {"y": 2})
    container[key] = what
    return content, f"{key} = {repr(what)[:30]}"


def mutate_json(data: bytes, dice: random.Random) -> tuple[bytes, str]:
    if dice.random() < 0.8:
        content, what = mutate_value(json.loads(data), dice)
        return json.dumps(content).encode(), what
    return mutate_bytes(data, dice)


def mutate_lines(data: bytes, dice: random.Random) -> tuple[bytes, str]:
    """One line of JSON in many, or one line of a table, is damaged, missing, doubled or moved."""
    lines = data.splitlines(keepends=True)
    number, how = dice.randrange(len(lines)), dice.randrange(6)
    if how == 0 and lines[number].startswith(b"{"):
        lines[number], what = mutate_json(lines[number].strip(), dice)
        lines[number] += b"\n"
    elif how == 1:
        cells = lines[number].rstrip(b"\n").split(b",")
        place = dice.randrange(len(cells))
        cells[place] = dice.choice([b"", b"x", b"nan", b"inf", b"1e400", b"9" * 30, b"y" * 140_000, b'"', b"\xff"])
        lines[number], what = b",".join(cells) + b"\n", f"line {number}, cell {place} = {cells[place][:20]!r}"
    elif how == 2:
        what = f"without line {number}"
        del lines[number]
    elif how == 3:
        what = f"line {number} twice"
        lines.insert(number, lines[number])
    elif how == 4:
        lines[1:], what = lines[:0:-1], "in reverse"
    else:
        return mutate_bytes(data, dice)
    return b"".join(lines), what


def mutate_bytes(data: bytes, dice: random.Random) -> tuple[bytes, str]:
    where = dice.randrange(max(1, len(data)))
    how = dice.randrange(6)
    if how == 0:
        return data[:where], f"cut at {where}"
    if how == 1:
        return b"", "empty"
    if how == 2:
        return dice.choice([b"[" * 100_000, b"null", b"5", b'"x"', b"[]", b"{}", b"\xff" * 50, b"\0" * 50]), "other"
    bits = bytearray(data)
    for _ in range(dice.choice([1, 1, 20])):
        bits[dice.randrange(len(bits))] ^= 1 << dice.randrange(8)
    return bytes(bits), f"flipped bits, first at {where}"


def mutate_weights(data: bytes, dice: random.Random) -> tuple[bytes, str]:
    """A file of torch.save in which one value is another, or one that is damaged."""
    if dice.random() < 0.4:
        return mutate_bytes(data, dice)
    state = torch.load(io.BytesIO(data), weights_only=True)
    container, key = dice.choice(list(_tensors_and_values(state)))
    odd = (
        torch.zeros(7),
        torch.zeros(()),
        torch.zeros(1, dtype=torch.int8),
        torch.tensor(float("nan")),
        *VALUES,
    )  # no weight has this shape
    what, old = dice.choice(odd), container[key]
    if isinstance(old, torch.Tensor) and dice.random() < 0.3:
        what = old.double() if dice.random() < 0.5 else torch.full_like(old, 127).double() * float("nan")
    equal = torch.equal if isinstance(old, torch.Tensor) else operator.eq
    if type(what) is type(old) and equal(what, old):
        what = None
    if dice.random() < 0.2:
        del container[key]
        shown = f"without {key}"
    else:
        container[key], shown = what, f"{key} = {repr(what)[:40]}"
    buffer = io.BytesIO()
    torch.save(dice.choice(VALUES) if dice.random() < 0.05 else state, buffer)
    return buffer.getvalue(), shown


def _tensors_and_values(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        if not isinstance(key, str) or not key.startswith("_"):
            yield value, key
            yield from _tensors_and_values(value[key])


# --- the files -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A folder with one of everything that the program reads: pictures, a finished run, one to resume, an import."""
    root = tmp_path_factory.mktemp("world")
    (root / "pictures").mkdir()
    for number in range(16):
        picture(number).save(root / "pictures" / f"{number}.png")
    tiny = {"batchSize": 8, "ngf": 1, "ndf": 1, "nz": 4, "device": "cpu", "data_path": str(root / "pictures")}
    train(TrainConfig(outf=str(root / "run"), epoch=2, **tiny), progress=False)
    shutil.copytree(root / "run", root / "begun")
    begun = Run(root / "begun")
    begun.save_info(TrainConfig(**{**begun.config.as_dict(), "outf": str(root / "begun")}))
    assert run_command("data", "import", str(root / "pictures"), "--out", str(root / "set"))[0] == 0
    assert run_command("draw", str(root / "drawn"), "--count", "3")[0] == 0
    table = [
        "row,seed,epoch,count,swd,swd_96,swd_48,swd_24,floor,fid,features,images,images_per_second,timed_on,command,"
        "machine,torch,date",
        "one,0,2,64,20.5,30.1,20.1,11.3,4.1,9.5,face classifier,16,10.0,cpu,train,here,2.9,2026-01-01",
        "one,1,2,64,21.5,31.1,20.2,13.2,4.0,9.9,face classifier,16,10.1,cpu,train,here,2.9,2026-01-01",
    ]
    (root / "grid.toml").write_text('[options]\nepoch = 2\nngf = 1\n[[row]]\nname = "one"\nseeds = 2\n')
    (root / "grid.csv").write_text("\n".join(table) + "\n")
    return root


# Each file that is read, how it is damaged, and the commands that read it. {root} is the copy of the world.
Mutation = Callable[[bytes, random.Random], tuple[bytes, str]]
RESUME = "train --resume --data_path {root}/pictures --outf {root}/begun --epoch 3 --device cpu"
TARGETS: dict[str, tuple[str, Mutation, tuple[str, ...]]] = {
    "run.json": ("begun/run.json", mutate_json, ("diagnose {root}/begun", "sample {root}/begun", RESUME)),
    "history": ("begun/history.csv", mutate_lines, (RESUME,)),
    "checkpoint": ("begun/checkpoint.pth", mutate_weights, (RESUME,)),
    "netG": ("run/netG_002.pth", mutate_weights, ("sample {root}/run --out {root}/new.png",)),
    "grid": ("run/fake_samples_epoch_002.png", mutate_bytes, ("compare {root}/run --out {root}/new.png",)),
    "shared": ("run/history.csv", mutate_bytes, ("share {root}/run {root}/copy",)),
    "cache": ("pictures/.animegan-*.json", mutate_json, ("data check {root}/pictures", RESUME)),
    "pixels": ("pictures/.animegan-*.npy", mutate_bytes, (RESUME,)),
    "journal": ("set/.import/journal.jsonl", mutate_lines, ("data import {root}/pictures --out {root}/set",)),
    "results": ("grid.csv", mutate_lines, ("ablate {root}/grid.toml --table",)),
    "sweep": ("grid.toml", mutate_bytes, ("ablate {root}/grid.toml --table",)),
    "drawing": ("drawn/drawing.json", mutate_json, ("draw {root}/drawn --count 3",)),
}
RESULTS = ("begun/netG_003.pth", "begun/compare.png", "new.png", "copy", "set/faces")  # of these commands, as files
FREE = {"results", "sweep", "journal", "history", "shared"}  # changed by hand, a number may be right: it may pass


def outcome(root: Path, status: int, out: str) -> str:
    """What a command has made, as text: its output, and a hash of its files."""
    if status:
        return ""
    paths = [root / name for name in RESULTS if (root / name).exists()]
    return f"{out.replace(str(root), '{root}')} {digest(*paths)}"


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """No request leaves the machine, and nothing waits before it tries again."""

    def no_address(*_args, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("animegan.sources.danbooru.RETRIES", 0)


@pytest.mark.parametrize("target", TARGETS)
def test_a_damaged_file_is_one_line_or_changes_nothing(target, world, tmp_path, monkeypatch):
    pattern, mutate, commands = TARGETS[target]
    monkeypatch.chdir(tmp_path)
    dice, faults = random.Random(f"{target} {SEED}"), []
    usual = {}
    for number in range(-1, max(3, CASES // 2 // len(TARGETS))):
        root = tmp_path / "copy"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(world, root)
        for cache in (root / "pictures").glob(".animegan-*.json"):
            # The cache's key holds the times of the files, which copytree keeps.
            assert cache.with_suffix(".npy").exists()
        file, command = next(root.glob(pattern)), commands[number % len(commands)]
        what = ""
        if number >= 0:
            data, what = mutate(file.read_bytes(), dice)
            if data == file.read_bytes():
                continue
            file.write_bytes(data)
        status, out, errors = run_command(*command.format(root=root).split())
        made = outcome(root, status, out)
        if number < 0:
            assert status == 0, errors
        if command not in usual:  # what it gives when nothing is damaged
            if what:
                shutil.rmtree(root)
                shutil.copytree(world, root)
                ended = run_command(*command.format(root=root).split())
                assert ended[0] == 0, ended[2]
                usual[command] = outcome(root, *ended[:2])
            else:
                usual[command] = made
        if wrong := fault(status, made, errors, None if target in FREE else usual[command]):
            faults.append(f"{number}: {what}: {command.split()[0]}: {wrong}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


# --- the options -----------------------------------------------------------------------------------------------------


def _commands(parser: argparse.ArgumentParser, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple, list]]:
    """(the words of a command, its options) for all commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from _commands(command, (*name, word))
            return
    yield name, parser._actions


# A call of each command that ends at once; an odd value is added to it, or takes the place of one.
CALLS = {
    "data check": "{root}/pictures",
    "data import": "{root}/pictures --out {root}/new",
    "data get": "--url http://nowhere.invalid/x.zip --out {root}/new",
    "data crawl": "--tags solo --limit 1 --site http://nowhere.invalid --out {root}/new",
    "draw": "{root}/new --count 2",
    "train": "--data_path {root}/pictures --outf {root}/new --epoch 1 --batchSize 8 --ngf 1 --ndf 1 --nz 4 "
    "--device cpu",
    "sample": "{root}/run --count 2",
    "compare": "{root}/run",
    "share": "{root}/run {root}/new",
    "evaluate": "{root}/run --reals {root}/pictures",  # too few of them, which ends it after all files are read
    "diagnose": "{root}/run",
    "coverage": "{root}/run --count 64",
    "neighbours": "{root}/run --count 2",
    "film": "{root}/run --stops 2 --count 1",
    "ablate": "{root}/grid.toml --table",
    "slides": "{root}/nothing.ipynb",
    "doctor": "",
}


@pytest.mark.parametrize("command", CALLS)
def test_an_odd_value_of_an_option_is_one_line_or_works(command, world, tmp_path, monkeypatch):
    options = dict(_commands(app._parser()))[tuple(command.split())]
    if not options[1:]:
        pytest.skip("it has no option")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANIMEGAN_CACHE", str(tmp_path / "home"))
    dice, faults = random.Random(f"{command} {SEED}"), []
    for number in range(max(4, CASES // 2 // len(CALLS))):
        root = tmp_path / "copy"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(world, root)
        (root / "loop").symlink_to(root / "loop")
        os.mkfifo(root / "fifo")
        (root / "file").write_bytes(b"x")
        option, word = dice.choice(options[1:]), dice.choice(WORDS)
        odd = word.replace("{loop}", str(root / "loop")).replace("{fifo}", str(root / "fifo"))
        odd = odd.replace("{file}", str(root / "file")).replace("{folder}", str(root))
        call = [command.split(), CALLS[command].format(root=root).split()]
        if option.dest in ("epoch", "limit") and odd.isdigit():
            continue  # right, and endless
        if option.option_strings:
            extra = [option.option_strings[0]] if option.nargs == 0 else [option.option_strings[0], odd]
            extra = ["=".join(extra)] if len(extra) == 2 and dice.random() < 0.5 else extra
            arguments = [*call[0], *call[1], *extra]
        else:
            arguments = [*call[0], odd, *call[1][1:]]
        status, out, errors = run_command(*arguments)
        if wrong := fault(status, out, errors, None):
            faults.append(f"{number}: {' '.join(arguments)[:200]!r}: {wrong}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


# --- notebooks, and pictures -----------------------------------------------------------------------------------------

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# Title\n\n* a\n\n| a | b |\n|---|---|\n| 1 | $x^2$ |"},
        {
            "cell_type": "code", "metadata": {"tags": ["x"]}, "source": "1 + 1", "execution_count": 1,
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "hello\n"},
                {
                    "output_type": "execute_result", "execution_count": 1, "metadata": {"image/png": {"width": 9}},
                    "data": {"text/plain": "2", "text/html": "<ol start='2'><li>x</ol><img src='x' width='3'>"},
                },
                {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["x"]},
            ],
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}  # fmt: skip


def test_a_damaged_notebook_is_one_line_or_slides(tmp_path):
    dice, faults = random.Random(f"notebook {SEED}"), []
    for number in range(max(10, CASES // 15)):
        data, what = mutate_json(json.dumps(NOTEBOOK).encode(), dice)
        (tmp_path / "n.ipynb").write_bytes(data)
        if wrong := fault(*run_command("slides", str(tmp_path / "n.ipynb")), None):
            faults.append(f"{number}: {what}: {wrong}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp", "tif"])
def test_a_damaged_picture_is_left_out_or_used(suffix, tmp_path):
    buffer, dice, faults = io.BytesIO(), random.Random(f"{suffix} {SEED}"), []
    picture(3).save(buffer, Image.registered_extensions()[f".{suffix}"])
    for number in range(max(4, CASES // 40)):
        data, what = mutate_bytes(buffer.getvalue(), dice)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"x.{suffix}").write_bytes(data)
        if wrong := fault(*run_command("data", "check", str(folder)), None):
            faults.append(f"{number}: {what}: {wrong}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
