"""File names that every system accepts: Windows is the strictest, so its rules are followed everywhere."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_BYTES = 120  # of a stem in UTF-8: far below the 255 of ext4, and short enough for Windows' 260 of a whole path
# Devices, whatever suffix follows; superscript digits count, too.
# Source: Microsoft, "Naming Files, Paths, and Namespaces".
DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Control characters, halves of a character, and signs that reverse the order of what follows ("gpj.exe" for "exe.jpg").
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


def safe_stem(name: str) -> str:
    """The stem of a file for `name`, a path with "/" or "\\" in it: without its folders and suffix.

    Letters of every script and emoji stay. Never empty, never hidden, never a device of Windows.
    """
    stem = PurePosixPath(name.replace("\\", "/")).name
    stem = re.sub(r"(?<=.)\.[A-Za-z0-9]{1,5}$", "", stem)
    stem = unicodedata.normalize("NFC", UNSEEN.sub("", FORBIDDEN.sub("_", stem)))
    stem = stem.encode("utf-8")[:MAX_BYTES].decode("utf-8", "ignore").strip(". ")
    is_special = stem.startswith(("=", "+", "-", "@"))  # a formula for a spreadsheet, an option for a command
    if is_special or DEVICES.fullmatch(stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return stem or "picture"


class Names:
    """Gives out each name once, also for systems that do not distinguish A from a."""

    def __init__(self, taken: Iterable[str] = ()):
        self._taken = set(map(_key, taken))
        self._numbers: dict[str, int] = {}  # the last number of each stem: thousands may be called "image"

    def new(self, stem: str, suffix: str) -> str:
        """`stem` + `suffix`, or with "-2", "-3" ... between them if that is taken."""
        name, same = f"{stem}{suffix}", _key(stem)
        while _key(name) in self._taken:
            self._numbers[same] = self._numbers.get(same, 1) + 1
            name = f"{stem}-{self._numbers[same]}{suffix}"
        self._taken.add(_key(name))
        return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
