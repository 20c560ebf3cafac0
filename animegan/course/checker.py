"""The checks of the notebooks' exercises: `check("03.1", answer)` prints one line and raises nothing.

    03.1 not attempted yet
    03.1 hint: a stride of 2 halves the size; yours gives 48 for ...
    03.1 correct

An exercise's check is a generator function in `checks/notebook_NN.py`, NN being the notebook's number. It
takes the student's answer (a function, a value, a tensor, a run) and yields pairs: whether one case
holds, and the hint for an answer that fails it. The first case that fails gives the hint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Importing a notebook's checks registers them.
from animegan.course.checks import (  # noqa: F401
    notebook_01,
    notebook_02,
    notebook_03,
    notebook_04,
    notebook_05,
    notebook_06,
    notebook_07,
)
from animegan.course.registry import CHECKS


def check(number: str, answer: Any = ...) -> None:
    """Print the verdict on a student's answer to exercise `number`.

    answer: what the exercise asks for. It counts as not attempted if it is `...`, or a function or a table that holds
        nothing but `...`.
    """
    print(f"{number} {verdict(number, answer)}")


def verdict(number: str, answer: Any) -> str:
    """`not attempted yet`, `hint: ...` or `correct`."""
    cases = CHECKS.get(number)
    if cases is None:
        return f"hint: there is no exercise {number}; choose one of {', '.join(sorted(CHECKS))}."
    if _is_blank(answer):
        return "not attempted yet"
    try:
        for holds, hint in cases(_StudentFunction(answer) if _is_function(answer) else answer):
            if not holds:
                return f"hint: {hint}"
    except _NotAttempted:
        return "not attempted yet"
    except _ReturnedNothing:
        return "hint: your function returns nothing: end it with a line `return ...` (print only shows a value)."
    except Exception as error:  # a student's code may raise anything, and the notebook must continue
        return f"hint: your answer raised {type(error).__name__}: {_one_line(error)}"
    return "correct"


class _NotAttempted(Exception):
    pass


class _ReturnedNothing(Exception):
    pass


class _StudentFunction:
    """The student's function, which may still be the stub that returns `...`."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        result = self.function(*arguments, **options)
        if _is_blank(result):
            raise _NotAttempted
        if result is None:
            raise _ReturnedNothing
        return result


def _is_function(answer: Any) -> bool:
    return callable(answer) and hasattr(answer, "__code__")


def _is_blank(answer: Any) -> bool:
    if isinstance(answer, tuple | list):
        return any(part is ... for part in answer)
    if isinstance(answer, dict):  # if some rows are filled in, the check names the others
        return bool(answer) and all(part is ... for part in answer.values())
    return answer is ...


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else "no message"
