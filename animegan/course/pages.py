"""Small pages: the notebooks that come with the course open quickly, on GitHub too."""

import base64
import io
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from PIL import Image

from animegan.show import in_notebook

MAX_BYTES = 60_000  # of a stored PNG
SMALL = {"quality": 60, "subsampling": "4:2:0"}  # of the JPEG that is stored in place of a larger one
MAX_WIDTH = 1000  # pixels: about as wide as a page shows it
KINDS = ("image/png", "image/jpeg")


class SmallPictures(Preprocessor):
    """A step of nbconvert that stores each picture once, at most MAX_WIDTH wide, as a PNG or a smaller JPEG.

    Used by `make notebooks`; the notebooks of a student keep what they show.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
            data = output.get("data", {})
            kinds = [kind for kind in KINDS if kind in data]
            if not kinds:
                continue
            content = base64.b64decode(data[kinds[0]])
            picture = Image.open(io.BytesIO(content))
            if len(kinds) > 1 or len(content) > MAX_BYTES or picture.width > MAX_WIDTH:
                for kind in kinds:
                    del data[kind]
                picture = picture.convert("RGB")  # a palette cannot be scaled smoothly
                picture.thumbnail((MAX_WIDTH, picture.height))
                data.update(in_notebook(picture, MAX_BYTES, **SMALL))
        return nb, resources
