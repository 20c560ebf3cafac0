"""The commands `animegan data ...`: what a folder holds, and where real faces come from."""

import argparse
from collections import Counter
from pathlib import Path

from animegan.cli.parser import PATH, add_command, whole
from animegan.errors import UserError
from animegan.text import printable


def add_data_commands(commands) -> None:
    """Add the group `data` to `commands`, argparse's group of them."""
    data = commands.add_parser("data", help="check, import or download a dataset")
    data = data.add_subparsers(required=True, metavar="COMMAND")

    command = add_command(data, "check", check_data, "report what a folder of pictures holds, without changing it")
    command.add_argument("folder", type=PATH)

    command = add_command(data, "import", import_data, "make a dataset from folders, archives and pictures")
    command.add_argument("sources", nargs="+", type=PATH, metavar="SRC", help="folder, zip, tar, 7z, rar or picture")
    _import_options(command, "data/NAME, after the first SRC")

    command = add_command(data, "get", get_data, "download a public dataset of faces; without a name, list them")
    command.add_argument("name", nargs="?", help="a dataset from that list")
    command.add_argument("--mirror", help="address to put before GitHub's, if GitHub cannot be reached")
    command.add_argument("--url", help="download this archive instead of a public dataset")
    command.add_argument("--sha256", help="the SHA-256 that the file at --url must have")
    _import_options(command, "data/NAME")

    command = add_command(data, "crawl", crawl_data, "download pictures from Danbooru by tag, with gallery-dl")
    command.add_argument("--tags", required=True, help="tags of the site, e.g. 'solo portrait'")
    command.add_argument("--limit", type=int, required=True, help="maximum number of pictures")
    command.add_argument("--rating", default="general", help="general (default), sensitive, questionable or explicit")
    command.add_argument("--site", default="https://danbooru.donmai.us", help="another site that runs Danbooru")
    _import_options(command, "data/crawl")


def _import_options(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument("--out", type=PATH, help=f"dataset's folder; an existing one is added to (default {default})")
    command.add_argument("--crop", action="store_true", help="cut the faces out of whole illustrations")
    command.add_argument("--cascade", type=PATH, metavar="FILE", help="with --crop: your lbpcascade_animeface.xml")
    command.add_argument("--any-cascade", action="store_true", help="with --cascade: any file; OpenCV may crash on it")
    command.add_argument(
        "--margin", type=float, default=0.2, help="with --crop: margin as a fraction of the face (default 0.2)"
    )
    command.add_argument(
        "--threshold", type=whole(-1, 31), default=4, help="pictures that differ in at most this many of 64 bits are "
        "duplicates (default 4; 0: only equal pixels, -1: only equal files)",
    )  # fmt: skip


# Each command imports what it needs when it runs.


def check_data(options: argparse.Namespace) -> None:
    from animegan.data import check_folder, other_format

    report = check_folder(options.folder)
    others = Counter(other_format(Path(report.folder, name)) for name in report.foreign + report.corrupt)
    report.notes += [f"{count:,} of these: {other}" for other, count in others.items() if other]
    print(report)
    if not report.usable:
        print("  nothing to train on: put a few thousand faces there, or draw some with: animegan draw")


def import_data(options: argparse.Namespace) -> None:
    from animegan.sources import default_out, import_pictures

    out = options.out or default_out(options.sources[0])
    _report_import(import_pictures(options.sources, out, _finder(options), options.threshold))


def get_data(options: argparse.Namespace) -> None:
    from animegan.sources import get, listing

    if options.name is None and options.url is None:
        if options.mirror or options.sha256:
            raise UserError("--mirror and --sha256 need the name of a set, or --url: animegan data get lists the sets.")
        print(listing())
        return
    given = (options.name, options.out, options.mirror, options.url, options.sha256 or "")
    _report_import(get(*given, _finder(options), options.threshold))


def crawl_data(options: argparse.Namespace) -> None:
    from animegan.sources import crawl_pictures

    given = (options.tags, options.limit, options.out, options.rating, options.site)
    _report_import(crawl_pictures(*given, _finder(options), options.threshold))


def _finder(options: argparse.Namespace):
    if not options.crop:
        if options.cascade or options.any_cascade:
            raise UserError("--cascade and --any-cascade go with --crop: give both.")
        return None
    from animegan.sources import FaceFinder

    return FaceFinder(options.cascade, options.margin, options.any_cascade)


def _report_import(summary) -> None:
    print(summary)
    table = printable(summary.table)
    print(f"what became of each file: {table}; the pictures at a glance: {printable(summary.sheet)}")
    if not summary.kept:
        raise UserError(f"no picture came out of it that can be used: {table} says why, file by file.")
    print(f"train on them with: animegan train --data_path {printable(summary.folder)}")
