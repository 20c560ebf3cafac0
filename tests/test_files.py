"""What is read from a file is checked: whatever it contains, one line says what is wrong."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from animegan.errors import UserError
from animegan.files import read_json, read_table, reading, write_picture
from animegan.text import printable


@dataclass
class Inner:
    names: list[str]
    size: float = 0.0


@dataclass
class Outer:
    count: int
    inner: Inner
    note: str | None = None
    free: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


GOOD = {"count": 3, "inner": {"names": ["a"], "size": 1}}


def read(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_json(path, Outer, "restore it")


def test_a_good_file_becomes_a_dataclass_of_dataclasses(tmp_path):
    outer = read(tmp_path, {**GOOD, "note": "x", "free": {"y": [None, {}]}, "words": {"z": "w"}})
    assert outer == Outer(3, Inner(["a"], 1.0), "x", {"y": [None, {}]}, {"z": "w"})
    assert isinstance(outer.inner.size, float)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": "3"}, "count is '3'"),
        ({"count": True}, "count is True"),
        ({"count": 3.5}, "count is 3.5"),
        ({"count": None}, "count is None"),
        ({"count": 2**63}, "count is 9223372036854775808"),
        ({"inner": []}, "inner is []"),
        ({"inner": {}}, "inner has no names"),
        ({"inner": {"names": ["a", 5]}}, "names is 5"),
        ({"inner": {"names": [], "size": float("nan")}}, "size is nan"),
        ({"inner": {"names": [], "size": 10**400}}, "too large"),
        ({"note": 7}, "note is 7"),
        ({"words": {"z": 1}}, "z is 1"),
        ({"more": 1}, "its content has an unknown more"),
    ],
)
def test_what_differs_from_the_types_is_named(tmp_path, change, words):
    with pytest.raises(UserError) as caught:
        read(tmp_path, GOOD | change)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"5", b"null", b"[]", b'"text"'],
    ids=["empty", "cut", "bytes", "nested", "digits", "number", "null", "list", "text"],
)
def test_a_file_that_is_no_such_json_is_one_line(tmp_path, content):
    with pytest.raises(UserError, match="is damaged") as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_a_folder_cannot_be_read(tmp_path):
    for path in (tmp_path / "nothing", tmp_path, tmp_path / ("n" * 300)):
        with pytest.raises(UserError, match=r"cannot be read \(.*\): restore it"):
            read_json(path, Outer, "restore it")


class Line(NamedTuple):
    epoch: int
    loss: float
    name: str


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it has no column epoch"),
        ("epoch,loss\n1,2\n", "it has no column name"),
        ("epoch,loss,name\n1,2\n", "line 2 has 2 cells instead of 3"),
        ("epoch,loss,name\n1,2,a,b\n", "line 2 has 4 cells instead of 3"),
        ("epoch,loss,name\none,2,a\n", "one"),
        ("epoch,loss,name\n1,nan,a\n", "line 2: loss is nan"),
        ("epoch,loss,name\n1,2," + "a" * 200_000 + "\n", "field larger than field limit"),
    ],
)
def test_a_damaged_line_of_a_table_is_named(tmp_path, content, words):
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_table(path, Line, "restore it")
    assert words in str(caught.value)


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name,more,loss,epoch\na,x,inf,1\n")
    assert read_table(path, Line, "restore it", finite=False) == [Line(1, float("inf"), "a")]


def test_an_error_is_one_line_whatever_a_path_contains():
    with pytest.raises(UserError) as caught, reading("a\nb\x1b\udcff\u2028c", "restore it"):
        raise ValueError
    assert str(caught.value) == r"a\nb\x1b\udcff\u2028c is damaged (ValueError): restore it."
    assert printable(3) == "3"


def test_noise_can_be_written_as_an_optimised_jpeg(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (786, 786, 3), dtype=np.uint8))
    write_picture(tmp_path / "noise.jpg", noise, quality=90, optimize=True, progressive=True)
    assert Image.open(tmp_path / "noise.jpg").size == noise.size
