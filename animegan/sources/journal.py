"""What an import has done so far, one line per entry, so that it can be interrupted and resumed at any time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from animegan.errors import UserError
from animegan.files import saving, write_whole
from animegan.text import printable

KEPT, ASIDE, DUPLICATE, REMOVED = "kept", "set aside", "duplicate", "removed by hand"
COLUMNS = ("source", "name", "status", "reason", "file", "left", "top", "side", "sha256", "hash", "sharpness")
RENAMED = {"again": "retry", "leaving": "to_delete"}  # fields of `Found` in journals of earlier versions


@dataclass
class Found:
    """A picture that came out of an entry, or the reason why none did.

    `file` is its name in the folder `faces`; `box` where a face was cut out (left, top, side), in pixels of the whole
    picture. `hash` and `sharpness`: see `animegan.sources.duplicates`.
    """

    status: str
    reason: str = ""
    file: str = ""
    box: tuple[int, int, int] | None = None
    sha256: str = ""
    hash: int = 0
    sharpness: float = 0.0
    bytes: int = 0  # of the file that it came from
    retry: bool = False  # it could not be read: the next import tries again
    to_delete: bool = False  # its file is a duplicate that is still to be deleted


@dataclass
class Record:
    """An entry of a source, and what was found in it. `mode` says how: "whole", or "crop" and the margin."""

    source: str
    name: str
    stamp: str
    mode: str
    found: list[Found] = field(default_factory=list)

    @property
    def retry(self) -> bool:
        return any(found.retry for found in self.found)


class Journal:
    """The records of a data set, in the order in which they were made; `add` returns when its line is written."""

    def __init__(self, path: Path):
        self.path, self.records = path, []
        with saving(path, "give another --out"):
            self._read()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "ab")  # noqa: SIM115 - open as long as the journal is

    def _read(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):  # interrupted in the middle of a line: that entry is imported again
            with open(self.path, "r+b") as file:
                file.truncate(complete)
        try:
            records = [_record(json.loads(line)) for line in content[:complete].splitlines()]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{self.path} is damaged: give another --out, or delete the folder and import once more."
            ) from error
        last = {(record.source, record.name): record for record in records}
        # Of an entry that was tried several times, only the last result counts.
        self.records = [record for record in records if not record.retry or last[record.source, record.name] is record]

    def add(self, record: Record) -> None:
        self.records.append(record)
        self._file.write(_line(record))
        self._file.flush()

    def rewrite(self) -> None:
        """Write all records again, after some of them were changed."""
        self._file.close()
        write_whole(self.path, b"".join(map(_line, self.records)))
        self._file = open(self.path, "ab")  # noqa: SIM115 - open as long as the journal is

    def close(self) -> None:
        self._file.close()

    def found(self, *statuses: str) -> Iterator[Found]:
        """What was found in all entries: all of it, or what has one of the statuses."""
        for record in self.records:
            yield from (found for found in record.found if not statuses or found.status in statuses)

    def write_csv(self, path: Path) -> None:
        """All records as a table, one row per picture."""
        rows = []
        for record in self.records:
            for found in record.found:
                hash_columns = (f"{found.hash:016x}", f"{found.sharpness:.1f}") if found.sha256 else ("", "")
                place = (found.status, found.reason, found.file, *(found.box or ("", "", "")))
                rows.append((record.source, record.name, *place, found.sha256, *hash_columns))
        write_spreadsheet(path, COLUMNS, rows)


def _line(record: Record) -> bytes:
    return json.dumps(asdict(record)).encode("ascii") + b"\n"


def _record(values: dict[str, Any]) -> Record:
    found = [Found(**{RENAMED.get(name, name): value for name, value in each.items()}) for each in values.pop("found")]
    for each in found:
        each.box = tuple(each.box) if each.box else None
    return Record(found=found, **values)


def write_spreadsheet(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A CSV file for a person: every cell on one line, and none that a spreadsheet would take for a formula."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for row in rows:
        cells = [printable(str(value)) for value in row]
        table.writerow([f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in cells])
    write_whole(path, text.getvalue().encode("utf-8-sig"))  # without the mark, Excel assumes the system's code page
