"""What a folder holds: its files, at any depth, before any of them is opened, and the report on them afterwards."""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from animegan.data.pictures import MAX_PIXELS, MIN_SIDE
from animegan.text import printable, some

CACHE_FILE = re.compile(r"\.animegan-(\d+)-[0-9a-f]{16}(-[0-9a-f]{8})?\.(npy|json|tmp)")  # written by `animegan.data`
TABLE, SHEET, HIDDEN = "import.csv", "contact_sheet.png", ".import"  # written by `animegan.sources`
# What the library itself writes beside the pictures of a data set, and the files that show it is one of ours.
OURS = {TABLE, SHEET, HIDDEN, "sources.csv", "attributes.csv", "drawing.json", "README.md"}
_MARKERS = {TABLE, HIDDEN, "drawing.json"}
KINDS = {  # field of the report -> its meaning, what happens to such a file
    "corrupt": ("corrupt, or no picture at all", "left out"),
    "too_small": (f"too small (a side under {MIN_SIDE} pixels)", "left out"),
    "too_large": (f"too large (over {MAX_PIXELS // 10**6} megapixels)", "left out"),
    "unreadable": ("cannot be opened", "left out"),
    "hidden": ("hidden", "left out"),
    "foreign": ("not a picture", "left out"),
    "duplicates": ("exact duplicate", "kept"),
    "odd_shapes": ("odd shape (beyond 2:1)", "kept, cropped"),
    "misnamed": ("named as another format", "kept"),
    "animated": ("animated", "kept, first frame"),
}


def scan(folder: Path) -> tuple[list[tuple[str, int, int]], dict[str, list[str]]]:
    """All files to open as sorted (name, bytes, mtime_ns), and those left out by name alone, by kind.

    The latter stay out of the cache key: a file manager rewrites its hidden files whenever it shows the folder. Files
    of our own are in neither, nor are hidden data sets of our own (the faces that `animegan evaluate` draws).
    """
    found, skipped = [], {"hidden": [], "foreign": [], "unreadable": []}
    waiting: list[tuple[str, str, str, tuple[str, ...]]] = [(str(folder), "", "", ())]
    while waiting:  # no recursion: a folder may be nested deeper than Python's limit
        path, prefix, kind, above = waiting.pop()
        real = os.path.realpath(path)
        if real in above:
            continue  # a link to a folder that contains it
        try:
            with os.scandir(path) as listing:
                entries = list(listing)
        except OSError:
            skipped["unreadable"].append(prefix or "./")
            continue
        is_ours = any(entry.name in _MARKERS for entry in entries)
        if is_ours and kind == "hidden":
            continue
        for entry in entries:
            name = prefix + entry.name
            if (is_ours and entry.name in OURS) or CACHE_FILE.fullmatch(entry.name):
                continue
            left_out = kind or ("foreign" if entry.name == "__MACOSX" else "hidden" * entry.name.startswith("."))
            try:
                if entry.is_dir():
                    waiting.append((entry.path, name + "/", left_out, (*above, real)))
                elif left_out:
                    skipped[left_out].append(name)
                elif stat.S_ISREG((status := entry.stat()).st_mode):
                    found.append((name, status.st_size, status.st_mtime_ns))
                else:
                    skipped["foreign"].append(name)  # reading a pipe would wait for ever
            except OSError:
                skipped["unreadable"].append(name)
    return sorted(found), skipped


@dataclass
class FolderReport:
    """What a folder holds: file names (relative, with "/"), by kind; `str()` sums it up.

    Left out: `corrupt`, `too_small`, `too_large`, `unreadable`, `hidden`, `foreign` (not a picture). Used, and only
    listed: `duplicates` (file -> the earlier file with the same bytes), `odd_shapes` (one side above twice the other),
    `misnamed`, `animated`. `notes` says where the cache is, if not in the folder. Files of our own are not counted.
    """

    folder: str = ""
    total: int = 0
    usable: int = 0
    corrupt: list[str] = field(default_factory=list)
    too_small: list[str] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    odd_shapes: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    animated: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{printable(self.folder)}: {self.total} files, {self.usable} pictures to use"]
        width = max(len(meaning) for meaning, _ in KINDS.values())
        for kind, (meaning, fate) in KINDS.items():
            if names := getattr(self, kind):
                lines.append(f"  {meaning:<{width}} {len(names):>5}  {fate:<17}  {some(names)}")
        return "\n".join(lines + [f"  note: {printable(note)}" for note in self.notes])
