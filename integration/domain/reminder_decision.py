"""What was decided about each step of the plan for one visit: one answer a nurse can read.

Pure. A step may have several reminders, because the patient's number or the visit's slot changed; the one
that counts for the present slot speaks for all. A step without any has a reason, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.appointment import AppointmentEvent
from integration.domain.reminder import Reminder, ReminderState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.plan_rules import PlanRules, Step


class Standing(StrEnum):
    """Where a step of a visit stands."""

    PLANNED = "planned"  # goes at its time
    HELD = "held"  # waits until a time, for a reason
    SENT = "sent"  # part of a text that was offered to the provider
    SKIPPED = "skipped"  # will not go: its time or the rules forbid it
    WITHDRAWN = "withdrawn"  # will not go: the visit or the plan changed
    NEVER = "never planned"  # nothing asked for it


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of one patient's visit."""

    appointment_id: int
    patient_id: int
    step: str
    standing: Standing
    at: datetime | None = None  # sent or decided then; held until or planned for then
    reason: str | None = None
    reminder: Reminder | None = None  # the one that counts


# Of several reminders of one step the first of these counts.
_RANK: Final = (
    ReminderState.SENT,
    ReminderState.HELD,
    ReminderState.PLANNED,
    ReminderState.SKIPPED,
    ReminderState.WITHDRAWN,
)
_AHEAD: Final = frozenset({ReminderState.PLANNED, ReminderState.HELD})
OFF: Final = "the plan has this step turned off"
NO_PRACTICE: Final = "no practice of the settings has this visit"
NOT_YET_READ: Final = "the visit's news has not been planned, or the step came into the plan after it"
_NOT_HAPPENED: Final = {
    AppointmentEvent.BOOKED: "no booking was heard as news: it was old, or the visit was known otherwise",
    AppointmentEvent.MOVED: "the patient was told of no other time or place",
    AppointmentEvent.CANCELLED: "the visit was not cancelled, or nobody had been told of it",
    AppointmentEvent.NO_SHOW: "the EHR has said no no-show as news",
}
_NO_START: Final = "the visit has no start"
_NOT_EXPECTED: Final = "the visit was not to take place when it was planned"


def decisions(
    appointment: Appointment, stored: Sequence[Reminder], rules: PlanRules | None
) -> list[Decision]:
    """One decision for each patient and step, patients as the visit has them, steps in the plan's order.

    `rules` are the practice's, None when the settings have none for the visit. Steps the plan no longer
    names come last, as long as something was decided about them.
    """
    ours = [each for each in stored if _is_of_now(each, appointment, rules)]
    named = [] if rules is None else [*(step.name for step in rules.steps), *rules.off]
    patients = dict.fromkeys([*appointment.patients, *(each.patient_id for each in ours)])
    found = []
    for patient in patients:
        own = [each for each in ours if each.patient_id == patient]
        for name in dict.fromkeys([*named, *(each.step for each in own)]):
            rows = [each for each in own if each.step == name]
            if rows:
                found.append(_told(min(rows, key=_order)))
            elif patient in appointment.patients:
                why = _why_never(name, appointment, rules)
                found.append(Decision(appointment.id, patient, name, Standing.NEVER, reason=why))
    return found


def _is_of_now(reminder: Reminder, appointment: Appointment, rules: PlanRules | None) -> bool:
    """Of the present slot; a cancellation may speak of the one that was told."""
    if reminder.slot_number == appointment.slot_number:
        return True
    told_off = rules is not None and rules.follows(reminder.step, AppointmentEvent.CANCELLED)
    return told_off and not appointment.is_expected


def _order(reminder: Reminder) -> tuple[int, int]:
    return _RANK.index(reminder.state), -reminder.id


def _told(reminder: Reminder) -> Decision:
    at = reminder.due_at if reminder.state in _AHEAD else reminder.decided_at
    return Decision(
        reminder.appointment_id,
        reminder.patient_id,
        reminder.step,
        Standing(reminder.state.value),
        at,
        reminder.reason,
        reminder,
    )


def _why_never(name: str, appointment: Appointment, rules: PlanRules | None) -> str:
    step: Step | None = None if rules is None else rules.step(name)
    if rules is None or appointment.practice is None:
        return NO_PRACTICE
    if step is None:
        return OFF
    checks = (
        (step.visits.against(appointment) is not None, step.visits.against(appointment) or ""),
        (appointment.slot.start is None, _NO_START),
        (step.on is not None, _NOT_HAPPENED.get(step.on or AppointmentEvent.IGNORED, "")),
        (not appointment.is_expected and not (step.is_after and appointment.took_place), _NOT_EXPECTED),
    )
    return next((why for applies, why in checks if applies), NOT_YET_READ)
