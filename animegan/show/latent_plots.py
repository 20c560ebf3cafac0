"""Pictures of latent space: lengths of z along a line and an arc, rows of faces, how well directions work."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from animegan.latent import Effect
from animegan.show.figures import BLUE, FADED, ON_PAPER, ORANGE, SMALL, despine, new_figure, to_picture
from animegan.show.pictures import Picture, face_picture
from animegan.show.sheets import faces_sheet

SIZE = 144  # pixels: height and width of a face in a row


def plot_lengths(z: Tensor, paths: Mapping[str, Tensor]) -> Picture:
    """The lengths of vectors z [N, nz, 1, 1], and the lengths along paths {name: [steps, nz, 1, 1]} between two."""
    figure, (lengths, along) = new_figure((9, 3.3), 1, 2, sharey=True)
    norms = z.flatten(1).norm(dim=1).numpy()
    lengths.hist(norms, 40, orientation="horizontal", color=BLUE)
    despine(lengths, f"lengths of {len(z):,} latent vectors", "number of vectors")
    lengths.set_ylim(0, 1.08 * norms.max())
    for (name, path), colour in zip(paths.items(), (ORANGE, BLUE, FADED), strict=False):
        t = np.linspace(0, 1, len(path))
        along.plot(t, path.flatten(1).norm(dim=1).numpy(), color=colour, marker="o", ms=4, label=name)
    despine(along, "length along the way from one vector to another", "fraction of the way")
    along.legend(**ON_PAPER, fontsize=SMALL, loc="lower right")
    return to_picture(figure)


def rows_picture(rows: Mapping[str, Tensor], heads: Sequence[str] = ()) -> Picture:
    """Rows of faces [N, 3, H, W] in [-1, 1], each with its label; `heads` are written above the columns."""
    pictures = [(name, [face_picture(face) for face in faces]) for name, faces in rows.items()]
    return faces_sheet([("", heads), *pictures] if heads else pictures, size=SIZE)


def plot_effects(effects: Mapping[tuple[str, str], Effect]) -> Picture:
    """For each direction: the share of faces that have its value after a move along it, and along random directions."""
    ordered = sorted(effects.items(), key=lambda item: item[1].along)
    figure, panel = new_figure((7, 0.9 + 0.27 * len(ordered)))
    places = np.arange(len(ordered))
    panel.barh(places, [effect.along for _, effect in ordered], 0.72, color=BLUE, label="along its direction")
    controls = [effect.control for _, effect in ordered]
    panel.barh(places, controls, 0.36, color=ORANGE, label="as far in random directions")
    panel.set_yticks(places, [f"{attribute}: {value}" for (attribute, value), _ in ordered])
    despine(panel, "share of the faces without a value that have it after a move")
    panel.grid(visible=False, axis="y")
    panel.set_xlim(0, 1)
    panel.xaxis.set_major_formatter(lambda share, _place: f"{share:.0%}")
    panel.legend(**ON_PAPER, fontsize=SMALL, loc="lower right")
    return to_picture(figure)
