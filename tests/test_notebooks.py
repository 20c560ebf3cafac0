"""What must hold for the notebooks in the project, outputs included. The Makefile runs them."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LINES = 18  # of a code cell: this many fit on a screen together with the explanation


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_no_notebook_is_missing():
    names = [path.stem for path in NOTEBOOKS]
    assert [name[:2] for name in names] == ["00", "01", "02", "03", "04", "05", "06", "07", "08"]


def test_it_is_valid_and_small(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < 1_000_000
    assert "widgets" not in notebook.metadata, "saved widget state makes GitHub call the notebook invalid"


def test_it_was_run_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_output_is_an_error_or_a_warning(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


def test_no_output_reveals_the_machine_it_was_made_on(notebook):
    for cell in code(notebook):
        texts = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
        assert not re.search(r"/(home|root|work|tmp|Users|mnt|opt)/|[A-Z]:\\|object at 0x", "".join(texts)), cell.source


def test_a_widget_has_its_picture(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "application/vnd.jupyter.widget-view+json" in data:
                assert ("image/png" in data or "image/jpeg" in data) and data["text/plain"], cell.source


def test_cells_are_short_and_explained(notebook):
    before = None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LINES, cell.source
            assert before == "markdown", f"no text that explains why before:\n{cell.source}"
        before = cell.cell_type


def test_it_opens_and_ends_like_the_others(path, notebook):
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    opening = "\n".join(text[:3])
    assert "you will be able to" in opening.lower() and "minutes" in opening
    assert path.stem.startswith("08") or any("For your report" in cell for cell in text[-3:])


def test_texts_are_short(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            assert len(prose.split()) <= 250, cell.source


def test_the_whole_course_is_read_in_a_weekend():
    """20,000 words are about two hours of reading."""
    cells = (cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells)
    assert sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown") <= 20_000


def test_every_notebook_leads_to_the_next_and_back(path, notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    number = int(path.name[:2])
    assert "](../README.md)" in text
    assert number == 0 or "](00_setup.ipynb)" in text
    assert number == 8 or f"]({NOTEBOOKS[number + 1].name})" in text
    assert not 1 <= number <= 7 or "## Quiz" in text
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (path.parent / link).exists(), link


def test_traps_of_notebooks_as_tests_are_avoided(notebook):
    for cell in code(notebook):
        assert not re.search(r"clear_output|widgets\.Output|\binteract\(|;\s*$", cell.source), cell.source
        for output in cell.outputs:
            assert "image/svg+xml" not in output.get("data", {})
