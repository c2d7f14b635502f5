"""Which reminders should exist for one patient's visit, and when each falls due.

Pure: rules, facts and the time go in, reminders come out. A step either
follows an event (booked, moved, cancelled) or precedes the visit (days or
hours ahead). What is decided here is looked at again when it falls due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from integration.domain.appointment import Appointment, AppointmentEvent
from integration.domain.quiet_hours import DecentHours, evening_before
from integration.domain.reminder import OPEN, Reminder, ReminderState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo


class Ask(StrEnum):
    """Whether a step asks the patient to confirm."""

    NEVER = "never"
    ALWAYS = "always"
    UNCONFIRMED = "unconfirmed"  # unless the visit is confirmed
    SOON = "soon"  # only if the visit is nearer than `ask_within`


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan: on an event, or days or hours ahead of the visit (exactly one of the three)."""

    name: str
    on: AppointmentEvent | None = None
    days_ahead: int | None = None  # calendar days before the visit's local date, at `at`
    hours_ahead: float | None = None  # elapsed time
    at: time = time(10)  # practice time, for days ahead
    ask: Ask = Ask.NEVER
    ask_within: timedelta = timedelta(days=5)
    only_unconfirmed: bool = False
    useful_until: timedelta | None = None  # before the visit; None: half-way to it
    outranks_caps: bool = False  # bad news outranks the caps

    def asks(self, *, confirmed: bool, until_visit: timedelta) -> bool:
        """Whether this step's text asks to confirm."""
        if confirmed or self.ask is Ask.NEVER:
            return False
        return self.ask is not Ask.SOON or until_visit < self.ask_within


@dataclass(frozen=True, slots=True)
class PlanRules:
    """A practice's plan and hours."""

    steps: tuple[Step, ...]
    hours: DecentHours
    zone: ZoneInfo  # the practice's
    evening: time = time(19)  # where a step that falls in quiet hours moves to
    settle: timedelta = timedelta(seconds=180)

    def step(self, name: str) -> Step | None:
        """One step by its name; None when the plan no longer has it."""
        return next((step for step in self.steps if step.name == name), None)

    def on(self, event: AppointmentEvent) -> Step | None:
        """The step that follows an event, if the plan has one."""
        return next((step for step in self.steps if step.on is event), None)


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


def plan(
    appointment: Appointment, *, patient_id: int, number: str, rules: PlanRules, situation: Situation
) -> list[Reminder]:
    """The reminders that should exist for this patient now; those that will not go are SKIPPED, with why.

    Raises nothing; an appointment without a start or a practice has no reminders.
    """
    if appointment.slot.start is None or appointment.practice is None:
        return []
    drafts = []
    occasion = _occasion(rules, situation)
    if occasion is not None:
        drafts.append(_occasion_reminder(_as_known(appointment, situation), occasion, rules, situation))
    if appointment.is_expected:
        drafts += [_ahead(appointment, step, rules, situation) for step in rules.steps if step.on is None]
    drafts = [replace(draft, patient_id=patient_id, number=number) for draft in drafts]
    return _one_a_day(drafts, rules, confirmed=appointment.confirmed)


def _as_known(appointment: Appointment, situation: Situation) -> Appointment:
    """A cancellation is told of the time the patient knows, whatever it was moved to in between."""
    number = situation.told_slot
    if situation.event is not AppointmentEvent.CANCELLED or number is None:
        return appointment
    return replace(appointment, slot=appointment.slot_numbered(number), slot_number=number)


def _occasion(rules: PlanRules, situation: Situation) -> Step | None:
    """The step that speaks of what has just happened, if anything should be said."""
    if situation.quiet:
        return None
    if situation.event is AppointmentEvent.BOOKED:
        return None if situation.told_this_slot else rules.on(AppointmentEvent.BOOKED)
    if situation.event is AppointmentEvent.MOVED:
        if situation.told_this_slot:
            return None  # moved, and back before anybody heard of it
        # Whoever was never told of the old slot is told of a booking.
        return rules.on(AppointmentEvent.MOVED if situation.told else AppointmentEvent.BOOKED)
    if situation.event is AppointmentEvent.CANCELLED:
        return rules.on(AppointmentEvent.CANCELLED) if situation.told else None
    return None


def _occasion_reminder(
    appointment: Appointment, step: Step, rules: PlanRules, situation: Situation
) -> Reminder:
    due = situation.at + rules.settle
    needed_by = appointment.slot.start
    assert needed_by is not None  # noqa: S101 - `plan` looked
    if situation.old_start is not None and due < situation.old_start < needed_by:
        needed_by = situation.old_start  # or the patient comes at the old time
    return _draft(appointment, step, due, _useful_until(step, due, needed_by), situation.now)


def _ahead(appointment: Appointment, step: Step, rules: PlanRules, situation: Situation) -> Reminder:
    """A step before the visit."""
    start = appointment.slot.start
    assert start is not None  # noqa: S101 - `plan` looked
    if step.days_ahead is not None:
        day = start.astimezone(rules.zone).date() - timedelta(days=step.days_ahead)
        due = datetime.combine(day, step.at, rules.zone).astimezone(UTC)
    else:
        due = start.astimezone(UTC) - timedelta(hours=step.hours_ahead or 0)
    if not rules.hours.allow(due, rules.zone):
        due = evening_before(due, rules.zone, rules.evening)
    draft = _draft(appointment, step, due, _useful_until(step, due, start), situation.now)
    if due < situation.at:
        booked = situation.event in {AppointmentEvent.BOOKED, AppointmentEvent.MOVED}
        return _skip(draft, _BOOKED_TOO_LATE if booked else _HAD_PASSED)
    return draft


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
_A_MATTER_OF_TIME = (_BOOKED_TOO_LATE, _HAD_PASSED, _TOO_LATE, "said by the step ")


def _said_by(step: str) -> str:
    return f"said by the step {step} on the same day"


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
        due = news.get((reminder.patient_id, _said_by(reminder.step)), reminder.due_at)
        early = reminder.state in OPEN and due < reminder.due_at
        found.append(replace(reminder, due_at=due) if early else reminder)
    return found


def _one_a_day(drafts: Sequence[Reminder], rules: PlanRules, *, confirmed: bool) -> list[Reminder]:
    """Two steps of one visit on one local day become one text: the earlier time, the later purpose."""
    kept: list[Reminder] = []
    by_day: dict[date, Reminder] = {}
    silent = {
        step.name for step in rules.steps if step.outranks_caps or (step.only_unconfirmed and confirmed)
    }
    for draft in sorted(drafts, key=lambda draft: draft.due_at):
        if draft.state not in OPEN or draft.step in silent:
            kept.append(draft)
            continue
        day = draft.due_at.astimezone(rules.zone).date()
        earlier = by_day.pop(day, None)
        if earlier is not None:
            kept.append(_skip(earlier, _said_by(draft.step)))
        by_day[day] = draft if earlier is None else replace(draft, due_at=earlier.due_at)
    return sorted([*kept, *by_day.values()], key=lambda draft: draft.due_at)


@dataclass(frozen=True, slots=True)
class Revision:
    """What must change among the stored reminders."""

    add: tuple[Reminder, ...]
    update: tuple[Reminder, ...]


def carries_on(reminder: Reminder, appointment: Appointment, rules: PlanRules, situation: Situation) -> bool:
    """Whether a text about an event, still waiting, is still owed."""
    step = rules.step(reminder.step)
    if step is None or step.on is None:
        return False
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
        return new.due_at > now and (old.reason or "").startswith(_A_MATTER_OF_TIME)
    return old.state is ReminderState.WITHDRAWN
