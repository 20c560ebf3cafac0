"""Notebooks as slides: what is on them, where it is, and that nothing is cut off."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import nbconvert
import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import count_calls, picture
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image, ImageFont
from pptx import Presentation
from pptx.enum.dml import MSO_FILL
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml.ns import qn
from pptx.util import Pt

from animegan.cli import main
from animegan.errors import UserError
from animegan.slides import OfflineSlidesExporter, PptxExporter, SlideDeck, layout, pieces, text_width
from animegan.slides.markdown import read_html

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PROSE = "The generator learns to draw faces from noise while the discriminator learns to tell them from real ones. "
CHINESE = (
    "生成对抗网络是一种非监督式学习方法，该方法的特点是通过让两个神经网络相互博弈的方式进行学习。“引号”——《书名》！"
)


def png(width=300, height=200, format="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture(1, width, height).save(buffer, format, **options)
    return buffer.getvalue()


def text(source, kind=None, **options):
    cell = new_markdown_cell(source, **options)
    if kind:
        cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def code(source, *outputs, kind=None, **metadata):
    if kind:
        metadata["slideshow"] = {"slide_type": kind}
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def shown(**data):
    names = {"png": "image/png", "plain": "text/plain", "html": "text/html", "markdown": "text/markdown"}
    data = {names.get(key, key): base64.b64encode(v).decode() if key == "png" else v for key, v in data.items()}
    return new_output("display_data", data=data)


def printed(content):
    return new_output("stream", text=content)


def exported(exporter, cells, folder):
    where = {"metadata": {"name": "report", "path": str(folder)}}
    notebook = new_notebook()
    notebook.cells = list(cells)  # unchecked
    return exporter().from_notebook_node(notebook, where)[0]


def presentation(cells, folder="."):
    return Presentation(io.BytesIO(exported(PptxExporter, cells, folder)))


def html(cells, folder="."):
    return BeautifulSoup(exported(OfflineSlidesExporter, cells, folder), "html.parser")


def titles(deck):
    return [slide.shapes.title.text_frame.text for slide in deck.slides]


def words_on(slide):
    """All the text of a slide: paragraphs, tables, and the alternative texts of its pictures."""
    found = []
    for shape in slide.shapes:
        if shape.has_text_frame:
            found.append(shape.text_frame.text)
        if shape.has_table:
            found += [cell.text_frame.text for row in shape.table.rows for cell in row.cells]
        found.append(shape._element.xpath(".//p:cNvPr")[0].get("descr") or "")
    return " ".join(found)


def all_words(deck):
    return " ".join(words_on(slide) for slide in deck.slides)


def pictures_of(slide):
    return [shape for shape in slide.shapes if shape._element.tag == qn("p:pic")]


def alt(picture):
    return picture._element.nvPicPr.cNvPr.get("descr")


@pytest.fixture(scope="module")
def torture():
    """A notebook in which every kind of content is too much for one slide."""
    table = "| epoch | loss | remark |\n|---|---|---|\n"
    table += "\n".join(f"| {n} | {n / 7:.3f} | ok{n} |" for n in range(40))
    wide = "|".join(f"measurement{n}" for n in range(25))
    wide = f"|{wide}|\n|{'---|' * 25}\n|{'|'.join(f'12345.67{n}' for n in range(25))}|"
    program = "\n".join(f"value_{n} = netG(z_{n})  # comment {n}" for n in range(60))
    return [
        text("# Faces 动漫头像 by DCGAN\n\nA student", "slide"),
        code("plot()", shown(png=png(400, 400)), jupyter={"source_hidden": True}),
        text("## Long text\n\n" + "".join(f"{PROSE}number{n} " for n in range(25)), "slide"),
        text(f"## {PROSE * 3}\n\nThe title is too long.", "slide"),
        text(f"## Chinese\n\n{CHINESE * 5}\n\n- {CHINESE}\n  - {CHINESE}", "slide"),
        text("## Long table\n\n" + table, "slide"),
        text(f"## Wide table\n\n{wide}", "slide"),
        text(f"## High cell\n\n| a | b |\n|---|---|\n| x | {PROSE * 25} |", "slide"),
        text("## Program", "slide"),
        code(program, printed("\n".join(f"line {n}" for n in range(50)))),
        text(f"## Long line\n\n```python\nx = '{'word ' * 60}'\ny = '{'z' * 400}'\n```\n\nafter it", "slide"),
        text("## Big picture", "slide"),
        code("plot()", shown(png=png(1600, 1000)), jupyter={"source_hidden": True}),
        text("*Caption.* " + PROSE * 3),
        text("## Wide picture\n\n" + PROSE, "slide"),
        code("plot()", shown(png=png(1200, 300)), tags=["hide-input"]),
        text("## Tall picture\n\n" + PROSE + "\n\n- one\n- two", "slide"),
        code("plot()", shown(png=png(300, 900)), tags=["remove-input"]),
        text("## Two pictures", "slide"),
        code("plot()", shown(png=png(500, 400)), shown(png=png(500, 400))),
        text("## Formulas\n\nInline $D(G(z))$ and $\\frac{a}{b}$ and\n\n$$\\sum_{i=1}^n x_i$$\n\nlast", "slide"),
        text("## Lists\n\n" + "\n".join(f"{n}. item{n} {PROSE}" for n in range(1, 31)), "slide"),
        text("## Fragments\n\nfirst", "slide"),
        text("second", "fragment"),
        code("x = 1", shown(png=png()), kind="fragment"),
        text("Say **this** aloud.", "notes"),
        text("LEFTOUT", "skip"),
        text("no heading", "subslide"),
        text("## Section", "slide"),
    ]


@pytest.fixture(scope="module")
def torture_deck(torture):
    """The same as a presentation, exported once; tests only read it."""
    return presentation(torture)


@pytest.fixture(scope="module")
def torture_page(torture):
    """The same as HTML, exported once; tests only read it."""
    return html(torture)


# --- as nbconvert and JupyterLab see it -----------------------------------------------------------------


def test_the_exporters_are_registered():
    assert nbconvert.get_exporter("pptx") is nbconvert.get_exporter("PowerPoint") is PptxExporter
    assert nbconvert.get_exporter("offline_slides") is OfflineSlidesExporter
    assert {"pptx", "PowerPoint", "offline_slides"} <= set(nbconvert.get_export_names())
    for exporter in (PptxExporter, OfflineSlidesExporter):
        assert exporter.export_from_notebook and exporter.output_mimetype  # what JupyterLab asks for


def test_listing_the_exporters_is_quick():
    """JupyterLab imports every exporter to fill its menu."""
    heavy = "('torch', 'matplotlib', 'pptx', 'bs4', 'markdown_it', 'pygments')"
    code = f"import sys, animegan.slides as s; s.PptxExporter(); print([n for n in {heavy} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "matplotlib", "pptx"} & set(re.findall(r"\w+", out))


def test_jupyter_nbconvert_writes_a_pptx(tmp_path):
    nbformat.write(new_notebook(cells=[text("# Title\n\nhello"), code("secret_code()")]), tmp_path / "报告.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "pptx", "--no-input", str(tmp_path / "报告.ipynb")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    deck = Presentation(tmp_path / "报告.pptx")
    assert titles(deck) == ["Title"]
    assert "secret_code" not in all_words(deck)


# --- which cell starts a slide ----------------------------------------------------------------------------


def test_slide_types():
    cells = [text("ignored", "skip"), text("# One", "slide"), text("continues", "-")]
    cells += [text("## Two\n\nbody", "subslide"), text("### a smaller heading"), text("no heading", "slide")]
    deck = presentation(cells)
    assert titles(deck) == ["One", "Two", "Two (2)"]
    assert "continues" in words_on(deck.slides[0])
    assert "a smaller heading" in words_on(deck.slides[1])
    assert "ignored" not in all_words(deck)


def test_without_slide_types_headings_of_level_1_and_2_start_a_slide():
    deck = presentation([text("before\n\n# One\n\na\n\n## Two\n\nb\n\n### Three\n\nc"), text("d"), text("e", "skip")])
    assert titles(deck) == ["report", "One", "Two"]
    assert "b Three c d" in " ".join(words_on(deck.slides[2]).split())


def test_title_slide_and_section():
    deck = presentation([text("# Faces\n\nby me", "slide"), text("## Part", "slide"), text("## Part 2\n\nx", "slide")])
    layouts = [slide.slide_layout.name for slide in deck.slides]
    assert layouts == ["Title Slide", "Section Header", "Title and Content"]


def test_notes_become_speaker_notes_and_nothing_else():
    cells = [text("# One\n\nx", "slide"), text("Say **this**.\n\n- 还有这个", "notes"), text("more", "notes")]
    slide = presentation(cells).slides[0]
    assert slide.notes_slide.notes_text_frame.text == "Say this.\n• 还有这个\n\nmore"
    assert "Say" not in words_on(slide)
    notes = html(cells).select(".page .notes")
    assert [note.text for note in notes] == ["Say this.\n• 还有这个\n\nmore"]


def test_fragments_appear_one_click_after_the_other():
    cells = [text("# T\n\nzero", "slide"), text("one", "fragment"), text("one more", "-")]
    cells += [code("x", shown(png=png()), kind="fragment", tags=["hide-input"])]
    slide = presentation(cells).slides[0]
    clicks = slide._element.xpath(".//p:cTn[@nodeType='clickEffect']//p:spTgt/@spid")
    kinds = {str(shape.shape_id): shape for shape in slide.shapes}
    assert [kinds[spid].has_text_frame and kinds[spid].text_frame.text for spid in clicks] == ["one\none more", False]
    assert slide._element.xpath(".//p:bldP/@spid") == clicks[:1]
    ids = slide._element.xpath(".//p:cTn/@id")
    assert len(set(ids)) == len(ids)
    assert [box["data-step"] for box in html(cells).select("[data-step]")] == ["1", "2"]


def test_a_fragment_that_continues_on_the_next_slide_is_there_at_once():
    cells = [text("# T\n\nzero", "slide"), text("\n\n".join([PROSE * 3] * 12), "fragment")]
    pages = html(cells).select(".page")
    assert len(pages) > 1
    assert [len(page.select("[data-step]")) for page in pages[:2]] == [1, 0]


# --- what of a cell is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata", [{"jupyter": {"source_hidden": True}}, {"tags": ["hide-input"]}, {"tags": ["remove-input"]}]
)
def test_hidden_code_is_not_shown_but_its_output_is(metadata):
    deck = presentation([text("# T"), code("secret()", printed("result"), **metadata), code("open()")])
    assert "secret" not in all_words(deck)
    assert "result" in all_words(deck) and "open()" in all_words(deck)


def test_a_hidden_cell_that_has_not_been_run_leaves_a_line():
    run = code("run()", jupyter={"source_hidden": True})
    run["execution_count"] = 3
    for cell, says in ((run, False), (code("plot()", jupyter={"source_hidden": True}), True), (code("open()"), False)):
        assert ("has not been run" in all_words(presentation([text("# T\n\nx"), cell]))) == says


def test_hidden_outputs_and_cells():
    cells = [text("# T"), code("a()", printed("first"), tags=["remove-output"]), code("b()", tags=["remove-cell"])]
    words = all_words(presentation([*cells, code("c()", printed("third"), jupyter={"outputs_hidden": True})]))
    assert "a()" in words and "c()" in words
    assert not re.search(r"first|b\(\)|third", words)


def test_outputs():
    bar = "\r".join(f"{n}%" for n in range(101)) + "\nred: \x1b[31mdone\x1b[0m\n"
    error = new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=["long\ntraceback"])
    frame = "<table><thead><tr><th></th><th>loss</th></tr></thead><tr><th>0</th><td>1.5</td></tr></table>"
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    outputs = printed(bar), error, shown(html=frame, plain="frame"), shown(plain="IntSlider()", **widget)
    more = shown(plain="EpochComparer: 25 epochs", png=png(), **widget), shown(markdown="**marked**")
    deck = presentation([text("# T"), code("", *outputs), code("", *more)])
    words = all_words(deck)
    assert "100%" in words and "99%" not in words and "red: done" in words
    assert "ZeroDivisionError: division by zero" in words and "traceback" not in words
    assert [shape.table.cell(1, 1).text for s in deck.slides for shape in s.shapes if shape.has_table] == ["1.5"]
    assert "interactive widget" in words and "IntSlider()" in words
    alts = [alt(picture) for slide in deck.slides for picture in pictures_of(slide)]
    assert alts == ["EpochComparer: 25 epochs"]
    assert "marked" in words and "**" not in words


def test_a_long_log_says_what_is_left_out():
    words = all_words(presentation([text("# T"), code("", printed("\n".join(f"line{n}." for n in range(1000))))]))
    assert "line0." in words and "line999." in words and "line500." not in words
    assert "945 lines left out" in words


def test_markup():
    source = (
        "**bold** *italic* ~~gone~~ `code` [link](https://example.org) [local](03.ipynb) H<sub>2</sub>O<br>next\n\n"
        "> quoted\n\n<details><summary>More</summary>\n\ninside\n\n</details>\n\n<script>alert(1)</script>"
    )
    slide = presentation([text("# T\n\n" + source)]).slides[0]
    frames = [shape.text_frame for shape in slide.shapes if shape.has_text_frame]
    runs = [run for frame in frames for paragraph in frame.paragraphs for run in paragraph.runs]
    by_text = {run.text: run for run in runs}
    assert by_text["bold"].font.bold and by_text["italic"].font.italic and by_text["More"].font.bold
    assert by_text["code"].font.name == "Consolas"
    assert by_text["gone"]._r.rPr.get("strike") == "sngStrike"
    assert by_text["2"]._r.rPr.get("baseline").startswith("-")
    assert by_text["link"].hyperlink.address == "https://example.org"
    assert [run.text for run in runs if run.hyperlink.address] == ["link"]
    assert "inside" in words_on(slide) and "alert" not in words_on(slide)
    assert "O\vnext" in words_on(slide)


def test_nested_lists():
    slide = presentation([text("# T\n\n1. one\n   - deep\n2. two\n\n   more\n3. three\n\n- free")]).slides[0]
    shape = slide.placeholders[1]
    found = []
    for paragraph in shape.text_frame.paragraphs:
        properties = paragraph._p.pPr
        number, bullet = properties.find(qn("a:buAutoNum")), properties.find(qn("a:buChar"))
        mark = "" if bullet is None else bullet.get("char")
        found.append((paragraph.text, int(properties.get("lvl")), mark if number is None else number.get("startAt")))
    # PowerPoint continues from startAt. A paragraph between two items makes it start again, here at 3.
    assert found == [
        ("one", 0, "1"), ("deep", 1, "•"), ("two", 0, "1"), ("more", 0, ""), ("three", 0, "3"), ("free", 0, "•"),
    ]  # fmt: skip
    margins = [int(p._p.pPr.get("marL")) for p in shape.text_frame.paragraphs]
    assert margins[1] > margins[0] == margins[2] == margins[3]


def test_a_list_that_starts_with_0_is_one_that_powerpoint_can_open():
    cells = [text("# T\n\n0. zero\n1. one")]
    slide = presentation(cells).slides[0]
    assert slide._element.xpath(".//a:buAutoNum/@startAt") == ["1", "1"]  # PowerPoint has no smaller number
    assert [mark.text for mark in html(cells).select(".mark")] == ["0.", "1."]


def test_code_is_coloured_and_monospaced():
    (slide,) = presentation([code("def f(x):\n    return 'text'  # why\n\nf(1)")]).slides
    shape = next(shape for shape in slide.shapes if shape.has_text_frame and "def" in shape.text_frame.text)
    assert [p.text for p in shape.text_frame.paragraphs] == ["def f(x):", "    return 'text'  # why", " ", "f(1)"]
    runs = [run for p in shape.text_frame.paragraphs for run in p.runs]
    assert {run.font.name for run in runs} == {"Consolas"}
    colours = {run.text: run.font.color.rgb for run in runs if run.font.color.type}
    assert len({colours["def"], colours["'text'"], colours["# why"], colours["1"], colours["f"]}) == 5
    assert shape.fill.type == MSO_FILL.SOLID


# --- pictures and formulas -------------------------------------------------------------------------------------


def test_pictures_come_from_attachments_data_addresses_and_files_beside_the_notebook(tmp_path):
    (tmp_path / "我的 图.png").write_bytes(png())
    image = Image.open(io.BytesIO(png()))
    turned = image.getexif()
    turned[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=turned)
    image.save(tmp_path / "new.webp")
    encoded = base64.b64encode(png()).decode()
    sources = ["![attached](attachment:a.png)", f"![data](data:image/png;base64,{encoded})", "![file](<我的 图.png>)"]
    sources += ["![turned](turned.jpg)", "![webp](new.webp)", '<img src="turned.jpg" width="80" alt="small">']
    cell = text("# T\n\n" + "\n\n".join(sources), attachments={"a.png": {"image/png": encoded}})
    shapes = [shape for slide in presentation([cell], tmp_path).slides for shape in pictures_of(slide)]
    found = dict(zip(map(alt, shapes), shapes, strict=True))
    assert set(found) == {"attached", "data", "file", "turned", "webp", "small"}
    for name, shape in found.items():
        ratio = 200 / 300 if name in ("turned", "small") else 300 / 200
        assert shape.width / shape.height == pytest.approx(ratio, abs=0.02), name
    assert found["small"].width < found["turned"].width
    sources = [image["src"] for image in html([cell], tmp_path).select("img")]
    assert len(sources) == 6 and all(source.startswith("data:image/") for source in sources)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("gone.png", "gone.png cannot be read (there is no such file)"),
        ("https://example.org/x.png", "https://example.org/x.png cannot be read (it is not downloaded"),
        ("//example.org/x.png", "is not downloaded"),
        ("file:///etc/passwd", "is not downloaded"),
        ("/etc/hostname", "give its path relative to the notebook"),
        ("attachment:gone.png", "attachment:gone.png cannot be read (there is no such attachment)"),
        ("broken.png", "broken.png cannot be read"),
        ("data:image/png;base64,AAAA", "cannot be read"),
        ("drawing.svg", "drawing.svg cannot be read"),
    ],
)
def test_a_picture_that_cannot_be_shown_leaves_a_line(tmp_path, address, says):
    (tmp_path / "broken.png").write_bytes(png()[:500])
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    words = all_words(presentation([text(f'# T\n\n<img alt="my face" src="{address}">')], tmp_path))
    assert says in words and "my face" in words


def test_pictures_come_from_the_project_of_the_notebook_and_from_nowhere_else(tmp_path, monkeypatch):
    folder = tmp_path / "course" / "notebooks"
    (folder / "own").mkdir(parents=True)
    for name in ("secret.png", "course/faces.png", "course/notebooks/own/face.png"):
        (tmp_path / name).write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    addresses = ("own/face.png", "../faces.png", "../../secret.png", "..%2F%2e%2e/secret.png", "link.png")
    cell = text("# T\n\n" + "\n\n".join(f"![{name}]({name})" for name in addresses))

    def taken():
        deck = presentation([cell], folder)
        assert all_words(deck).count("lies outside") == 5 - sum(len(pictures_of(slide)) for slide in deck.slides)
        return {alt(picture) for slide in deck.slides for picture in pictures_of(slide)}

    assert taken() == {"own/face.png"}
    (tmp_path / "course" / "pyproject.toml").touch()
    assert taken() == {"own/face.png", "../faces.png"}
    monkeypatch.setenv("HOME", str(tmp_path / "course"))  # a home folder under version control is not a project
    assert taken() == {"own/face.png"}


@pytest.mark.parametrize("address", ["n" * 300 + ".png", "n/" * 3000, "loop.png", "a%00b.png", "%0A.png", "\udcff.png"])
def test_an_address_that_leads_nowhere_leaves_a_line(tmp_path, address):
    (tmp_path / "loop.png").symlink_to("loop.png")
    words = all_words(presentation([text(f'# T\n\n<img alt="my face" src="{address}">')], tmp_path))
    assert "my face" in words and re.search("there is no|cannot be read", words) and "Errno" not in words


def test_a_picture_file_starts_no_program(tmp_path, monkeypatch):
    """Pillow hands an EPS to Ghostscript, whatever the file's name promises."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n%%EndComments\nshowpage\n"
    (tmp_path / "x.png").write_bytes(eps)
    encoded = base64.b64encode(eps).decode()
    cells = [text(f"# T\n\n![](x.png)\n\n![](data:image/png;base64,{encoded})"), code("", shown(png=eps))]
    words = all_words(presentation(cells, tmp_path))
    assert words.count("not a picture, or a damaged one") == 3 and not (tmp_path / "started").exists()


