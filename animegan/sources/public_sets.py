"""Public sets of anime faces: where each one is, what it holds, and what has to be left out of it."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from animegan.sources.archives import DamagedSource

RIGHTS = (
    "scraped drawings, without a licence from the artists: for your own study; do not publish the pictures, and better "
    "not the weights"
)


@dataclass(frozen=True)
class PublicSet:
    """A set in a repository on GitHub, at one commit: its files can be deleted, but not changed.

    pattern: the entries of the archive that belong to the set, with one group, a number; drawings up to `last`.
    count: how many drawings there are. An archive is checked by these numbers before it is used: GitHub may compress it
    again at any time, so its hash proves nothing, but the files of a commit never change.
    """

    name: str
    holds: str
    repository: str
    commit: str
    pattern: str
    last: int
    count: int
    left_out: str = ""

    def url(self, mirror: str | None = None) -> str:
        """Where it is; behind a mirror, its address comes before all of the original one, as GitHub proxies expect."""
        url = f"https://github.com/{self.repository}/archive/{self.commit}.zip"
        return f"{mirror.rstrip('/')}/{url}" if mirror else url

    def is_wanted(self, name: str) -> bool:
        match = re.search(self.pattern, name)
        return bool(match) and int(match[1]) <= self.last

    def leave_out(self, name: str) -> str:
        """Why an entry of the archive is not imported, "" if it is."""
        return "" if self.is_wanted(name) else f"not of the set: {self.left_out}"

    def check(self, archive: Path) -> None:
        """Raise DamagedSource unless the archive holds what the set promises."""
        try:
            with zipfile.ZipFile(archive) as file:
                found = sum(map(self.is_wanted, file.namelist()))
        except (zipfile.BadZipFile, OSError) as error:
            found = f"no readable archive ({error})"
        if found != self.count:
            raise DamagedSource(f"{self.name} should hold {self.count:,} pictures, and what was fetched holds {found}")


SETS = {each.name: each for each in (
    PublicSet(
        "faces-96", "33,431 faces of 96x96, cropped; the set of many homeworks of this kind",
        "xiaohuiduan/cgan_anime_face", "31e30fa29be8c84f0ccd886957ec4ecd688f9649",
        r"(?:^|/)faces/(\d+)\.jpg$", last=33430, count=33431,
        left_out="36,740 more files, made by a network: a network trained on those copies its mistakes",
    ),
    PublicSet(
        "portraits-256",
        "3,400 portraits of 256x256 (the anime half of selfie2anime), from which --crop cuts the faces",
        "zeka-io/selfie-to-anime", "de41519", r"(?:^|/)trainB/(\d+)\.jpg$", last=9999, count=3400,
        left_out="photographs of people, and the test pictures",
    ),
)}  # fmt: skip

BY_HAND = """The archive of the handout (Baidu, https://pan.baidu.com/s/1C2l836KAGAQR_H_RnZkAqQ, code twrh) needs an
account and Baidu's own program: download it by hand, then  animegan data import FILE"""


def listing() -> str:
    """The sets that `get` can fetch, as text."""
    lines = []
    for each in SETS.values():
        facts = (f"left out: {each.left_out}", f"rights: {RIGHTS}", f"from: {each.url()}")
        lines += [f"{each.name:15} {each.holds}", *(f"{'':15} {fact}" for fact in facts), ""]
    return "\n".join([*lines, BY_HAND])
