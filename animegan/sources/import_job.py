"""An import at work: every entry of every source is looked at once, in threads, and written down in a journal."""

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
from animegan.sources.duplicates import FLAT, duplicates, look
from animegan.sources.filenames import Names, safe_stem
from animegan.sources.journal import ASIDE, DUPLICATE, KEPT, REMOVED, Found, Journal, Record
from animegan.text import printable

SIZE = 96  # pixels: pictures are compared in the size in which the networks see them
THRESHOLD = 4  # of 64 bits; on 6,144 real faces the pairs up to 4 apart were the same drawing, those at 8 mostly not
SUFFIX = {name: end for end, name in reversed(SUFFIXES.items())} | {"JPEG": ".jpg", "TIFF": ".tif", "PPM": ".ppm"}
MAX_WAITING, MAX_HELD = 32, 256 * 2**20  # entries, and their bytes, that are read but not yet judged
SHOWN_ASIDE = 40  # pictures on the contact sheet
FACES = "faces"
PUT_BACK = "put back by hand"


@dataclass
class Summary:
    """What an import made of its sources, all imports into that folder counted; `str()` sums it up."""

    folder: Path
    kept: int
    duplicates: int
    reasons: Counter
    new: int
    notes: list[str] = field(default_factory=list)

    @property
    def table(self) -> Path:
        """What became of every file, as CSV."""
        return self.folder / TABLE

    @property
    def sheet(self) -> Path:
        """The contact sheet."""
        return self.folder / SHEET

    def __str__(self) -> str:
        pictures = "picture" if self.kept == 1 else "pictures"
        lines = [f"{printable(str(self.folder))}: {self.kept:,} {pictures} to use, {self.new:,} of them new"]
        lines += [f"  {count:>6,}  {reason}" for reason, count in self.reasons.most_common()]
        lines += [f"  {self.duplicates:>6,}  duplicate of a sharper picture, or of the same"] * bool(self.duplicates)
        return "\n".join(lines + [f"  note: {printable(note)}" for note in self.notes])