@pytest.mark.parametrize("side", [8100, 9600, 14_000])
def test_a_picture_of_too_many_pixels_is_left_out(side, tmp_path, recwarn):
    Image.new("1", (side, side)).save(tmp_path / "large.png")
    words = all_words(presentation([text("# T\n\n![](large.png)")], tmp_path))
    assert "over 64 megapixels" in words and not recwarn.list


def test_a_picture_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "large.png", "wb") as file:
        file.truncate(2**40)
    assert "over 128 MiB" in all_words(presentation([text("# T\n\n![](large.png)")], tmp_path))


PNG = base64.b64encode(png()).decode()


def odd(data, metadata=None):
    """A cell with an output that nbformat does not make, but reads."""
    cell = code("x")
    cell.outputs = [from_dict({"output_type": "display_data", "data": data, "metadata": {"image/png": metadata}})]
    return cell


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (text("<ol start='²'><li>one</ol>"), "one"),
        (text(f"<ol start='{'9' * 5000}'><li>one</ol>"), "one"),
        (text(f"<img alt='face' width='²' src='data:image/png;base64,{PNG}'>"), "face"),
        (text(f"<img alt='face' width='{'9' * 400}' src='data:image/png;base64,{PNG}'>"), "face"),
        (text(f"<img alt='face' width='{'9' * 5000}px' src='data:image/png;base64,{PNG}'>"), "face"),
        *((text(f"<{tag}>" * 500 + "deep"), "deep") for tag in ("sub", "div", "ul><li", "table><tr><td", "blockquote")),
        *((odd({f"text/{kind}": 5}), "5") for kind in ("plain", "html", "markdown", "latex")),
        *((odd({f"text/{kind}": {"a": [1]}}), "'a'") for kind in ("plain", "html", "markdown")),
        *((odd({"image/png": value}), "cannot be read") for value in (5, [5], None, {"a": 1}, "é")),
        *((odd({"image/png": PNG}, value), "output of x") for value in (None, 5, [], {"alt": ["a"]}, {"alt": None})),
        (text(f"# {'i' * 300}"), "iii"),
    ],
)
def test_odd_content_becomes_slides(cell, says):
    cells = [text("# T\n\nx"), cell]
    assert says in all_words(presentation(cells)) and says in str(html(cells))


