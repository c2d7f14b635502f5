"""`reload`: lets what runs take the configuration as it is now: no restart, as a whole or not at all."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from integration import bootstrap
from integration.entrypoints.in_force import GONE
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.process_logging import silence
from integration.entrypoints.reload_trial import Consequences, try_settings
from integration.entrypoints.surroundings import the_configuration, the_environment
from integration.settings.differences import (
    differences,
    everything,
    known_otherwise,
    needs_restart,
    touched,
)
from integration.settings.mistakes import ConfigError
from integration.settings.written import read_again

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from integration.adapters.store.stamp import Kind
    from integration.ports.site import Configuration, Process
    from integration.ports.store import Store
    from integration.settings.differences import Difference, Scope
    from integration.settings.environment import Environment
    from integration.settings.model import Settings
    from integration.settings.written import Written

_PATIENCE: Final = 20.0  # seconds in which every running process answers, and in which it takes it
_AGAIN: Final = 0.1  # seconds between two looks
_PROGRESS: Final = 1000  # appointments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to ask, and whether to do it at all."""
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    parser.add_argument("--yes", action="store_true", help="without asking")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one fact a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when it was refused or not confirmed; then nothing has changed."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    written = the_configuration(environment)
    kind = bootstrap.kind_of_existing(environment)
    store = bootstrap.open_store(environment, kind=kind, units=2)
    try:
        with store.unit() as unit:
            forced = unit.configurations.in_force()
        if forced is None or forced.digest == written.digest:
            nothing = "Nothing has run here yet; the first start takes the configuration as it is then."
            same = "Nothing differs from the configuration in force."
            _tell(options, {"differences": 0}, nothing if forced is None else same)
            return 0
        scope = _announce(options, environment, kind, forced, written)
        if options.dry_run:
            return 0
        if not (options.yes or _confirmed()):
            return 1
        return _reload(store, options, written, scope)
    finally:
        store.close()


def _announce(
    options: argparse.Namespace, environment: Environment, kind: Kind, forced: Configuration, written: Written
) -> Scope:
    """Say what would change, and what would follow; whose appointments are touched."""
    told = differences(forced.texts, written.texts)
    for each in told:
        _tell(options, {"what": "difference", **asdict(each)}, str(each))
    if not told:
        _tell(options, {"differences": 0}, "Only comments or the order of keys differ.")
    former = _former(forced)
    scope = everything(written.settings) if former is None else touched(former, written.settings)
    _tell_what_follows(options, environment, kind, written, scope)
    if former is not None:
        _tell_what_does_not(
            options, known_otherwise(former, written.settings), needs_restart(former, written.settings)
        )
    return scope


def _former(forced: Configuration) -> Settings | None:
    """What holds now, None when this release cannot read it."""
    try:
        return read_again(forced.texts).settings
    except ConfigError:
        return None


def _tell_what_follows(
    options: argparse.Namespace, environment: Environment, kind: Kind, written: Written, scope: Scope
) -> None:
    found = Consequences()
    if scope:
        found = _tried(environment, kind, written, scope)
        if kind == "simulated":
            warn("The store's calendar is simulated; what follows is counted by this machine's clock.")
    facts = asdict(found)
    _tell(
        options,
        {"what": "consequences", **facts},
        f"{found.appointments} appointments to come would be thought over: {found.starts} start at another "
        f"time, {found.places} take place elsewhere, {found.practices} belong to another practice.",
        f"Reminders: {found.added} more (at most so many texts), {found.withdrawn} fewer, "
        f"{found.moved} at another time. No text about an event, and no step that is already due.",
    )


def _tried(environment: Environment, kind: Kind, written: Written, scope: Scope) -> Consequences:
    workshop = bootstrap.open_workshop(environment, written.settings, kind=kind)
    shown = 0

    def looked_at(count: int) -> None:
        nonlocal shown
        if count - shown >= _PROGRESS and sys.stderr.isatty():
            shown = count
            sys.stderr.write(f"\r{count} appointments looked at")
            sys.stderr.flush()

    try:
        with silence():
            return try_settings(replace(workshop, sms=None), scope, looked_at)
    finally:
        workshop.store.close()
        if shown:
            sys.stderr.write("\n")


def _tell_what_does_not(
    options: argparse.Namespace, feeds: Sequence[str], later: Sequence[Difference]
) -> None:
    for feed in feeds:
        _tell(
            options,
            {"what": "known otherwise", "feed": feed},
            f"feeds/{feed}.toml: appointments are known by other identifiers now; those stored follow only "
            "when the feed speaks of them again, or by a replay.",
        )
    for each in later:
        _tell(options, {"what": "needs restart", **asdict(each)}, f"Only after a restart: {each}")
    _tell(options, None, "The environment (ports, database, secrets) is read at a start only.")


def _reload(store: Store, options: argparse.Namespace, written: Written, scope: Scope) -> int:
    """Propose it, let every running process answer, put it in force, and see it taken."""
    with store.unit() as unit:
        generation = unit.configurations.propose(written.texts, written.digest, _now())
    why = "given up"
    try:
        why = _refusal(store, generation) or ""
        if not why:
            with store.unit() as unit:
                done = unit.configurations.put_in_force(generation, scope, _now())
            why = "" if done else "another reload came between"
    finally:
        if why:
            with store.unit() as unit:
                unit.configurations.refuse(generation, why, _now())
    if why:
        _tell(options, {"what": "refused", "reason": why}, f"Refused, nothing has changed: {why}")
        return 1
    left = _left_behind(store, generation)
    runs = [process.name for process in _alive(store)]
    facts = {"what": "in force", "generation": generation, "processes": runs, "left_behind": left}
    words = f"In force (generation {generation}); {len(runs) - len(left)} processes run with it."
    _tell(options, facts, words if runs else "In force; nothing runs, the next start begins with it.")
    warn(*(f"{name} has not taken it yet; its log says why." for name in left))
    return int(bool(left))


def _refusal(store: Store, generation: int) -> str | None:
    """Why not, by the first running process that cannot take it; None when all could."""

    def unanswered() -> list[Process]:
        return [process for process in _alive(store) if process.answered != generation]

    waiting = _wait_for_none(unanswered)
    if waiting:
        return f"{waiting[0].name} does not answer"
    return next(
        (f"{process.name}: {process.refusal}" for process in _alive(store) if process.refusal is not None),
        None,
    )


def _left_behind(store: Store, generation: int) -> list[str]:
    def behind() -> list[Process]:
        return [process for process in _alive(store) if process.generation < generation]

    return [process.name for process in _wait_for_none(behind)]


def _wait_for_none(look: Callable[[], list[Process]]) -> list[Process]:
    """What is left of them when patience ends."""
    end = time.monotonic() + _PATIENCE
    while (found := look()) and time.monotonic() < end:
        time.sleep(_AGAIN)
    return found


def _alive(store: Store) -> list[Process]:
    with store.unit() as unit:
        return list(unit.processes.seen_since(_now() - GONE))


def _now() -> datetime:
    return datetime.now(UTC)


def _tell(options: argparse.Namespace, facts: dict[str, object] | None, *words: str) -> None:
    if not options.json:
        say(*words)
    elif facts is not None:
        json_line(facts)


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        warn("Nothing has changed; --yes does it.")
        return False
    sys.stderr.write("Do it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
