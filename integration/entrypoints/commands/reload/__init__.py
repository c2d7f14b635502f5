"""`reload`: lets what runs take the configuration as it is now: no restart, as a whole or not at all."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from integration import bootstrap
from integration.entrypoints.commands.reload.announcement import announce, tell
from integration.entrypoints.in_force import GONE
from integration.entrypoints.printing import warn
from integration.entrypoints.surroundings import the_configuration, the_environment
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from integration.ports.site import Process
    from integration.ports.store import Store
    from integration.settings.differences import Scope
    from integration.settings.written import Written

_PATIENCE: Final = 20.0  # seconds in which every running process answers, and in which it takes it
_AGAIN: Final = 0.1  # seconds between two looks


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
            tell(options, {"differences": 0}, nothing if forced is None else same)
            return 0
        if environment.config_folder is None:
            raise Refused(
                f"There is no folder {environment.config} here, and what runs does not run with the shipped "
                "configuration as it is; set APPOINTMENT_TEXTS_CONFIG."
            )
        scope = announce(options, environment, kind, forced, written)
        if options.dry_run:
            return 0
        if not (options.yes or _confirmed()):
            return 1
        return _reload(store, options, written, scope)
    finally:
        store.close()


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
        tell(options, {"what": "refused", "reason": why}, f"Refused, nothing has changed: {why}")
        return 1
    left = _left_behind(store, generation)
    runs = [process.name for process in _alive(store)]
    facts = {"what": "in force", "generation": generation, "processes": runs, "left_behind": left}
    with_it = len(runs) - len(left)
    they_run = "1 process runs" if with_it == 1 else f"{with_it} processes run"
    words = f"In force (generation {generation}); {they_run} with it."
    tell(options, facts, words if runs else "In force; nothing runs, the next start begins with it.")
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


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        warn("Nothing has changed; --yes does it.")
        return False
    sys.stderr.write("Do it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
