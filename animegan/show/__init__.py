"""Everything to look at: sheets of faces, curves, bars and films."""

from animegan.show.diagrams import (
    fid_diagram,
    game_diagram,
    networks_diagram,
    precision_recall_diagram,
    swd_diagram,
)  # fmt: skip
from animegan.show.epochs import compare_epochs, faces_over_epochs
from animegan.show.figures import FADED, INK, PAPER
from animegan.show.films import Film, growth, walk
from animegan.show.history import plot_history, plot_steps
from animegan.show.latent_plots import plot_effects, plot_lengths, rows_picture
from animegan.show.metric_plots import (
    neighbours_picture,
    plot_coverage,
    plot_evaluation,
    plot_neighbours,
    plot_standings,
)  # fmt: skip
from animegan.show.overlap import OVERLAP_INPUT, overlap_counts, overlap_picture
from animegan.show.pictures import MAX_BYTES, Picture, encoded, face_picture, font_for, in_notebook, on_picture
from animegan.show.sheets import judging_sheets

__all__ = [
    "FADED", "INK", "MAX_BYTES", "OVERLAP_INPUT", "PAPER", "Film", "Picture", "compare_epochs", "encoded",
    "face_picture", "faces_over_epochs", "fid_diagram", "font_for", "game_diagram", "growth", "in_notebook",
    "judging_sheets", "neighbours_picture", "networks_diagram", "on_picture", "overlap_counts", "overlap_picture",
    "plot_coverage", "plot_effects", "plot_evaluation", "plot_history", "plot_lengths", "plot_neighbours",
    "plot_standings", "plot_steps", "precision_recall_diagram", "rows_picture", "swd_diagram", "walk",
]  # fmt: skip
