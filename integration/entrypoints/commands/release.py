"""`release`: what a breaker has stopped, and letting it go on, or dropping it, once a person has looked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.pipeline.release import drop, held_by

if TYPE_CHECKING:
    import argparse

    from integration.pipeline.release import Waiting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The breakers to close again."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="breakers to close; none lists the open ones"
    )
    parser.add_argument(
        "--drop", action="store_true", help="sends nothing of what waits; bad news becomes calls to make"
    )
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one breaker a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a named breaker is not open; 2 for --drop without a name."""
    if options.drop and not options.names:
        warn("release --drop needs the name of a breaker")
        return 2
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    settings = the_settings(environment)
    store = bootstrap.open_existing_store(environment)
    now = datetime.now(UTC)
    try:
        found = store.breakers()
        shown = {name: why for name, why in found.items() if not options.names or name in options.names}
        with store.unit() as unit:
            waiting = {name: held_by(unit, settings, name, now) for name in shown}
        for name in shown if options.names else ():
            if options.drop:
                drop(store, settings, waiting[name], now)
            store.release(name, now)
    finally:
        store.close()
    done = ("dropped" if options.drop else "released") if options.names else None
    if options.json:
        for name, why in shown.items():
            json_line({"breaker": name, "reason": why} | _facts(waiting[name], done))
    elif done:
        warn(*(f"{done.capitalize()}: {name} ({_sample(waiting[name])})" for name in shown))
    else:
        rows = ((name, why, _since(waiting[name]), _sample(waiting[name])) for name, why in shown.items())
        table(("breaker", "why it is open", "since", "what waits"), rows)
    unknown = [name for name in options.names if name not in found]
    warn(*(f"{name}: is not open" for name in unknown))
    return int(bool(unknown))


def _facts(waiting: Waiting, done: str | None) -> dict[str, object]:
    return {
        "released": done is not None,
        "dropped": done == "dropped",
        "since": None if waiting.since is None else waiting.since.isoformat(),
        "reminders": len(waiting.reminders),
        "numbers": waiting.numbers,
        "practices": list(waiting.practices),
        "steps": dict(waiting.steps),
    }


def _since(waiting: Waiting) -> str:
    return "" if waiting.since is None else f"{waiting.since:%Y-%m-%d %H:%M}Z"


def _sample(waiting: Waiting) -> str:
    """How much of what; no number and no name."""
    steps = ", ".join(f"{step} {count}" for step, count in waiting.steps.items())
    return f"{len(waiting.reminders)} reminders to {waiting.numbers} numbers" + (steps and f": {steps}")
