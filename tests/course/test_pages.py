"""Small pages: what a stored notebook holds of its pictures."""

import base64
import io

import nbformat
import numpy as np
from nbconvert.exporters import NotebookExporter
from PIL import Image
from traitlets.config import Config

from animegan.course.pages import MAX_BYTES, MAX_WIDTH


def stored(picture: Image.Image, *formats: str) -> dict[str, str]:
    found = {}
    for name in formats:
        buffer = io.BytesIO()
        picture.save(buffer, name)
        found[f"image/{name}"] = base64.b64encode(buffer.getvalue()).decode()
    return found


def made_small(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    config = Config({"NotebookExporter": {"preprocessors": ["animegan.course.pages.SmallPictures"]}})
    text, _ = NotebookExporter(config=config).from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    return nbformat.reads(text, 4).cells


def test_each_picture_is_stored_once_whole_and_small():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    flat = Image.new("RGB", (50, 40), "orange")
    outputs = [stored(noise, "png"), stored(noise, "png", "jpeg"), stored(flat, "png", "jpeg"), stored(flat, "png")]
    widget = {**stored(noise, "jpeg"), "application/vnd.jupyter.widget-view+json": {"model_id": "a"}}
    cells = [
        nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", {**data, "text/plain": "x"})])
        for data in (*outputs, widget, {"text/html": "<b>b</b>"})
    ]
    cells.append(nbformat.v4.new_markdown_cell("text"))
    found = [cell.outputs[0].data for cell in made_small(cells)[:-1]]
    kinds = [[kind for kind in data if kind.startswith("image/")] for data in found]
    assert kinds == [["image/jpeg"], ["image/jpeg"], ["image/png"], ["image/png"], ["image/jpeg"], []]
    for data, (kind, *_), before in zip(found, kinds, (noise, noise, flat, flat, noise), strict=False):
        content = base64.b64decode(data[kind])
        assert Image.open(io.BytesIO(content)).size == before.size
        assert data["text/plain"] == "x"
    assert found[3] == {**outputs[3], "text/plain": "x"}, "what is small stays as it is"
    assert len(base64.b64decode(found[0]["image/jpeg"])) < len(base64.b64decode(outputs[0]["image/png"])) / 2
    assert "application/vnd.jupyter.widget-view+json" in found[4] and found[5]["text/html"] == "<b>b</b>"
    assert len(base64.b64decode(outputs[0]["image/png"])) > MAX_BYTES


def test_a_wide_picture_is_stored_as_wide_as_a_page():
    chart = Image.new("RGB", (2 * MAX_WIDTH, 300), "white")
    chart.paste("blue", (0, 0, MAX_WIDTH, 300))
    for picture in (chart, chart.quantize(16)):
        output = nbformat.v4.new_output("display_data", stored(picture, "png"))
        (cell,) = made_small([nbformat.v4.new_code_cell(outputs=[output])])
        small = Image.open(io.BytesIO(base64.b64decode(cell.outputs[0].data["image/png"])))
        assert small.size == (MAX_WIDTH, 150)
        assert [small.getpixel((x, 75)) for x in (100, MAX_WIDTH - 100)] == [(0, 0, 255), (255, 255, 255)]
