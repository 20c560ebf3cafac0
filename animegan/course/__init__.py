"""What the notebooks share, and the checks of their exercises."""

from animegan.course.checker import check, verdict
from animegan.course.classroom import (
    drawn_faces,
    folder,
    measured,
    my_run,
    pictures_of,
    recipe_grid,
    reference_run,
    sized,
)  # fmt: skip
from animegan.course.progress import overview
from animegan.course.registry import exercise

__all__ = [
    "check", "drawn_faces", "exercise", "folder", "measured", "my_run", "overview", "pictures_of", "recipe_grid",
    "reference_run", "sized", "verdict",
]  # fmt: skip
