"""Markdown, and HTML inside it, becomes blocks: both are read as one HTML tree."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, count, groupby, islice, product, zip_longest
from math import inf

from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from animegan.slides.code import program_lines
from animegan.slides.formula import formula_picture, formula_text
from animegan.slides.model import BULLET, Block, Cell, Code, Picture, Span, Spans, Table, Text, clean, note
from animegan.slides.pictures import POINTS_PER_PIXEL
from animegan.slides.svg import NOTHING, read_svg
from animegan.slides.text_width import joined

FORMATS = {
    **{key: {"bold": True} for key in ("b", "strong", "summary", "dt")},
    **{key: {"italic": True} for key in ("i", "em", "cite", "var", "dfn")},
    **{key: {"strike": True} for key in ("s", "del", "strike")},
    **{key: {"code": True} for key in ("code", "kbd", "samp", "tt")},
    "sub": {"script": -1},
    "sup": {"script": 1},
}
INLINE = {"a", "span", "font", "u", "ins", "mark", "small", "big", "abbr", "label", "q", "wbr", *FORMATS}
INLINE -= {"summary", "dt"}  # bold, but paragraphs of their own
IGNORED = {"script", "style", "head", "template", "input", "button"}
MEDIA = {"video", "audio", "iframe", "object", "embed"}
FRAMES = re.compile(r'= "(data:image/[a-z]+;base64,[^"]*)"')  # of an animation by matplotlib's to_jshtml
# Between Chinese characters a line break is not a space.
CHINESE_BREAK = re.compile(r"(?<=[\u2e80-\uffef])[ \t]*\n[ \t]*(?=[\u2e80-\uffef])")
SUPERFLUOUS = re.compile(r"\A[ \n]+|[ \n]+\Z|(?<=[ \n]) +| +(?=\n)")  # also at line breaks
MAX_INDENT = 9  # PowerPoint has no more levels
LINKS = ("https://", "http://", "mailto:")
# JupyterLab's other signs around a formula, \\(...\\) and \\[...\\], outside of code and of other formulas.
BRACKETS = re.compile(
    r"(?P<fence>`{3,}|~{3,}).*?(?P=fence)|<pre.*?</pre>|^(?: {4}|\t)[^\n]*|`[^`\n]+`|\$\$.*?\$\$"
    r"|\\\\(?P<sign>[([])\s*(?P<tex>.{1,2000}?)\s*\\\\[])]", re.DOTALL | re.MULTILINE,
)  # fmt: skip
MARKDOWN = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
MARKDOWN.use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)
MARKDOWN.validateLink = lambda url: True  # it refuses an SVG as a data address; `LINKS` and `find_picture` check links

# From an address in the notebook and its alternative text: the picture, or a line that says why there is none.
FindPicture = Callable[[str, str], "Picture | str"]


def read_markdown(source: str, find_picture: FindPicture) -> list[Block]:
    """The blocks of a Markdown text as JupyterLab shows it: tables, formulas and HTML included."""
    signs = {"(": "$", "[": "$$"}
    source = BRACKETS.sub(lambda it: it["tex"].join(2 * [signs[it["sign"]]]) if it["sign"] else it[0], source)
    return read_html(MARKDOWN.render(source), find_picture)


def read_html(source: str, find_picture: FindPicture) -> list[Block]:
    """The blocks of a piece of HTML; everything but text, pictures and tables is left out."""
    tree = BeautifulSoup(source.encode(errors="replace").decode(), "lxml")
    try:
        return HtmlReader(find_picture).read(tree, Span(""))
    except RecursionError:
        return [note("What follows is nested too deeply for slides; its text is:"), Text((Span(tree.get_text()),))]


class HtmlReader:
    """Walks through an HTML tree and collects `blocks`. `formatting` is a span without text."""

    def __init__(self, find_picture: FindPicture):
        self.find_picture = find_picture
        self.blocks: list[Block] = []
        self.spans: list[Span] = []  # of the paragraph in progress
        self.kind = Text(())  # what that paragraph is: an item, a heading, ...

    def read(self, node: Tag, formatting: Span) -> list[Block]:
        self.walk(node, formatting)
        self.end_paragraph()
        return self.blocks

    def end_paragraph(self) -> None:
        spans = trimmed(self.spans)
        self.spans = []
        if spans:
            self.blocks.append(replace(self.kind, spans=spans))
            self.kind = replace(self.kind, marker="")  # the second paragraph of an item has no bullet

    def add(self, block: Block) -> None:
        self.end_paragraph()
        self.blocks.append(block)

    def walk(self, node: Tag, formatting: Span) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                self.tag(child, formatting)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                text = re.sub(r"[ \t\r\n\f]+", " ", CHINESE_BREAK.sub("", child))
                self.spans.append(replace(formatting, text=text))

    def tag(self, tag: Tag, formatting: Span) -> None:
        formatting = replace(formatting, **FORMATS.get(tag.name, {}))
        media = {"img": self.picture, "svg": self.drawing, "table": self.table, **dict.fromkeys(MEDIA, self.media)}
        if "math" in tag.get("class", ()):
            self.formula(tag.get_text(), formatting, is_inline=tag.name == "span")
        elif tag.name == "br":
            self.spans.append(replace(formatting, text="\n"))
        elif tag.name in media:
            media[tag.name](tag)
        elif "animation" in tag.get("class", ()):
            self.animation(tag)
        elif tag.name in INLINE:
            link = str(tag.get("href", ""))
            self.walk(tag, replace(formatting, link=link) if link.startswith(LINKS) else formatting)
        elif tag.name == "pre":
            code = tag.select_one("code[class^='language-']")
            language = code["class"][0].removeprefix("language-") if code else ""
            self.add(Code(program_lines(tag.get_text(), language)))
        elif tag.name in ("ul", "ol"):
            self.list_items(tag, formatting)
        elif tag.name not in IGNORED:
            self.paragraph(tag, formatting)

    def paragraph(self, tag: Tag, formatting: Span) -> None:
        self.end_paragraph()
        outer = self.kind
        if re.fullmatch("h[1-6]", tag.name):
            self.kind = replace(outer, heading=int(tag.name[1]))
        elif tag.name == "blockquote":
            self.kind = replace(outer, role="quote")
        self.read(tag, formatting)
        if self.kind.heading or self.kind.role:
            self.kind = outer

    def list_items(self, tag: Tag, formatting: Span) -> None:
        self.end_paragraph()
        outer = self.kind
        first = _number(tag.get("start"), 1)
        last = first + len(tag.find_all("li", recursive=False)) - 1
        digits, numbers = len(str(last)) if tag.name == "ol" else 1, count(first)
        for child in tag.find_all(True, recursive=False):
            if child.name != "li":  # a list between the items belongs to the one above it
                self.tag(child, formatting)
                continue
            marker = next(numbers) if tag.name == "ol" else BULLET
            self.kind = replace(outer, indent=min(outer.indent + 1, MAX_INDENT), marker=marker, digits=digits)
            self.read(child, formatting)
        self.kind = replace(outer, marker="")

    def table(self, tag: Tag) -> None:
        rows = [row for row in tag.find_all("tr") if row.find_parent("table") is tag]
        cells = [[*zip_longest(*row, fillvalue=())] for row in self.grid(rows)]  # a row for every picture in a cell
        headers = sum(map(len, cells[: sum(row.parent.name == "thead" for row in rows)]))
        cells = list(chain.from_iterable(cells))
        if headers and not any(any(row) for row in cells[:headers]):  # Markdown has no table without a header
            cells, headers = cells[headers:], 0
        if any(cells):
            self.add(Table(tuple(cells), headers))
        if caption := tag.find("caption"):
            self.add(Text(trimmed([Span(caption.get_text())]), role="caption"))

    def grid(self, rows: list[Tag]) -> list[list[list[Cell]]]:
        """What stands at every place of a table. A merged cell takes up all its places, and stands in the first."""
        places: dict[tuple[int, int], list[Cell]] = {}  # by row and column
        starts = set()  # the columns in which a cell begins: others would be empty
        for number, row in enumerate(rows):
            column = 0
            for tag in row.find_all(["td", "th"], recursive=False):
                while (number, column) in places:
                    column += 1
                starts.add(column)
                width = min(_number(tag.get("colspan"), 1), 100) or 1  # more columns fit on no slide
                end = number + (_number(tag.get("rowspan"), 1) or len(rows))  # 0 means all that follow
                numbers = [n for n, below in enumerate(rows[number:end], number) if below.parent is row.parent]
                places.update({key: [()] for key in product(numbers, range(column, column + width))})
                places[number, column] = self.cell(tag)
        return [[places.get((n, column), [()]) for column in sorted(starts)] for n in range(len(rows))]

    def cell(self, tag: Tag) -> list[Cell]:
        """The pictures in a cell, and what stands above and below each as lines of text."""
        blocks = HtmlReader(self.find_picture).read(tag, Span("", bold=tag.name == "th"))
        blocks = chain.from_iterable(block.blocks() if isinstance(block, Table) else [block] for block in blocks)
        runs = groupby(blocks, lambda block: isinstance(block, Picture) and not block.tex)
        return [cell for is_picture, run in runs for cell in (run if is_picture else [_cell_text(run)])] or [()]

    def drawing(self, tag: Tag) -> None:
        alt = tag.get("aria-label") or (tag.title.get_text() if tag.title else "") or "drawing"
        try:
            self.add(read_svg(clean(str(tag)).encode(), " ".join(str(alt).split())))
        except ValueError as error:
            if str(error) != NOTHING:  # some pages define their icons in such
                self.add(note(f"Drawing left out: it is {error}."))

    def media(self, tag: Tag) -> None:
        source = tag if tag.get("src") else tag.find("source") or tag
        address = str(source.get("src") or source.get("data") or "data:")
        where = "" if address.startswith("data:") else f": {address}"
        self.add(note(f"A video, a sound or another page, to be opened in the notebook{where}"))

    def animation(self, tag: Tag) -> None:
        script = tag.find_next("script")
        if frames := FRAMES.findall(script.get_text() if script else ""):
            self.picture(Tag(name="img", attrs={"src": frames[-1].replace("\\\n", ""), "alt": "animation"}))
        self.add(note("An animation, to be played in the notebook" + "; this is its last frame." * bool(frames)))

    def formula(self, tex: str, formatting: Span, is_inline: bool) -> None:
        if is_inline and (spans := formula_text(tex)) is not None:
            self.spans += [replace(span, bold=formatting.bold or span.bold, link=formatting.link) for span in spans]
        elif picture := formula_picture(tex):
            self.add(picture)
        else:
            self.spans.append(replace(formatting, text=tex.strip(), code=True))
        if not is_inline:
            self.end_paragraph()

    def picture(self, tag: Tag) -> None:
        alt, caption = (" ".join(str(tag.get(name, "")).split()) for name in ("alt", "title"))
        picture = self.find_picture(str(tag.get("src", "")), alt)
        if isinstance(picture, str):
            self.add(note(picture))
            return
        if pixels := _number(str(tag.get("width", "")).removesuffix("px"), 0):
            picture = picture.fitted(POINTS_PER_PIXEL * pixels, inf)
        self.add(picture)
        if caption:
            self.add(Text((Span(caption),), role="caption"))


def _number(attribute: object, default: int) -> int:
    """A whole number of at most six digits, as an HTML attribute gives it."""
    number = re.match(r"\s*([0-9]{1,6})(?![0-9])", str(attribute))  # as browsers read it: " 2 " and "2.5" are 2
    return int(number[1]) if number else default


def _cell_text(blocks: Iterable[Block]) -> Spans:
    """A table cell as lines of text; a formula that would be a picture becomes its source."""
    lines: list[Iterable[Span]] = []
    for block in blocks:
        if isinstance(block, Picture):
            lines.append([Span(block.tex, code=True)])
        elif isinstance(block, Code):
            lines += ([replace(s, text=s.text.replace("  ", "\xa0\xa0")) for s in line] for line in block.lines)
        else:
            lines.append([Span(f"{block.label} " if block.label else ""), *block.spans])
    return trimmed([span for line in lines for span in (Span("\n"), *line)])


def trimmed(spans: list[Span]) -> Spans:
    """The spans without space at both ends and around line breaks, and with one space in place of several."""
    text = "".join(span.text for span in spans)
    letters = iter(SUPERFLUOUS.sub(lambda found: "\0" * len(found[0]), text))
    kept = (replace(span, text="".join(islice(letters, len(span.text))).replace("\0", "")) for span in spans)
    return joined(span for span in kept if span.text)
