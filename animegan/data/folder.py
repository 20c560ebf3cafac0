"""The files of a folder, at any depth, before any of them is opened."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

CACHE_FILE = re.compile(r"\.animegan-(\d+)-[0-9a-f]{16}(-[0-9a-f]{8})?\.(npy|json|tmp)")  # written by `animegan.data`
TABLE, SHEET, HIDDEN = "import.csv", "contact_sheet.png", ".import"  # written by `animegan.sources`
# What the library itself writes beside the pictures of a data set, and the files that show it is one of ours.
OURS = {TABLE, SHEET, HIDDEN, "sources.csv", "attributes.csv", "drawing.json"}
_MARKERS = {TABLE, HIDDEN, "drawing.json"}


def scan(folder: Path) -> tuple[list[tuple[str, int, int]], dict[str, list[str]]]:
    """All files to open as sorted (name, bytes, mtime_ns), and those left out by name alone, by kind.

    The latter stay out of the cache key: a file manager rewrites its hidden files whenever it shows the folder. Files
    of our own are in neither.
    """
    found, skipped = [], {"hidden": [], "foreign": [], "unreadable": []}

    def walk(path: str, prefix: str, above: tuple[str, ...]) -> None:
        real = os.path.realpath(path)
        if real in above:
            return  # a link to a folder that contains it
        try:
            with os.scandir(path) as listing:
                entries = list(listing)
        except OSError:
            skipped["unreadable"].append(prefix or "./")
            return
        ours = OURS if any(entry.name in _MARKERS for entry in entries) else set()
        for entry in entries:
            name = prefix + entry.name
            parts = name.split("/")
            try:
                if entry.name in ours or CACHE_FILE.fullmatch(entry.name):
                    continue
                if entry.is_dir():
                    walk(entry.path, name + "/", (*above, real))
                elif "__MACOSX" in parts:
                    skipped["foreign"].append(name)
                elif any(part.startswith(".") for part in parts):
                    skipped["hidden"].append(name)
                elif stat.S_ISREG((status := entry.stat()).st_mode):
                    found.append((name, status.st_size, status.st_mtime_ns))
                else:
                    skipped["foreign"].append(name)  # reading a pipe would wait for ever
            except OSError:
                skipped["unreadable"].append(name)

    walk(str(folder), "", ())
    return sorted(found), skipped
