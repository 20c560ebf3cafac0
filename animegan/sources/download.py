"""A file from the web: whole and checked or not at all, gone on with where the connection broke off.

pooch keeps what was fetched and holds it against its hash; the fetching itself is ours, since pooch's begins anew
after every break, follows a redirect anywhere and reads without end.
"""

from __future__ import annotations

import contextlib
import email.utils
import ipaddress
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tqdm.auto import tqdm

from animegan.errors import UserError

TIMEOUT = (15, 60)  # seconds: to connect, and between two pieces
TRIES, FIRST_PAUSE, LONGEST_PAUSE = 6, 1.0, 120.0  # tries without a single new byte; seconds
OFFLINE, OFFLINE_TRIES = "no connection to the server", 3
REDIRECTS = 10
MAX_BYTES = 8 * 2**30  # of one file
PIECE = 2**14  # bytes: of the piece that a break cuts in two, nothing is kept
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that may be another one a minute later
ADVICE = {
    401: "it asks for a password",
    403: "the server refuses; many do so to programs, or to whole countries",
    404: "there is no such file; it may have been moved or taken down",
    410: "the file was taken down",
    451: "the server may not give it, for legal reasons",
}


class Refused(UserError):
    """An address that is not asked at all."""


def fetch(
    url: str,
    path: Path,
    sha256: str = "",
    instead: str = "download it in a browser, and give the file: animegan data import FILE",
    allow_private: bool = False,
    most: int = MAX_BYTES,
    progress: bool = True,
    tries: int = TRIES,
) -> Path:
    """Fetch `url` into the file `path` and return it; a file that is there already is checked and taken.

    What was fetched before a break lies beside it as "NAME.part" and is gone on with, also by a later call. A file
    whose SHA-256 is another than `sha256` is set aside as "NAME.wrong". instead: what the user can do without us.
    allow_private: addresses of this machine and of the local network are refused without it, behind redirects too.
    tries: it is given up after so many that bring nothing new. Raises UserError with one line.
    """
    pooch, requests = _libraries()
    sha256 = sha256.lower()
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UserError(f"--sha256 {sha256} is no SHA-256: give its 64 digits (0 to 9, a to f), or leave it out.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _Fetch(requests, url, path, instead, allow_private, most, progress, tries).run()
            os.replace(_part(path), path)
            _validator(path).unlink(missing_ok=True)
        if sha256 and (found := pooch.file_hash(str(path), alg="sha256")) != sha256:
            wrong = path.with_name(f"{path.name}.wrong")
            os.replace(path, wrong)
            raise UserError(
                f"{url} is not the file that was expected (its SHA-256 is {found}): it was set aside as {wrong} and "
                f"not used. Try again, or {instead}."
            )
    except OSError as error:
        kept = " What has arrived is kept." if _part(path).exists() else ""
        raise UserError(
            f"{path} could not be written ({error.strerror or error}): make room, then try again.{kept}"
        ) from error
    return path


def cached_file(url: str, sha256: str, instead: str) -> Path:
    """A small file that is fetched once and kept for this user, in pooch's folder for caches."""
    pooch, _ = _libraries()
    folder = Path(os.environ.get("ANIMEGAN_CACHE") or pooch.os_cache("animegan"))
    path = folder / Path(urlsplit(url).path).name
    return fetch(url, path, sha256, instead, most=64 * 2**20, progress=False, tries=2)  # somebody waits for it


class _Fetch:
    def __init__(self, requests, url, path, instead, allow_private, most, progress, tries):
        self.requests, self.url, self.path, self.instead = requests, url, path, instead
        self.allow_private, self.most, self.progress, self.tries = allow_private, most, progress, tries

    def run(self) -> None:
        """Go on until the part file is whole; raises UserError when that is hopeless, OSError from the disk."""
        failures = 0
        _check(self.url, self.allow_private)
        with tqdm(unit="B", unit_scale=True, desc=self.path.name, mininterval=0.5, disable=not self.progress) as bar:
            while True:
                before, pause = self.have(), 0.0
                try:
                    if self.attempt(bar):
                        return
                    problem = "the connection broke off"
                except _Passing as answer:
                    problem, pause = str(answer), answer.pause
                except self.requests.RequestException as error:
                    problem = _network(error, self.requests)
                failures = 0 if self.have() > before else failures + 1
                if failures >= (min(self.tries, OFFLINE_TRIES) if problem == OFFLINE else self.tries):
                    raise UserError(f"{self.url} cannot be fetched: {problem}, {failures} times; {self.instead}.")
                _sleep(max(pause, min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE)))

    def have(self) -> int:
        with contextlib.suppress(OSError):
            return _part(self.path).stat().st_size
        return 0

    def attempt(self, bar: tqdm) -> bool:
        """One request for what is missing; true when the file is whole."""
        have, headers = self.have(), {"Accept-Encoding": "identity", "User-Agent": "animegan (a course on GANs)"}
        with contextlib.suppress(OSError):
            if have:  # the same version, or all of it anew
                headers |= {"Range": f"bytes={have}-", "If-Range": _validator(self.path).read_text(encoding="utf-8")}
        with self.requests.Session() as session, self.answer(session, headers) as response:
            if response.status_code == 416:  # nothing is missing, or the file has become shorter
                total = response.headers.get("Content-Range", "").rpartition("/")[2]
                if total == str(have):
                    return True
                _part(self.path).unlink()
                return False
            start = have if response.status_code == 206 and _starts_at(response, have) else 0
            length = response.headers.get("Content-Length")
            total = start + int(length) if length and length.isdigit() else None
            if (total or 0) > self.most:
                raise UserError(
                    f"{self.url} has {total / 2**30:.1f} GiB, more than the limit of {self.most / 2**30:g}."
                )
            if validator := response.headers.get("ETag", response.headers.get("Last-Modified")):
                _validator(self.path).write_text(validator, encoding="utf-8")
            else:
                _validator(self.path).unlink(missing_ok=True)
            bar.total, bar.n = total, start
            self.write(response, start, bar)
            return total is None or self.have() == total

    def write(self, response, start: int, bar: tqdm) -> None:
        with open(_part(self.path), "r+b" if start else "wb") as file:
            file.seek(start)
            for piece in response.iter_content(PIECE):
                if file.tell() + len(piece) > self.most:
                    raise UserError(f"{self.url} does not end: more than {self.most / 2**30:g} GiB have come.")
                file.write(piece)
                bar.update(len(piece))

    def answer(self, session, headers: dict[str, str]):
        """The response behind all redirects; every address is looked at before it is asked."""
        url = self.url
        for _ in range(REDIRECTS):
            _check(url, self.allow_private)
            response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False)
            status = response.status_code
            if status in (200, 206, 416):
                return response
            response.close()
            if "Location" in response.headers and 300 <= status < 400:
                url = urljoin(url, response.headers["Location"])
            elif status in PASSING:
                raise _Passing(f"the server answers {status}", _retry_after(response.headers.get("Retry-After")))
            else:
                because = ADVICE.get(status, "the server refuses")
                raise UserError(f"{self.url} cannot be fetched ({status}: {because}): {self.instead}.")
        raise UserError(f"{self.url} leads from one address to the next without end: {self.instead}.")


