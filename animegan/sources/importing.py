"""Where real faces come from: pictures, archives and downloads become a data set, `data/<name>/`.

    animegan data import faces.zip more/ --out data/mine

`faces/` holds the pictures for training, under names that every system accepts; `import.csv` says what became of every
file in the sources, and why; `contact_sheet.png` shows it. The sources are never changed. The hidden folder `.import`
keeps what was done: if an import is interrupted, run it again to continue; no picture is added twice.
"""

import contextlib
import hashlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from animegan.data import HIDDEN
from animegan.errors import UserError, require
from animegan.files import locked, reading, saving, write_whole
from animegan.sources.archives import PART, SPLIT, DamagedSource, Source, kind_of_file
from animegan.sources.danbooru import DANBOORU, crawl
from animegan.sources.download import fetch, set_aside
from animegan.sources.duplicates import BITS
from animegan.sources.face_finder import FaceFinder
from animegan.sources.filenames import safe_stem
from animegan.sources.import_job import FACES, THRESHOLD, Import, Summary
from animegan.sources.public_sets import SETS

NO_ACCESS = "name a folder that you may write to, with --out"


def import_pictures(
    sources: Iterable[str | Path], out: str | Path, finder: FaceFinder | None = None, threshold: int = THRESHOLD,
    progress: bool = True, workers: int | None = None, leave_out: Callable[[str], str] | None = None,
) -> Summary:  # fmt: skip
    """Make a data set of all pictures in `sources` (folders, archives, pictures), or add them to the one in `out`.

    Links within a folder are followed, as in training; those in an archive are not.

    finder: a `FaceFinder`, which cuts the faces out; without one, pictures stay whole, byte for byte.
    threshold: two pictures are duplicates if at most this many of their 64 bits differ, and the sharper one is kept; 0
        finds the same pixels only, -1 the same bytes only.
    leave_out: takes the name of an entry and says why it is left out; "" if it is not. Without it, all are imported.
    Raises UserError for a source that does not exist or cannot be read at all, and for a folder that is not a data set
    of ours. What was imported until then is kept.
    """
    if not -1 <= threshold < BITS // 2:
        raise UserError(f"--threshold {threshold} is out of range: give -1 to {BITS // 2 - 1} ({THRESHOLD} is usual).")
    paths = [Path(os.path.expanduser(source)) for source in sources]
    for path in paths:
        with reading(str(path)[:200], "give a folder, an archive (zip, tar, 7z, rar) or pictures"):
            path.stat()
    out, failed = usable_out(out, paths), []
    is_new = not os.path.lexists(out)
    lock, busy = out / HIDDEN / "lock", f"another import into {out} is running: wait for it, or give another --out."
    with saving(out, NO_ACCESS), warnings.catch_warnings(), locked(lock, busy), contextlib.ExitStack() as at_the_end:
        pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
        at_the_end.callback(pool.shutdown, cancel_futures=True)
        work = Import(out, finder, progress, pool, leave_out)
        warnings.simplefilter("ignore")  # Pillow's, about huge pictures: the table says so
        for path in paths:
            try:
                work.add_source(Source(path))
            except UserError as error:
                failed.append(error)
        if work.journal.records or not failed:
            summary = work.deduplicate(threshold)
    if not failed:
        return summary
    if is_new and not work.journal.records:
        shutil.rmtree(out, ignore_errors=True)  # it holds only our own empty folders
    if len(paths) == 1 or not work.journal.records:
        raise failed[0]
    raise UserError(f"{str(failed[0]).rstrip('.')}. The other sources were imported: {summary.kept:,} pictures to use.")


