"""What a breaker holds back, for the person who releases it: to be seen, and to be dropped instead.

A dropped reminder is skipped with its reason; bad news that is dropped becomes a call to make, and so does a
second try, whose first one did not arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.aftermath import ask_to_call, call_instead
from integration.domain.last_look import AWAITS_RELEASE, DROPPED, LATER
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from integration.domain.reminder import Reminder
    from integration.ports.store import Store, Unit
    from integration.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one breaker holds back now."""

    reminders: tuple[Reminder, ...]
    since: datetime | None  # calendar; when a person was first asked, None when nobody was

    @property
    def numbers(self) -> int:
        """About how many texts would go out at once: one a number."""
        return len({reminder.number for reminder in self.reminders})

    @property
    def steps(self) -> Mapping[str, int]:
        """How many reminders of each step of the plan, the most frequent first."""
        return dict(Counter(reminder.step for reminder in self.reminders).most_common())

    @property
    def practices(self) -> Sequence[str]:
        """Whose they are."""
        return sorted({reminder.practice for reminder in self.reminders})


def held_by(unit: Unit, settings: Settings, breaker: str, now: datetime) -> Waiting:
    """What waits for this breaker; `now` is the calendar's.

    A breaker of a practice holds what the last look has put off for it. One of our account or of the
    carrier's opt-outs stops all sending, so whatever is due waits for it.
    """
    kind, practice = _named(settings, breaker)
    due = unit.reminders.awaiting(now + LATER)
    if practice is None:
        found = [each for each in due if each.due_at <= now]
    else:
        held = [each for each in due if each.practice == practice and each.reason == AWAITS_RELEASE]
        news = kind == "mass change"
        found = [each for each in held if not news or _is_bad_news(settings, each)]
    asked = [task.created_at for task in unit.tasks.open(practice) if task.kind is TaskKind.RELEASE]
    return Waiting(tuple(found), min(asked, default=None))


def drop(store: Store, settings: Settings, waiting: Waiting, now: datetime) -> int:
    """Skip what waits, number by number under its lock; returns how many reminders were dropped."""
    ids = {reminder.id for reminder in waiting.reminders}
    dropped = 0
    for number in sorted({reminder.number for reminder in waiting.reminders}):
        with store.unit() as unit:
            unit.numbers.lock(number)
            still = [each for each in unit.reminders.open_of_number(number) if each.id in ids]
            still = [each for each in still if each.text_id is None]
            skipped = ReminderState.SKIPPED
            unit.reminders.update(
                [replace(each, state=skipped, reason=DROPPED, decided_at=now) for each in still]
            )
            for each in still:
                if _is_bad_news(settings, each):
                    _call(unit, each, now, settings)
                elif each.after_text_id is not None:  # nobody was asked to call, for it was to be tried again
                    call_instead(unit, each, DROPPED, now, settings)
                if settings.write_back.skipped:
                    unit.write_backs.want(WriteBackKind.SKIPPED, each.id, each.patient_id)
            dropped += len(still)
    return dropped


def _named(settings: Settings, breaker: str) -> tuple[str, str | None]:
    """The kind of a breaker and its practice; None where it is the whole site's."""
    for kind in ("mass change", "texts", "budget"):
        practice = breaker.removeprefix(f"{kind} ")
        if practice != breaker and practice in settings.practices:
            return kind, practice
    return breaker, None


def _is_bad_news(settings: Settings, reminder: Reminder) -> bool:
    practice = settings.practices.get(reminder.practice)
    step = None if practice is None else practice.plan.step(reminder.step)
    return step is not None and step.outranks_caps


def _call(unit: Unit, reminder: Reminder, now: datetime, settings: Settings) -> None:
    """Whoever was told of the visit must hear that it moved or was called off."""
    start = unit.appointments.get(reminder.appointment_id).slot_numbered(reminder.slot_number).start
    if start is None or start > now:
        ask_to_call(unit, reminder, f"was not sent: {DROPPED}", now, settings)
