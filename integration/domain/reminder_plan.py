"""Which reminders should exist for one patient's visit, and when each falls due.

Pure: rules, facts and the time go in, reminders come out. A step follows an
event (booked, moved, cancelled, no-show), precedes the visit (days or hours
ahead) or comes after it (days or hours after). How that changes what is stored
is `plan_revision`'s; what is decided here is looked at again when it falls due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.appointment import Appointment, AppointmentEvent
from integration.domain.quiet_hours import evening_before
from integration.domain.reminder import OPEN, Reminder, ReminderState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from integration.domain.plan_rules import PlanRules, Step

AFTERTHOUGHT: Final = timedelta(days=2)  # a word about a visit that is over is kind so long after it was due


@dataclass(frozen=True, slots=True)
class Situation:
    """What planning needs to know besides the appointment itself."""

    event: AppointmentEvent
    at: datetime  # when it happened, calendar
    now: datetime  # calendar
    told: bool  # a text about an earlier slot, or this one, went out or may have
    told_this_slot: bool  # ... about the present slot
    told_slot: int | None = None  # the number of the slot that was told last
    old_start: datetime | None = None  # of the slot the patient knows
    quiet: bool = False  # plan the future only
    told_off: bool = False  # the newest text said that it is cancelled


def plan(
    appointment: Appointment,
    *,
    patient_id: int,
    number: str,
    rules: PlanRules,
    situation: Situation,
    zones: Sequence[ZoneInfo] = (),
) -> list[Reminder]:
    """The reminders that should exist for this patient now; those that will not go are SKIPPED, with why.

    `zones` are those whose clocks the recipient may go by, the likeliest first; the practice's unless given.
    Raises nothing; an appointment without a start or a practice has no reminders.
    """
    if appointment.slot.start is None or appointment.practice is None:
        return []
    zones = zones or (rules.zone,)
    drafts = []
    occasion = _occasion(appointment, rules, situation)
    if occasion is not None:
        drafts.append(_occasion_reminder(_as_known(appointment, situation), occasion, rules, situation))
    covering = [step for step in rules.steps if step.on is None and step.visits.covers(appointment)]
    if appointment.is_expected:
        drafts += [_ahead(appointment, step, rules, situation, zones) for step in covering if step.is_ahead]
    if appointment.is_expected or appointment.took_place:
        drafts += [_after(appointment, step, rules, situation) for step in covering if step.is_after]
    drafts = [replace(draft, patient_id=patient_id, number=number) for draft in drafts]
    # Whoever was told that it is off must hear that it is on, whatever else is due that day.
    alone = occasion.name if occasion is not None and situation.told_off else None
    return _one_a_day(drafts, rules, zones[0], confirmed=appointment.is_confirmed_by(patient_id), alone=alone)


def _as_known(appointment: Appointment, situation: Situation) -> Appointment:
    """A cancellation is told of the time the patient knows, whatever it was moved to in between."""
    number = situation.told_slot
    if situation.event is not AppointmentEvent.CANCELLED or number is None:
        return appointment
    return replace(appointment, slot=appointment.slot_numbered(number), slot_number=number)


def _occasion(appointment: Appointment, rules: PlanRules, situation: Situation) -> Step | None:
    """The step that speaks of what has just happened, if anything should be said."""
    event = None if situation.quiet else _news(situation)
    return None if event is None else rules.on(event, appointment)


def _news(situation: Situation) -> AppointmentEvent | None:
    """What the patient is to hear of, if of anything."""
    if situation.event is AppointmentEvent.BOOKED:
        return None if situation.told_this_slot else AppointmentEvent.BOOKED
    if situation.event is AppointmentEvent.MOVED:
        if situation.told_this_slot:
            return None  # moved, and back before anybody heard of it
        # Whoever was never told of the old slot is told of a booking.
        return AppointmentEvent.MOVED if situation.told else AppointmentEvent.BOOKED
    if situation.event is AppointmentEvent.CANCELLED:
        return AppointmentEvent.CANCELLED if situation.told else None
    return AppointmentEvent.NO_SHOW if situation.event is AppointmentEvent.NO_SHOW else None


def _occasion_reminder(
    appointment: Appointment, step: Step, rules: PlanRules, situation: Situation
) -> Reminder:
    due = situation.at + rules.settle
    needed_by = appointment.slot.start
    assert needed_by is not None  # noqa: S101 - `plan` looked
    if step.on is AppointmentEvent.NO_SHOW:
        draft = _draft(appointment, step, due, _kind_until(step, due, appointment), situation.now)
        return _skip(draft, NOT_BEGUN) if situation.at < needed_by else draft
    if situation.old_start is not None and due < situation.old_start < needed_by:
        needed_by = situation.old_start  # or the patient comes at the old time
    return _draft(appointment, step, due, _useful_until(step, due, needed_by), situation.now)


def _ahead(
    appointment: Appointment,
    step: Step,
    rules: PlanRules,
    situation: Situation,
    zones: Sequence[ZoneInfo],
) -> Reminder:
    """A step before the visit."""
    start = appointment.slot.start
    assert start is not None  # noqa: S101 - `plan` looked
    if step.days_ahead is not None:
        day = start.astimezone(rules.zone).date() - timedelta(days=step.days_ahead)
        due = datetime.combine(day, step.at, rules.zone).astimezone(UTC)
    else:
        due = start.astimezone(UTC) - timedelta(hours=step.hours_ahead or 0)
    due = _at_a_decent_hour(due, step, rules, zones)
    draft = _draft(appointment, step, due, _useful_until(step, due, start), situation.now)
    if due < situation.at:
        booked = situation.event in {AppointmentEvent.BOOKED, AppointmentEvent.MOVED}
        return _skip(draft, _BOOKED_TOO_LATE if booked else _HAD_PASSED)
    return draft


def _at_a_decent_hour(due: datetime, step: Step, rules: PlanRules, zones: Sequence[ZoneInfo]) -> datetime:
    """Where it falls in quiet hours: later on the same day if that is days ahead, else the evening before.

    Ten o'clock at the practice is seven for whoever lives three hours west, and nine there is early enough.
    """
    if rules.hours.allow(due, *zones):
        return due
    opening = rules.hours.next_opening(due, *zones)
    same_day = opening.astimezone(zones[0]).date() == due.astimezone(zones[0]).date()
    if step.days_ahead is not None and same_day:
        return opening
    return evening_before(due, rules.hours, rules.evening, *zones)


def _after(appointment: Appointment, step: Step, rules: PlanRules, situation: Situation) -> Reminder:
    """A step after the visit; outside the hours it waits for the next opening."""
    ends = appointment.ends
    assert ends is not None  # noqa: S101 - `plan` looked
    if step.days_after is not None:
        day = ends.astimezone(rules.zone).date() + timedelta(days=step.days_after)
        due = datetime.combine(day, step.at, rules.zone).astimezone(UTC)
    else:
        due = ends.astimezone(UTC) + timedelta(hours=step.hours_after or 0)
    draft = _draft(appointment, step, due, _kind_until(step, due, appointment), situation.now)
    return _skip(draft, _HAD_PASSED) if due < situation.at and draft.state in OPEN else draft


def _kind_until(step: Step, due: datetime, appointment: Appointment) -> datetime:
    """Until when a word about a visit that is over is still kind."""
    ends = appointment.ends
    if step.useful_until is None or ends is None:
        return due + AFTERTHOUGHT
    return ends.astimezone(UTC) + step.useful_until


def _draft(
    appointment: Appointment, step: Step, due: datetime, not_after: datetime, now: datetime
) -> Reminder:
    draft = Reminder(
        id=0,
        appointment_id=appointment.id,
        patient_id=0,
        number="",
        practice=appointment.practice or "",
        step=step.name,
        slot_number=appointment.slot_number,
        due_at=due,
        not_after=not_after,
        decided_at=now,
    )
    return draft if now <= not_after else _skip(draft, _TOO_LATE)


def _useful_until(step: Step, due: datetime, start: datetime) -> datetime:
    if step.useful_until is not None:
        return start.astimezone(UTC) - step.useful_until
    return due + (start - due) / 2 if due < start else start


def _skip(reminder: Reminder, reason: str) -> Reminder:
    return replace(reminder, state=ReminderState.SKIPPED, reason=reason)


# Why planning leaves a step out, when it is a matter of time alone: another plan may find it time enough.
_BOOKED_TOO_LATE = "booked too late for this step"
_HAD_PASSED = "its time had passed"
_TOO_LATE = "too late to be useful"
NOT_BEGUN = "the EHR says no-show of a visit that has not begun"
A_MATTER_OF_TIME = (_BOOKED_TOO_LATE, _HAD_PASSED, _TOO_LATE, "said by the step ")


def said_by(step: str) -> str:
    """Why a step is left out whose day another one has."""
    return f"said by the step {step} on the same day"


def _one_a_day(
    drafts: Sequence[Reminder],
    rules: PlanRules,
    zone: ZoneInfo,
    *,
    confirmed: bool,
    alone: str | None,
) -> list[Reminder]:
    """Two steps of one visit on one local day become one text: the earlier time, the later purpose."""
    kept: list[Reminder] = []
    by_day: dict[date, Reminder] = {}
    silent = {
        step.name
        for step in rules.steps
        if step.outranks_caps
        or step.looks_back
        or not step.names_visit
        or step.name == alone
        or (step.only_unconfirmed and confirmed)
    }
    for draft in sorted(drafts, key=lambda draft: draft.due_at):
        if draft.state not in OPEN or draft.step in silent:
            kept.append(draft)
            continue
        day = draft.due_at.astimezone(zone).date()
        earlier = by_day.pop(day, None)
        if earlier is not None:
            kept.append(_skip(earlier, said_by(draft.step)))
        by_day[day] = draft if earlier is None else replace(draft, due_at=earlier.due_at)
    return sorted([*kept, *by_day.values()], key=lambda draft: draft.due_at)
