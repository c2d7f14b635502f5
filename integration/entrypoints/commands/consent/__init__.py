"""`consent`: what patients said about texts: a list of it in and out, one patient's whole, a stop lifted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integration import bootstrap
from integration.entrypoints.commands.consent.exporting import export
from integration.entrypoints.commands.consent.importing import import_list
from integration.entrypoints.commands.consent.lifting import lift
from integration.entrypoints.commands.consent.showing import show
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Refused, Usage

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be done."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="import|export|show|lift")
    add = deeds.add_parser("import", help="take in a list (CSV); it sends nothing unless told to")
    add.add_argument("file", type=Path)
    add.add_argument("--zone", help="of times without an offset, such as America/New_York")
    add.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add.add_argument(
        "--welcome",
        action="store_true",
        help="text those once whose yes is new, where the practice has `opt_in_text`; says first how many",
    )
    out = deeds.add_parser(
        "export", help="every record, and every number that is stopped, on standard output"
    )
    out.add_argument("--json", action="store_true", help="one record a line, as JSON, instead of CSV")
    one = deeds.add_parser("show", help="all that is known of one patient or number, and what holds now")
    one.add_argument("who", help="an identifier, such as a record number, or a telephone number")
    one.add_argument("--reveal", action="store_true", help="with numbers and patients' words, masked else")
    end = deeds.add_parser("lift", help="let a number be texted again that said stop, or was called wrong")
    end.add_argument("number")
    end.add_argument("--by", required=True, help="who decides it")
    end.add_argument("--reason", required=True, help="why, as it is to be kept")
    end.add_argument(
        "--carrier-unblocked", action="store_true", help="the carrier does not block it, or no longer"
    )
    for each in (add, out, one, end):
        each.add_argument("--demo", action="store_true", help="of the store of `run --demo`")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a line was refused, or nobody is known by what was asked for."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    settings = the_settings(environment)
    store = bootstrap.open_existing_store(environment)
    try:
        match options.deed:
            case "import":
                zone = None if options.zone is None else _zone(options.zone)
                return import_list(
                    store,
                    settings,
                    _lines(options.file),
                    zone,
                    dry_run=options.dry_run,
                    welcome=options.welcome,
                )
            case "export":
                return export(store, as_json=options.json)
            case "show":
                return show(store, settings, options.who, reveal=options.reveal)
            case _:
                return lift(
                    store,
                    settings,
                    options.number,
                    note=f"{options.by}: {options.reason}",
                    unblocked=options.carrier_unblocked,
                )
    finally:
        store.close()


def _lines(path: Path) -> tuple[str, list[str]]:
    try:
        return str(path), path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read as a file of UTF-8 text.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Usage(f"--zone {name}: no such time zone") from error
