"""What of the stored reminders stays, goes or comes back beside those that should exist (`reminder_plan`).

Pure: the stored and the wanted reminders of one appointment go in, changes come out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.appointment import NO_SHOW, AppointmentEvent
from integration.domain.last_look import NOT_SEEN_YET
from integration.domain.reminder import OPEN, Reminder, ReminderState
from integration.domain.reminder_plan import A_MATTER_OF_TIME, said_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.plan_rules import PlanRules
    from integration.domain.reminder_plan import Situation


@dataclass(frozen=True, slots=True)
class Revision:
    """What must change among the stored reminders."""

    add: tuple[Reminder, ...]
    update: tuple[Reminder, ...]


def carries_on(reminder: Reminder, appointment: Appointment, rules: PlanRules, situation: Situation) -> bool:
    """Whether a text about an event, still waiting, is still owed."""
    step = rules.step(reminder.step)
    if step is None or step.on is None or not step.visits.covers(appointment):
        return False
    if step.on is AppointmentEvent.NO_SHOW:
        return appointment.status == NO_SHOW
    called_off = step.on is AppointmentEvent.CANCELLED
    if reminder.patient_id not in appointment.patients:
        return called_off  # whoever was taken off the visit is owed that, and nothing else
    if reminder.slot_number != appointment.slot_number and not called_off:
        return False
    said_again = situation.event in {AppointmentEvent.CHANGED, AppointmentEvent.UNCHANGED}
    return said_again and appointment.is_expected != called_off


def revise(
    stored: Iterable[Reminder],
    wanted: Sequence[Reminder],
    *,
    kept: Callable[[Reminder], bool],
    reason: str,
    now: datetime,
) -> Revision:
    """Bring the stored reminders of one appointment in line with the wanted ones.

    What is open, no longer wanted and not `kept` is withdrawn for `reason`; what is open and wanted
    takes the new times, unless these have passed: it waits already, and late is better than never.
    What was withdrawn and is wanted is planned again, and so is what was left out as a matter of time when
    its time is still to come; what was sent, or skipped for any other reason, stays as it is.
    """
    by_key = {reminder.key: reminder for reminder in wanted}
    updates = []
    for old in stored:
        new = by_key.pop(old.key, None)
        revived = new is not None and new.state in OPEN and _may_come_back(old, new, now)
        if old.state not in OPEN and not revived:
            continue
        if new is None and kept(old):
            continue
        if new is not None and new.state not in OPEN and new.due_at < now <= old.not_after:
            continue
        if new is None:
            updates.append(
                replace(old, state=ReminderState.WITHDRAWN, reason=reason, decided_at=now),
            )
        elif revived or (new.practice, new.due_at, new.not_after, new.state) != (
            old.practice,
            old.due_at,
            old.not_after,
            ReminderState.PLANNED,
        ):
            updates.append(
                replace(
                    old,
                    practice=new.practice,
                    due_at=new.due_at,
                    not_after=new.not_after,
                    state=new.state,
                    reason=new.reason,
                    decided_at=now,
                )
            )
    return Revision(add=tuple(by_key.values()), update=tuple(updates))


def _may_come_back(old: Reminder, new: Reminder, now: datetime) -> bool:
    """Whether what was laid down may be planned again."""
    if old.state is ReminderState.SKIPPED:
        return new.due_at > now and (old.reason or "").startswith(A_MATTER_OF_TIME)
    return old.state is ReminderState.WITHDRAWN


def told_off(stored: Iterable[Reminder], rules: PlanRules, patient_id: int | None = None) -> bool:
    """Whether the newest text about the visit, to one patient or to anybody, said that it is cancelled."""
    sent = [
        each for each in stored if each.state is ReminderState.SENT and patient_id in {None, each.patient_id}
    ]
    newest = max(sent, key=lambda each: (each.text_id or 0, each.id), default=None)
    return newest is not None and rules.follows(newest.step, AppointmentEvent.CANCELLED)


def keep_early(
    wanted: Sequence[Reminder], stored: Sequence[Reminder], appointment: Appointment
) -> list[Reminder]:
    """The wanted reminders, those that speak for an event as well at the event's own time.

    A message that changes nothing, or only the number, must not put off the news which a step has taken over.
    """
    news = {
        (old.patient_id, old.reason): old.due_at
        for old in stored
        if old.state is ReminderState.SKIPPED and old.slot_number == appointment.slot_number
    }
    found = []
    for reminder in wanted:
        due = news.get((reminder.patient_id, said_by(reminder.step)), reminder.due_at)
        early = reminder.state in OPEN and due < reminder.due_at
        found.append(replace(reminder, due_at=due) if early else reminder)
    return found


def take_up(
    wanted: Sequence[Reminder], stored: Sequence[Reminder], appointment: Appointment, now: datetime
) -> list[Reminder]:
    """The wanted reminders; those that wait for the EHR's word that the visit took place are due with it."""
    waiting = {each.key for each in stored if each.state in OPEN and each.reason == NOT_SEEN_YET}
    if not appointment.took_place or not waiting:
        return list(wanted)
    return [
        replace(each, due_at=now, state=ReminderState.PLANNED, reason=None)
        if each.key in waiting and each.due_at < now <= each.not_after
        else each
        for each in wanted
    ]
