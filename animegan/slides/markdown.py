"""Markdown, and the HTML that may stand in it, becomes blocks: both are read as one tree of HTML."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from animegan.slides.code import program_lines
from animegan.slides.formula import formula_picture, formula_text
from animegan.slides.model import BULLET, Block, Code, Picture, Span, Spans, Table, Text
from animegan.slides.text_width import joined

LOOKS = {
    **{key: {"bold": True} for key in ("b", "strong", "summary", "dt", "th")},
    **{key: {"italic": True} for key in ("i", "em", "cite", "var", "dfn")},
    **{key: {"strike": True} for key in ("s", "del", "strike")},
    **{key: {"code": True} for key in ("code", "kbd", "samp", "tt")},
    "sub": {"script": -1},
    "sup": {"script": 1},
}
INLINE = {*LOOKS, "a", "span", "font", "u", "ins", "mark", "small", "big", "abbr", "label", "q", "wbr"} - {
    "summary",
    "dt",
    "th",
}
IGNORED = {"script", "style", "head", "template", "iframe", "object", "video", "audio", "svg", "input", "button"}
CHINESE_BREAK = re.compile(r"(?<=[\u2e80-\uffef])[ \t]*\n[ \t]*(?=[\u2e80-\uffef])")  # there a line break is no space
LINKS = ("https://", "http://", "mailto:")

# Gives the picture that an address in the notebook stands for, or the reason why there is none.
FindPicture = Callable[[str, str], "Picture | str"]


@functools.cache
def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return reader.use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)


def read_markdown(source: str, find_picture: FindPicture) -> list[Block]:
    """The blocks of a Markdown text as JupyterLab shows it: tables, formulas and HTML included."""
    return read_html(_markdown().render(source), find_picture)


def read_html(source: str, find_picture: FindPicture) -> list[Block]:
    """The blocks of a piece of HTML; what is no text, picture or table is left out."""
    reader = HtmlReader(find_picture)
    reader.walk(BeautifulSoup(source, "html.parser"), Span(""))
    reader.end_paragraph()
    return reader.blocks


class HtmlReader:
    def __init__(self, find_picture: FindPicture):
        self.find_picture = find_picture
        self.blocks: list[Block] = []
        self.spans: list[Span] = []  # of the paragraph in progress
        self.kind = Text(())  # and its kind

    def end_paragraph(self) -> None:
        spans = trimmed(self.spans)
        self.spans = []
        if spans:
            self.blocks.append(replace(self.kind, spans=spans))
            self.kind = replace(self.kind, mark="")  # a second paragraph of an item has no bullet

    def add(self, block: Block) -> None:
        self.end_paragraph()
        self.blocks.append(block)

    def walk(self, node: Tag, look: Span) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                self.tag(child, look)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                text = CHINESE_BREAK.sub("", child)
                self.spans.append(replace(look, text=re.sub(r"[ \t\r\n\f]+", " ", text)))

    def tag(self, tag: Tag, look: Span) -> None:
        look = replace(look, **LOOKS.get(tag.name, {}))
        if "math" in tag.get("class", ()):
            self.formula(tag.get_text(), look, is_inline=tag.name == "span")
        elif tag.name == "br":
            self.spans.append(replace(look, text="\n"))
        elif tag.name == "img":
            self.picture(tag)
        elif tag.name == "a":
            link = str(tag.get("href", ""))
            self.walk(tag, replace(look, link=link) if link.startswith(LINKS) else look)
        elif tag.name in INLINE:
            self.walk(tag, look)
        elif tag.name == "pre":
            self.add(Code(program_lines(tag.get_text(), _language(tag))))
        elif tag.name == "table":
            self.table(tag)
        elif tag.name in ("ul", "ol"):
            self.list(tag, look)
        elif tag.name not in IGNORED:
            self.paragraph(tag, look)

    def paragraph(self, tag: Tag, look: Span) -> None:
        self.end_paragraph()
        before = self.kind
        if re.fullmatch("h[1-6]", tag.name):
            self.kind = replace(before, heading=int(tag.name[1]))
        elif tag.name == "blockquote":
            self.kind = replace(before, tone="quote")
        self.walk(tag, look)
        self.end_paragraph()
        if self.kind.heading or self.kind.tone:
            self.kind = before

    def list(self, tag: Tag, look: Span) -> None:
        self.end_paragraph()
        before = self.kind
        start = str(tag.get("start", "1"))
        number = int(start) if start.isdigit() else 1
        items = tag.find_all("li", recursive=False)
        digits = len(str(number + len(items) - 1)) if tag.name == "ol" else 1
        for item in items:
            mark = number if tag.name == "ol" else BULLET
            self.kind = replace(before, indent=before.indent + 1, mark=mark, digits=digits)
            self.walk(item, look)
            self.end_paragraph()
            number += 1
        self.kind = replace(before, mark="")

    def table(self, tag: Tag) -> None:
        caption = tag.find("caption")
        rows = [row for row in tag.find_all("tr") if row.find_parent("table") is tag]
        headers = sum(row.parent.name == "thead" for row in rows)
        cells = [tuple(_cell(cell) for cell in row.find_all(["td", "th"], recursive=False)) for row in rows]
        if headers and not any(any(row) for row in cells[:headers]):
            cells, headers = cells[headers:], 0
        columns = max(map(len, cells), default=0)
        if columns:
            self.add(Table(tuple(row + ((),) * (columns - len(row)) for row in cells), headers))
        if caption:
            self.add(Text(trimmed([Span(caption.get_text())]), tone="caption"))

    def formula(self, tex: str, look: Span, is_inline: bool) -> None:
        if is_inline and (spans := formula_text(tex)) is not None:
            self.spans += [replace(span, bold=look.bold, link=look.link) for span in spans]
        elif picture := formula_picture(tex):
            self.add(picture)
        else:
            self.spans.append(replace(look, text=tex.strip(), code=True))
            if not is_inline:
                self.end_paragraph()

    def picture(self, tag: Tag) -> None:
        alt, caption = (" ".join(str(tag.get(name, "")).split()) for name in ("alt", "title"))
        found = self.find_picture(str(tag.get("src", "")), alt)
        if isinstance(found, str):
            self.add(note(found))
            return
        wanted = str(tag.get("width", ""))
        if wanted.removesuffix("px").isdigit() and int(wanted.removesuffix("px")):
            scale = 0.75 * int(wanted.removesuffix("px")) / found.width
            found = replace(found, width=scale * found.width, height=scale * found.height)
        self.add(found)
        if caption:
            self.add(Text((Span(caption),), tone="caption"))


def note(text: str) -> Text:
    """What the export has to say to the author."""
    return Text((Span(text, italic=True),), tone="note")


def _cell(tag: Tag) -> Spans:
    """What fits on lines of text; of a picture or a formula in a cell, its description."""
    reader = HtmlReader(lambda address, alt: f"[{alt or address}]")
    reader.walk(tag, Span("", bold=tag.name == "th"))
    reader.end_paragraph()
    texts = [
        (Span(block.tex, code=True),) if isinstance(block, Picture) else block.spans
        for block in reader.blocks
        if isinstance(block, Picture | Text)
    ]
    return joined(span for n, text in enumerate(texts) for span in ((Span("\n"),) if n else ()) + text)


def _language(pre: Tag) -> str:
    code = pre.find("code")
    names = code.get("class", ()) if isinstance(code, Tag) else ()
    return next((name.removeprefix("language-") for name in names if name.startswith("language-")), "")


def trimmed(spans: list[Span]) -> Spans:
    """Without space at both ends and around line breaks, and one space for several."""
    kept: list[Span] = []
    ends_line = True  # at the start, and after a line break, a space is dropped
    for span in spans:
        text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", span.text))
        text = text.lstrip(" ") if ends_line else text
        if not kept:
            text = text.lstrip("\n ")
        if text:
            kept.append(replace(span, text=text))
            ends_line = text[-1] in " \n"
    while kept:
        last = kept.pop()
        if text := last.text.rstrip(" \n"):
            kept.append(replace(last, text=text))
            break
    return joined(kept)