class _Passing(Exception):
    def __init__(self, message: str, pause: float):
        super().__init__(message)
        self.pause = pause


def _check(url: str, allow_private: bool) -> None:
    """Raise Refused unless `url` is http(s), and a machine of the public internet (or that is not asked for)."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 80) > 0
    except ValueError:  # brackets that do not close, a port that is none
        is_web = False
    if not is_web:
        raise Refused(f"{url} is not fetched: only addresses with http:// or https:// are.")
    if allow_private:
        return
    for address in _addresses(parts.hostname):
        if not address.is_global:
            raise Refused(
                f"{url} is not fetched: {parts.hostname} is this machine or one of your own network, or a proxy in "
                f"fake-IP mode answers for all; --allow-private permits that."
            )


def _addresses(host: str) -> Iterator:
    """The addresses of a host; none where there is no answer, which the request itself will then say."""
    with contextlib.suppress(OSError, UnicodeError):
        for *_, address in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP):
            yield ipaddress.ip_address(address[0].partition("%")[0])


def _starts_at(response, have: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _retry_after(value: str | None) -> float:
    """Seconds, from a number or a date; at most two minutes are waited."""
    if not value:
        return 0.0
    if value.strip().isdigit():
        seconds = float(value)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _network(error, requests) -> str:
    """What went wrong, in words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "the connection is not secure (a wrong certificate: a wrong clock, or somebody in between)"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "the connection broke off"
    return OFFLINE


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _validator(path: Path) -> Path:
    """Beside the part: which version of the file it is a part of, in the server's words (ETag)."""
    return path.with_name(f"{path.name}.part-of")


def _libraries():
    try:
        import pooch
        import requests
    except ModuleNotFoundError as error:
        raise UserError(f"downloads need {error.name}: pip install -e '.[data]' installs it.") from error
    return pooch, requests
