"""What an import has done so far, one line per entry, so that it can be interrupted and resumed at any time."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from animegan.files import build, reading, saving, write_whole
from animegan.sources.filenames import FORBIDDEN, UNSEEN
from animegan.text import printable

KEPT, ASIDE, DUPLICATE, REMOVED = "kept", "set aside", "duplicate", "removed by hand"
COLUMNS = ("source", "name", "status", "reason", "file", "left", "top", "side", "sha256", "hash", "sharpness")


@dataclass
class Found:
    """A picture that came out of an entry, or the reason why none did.

    `file` is its name in the folder `faces`; `box` where a face was cut out (left, top, side), in pixels of the whole
    picture. `hash` and `sharpness`: see `animegan.sources.duplicates`.
    """

    status: str
    reason: str = ""
    file: str = ""
    box: list[int] | None = None
    sha256: str = ""
    hash: Any = 0  # a whole number of 64 bits
    sharpness: float = 0.0
    bytes: int = 0  # of the file that it came from
    retry: bool = False  # it could not be read: the next import tries again


@dataclass
class Record:
    """An entry of a source, and what was found in it. `mode` says how: "whole", or "crop" and the margin."""

    source: str
    name: str
    stamp: str
    mode: str
    found: list[Found] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.source, self.name, self.stamp

    @property
    def retry(self) -> bool:
        return any(found.retry for found in self.found)


class Journal:
    """The records of a data set, in the order in which they were made; `add` returns when its line is written.

    `records` has them by their `key`; `latest` has the last one of each file, by source and name.
    """

    def __init__(self, path: Path):
        self.path = path
        self.records: dict[tuple[str, str, str], Record] = {}
        self.latest: dict[tuple[str, str], Record] = {}
        with reading(path, "give another --out, or delete the folder and import once more"):
            content = path.read_bytes() if path.exists() else b""
            complete = content.rfind(b"\n") + 1
            for line in content[:complete].splitlines():
                self._insert(_record(json.loads(line)))
        if complete < len(content):  # interrupted in the middle of a line: that entry is imported again
            with saving(path, "give another --out"):
                os.truncate(path, complete)

    def has(self, record: Record) -> bool:
        """Whether this entry is done; one that could not be read is to be tried again."""
        return record.key in self.records and not self.records[record.key].retry

    def _insert(self, record: Record) -> None:
        """Of an entry that was tried several times, only the last result counts."""
        before = self.latest.get((record.source, record.name))
        if before and before.retry:
            del self.records[before.key]
        self.records[record.key] = self.latest[record.source, record.name] = record

    def add(self, record: Record) -> None:
        self._insert(record)
        with open(self.path, "ab") as file:
            file.write(_line(record))

    def rewrite(self) -> None:
        """Write all records again, after some of them were changed."""
        write_whole(self.path, b"".join(map(_line, self.records.values())))

    def found(self, *statuses: str) -> Iterator[Found]:
        """What was found in all entries: all of it, or what has one of the statuses."""
        for record in self.records.values():
            yield from (found for found in record.found if not statuses or found.status in statuses)

    def write_csv(self, path: Path) -> None:
        """All records as a table, one row per picture."""
        rows = []
        for record in self.records.values():
            for found in record.found:
                hash_columns = (f"{found.hash:016x}", f"{found.sharpness:.1f}") if found.sha256 else ("", "")
                place = (found.status, found.reason, found.file, *(found.box or ("", "", "")))
                rows.append((record.source, record.name, *place, found.sha256, *hash_columns))
        write_spreadsheet(path, COLUMNS, rows)


def _line(record: Record) -> bytes:
    return json.dumps(vars(record) | {"found": [vars(found) for found in record.found]}).encode("ascii") + b"\n"


def _record(values: dict[str, Any]) -> Record:
    """The record of a line. In lines of earlier versions, `retry` is called `again`, and a duplicate may have a mark:
    its file is still to be deleted. It counts as kept then, until the pictures are compared again. Raises ValueError
    for what no import writes: a data set may come from a stranger, and the files of its journal are moved and deleted.
    """
    for each in values["found"]:
        if any([each.pop(mark, False) for mark in ("leaving", "to_delete")]):
            each["status"] = KEPT
        if "again" in each:
            each["retry"] = each.pop("again")
    record = build(Record, values, "a line")
    for found in record.found:
        is_known = found.status in ((KEPT, ASIDE, DUPLICATE, REMOVED) if found.file else (ASIDE, DUPLICATE))
        is_plain = not (found.file.startswith(".") or FORBIDDEN.search(found.file) or UNSEEN.search(found.file))
        is_hash = type(found.hash) is int and 0 <= found.hash < 2**64
        if not (is_known and is_plain and is_hash and (found.box is None or len(found.box) == 3)):
            raise ValueError(f"status is {found.status}, file is {found.file}, hash is {found.hash}")
    return record


def write_spreadsheet(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A CSV file for a person: every cell on one line, and none that a spreadsheet would take for a formula."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for row in rows:
        cells = [printable(value) for value in row]
        table.writerow([f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in cells])
    write_whole(path, text.getvalue().encode("utf-8-sig"))  # without the mark, Excel assumes the system's code page