class Import:
    """The data set in the folder `out`, open for more; see `animegan.sources.import_pictures`."""

    def __init__(self, out: Path, finder, progress: bool, workers: int | None, leave_out: Callable[[str], str]):
        self.out, self.finder, self.progress, self.leave_out = out, finder, progress, leave_out
        self.pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
        self.faces, self.staged, self.aside = out / FACES, out / HIDDEN / "staged", out / HIDDEN / "aside"
        for folder in (self.faces, self.staged, self.aside):
            folder.mkdir(parents=True, exist_ok=True)
        self.mode = f"crop {finder.margin:g}" if finder else "whole"
        self.lock = FileLock(out / HIDDEN / "lock")
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"another import into {out} is at work: wait for it, or give another --out.") from None
        try:
            self.open()
        except BaseException:
            self.lock.release()
            raise

    def open(self) -> None:
        """Read what was done before."""
        self.journal = Journal(self.out / HIDDEN / "journal.jsonl")
        if other := next((record.mode for record in self.journal.records if record.mode != self.mode), None):
            raise UserError(
                f"{self.out} holds pictures that were imported another way ({other}; now: {self.mode}): "
                f"give another --out."
            )
        self.known = len(self.journal.records)
        self.recover()
        records = [record for record in self.journal.records if not record.to_be_tried_again]
        self.done = {(record.source, record.name, record.stamp) for record in records}
        self.by_name = {(record.source, record.name): record for record in self.journal.records}
        files = [found.file for _, found in self.journal.pictures() if found.file]
        self.names = Names([*files, *os.listdir(self.faces)])
        self.first = {found.sha256: found.file for _, found in self.journal.pictures() if found.file}
        self.notes: list[str] = []
        self.before = sum(found.status == KEPT for _, found in self.journal.pictures())

    def recover(self) -> None:
        """Bring to an end what a kill has broken off: the journal says what is to be there."""
        status = {found.file: found.status for _, found in self.journal.pictures() if found.file}
        for name in os.listdir(self.staged):
            if status.get(name) == KEPT:
                os.replace(self.staged / name, self.faces / name)
            else:
                (self.staged / name).unlink()
        self.delete()

    def delete(self) -> None:
        """Delete the files of what was found to be a duplicate; nothing else in the folder is ours to delete."""
        leaving = [found for _, found in self.journal.pictures() if found.leaving]
        for found in leaving:
            (self.faces / found.file).unlink(missing_ok=True)
            found.leaving = False
        if leaving:
            self.journal.rewrite()

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.journal.close()
        self.lock.release()

    def take(self, source: Source) -> None:
        """Look at every entry that was not looked at before: bytes are read here, one after the other, and judged
        in the threads, a few at a time."""
        where, waiting, held = str(source.path.resolve()), deque(), 0
        with tqdm(source, desc=source.path.name, unit=" files", mininterval=0.5, disable=not self.progress) as bar:
            for entry in bar:
                record = Record(where, printable(entry.name), entry.stamp, self.mode)
                if (where, record.name, record.stamp) not in self.done:
                    self.done.add((where, record.name, record.stamp))
                    future, size = self.judged(entry)
                    waiting.append((record, safe_stem(entry.name), future, size))
                    held += size
                while len(waiting) > MAX_WAITING or (held > MAX_HELD and waiting):
                    record, stem, future, size = waiting.popleft()
                    self.note(record, stem, future)
                    held -= size
            for record, stem, future, _ in waiting:
                self.note(record, stem, future)
        self.notes += [source.note] * bool(source.note)

    def judged(self, entry: Entry) -> tuple[Future, int]:
        """What will be found in an entry, and how many bytes of it are held until then."""
        if refused := entry.refused or self.leave_out(entry.name):
            return self.pool.submit(_aside, refused, again=entry.again), 0
        try:
            data = entry.read()
        except PermissionError:
            return self.pool.submit(_aside, "cannot be opened: you may not read it", again=True), 0
        except DAMAGED as error:
            reason = f"cannot be read ({type(error).__name__}): damaged in its source"
            return self.pool.submit(_aside, reason, again=True), 0
        return self.pool.submit(_judged, data, entry.name, self.finder), len(data)

    def note(self, record: Record, stem: str, future: Future) -> None:
        """Write down what was found in an entry, and give its pictures their places: all of it or nothing."""
        results = future.result()
        before = self.by_name.get((record.source, record.name))
        if before and [found.sha256 for found in before.found] == [found.sha256 for found, *_ in results] != [""]:
            before.stamp = record.stamp  # the file was touched, not changed
            return
        if before and before.to_be_tried_again:
            self.journal.records.remove(before)
        self.by_name[record.source, record.name] = record
        for number, (found, data, suffix) in enumerate(results, 1):
            record.found.append(found)
            if found.status == ASIDE:
                if data and len(os.listdir(self.aside)) < SHOWN_ASIDE:
                    write_whole(self.aside / f"{len(os.listdir(self.aside)):03}.png", data)
            elif same := self.first.get(found.sha256):
                found.status, found.reason = DUPLICATE, f"the same bytes as {same}"
            else:
                face = f" face {number}" if number > 1 else ""
                found.file = self.names.new(stem + face, suffix)
                self.first[found.sha256] = found.file
                write_whole(self.staged / found.file, data)
        self.journal.add(record)
        for found in record.found:
            if found.file:
                os.replace(self.staged / found.file, self.faces / found.file)

    def settle(self, threshold: int) -> Summary:
        """Take the duplicates out again, and say what is there now."""
        there = set(os.listdir(self.faces))
        for _, found in self.journal.pictures():
            if found.file in there and found.status in (DUPLICATE, REMOVED):
                found.status, found.reason = KEPT, PUT_BACK
            elif found.file and found.file not in there and found.status == KEPT:
                found.status, found.reason = REMOVED, "not in the folder any more"
        candidates = [found for _, found in self.journal.pictures() if found.status in (KEPT, REMOVED)]
        hashes = [found.hash for found in candidates]
        sharpness, sizes = ([getattr(found, name) for found in candidates] for name in ("sharpness", "bytes"))
        same = duplicates(hashes, sharpness, sizes, threshold)
        pairs = [(candidates[n], candidates[m]) for n, m in same.items()]
        pairs = [(found, twin) for found, twin in pairs if found.status == KEPT and found.reason != PUT_BACK]
        is_changed = bool(pairs) or len(self.journal.records) > self.known or not (self.out / SHEET).exists()
        if is_changed:  # it shows the duplicates of this import: another one, of nothing new, leaves it as it is
            write_whole(self.out / SHEET, self.sheet(candidates, pairs))
        for found, sharper in pairs:
            found.status, found.reason = DUPLICATE, f"shows the same as {sharper.file}, which is sharper"
            found.leaving = True
        self.journal.rewrite()  # first: what is deleted next is then known as a duplicate
        self.delete()
        self.journal.write_csv(self.out / TABLE)
        statuses = Counter(found.status for _, found in self.journal.pictures())
        reasons = Counter(found.reason for _, found in self.journal.pictures() if found.status in (ASIDE, REMOVED))
        kept = statuses[KEPT]
        if statuses[REMOVED] > kept:
            self.notes.append(f"what was removed by hand stays out; to begin anew, delete the folder {self.out}")
        return Summary(self.out, kept, statuses[DUPLICATE], reasons, max(0, kept - self.before), self.notes)

    def sheet(self, candidates: list[Found], pairs: list[tuple[Found, Found]]) -> bytes:
        """The contact sheet; the duplicates on it are those of this import, whose files are still there."""
        out = {id(found) for found, _ in pairs}
        kept = [self.faces / found.file for found in candidates if found.status == KEPT and id(found) not in out]
        statuses = Counter(found.status for _, found in self.journal.pictures())
        twins = [(self.faces / found.file, self.faces / sharper.file) for found, sharper in pairs]
        return contact_sheet(
            kept, len(kept), sorted(self.aside.iterdir()), statuses[ASIDE], twins, statuses[DUPLICATE] + len(pairs)
        )


