"""Pictures with sliders: boxes of ipywidgets that show a stored picture where no kernel runs."""

from animegan.widgets.epochs import EpochComparer
from animegan.widgets.latent import LatentExplorer
from animegan.widgets.monitor import TrainingMonitor
from animegan.widgets.shapes import ShapeExplorer

__all__ = ["EpochComparer", "LatentExplorer", "ShapeExplorer", "TrainingMonitor"]
