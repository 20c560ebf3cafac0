"""An import at work: every entry of every source is examined once, in threads, and recorded in a journal."""

import contextlib
import io
import os
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from animegan.data import HIDDEN, KINDS, SHEET, SUFFIXES, TABLE, decode_picture, opened, other_format
from animegan.errors import UserError
from animegan.files import write_whole
from animegan.sources.archives import DAMAGED, NESTED, Entry, Source, kind_of_archive
from animegan.sources.contact_sheet import contact_sheet
from animegan.sources.duplicates import FLAT, duplicates, fingerprint
from animegan.sources.filenames import Names, safe_stem
from animegan.sources.journal import ASIDE, DUPLICATE, KEPT, REMOVED, Found, Journal, Record
from animegan.text import printable

SIZE = 96  # pixels: pictures are compared in the size in which the networks see them
THRESHOLD = 4  # of 64 bits; on 6,144 real faces, pairs up to 4 apart were the same drawing, pairs at 8 mostly not
SUFFIX = {name: end for end, name in reversed(SUFFIXES.items())} | {"JPEG": ".jpg", "TIFF": ".tif", "PPM": ".ppm"}
MAX_WAITING, MAX_HELD = 32, 256 * 2**20  # entries, and their bytes, that are read but not yet recorded
SHOWN_ASIDE = 40  # pictures on the contact sheet
FACES = "faces"
PUT_BACK, GONE = "put back by hand", "not in the folder any more"
BY_HAND = {  # (status, whether the file is in the folder) -> the new status, and why
    (KEPT, False): (REMOVED, GONE),
    (DUPLICATE, True): (KEPT, PUT_BACK),
    (REMOVED, True): (KEPT, PUT_BACK),
}


@dataclass
class Summary:
    """What a data set holds after an import, with all earlier imports into it; `str()` sums it up."""

    folder: Path
    kept: int
    duplicates: int
    reasons: Counter
    new: int
    notes: list[str]  # what is wrong with the sources

    @property
    def table(self) -> Path:
        return self.folder / TABLE

    @property
    def sheet(self) -> Path:
        return self.folder / SHEET

    def __str__(self) -> str:
        pictures = "picture" if self.kept == 1 else "pictures"
        lines = [f"{printable(str(self.folder))}: {self.kept:,} {pictures} to use, {self.new:,} of them new"]
        reasons = self.reasons.most_common()
        reasons += [("duplicate of a sharper picture, or of the same one", self.duplicates)] * bool(self.duplicates)
        lines += [f"  {count:>6,}  {printable(reason)}" for reason, count in reasons]
        removed = f"what was removed by hand stays out; to start over, delete the folder {self.folder}"
        notes = self.notes + [removed] * (self.reasons[GONE] > self.kept)
        return "\n".join(lines + [f"  note: {printable(note)}" for note in notes])


