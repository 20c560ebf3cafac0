"""An import at work: every entry of every source is examined once, in threads, and recorded in a journal."""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from PIL import Image
from tqdm.auto import tqdm

from animegan.data import HIDDEN, KINDS, MAX_PIXELS, SHEET, SUFFIXES, TABLE, decode_picture
from animegan.errors import UserError
from animegan.files import write_whole
from animegan.sources.archives import DAMAGED, NESTED, Entry, Source, is_archive
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
PUT_BACK = "put back by hand"


@dataclass
class Summary:
    """What a data set holds after an import, with all earlier imports into it; `str()` sums it up."""

    folder: Path
    kept: int
    duplicates: int
    reasons: Counter
    new: int
    notes: list[str] = field(default_factory=list)

    @property
    def table(self) -> Path:
        """The CSV file with what became of every file."""
        return self.folder / TABLE

    @property
    def sheet(self) -> Path:
        """The contact sheet."""
        return self.folder / SHEET

    def __str__(self) -> str:
        pictures = "picture" if self.kept == 1 else "pictures"
        lines = [f"{printable(str(self.folder))}: {self.kept:,} {pictures} to use, {self.new:,} of them new"]
        lines += [f"  {count:>6,}  {reason}" for reason, count in self.reasons.most_common()]
        lines += [f"  {self.duplicates:>6,}  duplicate of a sharper picture, or of the same one"] * bool(
            self.duplicates
        )
        return "\n".join(lines + [f"  note: {printable(note)}" for note in self.notes])


class Import:
    """The data set in the folder `out`, open for more pictures; see `animegan.sources.import_pictures`."""

    def __init__(self, out: Path, finder, progress: bool, workers: int | None, leave_out: Callable[[str], str]):
        self.out, self.finder, self.progress, self.leave_out = out, finder, progress, leave_out
        self.pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
        self.faces, self.staged, self.aside = out / FACES, out / HIDDEN / "staged", out / HIDDEN / "aside"
        for folder in (self.faces, self.staged, self.aside):
            folder.mkdir(parents=True, exist_ok=True)
        self.mode = f"crop {finder.margin:g}" if finder else "whole"
        self.notes: list[str] = []
        self.lock = FileLock(out / HIDDEN / "lock")
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"another import into {out} is running: wait for it, or give another --out.") from None
        try:
            self.open()
        except BaseException:
            self.lock.release()
            raise

    def open(self) -> None:
        """Read what earlier imports did."""
        self.journal = Journal(self.out / HIDDEN / "journal.jsonl")
        records = self.journal.records
        if other := next((record.mode for record in records if record.mode != self.mode), None):
            raise UserError(
                f"{self.out} holds pictures that were imported another way ({other}; now: {self.mode}): "
                f"give another --out."
            )
        self.finish_interrupted()
        self.count_before = len(records)
        self.kept_before = sum(1 for _ in self.journal.found(KEPT))
        self.done = {(record.source, record.name, record.stamp) for record in records if not record.retry}
        self.by_name = {(record.source, record.name): record for record in records}
        self.first = {found.sha256: found.file for found in self.journal.found() if found.file}
        self.names = Names([*self.first.values(), *os.listdir(self.faces)])

    def finish_interrupted(self) -> None:
        """Finish what was interrupted: the journal says which files belong into the data set."""
        kept = {found.file for found in self.journal.found(KEPT)}
        for name in os.listdir(self.staged):
            if name in kept:
                os.replace(self.staged / name, self.faces / name)
            else:
                (self.staged / name).unlink()
        self.delete()

    def delete(self) -> None:
        """Delete the files of new duplicates; nothing else in the folder is ours to delete."""
        to_delete = [found for found in self.journal.found() if found.to_delete]
        for found in to_delete:
            (self.faces / found.file).unlink(missing_ok=True)
            found.to_delete = False
        if to_delete:
            self.journal.rewrite()

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.journal.close()
        self.lock.release()

    def add_source(self, source: Source) -> None:
        """Examine every entry that is new. Bytes are read here, one entry after the other; the threads decode them,
        a few at a time."""
        where, waiting, held = str(source.path.resolve()), deque(), 0
        with tqdm(source, desc=source.path.name, unit=" files", mininterval=0.5, disable=not self.progress) as bar:
            for entry in bar:
                record = Record(where, printable(entry.name), entry.stamp, self.mode)
                if (where, record.name, record.stamp) not in self.done:
                    self.done.add((where, record.name, record.stamp))
                    future, size = self.examine(entry)
                    waiting.append((record, safe_stem(entry.name), future, size))
                    held += size
                while len(waiting) > MAX_WAITING or (held > MAX_HELD and waiting):
                    *result, size = waiting.popleft()
                    self.record(*result)
                    held -= size
            for *result, _ in waiting:
                self.record(*result)
        self.notes += [source.note] * bool(source.note)

    def examine(self, entry: Entry) -> tuple[Future, int]:
        """What will be found in an entry, and how many of its bytes are in memory until then."""
        if refused := entry.refused or self.leave_out(entry.name):
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
        before = self.by_name.get((record.source, record.name))
        if before and [found.sha256 for found in before.found] == [found.sha256 for found, *_ in results] != [""]:
            before.stamp = record.stamp  # the file was touched, not changed
            return
        if before and before.retry:
            self.journal.records.remove(before)
        self.by_name[record.source, record.name] = record
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
        self.compare_with_folder()
        candidates = [*self.journal.found(KEPT, REMOVED)]
        pairs = _near_duplicates(candidates, threshold)
        is_changed = bool(pairs) or len(self.journal.records) > self.count_before or not (self.out / SHEET).exists()
        if is_changed:  # the sheet shows the duplicates of the last import that found something new
            write_whole(self.out / SHEET, self.sheet(candidates, pairs))
        for found, sharper in pairs:
            found.status, found.reason = DUPLICATE, f"shows the same as {sharper.file}, which is sharper"
            found.to_delete = True
        self.journal.rewrite()  # before anything is deleted, so that it is known as a duplicate
        self.delete()
        self.journal.write_csv(self.out / TABLE)
        statuses = Counter(found.status for found in self.journal.found())
        reasons = Counter(found.reason for found in self.journal.found(ASIDE, REMOVED))
        kept = statuses[KEPT]
        if statuses[REMOVED] > kept:
            self.notes.append(f"what was removed by hand stays out; to start over, delete the folder {self.out}")
        return Summary(self.out, kept, statuses[DUPLICATE], reasons, max(0, kept - self.kept_before), self.notes)

    def compare_with_folder(self) -> None:
        """Pictures that the user has removed stay out, and those that he has put back stay in."""
        there = set(os.listdir(self.faces))
        for found in self.journal.found():
            if found.file in there and found.status in (DUPLICATE, REMOVED):
                found.status, found.reason = KEPT, PUT_BACK
            elif found.file and found.file not in there and found.status == KEPT:
                found.status, found.reason = REMOVED, "not in the folder any more"

    def sheet(self, candidates: list[Found], pairs: list[tuple[Found, Found]]) -> bytes:
        """The contact sheet; the duplicates on it are those of this import, whose files still exist."""
        left_out = {id(found) for found, _ in pairs}
        kept = [self.faces / found.file for found in candidates if found.status == KEPT and id(found) not in left_out]
        statuses = Counter(found.status for found in self.journal.found())
        twins = [(self.faces / found.file, self.faces / sharper.file) for found, sharper in pairs]
        aside = sorted(self.aside.iterdir())
        return contact_sheet(kept, aside, statuses[ASIDE], twins, statuses[DUPLICATE] + len(pairs))