def test_the_alternative_text_of_an_output_is_what_it_prints_or_comes_from_its_cell():
    outputs = [shown(png=png(), plain=plain) for plain in ("two faces", "<Figure>", "<Figure>", "<Figure>")]
    sources = ["a()", "# the losses\nb()", "c()\nd()", ""]
    deck = presentation([text("# T"), *map(code, sources, outputs)])
    alts = [alt(picture) for slide in deck.slides for picture in pictures_of(slide)]
    assert alts == ["two faces", "the losses", "output of d()", "output of a cell"]


def test_a_few_lines_of_code_stay_on_the_slide_with_their_picture():
    source = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
    for size in ((640, 480), (1100, 1000)):
        slides = presentation([text("# T"), code(source, shown(png=png(*size)))]).slides
        with_picture = [slide for slide in slides if pictures_of(slide)]
        assert len(with_picture) == 1 and "plt.plot" in words_on(with_picture[0])


def test_what_is_still_to_be_written_is_counted(tmp_path, capsys):
    cells = [text("# A", "slide"), text("# B\n\n**✍ write here**", "slide"), text("✍", "skip")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "report.ipynb")
    assert SlideDeck(tmp_path / "report.ipynb").unfinished == [2]
    assert main(["slides", str(tmp_path / "report.ipynb"), "--to", "html"]) == 0
    assert "still to be written (✍): slide 2" in capsys.readouterr().out


def test_what_is_still_to_be_written_is_counted_in_the_deck_that_is_saved(tmp_path):
    """Without the code a deck has fewer slides, and so other numbers."""
    program = "\n".join(f"value_{n} = {n}" for n in range(60))
    cells = [text("# A", "slide"), text("# Program", "slide"), code(program, printed("done"))]
    nbformat.write(new_notebook(cells=[*cells, text("# B\n\n✍ write here", "slide")]), tmp_path / "report.ipynb")
    numbers = []
    for with_code in (True, False):
        deck = SlideDeck(tmp_path / "report.ipynb", with_code)
        saved = Presentation(deck.save("pptx"))
        assert deck.unfinished == [n for n, slide in enumerate(saved.slides, 1) if "✍" in words_on(slide)]
        numbers += deck.unfinished
    assert numbers[0] > numbers[1] == 3


def test_a_notebook_is_laid_out_once_for_both_formats(tmp_path, monkeypatch):
    calls = count_calls(monkeypatch, layout, "lay_out")
    nbformat.write(new_notebook(cells=[text("# A\n\n✍", "slide")]), tmp_path / "report.ipynb")
    deck = SlideDeck(tmp_path / "report.ipynb")
    assert {deck.save(kind).name for kind in ("pptx", "html")} == {"report.pptx", "report.slides.html"}
    assert deck.unfinished == [1] and len(calls) == 1


def test_a_large_picture_is_made_smaller():
    deck = presentation([text("# T"), code("", shown(png=png(5000, 100)))])
    (shape,) = pictures_of(deck.slides[0])
    assert shape.image.size == (2400, 48)


def test_a_formula_in_a_sentence_is_text_where_it_can_be():
    slide = presentation([text("# T\n\nSmall $x\\sim p_\\text{data}$ and $10^{-4}$ here")]).slides[0]
    assert not pictures_of(slide)
    runs = [run for p in slide.placeholders[1].text_frame.paragraphs for run in p.runs]
    levels = {run.text.strip("\xa0"): int(run._r.rPr.get("baseline") or 0) for run in runs}
    assert levels["data"] < 0 < levels["−4"] and levels["p"] == levels["10"] == 0
    halves = presentation([text("# T\n\nA $\\frac{1}{2}$ and $\\frac ab$ here")]).slides[0]
    assert "A 1/2 and a/b here" in words_on(halves) and not pictures_of(halves)
    assert "Small x\xa0∼\xa0pdata and 10−4 here" in words_on(slide)


