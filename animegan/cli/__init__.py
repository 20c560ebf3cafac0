"""The command line: it names things and calls them."""

from animegan.cli.app import main

__all__ = ["main"]
