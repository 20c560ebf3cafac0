"""The checks of the notebooks' exercises: `check("03.1", answer)` prints one line and raises nothing.

    03.1 not attempted yet
    03.1 hint: a stride of 2 halves the size; yours gives 48 for ...
    03.1 correct (5 of 41)

An exercise's check is a generator function in `checks/notebook_NN.py`, NN being the notebook's number. It
takes the student's answer (a function, a value, a tensor, a run) and yields pairs: whether one case
holds, and the hint for an answer that fails it. The first case that fails gives the hint.
"""

import importlib
from collections.abc import Callable
from typing import Any

from animegan.course.progress import add_solved, sign
from animegan.course.registry import CHECKS
from animegan.language import translated

for notebook in range(1, 8):
    importlib.import_module(f"animegan.course.checks.notebook_{notebook:02}")  # which registers its checks


def check(number: str, answer: Any = ...) -> None:
    """Print the verdict on a student's answer to exercise `number`; a correct one is remembered and counted.

    answer: what the exercise asks for. It counts as not attempted if it is `...`, or a function or a table that holds
        nothing but `...`.
    """
    found = verdict(number, answer)
    text = f"{found} ({add_solved(number)} of {len(CHECKS)})" if found == "correct" else found
    print(f"{sign(found)}{number} {translated(text)}")


def verdict(number: str, answer: Any) -> str:
    """`not attempted yet`, `hint: ...` or `correct`."""
    cases = CHECKS.get(number)
    if cases is None:
        return f"hint: there is no exercise {number}; choose one of {', '.join(sorted(CHECKS))}."
    if _is_blank(answer):
        return "not attempted yet"
    is_function = callable(answer) and hasattr(answer, "__code__")
    try:
        for holds, hint in cases(_of_a_student(answer) if is_function else answer):
            if not holds:
                return f"hint: {hint}"
    except _Verdict as early:
        return str(early)
    except Exception as error:  # a student's code may raise anything, and the notebook must continue
        lines = str(error).strip().splitlines() or ["no message"]
        return f"hint: your answer raised {type(error).__name__}: {lines[0][:160]}"
    return "correct"


class _Verdict(Exception):
    """The verdict, as its text, on a function that cannot be checked further."""


def _of_a_student(function: Callable) -> Callable:
    """The student's function, which may still be the stub that returns `...`."""

    def call(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        if _is_blank(result):
            raise _Verdict("not attempted yet")
        if result is None:
            raise _Verdict("hint: your function returns nothing: end it with `return ...` (print only shows a value).")
        return result

    return call


def _is_blank(answer: Any) -> bool:
    if isinstance(answer, tuple | list):
        return any(part is ... for part in answer)
    if isinstance(answer, dict):  # if some rows are filled in, the check names the others
        return bool(answer) and all(part is ... for part in answer.values())
    return answer is ...
