"""The built-in data set: a `Face` (attributes) is drawn as pixels, and many faces fill a folder."""

from animegan.drawing.face import CHOICES, EYE_COLOURS, HAIR_COLOURS, Face
from animegan.drawing.folder import drawn_set, write_faces
from animegan.drawing.render import comic_page, draw

__all__ = ["CHOICES", "EYE_COLOURS", "HAIR_COLOURS", "Face", "comic_page", "draw", "drawn_set", "write_faces"]
