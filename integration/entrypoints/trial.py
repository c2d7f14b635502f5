"""Tries a replay on the real store and undoes it, to say how many reminders it would add (design: no blast).

The steps themselves run, inside transactions that never commit; nothing is offered to anybody.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from integration.domain.reminder import OPEN
from integration.pipeline.plan import plan_changes
from integration.pipeline.translate import translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from integration.domain.reminder import Reminder
    from integration.ports.store import ReminderRows, Unit
    from integration.ports.workshop import Workshop

# Messages in one transaction: a SQLite store has one writer, and the listener must not wait for long.
TOGETHER = 50
_MOST_ROUNDS = 1000


class _Undo(Exception):
    """Ends the transaction without a trace."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay would do."""

    reminders: int  # that would be added and not skipped; several may share a text
    dead: int  # messages that would be dead again


def try_replay(workshop: Workshop, message_ids: Sequence[int]) -> Outcome:
    """What replaying these messages would do now. Raises StoreUnavailable."""
    reminders = dead = 0
    for start in range(0, len(message_ids), TOGETHER):
        part = _try(workshop, message_ids[start : start + TOGETHER])
        reminders, dead = reminders + part.reminders, dead + part.dead
    return Outcome(reminders, dead)


def _try(workshop: Workshop, message_ids: Collection[int]) -> Outcome:
    counted = _CountingReminders(set(message_ids))
    dead = 0
    try:
        with workshop.store.unit() as unit:
            unit.inbox.replay(message_ids)
            counted.rows = unit.reminders
            stage = replace(
                workshop,
                store=_OneTransaction(unit, counted),  # type: ignore[arg-type] # of a store, these steps use `unit`
                knock=lambda step: None,  # noqa: ARG005 - nobody is to hear of it
            )
            _exhaust(stage)
            found = (unit.inbox.get(message_id) for message_id in message_ids)
            dead = sum(message is not None and message.state == "dead" for message in found)
            raise _Undo  # noqa: TRY301 - it ends the transaction here
    except _Undo:
        return Outcome(counted.added, dead)


def _exhaust(workshop: Workshop) -> None:
    for step in (translate, plan_changes):
        for _ in range(_MOST_ROUNDS):
            if not step(workshop):
                break


class _OneTransaction:
    """A store whose every unit is one and the same."""

    def __init__(self, unit: Unit, reminders: _CountingReminders) -> None:
        self._unit = _Shown(unit, reminders)

    @contextmanager
    def unit(self) -> Iterator[Any]:
        """The one."""
        yield self._unit

    def open_breaker(self, name: str, reason: str) -> None:
        """A trial stops nothing."""


class _Shown:
    """A unit with one set of rows replaced."""

    def __init__(self, unit: Unit, reminders: _CountingReminders) -> None:
        self._unit = unit
        self.reminders = reminders

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)


class _CountingReminders:
    """The unit's reminders, counting what these messages add."""

    rows: ReminderRows

    def __init__(self, message_ids: Collection[int]) -> None:
        self._message_ids = message_ids
        self.added = 0

    def add(self, reminders: Sequence[Reminder]) -> None:
        """Count, and add."""
        self.added += sum(
            reminder.state in OPEN and reminder.inbox_id in self._message_ids for reminder in reminders
        )
        self.rows.add(reminders)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)