# --- one entry, in a thread ---------------------------------------------------------------------------------

Result = list[tuple[Found, bytes, str]]  # what was found, the bytes of its file, their suffix


def _aside(reason: str, data: bytes = b"", again: bool = False) -> Result:
    """For what is set aside; of a picture, with a small one of it for the contact sheet."""
    small = io.BytesIO()
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data)) as image:
        if image.width * image.height <= MAX_PIXELS:
            image.draft("RGB", (2 * SIZE, 2 * SIZE))
            image = image.convert("RGB")
            image.thumbnail((SIZE, SIZE))
            image.save(small, "PNG")
    return [(Found(ASIDE, reason, again=again), small.getvalue(), ".png")]


def _judged(data: bytes, name: str, finder) -> Result:
    if is_archive(data):
        return _aside(NESTED)
    if finder is None:
        return _picture(data, name)
    whole = decode_picture(data, name, SIZE)
    if whole.pixels is None:
        return _aside(KINDS[whole.kinds[0]][0], data)
    try:
        crops = finder.crops(data)
    except Exception:  # a picture that can be opened small, but not whole
        return _aside(KINDS["corrupt"][0])
    found = []
    for box, crop in crops:
        ((each, content, suffix),) = _picture(crop, "face.png")
        each.box, each.bytes = tuple(box), len(data)
        found.append((each, content, suffix))
    return found or _aside("no face was found in it", data)


def _picture(data: bytes, name: str) -> Result:
    picture = decode_picture(data, name, SIZE)
    if picture.pixels is None:
        return _aside(KINDS[picture.kinds[0]][0], data)
    seen = look(picture.pixels)
    if seen.contrast < FLAT:
        return _aside("nearly one colour: there is nothing to be seen", data)
    found = Found(
        KEPT, sha256=picture.digest.hex(), hash=seen.hash, sharpness=round(seen.sharpness, 3), bytes=len(data)
    )
    return [(found, data, SUFFIX[picture.format])]
