"""A grid of runs as its TOML file asks for it, and the CSV file of what was measured: see animegan.ablation."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import write_table
from animegan.recipes import get_recipe


class Row(NamedTuple):
    """A row of the grid; `options` are fields of TrainConfig."""

    name: str
    seeds: int
    options: dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """What a TOML file asks for. `path` is the file; results go beside it, with the suffix .csv."""

    path: Path
    rows: tuple[Row, ...]

    @property
    def results_path(self) -> Path:
        return self.path.with_suffix(".csv")

    @classmethod
    def read(cls, path: str | Path) -> Sweep:
        """Read a grid; UserError, with what to do, for anything in it that cannot be trained."""
        try:
            import tomllib
        except ModuleNotFoundError:  # Python 3.10
            import tomli as tomllib
        path = Path(path)
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}): name a TOML file.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is not TOML ({error}).") from error
        shared, rows = content.pop("options", {}), content.pop("row", [])
        if not (
            isinstance(shared, dict) and isinstance(rows, list) and rows and all(isinstance(r, dict) for r in rows)
        ):
            raise UserError(f"{path} needs one [[row]] or more, below [options] that all of them share.")
        if content:
            raise UserError(f"{path} takes [options] and [[row]], and nothing else; it has {', '.join(content)}.")
        grid = cls(path, tuple(_row(path, shared, row) for row in rows))
        names = [slug(row.name) for row in grid.rows]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path} has more than one row {twice[0]!r}: give each a name of its own.")
        return grid

    def row(self, name: str) -> Row:
        """The row of that name, or of its slug; UserError for one that there is not."""
        for row in self.rows:
            if name in (row.name, slug(row.name)):
                return row
        raise UserError(f"{self.path} has no row {name!r}; it has {', '.join(repr(row.name) for row in self.rows)}.")


def _row(path: Path, shared: dict, row: dict) -> Row:
    row = dict(row)
    name, seeds = row.pop("name", None), row.pop("seeds", 1)
    if not (isinstance(name, str) and slug(name)):
        raise UserError(f'{path}: a [[row]] without a name; give it one, e.g. name = "stable without flips".')
    if type(seeds) is not int or seeds < 1:
        raise UserError(f"{path}: row {name!r} has seeds = {seeds!r}; give a whole number of 1 or more.")
    for given in (shared, row):
        if not isinstance(given.get("set", {}), dict):
            raise UserError(f"{path}: row {name!r} has set = {given['set']!r}; write it as set = {{ flips = false }}.")
    options = {**shared, **row}
    options["changes"] = {**shared.get("set", {}), **row.get("set", {})}
    options.pop("set", None)
    if "seed" in options:
        raise UserError(f"{path}: row {name!r} sets seed; give seeds, how many: they are 0, 1, 2 ...")
    known = {option.name for option in fields(TrainConfig)}
    if unknown := sorted(set(options) - known):
        raise UserError(f"{path}: row {name!r} sets {unknown[0]}, which is no option of animegan train.")
    try:
        config = TrainConfig(**options)
        get_recipe(config.recipe, config.changes)
    except UserError as error:
        raise UserError(f"{path}: row {name!r}: {error}") from error
    return Row(name, seeds, options)


def slug(name: str) -> str:
    """The name as that of a folder."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


class Result(NamedTuple):
    """A line of the results: one run, measured after its last epoch.

    `swd` is the mean of its three levels; all are inf, and `fid` and `floor` nan, where training diverged.
    """

    row: str
    seed: int
    epoch: int
    count: int
    swd: float
    swd_96: float
    swd_48: float
    swd_24: float
    floor: float
    fid: float
    features: str
    images: int
    images_per_second: float
    timed_on: str
    command: str
    machine: str
    torch: str
    date: str


def read_results(grid: Sweep) -> list[Result]:
    """All that was measured so far, in the order of the grid."""
    order = [row.name for row in grid.rows]
    found = [result for result in read_all(grid) if result.row in order]
    return sorted(found, key=lambda r: (order.index(r.row), r.seed))


def read_all(grid: Sweep) -> list[Result]:
    """Also of rows that are in the grid no more: they may come back, and to measure them took hours."""
    path = grid.results_path
    if not path.is_file():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            kinds = get_type_hints(Result)
            return [Result(**{name: kind(line[name]) for name, kind in kinds.items()}) for line in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}): restore it, or delete it to measure anew.") from error


def write_results(grid: Sweep, results: list[Result]) -> None:
    """Write the CSV file anew."""
    write_table(grid.results_path, Result._fields, results)