def get(
    name: str | None = None, out: str | Path | None = None, mirror: str | None = None, url: str | None = None,
    sha256: str = "", finder: FaceFinder | None = None, threshold: int = THRESHOLD, progress: bool = True,
) -> Summary:  # fmt: skip
    """Fetch one of the public sets (see `listing()`), or the archive at `url`, and import it.

    mirror: an address that is put before that of GitHub. sha256: of the file at `url`. Raises UserError.
    """
    if bool(name) == bool(url):
        raise UserError(f"give the name of a set ({', '.join(SETS)}) or an address with --url, not both.")
    if name and name not in SETS:
        raise UserError(f"there is no set {name}: choose {' or '.join(SETS)}, or give an address with --url.")
    if url and PART.search(url.partition("?")[0]):
        raise UserError(f"{url} is {SPLIT}.")
    if sha256 and not url:
        raise UserError("--sha256 goes with --url: a set of the list is checked by what it holds.")
    known = SETS[name] if name else None
    address = known.url(mirror) if known else url
    stem = name or safe_stem(url.partition("?")[0])
    out = usable_out(out or Path("data") / stem)
    # Many addresses end in main.zip: the file's name depends on all of its address.
    digest = hashlib.sha256(address.encode(errors="replace")).hexdigest()
    file = f"{name}.zip" if name else f"{stem}-{digest[:8]}.download"
    archive = fetch(address, out / HIDDEN / file, sha256, progress=progress)
    try:
        if known:
            known.check(archive)
        elif not kind_of_file(archive):
            raise DamagedSource("it is not an archive, perhaps a web page that says why")
        summary = import_pictures([archive], out, finder, threshold, progress, leave_out=known and known.leave_out)
        if not summary.notes:
            return summary
        problem = summary.notes[0]
    except DamagedSource as error:
        problem = str(error)
    # It is not a complete archive: the next call fetches it again.
    fix = f"Try again{', with another --mirror' * bool(mirror)}."
    raise UserError(f"{address}: {problem.rstrip('.')}; what was fetched was set aside as {set_aside(archive)}. {fix}")


def crawl_pictures(
    tags: str, limit: int, out: str | Path | None = None, rating: str = "general", site: str = DANBOORU,
    finder: FaceFinder | None = None, threshold: int = THRESHOLD, progress: bool = True,
) -> Summary:  # fmt: skip
    """Fetch at most `limit` pictures with `tags` from a site that runs Danbooru, and import them.

    `sources.csv` in the data set names the artist and the origin of each. Raises UserError.
    """
    out = usable_out(out or "data/crawl")
    fetched = out / HIDDEN / "crawl"
    with saving(out, NO_ACCESS):
        count, problem = crawl(tags, limit, fetched, rating, site, progress)
    pictures = sorted(path for path in fetched.iterdir() if path.suffix in (".jpg", ".jpeg", ".png", ".webp"))
    summary = import_pictures(pictures, out, finder, threshold, progress)
    write_whole(out / "sources.csv", (fetched / "sources.csv").read_bytes())
    if problem:
        summary.notes.append(f"the crawl broke off after {count:,} pictures ({problem}): the same command continues it")
    elif count < limit:
        summary.notes.append(f"the site had {count:,} pictures for these tags, not {limit:,}")
    return summary


def usable_out(out: str | Path, sources: Sequence[Path] = ()) -> Path:
    """`out` as a path, if it can become a data set of these sources, or is one already; else UserError."""
    require("imagehash", "data", "an import")
    if "\0" in str(out):
        raise UserError(f"{out} is not a path: give another --out.")
    out = Path(os.path.expanduser(out))
    with saving(str(out)[:200], NO_ACCESS):
        is_taken, real = os.path.lexists(out), Path(os.path.realpath(out))
        if is_taken and not out.is_dir():
            raise UserError(f"{out} is not a folder: give a folder for the data set with --out.")
        if is_taken and not (out / HIDDEN).is_dir() and any(out.iterdir()):
            raise UserError(f"{out} holds other files, not an import: give another --out.")
        # A data set may come from a stranger: what is written here, and deleted, must not lie elsewhere.
        for pattern in (FACES, ".*", f"{HIDDEN}/**/*"):
            if links := [path for path in out.glob(pattern) if path.is_symlink()]:
                raise UserError(f"{links[0]} is a link, which no import makes: give another --out.")
    for source in sources:
        place = Path(os.path.realpath(source))
        if source.is_dir() and (real == place or place in real.parents or real in place.parents):
            raise UserError(f"{out} cannot take {source}: nothing is imported into itself, so give another --out.")
    return out


def default_out(source: str | Path) -> Path:
    """data/<name of the source>."""
    return Path("data") / safe_stem(os.path.basename(os.path.realpath(source)))
