"""The command line: it names things and calls them."""

from importlib import import_module
from typing import Any

_WHERE = {
    "main": "app",
}
__all__ = ["main"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `animegan --help` need not wait for more."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
