"""Tries a replay on the real store and undoes it, to say what it would plan (design: no blast).

The steps themselves run, inside transactions that never commit; nothing is offered to anybody. Messages that
speak of the same appointments or patients depend on one another and are tried in one transaction, in order;
the others in short ones: a SQLite store has one writer, and the listener must not wait for long.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from integration.domain.reminder import OPEN, ReminderState
from integration.entrypoints.families import families
from integration.pipeline.plan import plan_changes
from integration.pipeline.translate import translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from integration.ports.store import Change, KeptMessage, Unit
    from integration.ports.workshop import Workshop

TOGETHER = 10  # messages in one transaction, unless more depend on one another
MOST_TOGETHER = 300  # of a greater family the parts are tried by themselves: what they add may be too much
_MOST_ROUNDS = 1000


class Undo(Exception):
    """Ends the transaction without a trace."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay would do."""

    reminders: int  # that would be added and not skipped; several may share a text
    dead: int  # messages that would be dead again
    withdrawn: int = 0  # reminders planned now that would not go
    let_go: int = 0  # reminders due already that only these messages hold


def try_replay(workshop: Workshop, message_ids: Sequence[int]) -> Outcome:
    """What replaying these messages would do now. Raises StoreUnavailable."""
    total = Outcome(0, 0)
    for part in _parts(families(workshop, sorted(set(message_ids)))):
        found = _try(workshop, part)
        total = Outcome(
            total.reminders + found.reminders,
            total.dead + found.dead,
            total.withdrawn + found.withdrawn,
            total.let_go + found.let_go,
        )
    return total


def _parts(groups: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Families, put together as long as they are small."""
    part: list[int] = []
    for group in groups:
        for start in range(0, len(group), MOST_TOGETHER):
            some = group[start : start + MOST_TOGETHER]
            if part and len(part) + len(some) > TOGETHER:
                yield sorted(part)
                part = []
            part += some
    if part:
        yield sorted(part)


def _try(workshop: Workshop, message_ids: Sequence[int]) -> Outcome:
    try:
        with workshop.store.unit() as unit:
            known = [unit.inbox.get(message_id) for message_id in message_ids]
            again = [
                replace(message, state="new", reason=None, replayed=True)
                for message in known
                if message is not None and message.state != "new" and message.payload
            ]
            stage = Stage(unit, again)
            held = {each for message in again for each in unit.holds.held_by(message.id)}
            waiting = {each: _reminders(unit, each, {ReminderState.HELD}) for each in held}
            _exhaust(
                replace(
                    workshop,
                    store=stage,  # type: ignore[arg-type] # of a store, these steps use `unit`
                    knock=lambda step: None,  # noqa: ARG005 - nobody is to hear of it
                )
            )
            freed = [each for each in held if unit.appointments.get(each).held_by is None]
            let_go = sum(len(waiting[each] & _reminders(unit, each, OPEN)) for each in freed)
            outcome = replace(stage.outcome(), let_go=let_go)
            raise Undo  # noqa: TRY301 - it ends the transaction here
    except Undo:
        return outcome


def _exhaust(workshop: Workshop) -> None:
    for step in (translate, plan_changes):
        for _ in range(_MOST_ROUNDS):
            if not step(workshop):
                break


class Stage:
    """A store whose every unit is one and the same, with no messages and changes but those of the trial."""

    def __init__(self, unit: Unit, messages: Sequence[KeptMessage]) -> None:
        self._unit = unit
        self._inbox = _TriedInbox(unit, messages)
        self._changes = _TriedChanges(unit)

    @contextmanager
    def unit(self) -> Iterator[Any]:
        """The one."""
        yield _Shown(self._unit, inbox=self._inbox, changes=self._changes)

    def open_breaker(self, name: str, reason: str) -> None:
        """A trial stops nothing."""

    def released(self) -> dict[str, datetime]:
        """Nor does it matter what a person has let go on."""
        return {}

    def outcome(self) -> Outcome:
        """What has become of it."""
        added = withdrawn = 0
        for appointment_id, before in self._changes.open_before.items():
            after = _reminders(self._unit, appointment_id, OPEN)
            added, withdrawn = added + len(after - before), withdrawn + len(before - after)
        return Outcome(added, self._inbox.dead_ones, withdrawn)


class _Shown:
    """A unit with some rows replaced."""

    def __init__(self, unit: Unit, **instead: Any) -> None:
        self._unit = unit
        self.__dict__.update(instead)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)


class _TriedInbox:
    """The messages on trial, in order of arrival; nothing of the real inbox is claimed or written."""

    def __init__(self, unit: Unit, messages: Sequence[KeptMessage]) -> None:
        self._rows = unit.inbox
        self._waiting = {message.id: message for message in messages}
        self.dead_ones = 0

    def claim(self, limit: int) -> list[KeptMessage]:
        """The first that are not settled."""
        return list(self._waiting.values())[:limit]

    def done(self, message_id: int, reason: str | None = None) -> None:  # noqa: ARG002 - nobody reads it
        """Settled."""
        self._waiting.pop(message_id, None)

    def dead(self, message_id: int, reason: str) -> None:  # noqa: ARG002 - nobody reads it
        """Dead again, by the mapping or by what it plans."""
        self._waiting.pop(message_id, None)
        self.dead_ones += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)


class _TriedChanges:
    """What the messages on trial change; remembers which reminders were open before."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._waiting: dict[int, Change] = {}
        self._count = 0
        self.open_before: dict[int, set[int]] = {}

    def add(self, change: Change) -> None:
        """In order."""
        if change.appointment_id not in self.open_before:
            self.open_before[change.appointment_id] = _reminders(self._unit, change.appointment_id, OPEN)
        self._count += 1
        self._waiting[self._count] = replace(change, id=self._count)

    def claim(self, limit: int) -> list[Change]:
        """All of each appointment."""
        first = {change.appointment_id for change in list(self._waiting.values())[:limit]}
        return [change for change in self._waiting.values() if change.appointment_id in first]

    def done(self, change_ids: Collection[int]) -> None:
        """Planned."""
        for change_id in change_ids:
            self._waiting.pop(change_id, None)


def _reminders(unit: Unit, appointment_id: int, states: Collection[ReminderState]) -> set[int]:
    reminders = unit.reminders.of_appointment(appointment_id)
    return {reminder.id for reminder in reminders if reminder.state in states}
