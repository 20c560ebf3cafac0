"""Pages become one HTML file that needs nothing else: pictures, style and script are in it."""

import base64
from html import escape
from pathlib import Path
from string import Template

from animegan.slides.layout import Box, Page
from animegan.slides.model import Picture, Spans, clean, plain
from animegan.slides.pieces import Listing, Paragraph, TableBox, rejoined
from animegan.slides.style import COLOURS, FONTS, Style
from animegan.slides.text_width import is_wide


def write(pages: list[Page], name: str) -> str:
    """One HTML document. name: the notebook's, for the window's title if the first page has none."""
    title = plain(pages[0].title) or name
    sections = "\n".join(_section(page, number, len(pages), title) for number, page in enumerate(pages, 1))
    words = "".join(plain(page.title) for page in pages)
    lang = "zh-CN" if sum(map(is_wide, words)) > len(words) / 3 else "en"
    template = Template(Path(__file__).with_name("slides.html").read_text(encoding="utf-8"))
    classes = "\n".join(f".{name} {{ color: #{colour}; }}" for name, colour in COLOURS.items())
    return template.substitute(COLOURS, **FONTS, classes=classes, lang=lang, title=_escaped(title), pages=sections)


def _section(page: Page, number: int, count: int, deck_title: str) -> str:
    level = "h1" if page.kind == "cover" else "h2"
    style = f"{_place(*page.title_place)};{_font(page.title_style)}"
    parts = [f'<div class="title" style="{style}"><{level}>{_inline(page.title)}</{level}></div>']
    parts += map(_box, page.boxes)
    if page.kind == "content":
        parts.append(f'<div class="foot"><span>{_escaped(deck_title)}</span><span>{number} / {count}</span></div>')
    if page.notes:
        parts.append(f'<aside class="notes">{_escaped(page.notes)}</aside>')
    start = f'<section class="page {page.kind}" aria-label="{_escaped(plain(page.title))}">'
    return "\n".join([start, *parts, "</section>"])


def _box(box: Box) -> str:
    step = f' data-step="{box.step}"' if box.step else ""
    write = {Listing: _listing, TableBox: _table, Picture: _picture, tuple: _paragraphs}[type(box.content)]
    place = _place(box.left, box.top, box.width, box.height)
    return f'<div class="box" style="{place}"{step}>{write(box.content)}</div>'


def _place(left: float, top: float, width: float, height: float) -> str:
    return f"left:{_rem(left)};top:{_rem(top)};width:{_rem(width)};height:{_rem(height)}"


def _font(style: Style) -> str:
    return f"font-size:{_rem(style.size)};line-height:{_rem(style.leading)}"


def _rem(points: float) -> str:
    return f"{points / 100:.4f}rem"


def _paragraphs(content: tuple[Paragraph, ...]) -> str:
    html = ""
    for item in content:
        text, left = item.text, _rem(item.left - item.hang)
        classes = " ".join(filter(None, (text.role, "heading" if text.heading else "")))
        style = f"{_font(item.style)};padding-top:{_rem(item.space)};padding-left:{_rem(item.left)}"
        marker = f'<span class="mark" style="left:{left}">{text.label}</span>' if text.label else ""
        html += f'<p class="{classes}" style="{style}">{marker}{_inline(text.spans)}</p>'
    return html


def _listing(content: Listing) -> str:
    style = f"{_font(content.style)};padding:{_rem(content.padding_y)} {_rem(content.padding_x)}"
    lines = "\n".join(_inline(rejoined(line), in_code=True) for line in content.lines)
    return f'<pre class="{"output" if content.output else "code"}" style="{style}">{lines}</pre>'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.data).decode("ascii")
    return f'<img src="data:image/{picture.kind};base64,{data}" alt="{_escaped(picture.alt)}">'


def _table(content: TableBox) -> str:
    columns = "".join(f'<col style="width:{_rem(width)}">' for width in content.columns)
    rows = ""
    for number, row in enumerate(content.rows):
        tag = 'th scope="col"' if number < content.headers else "td"
        inner = "".join(f"<{tag}>{_inline(rejoined(cell))}</{tag[:2]}>" for cell in row.cells)
        rows += f'<tr style="height:{_rem(row.height)}">{inner}</tr>'
    return f'<table style="{_font(content.style)}"><colgroup>{columns}</colgroup>{rows}</table>'


def _inline(spans: Spans, in_code: bool = False) -> str:
    html = ""
    for span in spans:
        marked = _escaped(span.text)
        formats = {
            "code": span.code and not in_code, "strong": span.bold, "em": span.italic, "s": span.strike,
            "sup": span.script > 0, "sub": span.script < 0,
            f'span class="{span.colour or "math"}"': span.colour or span.math,
            f'a href="{_escaped(span.link)}" target="_blank" rel="noopener"': span.link,
        }  # fmt: skip
        for tag in (tag for tag, is_wanted in formats.items() if is_wanted):
            marked = f"<{tag}>{marked}</{tag.partition(' ')[0]}>"
        html += marked
    return html


def _escaped(text: str) -> str:
    return escape(clean(text), quote=True)
