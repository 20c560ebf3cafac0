"""LatentExplorer: one face, moved along directions in latent space."""

import os
from collections.abc import Mapping
from pathlib import Path

import ipywidgets
import torch
from PIL import Image
from torch import Tensor

from animegan.errors import UserError
from animegan.files import write_picture
from animegan.latent import move, truncate
from animegan.measure import ATTRIBUTES, face_classifier
from animegan.models import generate, latent_vectors
from animegan.runs import Run
from animegan.show import face_picture
from animegan.widgets.box import PicturedBox, beside, image, jpeg, row, say, stacked, text

FARTHEST = 5.0  # along a direction: half the length of a typical z
LIMIT = "Truncation limit"
WIDEST = 3.0  # the limit of truncation: 3 of 1,000 numbers lie beyond it
SHOWN, STORED = 384, 288  # pixels: a face enlarged 4 times, and 3 times in the picture that a notebook stores
WIDE = {"width": "34em", "max_width": "100%"}
LETTER = 0.6  # em: how wide a letter of a label is at most, on average
Directions = Mapping[str | tuple[str, str], Tensor]
READ = ("hair colour", "hair style", "eye colour", "expression")


class LatentExplorer(PicturedBox):
    """One slider per direction, one for the limit of truncation, and buttons for another face and to save it.

    directions: {name: unit vector [nz]}, or what `Survey.directions` returns, {(attribute, value): unit vector}.
    folder: where the faces are saved, as face_001.png, face_002.png and so on; no file is overwritten.
    epoch: whose weights to use, by default the last. seed: of the first face. Raises UserError if there are no
    directions, if their length is not that of the run's z, or if there are no weights.
    """

    def __init__(
        self, run: Run, directions: Directions, folder: str | os.PathLike, epoch: int | None = None, seed: int = 0
    ):
        nz = run.config.nz
        if not directions:
            raise UserError("no direction to move along: give at least one, e.g. survey(...).directions().")
        if any(vector.shape != (nz,) for vector in directions.values()):
            raise UserError(f"a direction of this run is a vector of {nz} numbers: give directions found with it.")
        self.netG = run.generator(epoch if epoch is not None else max(run.with_weights, default=1))
        self.folder, self.seed, self.nz = Path(folder), seed, nz
        self.directions = torch.stack([vector.float() for vector in directions.values()])
        names = [name if isinstance(name, str) else ": ".join(name) for name in directions]
        label = LETTER * max(map(len, [*names, LIMIT]))  # the same for all, so that the zeros stand below one another
        self.sliders = tuple(_slider(name, 0.0, -FARTHEST, FARTHEST, label) for name in names)
        self.limit = _slider(LIMIT, WIDEST, 0.1, WIDEST, label)
        self.shuffle = _button("Shuffle", "another face")
        self.reset = _button("Reset", "move all sliders back to their start")
        self.save = _button("Save", f"write this face into {self.folder.name}")
        self.line, self.saved, self.before, self.image = text(bold=True), text(), image(), image()
        narrow = {"flex": "1 1 11em", "min_width": "0", "max_width": "18em"}
        sides = (("before", self.before), ("after", self.image))
        faces = [ipywidgets.VBox([text(name), face], layout=narrow) for name, face in sides]
        right = ipywidgets.VBox(
            [*self.sliders, self.limit, row(self.shuffle, self.reset, self.save)],
            layout={"flex": "2 1 22em", "min_width": "0", "overflow": "visible"},
        )
        super().__init__([self.line, row(*faces, right), self.saved])
        for slider in (*self.sliders, self.limit):
            slider.observe(lambda _: self._draw(), "value")
        self.shuffle.on_click(lambda _: self._another())
        self.reset.on_click(lambda _: self._back())
        self.save.on_click(lambda _: self._keep())
        self._draw()

    @property
    def z(self) -> Tensor:
        """The latent vector of the current face, [1, nz, 1, 1]: truncated first, then moved."""
        z = latent_vectors(1, self.nz, self.seed)
        if self.limit.value < WIDEST:
            z = truncate(z, self.limit.value)
        return move(z, torch.tensor([slider.value for slider in self.sliders]) @ self.directions, 1.0)

    def picture(self) -> Image.Image:
        """The current face, and the sliders that were moved."""
        moved = [f"{slider.description}  {slider.value:+.1f}" for slider in self.sliders if slider.value]
        if self.limit.value < WIDEST:
            moved.append(f"{self.limit.description}  {self.limit.value:.1f}")
        return stacked(
            self._sentence, beside(self._large(self._start, STORED), self._large(self._face, STORED)), *moved
        )

    def _draw(self) -> None:
        faces = generate(self.netG, torch.cat([latent_vectors(1, self.nz, self.seed), self.z]))
        self._start, self._face = map(face_picture, faces)
        read = face_classifier().read(faces)[1]
        values = [f"{name} {ATTRIBUTES[name][int(read[name][1])]}" for name in READ]
        self._sentence = f"Face {self.seed}, classified as: {', '.join(values)}"
        say(self.line, self._sentence, bold=True)
        self.before.value, self.image.value = (jpeg(self._large(face, SHOWN)) for face in (self._start, self._face))

    def _large(self, face: Image.Image, size: int) -> Image.Image:
        return face.resize((size, size), Image.Resampling.BICUBIC)

    def _another(self) -> None:
        self.seed += 1
        self._draw()

    def _back(self) -> None:
        for slider in self.sliders:
            slider.value = 0.0
        self.limit.value = WIDEST

    def _keep(self) -> None:
        """Save the face under the first free number."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = 1
            while (path := self.folder / f"face_{number:03d}.png").exists():
                number += 1
            write_picture(path, self._face)
            say(self.saved, f"Saved: {path.as_posix()}")
        except (UserError, OSError) as error:  # an exception in a callback would not reach the notebook
            say(self.saved, f"Not saved: {error}", bold=True)


def _slider(name: str, value: float, least: float, most: float, label: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value,
        min=least,
        max=most,
        step=0.1,
        description=name,
        style={"description_width": f"{label:.1f}em"},
        layout=WIDE,
        readout_format=".1f",
    )


def _button(name: str, tooltip: str) -> ipywidgets.Button:
    return ipywidgets.Button(description=name, tooltip=tooltip, layout={"width": "auto"})
