"""The one error that a user can fix.

Everything that a student can get wrong (a folder that does not exist, a batch size of 0, a full
disk) raises `UserError` with one line: what is wrong, and what to do. The command line prints that
line and exits with status 2; a notebook shows the line instead of a traceback.
"""

import importlib
from types import ModuleType

from animegan.text import printable


class UserError(Exception):
    """A mistake that the user can fix; `str(error)` is one line that says how, whatever a path in it contains."""

    def __init__(self, message: str):
        super().__init__(printable(message))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of the traceback: forty lines of it would hide the one that helps."""
        return [f"animegan: {self}"]


def require(module: str, extra: str, what: str) -> ModuleType:
    """Import a module of an optional package; without it, UserError with the command that installs it.

    extra: the package's group in pyproject.toml. what: what cannot be done without it, e.g. "FID".
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise UserError(f"{what} needs {missing}: pip install -e '.[{extra}]' installs it.") from error
