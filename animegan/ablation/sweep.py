"""A sweep of runs as its TOML file describes it, and the CSV file of its results: see animegan.ablation."""

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.files import WRONG_CONTENT, read_table, reading, saving, write_table
from animegan.runs import settings


class Row(NamedTuple):
    """A row of the sweep; `options` are fields of TrainConfig."""

    name: str
    seeds: int
    options: dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """The contents of a TOML file. `path` is the file; results go beside it, with the suffix .csv."""

    path: Path
    rows: tuple[Row, ...]

    @property
    def results_path(self) -> Path:
        return self.path.with_suffix(".csv")

    @classmethod
    def read(cls, path: str | Path) -> "Sweep":
        """Read a sweep; UserError, with what to do, for anything in it that cannot be trained."""
        try:
            import tomllib
        except ModuleNotFoundError:  # Python 3.10
            import tomli as tomllib  # pyright: ignore[reportMissingImports]
        path = Path(path)
        with reading(path, "name a TOML file"):
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        shared, rows = content.pop("options", {}), content.pop("row", [])
        if not (isinstance(shared, dict) and isinstance(rows, list) and rows and all(type(r) is dict for r in rows)):
            raise UserError(f"{path} needs one or more [[row]], below [options] that all of them share.")
        if content:
            raise UserError(f"{path} takes [options] and [[row]], and nothing else; it has {', '.join(content)}.")
        made: list[Row] = []
        for row in rows:
            made.append(_row(path, shared, made, row))
        sweep = cls(path, tuple(made))
        names = [slug(row.name) for row in sweep.rows]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path} has more than one row {repeated[0]!r}: give each its own name.")
        return sweep

    def row(self, name: str) -> Row:
        """The row of that name or slug; UserError if there is none."""
        for row in self.rows:
            if name in (row.name, slug(row.name)):
                return row
        raise UserError(f"{self.path} has no row {name!r}; it has {', '.join(repr(row.name) for row in self.rows)}.")


def _row(path: Path, shared: dict, above: list[Row], row: dict) -> Row:
    options = dict(row)
    name, seeds, like = options.pop("name", None), options.pop("seeds", 1), options.pop("like", None)
    if not (isinstance(name, str) and 1 <= len(slug(name).strip(".")) <= 100):  # it becomes the name of a folder
        raise UserError(f'{path}: a [[row]] has no name of 1 to 100 letters; e.g. name = "stable without flips".')
    if type(seeds) is not int or not 1 <= seeds <= 1000:
        raise UserError(f"{path}: row {name!r} has seeds = {seeds!r:.40}; give a whole number from 1 to 1000.")
    if like is not None:
        known = {row.name: {**row.options, "set": row.options["changes"]} for row in above}
        if not (isinstance(like, str) and like in known):
            raise UserError(f"{path}: row {name!r} has like = {like!r:.100}; give the name of a row above it.")
        shared = known[like]
    for table in (shared, row):
        if not isinstance(table.get("set", {}), dict):
            raise UserError(f"{path}: row {name!r} has set = {table['set']!r}; write it as set = {{ flips = false }}.")
    options = {**shared, **options, "changes": {**shared.get("set", {}), **row.get("set", {})}}
    options.pop("set", None)
    if "seed" in options:
        raise UserError(f"{path}: row {name!r} sets seed; give seeds, the number of seeds: they are 0, 1, 2 ...")
    if unknown := sorted(set(options) - {option.name for option in fields(TrainConfig)}):
        raise UserError(f"{path}: row {name!r} sets {unknown[0]}, which is not an option of animegan train.")
    try:
        settings(TrainConfig(**options))  # checks the ranges, also of ingredients
    except (UserError, *WRONG_CONTENT) as error:  # e.g. a list where a word should be, a number of 400 digits
        raise UserError(f"{path}: row {name!r}: {error!s:.300}") from error
    return Row(name, seeds, options)


def slug(name: str) -> str:
    """The name in the form of a folder's name."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


class Result(NamedTuple):
    """One line of the results: one run, measured after its last epoch, on `count` fakes.

    `swd` is the mean of its three levels. If training diverged, all are inf, and `fid` and `floor` are nan.
    """

    row: str
    seed: int
    epoch: int
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  (it is a column of the CSV file)
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


def read_results(sweep: Sweep) -> list[Result]:
    """All results so far, in the order of the sweep."""
    order = [row.name for row in sweep.rows]
    results = [result for result in read_all(sweep) if result.row in order]
    return sorted(results, key=lambda result: (order.index(result.row), result.seed))


def read_all(sweep: Sweep) -> list[Result]:
    """Also the results of rows that are no longer in the sweep: they may come back, and measuring them took hours."""
    path = sweep.results_path
    if not path.is_file():
        return []
    fix = "restore it, or delete it to measure again"
    results = read_table(path, Result, fix, finite=False)
    runs = {(result.row, result.seed) for result in results if _is_possible(result)}
    if len(runs) < len(results):
        raise UserError(f"{path} is damaged (a run is there twice, or has impossible figures): {fix}.")
    return results


def _is_possible(result: Result) -> bool:
    """Whether a run that was measured, or has diverged, can have these figures."""
    figures = (result.swd, result.swd_96, result.swd_48, result.swd_24)
    has_diverged = all(figure == math.inf for figure in figures)
    is_measured = all(0 <= figure < 1e9 for figure in (*figures, result.floor))
    return (has_diverged or is_measured) and 0 <= result.images_per_second < math.inf


def write_results(sweep: Sweep, results: list[Result]) -> None:
    """Rewrite the CSV file; UserError if that fails."""
    with saving(sweep.results_path):
        write_table(sweep.results_path, Result._fields, results)
