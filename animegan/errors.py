"""The one error that a user can mend.

Everything that a student can get wrong (a folder that is not there, a batch size of 0, a full
disk) raises `UserError` with one line: what is wrong, and what to do. The command line prints that
line and ends with status 2; in a notebook it is the last line of the traceback.
"""


class UserError(Exception):
    """A mistake that the user can mend; `str(error)` is one line that says how."""
