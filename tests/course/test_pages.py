"""Small pages: what a stored notebook holds of its pictures."""

import base64
import io

import nbformat
import numpy as np
from nbconvert.exporters import NotebookExporter
from PIL import Image
from traitlets.config import Config

from animegan.course.pages import MAX_BYTES


def stored(picture: Image.Image, *formats: str) -> dict[str, str]:
    found = {}
    for name in formats:
        buffer = io.BytesIO()
        picture.save(buffer, name)
        found[f"image/{name}"] = base64.b64encode(buffer.getvalue()).decode()
    return found


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
    config = Config({"NotebookExporter": {"preprocessors": ["animegan.course.pages.SmallPictures"]}})
    text, _ = NotebookExporter(config=config).from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    found = [cell.outputs[0].data for cell in nbformat.reads(text, 4).cells[:-1]]
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