def test_other_formulas_are_pictures_described_by_their_source():
    tex = r"\min_G \max_D \mathbb{E}_{x\sim p_\text{data}}[\log D(x)]"
    lines = r"\begin{align} a &= \frac12 \\ b &= \sqrt2 \end{align}"
    slide = presentation([text(f"# T\n\nInside $\\sqrt{{b}}$ it.\n\n$${tex}$$\n\n{lines}")]).slides[0]
    alts = [*map(alt, pictures_of(slide))]
    assert alts == [r"formula: \sqrt{b}", f"formula: {tex}", f"formula: {lines}"]
    words = words_on(slide)
    assert words.index("Inside") < words.index(r"\sqrt{b}") < words.index("it.")


@pytest.mark.parametrize("tex", [r"\begin{pmatrix}1&2\end{pmatrix}", r"\text{损失}_D", r"\unknown{x}"])
def test_a_formula_that_mathtext_cannot_draw_is_shown_as_its_source(tex, caplog):
    slide = presentation([text(f"# T\n\n$${tex}$$")]).slides[0]
    assert tex in words_on(slide) and not pictures_of(slide)
    assert not caplog.records


# --- merged cells, and pictures in tables ------------------------------------------------------------------------

MULTIINDEX = """<table><thead>
<tr><th></th><th></th><th colspan="2">epoch 8</th><th colspan="2">epoch 25</th></tr>
<tr><th></th><th></th><th>SWD</th><th>FID</th><th>SWD</th><th>FID</th></tr></thead><tbody>
<tr><th rowspan="2">stable</th><th>seed 0</th><td>23.2</td><td>5.1</td><td>11.4</td><td>2.3</td></tr>
<tr><th>seed 1</th><td>24.0</td><td>5.2</td><td>12.9</td><td>2.4</td></tr></tbody></table>"""


def tables_of(deck):
    tables = [shape.table for slide in deck.slides for shape in slide.shapes if shape.has_table]
    return [[[cell.text.strip().replace("\v", "\n") for cell in row.cells] for row in table.rows] for table in tables]


def test_merged_cells_take_up_all_their_places():
    cells = [text("# T"), code("", shown(html=MULTIINDEX, plain="..."))]
    expected = [
        ["", "", "epoch 8", "", "epoch 25", ""],
        ["", "", "SWD", "FID", "SWD", "FID"],
        ["stable", "seed 0", "23.2", "5.1", "11.4", "2.3"],
        ["", "seed 1", "24.0", "5.2", "12.9", "2.4"],
    ]
    assert tables_of(presentation(cells)) == [expected]
    rows = html(cells).select("tr")
    assert [[cell.text for cell in row.select("th, td")] for row in rows] == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("<tr><td colspan=9>T<tr><td>a<td>1<tr><td>b<td>2", [["T", ""], ["a", "1"], ["b", "2"]]),
        ("<tr><td rowspan=0>a<td>1<tr><td>2<tr><td>3", [["a", "1"], ["", "2"], ["", "3"]]),
        ("<tr><td rowspan=99>a<td>1<tr><td>2", [["a", "1"], ["", "2"]]),
        ("<tr><td rowspan=2 colspan=2>a<td>1<tr><td>2<tr><td>x<td>y<td>z", [["a", "", "1"], ["", "", "2"], [*"xyz"]]),
        ("<tr><td>1<td rowspan=2>a<td>2<tr><td>3<td>4", [["1", "a", "2"], ["3", "", "4"]]),
        ("<thead><tr><th rowspan=3>h<th>k</thead><tr><td>1<td>2", [["h", "k"], ["1", "2"]]),
        ("<tr><td colspan='²'>a<td rowspan='-1'>b<tr><td colspan='x'>c<td colspan>d", [["a", "b"], ["c", "d"]]),
        ("<tr><td colspan=99999>a<td>b<tr><td>c", [["a", "b"], ["c", ""]]),
    ],
)
def test_merged_cells_of_all_kinds(rows, expected):
    closed = re.sub(r"(?=<t[rdh]|</thead|$)", "", re.sub(r"<(t[dh])([^>]*)>([^<]*)", r"<\1\2>\3</\1>", rows))
    closed = re.sub(r"<tr>(.*?)(?=<tr>|</thead>|$)", r"<tr>\1</tr>", closed)
    assert tables_of(presentation([text(f"# T\n\n<table>{closed}</table>")])) == [expected]


def test_a_row_that_goes_over_all_columns_is_named_once():
    """Also where it is the first of a page."""
    rows = "".join(
        "<tr><td colspan=3>part</td></tr>" if n % 2 else f"<tr>{f'<td>{n}</td>' * 3}</tr>" for n in range(60)
    )
    rows = [row for table in tables_of(presentation([text(f"# T\n\n<table>{rows}</table>")])) for row in table]
    assert len(rows) == 60 and all(row in (["part", "", ""], row[:1] * 3) for row in rows)


