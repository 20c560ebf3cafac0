"""What an import has done so far, a line an entry: it can be stopped at any moment and gone on with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from animegan.errors import UserError
from animegan.files import write_whole
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
    box: tuple[int, int, int] | None = None
    sha256: str = ""
    hash: int = 0
    sharpness: float = 0.0
    bytes: int = 0  # of the file that it came from
    again: bool = False  # it could not be read: the next import tries once more
    leaving: bool = False  # its file is to be deleted: a duplicate


@dataclass
class Record:
    """An entry of a source, and what was found in it. `mode` says how: "whole", or "crop" and the margin."""

    source: str
    name: str
    stamp: str
    mode: str
    found: list[Found] = field(default_factory=list)

    @property
    def to_be_tried_again(self) -> bool:
        return any(found.again for found in self.found)


class Journal:
    """The records of a folder, in the order in which they were made; `add` is on the disk when it returns."""

    def __init__(self, path: Path):
        self.path, self.records = path, []
        try:
            self._read()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "ab")  # noqa: SIM115 - open as long as the journal is
        except OSError as error:
            raise UserError(
                f"{path.parent} cannot be written ({error.strerror or error}): give another --out."
            ) from error

    def _read(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):  # stopped in the middle of a line: that entry is done again
            with open(self.path, "r+b") as file:
                file.truncate(whole)
        try:
            for line in content[:whole].splitlines():
                self.records.append(_record(json.loads(line)))
            last = {(record.source, record.name): n for n, record in enumerate(self.records)}
            self.records = [  # what was tried again counts once
                record
                for n, record in enumerate(self.records)
                if not record.to_be_tried_again or last[record.source, record.name] == n
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                f"{self.path} is damaged: give another --out, or delete the folder and import once more."
            ) from error

    def add(self, record: Record) -> None:
        self.records.append(record)
        self._file.write(json.dumps(asdict(record)).encode("ascii") + b"\n")
        self._file.flush()

    def rewrite(self) -> None:
        """Write all records anew, after some of them were changed."""
        self._file.close()
        write_whole(self.path, b"".join(json.dumps(asdict(record)).encode("ascii") + b"\n" for record in self.records))
        self._file = open(self.path, "ab")  # noqa: SIM115 - open as long as the journal is

    def close(self) -> None:
        self._file.close()

    def pictures(self) -> Iterator[tuple[Record, Found]]:
        for record in self.records:
            for found in record.found:
                yield record, found

    def write_csv(self, path: Path) -> None:
        """All records as a table, a line a picture, for a person and for a spreadsheet."""
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        for record, found in self.pictures():
            row: dict[str, Any] = {"source": cell(record.source), "name": cell(record.name)}
            row |= {"status": found.status, "reason": cell(found.reason), "file": found.file, "sha256": found.sha256}
            if found.box:
                row |= dict(zip(("left", "top", "side"), found.box, strict=True))
            if found.sha256:
                row |= {"hash": f"{found.hash:016x}", "sharpness": f"{found.sharpness:.1f}"}
            table.writerow(row)
        write_whole(path, text.getvalue().encode("utf-8-sig"))  # Excel takes it for the system's code page without


def _record(values: dict[str, Any]) -> Record:
    found = [Found(**{**each, "box": tuple(each["box"]) if each["box"] else None}) for each in values.pop("found")]
    return Record(found=found, **values)


def cell(text: str) -> str:
    """On one line, and nothing that a spreadsheet would take for a formula."""
    text = printable(text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
