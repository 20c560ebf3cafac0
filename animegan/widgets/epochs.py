"""EpochComparer: two epochs of a run, or of two runs, side by side, with sliders."""

from typing import Any

import ipywidgets
from PIL import Image

from animegan.errors import UserError
from animegan.grids import FACES_IN_GRID, GRID_COLUMNS
from animegan.runs import Run
from animegan.widgets.box import CONTROL, NAME_IN_FULL, PicturedBox, beside, image, jpeg, row, say, stacked, text

PLAY_MILLISECONDS = 800  # per epoch: long enough to look at one face


class EpochComparer(PicturedBox):
    """Two epochs of a run side by side, cell by cell from the same latent vectors.

    other: a second run for the right side, e.g. with another recipe. Raises UserError for a run without epochs.
    """

    def __init__(self, run: Run, other: Run | None = None):
        two = other is not None
        self.left = _Side("Left epoch", run, at_first=not two, name_recipe=two)
        self.right = _Side("Right epoch", other if two else run, at_first=False, name_recipe=two)
        slider = self.right.slider
        self.play = ipywidgets.Play(
            min=slider.min, max=slider.max, value=slider.value, interval=PLAY_MILLISECONDS, show_repeat=False
        )
        self.enlarge = ipywidgets.Checkbox(
            description="Enlarge one face", indent=False, style=NAME_IN_FULL, layout={"width": "auto"}
        )
        self.face = ipywidgets.IntSlider(
            1, 1, FACES_IN_GRID, description=f"Face (1 to {FACES_IN_GRID})", style=NAME_IN_FULL, layout=CONTROL
        )
        player = ipywidgets.HBox([text("Play the right epochs:"), self.play], layout={"align_items": "center"})
        super().__init__([row(self.left.box, self.right.box), row(player, self.enlarge, self.face)])
        self.left.slider.observe(lambda _: self._draw(self.left), "value")
        self.right.slider.observe(lambda _: self._draw(self.right), "value")
        ipywidgets.link((self.play, "value"), (self.right.slider, "value"))
        self.play.observe(self._from_start, "playing")
        self.enlarge.observe(lambda _: self._draw(), "value")
        self.face.observe(self._choose, "value")
        self._draw()

    def _from_start(self, change: dict[str, Any]) -> None:
        """Play from the first epoch if the slider is at the last."""
        if change["new"] and self.play.value == self.play.max:
            self.play.value = self.play.min

    def _choose(self, _change: dict[str, Any]) -> None:
        if self.enlarge.value:
            self._draw()
        else:
            self.enlarge.value = True  # which draws

    def _draw(self, *sides: "_Side") -> None:
        for side in sides or (self.left, self.right):
            side.draw(self.face.value if self.enlarge.value else None)

    def picture(self) -> Image.Image:
        """Both sides as one picture; of a grid, only a quarter: all of it would be too small to see."""
        return beside(self.left.picture(), self.right.picture())


class _Side:
    """One half of the comparer: a run, the slider for its epochs, and the picture."""

    def __init__(self, label: str, run: Run, at_first: bool, name_recipe: bool):
        self.run, self.epochs = run, run.epochs
        self.title = f"{run.path.name} ({run.config.recipe})" if name_recipe else run.path.name
        if not self.epochs:
            raise UserError(f"{run.path} has no epoch to compare yet: let it finish its first one.")
        first, last = self.epochs[0], self.epochs[-1]
        self.slider = ipywidgets.IntSlider(
            first if at_first else last, first, last, description=label, style=NAME_IN_FULL, layout={"width": "100%"}
        )
        self.heading, self.image = text(), image()
        self.name, self.shown, self.enlarged = "", Image.new("RGB", (1, 1)), False
        self.box = ipywidgets.VBox(
            [self.heading, self.image, self.slider],
            layout={"flex": "1 1 18em", "min_width": "0", "max_width": "40em", "overflow": "visible"},
        )

    def picture(self) -> Image.Image:
        if self.enlarged:
            return stacked(self.name, self.shown)
        quarter = tuple(part // 2 for part in self.shown.size)
        return stacked(f"{self.name} (16 of {FACES_IN_GRID} faces)", self.shown.crop((0, 0, *quarter)))

    def draw(self, face: int | None) -> None:
        """Show the grid, or one of its faces, 1 to 64, as large as the grid."""
        epoch = max(epoch for epoch in self.epochs if epoch <= self.slider.value)  # a grid may have been deleted
        self.name, self.enlarged = f"{self.title}, epoch {epoch}", face is not None
        try:
            self.shown = self.run.grid(epoch)
        except UserError as error:  # an exception in a callback would not reach the notebook
            say(self.heading, str(error), bold=True)
            return
        if face is not None:
            at_row, at_column = divmod(face - 1, GRID_COLUMNS)
            self.name += f", face {face} (row {at_row + 1}, column {at_column + 1})"
            self.shown = self.run.faces(epoch)[face - 1].resize(self.shown.size, Image.Resampling.BICUBIC)
        say(self.heading, self.name, bold=True)
        self.image.value = jpeg(self.shown)
