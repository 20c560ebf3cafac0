"""The files of a folder, at any depth, before any of them is opened."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

OWN_FILE = re.compile(r"\.animegan-(\d+)-[0-9a-f]{16}(-[0-9a-f]{8})?\.(npy|json|tmp)")  # caches of `animegan.data`
TABLE, SHEET = "import.csv", "contact_sheet.png"  # what `animegan.sources` puts beside the pictures


def scan(folder: Path) -> tuple[list[tuple[str, int, int]], dict[str, list[str]]]:
    """All files to open as sorted (name, bytes, mtime_ns), and those judged by name, by kind.

    The latter stay out of the cache key: a file manager rewrites its hidden files at every look.
    """
    found, skipped = [], {"hidden": [], "foreign": [], "unreadable": []}

    def walk(path: str, prefix: str, above: tuple[str, ...]) -> None:
        real = os.path.realpath(path)
        if real in above:
            return  # a link to a folder that holds it
        try:
            with os.scandir(path) as listing:
                entries = list(listing)
        except OSError:
            skipped["unreadable"].append(prefix or "./")
            return
        is_import = any(entry.name == TABLE for entry in entries)
        for entry in entries:
            name = prefix + entry.name
            parts = name.split("/")
            try:
                if entry.is_dir():
                    walk(entry.path, name + "/", (*above, real))
                elif "__MACOSX" in parts or (is_import and entry.name == SHEET):
                    skipped["foreign"].append(name)
                elif any(part.startswith(".") for part in parts):
                    if not OWN_FILE.fullmatch(entry.name):
                        skipped["hidden"].append(name)
                elif stat.S_ISREG((status := entry.stat()).st_mode):
                    found.append((name, status.st_size, status.st_mtime_ns))
                else:
                    skipped["foreign"].append(name)  # a pipe would be waited for without end
            except OSError:
                skipped["unreadable"].append(name)

    walk(str(folder), "", ())
    return sorted(found), skipped