def test_pictures_in_a_table_stand_in_their_cells(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.png").write_bytes(png(96, 96))
    markdown = "| epoch 1 | epoch 25 |\n|---|---|\n| ![e1](one.png) | ![e25](two.png) |\n| noise | faces |"
    grid = "<table><tr><td>first</td><td><img src='one.png' alt='a'><br>FID 9</td><td>![x](gone.png)</td></tr></table>"
    cells = [text("## M\n\nThey are:\n\n" + markdown, "slide"), text("## H\n\n" + grid, "slide")]
    cells[1].source = cells[1].source.replace("![x](gone.png)", "<img src='gone.png' alt='x'>")
    deck = presentation(cells, tmp_path)
    assert tables_of(deck)[0] == [["epoch 1", "epoch 25"], ["", ""], ["noise", "faces"]]
    first, second = tables_of(deck)[1]
    assert first == [
        "first",
        "",
        "Picture left out (x): gone.png cannot be read (there is no such file).",
    ] and second == ["", "FID 9", ""]
    for slide, alts in zip(deck.slides, (["e1", "e25"], ["a"]), strict=True):
        frame = next(shape for shape in slide.shapes if shape.has_table)
        left, lefts = frame.left, []
        for column in frame.table.columns:
            lefts.append((left, left + column.width))
            left += column.width
        tops = [frame.top + sum(row.height for row in [*frame.table.rows][:n]) for n in range(4)]
        row = 1 if len(alts) == 2 else 0
        columns = lefts if len(alts) == 2 else lefts[1:]
        for shape, name, (start, end) in zip(pictures_of(slide), alts, columns, strict=False):
            assert alt(shape) == name and shape.height > Pt(100)
            assert start < shape.left and shape.left + shape.width < end
            assert tops[row] < shape.top and shape.top + shape.height < tops[row + 1]
        assert len(pictures_of(slide)) == len(alts)
    assert [image["alt"] for image in html(cells, tmp_path).select("img")] == ["e1", "e25", "a"]


def test_a_table_of_many_pictures_stays_on_its_pages():
    address = "data:image/png;base64," + base64.b64encode(png(400, 300)).decode()
    rows = "".join(
        f"<tr><td>{n}</td><td><img src='{address}' alt='p{n}'></td><td>{PROSE * n}</td></tr>" for n in range(14)
    )
    deck = presentation([text(f"# T\n\n<table>{rows}</table>")])
    assert sorted(alt(p) for s in deck.slides for p in pictures_of(s)) == sorted(f"p{n}" for n in range(14))
    for shape in (shape for slide in deck.slides for shape in slide.shapes):
        assert shape.left >= 0 and shape.top >= 0
        assert shape.left + shape.width <= deck.slide_width and shape.top + shape.height <= deck.slide_height


def test_code_lists_and_tables_in_a_table_cell_become_its_text():
    source = "<table><tr><td>\n\n```python\nif x:\n    go()\n```\n\n</td><td>\n\n- one\n- two\n\n</td>"
    source += "<td><table><tr><td>INNER</td><td>CELL</td></tr></table></td></tr></table>"
    (((code_, items, inner),),) = tables_of(presentation([text("# T\n\n" + source)]))
    assert code_ == "if x:\n\xa0\xa0\xa0\xa0go()" and items == "• one\n• two" and inner == "INNER\nCELL"


# --- drawings, animations, and other things that are no PNG -------------------------------------------------------

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
DRAWING = (
    HEAD + 'width="200" height="100"><rect width="200" height="100" fill="red"/><text x="9" y="50">SEEN</text></svg>'
)
FIGURE = "<Figure size 640x480 with 1 Axes>"


def drawings_in(page):
    start = "data:image/svg+xml;base64,"
    return [base64.b64decode(i["src"].removeprefix(start)).decode() for i in page.select("img") if start in i["src"]]


def svg_output(source):
    return new_output("display_data", data={"image/svg+xml": source, "text/plain": FIGURE})


def test_a_figure_stored_as_svg_is_in_html_as_it_is():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.bar([1, 2], [3, 1], hatch="//", label="α <b> & c")
    axes.imshow([[0, 1], [1, 0]], extent=(2, 3, 0, 1))
    axes.legend()
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    source = buffer.getvalue()
    cells = [text("# T"), code("plot()", svg_output(source))]
    (drawn,) = drawings_in(html(cells))
    for tag in ("path", "use", "image", "clipPath", "pattern"):
        assert drawn.count(f"<{tag} ") == source.count(f"<{tag} ") > 0
    assert drawn.count("url(#") == source.count("url(#") > 0 and drawn.count('href="#') == source.count('href="#')
    assert drawn.count("style=") == source.count("style=") and drawn.startswith("<svg ")
    for page in (html(cells).text, all_words(presentation(cells))):
        assert "<Figure" not in page


def test_nothing_but_drawing_is_left_of_an_svg():
    evil = (
        "<script>EVIL()</script>"
        "<g onload='EVIL()' onclick='EVIL()'><path d='M0 0' style='fill:red;mask:url(//EVIL)'/></g>"
        "<foreignObject><div xmlns='http://www.w3.org/1999/xhtml'><img src='https://EVIL'/></div></foreignObject>"
        "<image xlink:href='https://EVIL/x.png'/><image href='file:///EVIL'/><use xlink:href='https://EVIL#a'/>"
        "<a xlink:href='javascript:EVIL'><text fill='url(https://EVIL#a)'>SEEN</text></a><iframe src='EVIL'/>"
        "<style>@import 'https://EVIL'; .a{fill:url(https://EVIL)} .b{fill:u\\72l(EVIL)} .c{fill:blue} "
        ".d{cursor:image-set('EVIL')}</style><animate attributeName='href' to='javascript:EVIL'/><!-- EVIL -->"
        "<image href='data:image/svg+xml;base64,EVIL'/><set attributeName='onclick' to='EVIL'/><?xml-stylesheet EVIL?>"
        "<path style='background:URL( EVIL )' d='M0 0' fill='URL(EVIL)' filter='url(EVIL)' src='EVIL'/>"
        "<style><![CDATA[</style><script>EVIL</script>]]></style><metadata>EVIL</metadata>"
    )
    source = f"{HEAD}viewBox='0 0 20 10' onload='EVIL()'>{evil}</svg>"
    for cell in (code("", svg_output(source)), text("# T\n\n" + re.sub("<style><!.CDATA.*?]>", "<style>", source))):
        (drawn,) = drawings_in(html([cell]))
        assert "EVIL" not in drawn and "SEEN" in drawn and "fill:red" in drawn and ".c{fill:blue}" in drawn
        assert not re.search(r"(?i)script|foreignobject|https?://(?!www.w3.org/2000/svg)|\son\w+=|import", drawn)


def test_entities_of_an_svg_do_not_grow_or_read_files(tmp_path):
    (tmp_path / "secret.txt").write_text("SECRET")
    inner = '<!ENTITY a "ha"><!ENTITY s SYSTEM "secret.txt">'
    inner += "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 12))
    source = f"<!DOCTYPE svg [{inner}]>{HEAD}width='9' height='9'><text>&s;&a11;</text></svg>"
    (tmp_path / "bomb.svg").write_text(source)
    page = html([text("# T\n\n![x](bomb.svg)")], tmp_path)
    assert "SECRET" not in str(page) + "".join(drawings_in(page)) and len(str(page)) < 100_000


@pytest.mark.parametrize(
    ("attributes", "ratio"),
    [
        ("width='288pt' height='216pt' viewBox='0 0 288 216'", 288 / 216),
        ("viewBox='0 0 50,100'", 1 / 2),
        ("width='100%' height='auto' viewBox='0 0 300 100'", 3),
        ("width='60' viewBox='0 0 300 100'", 3),
        ("height='1in' viewBox='0 0 300 100'", 3),
        ("width='40mm' height='2cm'", 2),
        ("", 2),
        ("viewBox='0 0 0 0' width='0'", 2),
        ("width='1e999' height='nan'", None),
    ],
)
def test_the_size_of_an_svg(attributes, ratio):
    page = html([text("# T"), code("x", svg_output(f"{HEAD}{attributes}><rect width='9' height='9'/></svg>"))])
    (drawn,) = drawings_in(page)
    assert "viewBox=" in drawn
    box = next(image.parent["style"] for image in page.select("img"))
    width, height = (float(re.search(rf"{side}:([\d.]+)rem", box)[1]) for side in ("width", "height"))
    assert ratio is None or width / height == pytest.approx(ratio, rel=0.01)


def test_powerpoint_gets_a_png_of_an_svg_where_cairosvg_is_installed(monkeypatch):
    cells = [text("# T"), code("# the losses\nplot()", svg_output(DRAWING))]
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    slide = presentation(cells).slides[0]
    assert not pictures_of(slide)
    words = words_on(slide)
    assert (
        "the losses" in words and "%config InlineBackend.figure_formats = ['png']" in words and "<Figure" not in words
    )
    drawer = SimpleNamespace(svg2png=lambda bytestring, **_: png() if b"SEEN" in bytestring else b"")
    monkeypatch.setitem(sys.modules, "cairosvg", drawer)
    (shape,) = pictures_of(presentation(cells).slides[0])
    assert shape.image.content_type == "image/png" and alt(shape) == "the losses"
    assert "%config" not in all_words(presentation(cells))


def test_an_svg_is_shown_from_wherever_it_comes(tmp_path):
    (tmp_path / "curve.svg").write_bytes(b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\n" + DRAWING.encode())
    encoded = base64.b64encode(DRAWING.encode()).decode()
    small = "<svg viewbox='0 0 20 10'><lineargradient id='g'></lineargradient><rect width='20' height='10'/>SEEN</svg>"
    sources = ["![file](curve.svg)", f"![data](data:image/svg+xml;base64,{encoded})", "![att](attachment:a.svg)"]
    sources += [
        '<img src="data:image/svg+xml;utf8,%3Csvg%3E%3Cpath d=\'SEEN\'/%3E%3C/svg%3E" alt="quoted">',
        "a " + small,
    ]
    cells = [text("# T\n\n" + "\n\n".join(sources), attachments={"a.svg": {"image/svg+xml": DRAWING}})]
    cells += [code("", shown(html=f"<div>{small}</div>", plain="<IPython.core.display.HTML object>"))]
    drawn = drawings_in(html(cells, tmp_path))
    assert len(drawn) == 6 and all("SEEN" in each for each in drawn)
    assert 'viewBox="0 0 20 10"' in drawn[4] and "<linearGradient" in drawn[4]


def test_icons_that_draw_nothing_by_themselves_leave_no_trace(tmp_path):
    sprite = "<svg style='display:none'><defs><symbol id='i'><path d='M0 0'/></symbol></defs></svg>"
    icon = "<svg><use xlink:href='#i'></use></svg><button><svg><path d='M0 0'/></svg></button>"
    page = html([text("# T"), code("", shown(html=f"{sprite}<p>words {icon}</p>", plain="x"))])
    assert not page.select("img") and "words" in page.text and "left out" not in page.text
    for source in (sprite, DRAWING[:-30], "<svg", "<html><body>Not found</body></html>"):
        (tmp_path / "x.svg").write_text(source)
        assert "x.svg cannot be read" in html([text("# T\n\n![x](x.svg)")], tmp_path).text


def test_figures_in_other_formats_are_shown_or_leave_a_line():
    def bundle(**data):
        return new_output(
            "display_data", data={"text/plain": FIGURE} | {k.replace("_", "/"): v for k, v in data.items()}
        )

    def encoded(format):
        return base64.b64encode(png(format=format)).decode()

    for kind in ("webp", "bmp", "tiff", "x-portable-pixmap"):
        format = {"x-portable-pixmap": "PPM"}.get(kind, kind.upper())
        cells = [text("# T"), code("plot()", bundle(**{f"image_{kind}": encoded(format)}))]
        assert len(pictures_of(presentation(cells).slides[0])) == len(html(cells).select("img")) == 1, kind
    for data in ({"application_pdf": "JVBERi0="}, {}, {"image_png": "AAAA"}, {"image_svg+xml": "<svg/>"}):
        words = all_words(presentation([text("# T"), code("plot()", bundle(**data))]))
        assert ("figure_formats" in words or "run the notebook again" in words) and "<Figure" not in words, data
    both = bundle(image_png="AAAA", **{"image_svg+xml": DRAWING})  # the first is damaged
    assert "SEEN" in drawings_in(html([text("# T"), code("plot()", both)]))[0]
    empty = new_output("display_data", data={"text/plain": "<Figure size 640x480 with 0 Axes>"})
    words = all_words(presentation([text("# T\n\nx"), code("plot()", empty)]))
    assert "Figure" not in words and "figure" not in words


def test_of_an_attachment_in_several_formats_the_first_is_shown_that_can_be():
    encoded = base64.b64encode(png()).decode()
    bundle = {"application/pdf": "JVBERi0=", "image/svg+xml": "<svg/>", "image/x-odd": "AAAA", "image/png": encoded}
    cell = text("# T\n\n![both](attachment:a)", attachments={"a": bundle})
    assert [alt(p) for p in pictures_of(presentation([cell]).slides[0])] == ["both"]
    cell = text("# T\n\n![no](attachment:a)", attachments={"a": {"application/pdf": "JVBERi0="}})
    assert "attachment:a cannot be read" in all_words(presentation([cell]))


def test_animations_become_their_last_frame_and_a_line():
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.canvas.draw()
    moving = FuncAnimation(
        figure, lambda n: [figure.text(0.1 + 0.4 * n, 0.5, f"{n}")], frames=2, cache_frame_data=False
    )
    source = moving.to_jshtml()
    last = re.findall(r'base64,([^"]*)"', source)[-1]
    deck = presentation([text("# T"), code("x", shown(html=source, plain="<IPython.core.display.HTML object>"))])
    (shape,) = pictures_of(deck.slides[0])
    assert shape.image.blob == base64.b64decode(last.replace("\\\n", ""))
    words = all_words(deck)
    assert "An animation, to be played in the notebook" in words and not re.search("Loop|Once|missing|IPython", words)
    words = all_words(presentation([text("# T"), code("x", shown(html=re.sub("frames.*= .*", "", source), plain="x"))]))
    assert "An animation, to be played" in words and "missing" not in words


def test_videos_sounds_and_pages_in_a_page_leave_a_line():
    data = "<video controls><source type='video/mp4' src='data:video/mp4;base64,AAAA'>Your browser is old.</video>"
    page = "<iframe width='400' src='https://example.org/embed'></iframe>"
    html_object, odd = "<IPython.core.display.HTML object>", "<div id='plot'></div><script>draw()</script>"
    outputs = [shown(html=source, plain=html_object) for source in (data, page, "<audio src='a.wav'></audio>", odd)]
    cells = [
        text("# T"),
        code("x", *outputs),
        text("See <video src='film.mp4'></video> and " + page.replace("embed", "two")),
    ]
    words = all_words(presentation([*cells, code("y", shown(html="<style>p{}</style>", plain=html_object))]))
    assert words.count("A video, a sound or another page, to be opened in the notebook") == 5
    for address in ("https://example.org/embed", "a.wav", "film.mp4", "/two"):
        assert address in words
    assert "cannot show (text/html" in words and not re.search("IPython|Your browser|base64", words)
    assert "a picture without an address" in all_words(presentation([text("# T\n\n<img alt='x'>")]))


def test_a_progress_bar_that_only_a_notebook_can_show_leaves_no_trace():
    """A notebook stores the text with which it began: 0 %."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "bar"}}
    starts = (
        "  0%|          | 0/25 [00:00<?, ?it/s]",
        "0it [00:00, ?it/s]",
        "HBox(children=(FloatProgress(value=0.0), ...",
    )
    cells = [code("train()", shown(plain=start, **view), printed("epoch 25 of 25")) for start in starts]
    words = all_words(presentation([text("# T"), *cells, code("", shown(plain="IntSlider(value=0)", **view))]))
    assert words.count("epoch 25 of 25") == 3 and words.count("interactive widget") == 1
    assert not re.search(r"0%|0it|FloatProgress", words)


def test_what_mathtext_does_not_know_is_said_in_other_words():
    known = {
        r"\textrm{if } x": "if x", r"\textbf{a b}": "a b", r"\mathbf x": "x", r"\mathbb R^n": "ℝn", r"\iff": "⟺",
        r"\operatorname*{argmax} x": "argmax x", r"\lVert x\rVert": "‖x‖", r"\left\lvert x\right\rvert": "|x|",
        r"\bm\mu": "μ", r"a \not\in b": "a ∉ b",
        r"\textcolor{red}{x}": "x",
    }  # fmt: skip
    for tex, words in known.items():
        slide = presentation([text(f"# T\n\n<b>A</b> ${tex}$ end")]).slides[0]
        assert f"A {words} end".replace("\xa0", " ") in words_on(slide).replace("\xa0", " ")
    bold = presentation([text("# T\n\nA $\\mathbf x + y$")]).slides[0].placeholders[1].text_frame.paragraphs[0].runs
    assert [run.text for run in bold if run.font.bold] == ["x"]
    drawn = [r"\underset{x}\lim f", r"\sum\limits_{i=1}^n", r"\left\lVert \frac12 \right\rVert", r"x \xrightarrow{G} y"]
    pictures = pictures_of(presentation([text("# T\n\n" + "\n\n".join(f"$${tex}$$" for tex in drawn))]).slides[0])
    assert [alt(picture).removeprefix("formula: ") for picture in pictures] == drawn


def test_formulas_in_brackets():
    slide = presentation([text("# T\n\nSo \\\\(x\\\\) is `\\\\(y\\\\)` here\n\n\\\\[ \\sqrt2 \\\\]")]).slides[0]
    assert "So x is \\\\(y\\\\) here" in words_on(slide)
    assert alt(pictures_of(slide)[0]) == r"formula: \sqrt2"


# --- the layout ------------------------------------------------------------------------------------------------


def test_every_shape_is_on_the_slide_and_overlaps_no_other(torture_deck):
    deck = torture_deck
    assert deck.slide_width / deck.slide_height == pytest.approx(16 / 9)
    for slide in deck.slides:
        boxes = [(s.name, (s.left, s.top, s.left + s.width, s.top + s.height)) for s in slide.shapes]
        for _, (left, top, right, bottom) in boxes:
            assert left >= 0 and top >= 0 and right <= deck.slide_width and bottom <= deck.slide_height
        for (one, a), (other, b) in combinations(boxes, 2):
            inside = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert min(inside) < Pt(1), f"{one} over {other} on {slide.shapes.title.text_frame.text}"


class Ruler:
    """How many lines a paragraph takes, counted in another way than the library does: word by word."""

    def __init__(self):
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.fonts = {mono: ImageFont.truetype(str(folder / f"DejaVuSans{mono}.ttf"), 40) for mono in ("", "Mono")}

    def width(self, letters, size, mono):
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in letters)
        rest = "".join(letter for letter in letters if unicodedata.east_asian_width(letter) not in "WF")
        return size * (wide + self.fonts["Mono" if mono else ""].getlength(rest) / 40) * 0.9  # Arial is narrower

    def lines(self, paragraph, room):
        size = max((run.font.size.pt for run in paragraph.runs), default=1)
        mono = any(run.font.name == "Consolas" for run in paragraph.runs)
        count, used = 1, 0.0
        for piece in re.findall(r"\v|\s|[\u3000-\u9fff\uff00-\uffef]|[^\s\u3000-\u9fff\uff00-\uffef]+", paragraph.text):
            advance = self.width(piece, size, mono)
            if piece == "\v" or (used + advance > room and not piece.isspace()):
                count, used = count + 1, 0.0
            used += advance
            while used > room and len(piece) > 1:  # a word longer than a line
                count, used = count + 1, used - room
        return count


def heights(frame, room, ruler):
    """Points that the paragraphs of a text frame take, by their own line spacing."""
    total = 0.0
    for paragraph in frame.paragraphs:
        left = int(paragraph._p.pPr.get("marL") or 0) / Pt(1)
        before = paragraph.space_before.pt if paragraph.space_before else 0
        total += before + ruler.lines(paragraph, room - left) * paragraph.line_spacing.pt
    return total


def test_no_text_is_higher_than_its_box(torture_deck):
    ruler, measured = Ruler(), 0
    for slide in torture_deck.slides:
        for shape in slide.shapes:
            if shape.has_table:
                columns = [column.width / Pt(1) for column in shape.table.columns]
                assert sum(columns) <= shape.width / Pt(1) + 1
                for row in shape.table.rows:
                    for cell, column in zip(row.cells, columns, strict=True):
                        beside = (cell.margin_left + cell.margin_right) / Pt(1)
                        above = (cell.margin_top + cell.margin_bottom) / Pt(1)
                        needed = above + heights(cell.text_frame, column - beside, ruler)
                        assert needed <= row.height / Pt(1) + 1, cell.text_frame.text
                        measured += 1
                continue
            if not shape.has_text_frame or (shape.is_placeholder and shape.placeholder_format.idx > 9):
                continue
            frame = shape.text_frame
            beside = (frame.margin_left + frame.margin_right) / Pt(1) if not shape.is_placeholder else 0
            above = (frame.margin_top + frame.margin_bottom) / Pt(1) if not shape.is_placeholder else 0
            needed = above + heights(frame, shape.width / Pt(1) - beside, ruler)
            assert needed <= shape.height / Pt(1) + 1, frame.text
            measured += 1
    assert measured > 100


def test_no_font_is_too_small_to_be_read(torture_deck):
    sizes = [int(size) / 100 for slide in torture_deck.slides for size in slide._element.xpath(".//a:rPr/@sz")]
    assert min(sizes) >= 9.5


def test_nothing_is_lost(torture, torture_deck, torture_page):
    expected = set()
    for cell in torture:
        if "LEFTOUT" in cell.source or cell.cell_type == "code":
            continue
        source = re.sub(r"\$.*?\$", "", cell.source.replace("$$", "$"), flags=re.DOTALL)
        expected |= set(re.findall(r"[a-z]{2,}[0-9]*|\d+\.\d{2,}|[\u4e00-\u9fff]+", source.lower()))
    expected |= {f"value_{n}" for n in range(60)} | {f"line {n}" for n in range(50)} | {"item30", "number13"}
    notes = " ".join(s.notes_slide.notes_text_frame.text for s in torture_deck.slides if s.has_notes_slide)
    for words in (all_words(torture_deck) + notes, torture_page.get_text("")):
        words = words.lower()
        joined = re.sub(r"\s+", "", words)
        missing = {word for word in expected - {"python"} if word not in words and word.replace(" ", "") not in joined}
        assert not missing
        assert "leftout" not in words
        assert words.count("z") >= 400


def test_what_is_too_long_continues_on_the_next_slide(torture_deck):
    found = titles(torture_deck)
    for title in ("Long text", "Long table", "High cell", "Program", "Lists"):
        assert title in found and f"{title} (2)" in found and f"{title} (1)" not in found
    tables = [shape.table for slide in torture_deck.slides for shape in slide.shapes if shape.has_table]
    tables = [table for table in tables if len(table.columns) == 3]
    assert len(tables) > 1
    assert all([cell.text for cell in table.rows[0].cells] == ["epoch", "loss", "remark"] for table in tables)
    assert sum(len(table.rows) - 1 for table in tables) == 40
    lists = [s for s, title in zip(torture_deck.slides, found, strict=True) if title.startswith("Lists")]
    starts = [s._element.xpath(".//a:buAutoNum/@startAt")[0] for s in lists]
    firsts = [re.search(r"item(\d+)", words_on(s))[1] for s in lists]
    assert starts == firsts and len(starts) > 1


LONG = {
    "table": lambda size: "| a | b |\n|---|---|\n" + "".join(f"| {n} | word |\n" for n in range(size)),
    "cell": lambda size: "| a |\n|---|\n| " + "face " * 10 * size + "|",
    "paragraph": lambda size: "face " * 10 * size,
    "word": lambda size: "a" * 20 * size,
    "line": lambda size: f"```\n{'a' * 20 * size}\n```",
    "program": lambda size: "```\n" + "x = 1\n" * size + "```",
    "paragraphs": lambda size: "face\n\n" * size,
}


@pytest.mark.parametrize("kind", LONG)
def test_work_grows_with_the_length_and_not_with_its_square(kind, monkeypatch):
    """What is counted is each part of a text that is put on a line."""
    work = []
    for module in (pieces, layout):
        original = module.wrap
        monkeypatch.setattr(
            module, "wrap", lambda spans, *args, _f=original: work.append(len(spans)) or _f(spans, *args)
        )
    letters = count_calls(monkeypatch, text_width, "chunks")
    rows = count_calls(monkeypatch, pieces, "Row")
    counts = []
    for size in (300, 1200):
        work.clear(), letters.clear(), rows.clear()
        html([text("# T\n\n" + LONG[kind](size))])
        counts.append(len(work) + len(rows) + sum(len(span.text) for (spans,) in letters for span in spans))
    assert counts[1] < 5 * counts[0]


def test_a_title_that_is_too_long_keeps_its_number():
    found = titles(presentation([text(f"## {'word ' * 40}\n\n" + "\n\n".join([PROSE * 3] * 12), "slide")]))
    assert found[0].endswith("…") and [title[-5:] for title in found[1:3]] == ["… (2)", "… (3)"]


def test_a_table_far_too_wide_becomes_several_with_the_first_column_repeated(torture_deck):
    deck = torture_deck
    slides = [s for s, title in zip(deck.slides, titles(deck), strict=True) if title.startswith("Wide table")]
    tables = [shape.table for s in slides for shape in s.shapes if shape.has_table]
    heads = [[cell.text for cell in table.rows[0].cells] for table in tables]
    assert len(heads) > 1 and all(head[0] == "measurement0" for head in heads)
    assert [name for head in heads for name in head[1:]] == [f"measurement{n}" for n in range(1, 25)]


def test_pictures_are_as_large_as_their_slide_allows(torture_deck):
    deck = torture_deck
    by_title = dict(zip(titles(deck), deck.slides, strict=True))
    (wide,) = pictures_of(by_title["Wide picture"])
    assert wide.width > 0.75 * deck.slide_width
    (tall,) = pictures_of(by_title["Tall picture"])
    assert tall.height > 0.6 * deck.slide_height
    one, other = pictures_of(by_title["Two pictures"])
    assert one.top == other.top and one.height == other.height and one.left + one.width < other.left


def test_titles_are_placeholders_and_pages_are_numbered(torture_deck):
    for number, slide in enumerate(torture_deck.slides, 1):
        assert slide.shapes.title.is_placeholder and slide.shapes.title.text_frame.text
        assert all(s.text_frame.text for s in slide.placeholders if s.has_text_frame)
        numbers = [s for s in slide.placeholders if s.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER]
        if slide.slide_layout.name in ("Title and Content", "Title Only"):
            assert [s.text_frame.text for s in numbers] == [str(number)]
            assert numbers[0]._element.xpath(".//a:fld/@type") == ["slidenum"]
        ids = [shape.shape_id for shape in slide.shapes]
        assert len(set(ids)) == len(ids)


def test_every_picture_has_a_description(torture_deck, torture_page):
    for slide in torture_deck.slides:
        assert all(map(alt, pictures_of(slide)))
    assert all(image["alt"] for image in torture_page.select("img"))


def test_chinese_has_a_font_that_has_it_and_is_as_wide_as_high():
    from animegan.slides.model import Span
    from animegan.slides.text_width import width, wrap

    slide = presentation([text("# 标题\n\n一句 with `代码` 话\n\n| 列 |\n|---|\n| 值 |")]).slides[0]
    runs = [run for run in slide._element.iter(qn("a:r")) if re.search(r"[\u4e00-\u9fff]", run.find(qn("a:t")).text)]
    assert len(runs) >= 5
    assert {run.rPr.find(qn("a:ea")).get("typeface") for run in runs} == {"Microsoft YaHei"}
    assert {run.rPr.get("lang") for run in runs} == {"zh-CN"}
    assert width("生成器", 20) == 60
    lines = wrap((Span("一二三四，五六七八。"),), 10, 40)
    assert ["".join(span.text for span in line) for line in lines] == ["一二三", "四，五六", "七八。"]
    assert "Microsoft YaHei" in html([text("# 标题")]).find("style").text


def test_lines_between_chinese_characters_are_joined_without_a_space():
    assert "数据来源、数量 and more" in all_words(presentation([text("# T\n\n数据来源、\n数量 and\nmore")]))


def test_text_that_no_file_can_hold_is_left_out():
    cells = [text("# T\x0b\x01\n\nodd \x00 \ud83d text"), code("x = '\x07'", printed("bell\x07\n"))]
    words = all_words(presentation(cells))
    assert "odd" in words and "bell" in words
    assert not re.search(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]", words)
    assert "odd" in html(cells).text


# --- HTML --------------------------------------------------------------------------------------------------------


def test_html_needs_nothing_else(torture_page):
    page = html([text("[link](https://example.org) ![x](https://example.org/x.png)", "slide")])
    tags = ["script", "style", "img", "link", "iframe", "source"]
    for tag in (*torture_page.find_all(tags), *page.find_all(tags)):
        for name in ("src", "href"):
            assert not re.match(r"https?:|//", tag.get(name, "")), tag
        assert not tag.string or not re.search(r"https?://|@import|url\(", tag.string)
    assert [a["href"] for a in (*torture_page.select("a"), *page.select("a"))] == ["https://example.org"]


def test_html_has_the_same_pages_as_the_presentation(torture_deck, torture_page):
    sections = torture_page.select("section.page")
    assert [section.select_one("h1, h2").text for section in sections] == titles(torture_deck)
    for section in sections:
        for box in section.select(".title, .box"):
            place = re.findall(r"(?:^|;)(?:left|top|width|height):([\d.]+)rem", box["style"])
            left, top, width, height = map(float, place)
            assert left >= 0 and top >= 0 and left + width <= 9.6 and top + height <= 5.4


def test_html_escapes_what_is_not_markup():
    page = html([text("# a <b & c\n\n`<script>alert(1)</script>`"), code("x < y", printed("<img src=x>"))])
    assert page.select_one("h1, h2").text == "a <b & c"
    assert len(page.select("script")) == 1 and not page.select("img")


@pytest.fixture(scope="module")
def browser():
    if not BROWSER:
        pytest.skip("there is no Chromium on this machine: install the system's package chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, torture, tmp_path):
    """The slides in a browser without a network; `asked` lists the addresses that it requested."""
    path = tmp_path / "report.ipynb"
    nbformat.write(new_notebook(cells=torture), path)
    assert main(["slides", str(path), "--to", "html"]) == 0
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720}, has_touch=True)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url[:60]))
    page.goto((tmp_path / "report.slides.html").as_uri())
    yield page
    context.close()


def test_html_in_a_browser(opened):
    def title():
        return opened.locator(".page.now .title").inner_text()

    def press(*keys):
        for key in keys:
            opened.keyboard.press(key)

    assert "动漫头像" in title()
    press("ArrowRight")
    opened.wait_for_url("**#2")  # the browser tells a new address a moment after it shows the page
    assert title() == "Long text"
    press(" ", "PageDown")
    opened.wait_for_url("**#4")
    assert title() != "Long text (2)"
    press("Home")
    opened.wait_for_url("**#1")
    press("End")
    assert title() == "Section"
    press("ArrowRight")
    assert title() == "Section"
    number = [s.get_attribute("aria-label") for s in opened.locator("section").all()].index("Fragments") + 1
    opened.evaluate(f"location.hash = '#{number}'")
    opened.wait_for_function(f"location.hash === '#{number}' && document.querySelector('.now .later')")
    shown = opened.locator(".page.now .box:visible")
    assert [shown.count(), press("ArrowRight"), shown.count()] == [1, None, 2]
    notes = opened.locator(".page.now .notes")
    assert not notes.is_visible()
    press("n")
    assert notes.is_visible() and "Say this aloud." in notes.inner_text()
    assert all(url.startswith(("file:", "data:")) for url in opened.asked)


def test_html_text_stays_in_its_boxes(opened):
    count, checked = opened.locator("section.page").count(), 0
    for number in range(count):
        opened.evaluate(f"location.hash = '#{number + 1}'")
        opened.wait_for_function(f"document.querySelectorAll('.page')[{number}].classList.contains('now')")
        over = opened.evaluate(
            """[...document.querySelectorAll('.now .box, .now .title')].map(box => [box.innerText.slice(0, 40),
               box.scrollHeight - box.clientHeight, box.scrollWidth - box.clientWidth,
               parseFloat(getComputedStyle(box).fontSize)])"""
        )
        # A font that stands in for Chinese may reach a little beyond its line; one line too many is more than that.
        assert all(high <= max(3, 0.3 * letters) and wide <= 3 for _, high, wide, letters in over), over
        checked += len(over)
    assert checked > count


def test_html_prints_one_page_per_slide_and_fits_a_phone(opened, tmp_path):
    content = opened.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == opened.locator("section.page").count()
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.keyboard.press("ArrowRight")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert float(opened.evaluate("parseFloat(getComputedStyle(document.querySelector('.now .box p')).fontSize)")) >= 13


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [[], [text("x", "skip")], [text("")], [code("")], [code("x", tags=["remove-cell"])]])
def test_nothing_to_show(cells):
    for exporter in (PptxExporter(), OfflineSlidesExporter()):
        with pytest.raises(UserError, match="has nothing to show"):
            exporter.from_notebook_node(new_notebook(cells=cells), {"metadata": {"name": "report"}})


@pytest.fixture
def fails(capsys):
    def call(*arguments):
        assert main(["slides", *map(str, arguments)]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1, lines
        return lines[0]

    return call


def test_mistakes_are_one_line(fails, tmp_path, monkeypatch):
    assert "there is no notebook" in fails(tmp_path / "gone.ipynb")
    assert "there is no notebook" in fails(tmp_path)
    for name, content in {
        "text.ipynb": b"hello",
        "list.ipynb": b"[1, 2]",
        "empty.ipynb": b"",
        "bytes.ipynb": b"\xff\xfe\x00",
        "odd.ipynb": json.dumps({"cells": [{"cell_type": "code"}], "nbformat": 4, "nbformat_minor": 5}).encode(),
        "future.ipynb": json.dumps({"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert "is not a notebook, or a damaged one" in fails(tmp_path / name)
    good = tmp_path / "good.ipynb"
    nbformat.write(new_notebook(cells=[text("# T\n\nx")]), good)
    assert "let it end in .pptx or .html" in fails(good, "--out", tmp_path / "x.pdf")
    assert "let it end in .pptx" in fails(good, "--to", "pptx", "--out", tmp_path / "x.html")
    assert "could not be saved" in fails(good, "--out", tmp_path / "no" / "folder.pptx")
    monkeypatch.setattr(Path, "read_bytes", lambda *_a: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert "cannot be read (denied)" in fails(good)


def test_a_path_that_leads_nowhere_is_one_line(fails, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    nbformat.write(new_notebook(cells=[text("# T\n\nx")]), tmp_path / "good.ipynb")
    for name in ("loop", "loop/x.ipynb", "n" * 300, "n/" * 3000, "a\nb.ipynb", "good.ipynb/x.ipynb", ""):
        assert re.search("there is no notebook|cannot be read", fails(f"{tmp_path}/{name}"))
        assert "--out" in fails(tmp_path / "good.ipynb", "--out", f"{name and tmp_path}/{name}".strip("/") and name)
    for name in ("loop/x.html", "n" * 300 + ".html", "gone/x.pptx"):
        assert "could not be saved" in fails(tmp_path / "good.ipynb", "--out", tmp_path / name)


def test_a_folder_as_out_gets_both_kinds(tmp_path, capsys):
    nbformat.write(new_notebook(cells=[text("# T\n\n✍")]), tmp_path / "report.ipynb")
    (tmp_path / "a\nb").mkdir()
    assert main(["slides", str(tmp_path / "report.ipynb"), "--out", str(tmp_path / "a\nb")]) == 0
    assert {path.name for path in (tmp_path / "a\nb").iterdir()} == {"report.pptx", "report.slides.html"}
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_unknown_backend_of_matplotlib_does_not_matter(tmp_path):
    nbformat.write(new_notebook(cells=[text("# T\n\nx")]), tmp_path / "report.ipynb")
    command = [sys.executable, "-m", "animegan", "slides", str(tmp_path / "report.ipynb"), "--to", "html"]
    ended = subprocess.run(command, env={**os.environ, "MPLBACKEND": "x"}, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "") and "slides: " in ended.stdout


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_notebook_may_start_with_a_byte_order_mark(encoding, tmp_path):
    content = nbformat.writes(new_notebook(cells=[text("# 脸\n\nx")]))
    (tmp_path / "mark.ipynb").write_text(content, encoding)
    assert titles(Presentation(SlideDeck(tmp_path / "mark.ipynb").save("pptx"))) == ["脸"]


def test_a_missing_library_is_named(fails, tmp_path, monkeypatch):
    nbformat.write(new_notebook(cells=[text("# T\n\nx")]), tmp_path / "good.ipynb")
    for name in [name for name in sys.modules if name.startswith(("pptx", "animegan.slides."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pptx", None)
    assert "a deck of slides needs pptx" in fails(tmp_path / "good.ipynb", "--to", "pptx")


def test_the_command_writes_both_beside_the_notebook(tmp_path, capsys):
    path = tmp_path / "我的 报告.ipynb"
    nbformat.write(new_notebook(cells=[text("# T\n\nx"), code("y()")]), path)
    assert main(["slides", str(path)]) == 0
    assert "我的 报告.pptx" in capsys.readouterr().out
    assert titles(Presentation(tmp_path / "我的 报告.pptx")) == ["T"]
    assert "y()" in (tmp_path / "我的 报告.slides.html").read_text(encoding="utf-8")
    assert main(["slides", str(path), "--no-input", "--out", str(tmp_path / "x.html")]) == 0
    assert "y()" not in (tmp_path / "x.html").read_text(encoding="utf-8")
    assert {p.name for p in tmp_path.iterdir()} == {"x.html", path.name, "我的 报告.pptx", "我的 报告.slides.html"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_of_the_course_becomes_slides(path):
    assert OfflineSlidesExporter().from_filename(str(path))[0].count("<section") >= 5


def test_the_report_shows_no_code_and_asks_the_student_for_words():
    path = next(path for path in NOTEBOOKS if path.stem.startswith("08"))
    page = BeautifulSoup(OfflineSlidesExporter().from_filename(str(path))[0], "html.parser")
    assert not page.select("pre")
    assert page.select_one("h1").text == "Anime faces from noise"
    assert page.text.count("write here") >= 8
    assert "you will be able to" not in page.text


def test_html_without_end_tags_is_read_as_browsers_read_it():
    def refuse(*_names):
        raise AssertionError

    table, one, two, inner = read_html(
        "<table><tr><th>run<th colspan=' 1 '>FID<tr><td>a<td>24.0<tr><td>b<td>31.5</table><ul><li>ONE<li>TWO"
        "<ul><li>INNER</ul></ul>",
        refuse,
    )
    assert [["".join(span.text for span in cell) for cell in row] for row in table.rows] == [
        ["run", "FID"], ["a", "24.0"], ["b", "31.5"],
    ]  # fmt: skip
    found = [(block.spans[0].text, block.indent) for block in (one, two, inner)]
    assert found == [("ONE", 1), ("TWO", 1), ("INNER", 2)]
    stray = read_html("<ul><li>A</li><ul><li>NESTED</li></ul></ul>", refuse)
    assert [(block.spans[0].text, block.indent) for block in stray] == [("A", 1), ("NESTED", 2)]
