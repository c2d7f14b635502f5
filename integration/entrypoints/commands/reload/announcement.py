"""Says what another configuration would change before it does: keys, appointments to come, reminders."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from integration import bootstrap
from integration.entrypoints.commands.reload.trial import Consequences, try_settings
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.process_logging import silence
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
    from collections.abc import Sequence

    from integration.adapters.store.stamp import Kind
    from integration.ports.site import Configuration
    from integration.settings.differences import Difference, Scope
    from integration.settings.environment import Environment
    from integration.settings.model import Settings
    from integration.settings.written import Written

_PROGRESS: Final = 1000  # appointments


def announce(
    options: argparse.Namespace, environment: Environment, kind: Kind, forced: Configuration, written: Written
) -> Scope:
    """Say what would change, and what would follow; whose appointments are touched."""
    told = differences(forced.texts, written.texts)
    for each in told:
        tell(options, {"what": "difference", **asdict(each)}, str(each))
    if not told:
        tell(options, {"differences": 0}, "Only comments or the order of keys differ.")
    former = _former(forced)
    scope = everything(written.settings) if former is None else touched(former, written.settings)
    _tell_what_follows(options, environment, kind, written, scope)
    if former is not None:
        _tell_what_goes(options, sorted(former.feeds.keys() - written.settings.feeds.keys()))
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
    tell(
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


def _tell_what_goes(options: argparse.Namespace, feeds: Sequence[str]) -> None:
    for feed in feeds:
        tell(
            options,
            {"what": "feed gone", "feed": feed},
            f"feeds/{feed}.toml is gone: its port is closed, its messages not yet applied will be dead, and "
            "the reminders of its appointments will not be sent.",
        )


def _tell_what_does_not(
    options: argparse.Namespace, feeds: Sequence[str], later: Sequence[Difference]
) -> None:
    for feed in feeds:
        tell(
            options,
            {"what": "known otherwise", "feed": feed},
            f"feeds/{feed}.toml: appointments are known by other identifiers now; those stored follow only "
            "when the feed speaks of them again, or by a replay.",
        )
    for each in later:
        tell(options, {"what": "needs restart", **asdict(each)}, f"Only after a restart: {each}")
    tell(options, None, "The environment (ports, database, secrets) is read at a start only.")


def tell(options: argparse.Namespace, facts: dict[str, object] | None, *words: str) -> None:
    """To a person in words, to a program as facts; None: to people only."""
    if not options.json:
        say(*words)
    elif facts is not None:
        json_line(facts)
