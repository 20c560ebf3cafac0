"""What one looks at, with sliders: boxes of ipywidgets that leave a picture where there is no kernel."""

from animegan.widgets.epochs import EpochComparer
from animegan.widgets.latent import LatentExplorer
from animegan.widgets.monitor import TrainingMonitor
from animegan.widgets.shapes import ShapeExplorer

__all__ = ["EpochComparer", "LatentExplorer", "ShapeExplorer", "TrainingMonitor"]
