"""A crawl with the real gallery-dl, of a small site on this machine that answers like Danbooru."""

import csv
import json
import os
from urllib.parse import parse_qs, urlsplit

import pytest
from test_download import Server, send
from test_sources import face

pytest.importorskip("gallery_dl", reason="a crawl needs the extra 'data': pip install -e '.[data]'")

from animegan.errors import UserError
from animegan.sources import crawl_pictures, danbooru
from animegan.sources.danbooru import crawl

PER_PAGE = 200  # what gallery-dl asks for


class Booru(Server):
    """Posts numbered from the newest down, every seventh rated explicit, every tenth a film."""

    def __init__(self, count: int):
        self.posts = [self.post(number) for number in range(count, 0, -1)]
        self.searches: list[tuple[str, int]] = []
        self.fetched: list[str] = []
        super().__init__()

    def answer(self, request) -> None:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path == "/posts.json":
            content, kind = json.dumps(self.search(query)).encode(), "application/json"
        elif path.startswith("/data/"):
            self.fetched.append(path)
            content, kind = face(int(path[6:].split(".")[0])), "image/png"
        else:
            return request.send_error(404)
        send(request, 200, {"Content-Type": kind, "Content-Length": str(len(content))})
        request.wfile.write(content)
        return None

    def post(self, number: int) -> dict:
        kind = "mp4" if number % 10 == 0 else "png"
        return {
            "id": number, "rating": "e" if number % 7 == 0 else "g", "file_ext": kind,
            "file_url": f"/data/{number}.{kind}", "large_file_url": f"/data/{number}.{kind}",
            "created_at": "2026-01-02T03:04:05.000-05:00",
            "source": f"https://example.org/art/{number}" if number % 3 else "",
            "tag_string": "solo portrait", "tag_string_artist": "anna_b 山田" if number % 2 else "",
            "tag_string_character": "", "tag_string_copyright": "original", "tag_string_general": "solo portrait",
            "tag_string_meta": "", "score": 1, "md5": f"{number:032x}",
        }  # fmt: skip

    def search(self, query: dict) -> list[dict]:
        """Ignores the rating in the tags, as a site may: our own filter has to work."""
        tags, page = query["tags"][0], query.get("page", ["1"])[0]
        self.searches.append((tags, page))
        below = int(page[1:]) if page.startswith("b") else None
        posts = [post for post in self.posts if below is None or post["id"] < below]
        start = 0 if below else (int(page) - 1) * PER_PAGE
        return posts[start : start + int(query.get("limit", [PER_PAGE])[0])]


@pytest.fixture
def booru():
    site = Booru(250)
    yield site
    site.close()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(danbooru, "PAUSE", 0)
    monkeypatch.setattr(danbooru, "RETRIES", 0)


