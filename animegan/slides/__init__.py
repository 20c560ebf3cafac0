"""A notebook becomes slides: a PowerPoint file, or one HTML file that opens without a network."""

from importlib import import_module
from typing import Any

_WHERE = {
    "OfflineSlidesExporter": "exporters",
    "PptxExporter": "exporters",
    "export": "exporters",
    "to_write": "exporters",
}
__all__ = ["OfflineSlidesExporter", "PptxExporter", "export", "to_write"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: JupyterLab lists the exporters at its start."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
