"""A notebook with other texts: a translation, or the example report. Code cells and their outputs stay as they are.

The texts of a notebook are one Markdown file. In it, the text of a cell follows the line

    <!-- cell ID HASH -->

with the cell's id and the hash of the English text that it was made from: `stale` says which cells have changed since.

    python -m animegan.course.translation NOTEBOOK TEXTS OUT    writes OUT, a notebook or, if it ends in .pptx, slides
"""

import hashlib
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from animegan.files import write_whole

MARK = re.compile(r"^<!-- cell (\S+) (\S+) -->\n", re.MULTILINE)


class Text(NamedTuple):
    """The text of a cell, and the hash of the English one that it stands for."""

    made_from: str
    text: str


def text_hash(text: str) -> str:
    """Eight hexadecimal digits that change with the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_texts(path: Path) -> dict[str, Text]:
    """The texts of a Markdown file by the id of their cell, in its order."""
    _, *parts = MARK.split(path.read_text(encoding="utf-8"))
    return {
        cell_id: Text(made_from, text.strip())
        for cell_id, made_from, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def stale(notebook: NotebookNode, texts: dict[str, Text], complete: bool = True) -> list[str]:
    """What is to be done, a line per cell: changed cells, lost texts and, if complete, cells without a text."""
    sources = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    lines = []
    for cell_id, source in sources.items():
        mark = f"<!-- cell {cell_id} {text_hash(source)} -->"
        if cell_id not in texts:
            lines += [f"cell {cell_id} has no text: add it below the line {mark}"] * complete
        elif texts[cell_id].made_from != text_hash(source):
            lines.append(f"cell {cell_id} has changed in English: compare both, then write {mark}")
    lines += [f"cell {cell_id} is no longer there: remove its text" for cell_id in texts if cell_id not in sources]
    return lines


def with_texts(notebook: NotebookNode, texts: dict[str, Text]) -> NotebookNode:
    """The notebook with those texts in its Markdown cells; a cell without one keeps its own."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.id in texts:
            cell.source = texts[cell.id].text
    return notebook


def main(source: str, texts: str, out: str) -> None:
    notebook, found = nbformat.read(source, as_version=4), read_texts(Path(texts))
    slides = out.endswith(".pptx")
    for line in stale(notebook, found, complete=not slides):
        print(f"{texts}: {line}")
    notebook = with_texts(notebook, found)
    if not slides:
        write_whole(Path(out), (nbformat.writes(notebook) + "\n").encode())
        return
    from animegan.slides import SlideDeck  # slow, and not needed for a notebook

    for cell in notebook.cells:  # an example says itself whose run it shows
        cell.outputs = [output for output in cell.get("outputs", []) if "✍" not in str(output)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(source).name)
        nbformat.write(notebook, path)
        SlideDeck(path).save("pptx", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
