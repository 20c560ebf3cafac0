"""A notebook becomes slides: a PowerPoint file, or one HTML file that opens without a network."""

from typing import Any

from animegan.errors import require

__all__ = ["OfflineSlidesExporter", "PptxExporter", "SlideDeck"]


def __getattr__(name: str) -> Any:
    """Import the exporters on first use: JupyterLab lists all of them when it starts."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(require(f"{__name__}.exporters", "notebooks", "a deck of slides"), name)
