"""The one error that a user can mend.

Everything that a student can get wrong (a folder that is not there, a batch size of 0, a full
disk) raises `UserError` with one line: what is wrong, and what to do. The command line prints that
line and ends with status 2; a notebook shows the line in place of a traceback.
"""


class UserError(Exception):
    """A mistake that the user can mend; `str(error)` is one line that says how."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of the traceback: forty lines of it would hide the one that helps."""
        return [f"animegan: {self}"]
