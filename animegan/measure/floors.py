"""The distance of real images from others of their kind, measured once: the next run on them finds it beside them."""

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animegan.errors import UserError
from animegan.files import atomic_open, read_json
from animegan.measure import sliced_wasserstein as swd
from animegan.measure.sliced_wasserstein import Distance

VERSION = 1  # of the measurement: a new number makes all older floors stale
STEM = f".animegan-0-{0:016}"  # the name of a cache of `animegan.data`, which takes it for no picture; no size is 0


@dataclass
class Kept:
    """The content of the file: levels of distances, each by a hash of all that it depends on, and a hash of those."""

    floors: dict[str, list[float]]
    seal: str


class Floors:
    """The floors of two sets of images, uint8 [N, 3, S, S], by seed; kept in `folder`, if it can be written."""

    def __init__(self, folder: str | Path, *sets: np.ndarray):
        self.file = Path(os.path.expanduser(folder)) / f"{STEM}.json"
        sizes = (VERSION, swd.LEVELS, swd.PATCH, swd.PATCHES, swd.DIRECTIONS, swd.REPEATS)
        self.sets = [*sizes, *(hashlib.sha256(images.tobytes()).hexdigest() for images in sets)]

    def get(self, seed: int) -> Distance | None:
        """The floor of a seed, None if it was not kept."""
        levels = self._read().get(_hash([*self.sets, seed]))
        return Distance(tuple(levels), sum(levels) / len(levels)) if levels else None

    def keep(self, seed: int, floor: Distance) -> None:
        """Add a floor to the file."""
        floors = {**self._read(), _hash([*self.sets, seed]): list(floor.levels)}
        # A name of its own for each process: two may measure with the same images at the same time.
        part = self.file.with_name(f"{STEM}-{secrets.token_hex(4)}.tmp")
        with contextlib.suppress(OSError), atomic_open(self.file, part) as file:
            file.write(json.dumps({"floors": floors, "seal": _hash(floors)}).encode())

    def _read(self) -> dict[str, list[float]]:
        """The floors in the file; none if it is missing or damaged."""
        with contextlib.suppress(UserError):
            kept = read_json(self.file, Kept, "")
            if kept.seal == _hash(kept.floors):
                return kept.floors
        return {}


def _hash(value: list | dict) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
