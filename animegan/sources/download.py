"""A file from the web: complete and checked, or one clear error. A broken download is resumed.

Retries, back-off and Retry-After are urllib3's (`Retry`); pooch hashes the file and knows the user's cache folder. It
does not fetch the file: after every break it would start from the beginning, and it reads without a limit.
"""

import contextlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from animegan.errors import UserError, require
from animegan.files import saving

TIMEOUT = (15, 60)  # seconds: to connect, and between two pieces
SLOWEST = 1024  # bytes per second, on the average of a response; slower ones are given up
TRIES, OFFLINE_TRIES = 6, 3  # in a row that bring no new byte, and that do not reach the server at all
MAX_WAIT = 120  # seconds between two tries, whatever Retry-After asks for; urllib3's back-off ends there, too
MAX_BYTES = 8 * 2**30  # of one file
PIECE = 2**16  # bytes at most that are read at once
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}  # answers that may be different a minute later
ADVICE = {
    401: "it asks for a password",
    403: "the server refuses; many do so to programs, or to whole countries",
    404: "there is no such file; it may have been moved or taken down",
    410: "the file was taken down",
    451: "the server may not give it, for legal reasons",
}


def fetch(
    url: str, path: Path, sha256: str = "",
    instead: str = "download it in a browser, and give the file: animegan data import FILE",
    max_bytes: int = MAX_BYTES, progress: bool = True, tries: int = TRIES,
) -> Path:  # fmt: skip
    """Fetch `url` into the file `path` and return it; a file that is already there is only checked.

    What arrived before a break is kept beside it as "NAME.part" and resumed, by a later call too. A file whose SHA-256
    is not `sha256` is set aside as "NAME.wrong". instead: what the user can do without us. tries: how many requests in
    a row may bring nothing new. Raises UserError with one line.
    """
    pooch = require("pooch", "data", "a download")
    sha256 = sha256.lower()
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UserError(f"--sha256 {sha256} is not a SHA-256: give its 64 digits (0 to 9, a to f), or leave it out.")
    if not re.match(r"https?://\S", url, re.IGNORECASE) or not url.isprintable():
        raise UserError(f"{url[:200]} is not fetched: only http:// and https:// addresses are.")
    part = path.with_name(f"{path.name}.part")
    with saving(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _Download(url, part, instead, max_bytes, tries).run(progress)
            os.replace(part, path)
            _version_of(part).unlink(missing_ok=True)
        if sha256 and (actual := pooch.file_hash(str(path), alg="sha256")) != sha256:
            wrong = f"{url} is not the file that was expected (its SHA-256 is {actual})"
            raise UserError(f"{wrong}: it was set aside as {set_aside(path)} and not used. Try again, or {instead}.")
    return path


def set_aside(path: Path) -> Path:
    """Rename a file that is not what it should be, so that it is fetched again; returns its new name."""
    return path.replace(path.with_name(f"{path.name}.wrong"))


def cached_file(urls: Sequence[str], sha256: str, instead: str) -> Path:
    """A small file, fetched once and kept in pooch's cache folder of this user.

    The addresses are tried in turn, until one gives the file with this SHA-256. Raises UserError if none does.
    """
    pooch = require("pooch", "data", "a download")
    path = Path(os.environ.get("ANIMEGAN_CACHE") or pooch.os_cache("animegan")) / Path(urlsplit(urls[0]).path).name
    problems = []
    for url in urls:
        try:  # only twice, since somebody is waiting for it
            return fetch(url, path, sha256, instead, max_bytes=64 * 2**20, progress=False, tries=2)
        except UserError as error:
            problems.append(str(error))
            with contextlib.suppress(OSError):
                path.with_name(f"{path.name}.part").unlink(missing_ok=True)  # half of another server's file
    raise UserError("".join([problems[0], *(f" {url} failed, too." for url in urls[1:])]))


class _Download:
    """One file on its way into `part`, over as many requests as it takes."""

    def __init__(self, url: str, part: Path, instead: str, max_bytes: int, tries: int):
        self.requests = require("requests", "data", "a download")
        self.errors = (self.requests.RequestException, self.requests.packages.urllib3.exceptions.HTTPError)
        self.url, self.part, self.instead, self.max_bytes, self.tries = url, part, instead, max_bytes, tries

    def run(self, progress: bool) -> None:
        """Request what is missing until the part is complete. Raises UserError if that fails, OSError from the disk."""
        retry = left = _retry(self.tries)
        with (
            self.requests.Session() as session,  # it knows http and https only: no redirect leads to a file
            tqdm(unit="B", unit_scale=True, desc=self.part.stem, mininterval=0.5, disable=not progress) as bar,
        ):
            session.max_redirects = 10
            for scheme in ("http://", "https://"):
                session.mount(scheme, self.requests.adapters.HTTPAdapter(max_retries=retry))
            while True:
                have = self.size()
                # urllib3 retries until an answer begins; a break within it is ours to resume.
                with contextlib.suppress(*self.errors), self.request(session, have) as response:
                    if self.receive(response, have, bar):
                        return
                if self.size() > have:
                    left = retry
                elif not left.total:
                    raise self.failed(f"the connection broke off, {self.tries} times")
                else:
                    left = left.increment("GET", self.url)
                    left.sleep()

    def request(self, session, have: int):
        """The response with what follows the first `have` bytes, or with all of it if the file was changed since."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "animegan (a course on GANs)"}
        version = _version_of(self.part)
        tag = version.read_text("utf-8", "replace") if have and version.is_file() else ""
        if re.fullmatch("[ -~]+", tag):
            headers |= {"Range": f"bytes={have}-", "If-Range": tag}
        try:
            # Of a redirect requests would read the body, however long.
            hooks = {"response": lambda answer, **_options: answer.raw.close() if answer.is_redirect else None}
            response = session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT, hooks=hooks)
        except ValueError as error:  # requests' InvalidURL, InvalidSchema ..., and urllib's own behind a redirect
            raise UserError(f"{self.url} is not fetched: only http:// and https:// addresses are ({error}).") from error
        except self.requests.TooManyRedirects as error:
            raise self.failed("it redirects from one address to the next without end") from error
        except self.errors as error:
            raise self.failed(_network_problem(error, self.tries)) from error
        status = response.status_code
        if status in TEMPORARY:
            raise self.failed(f"the server answers {status}, {self.tries} times")
        if status not in ((200, 206, 416) if "Range" in headers else (200,)):
            raise self.failed(f"{status}: {ADVICE.get(status, 'the server refuses')}")
        return response

    def receive(self, response, have: int, bar: tqdm) -> bool:
        """Write what the response brings; true if the part is complete."""
        content_range = response.headers.get("Content-Range", "")
        if response.status_code == 416:  # nothing is missing, or the file has become shorter
            is_complete = content_range.rpartition("/")[2] == str(have)
            if not is_complete:
                self.part.unlink()
            return is_complete
        start = have if response.status_code == 206 else 0
        if start and not content_range.startswith(f"bytes {have}-"):
            raise self.failed("the server sends another part than it was asked for")
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        limit = f"{self.max_bytes / 2**30:g} GiB"
        if total and total > self.max_bytes:
            raise self.refused(f"has {total / 2**30:.1f} GiB, more than the limit of {limit}")
        # Without a version to compare, a later call begins again.
        version = response.headers.get("ETag", response.headers.get("Last-Modified", ""))
        _version_of(self.part).write_text(version, encoding="utf-8")
        bar.total, bar.n = total, start
        with open(self.part, "r+b" if start else "wb") as file:
            file.seek(start)
            began = time.monotonic()
            # What has arrived, at least one byte: a slow server is noticed at once.
            for piece in iter(lambda: response.raw.read1(PIECE, decode_content=True), b""):
                # A time limit for the whole: the timeout of a socket begins again with every byte.
                if time.monotonic() - began > TIMEOUT[1] + (file.tell() - start) / SLOWEST:
                    raise self.failed("the server is too slow")
                if file.tell() + len(piece) > self.max_bytes:
                    file.close()
                    raise self.refused(f"does not end: more than {limit} have arrived")
                file.write(piece)
                bar.update(len(piece))
        return total is None or self.size() == total

    def size(self) -> int:
        """Bytes that have arrived."""
        return self.part.stat().st_size if self.part.exists() else 0

    def refused(self, problem: str) -> UserError:
        """For a file that is not wanted: nothing of it stays."""
        for path in (self.part, _version_of(self.part)):
            path.unlink(missing_ok=True)
        return UserError(f"{self.url} {problem}: {self.instead}.")

    def failed(self, problem: str) -> UserError:
        return UserError(f"{self.url} cannot be fetched ({problem}): {self.instead}.")


def _retry(tries: int):
    """urllib3's policy: `tries` requests, with waits of 0, 2, 4, 8 ... seconds, or what Retry-After asks for."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    class PatientRetry(Retry):
        def get_retry_after(self, response) -> float | None:
            with contextlib.suppress(InvalidHeader, ValueError, OverflowError):
                return min(super().get_retry_after(response) or 0, MAX_WAIT)
            return None

    return PatientRetry(
        total=tries - 1, connect=min(tries, OFFLINE_TRIES) - 1, status_forcelist=TEMPORARY, raise_on_status=False,
        backoff_factor=1,
    )  # fmt: skip


def _network_problem(error: Exception, tries: int) -> str:
    """Why there was no answer, in words; requests wraps what urllib3 gave up for."""
    import urllib3.exceptions as kinds

    reason = getattr(error.args[0] if error.args else None, "reason", error)
    problems = {
        kinds.SSLError: "the connection is not secure: a wrong certificate, a wrong clock, or somebody in between",
        kinds.NewConnectionError: f"no connection to the server, {min(tries, OFFLINE_TRIES)} times",
        kinds.TimeoutError: f"the server does not answer, {tries} times",
        Exception: f"the connection broke off, {tries} times",
    }
    return next(problem for kind, problem in problems.items() if isinstance(reason, kind))


def _version_of(part: Path) -> Path:
    """Beside the part: which version of the file it belongs to, in the server's words (ETag)."""
    return part.with_name(f"{part.name}-of")
