"""`release`: what a breaker has stopped, and letting it go on once a person has looked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The breakers to close again."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="breakers to close; none lists the open ones"
    )
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one breaker a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a named breaker is not open."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    store = bootstrap.open_existing_store(environment)
    try:
        found = store.breakers()
        unknown = [name for name in options.names if name not in found]
        for name in set(options.names) - set(unknown):
            store.release(name, datetime.now(UTC))
    finally:
        store.close()
    shown = {name: why for name, why in found.items() if not options.names or name in options.names}
    if options.json:
        for name, why in shown.items():
            json_line({"breaker": name, "reason": why, "released": name in options.names})
    elif options.names:
        warn(*(f"Released: {name}" for name in shown))
    else:
        table(("breaker", "why it is open"), shown.items())
    warn(*(f"{name}: is not open" for name in unknown))
    return int(bool(unknown))
