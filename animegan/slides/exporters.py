"""A notebook becomes slides: a PowerPoint file, or one HTML file that opens without a network.

    animegan slides notebooks/08_report.ipynb
    jupyter nbconvert --to pptx notebooks/08_report.ipynb
    jupyter nbconvert --to offline_slides notebooks/08_report.ipynb

JupyterLab offers both under File > Save and Export Notebook As, as "PowerPoint" and "Offline_slides".

**Which cell starts a slide** is set in JupyterLab's property inspector (the gears at the right; "Slide Type"):
`Slide` and `Sub-Slide` start one, `Fragment` appears with the next key press, `Notes` are added to the speaker's
notes, `Skip` is left out, `-` continues the slide. In a notebook without slide types, every heading of level 1
or 2 starts a slide. The first heading of a slide is its title. A first slide with little more than a title
becomes the title slide.

**What is shown**: text, lists, tables, pictures, formulas, code and what it printed. The code of a cell is left
out if it is collapsed in JupyterLab or if the cell has the tag `hide-input` or `remove-input`; `--no-input`
leaves out all code. A widget is shown as the picture that is stored with it, an animation as its last frame. In
place of an error, a missing picture, a video, or an embedded page, there is a line that says so. Pictures are never
downloaded. An SVG is shown in HTML as it is, without scripts and links; PowerPoint gets a PNG of it if CairoSVG is
installed, otherwise a line that says what to do.

The alternative text of a picture is the one given in Markdown; for an output of a cell it is the comment in the
cell's first line.

Nothing is cut off: what does not fit is set in a smaller font, and then continues on another slide, "Results (2)".
"""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import Exporter, FilenameExtension

from animegan.errors import UserError, require
from animegan.files import reading, saving, write_whole

# nbconvert and JupyterLab import this file to list their exporters, so slow imports are made in the functions.


def _module(name: str) -> Any:
    return require(f"animegan.slides.{name}", "notebooks", "a deck of slides")


def _pages(notebook, name: str, folder: Path, with_code: bool) -> list:
    slides = _module("notebook").read_notebook(notebook, name, folder, with_code)
    if not slides:
        raise UserError(f"{name} has nothing to show: every cell is empty, raw, hidden or of the slide type Skip.")
    return _module("layout").lay_out(slides)


class _SlidesExporter(Exporter):
    writer: str  # the module that writes the pages

    def from_notebook_node(self, nb, resources: Any = None, **kw: Any) -> tuple[bytes | str, Any]:
        """Raises UserError for a notebook that has nothing to show, or if a library is missing."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        name = resources["metadata"].get("name") or "slides"
        folder = Path(resources["metadata"].get("path") or ".")
        with_code = not self.config.TemplateExporter.get("exclude_input", False)  # what `--no-input` sets
        return self.write(_pages(nb, name, folder, with_code), name), resources

    def write(self, pages: list, name: str) -> bytes | str:
        return _module(self.writer).write(pages, name)


class PptxExporter(_SlidesExporter):
    """A notebook as a PowerPoint file; see the top of this file."""

    writer = "pptx"
    export_from_notebook = "PowerPoint"
    output_mimetype = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    file_extension = FilenameExtension(".pptx").tag(config=True)


class OfflineSlidesExporter(_SlidesExporter):
    """A notebook as slides in one HTML file; see the top of this file."""

    writer = "html"
    export_from_notebook = "Slides that need no network"
    output_mimetype = "text/html"
    file_extension = FilenameExtension(".slides.html").tag(config=True)


class SlideDeck:
    """The slides of a notebook file: read and laid out once, to be saved in one format or in both.

    with_code: show the code of the cells that do not hide it.
    Raises UserError for a file that is not a notebook or has nothing to show, or if a library is missing.
    """

    def __init__(self, notebook: str | Path, with_code: bool = True):
        self.path = Path(notebook)
        self.pages = _pages(_read(self.path), self.path.stem, self.path.parent, with_code)

    def save(self, to: str, out: str | Path | None = None) -> Path:
        """Write the slides and return the path of the file.

        to: "pptx" or "html". out: the file to write, or a folder to write it into (default: beside the notebook).
        Raises UserError if it cannot be written, or if a library is missing.
        """
        exporter = {"pptx": PptxExporter, "html": OfflineSlidesExporter}[to]()
        content = exporter.write(self.pages, self.path.stem)
        beside = self.path.with_suffix(exporter.file_extension)
        out = beside if out is None else Path(out, beside.name) if os.path.isdir(out) else Path(out)
        with saving(out, "close it if it is open in another program, or give another --out"):
            write_whole(out, content.encode("utf-8") if isinstance(content, str) else content)
        return out

    @property
    def unfinished(self) -> list[int]:
        """The numbers of the slides on which the sign ✍ still asks for the author's own words."""
        return [number for number, page in enumerate(self.pages, 1) if "✍" in repr(page)]


def _read(path: Path):
    fix = "give the path of an .ipynb file that you may read"
    with reading(path, fix):
        if not path.is_file():
            raise UserError(f"there is no notebook {path}: {fix}.")
        content = path.read_bytes()
    try:
        text = content.decode(json.detect_encoding(content))  # PowerShell and Notepad write a byte order mark
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook, relax_add_props=True)
    except Exception as error:  # nbformat raises many exception types for files that are not notebooks
        raise UserError(f"{path} is not a notebook, or a damaged one: {fix}.") from error
    return notebook
