"""A crawl of Danbooru by gallery-dl, a separate program: slowly, up to a limit, and with the artist of each picture."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from tqdm.auto import tqdm

from animegan.errors import UserError, require
from animegan.files import WRONG_CONTENT, build, write_whole
from animegan.sources.journal import write_spreadsheet
from animegan.text import printable

DANBOORU = "https://danbooru.donmai.us"
RATINGS = {"general": "g", "sensitive": "s", "questionable": "q", "explicit": "e"}
MAX_LIMIT = 20_000  # pictures; more than any network of this size needs, or one should ask of a site
RETRIES = 4  # of a request that fails
PAUSE = 1.0  # seconds between two requests, pictures included
PICTURES = ("jpg", "jpeg", "png", "webp")
NO_LICENCE = "none given"  # the site has no such field
COLUMNS = ("file", "post", "artist", "source", "licence", "rating", "uploaded")


def crawl(
    tags: str, limit: int, folder: Path, rating: str = "general", site: str = DANBOORU, progress: bool = False
) -> tuple[int, str]:
    """Fetch pictures with `tags` into `folder`, until it holds `limit` of them, and write `sources.csv` beside them.

    Another call resumes an interrupted one; with other tags, it adds pictures, up to the limit. rating: one of RATINGS;
    pictures with another rating are not fetched, whatever the tags say. Returns how many pictures there are, and the
    last line of gallery-dl if it gave up before it had them all. Raises UserError.
    """
    if not tags.strip():
        raise UserError("--tags is empty: give one or two tags of the site, e.g. --tags 'solo portrait'.")
    if not 1 <= limit <= MAX_LIMIT:
        raise UserError(f"--limit {limit} is out of range: give 1 to {MAX_LIMIT:,}; a few thousand give faces.")
    if rating not in RATINGS:
        raise UserError(f"--rating {rating} is unknown: choose {', '.join(RATINGS)}.")
    if not re.fullmatch(r"https?://[!-~]+", site):
        raise UserError(f"--site {site} is not an address: give one with https://, of a site that runs Danbooru.")
    require("gallery_dl", "data", "a crawl")
    folder.mkdir(parents=True, exist_ok=True)
    have, problem = [number for _, number, *_ in _posts(folder)], ""
    if len(have) < limit:
        with tqdm(total=limit, initial=len(have), unit=" pictures", disable=not progress) as bar:
            problem = _run(tags, limit - len(have), have, folder, RATINGS[rating], site.rstrip("/"), bar)
    posts = _posts(folder)
    if problem and not posts:
        look = "does it have pictures for these tags (two at most without an account)? Look in a browser."
        raise UserError(f"{site} gave nothing: {problem}. Can it be reached, and {look}")
    if not posts:
        raise UserError(f"no pictures for these tags on {site}: look there for the names of tags, or try one alone.")
    write_spreadsheet(folder / "sources.csv", COLUMNS, posts)
    return len(posts), problem


def _run(tags: str, missing: int, have: list[int], folder: Path, rating: str, site: str, bar: tqdm) -> str:
    """Let gallery-dl fetch `missing` more pictures; returns its last line if it failed."""
    folder = Path(os.path.abspath(folder))
    settings = folder / "gallery-dl.json"
    write_whole(settings, json.dumps(_settings(folder, missing, have, rating), indent=1).encode("ascii"))
    url = f"Danbooru:{site}/posts?tags={quote(f'{tags} rating:{rating}', errors='replace')}"
    command = [sys.executable, "-m", "gallery_dl", "--config-ignore", "--config", str(settings), "--no-colors", url]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    with tempfile.TemporaryFile() as errors:
        # Python runs what lies in the folder where it starts: a requests.py in the user's must not be run.
        process = subprocess.Popen(command, stderr=errors, stdout=subprocess.DEVNULL, env=environment, cwd=sys.prefix)
        try:
            while process.poll() is None:
                bar.update(sum(1 for _ in folder.glob("*.json")) - 1 - bar.n)  # one of them is the settings
                time.sleep(0.3)
        finally:
            process.terminate()  # an interrupt here must not leave it running
            process.wait()
        errors.seek(0)
        lines = [line for line in errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if not process.returncode:
        return ""
    return printable(lines[-1])[:200] if lines else f"status {process.returncode}"


def _settings(folder: Path, missing: int, have: list[int], rating: str) -> dict:
    """gallery-dl's configuration; the user's own is not read."""
    # The rating again, in case a site does not understand the tag. The range counts what passes the filter.
    wanted = f"rating == {rating!r} and extension in {PICTURES!r} and id not in {set(have) or '()'}"
    return {
        "extractor": {
            "file-filter": wanted, "file-range": f"1-{missing}", "base-directory": str(folder), "directory": [],
            "filename": "{id}.{extension}", "skip": True, "retries": RETRIES, "timeout": 60,
            "sleep": PAUSE, "sleep-request": PAUSE, "sleep-429": 60,
            "postprocessors": [
                {"name": "metadata", "mode": "json", "event": ["after", "skip"], "filename": "{id}.{extension}.json"}
            ],
        },
        "downloader": {"part": True, "mtime": False, "filesize-max": "64M"},
        "output": {"mode": "null"},
    }  # fmt: skip


def _posts(folder: Path) -> list[tuple]:
    """What the site says about each picture in the folder, as the COLUMNS, ordered by its number there."""
    ratings = {letter: name for name, letter in RATINGS.items()}
    posts = []
    for path in folder.glob("*.json"):
        if (folder / path.stem).is_file() and re.fullmatch(r"\d+\.\w+", path.stem):
            with contextlib.suppress(*WRONG_CONTENT):  # damaged, or of an interrupted crawl: fetched again
                facts = json.loads(path.read_bytes())
                artists = ", ".join(build(list[str] | None, facts.get("tags_artist"), "artists") or ()) or "unknown"
                source = build(str | None, facts.get("source"), "source") or ""
                number, rating = build(int, facts["id"], "id"), ratings.get(facts.get("rating"), "")
                posts.append((path.stem, number, artists, source, NO_LICENCE, rating, facts.get("created_at", "")))
    return sorted(posts, key=lambda post: post[1])
