"""The files of a folder, at any depth, before any of them is opened."""

import os
import re
import stat
from pathlib import Path

CACHE_FILE = re.compile(r"\.animegan-(\d+)-[0-9a-f]{16}(-[0-9a-f]{8})?\.(npy|json|tmp)")  # written by `animegan.data`
TABLE, SHEET, HIDDEN = "import.csv", "contact_sheet.png", ".import"  # written by `animegan.sources`
# What the library itself writes beside the pictures of a data set, and the files that show it is one of ours.
OURS = {TABLE, SHEET, HIDDEN, "sources.csv", "attributes.csv", "drawing.json", "README.md"}
_MARKERS = {TABLE, HIDDEN, "drawing.json"}


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
