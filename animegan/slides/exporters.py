"""A notebook becomes slides: a PowerPoint file, or one HTML file that opens without a network.

    animegan slides notebooks/08_report.ipynb
    jupyter nbconvert --to pptx notebooks/08_report.ipynb
    jupyter nbconvert --to offline_slides notebooks/08_report.ipynb

JupyterLab offers both under File > Save and Export Notebook As, as "PowerPoint" and "Offline_slides".

**Which cell begins a slide** is what JupyterLab's property inspector says (the gears at the right; "Slide
Type"): `Slide` and `Sub-Slide` begin one, `Fragment` appears with the next key press, `Notes` go to the
speaker's notes, `Skip` is left out, `-` goes on. In a notebook without slides every heading of level 1 or 2
begins one. The first heading of a slide is its title; a first slide with little more is the title slide.

**What is shown**: text, lists, tables, pictures, formulas, code and what it printed. The code of a cell is
left out where it is collapsed in JupyterLab, where the cell has the tag `hide-input` or `remove-input`, and
everywhere with `--no-input`. Of a widget the picture is shown that stands in for it. In place of an error, or
of a picture that is not there, a line says so. Pictures are never fetched from the net.

A picture's description, for those who do not see it, is its alternative text in Markdown; for an output of a
cell it is the comment in the cell's first line.

Nothing is cut off: what does not fit is set smaller, and then goes on to a next slide, "Results (2)".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from traitlets import default
from traitlets.config import Config

from animegan.errors import UserError
from animegan.files import write_whole

# nbconvert and JupyterLab import this file to list their exporters: what is slow to import waits for use.


class _SlidesExporter(Exporter):
    def from_notebook_node(self, nb, resources: Any = None, **kw: Any) -> tuple[bytes | str, Any]:
        """Raises UserError for a notebook that has nothing to show, or where a library is missing."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        name = resources["metadata"].get("name") or "slides"
        folder = Path(resources["metadata"].get("path") or ".")
        with_code = not self.config.TemplateExporter.get("exclude_input", False)  # what `--no-input` sets
        try:
            return self.written(_pages(nb, name, folder, with_code), name), resources
        except ModuleNotFoundError as error:
            raise UserError(f"slides need {error.name}: pip install -e '.[notebooks]' installs it.") from error

    def written(self, pages: list, name: str) -> bytes | str:
        raise NotImplementedError


class PptxExporter(_SlidesExporter):
    """A notebook as a PowerPoint file; see the head of this file."""

    export_from_notebook = "PowerPoint"
    output_mimetype = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

    @default("file_extension")
    def _file_extension(self) -> str:
        return ".pptx"

    def written(self, pages: list, name: str) -> bytes:
        from animegan.slides.pptx import write_pptx

        return write_pptx(pages, name)


class OfflineSlidesExporter(_SlidesExporter):
    """A notebook as slides in one HTML file; see the head of this file."""

    export_from_notebook = "Slides that need no network"
    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension(self) -> str:
        return ".slides.html"

    def written(self, pages: list, name: str) -> str:
        from animegan.slides.html import write_html

        return write_html(pages, name)


EXPORTERS = {"pptx": PptxExporter, "html": OfflineSlidesExporter}


def export(notebook: str | Path, to: str, out: str | Path | None = None, with_code: bool = True) -> Path:
    """Write the slides of a notebook file and return where.

    to: "pptx" or "html". out: the file to write; without it, one beside the notebook.
    Raises UserError for a file that is no notebook, has nothing to show, or cannot be written.
    """
    path = Path(notebook)
    exporter = EXPORTERS[to](config=Config({"TemplateExporter": {"exclude_input": not with_code}}))
    where = {"metadata": {"name": path.stem, "path": str(path.parent)}}
    content, resources = exporter.from_notebook_node(_read(path), where)
    out = Path(out) if out else path.with_suffix(resources["output_extension"])
    try:
        write_whole(out, content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        raise UserError(
            f"{out} could not be saved ({error.strerror or error}): close it where it is open, or give another --out."
        ) from error
    return out


def to_write(notebook: str | Path) -> list[int]:
    """The numbers of the slides on which the sign ✍ still asks for words of one's own."""
    path = Path(notebook)
    return [
        number for number, page in enumerate(_pages(_read(path), path.stem, path.parent, True), 1) if "✍" in repr(page)
    ]


def _read(path: Path):
    if not path.is_file():
        raise UserError(f"there is no notebook {path}: give the path of an .ipynb file.")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook, relax_add_props=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    except Exception as error:  # for what is none, nbformat raises many kinds
        raise UserError(f"{path} is not a notebook, or a damaged one: give the path of an .ipynb file.") from error
    return notebook


def _pages(notebook, name: str, folder: Path, with_code: bool) -> list:
    from animegan.slides.layout import lay_out
    from animegan.slides.notebook import read_notebook

    deck = read_notebook(notebook, name, folder, with_code)
    if not deck.slides:
        raise UserError(f"{name} has nothing to show: every cell is empty, hidden or of the slide type Skip.")
    return lay_out(deck)
