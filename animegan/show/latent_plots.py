"""Pictures of latent space: lengths of z on a line and on an arc, rows of faces, how well directions work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from animegan.latent import Effect
from animegan.show.figures import BLUE, FADED, INK, ON_PAPER, ORANGE, PAPER, despine, new_figure, to_picture
from animegan.show.pictures import Picture, face_picture, font_for

SMALL = 10  # points
SIZE, GAP = 72, 3  # pixels of a face in a row, and between two


def plot_lengths(z: Tensor, ways: Mapping[str, Tensor]) -> Picture:
    """How long the vectors z [N, nz, 1, 1] are, and beside it the lengths along ways {name: [steps, nz, 1, 1]}."""
    figure = new_figure((9, 3.3))
    lengths, along = figure.subplots(1, 2, sharey=True)
    norms = z.flatten(1).norm(dim=1).numpy()
    lengths.hist(norms, 40, orientation="horizontal", color=BLUE)
    lengths.set_title(f"lengths of {len(z):,} latent vectors", loc="left", fontsize=SMALL, color=INK)
    lengths.set_xlabel("how many of them", fontsize=SMALL, color=INK)
    lengths.set_ylim(0, 1.08 * norms.max())
    for (name, way), colour in zip(ways.items(), (ORANGE, BLUE, FADED), strict=False):
        t = np.linspace(0, 1, len(way))
        along.plot(t, way.flatten(1).norm(dim=1).numpy(), color=colour, marker="o", ms=4, label=name)
    along.set_title("length on the way from one to another", loc="left", fontsize=SMALL, color=INK)
    along.set_xlabel("part of the way", fontsize=SMALL, color=INK)
    along.legend(**ON_PAPER, fontsize=SMALL, loc="lower right")
    for panel in (lengths, along):
        despine(panel)
    return to_picture(figure)


def rows_picture(rows: Mapping[str, Tensor], heads: Sequence[str] = ()) -> Picture:
    """Rows of faces [N, 3, 96, 96] in [-1, 1], each with its label; `heads` are written above the columns."""
    names = list(rows)
    font, small = font_for(16, names), font_for(14, heads)
    left = 20 + round(max(font.getlength(name) for name in names))
    top = 26 if heads else GAP
    columns = max(map(len, rows.values()))
    sheet = Image.new("RGB", (left + columns * (SIZE + GAP), top + len(rows) * (SIZE + GAP)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        pen.text((left + column * (SIZE + GAP) + SIZE / 2, top / 2), head, FADED, small, anchor="mm")
    for row, (name, faces) in enumerate(rows.items()):
        y = top + row * (SIZE + GAP)
        pen.text((8, y + SIZE / 2), name, INK, font, anchor="lm")
        for column, face in enumerate(faces):
            shown = face_picture(face).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
            sheet.paste(shown, (left + column * (SIZE + GAP), y))
    return Picture(sheet)


def plot_effects(effects: Mapping[tuple[str, str], Effect]) -> Picture:
    """For each direction: the share of faces that have its value after a move along it, and along random ones."""
    found = sorted(effects.items(), key=lambda item: item[1].along)
    figure = new_figure((7, 0.9 + 0.27 * len(found)))
    panel = figure.subplots()
    places = np.arange(len(found))
    panel.barh(places, [effect.along for _, effect in found], 0.72, color=BLUE, label="along its direction")
    panel.barh(places, [effect.control for _, effect in found], 0.36, color=ORANGE, label="as far in random ones")
    panel.set_yticks(places, [f"{attribute}: {value}" for (attribute, value), _ in found])
    despine(panel)
    panel.grid(visible=False, axis="y")
    panel.set_xlim(0, 1)
    panel.xaxis.set_major_formatter(lambda share, _place: f"{share:.0%}")
    panel.set_title(
        "of faces that lacked a value, how many have it after a move", loc="left", fontsize=SMALL, color=INK
    )
    panel.legend(**ON_PAPER, fontsize=SMALL, loc="lower right")
    return to_picture(figure)
