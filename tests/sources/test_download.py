"""Downloads from real servers on the loopback address: cut, slow, moved, refused, wrong."""

import contextlib
import email.utils
import hashlib
import io
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_sources import face, table, zipped

pytest.importorskip("pooch", reason="downloads need the extra 'data': pip install -e '.[data]'")

from animegan import sources
from animegan.errors import UserError
from animegan.sources import download
from animegan.sources.download import fetch
from animegan.sources.public_sets import SETS, PublicSet

CONTENT = bytes(range(256)) * 8000  # 2 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def send(request, status: int, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()


class Server:
    """A web server on the loopback address. `answers` are given one after the other, the last one from then on.

    An answer is a status with headers, bytes, or one of "whole", "cut" (half of what is asked for), "silent".
    """

    def __init__(self, content: bytes = CONTENT, answers=("whole",), ranges=True, tag='"v1"', length=True):
        self.content, self.answers, self.ranges, self.tag, self.length = content, list(answers), ranges, tag, length
        self.asked: list[tuple[str, str | None]] = []  # path, Range
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # clients hang up here; it would be printed among other tests' dots
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def answer(self, request) -> None:
        self.asked.append((request.path, request.headers.get("Range")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, tuple):
            return send(request, answer[0], {"Content-Length": "0", **answer[1]})
        if isinstance(answer, bytes):
            request.close_connection = True
            return request.wfile.write(answer)
        if answer == "silent":
            time.sleep(3)
            request.close_connection = True
            return None
        start, status = 0, 200
        wanted = request.headers.get("Range")
        if self.ranges and wanted and request.headers.get("If-Range") == self.tag:
            start, status = int(wanted[6:-1]), 206
        if start >= len(self.content):
            return send(request, 416, {"Content-Range": f"bytes */{len(self.content)}", "Content-Length": "0"})
        body = self.content[start:]
        headers = {"ETag": self.tag}
        headers |= {"Content-Length": str(len(body))} if self.length else {"Connection": "close"}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        send(request, status, headers)
        request.wfile.write(body[: len(body) // 2] if answer == "cut" else body)
        request.close_connection = True
        return None


@pytest.fixture
def serve():
    servers = []

    def start(*args, **options) -> Server:
        servers.append(Server(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The pauses that urllib3 asked for; none of them is waited for."""
    asked = []
    monkeypatch.setattr("urllib3.util.retry.time", types.SimpleNamespace(sleep=asked.append, time=time.time))
    return asked


def get(url, path, **options):
    return fetch(url, path, progress=False, **options)


def fails(message, url, path, **options):
    with pytest.raises(UserError, match=message) as caught:
        get(url, path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- it arrives ------------------------------------------------------------------------------------------------


def test_whole_and_checked(serve, tmp_path):
    server, path = serve(), tmp_path / "new folder" / "file.bin"
    assert get(f"{server.url}/file", path, sha256=SHA256.upper()).read_bytes() == CONTENT
    get(f"{server.url}/file", path, sha256=SHA256)
    assert len(server.asked) == 1, "what is there is not fetched again"
    assert [file.name for file in path.parent.iterdir()] == ["file.bin"]


def test_cut_twice_and_resumed(serve, tmp_path):
    server = serve(answers=["cut", "cut", "whole"])
    assert get(server.url, tmp_path / "file", sha256=SHA256).read_bytes() == CONTENT
    starts = [int(asked[6:-1]) for _, asked in server.asked[1:]]
    assert starts == [len(CONTENT) // 2, len(CONTENT) * 3 // 4]


def test_resumed_by_a_later_call(serve, tmp_path):
    server = serve(answers=["cut", (503, {}), "whole"])
    fails("answers 503", server.url, tmp_path / "file", tries=1)
    arrived = (tmp_path / "file.part").stat().st_size
    assert arrived > len(CONTENT) // 3 and not (tmp_path / "file").exists()
    get(server.url, tmp_path / "file", sha256=SHA256)
    assert server.asked[-1][1] == f"bytes={arrived}-"


def test_another_version_in_between_is_fetched_from_the_beginning(serve, tmp_path):
    server = serve(answers=["cut", "whole"])
    answer = server.answer

    def changing(request):
        answer(request)
        server.content, server.tag = CONTENT[::-1], '"v2"'

    server.answer = changing
    assert get(server.url, tmp_path / "file").read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_or_lengths(serve, tmp_path):
    server = serve(answers=["cut", "whole"], ranges=False)
    assert get(server.url, tmp_path / "a").read_bytes() == CONTENT
    assert get(serve(length=False).url, tmp_path / "b").read_bytes() == CONTENT


def test_all_there_but_the_last_rename(serve, tmp_path):
    server = serve()
    (tmp_path / "file.part").write_bytes(CONTENT)
    (tmp_path / "file.part-of").write_text('"v1"')
    assert get(server.url, tmp_path / "file", sha256=SHA256).read_bytes() == CONTENT


def test_busy_servers_are_given_the_time_they_ask_for(serve, tmp_path, pauses):
    later = email.utils.formatdate(time.time() + 40, usegmt=True)
    answers = [(429, {"Retry-After": "7"}), (503, {"Retry-After": later}), (502, {}), (429, {"Retry-After": "9999"})]
    server = serve(answers=[*answers, (503, {"Retry-After": "soon"}), "whole"])
    get(server.url, tmp_path / "file", sha256=SHA256)
    assert pauses[0] == 7 and 35 < pauses[1] <= 40 and pauses[2] == 4
    assert pauses[3] == download.MAX_WAIT and pauses[4] == 16


def test_a_file_that_is_cached_for_the_user(serve, tmp_path, monkeypatch):
    server = serve()
    monkeypatch.setenv("ANIMEGAN_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        kept = download.cached_file([f"{server.url}/a/cascade.xml"], SHA256, "give it with --cascade FILE")
    assert kept == tmp_path / "cache" / "cascade.xml" and len(server.asked) == 1


def test_a_mirror_is_asked_where_the_first_address_fails(serve, tmp_path, monkeypatch):
    """Out of reach, gone, another file under that name, another file of which half has arrived: the mirror has it."""
    closed, gone = serve(), serve(answers=[(404, {})])
    closed.http.server_close()
    wrong, half = serve(b"<html>blocked</html>"), serve(CONTENT[::-1], answers=["cut", (503, {})])
    for number, first in enumerate((closed, gone, wrong, half)):
        monkeypatch.setenv("ANIMEGAN_CACHE", str(tmp_path / str(number)))
        mirror = serve()
        urls = [f"{first.url}/master/cascade.xml", f"{mirror.url}/gh/cascade.xml"]
        kept = download.cached_file(urls, SHA256, "give it with --cascade FILE")
        assert kept.name == "cascade.xml" and kept.read_bytes() == CONTENT
        assert len(mirror.asked) == 1
    monkeypatch.setenv("ANIMEGAN_CACHE", str(tmp_path / "none"))
    urls = [f"{gone.url}/cascade.xml", f"{wrong.url}/cascade.xml"]
    message = r"404: there is no such file.*give it with --cascade FILE.*failed, too"
    with pytest.raises(UserError, match=message) as caught:
        download.cached_file(urls, SHA256, "give it with --cascade FILE")
    assert all(url in str(caught.value) for url in urls) and "\n" not in str(caught.value)
    assert not (tmp_path / "none" / "cascade.xml").exists()


# --- it does not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "password"), (403, "refuses"), (404, "no such file"), (410, "taken down"), (451, "legal"), (418, "refuses")],
)
def test_a_refusal_is_reported_at_once_with_what_to_do(serve, tmp_path, status, words):
    server = serve(answers=[(status, {})])
    line = fails(f"{status}: .*{words}", server.url, tmp_path / "file")
    assert "download it in a browser" in line and len(server.asked) == 1


def test_a_server_that_stays_busy_is_given_up(serve, tmp_path, pauses):
    server = serve(answers=[(500, {})])
    fails(r"the server answers 500, 6 times\): download it", server.url, tmp_path / "file")
    assert len(server.asked) == 6 and pauses == [2, 4, 8, 16], "the second request follows at once"


def test_a_server_that_always_breaks_off_is_given_up(serve, tmp_path, pauses):
    server = serve(CONTENT[:1], answers=["cut"])  # half of one byte: nothing arrives
    fails("the connection broke off, 6 times", server.url, tmp_path / "file")
    assert len(server.asked) == 6 and pauses == [2, 4, 8, 16]


def test_no_server_and_one_that_says_nothing(serve, tmp_path, monkeypatch):
    server = serve()
    server.http.server_close()
    fails("no connection to the server", server.url, tmp_path / "file")
    monkeypatch.setattr(download, "TIMEOUT", (1, 0.2))
    fails("does not answer, 2 times", serve(answers=["silent"]).url, tmp_path / "file", tries=2)


def test_a_wrong_hash_sets_the_file_aside(serve, tmp_path):
    line = fails("is not the file that was expected", serve().url, tmp_path / "file", sha256="0" * 64)
    assert "file.wrong" in line and (tmp_path / "file.wrong").read_bytes() == CONTENT
    assert not (tmp_path / "file").exists()
    fails("is not a SHA-256", serve().url, tmp_path / "file", sha256="12ab")


def test_too_large_by_what_it_says_and_by_what_it_sends(serve, tmp_path):
    fails("more than the limit", serve().url, tmp_path / "a", max_bytes=1_000_000)
    fails("does not end", serve(length=False).url, tmp_path / "b", max_bytes=1_000_000)
    (tmp_path / "a.part").write_bytes(CONTENT[:5000])
    (tmp_path / "a.part-of").write_text('"v1"')
    fails("more than the limit", serve().url, tmp_path / "a", max_bytes=1_000_000)
    assert not any(tmp_path.iterdir()), "nothing of what was refused stays: it may be 8 GiB"


def test_only_http_and_https(serve, tmp_path):
    for url in ("ftp://example.org/x", "file:///etc/passwd", "nonsense", "http://", "http://[", "http://a:99999/x"):
        fails("only http:// and https:// addresses", url, tmp_path / "file")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/x", "data:text/plain,x", "http://["])
def test_a_redirect_leads_to_http_or_https_or_nowhere(serve, tmp_path, target):
    fails("only http:// and https:// addresses", serve(answers=[(302, {"Location": target})]).url, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_redirects_are_followed_but_not_for_ever(serve, tmp_path):
    target = serve()
    server = serve(answers=[(301, {"Location": "/next"}), (307, {"Location": f"{target.url}/file"})])
    assert get(server.url, tmp_path / "file").read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/", "/next"]
    fails("without end", serve(answers=[(302, {"Location": "/again"})]).url, tmp_path / "other")


START = b"HTTP/1.1 %s x\r\nConnection: close\r\n"
ODD = {
    "open bracket": START % b"302" + b"Location: http://[::1\r\n\r\n",
    "long label": START % b"302" + b"Location: http://" + b"n" * 70 + b".example/\r\n\r\n",
    "not utf-8": START % b"302" + b"Location: /\xff\xfe\r\n\r\n",
    "port": START % b"302" + b"Location: http://example.org:x/\r\n\r\n",
    "empty": START % b"302" + b"Location: \r\n\r\n",
    "416": START % b"416" + b"Content-Range: bytes */0\r\n\r\n",
    "206": START % b"206" + b"Content-Range: bytes 100-103/200\r\nContent-Length: 4\r\n\r\nabcd",
    "no status": b"hello\r\n\r\n",
    "status": b"HTTP/1.1 \xb2 x\r\n\r\n",
    "two lengths": START % b"200" + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "chunks": START % b"200" + b"Transfer-Encoding: chunked\r\n\r\n\xb2\r\nabc",
    "no gzip": START % b"200" + b"Content-Encoding: gzip\r\n\r\nabc",
    "header": START % b"200" + b"X: " + b"x" * 70_000 + b"\r\n\r\n",
    "headers": START % b"200" + b"X: x\r\n" * 500 + b"\r\n",
    "shorter": START % b"200" + b"Content-Length: 100\r\n\r\nabcd",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_one_line(serve, tmp_path, name, monkeypatch):
    fails("http://", serve(answers=[ODD[name]]).url, tmp_path / "file", tries=2)
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-4", "four", "4.0", "", "４"])
def test_a_length_that_is_no_number_is_not_used(serve, tmp_path, length):
    length = length.encode("utf-8" if length == "４" else "latin-1")
    answer = START % b"200" + b"Content-Length: " + length + b"\r\n\r\nabcd"
    assert get(serve(answers=[answer]).url, tmp_path / "file").read_bytes() == b"abcd"


@pytest.mark.parametrize("later", ["²", "9" * 5000, "-4", "soon", "Fri, 32 Foo 99999 99:99:99 GMT", "1e400"])
def test_a_busy_server_that_asks_for_an_odd_time(serve, tmp_path, later, pauses):
    answer = START % b"503" + b"Retry-After: " + later.encode("latin-1") + b"\r\n\r\n"
    assert get(serve(answers=[answer, answer, "whole"]).url, tmp_path / "file").read_bytes() == CONTENT
    assert all(0 <= pause <= download.MAX_WAIT for pause in pauses)


@pytest.mark.parametrize("version", [b"\xff\xfe", b"a\nb", b"", "½".encode()])
def test_a_damaged_note_of_the_version_begins_again(serve, tmp_path, version):
    (tmp_path / "file.part").write_bytes(b"half of another")
    (tmp_path / "file.part-of").write_bytes(version)
    assert get(serve().url, tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["direct", "behind a proxy"])
def test_a_server_that_drips_is_given_up(serve, tmp_path, monkeypatch, place):
    """Some bytes now and then, for ever: every one is within the timeout of a socket. The clock is the test's own."""
    now, server = [0.0], serve()
    sent, is_over = [], threading.Event()

    def drip(request):
        request.close_connection = True
        with contextlib.suppress(OSError):
            request.wfile.write(START % b"200" + b"Content-Length: 99999999\r\n\r\n")
            while not is_over.wait(0.001):
                request.wfile.write(b"x")
                sent.append(1)

    def monotonic() -> float:
        now[0] += 50
        return now[0]

    server.answer = drip
    monkeypatch.setattr(download, "time", types.SimpleNamespace(monotonic=monotonic))
    url = server.url
    if "proxy" in place:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "")
        url = "http://nowhere.invalid/x"
    fails("the server is too slow.*: download it in a browser", url, tmp_path / "file")
    is_over.set()
    assert now[0] < 1000 and sent


def test_a_slow_download_in_proportion_is_waited_for(serve, tmp_path, monkeypatch):
    """A second for each KiB is as slow as it may be."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += 1
        return now[0]

    monkeypatch.setattr(download, "PIECE", 2**12)
    monkeypatch.setattr(download, "time", types.SimpleNamespace(monotonic=monotonic))
    assert get(serve().url, tmp_path / "file", sha256=SHA256).read_bytes() == CONTENT
    assert now[0] > 60, "it took longer than the timeout of a single piece"


@pytest.mark.parametrize("url", ["http://a\nb/", "http://\udcff/x", "http://", "http:// /x", "", "--", "https:/x.org"])
def test_an_odd_address_is_one_line(tmp_path, url):
    with pytest.raises(UserError, match="only http:// and https:// addresses|give the name of a set") as caught:
        sources.get(url=url, out=tmp_path / "out", progress=False)
    assert "\n" not in str(caught.value)


def test_a_part_of_a_split_archive_is_not_fetched(serve, tmp_path):
    server = serve()
    with pytest.raises(UserError, match="is a part of a split archive"):
        sources.get(url=f"{server.url}/faces.zip.001?download=true", out=tmp_path / "out", progress=False)
    assert not server.asked


def test_a_full_disk_keeps_what_has_arrived(serve, tmp_path, monkeypatch):
    server, pieces = serve(), []
    monkeypatch.setattr(download, "PIECE", 1000)

    def full(bar, size):
        pieces.append(size)
        if len(pieces) == 3:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(download.tqdm, "update", full)
        fails("No space left on device.*is kept: free some space", server.url, tmp_path / "file")
    get(server.url, tmp_path / "file", sha256=SHA256)
    assert server.asked[-1][1] == f"bytes={sum(pieces[:3])}-"


# --- public sets -------------------------------------------------------------------------------------------------


@pytest.fixture
def small_set(monkeypatch) -> PublicSet:
    """A set laid out as faces-96, with 12 drawings and 5 pictures that are not."""
    small = PublicSet(
        "small", "12 faces", "someone/something", "abc", SETS["faces-96"].pattern, 11, 12, left_out="made by a network"
    )
    monkeypatch.setitem(SETS, "small", small)
    return small


def archive(count: int = 17) -> bytes:
    faces = {f"something-abc/faces/{n}.jpg": face(n) for n in range(count)}
    return zipped(io.BytesIO(), {"something-abc/README.md": b"faces", **faces}).getvalue()


def take(name, out, server, **options):
    return sources.get(name, out, mirror=server.url, progress=False, **options)


def test_get_an_archive_with_the_connection_cut_twice(serve, small_set, tmp_path):
    server = serve(archive(), answers=["cut", (503, {"Retry-After": "1"}), "cut", "whole"])
    summary = take("small", tmp_path / "out", server)
    assert summary.kept == 12
    assert server.asked[0][0] == "/https://github.com/someone/something/archive/abc.zip"
    rows = table(tmp_path / "out")
    assert rows["something-abc/faces/12.jpg"]["reason"] == "not of the set: made by a network"
    assert sum(asked is not None for _, asked in server.asked) == 3
    assert take("small", tmp_path / "out", server).new == 0 and len(server.asked) == 4


def test_an_archive_of_something_else_is_set_aside(serve, small_set, tmp_path):
    for content, found in ((archive(5), "holds 5"), (b"<html>blocked</html>", "holds no readable archive")):
        out = tmp_path / found
        with pytest.raises(UserError, match=rf"should hold 12 pictures.*{found}.*set aside"):
            take("small", out, serve(content))
        assert (out / ".import" / "small.zip.wrong").read_bytes() == content


def test_two_addresses_that_end_alike_and_files_that_are_not_archives(serve, tmp_path):
    out = tmp_path / "out"

    def take_url(server, path="/main.zip"):
        return sources.get(url=server.url + path, out=out, progress=False)

    first, second = serve(archive(3)), serve(archive(6))
    assert take_url(first).kept == 3 and take_url(second).new == 3
    page, half = serve(b"<html>blocked</html>"), serve(archive(3)[:5000])
    for server, message in ((page, "not an archive, perhaps a web page"), (half, "cannot be read")):
        for _ in range(2):
            with pytest.raises(UserError, match=f"{message}.*set aside.*Try again"):
                take_url(server)
        assert len(server.asked) == 2, "fetched again"


def test_offline_is_given_up_soon(serve, tmp_path, pauses):
    server = serve()
    server.http.server_close()
    fails("no connection to the server, 3 times", server.url, tmp_path / "file")
    assert sum(pauses) < 10


def test_an_archive_at_an_address_of_the_user(serve, tmp_path):
    content = archive(4)
    server, digest = serve(content), hashlib.sha256(content).hexdigest()
    summary = sources.get(url=f"{server.url}/my%20faces.zip", sha256=digest, out=tmp_path / "out", progress=False)
    assert summary.kept == 4


def test_the_registry():
    faces = SETS["faces-96"]
    assert faces.is_wanted("cgan_anime_face-31e30fa/faces/33430.jpg")
    assert not faces.is_wanted("cgan_anime_face-31e30fa/faces/33431.jpg")
    assert SETS["portraits-256"].is_wanted("x/dataset/selfie2anime/trainB/0001.jpg")
    assert not SETS["portraits-256"].is_wanted("x/dataset/selfie2anime/trainA/0001.jpg")
    assert faces.url("https://m.example/") == f"https://m.example/{faces.url()}"
    text = sources.listing()
    for word in ("faces-96", "portraits-256", "licence", "left out", "by hand", "animegan data import FILE"):
        assert word in text


def test_mistakes_of_get(tmp_path):
    for message, arguments in {
        "give the name of a set": {},
        "there is no set best": {"name": "best"},
        "not both": {"name": "faces-96", "url": "https://example.org/a.zip"},
        "--sha256 goes with --url": {"name": "faces-96", "sha256": "0" * 64},
    }.items():
        with pytest.raises(UserError, match=message):
            sources.get(**arguments, out=tmp_path / "out")
