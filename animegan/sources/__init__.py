"""Where real faces come from: archives, downloads, crawls and crops become a folder of pictures."""

from importlib import import_module
from typing import Any

_WHERE = {
    "FaceFinder": "face_finder", "Summary": "import_job", "crawl_pictures": "importing", "default_out": "importing",
    "get": "importing", "import_pictures": "importing", "listing": "public_sets",
}  # fmt: skip
__all__ = ["FaceFinder", "Summary", "crawl_pictures", "default_out", "get", "import_pictures", "listing"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: each source has libraries of its own."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
