"""Every exercise of the notebooks: the stub is not attempted, the solution is correct, each hint can be met."""

import contextlib
import importlib
import io
import re
from pathlib import Path

import nbformat
import pytest

from animegan.course import check, checker, exercise, my_run, progress, verdict
from animegan.language import translated

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@exercise("99.1")
def _add_one(answer):
    yield answer(1) == 2, "for 1 the answer is 2."
    yield answer(-1) == 0, "for -1 the answer is 0."


@exercise("99.2")
def _three(answer):
    yield answer == 3, "count again."


# --- the mechanism -----------------------------------------------------------------------------------


def test_a_stub_is_not_attempted():
    def stub(x):
        return ...

    assert verdict("99.1", stub) == "not attempted yet"
    assert verdict("99.2", ...) == "not attempted yet"
    assert verdict("99.2", (3, ...)) == "not attempted yet"
    assert verdict("99.2", {"A": ..., "B": ...}) == "not attempted yet"
    assert verdict("99.2", {"A": 3, "B": ...}) == "hint: count again.", "a table that was started is checked"


def test_the_first_case_that_fails_gives_the_hint():
    assert verdict("99.1", lambda x: 7) == "hint: for 1 the answer is 2."
    assert verdict("99.1", lambda x: 2) == "hint: for -1 the answer is 0."
    assert verdict("99.1", lambda x: x + 1) == "correct"


def test_whatever_the_answer_does_nothing_is_raised(capsys):
    def broken(x):
        raise ValueError("first line\nsecond line")

    assert verdict("99.1", lambda x: None).startswith("hint: your function returns nothing")
    assert verdict("99.1", broken) == "hint: your answer raised ValueError: first line"
    assert verdict("99.1", lambda: 3).startswith("hint: your answer raised TypeError")
    assert verdict("99.1", 3).startswith("hint: your answer raised TypeError")
    check("98.7", 3)
    assert capsys.readouterr().out.startswith("98.7 hint: there is no exercise 98.7; choose one of 01.1")


def test_check_prints_one_line(capsys):
    check("99.2", 3)
    check("99.2")
    counted = f"({len(progress.solved())} of {len(checker.CHECKS)})"
    assert capsys.readouterr().out == f"99.2 correct {counted}\n99.2 not attempted yet\n"


def test_what_is_solved_is_remembered_and_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "folder", lambda name: tmp_path / name)
    check("99.1", lambda x: x + 1)
    check("99.2", 3)
    check("99.2", 4)
    count = len(checker.CHECKS)
    said = [f"99.1 correct (1 of {count})", f"99.2 correct (2 of {count})", "99.2 hint: count again."]
    assert capsys.readouterr().out.splitlines() == said
    assert progress.solved() == ["99.1", "99.2"], "a wrong answer later takes nothing away"
    lines = progress.overview().splitlines()
    assert lines[-2:] == ["notebook 99: 2 of 2", f"2 of {count} exercises are solved"]
    assert lines[0].startswith("notebook 01: 0 of 7, left: 01.1 01.2")


@pytest.mark.parametrize("content", ["{}", "[1]", "no json", '["77.7", "99.2"]'])
def test_a_damaged_list_of_solved_exercises_is_no_matter(content, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "folder", lambda name: tmp_path / name)
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "progress.json").write_text(content)
    check("99.2", 3)
    assert capsys.readouterr().out == f"99.2 correct (1 of {len(checker.CHECKS)})\n"


def test_a_place_where_nothing_can_be_written_is_no_matter(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "folder", lambda name: tmp_path / "file" / name)
    (tmp_path / "file").write_text("not a folder")
    check("99.2", 3)
    assert "99.2 correct" in capsys.readouterr().out


def test_a_verdict_has_a_sign_in_colour_where_that_is_shown(monkeypatch):
    for found, expected in (("correct", "✔"), ("hint: no.", "✘"), ("not attempted yet", "")):
        assert progress.sign(found) == "", "not in a file"
        terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
        with contextlib.redirect_stdout(terminal):
            assert (expected in progress.sign(found)) if expected else progress.sign(found) == ""
            monkeypatch.setenv("NO_COLOR", "1")
            assert progress.sign(found) == ""
            monkeypatch.delenv("NO_COLOR")


# --- the exercises -----------------------------------------------------------------------------------


def _exercises() -> dict[str, tuple[str, str, str]]:
    """Number -> the notebook's first code cell, the exercise's cell, its solution."""
    found = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        stubs = {number: source for source in code for number in re.findall(r'^check\("([\d.]+)"', source, re.M)}
        for cell in cells:
            if cell.cell_type == "markdown" and "<summary>Solution</summary>" in cell.source:
                assert cell.source.rstrip().endswith("</details>"), cell.source
                (solution,) = re.findall(r"^```python\n(.*?)^```", cell.source, re.M | re.S)
                (number,) = re.findall(r'^check\("([\d.]+)"', solution, re.M)
                found[number] = (code[0], stubs[number], solution)
        assert set(stubs) <= set(found), f"{path.name}: an exercise without a solution"
    return found


EXERCISES = _exercises()


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setenv("ANIMEGAN_SMOKE", "1")
    monkeypatch.chdir(NOTEBOOKS)


def _printed(first_cell: str, source: str, before: str = "") -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        names = {"__name__": "__main__", "run": my_run()}  # the run that a notebook uses
        exec(first_cell, names)
        exec(before, names)  # a stub may hold functions that the solution calls
        exec(source, names)
    return out.getvalue().rstrip().splitlines()[-1]


def test_every_check_has_an_exercise_and_every_exercise_a_check():
    assert {number for number in checker.CHECKS if number < "90"} == set(EXERCISES)
    for notebook in ("01", "02", "03", "04", "05", "06", "07"):
        assert len([number for number in EXERCISES if number.startswith(notebook)]) >= 3


@pytest.mark.parametrize("number", EXERCISES)
def test_the_stub_is_not_attempted(number):
    first, stub, _ = EXERCISES[number]
    assert _printed(first, stub) == f"{number} not attempted yet"


@pytest.mark.parametrize("number", EXERCISES)
def test_the_solution_is_correct_and_each_hint_can_be_met(number, monkeypatch):
    first, stub, solution = EXERCISES[number]
    hints, cases = [], checker.CHECKS[number]

    def recording(answer):
        for holds, hint in cases(answer):
            hints.append(hint)
            yield holds, hint

    monkeypatch.setitem(checker.CHECKS, number, recording)
    assert _printed(first, solution, before=stub).startswith(f"{number} correct (")
    monkeypatch.setitem(checker.CHECKS, number, cases)
    assert hints and all("\n" not in hint for hint in hints)

    met = set()
    for answer, fragment in importlib.import_module(f"wrong_answers_{number[:2]}").WRONG[number]:
        got = verdict(number, answer)
        assert got.startswith("hint: ") and fragment in got, f"{number}: {got!r} for {fragment!r}"
        met.add(got.removeprefix("hint: "))
        monkeypatch.setenv("ANIMEGAN_LANG", "zh")
        chinese = translated(got)
        monkeypatch.delenv("ANIMEGAN_LANG")
        left = re.search(r"\b[a-z]+( [a-z]+){3}", chinese.partition("报错")[0])
        assert chinese.startswith("提示：") and not left, f"{chinese}: {left} is not translated"
    assert len(met) >= len(set(hints)), f"{number}: hints that no wrong answer meets: {set(hints) - met}"


def test_an_exercise_has_one_check():
    with pytest.raises(ValueError, match=r"exercise 03.1 has a check already"):
        exercise("03.1")(lambda answer: iter(()))
