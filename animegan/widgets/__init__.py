"""What one looks at, with sliders: boxes of ipywidgets that leave a picture where there is no kernel."""

from animegan.widgets.latent import LatentExplorer
from animegan.widgets.monitor import TrainingMonitor
from animegan.widgets.shapes import EpochComparer, ShapeExplorer

__all__ = ["EpochComparer", "LatentExplorer", "ShapeExplorer", "TrainingMonitor"]