def rows(path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_crawl_stops_at_its_limit_and_continues_from_there(booru, tmp_path):
    out = tmp_path / "抓取"
    summary = crawl_pictures("solo portrait", 12, out, site=booru.url, progress=False)
    assert summary.kept == 12
    assert booru.searches[0][0] == "solo portrait rating:g"
    table = rows(out / "sources.csv")
    assert len(table) == 12 and len(booru.fetched) == 12
    for row in table:
        number = int(row["post"])
        assert number % 7 and number % 10 and row["rating"] == "general"
        assert row["artist"] == ("anna_b, 山田" if number % 2 else "unknown")
        assert row["source"] == (f"https://example.org/art/{number}" if number % 3 else "")
        assert row["licence"] == "none given"
    first = set(booru.fetched)
    assert crawl_pictures("solo portrait", 12, out, site=booru.url, progress=False).new == 0
    assert len(booru.fetched) == 12, "nothing is fetched twice"
    assert crawl_pictures("solo portrait", 20, out, site=booru.url, progress=False).kept == 20
    assert len(booru.fetched) == len(set(booru.fetched)) == 20 and first < set(booru.fetched)


def test_paging_until_there_are_no_more_posts(booru, tmp_path):
    allowed = [post for post in booru.posts if post["id"] % 7 and post["id"] % 10]
    count, _ = crawl("solo", 2000, tmp_path / "all", site=booru.url)
    assert count == len(allowed) == len(set(booru.fetched))
    assert len(booru.searches) >= 2, "250 posts are two pages"


def test_a_site_that_breaks_down_and_half_a_file(booru, tmp_path):
    crawl_pictures("solo", 5, tmp_path / "out", site=booru.url, progress=False)
    half = next((tmp_path / "out" / ".import" / "crawl").glob("2*.json"))
    half.write_bytes(half.read_bytes()[:40])  # as an interrupted crawl leaves it
    assert crawl_pictures("solo", 5, tmp_path / "out", site=booru.url, progress=False).kept == 5
    booru.search = lambda query: 1 / 0
    summary = crawl_pictures("solo", 9, tmp_path / "out", site=booru.url, progress=False)
    assert summary.kept == 5 and "broke off after 5 pictures" in str(summary)


def test_another_rating_only_if_asked_for(booru, tmp_path):
    crawl("solo", 3, tmp_path / "e", rating="explicit", site=booru.url)
    assert all(row["rating"] == "explicit" for row in rows(tmp_path / "e" / "sources.csv"))


def test_the_users_own_settings_are_not_read(booru, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".config" / "gallery-dl").mkdir(parents=True)
    (home / ".config" / "gallery-dl" / "config.json").write_text('{"extractor": {"base-directory": "/nowhere"}}')
    monkeypatch.setenv("HOME", str(home))
    assert crawl("solo", 2, tmp_path / "out", site=booru.url) == (2, "")


def test_mistakes(booru, tmp_path):
    for message, arguments in {
        "--tags is empty": (" ", 5),
        "--limit 0 is out of range": ("solo", 0),
        "--limit 50000 is out of range": ("solo", 50_000),
        "--rating all is unknown": ("solo", 5, tmp_path, "all"),
        "--site example.org is not an address": ("solo", 5, tmp_path, "general", "example.org"),
    }.items():
        with pytest.raises(UserError, match=message):
            crawl(*arguments[:2], *(arguments[2:] or [tmp_path]))
    booru.close()
    with pytest.raises(UserError, match="gave nothing: .*Can it be reached") as caught:
        crawl("solo", 5, tmp_path / "none", site=booru.url)
    assert "\n" not in str(caught.value)


def test_a_crawl_without_a_hit_says_so(booru, tmp_path):
    booru.posts = []
    with pytest.raises(UserError, match="no pictures for these tags on http"):
        crawl_pictures("sloo", 5, tmp_path / "out", site=booru.url, progress=False)


def test_a_crawl_runs_no_file_of_the_working_folder(booru, tmp_path, monkeypatch):
    place = tmp_path / "work"
    place.mkdir()
    for name in ("gallery_dl", "requests", "json", "os", "urllib3", "sitecustomize"):
        (place / f"{name}.py").write_text(f"open({str(tmp_path / 'was run')!r}, 'w').close(); raise SystemExit(9)")
    monkeypatch.chdir(place)
    for path in ("", ".", os.pathsep):  # an empty part means the working folder
        monkeypatch.setenv("PYTHONPATH", path)
        for name in ("sitecustomize", "json", "os"):  # with PYTHONPATH, Python itself imports these as it starts
            (place / f"{name}.py").unlink(missing_ok=True)
        assert crawl("solo", 2, tmp_path / f"out {len(path)}", site=booru.url) == (2, "")
    assert not (tmp_path / "was run").exists()


ODD = [
    "5", "null", "[]", "{}", "", "[" * 100_000, "9" * 5000, '{"id": "x"}', '{"id": 1e999}', '{"id": null}',
    '{"id": 4, "tags_artist": "anna"}', '{"id": 4, "tags_artist": [5]}', '{"id": 4, "rating": {}}',
    '{"id": 4, "source": []}', '{"id": true}',
]  # fmt: skip


def test_a_damaged_file_about_a_picture_is_fetched_again(booru, tmp_path):
    crawl("solo", 4, tmp_path / "out", site=booru.url)
    paths = sorted((tmp_path / "out").glob("2*.json"))
    for odd in ODD:
        paths[0].write_text(odd)
        assert len(danbooru._posts(tmp_path / "out")) == 3, odd
    assert crawl("solo", 4, tmp_path / "out", site=booru.url) == (4, "")
    facts = json.loads(paths[0].read_text("utf-8"))
    paths[0].write_text(json.dumps(facts | {"created_at": {"x": ["\ud800\n"]}, "tags_artist": None, "source": None}))
    assert crawl("solo", 4, tmp_path / "out", site=booru.url) == (4, "")
    assert len(rows(tmp_path / "out" / "sources.csv")) == 4


def test_odd_sites_and_tags_are_one_line(booru, tmp_path):
    for site in ("http://a b/", "http://a\nb", "http://\udcff", "http://a\0b", "https://", ""):
        with pytest.raises(UserError, match="is not an address") as caught:
            crawl("solo", 5, tmp_path / "none", site=site)
        assert "\n" not in str(caught.value)
    assert crawl("a\udcff\n\0", 2, tmp_path / "odd tags", site=booru.url) == (2, "")
