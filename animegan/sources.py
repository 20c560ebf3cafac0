"""Where real faces come from: folders, archives and single pictures become a data set, `data/<name>/`.

    animegan data import faces.zip more/ --out data/mine

`faces/` holds the pictures that training reads, under names that every system takes; `import.csv` says of every
file in the sources what became of it, and why; `contact_sheet.png` shows it. The sources are never changed. What
was done is kept in the hidden folder `.import`: an import that was stopped goes on where it was, and a second one
adds nothing twice.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from animegan._archives import Source
from animegan._crawl import DANBOORU, crawl
from animegan._crop import FaceFinder
from animegan._download import fetch
from animegan._files import write_whole
from animegan._import import HIDDEN, THRESHOLD, Import, Summary
from animegan._names import safe_stem
from animegan._report import printable
from animegan._sets import SETS, listing, mirrored
from animegan._similar import BITS
from animegan.errors import UserError

__all__ = ["FaceFinder", "Summary", "crawl_pictures", "default_out", "get", "import_pictures", "listing"]


def import_pictures(
    sources: Iterable[str | Path],
    out: str | Path,
    finder: FaceFinder | None = None,
    threshold: int = THRESHOLD,
    progress: bool = True,
    workers: int | None = None,
    leave_out: Callable[[str], str] = lambda name: "",
) -> Summary:
    """Make a data set of all pictures in `sources` (folders, archives, pictures), or add them to the one in `out`.

    finder: a `FaceFinder`, which cuts the faces out; without one, pictures stay whole, byte for byte.
    threshold: pictures of which at most so many of 64 bits differ are taken for the same, and the sharpest is kept;
        0 finds the same pixels only, -1 the same bytes only.
    leave_out: of the name of an entry, why it is not to be looked at; "" for one that is.
    Raises UserError for a source that is not there or cannot be read at all, and for a folder that is no data set
    of ours. What was imported up to then stays.
    """
    if not -1 <= threshold < BITS // 2:
        raise UserError(
            f"--threshold {threshold} is out of range: give 0 to {BITS // 2 - 1} ({THRESHOLD} is usual), or -1."
        )
    _libraries()
    paths = [_existing(Path(os.path.expanduser(source))) for source in sources]
    out = _data_set(Path(os.path.expanduser(out)), paths)
    with _errors(out), contextlib.closing(Import(out, finder, progress, workers, leave_out)) as work:
        for path in paths:
            work.take(Source(path))
        return work.settle(threshold)


# --- from the web -------------------------------------------------------------------------------------------


def get(
    name: str | None = None,
    out: str | Path | None = None,
    mirror: str | None = None,
    url: str | None = None,
    sha256: str = "",
    finder: FaceFinder | None = None,
    threshold: int = THRESHOLD,
    allow_private: bool = False,
    progress: bool = True,
) -> Summary:
    """Fetch one of the public sets (`listing()` tells which), or the archive at `url`, and import it.

    mirror: an address that is put before that of GitHub. sha256: of the file at `url`. allow_private: see
    `animegan._download.fetch`. Raises UserError for all that can go wrong on the way.
    """
    if bool(name) == bool(url):
        raise UserError(f"give the name of a set ({', '.join(SETS)}) or an address with --url, one of them.")
    if name and name not in SETS:
        raise UserError(f"there is no set {name}: choose {' or '.join(SETS)}, or give an address with --url.")
    if sha256 and not url:
        raise UserError("--sha256 goes with --url: a set of the list is known by what it holds.")
    _libraries()
    known = SETS[name] if name else None
    file = f"{name}.zip" if name else safe_stem(urlsplit(url).path or "archive") + Path(urlsplit(url).path).suffix
    out = _data_set(Path(os.path.expanduser(out or Path("data") / (name or safe_stem(file)))), [])
    address = mirrored(known.url, mirror) if known else url
    archive = fetch(address, out / HIDDEN / file, sha256, allow_private=allow_private, progress=progress)
    if known is None:
        return import_pictures([archive], out, finder, threshold, progress)
    known.check(archive)
    return import_pictures(
        [archive], out, finder, threshold, progress,
        leave_out=lambda entry: "" if known.is_wanted(entry) else f"not of the set: {known.left_out}",
    )  # fmt: skip


def crawl_pictures(
    tags: str,
    limit: int,
    out: str | Path | None = None,
    rating: str = "general",
    site: str = DANBOORU,
    finder: FaceFinder | None = None,
    threshold: int = THRESHOLD,
    progress: bool = True,
) -> Summary:
    """Fetch at most `limit` pictures with `tags` from a site that runs Danbooru, and import them.

    `sources.csv` in the data set says who drew each, and where it comes from. Raises UserError.
    """
    _libraries()
    out = _data_set(Path(os.path.expanduser(out or "data/crawl")), [])
    fetched = out / HIDDEN / "crawl"
    count = crawl(tags, limit, fetched, rating, site)
    pictures = sorted(path for path in fetched.iterdir() if path.suffix in (".jpg", ".jpeg", ".png", ".webp"))
    summary = import_pictures(pictures, out, finder, threshold, progress)
    write_whole(out / "sources.csv", (fetched / "sources.csv").read_bytes())
    if count < limit:
        summary.notes.append(f"the site had {count:,} pictures for these tags, not {limit:,}")
    return summary


# --- before anything is done --------------------------------------------------------------------------------


def _existing(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            f"there is no {printable(str(path))}: give a folder, an archive (zip, tar, 7z, rar) or pictures."
        )
    return path


def _data_set(out: Path, sources: list[Path]) -> Path:
    if out.is_file():
        raise UserError(f"{out} is a file: give a folder for the data set with --out.")
    if out.is_dir() and not (out / HIDDEN).is_dir() and any(out.iterdir()):
        raise UserError(f"{out} holds something else than an import: give another --out.")
    real = out.resolve()
    for source in sources:
        place = source.resolve()
        if source.is_dir() and (real == place or place in real.parents or real in place.parents):
            raise UserError(
                f"{out} and {source} lie within each other, and nothing is imported into itself: give another --out."
            )
    return out


def default_out(source: str | Path) -> Path:
    """data/<name of the source>."""
    return Path("data") / safe_stem(Path(source).resolve().name)


@contextlib.contextmanager
def _errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{out} could not be written ({error.strerror or error}): what was imported is kept; make room, then give "
            f"the same command again."
        ) from error


def _libraries() -> None:
    try:
        import imagehash  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(f"the import needs {error.name}: pip install -e '.[data]' installs it.") from error
