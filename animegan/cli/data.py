"""The commands `animegan data ...`: what a folder holds, and where real faces come from."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from animegan.errors import UserError


def add_data_commands(data, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to `data`, argparse's group of them. add: makes a command of its name, function and help."""
    command = add(data, "check", check_data, "say what a folder of pictures holds; changes nothing")
    command.add_argument("folder")

    command = add(data, "import", import_data, "a data set out of folders, archives and pictures; changes none")
    command.add_argument("sources", nargs="+", metavar="SRC", help="folder, zip, tar(.gz/.xz), 7z, rar or picture")
    _import_options(command, "data/NAME, of the first SRC")

    command = add(data, "get", get_data, "fetch a public set of faces; without a name: what there is")
    command.add_argument("name", nargs="?", help="a set of that list")
    command.add_argument("--mirror", help="address to put before GitHub's, for who cannot reach it")
    command.add_argument("--url", help="an archive of your own choice, in place of a set")
    command.add_argument("--sha256", default="", help="what the SHA-256 of --url must be")
    command.add_argument("--allow-private", action="store_true", help="also from an address of your own network")
    _import_options(command, "data/NAME")

    command = add(data, "crawl", crawl_data, "fetch pictures from Danbooru by their tags, with gallery-dl")
    command.add_argument("--tags", required=True, help="tags of the site, e.g. 'solo portrait'")
    command.add_argument("--limit", type=int, required=True, help="so many pictures in all")
    command.add_argument("--rating", default="general", help="general (default), sensitive, questionable or explicit")
    command.add_argument("--site", default="https://danbooru.donmai.us", help="another site that runs Danbooru")
    _import_options(command, "data/crawl")


def _import_options(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument("--out", help=f"folder of the data set; what is there is added to (default {default})")
    command.add_argument("--crop", action="store_true", help="cut the faces out of whole illustrations")
    command.add_argument("--cascade", metavar="FILE", help="lbpcascade_animeface.xml, where it cannot be fetched")
    command.add_argument("--margin", type=float, default=0.2, help="around a face, as a part of it (default 0.2)")
    command.add_argument(
        "--threshold", type=int, default=4, help="of 64 bits, in how many duplicates may differ (default 4; -1: none)"
    )


# Each command imports what it needs when it runs.


def check_data(options: argparse.Namespace) -> None:
    from animegan.data import check_folder

    report = check_folder(options.folder)
    print(report)
    if not report.usable:
        print("  nothing to train on: put a few thousand faces there, or draw some: animegan draw")


def import_data(options: argparse.Namespace) -> None:
    from animegan.sources import default_out, import_pictures

    out = options.out or default_out(options.sources[0])
    _report_import(import_pictures(options.sources, out, _finder(options), options.threshold))


def get_data(options: argparse.Namespace) -> None:
    from animegan.sources import get, listing

    if not options.name and not options.url:
        if options.mirror or options.sha256:
            raise UserError("--mirror and --sha256 need the name of a set, or --url: animegan data get lists the sets.")
        print(listing())
        return
    summary = get(
        options.name, options.out, options.mirror, options.url, options.sha256, _finder(options), options.threshold,
        options.allow_private,
    )  # fmt: skip
    _report_import(summary)


def crawl_data(options: argparse.Namespace) -> None:
    from animegan.sources import crawl_pictures

    given = (options.tags, options.limit, options.out, options.rating, options.site)
    _report_import(crawl_pictures(*given, _finder(options), options.threshold))


def _finder(options: argparse.Namespace):
    if not options.crop:
        if options.cascade:
            raise UserError("--cascade goes with --crop: give both.")
        return None
    from animegan.sources import FaceFinder

    return FaceFinder(options.cascade, options.margin)


def _report_import(summary) -> None:
    print(summary)
    print(f"what became of each file: {summary.table}; to look at: {summary.sheet}")
    if not summary.kept:
        raise UserError(f"no picture came out of it that can be used: {summary.table} says why, file by file.")
    print(f"train on them with: animegan train --data_path {summary.folder}")
