"""Where the faces are in an illustration: OpenCV's cascade detector, with a cascade made for anime faces."""

import hashlib
import io
import os
import stat
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from animegan.data import opened
from animegan.errors import UserError, require
from animegan.files import reading

CASCADE_URLS = (  # GitHub, and a public mirror of its repositories for networks that cannot reach it
    "https://raw.githubusercontent.com/nagadomi/lbpcascade_animeface/master/lbpcascade_animeface.xml",
    "https://cdn.jsdelivr.net/gh/nagadomi/lbpcascade_animeface@master/lbpcascade_animeface.xml",
)
CASCADE_SHA256 = "9376d30ac38db6bda2a68b88b3b76bbd7e6aa33af47f7f5c76bc88ca75f1ce30"
MAX_CASCADE = 8 * 2**20  # bytes; OpenCV's largest has 1 MB
MARGIN = 0.2  # on each side, as a part of the face's box: the box ends at the fringe, a portrait at the hair
LIFT = 0.08  # of the box: there is more hair above a face than neck below
SCALE, NEIGHBOURS = 1.05, 5  # finer steps find more faces; more agreeing boxes, fewer false ones
MAX_SIDE, MIN_FACE = 1200, 40  # pixels: larger pictures are searched at this size, for faces of at least this


class Box(NamedTuple):
    """A square of the picture, in pixels of the upright picture."""

    left: int
    top: int
    side: int


class FaceFinder:
    """Finds anime faces. Source of the cascade: nagadomi, lbpcascade_animeface (2011, MIT licence).

    cascade: its XML file; without one the environment variable ANIMEGAN_CASCADE may name it, else it is downloaded once
    and kept for the user. any_cascade: whether it may be another file than that one: a wrong one may crash OpenCV.
    Raises UserError if OpenCV or the cascade is missing, or if the file is not a cascade.
    """

    def __init__(self, cascade: str | Path | None = None, margin: float = MARGIN, any_cascade: bool = False):
        if not 0 <= margin <= 2:
            raise UserError(f"--margin {margin:g} is out of range: give 0 to 2 times the face ({MARGIN} is usual).")
        self.cv2 = require("cv2", "data", "--crop")
        if not hasattr(self.cv2, "CascadeClassifier"):
            raise UserError("--crop needs OpenCV 4: version 5 has no cascades; pip install -e '.[data]' fixes it.")
        self.margin, self._local = margin, threading.local()
        self._xml = _cascade(cascade, any_cascade)
        self._classifier()  # so that a wrong file is noticed now

    def find(self, image: Image.Image) -> list[Box]:
        """A square around each face of an RGB picture, hair included, the largest first; the list may be empty."""
        scale = max(1.0, max(image.size) / MAX_SIDE)
        grey = image.convert("L")
        if scale > 1:
            grey = grey.resize((round(image.width / scale), round(image.height / scale)), Image.Resampling.BILINEAR)
        options = {"scaleFactor": SCALE, "minNeighbors": NEIGHBOURS, "minSize": (MIN_FACE, MIN_FACE)}
        found = self._classifier().detectMultiScale(self.cv2.equalizeHist(np.asarray(grey)), **options)
        boxes = [_square(box, scale, self.margin, image.size) for box in found]
        return sorted(boxes, key=lambda box: (-box.side, box.left, box.top))

    def _classifier(self):
        """One per thread: a detector stores the picture that it works on."""
        if not hasattr(self._local, "classifier"):
            # From memory: OpenCV cannot open a path with Chinese letters on Windows.
            try:
                mode = self.cv2.FILE_STORAGE_READ | self.cv2.FILE_STORAGE_MEMORY
                file, classifier = self.cv2.FileStorage(self._xml, mode), self.cv2.CascadeClassifier()
                if not classifier.read(file.getFirstTopLevelNode()):  # a node is valid as long as its file
                    raise ValueError("not a cascade")
            except (self.cv2.error, SystemError, ValueError) as error:
                raise UserError("--cascade is not a cascade of OpenCV: give lbpcascade_animeface.xml.") from error
            self._local.classifier = classifier
        return self._local.classifier

    def crops(self, data: bytes) -> list[tuple[Box, bytes]]:
        """Each face of a picture file as a PNG file of its own."""
        image, crops = opened(data), []
        for box in self.find(image):
            png = io.BytesIO()
            image.crop((box.left, box.top, box.left + box.side, box.top + box.side)).save(png, "PNG")
            crops.append((box, png.getvalue()))
        return crops


def _square(box, scale: float, margin: float, size: tuple[int, int]) -> Box:
    """The box with its margin, moved into the picture where it sticks out, and at most as large as the picture."""
    left, top, width, height = (float(part) * scale for part in box)
    side = min(max(width, height) * (1 + 2 * margin), *size)
    middle = left + width / 2, top + height * (0.5 - LIFT)
    corner = [min(max(0.0, m - side / 2), whole - side) for m, whole in zip(middle, size, strict=True)]
    return Box(round(corner[0]), round(corner[1]), int(side))


def _cascade(path: str | Path | None, any_cascade: bool) -> str:
    path = path or os.environ.get("ANIMEGAN_CASCADE")
    if not path:
        from animegan.sources.download import cached_file

        path = cached_file(CASCADE_URLS, CASCADE_SHA256, "give the file with --cascade FILE or ANIMEGAN_CASCADE")
    with reading(f"--cascade {path}", "give lbpcascade_animeface.xml, a file of XML"):
        if not stat.S_ISREG((status := os.stat(path)).st_mode) or status.st_size > MAX_CASCADE:
            raise ValueError(f"no file, or one of more than {MAX_CASCADE >> 20} MiB")
        data = Path(path).read_bytes()
        if not any_cascade and hashlib.sha256(data).hexdigest() != CASCADE_SHA256:
            fix = "give that one, or, if you trust yours, add --any-cascade"
            raise UserError(f"--cascade {path} is not lbpcascade_animeface.xml, and another may crash OpenCV: {fix}.")
        return data.decode("utf-8")
