"""A crawl of Danbooru by gallery-dl, a program of its own: politely, up to a limit, and with who drew what."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
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

from animegan.errors import UserError
from animegan.files import write_whole
from animegan.sources.journal import cell
from animegan.text import printable

DANBOORU = "https://danbooru.donmai.us"
RATINGS = {"general": "g", "sensitive": "s", "questionable": "q", "explicit": "e"}
MOST = 20_000  # pictures; more than any network of this size needs, and than a site should be asked for
RETRIES = 4  # of a request that fails
PAUSE = 1.0  # seconds between two requests, pictures included
PICTURES = ("jpg", "jpeg", "png", "webp")
NO_LICENCE = "none given"  # the site has no such field
COLUMNS = ("file", "post", "artist", "source", "licence", "rating", "uploaded")


def crawl(
    tags: str, limit: int, folder: Path, rating: str = "general", site: str = DANBOORU, progress: bool = False
) -> tuple[int, str]:
    """Fetch pictures with `tags` into `folder`, `limit` of them in all, and write `sources.csv` beside them.

    A second call goes on where the first was stopped; with other tags, it adds to what is there, up to the limit.
    rating: one of RATINGS; what the site has rated otherwise is not fetched, whatever the tags say. Returns how many
    pictures there are, and what gallery-dl said when it gave up before it had them all. Raises UserError.
    """
    if not tags.strip():
        raise UserError("--tags is empty: give one or two tags of the site, e.g. --tags 'solo portrait'.")
    if not 1 <= limit <= MOST:
        raise UserError(f"--limit {limit} is out of range: give 1 to {MOST:,}; a few thousand give faces.")
    if rating not in RATINGS:
        raise UserError(f"--rating {rating} is not known: choose {', '.join(RATINGS)}.")
    if not re.match(r"https?://[^/]+", site):
        raise UserError(f"--site {site} is no address: give one with https://, of a site that runs Danbooru.")
    if importlib.util.find_spec("gallery_dl") is None:
        raise UserError("a crawl needs gallery-dl: pip install -e '.[data]' installs it.")
    folder.mkdir(parents=True, exist_ok=True)
    have, problem = [post["id"] for post in _posts(folder)], ""
    if len(have) < limit:
        with tqdm(total=limit, initial=len(have), unit=" pictures", disable=not progress) as bar:
            problem = _run(tags, limit - len(have), have, folder, RATINGS[rating], site.rstrip("/"), bar)
    posts = _posts(folder)
    if problem and not posts:
        raise UserError(
            f"{site} gave nothing: {problem}. Can it be reached, and does it have pictures for these tags (two tags at "
            f"most without an account)? Look in a browser."
        )
    write_whole(folder / "sources.csv", _table(posts))
    return len(posts), problem


def _run(tags: str, missing: int, have: list[int], folder: Path, rating: str, site: str, bar: tqdm) -> str:
    """Let gallery-dl fetch `missing` more; returns what it said last if it failed."""
    settings = folder / "gallery-dl.json"
    write_whole(settings, json.dumps(_settings(folder, missing, have, rating), indent=1).encode("ascii"))
    url = f"Danbooru:{site}/posts?tags={quote(f'{tags} rating:{rating}')}"
    command = [sys.executable, "-m", "gallery_dl", "--config-ignore", "--config", str(settings)]
    command += ["--no-colors", url]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stderr=errors, stdout=subprocess.DEVNULL, env=environment)
        try:
            while process.poll() is None:
                bar.update(sum(1 for _ in folder.glob("*.json")) - 1 - bar.n)  # one of them holds the settings
                time.sleep(0.3)
        finally:
            process.terminate()  # an interrupt here must not leave it at work
            process.wait()
        errors.seek(0)
        lines = [line for line in errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if not process.returncode:
        return ""
    return printable(lines[-1])[:200] if lines else f"status {process.returncode}"


def _settings(folder: Path, missing: int, have: list[int], rating: str) -> dict:
    """gallery-dl's configuration; nothing of the user's own is read."""
    # The rating once more, in case a site does not understand the tag. The range counts what passes the filter.
    wanted = f"rating == {rating!r} and extension in {PICTURES!r} and id not in {set(have) or '()'}"
    return {
        "extractor": {
            "file-filter": wanted,
            "file-range": f"1-{missing}",
            "base-directory": str(folder),
            "directory": [],
            "filename": "{id}.{extension}",
            "skip": True,
            "sleep": PAUSE,
            "sleep-request": PAUSE,
            "sleep-429": 60,
            "retries": RETRIES,
            "timeout": 60,
            "postprocessors": [
                {"name": "metadata", "mode": "json", "event": ["after", "skip"], "filename": "{id}.{extension}.json"}
            ],
        },
        "downloader": {"part": True, "mtime": False, "filesize-max": "64M"},
        "output": {"mode": "null"},
    }


def _posts(folder: Path) -> list[dict]:
    """What the site says of each picture that is there, by number."""
    posts = []
    for path in folder.glob("*.json"):
        if (folder / path.stem).is_file() and re.fullmatch(r"\d+\.\w+", path.stem):
            with contextlib.suppress(ValueError):  # half of a file, from a kill: that post is fetched again
                posts.append({**json.loads(path.read_text(encoding="utf-8")), "file": path.stem})
    return sorted(posts, key=lambda post: int(post["id"]))


def _table(posts: list[dict]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for post in posts:
        artists = ", ".join(post.get("tags_artist") or ()) or "unknown"
        rating = next((name for name, letter in RATINGS.items() if letter == post.get("rating")), "")
        facts = (
            post["file"],
            post["id"],
            artists,
            post.get("source") or "",
            NO_LICENCE,
            rating,
            post.get("created_at", ""),
        )
        table.writerow([cell(str(fact)) for fact in facts])
    return text.getvalue().encode("utf-8-sig")
