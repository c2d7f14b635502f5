"""Which reminders should exist for one patient's visit, and when each falls due.

Pure: rules, facts and the time go in, reminders come out. A step follows an
event (booked, moved, cancelled, no-show), precedes the visit (days or hours
ahead) or comes after it (days or hours after). What is decided here is looked
at again when it falls due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.appointment import NO_SHOW, Appointment, AppointmentEvent
from integration.domain.quiet_hours import DecentHours, evening_before
from integration.domain.reminder import OPEN, Reminder, ReminderState
from integration.domain.visit_filter import EVERY_VISIT, VisitFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo


AFTERTHOUGHT: Final = timedelta(days=2)  # a word about a visit that is over is kind so long after it was due
NOT_SEEN_YET: Final = "the EHR has not said yet that the visit took place"


class Ask(StrEnum):
    """Whether a step asks the patient to confirm."""

    NEVER = "never"
    ALWAYS = "always"
    UNCONFIRMED = "unconfirmed"  # unless the visit is confirmed
    SOON = "soon"  # only if the visit is nearer than `ask_within`


class WhenConfirmed(StrEnum):
    """What a patient gets who has confirmed the visit."""

    SAME = "same"  # what everybody gets, the question included
    INFORM = "inform"  # the text without its question
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    On an event, or days or hours ahead of the visit, or days or hours after it: exactly one of the five.
    """

    name: str
    on: AppointmentEvent | None = None
    days_ahead: int | None = None  # calendar days before the visit's local date, at `at`
    hours_ahead: float | None = None  # elapsed time
    days_after: int | None = None  # calendar days after the visit's local date, at `at`
    hours_after: float | None = None  # elapsed time after the visit's end, its start where no end is known
    at: time = time(10)  # practice time, for days
    ask: Ask = Ask.NEVER
    ask_within: timedelta = timedelta(days=5)
    when_confirmed: WhenConfirmed = WhenConfirmed.INFORM
    useful_until: timedelta | None = None  # before the visit (None: half-way to it); if `looks_back`, after
    outranks_caps: bool = False  # bad news outranks the caps
    text: str = ""  # the occasion of messages/*.toml; "": its own name
    names_visit: bool = True  # its text says when the visit is; what does not can speak of no other
    visits: VisitFilter = EVERY_VISIT

    @property
    def occasion(self) -> str:
        """Under which name the catalogues keep its text."""
        return self.text or self.name

    @property
    def is_after(self) -> bool:
        """Whether it follows a visit that took place."""
        return self.days_after is not None or self.hours_after is not None

    @property
    def is_ahead(self) -> bool:
        """Whether it precedes the visit."""
        return self.on is None and not self.is_after

    @property
    def looks_back(self) -> bool:
        """Whether it speaks of a visit that is over; such a text speaks of no other."""
        return self.is_after or self.on is AppointmentEvent.NO_SHOW

    @property
    def only_unconfirmed(self) -> bool:
        """Whether a confirmed visit goes without it."""
        return self.when_confirmed is WhenConfirmed.NOTHING

    def asks(self, *, confirmed: bool, until_visit: timedelta) -> bool:
        """Whether this step's text asks to confirm."""
        if self.ask is Ask.NEVER:
            return False
        if confirmed and (self.when_confirmed is not WhenConfirmed.SAME or self.ask is Ask.UNCONFIRMED):
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
    off: tuple[str, ...] = ()  # steps that are named and turned off

    def step(self, name: str) -> Step | None:
        """One step by its name; None when the plan no longer has it."""
        return next((step for step in self.steps if step.name == name), None)

    def on(self, event: AppointmentEvent, appointment: Appointment | None = None) -> Step | None:
        """The first step that follows an event, of this appointment if one is given."""
        return next(
            (
                step
                for step in self.steps
                if step.on is event and (appointment is None or step.visits.covers(appointment))
            ),
            None,
        )

    def follows(self, name: str, event: AppointmentEvent) -> bool:
        """Whether a step of that name follows the event."""
        step = self.step(name)
        return step is not None and step.on is event


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
    return _one_a_day(drafts, rules, zones[0], confirmed=appointment.confirmed, alone=alone)


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
_A_MATTER_OF_TIME = (_BOOKED_TOO_LATE, _HAD_PASSED, _TOO_LATE, "said by the step ")


def _said_by(step: str) -> str:
    return f"said by the step {step} on the same day"


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
        due = news.get((reminder.patient_id, _said_by(reminder.step)), reminder.due_at)
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
        return new.due_at > now and (old.reason or "").startswith(_A_MATTER_OF_TIME)
    return old.state is ReminderState.WITHDRAWN
