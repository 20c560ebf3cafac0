"""A notebook becomes slides: a PowerPoint file, or one HTML file that opens without a network."""

from typing import Any

__all__ = ["OfflineSlidesExporter", "PptxExporter", "SlideDeck"]


def __getattr__(name: str) -> Any:
    """Import the exporters on first use: JupyterLab lists all of them when it starts."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from animegan.slides import exporters

    return getattr(exporters, name)
