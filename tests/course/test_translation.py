"""Other texts for the cells of a notebook: a translation, the example report."""

from pathlib import Path

import nbformat
import pytest

from animegan.course.translation import main, read_texts, stale, text_hash, with_texts

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def notebook():
    """A heading, a code cell with an output, and another text."""
    code = nbformat.v4.new_code_cell("1 + 1", id="sum", execution_count=1)
    code.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    texts = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in (("top", "# Title"), ("end", "The end"))]
    return nbformat.v4.new_notebook(cells=[texts[0], code, texts[1]])


def texts_of(folder, *cells):
    path = folder / "texts.md"
    marks = (f"<!-- cell {cell_id} {made_from} -->\n{text}\n" for cell_id, made_from, text in cells)
    path.write_text("A note that belongs to no cell.\n\n" + "\n".join(marks), encoding="utf-8")
    return read_texts(path)


def test_the_text_of_a_cell_goes_from_its_mark_to_the_next_one(tmp_path):
    texts = texts_of(tmp_path, ("top", "0", "# 标题\n\n<!-- no mark -->\n\n两行"), ("end", "1", "完"))
    assert {name: text.text for name, text in texts.items()} == {
        "top": "# 标题\n\n<!-- no mark -->\n\n两行",
        "end": "完",
    }


def test_only_the_texts_change(notebook, tmp_path):
    before = nbformat.from_dict(notebook)
    code = str(before.cells[1])
    after = with_texts(notebook, texts_of(tmp_path, ("top", "0", "# 标题"), ("sum", "0", "not a text")))
    assert [cell.source for cell in after.cells] == ["# 标题", "1 + 1", "The end"]
    assert str(after.cells[1]) == code and [cell.id for cell in after.cells] == ["top", "sum", "end"]


def test_stale_names_the_cell_and_what_to_write(notebook, tmp_path):
    fresh = ("top", text_hash("# Title"), "# 标题")
    assert stale(notebook, texts_of(tmp_path, fresh, ("end", text_hash("The end"), "完"))) == []
    assert stale(notebook, texts_of(tmp_path, fresh), complete=False) == []
    (line,) = stale(notebook, texts_of(tmp_path, fresh))
    assert "end" in line and f"<!-- cell end {text_hash('The end')} -->" in line
    (line,) = stale(notebook, texts_of(tmp_path, fresh, ("end", text_hash("An older end"), "完")))
    assert "end" in line and "changed" in line and text_hash("The end") in line
    (line,) = stale(notebook, texts_of(tmp_path, fresh, ("gone", "0", "无")), complete=False)
    assert "gone" in line


def test_a_notebook_is_written_and_each_stale_cell_is_named(notebook, tmp_path, capsys):
    source, out = tmp_path / "01.ipynb", tmp_path / "zh.ipynb"
    nbformat.write(notebook, source)
    texts_of(tmp_path, ("top", "older", "# 标题"))
    main(str(source), str(tmp_path / "texts.md"), str(out))
    assert [cell.source for cell in nbformat.read(out, as_version=4).cells] == ["# 标题", "1 + 1", "The end"]
    assert ["cell top" in line or "cell end" in line for line in capsys.readouterr().out.splitlines()] == [True, True]


def test_the_example_report_is_complete_and_as_new_as_the_notebook(tmp_path):
    pptx = pytest.importorskip("pptx", reason="python-pptx is missing: pip install -e '.[notebooks]'")
    notebook = nbformat.read(NOTEBOOKS / "08_report.ipynb", as_version=4)
    assert stale(notebook, read_texts(NOTEBOOKS / "08_report_example.md"), complete=False) == []
    made = tmp_path / "report.pptx"
    main(str(NOTEBOOKS / "08_report.ipynb"), str(NOTEBOOKS / "08_report_example.md"), str(made))
    stored, fresh = ([texts_on(slide) for slide in pptx.Presentation(path).slides] for path in (
        NOTEBOOKS / "08_report_example.pptx", made))  # fmt: skip
    assert stored == fresh, "make example"
    assert "Example report" in " ".join(fresh[0])
    assert not any("✍" in text for slide in fresh for text in slide)


def texts_on(slide):
    tables = [shape.table for shape in slide.shapes if shape.has_table]
    cells = [cell.text for table in tables for row in table.rows for cell in row.cells]
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame] + cells
