"""What another configuration would change: keys that differ, and whose reminders are to be thought over."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration.settings.model import Feed, Practice, Settings

_PRIVATE: Final = frozenset({"allowed_numbers"})  # whose entries are people's numbers
_WIDE: Final = 60  # letters of a value that a person is shown


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One key that says something else; None: it says nothing there."""

    file: str
    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        place = ": ".join(filter(None, (self.file, self.key)))
        return f"{place}: {self.before or 'nothing'} → {self.after or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose appointments are touched: of these feeds they are read anew, of these practices planned."""

    feeds: frozenset[str] = frozenset()
    practices: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.feeds or self.practices)

    def __or__(self, other: Scope) -> Scope:
        return Scope(self.feeds | other.feeds, self.practices | other.practices)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """The keys that differ between the texts of two configurations, by file and key.

    Comments and the order of keys do not count. Private values are counted, not shown.
    """
    found = []
    for file in sorted(before.keys() | after.keys()):
        old, new = _flat(before.get(file)), _flat(after.get(file))
        if before.get(file) is None or after.get(file) is None:
            there, gone = ("a file", None) if file in before else (None, "a file")
            found.append(Difference(file, "", there, gone))
            continue
        found += [
            Difference(file, key, _shown(key, old.get(key)), _shown(key, new.get(key)))
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
    return found


def everything(settings: Settings) -> Scope:
    """All there is."""
    return Scope(frozenset(settings.feeds), frozenset(settings.practices))


def touched(before: Settings | None, after: Settings) -> Scope:
    """Which stored appointments may be read or planned otherwise than until now. None: nobody knows."""
    if before is None:
        return everything(after)
    feeds = {
        name
        for name, feed in after.feeds.items()
        if name not in before.feeds or _reading(before, before.feeds[name]) != _reading(after, feed)
    }
    practices = {
        name
        for name in before.practices.keys() | after.practices.keys()
        if _plan(before.practices.get(name)) != _plan(after.practices.get(name))
    }
    return Scope(frozenset(feeds), frozenset(practices))


def known_otherwise(before: Settings, after: Settings) -> list[str]:
    """Feeds whose appointments are found by other keys than those stored: only new messages follow."""
    return sorted(
        name
        for name, feed in after.feeds.items()
        if name in before.feeds and _identity(before.feeds[name]) != _identity(feed)
    )


def needs_restart(before: Settings, after: Settings) -> list[Difference]:
    """What running processes cannot take."""
    old, new = before.sending.threads, after.sending.threads
    return [] if old == new else [Difference("settings.toml", "sending.threads", str(old), str(new))]


def _reading(settings: Settings, feed: Feed) -> tuple[Any, ...]:
    """All that decides what a message of a feed says of an appointment."""
    unclaimed = None
    if settings.mode == "test":
        unclaimed = next((p.name for p in settings.practices.values() if p.serves_unclaimed), None)
    owners = {location.practice for location in feed.locations.values()}
    sensitive = {
        name: settings.practices[name].sensitive_texts for name in owners if name in settings.practices
    }
    return feed.vendor, feed.facts, feed.fhir, feed.locations, unclaimed, sensitive


def _plan(practice: Practice | None) -> object:
    """All that decides which steps before a visit there are, and when."""
    return None if practice is None else replace(practice.plan, settle=timedelta(), off=())


def _identity(feed: Feed) -> tuple[Any, ...]:
    places = feed.vendor.appointment
    return feed.scope, feed.identity or places.identity, places.occurrence


def _flat(text: str | None) -> dict[str, Any]:
    return {} if text is None else dict(_leaves(tomllib.loads(text), ""))


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(key: str, value: Any) -> str | None:
    if value is None:
        return None
    if key in _PRIVATE:
        return f"{len(value)} of them"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
