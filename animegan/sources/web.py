"""Real faces from the web: a public set, an archive at an address, a crawl."""

import hashlib
from pathlib import Path

from animegan.data import HIDDEN
from animegan.errors import UserError
from animegan.files import saving, write_whole
from animegan.sources.archives import PART, SPLIT, DamagedSource, kind_of_file
from animegan.sources.danbooru import DANBOORU, crawl
from animegan.sources.download import fetch, set_aside
from animegan.sources.face_finder import FaceFinder
from animegan.sources.filenames import safe_stem
from animegan.sources.import_job import THRESHOLD, Summary
from animegan.sources.importing import NO_ACCESS, import_pictures, usable_out
from animegan.sources.public_sets import SETS


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
    raise UserError(
        f"{address}: {problem.rstrip('.')}; what was fetched was set aside as {set_aside(archive)}. Try again"
        f"{', with another --mirror' * bool(mirror)}."
    )


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
