"""Small pages: the notebooks that come with the course open quickly, on GitHub too."""

import base64
import io
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from PIL import Image

from animegan.show import in_notebook

MAX_BYTES, QUALITY = 80_000, 75  # of a stored PNG; of the JPEG that is stored in its place
MAX_WIDTH = 1200  # pixels: wider than a page shows it
KINDS = ("image/png", "image/jpeg")


class SmallPictures(Preprocessor):
    """A step of nbconvert that stores each picture once, at most MAX_WIDTH wide, as a PNG or a smaller JPEG.

    Used by `make notebooks`; the notebooks of a student keep what they show.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
            data = output.get("data", {})
            kinds = [kind for kind in KINDS if kind in data]
            if kinds and (len(kinds) > 1 or len(data[kinds[0]]) > MAX_BYTES * 4 / 3):
                original = Image.open(io.BytesIO(base64.b64decode(data[kinds[0]])))
                for kind in kinds:
                    del data[kind]
                original.thumbnail((MAX_WIDTH, 10 * MAX_WIDTH), Image.Resampling.LANCZOS)
                data.update(in_notebook(original, MAX_BYTES, QUALITY))
        return nb, resources