class Import:
    """The data set in the folder `out`, open for more pictures; see `animegan.sources.import_pictures`.

    A picture is in the data set if the journal says so. Its file waits in the folder `staged` while the journal is
    written: before it is moved into `faces`, and before it is deleted as a duplicate. `settle` does the rest.
    """

    def __init__(self, out: Path, finder, progress: bool, pool: Executor, leave_out: Callable | None):
        self.out, self.finder, self.progress, self.pool, self.leave_out = out, finder, progress, pool, leave_out
        self.faces, self.staged, self.aside = out / FACES, out / HIDDEN / "staged", out / HIDDEN / "aside"
        for folder in (self.faces, self.staged, self.aside):
            folder.mkdir(parents=True, exist_ok=True)
        self.mode = f"crop {finder.margin:g}" if finder else "whole"
        self.notes: list[str] = []
        self.journal = Journal(out / HIDDEN / "journal.jsonl")
        if others := {record.mode for record in self.journal.records.values()} - {self.mode}:
            ways = f"{others.pop()}; now: {self.mode}"
            raise UserError(f"{out} holds pictures that were imported another way ({ways}): give another --out.")
        self.settle()
        self.compare_with_folder()
        self.before, self.kept_before = self.statuses(), self.kept()
        self.first = {found.sha256: found.file for found in self.journal.found() if found.file}
        self.names = Names([*self.first.values(), *os.listdir(self.faces)])

    def settle(self) -> None:
        """Empty the folder `staged`, also after an interruption: the journal says which files are in the data set."""
        kept = self.kept()
        for path in self.staged.iterdir():
            if path.name in kept:
                os.replace(path, self.faces / path.name)
            else:
                path.unlink()

    def compare_with_folder(self) -> None:
        """Pictures that the user has removed stay out, and those that he has put back stay in."""
        there = set(os.listdir(self.faces))
        for found in self.journal.found():
            if found.file and (change := BY_HAND.get((found.status, found.file in there))):
                found.status, found.reason = change

    def kept(self) -> set[str]:
        return {found.file for found in self.journal.found(KEPT)}

    def statuses(self) -> Counter[str]:
        return Counter(found.status for found in self.journal.found())

    def add_source(self, source: Source) -> None:
        """Examine every entry that is new. Bytes are read here, one entry after the other; the threads decode them,
        a few at a time."""
        where, name, waiting = str(source.path.resolve()), printable(source.path.name), deque()
        with tqdm(source, desc=name, unit=" files", mininterval=0.5, disable=not self.progress) as bar:
            for entry in bar:
                record = Record(where, printable(entry.name), entry.stamp, self.mode)
                if not self.journal.has(record):
                    waiting.append((record, safe_stem(entry.name), *self.examine(entry)))
                while len(waiting) > MAX_WAITING or sum(size for *_, size in waiting) > MAX_HELD:
                    self.record(*waiting.popleft()[:3])
            for *result, _ in waiting:
                self.record(*result)
        self.notes += [source.note] * bool(source.note)

    def examine(self, entry: Entry) -> tuple[Future, int]:
        """What will be found in an entry, and how many of its bytes are in memory until then."""
        if refused := entry.refused or (self.leave_out and self.leave_out(entry.name)):
            return self.pool.submit(_set_aside, refused, retry=entry.retry), 0
        try:
            data = entry.read()
        except PermissionError:
            return self.pool.submit(_set_aside, "cannot be opened: you may not read it", retry=True), 0
        except DAMAGED as error:
            reason = f"cannot be read ({type(error).__name__}): damaged in its source"
            return self.pool.submit(_set_aside, reason, retry=True), 0
        return self.pool.submit(_examine, data, entry.name, self.finder), len(data)

    def record(self, record: Record, stem: str, future: Future) -> None:
        """Record what was found in an entry, and move its pictures into the data set: all of them or none."""
        results = future.result()
        if self.journal.has(record):
            return  # the archive has this entry twice
        before = self.journal.latest.get((record.source, record.name))
        if before and [found.sha256 for found in before.found] == [found.sha256 for found, *_ in results] != [""]:
            self.journal.records[record.key] = self.journal.records.pop(before.key)
            before.stamp = record.stamp  # the file was touched, not changed
            return
        for number, (found, data, suffix) in enumerate(results, 1):
            record.found.append(found)
            if found.status == ASIDE:
                if data and (count := len(os.listdir(self.aside))) < SHOWN_ASIDE:
                    write_whole(self.aside / f"{count:03}.png", data)
            elif same := self.first.get(found.sha256):
                found.status, found.reason = DUPLICATE, f"the same bytes as {same}"
            else:
                found.file = self.names.new(f"{stem} face {number}" if number > 1 else stem, suffix)
                self.first[found.sha256] = found.file
                write_whole(self.staged / found.file, data)
        self.journal.add(record)
        for found in record.found:
            if found.file:
                os.replace(self.staged / found.file, self.faces / found.file)

    def deduplicate(self, threshold: int) -> Summary:
        """Remove near-duplicates from the data set, and sum up what it holds."""
        pairs = duplicates([*self.journal.found(KEPT, REMOVED)], threshold)
        # What the user has put back by hand is no duplicate.
        pairs = [pair for pair in pairs if pair[0].status == KEPT and pair[0].reason != PUT_BACK]
        for found, sharper in pairs:
            found.status, found.reason = DUPLICATE, f"shows the same as {sharper.file}, which is sharper"
        statuses = self.statuses()
        # The sheet shows the duplicates of the last import that found something new, whose files still exist.
        if statuses != self.before or not (self.out / SHEET).exists():
            kept = [self.faces / found.file for found in self.journal.found(KEPT)]
            twins = [(self.faces / found.file, self.faces / sharper.file) for found, sharper in pairs]
            sheet = contact_sheet(kept, sorted(self.aside.iterdir()), statuses[ASIDE], twins, statuses[DUPLICATE])
            write_whole(self.out / SHEET, sheet)
        for found, _ in pairs:  # nothing else in the folder is ours to delete
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.faces / found.file, self.staged / found.file)
        self.journal.rewrite()
        self.settle()
        self.journal.write_csv(self.out / TABLE)
        reasons = Counter(found.reason for found in self.journal.found(ASIDE, REMOVED))
        new = len(self.kept() - self.kept_before)
        return Summary(self.out, statuses[KEPT], statuses[DUPLICATE], reasons, new, self.notes)


# --- one entry, in a thread ---------------------------------------------------------------------------------

Result = tuple[Found, bytes, str]  # what was found, the bytes of its file, their suffix


def _set_aside(reason: str, data: bytes = b"", retry: bool = False) -> list[Result]:
    """The result for an entry without a usable picture, with a small copy for the contact sheet if `data` shows any."""
    small = io.BytesIO()
    with contextlib.suppress(Exception):
        image = opened(data, 2 * SIZE)
        image.thumbnail((SIZE, SIZE))
        image.save(small, "PNG")
    return [(Found(ASIDE, reason, retry=retry), small.getvalue(), ".png")]


def _examine(data: bytes, name: str, finder) -> list[Result]:
    if kind_of_archive(data) and not other_format(data):
        return _set_aside(NESTED)
    if finder is None or decode_picture(data, name, SIZE).pixels is None:
        return _picture(data, name)
    try:
        crops = finder.crops(data)
    except Exception:  # a picture that can be decoded at a small size, but not completely
        return _set_aside(KINDS["corrupt"][0])
    results = []
    for box, crop in crops:
        results += _picture(crop, "face.png", box=[*box], bytes=len(data))
    return results or _set_aside("no face was found in it", data)


def _picture(data: bytes, name: str, **facts: Any) -> list[Result]:
    """The result for a picture that stays whole, or for one face of it; facts: what else `Found` is to say."""
    picture = decode_picture(data, name, SIZE)
    if picture.pixels is None:
        other = other_format(data)
        return _set_aside(other or KINDS[picture.kinds[0]][0], data, retry="pip install" in other)
    hash, sharpness, contrast = fingerprint(picture.pixels)
    if contrast < FLAT:
        return _set_aside("nearly one colour: there is nothing to see", data)
    facts = {"bytes": len(data), **facts}
    found = Found(KEPT, sha256=picture.digest.hex(), hash=hash, sharpness=round(sharpness, 3), **facts)
    return [(found, data, SUFFIX[picture.format])]
