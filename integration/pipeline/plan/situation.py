"""How things stand with a visit when a change of it is planned: what was told, and what still waits to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integration.domain.appointment import AppointmentEvent
from integration.domain.plan_revision import told_off
from integration.domain.reminder import OPEN, Reminder
from integration.domain.reminder_plan import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.store import Change, Unit
    from integration.settings.model import Practice

_EXPECTING: Final = frozenset({AppointmentEvent.BOOKED, AppointmentEvent.MOVED})


def situation_of(
    unit: Unit,
    appointment: Appointment,
    stored: Sequence[Reminder],
    change: Change,
    *,
    practice: Practice | None,
    now: datetime,
) -> Situation:
    """What planning needs to know of a change besides the appointment itself."""
    told_slot = _told_slot(unit, appointment)
    # Whoever was told last that the visit is off expects none.
    off = practice is not None and told_off(stored, practice.plan)
    told = told_slot is not None and not off
    told_this_slot = told and told_slot == appointment.slot_number
    # Called off and on again before the patient heard of it: there is nothing to say.
    reinstated = change.event is AppointmentEvent.BOOKED and change.before == appointment.slot
    return Situation(
        event=change.event,
        at=change.at,
        now=now,
        told=told,
        told_this_slot=told_this_slot or (reinstated and told),
        told_slot=told_slot,
        old_start=None if told_slot is None else appointment.slot_numbered(told_slot).start,
        quiet=change.quiet and not _news_waits(stored, appointment, change, practice),
        told_off=off,
    )


def _told_slot(unit: Unit, appointment: Appointment) -> int | None:
    """The number of the slot that a text has spoken of, or may have: the last one such."""
    left = [past.number for past in reversed(appointment.past_slots)]
    others = [number for number in range(appointment.next_slot_number - 1, 0, -1) if number not in left]
    numbers = dict.fromkeys([appointment.slot_number, *left, *others])
    return next((number for number in numbers if unit.texts.for_slot(appointment.id, number)), None)


def _news_waits(
    stored: Iterable[Reminder], appointment: Appointment, change: Change, practice: Practice | None
) -> bool:
    """Whether a quiet move overtakes news of the slot before it: who is owed that is owed this."""
    if practice is None or change.event is not AppointmentEvent.MOVED:
        return False
    news = {step.name for step in practice.plan.steps if step.on in _EXPECTING}
    return any(
        reminder.state in OPEN and reminder.step in news and reminder.slot_number != appointment.slot_number
        for reminder in stored
    )