def _near_duplicates(candidates: list[Found], threshold: int) -> list[tuple[Found, Found]]:
    """(picture, the sharper one that shows the same), for pictures of the data set that the user has not put back."""
    hashes, sharpness, sizes = ([getattr(each, name) for each in candidates] for name in ("hash", "sharpness", "bytes"))
    same = duplicates(hashes, sharpness, sizes, threshold)
    pairs = [(candidates[number], candidates[sharper]) for number, sharper in same.items()]
    return [pair for pair in pairs if pair[0].status == KEPT and pair[0].reason != PUT_BACK]


# --- one entry, in a thread ---------------------------------------------------------------------------------

Result = list[tuple[Found, bytes, str]]  # what was found, the bytes of its file, their suffix


def _set_aside(reason: str, data: bytes = b"", retry: bool = False) -> Result:
    """The result for an entry without a usable picture, with a small copy for the contact sheet if `data` shows any."""
    small = io.BytesIO()
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data)) as image:
        if image.width * image.height <= MAX_PIXELS:
            image.draft("RGB", (2 * SIZE, 2 * SIZE))
            image = image.convert("RGB")
            image.thumbnail((SIZE, SIZE))
            image.save(small, "PNG")
    return [(Found(ASIDE, reason, retry=retry), small.getvalue(), ".png")]


def _examine(data: bytes, name: str, finder) -> Result:
    if is_archive(data):
        return _set_aside(NESTED)
    if finder is None:
        return _picture(data, name)
    whole = decode_picture(data, name, SIZE)
    if whole.pixels is None:
        return _set_aside(KINDS[whole.kinds[0]][0], data)
    try:
        crops = finder.crops(data)
    except Exception:  # a picture that can be decoded at a small size, but not completely
        return _set_aside(KINDS["corrupt"][0])
    results = []
    for box, crop in crops:
        results += _picture(crop, "face.png")
        found = results[-1][0]
        found.box, found.bytes = tuple(box), len(data)
    return results or _set_aside("no face was found in it", data)


def _picture(data: bytes, name: str) -> Result:
    picture = decode_picture(data, name, SIZE)
    if picture.pixels is None:
        return _set_aside(KINDS[picture.kinds[0]][0], data)
    seen = fingerprint(picture.pixels)
    if seen.contrast < FLAT:
        return _set_aside("nearly one colour: there is nothing to see", data)
    found = Found(
        KEPT, sha256=picture.digest.hex(), hash=seen.hash, sharpness=round(seen.sharpness, 3), bytes=len(data)
    )
    return [(found, data, SUFFIX[picture.format])]
