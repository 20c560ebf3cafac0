"""A notebook becomes slides: which cell starts a slide, and what of a cell is shown."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from animegan.slides.code import printed_lines, program_lines
from animegan.slides.markdown import read_html, read_markdown
from animegan.slides.model import Block, Code, Picture, Slide, Span, Text, note, plain
from animegan.slides.pictures import find_picture, stored_picture
from animegan.slides.svg import AS_PNG

BREAKS = ("slide", "subslide")
# What `tqdm.notebook` prints when it starts: 0%|   | 0/25 [00:00<?, ?it/s], or 0it [00:00, ?it/s].
PROGRESS_BAR = re.compile(r"\d%\|.*\||\d\S* \[\d\d:\d\d|\b(Float|Int)Progress\(")


def read_notebook(notebook, name: str, folder: Path, with_code: bool = True) -> list[Slide]:
    """The slides of a notebook (an nbformat 4 node); there may be none.

    name: of the notebook, without its suffix. folder: the notebook's, for the picture files that it names.
    with_code: show the code of the cells that do not hide it.
    """
    reader = NotebookReader(notebook, name, folder, with_code)
    for cell in notebook.cells:
        reader.add_cell(cell)
    return [slide for slide in reader.slides if not slide.is_empty()]


def setting(cell, group: str, key: str) -> Any:
    """One of JupyterLab's settings for a cell: `slide_type` in `slideshow`, `source_hidden` in `jupyter`, ..."""
    settings = cell.metadata.get(group)
    return settings.get(key) if isinstance(settings, dict) else None


def hides(cell, part: str) -> bool:
    """Whether the tags of a cell hide its "cell", "input" or "output"."""
    return any(re.fullmatch(f"(hide|remove)[-_]{part}", str(tag)) for tag in cell.metadata.get("tags", ()))


class NotebookReader:
    """Collects `slides`, cell by cell."""

    def __init__(self, notebook, name: str, folder: Path, with_code: bool):
        self.folder, self.with_code = folder, with_code
        language = notebook.metadata.get("language_info", {})
        self.language = language.get("pygments_lexer") or language.get("name") or "python"
        self.has_slides = any(setting(cell, "slideshow", "slide_type") in BREAKS for cell in notebook.cells)
        self.slides = [Slide((Span(name),))]

    def add_cell(self, cell) -> None:
        kind = setting(cell, "slideshow", "slide_type")
        if kind == "skip" or hides(cell, "cell"):
            return
        if kind == "notes":
            notes = "\n".join(map(_as_plain_text, self.blocks(cell)))
            self.slides[-1].notes = "\n\n".join(filter(None, (self.slides[-1].notes, notes)))
            return
        if kind in BREAKS:
            self.start_slide()
        elif kind == "fragment" and not self.slides[-1].is_empty():
            self.slides[-1].steps.append([])
        for block in self.blocks(cell):
            self.add(block)

    def start_slide(self) -> None:
        if not self.slides[-1].is_empty():
            self.slides.append(Slide(self.slides[-1].title))

    def add(self, block: Block) -> None:
        level = block.heading if isinstance(block, Text) else 0
        if level in (1, 2) and not self.has_slides:
            self.start_slide()
        slide = self.slides[-1]
        if level and not slide.level and not any(slide.steps):
            slide.title, slide.level = block.spans, level
        else:
            slide.steps[-1].append(block)

    def blocks(self, cell) -> Iterator[Block]:
        if cell.cell_type == "markdown":
            yield from read_markdown(cell.source, partial(find_picture, self.folder, cell.get("attachments") or {}))
        elif cell.cell_type == "code":
            hides_code = not self.with_code or setting(cell, "jupyter", "source_hidden") or hides(cell, "input")
            if cell.source.strip() and not hides_code:
                yield Code(program_lines(cell.source, self.language))
            elif cell.source.strip() and not cell.outputs and cell.get("execution_count") is None:
                yield note("The cell that belongs here has not been run: run all cells, save, and export again.")
            if not (setting(cell, "jupyter", "outputs_hidden") or hides(cell, "output")):
                yield from self.outputs(cell)

    def outputs(self, cell) -> Iterator[Block]:
        for kind, outputs in groupby(cell.outputs, lambda output: output.output_type):
            if kind == "stream":
                if (printed := "".join(output.text for output in outputs)).strip():
                    yield Code(printed_lines(printed), output=True)
            elif kind == "error":
                for error in outputs:
                    yield note(f"This cell stopped with {error.ename}: {error.evalue}. Fix it and run it again.")
            else:
                for output in outputs:
                    data = {mime: str(value) for mime, value in output.data.items()}
                    yield from self.output(data, output.get("metadata", {}), cell.source)

    def output(self, data, metadata, source: str) -> Iterator[Block]:
        """The form of an output that a slide shows best; for a widget, the picture that is stored with it."""
        text, html = data.get("text/plain", ""), data.get("text/html", "")
        finder = partial(find_picture, self.folder, {})
        if bundle := {kind: content for kind, content in data.items() if kind.startswith("image/")}:
            alts = (stored.get("alt") for stored in metadata.values() if isinstance(stored, dict))
            alts = (alt for alt in alts if alt and isinstance(alt, str))
            try:
                yield stored_picture(bundle, next(alts, _description(text, source)))
            except ValueError as error:
                yield note(f"The picture of this cell cannot be read ({error}); run the notebook again.")
        elif text.startswith("<Figure size ") or "application/pdf" in data:
            if not text.endswith(" 0 Axes>"):  # an empty one
                yield note(f"The figure of this cell is not stored as a picture that slides can show: {AS_PNG}.")
        elif "application/vnd.jupyter.widget-view+json" in data:
            if not PROGRESS_BAR.search(text):  # the state in which it began is of no use
                yield note(f"An interactive widget, to be used in the notebook: {text}")
        elif formatted := data.get("text/markdown") or data.get("text/latex"):
            yield from read_markdown(formatted, finder)
        elif blocks := read_html(html, finder):
            yield from blocks
        elif text.strip() and not text.startswith("<IPython."):  # the name of an object that only a browser shows
            yield Code(printed_lines(text), output=True)
        elif "<script" in html or not html:
            yield note(f"An output that a slide cannot show ({', '.join(sorted(data)) or 'nothing'}).")


def _description(text: str, source: str) -> str:
    """Alternative text for a picture that a cell has produced.

    It is what the picture's object prints, or the comment in the cell's first line, or the code of its last line.
    """
    if text.strip() and not text.startswith("<"):
        return " ".join(text.split())
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    if lines and lines[0].startswith("#"):
        return lines[0].lstrip("# ")
    return f"output of {lines[-1]}" if lines else "output of a cell"


def _as_plain_text(block: Block) -> str:
    """A block as it is written into the speaker's notes."""
    if isinstance(block, Text):
        return "  " * max(block.indent - 1, 0) + f"{block.label} {plain(block.spans)}".lstrip()
    if isinstance(block, Picture):
        return block.tex or f"[{block.alt}]"
    return "\n".join(map(plain, block.lines) if isinstance(block, Code) else map(_as_plain_text, block.blocks()))
