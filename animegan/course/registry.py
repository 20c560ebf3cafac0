"""The checks of the exercises, registered by the number of the exercise."""

from collections.abc import Callable, Iterator
from typing import Any

Case = tuple[bool, str]
CHECKS: dict[str, Callable[[Any], Iterator[Case]]] = {}


def exercise(number: str) -> Callable:
    """Decorate the check of exercise `number`, e.g. "03.1": notebook 03, first exercise."""

    def register(check: Callable[[Any], Iterator[Case]]):
        if number in CHECKS:
            raise ValueError(f"exercise {number} has a check already")
        CHECKS[number] = check
        return check

    return register
