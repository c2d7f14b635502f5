"""Step 3: what happened to an appointment becomes the reminders that should exist, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from integration.aftermath import open_task
from integration.domain.appointment import AppointmentEvent
from integration.domain.changed_hands import Hands
from integration.domain.consequences import mass_change_breaker
from integration.domain.last_look import LATER, NO_NO_SHOW, OTHER_NUMBER
from integration.domain.plan_revision import carries_on, keep_early, revise, take_up
from integration.domain.recipient_zone import recipient_zones
from integration.domain.reminder import OPEN, Reminder, ReminderState
from integration.domain.reminder_plan import plan
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.surprise import describe
from integration.domain.who_confirmed import under_records
from integration.pipeline.plan.addressees import Addressees
from integration.pipeline.plan.situation import situation_of
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.plan_rules import PlanRules
    from integration.domain.recipient import Patient
    from integration.domain.reminder_plan import Situation
    from integration.ports.store import Change, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice, Settings

BATCH = 100
NOT_IN_THE_PLAN = "no longer in the plan"
_log = structlog.get_logger(__name__)

# What withdrew a reminder, as a nurse would say it.
_REASONS = {
    AppointmentEvent.MOVED: "the visit was moved",
    AppointmentEvent.CANCELLED: "the visit was cancelled",
    AppointmentEvent.DISCONTINUED: "the visit was discontinued",
    AppointmentEvent.DELETED: "the visit was entered in error",
    AppointmentEvent.NO_SHOW: "the patient did not come",
    AppointmentEvent.ARRIVED: "the patient has arrived",
}


def plan_changes(workshop: Workshop) -> int:
    """Think over the reminders of one batch of changes; returns how many changes were planned.

    A surprise undoes the batch and the appointments are taken one by one, so that only the one
    that surprises is held.
    """
    try:
        return _plan_batch(workshop, BATCH, [])
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the neighbours must not suffer
        _log.error("a batch of changes surprised; taking one appointment", surprise=describe(surprise))
    claimed: list[Change] = []
    try:
        return _plan_batch(workshop, 1, claimed)
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the appointment waits for a person
        _hold(workshop, claimed, describe(surprise))
        return len(claimed)


def _hold(workshop: Workshop, changes: Sequence[Change], surprise: str) -> None:
    """Hold an appointment that cannot be planned; its messages are dead, and may be replayed after a fix."""
    with workshop.store.unit() as unit:
        for change in changes:
            appointment = unit.appointments.get(change.appointment_id)
            locked = unit.appointments.find(appointment.scope, appointment.identifiers)
            if locked is None or change.inbox_id is None:
                continue
            unit.holds.add(change.inbox_id, locked.scope, locked.identifiers)
            if locked.held_by is None:
                unit.appointments.save(replace(locked, held_by=change.inbox_id))
        messages = {change.inbox_id for change in changes if change.inbox_id is not None}
        for message in messages:
            unit.inbox.dead(message, f"surprise {surprise}")
        unit.changes.done([change.id for change in changes])
    _log.error("an appointment cannot be planned", messages=sorted(messages), surprise=surprise)


def _plan_batch(workshop: Workshop, limit: int, claimed: list[Change]) -> int:
    flooded: set[str] = set()
    with workshop.store.unit() as unit:
        changes = unit.changes.claim(limit)
        released = unit.breakers.released() if changes else {}
        claimed.extend(changes)
        for change in changes:
            practice = _plan_one(unit, workshop, change, released)
            if practice is not None:
                flooded.add(practice)
        unit.changes.done([change.id for change in changes])
    for practice in flooded:
        workshop.store.open_breaker(
            mass_change_breaker(practice), "more cancellations in an hour than expected"
        )
        _log.warning("mass change: cancellations wait for a person", practice=practice)
    if changes:
        workshop.knock("send")
    return len(changes)


def _plan_one(unit: Unit, workshop: Workshop, change: Change, released: Mapping[str, datetime]) -> str | None:
    """Plan one change; returns the practice whose cancellations have become a flood, if so."""
    appointment = _under_todays_records(unit, unit.appointments.get(change.appointment_id))
    stored = unit.reminders.of_appointment(appointment.id)
    practice = workshop.settings.practices.get(appointment.practice or "")
    now = workshop.clock.calendar()
    situation = situation_of(unit, appointment, stored, change, practice=practice, now=now)
    patients = _patients(unit, appointment, stored, change)
    addressees = Addressees(patients, practice)
    wanted: list[Reminder] = []
    owed: list[Reminder] = []
    if practice is not None:
        hands = Hands(appointment, change.patients_before, patients, stored, practice.plan)
        wanted = _wanted(appointment, addressees, practice.plan, hands.situations(situation))
        taken_off = replace(appointment, status="cancelled")
        wanted += _wanted(taken_off, addressees, practice.plan, hands.farewells(situation))
        wanted = keep_early(_not_yet_said(wanted, stored), stored, appointment)
        wanted = take_up(wanted, stored, appointment, now)
        owed = [r for r in stored if carries_on(r, appointment, practice.plan, situation)]
        late = [r for r in stored if _waits_past_its_time(r, wanted, appointment, now)]
        wanted += _readdressed([*owed, *late], addressees, now)
    revision = revise(
        stored,
        [replace(reminder, inbox_id=change.inbox_id) for reminder in wanted],
        kept=lambda reminder: reminder in owed and addressees.number(reminder) == reminder.number,
        reason=_REASONS.get(change.event) or _other_reason(appointment, practice),
        now=now,
    )
    unit.reminders.add(revision.add)
    unit.reminders.update([_with_reason(reminder, appointment, addressees) for reminder in revision.update])
    if practice is None:
        return None
    _follow_the_practice(unit, appointment, practice, owed, revision.update)
    let_go = released.get(mass_change_breaker(practice.name))
    return _flood(unit, workshop.settings, practice, revision.add, let_go=let_go, now=now)


def _other_reason(appointment: Appointment, practice: Practice | None) -> str:
    """Why a reminder goes that no event has taken away."""
    if practice is None or appointment.is_expected or appointment.took_place:
        return NOT_IN_THE_PLAN
    return "the visit is not to take place"


def _patients(
    unit: Unit, appointment: Appointment, stored: Iterable[Reminder], change: Change
) -> dict[int, Patient]:
    """Those of the visit, those taken off it, and those who were told or are owed news of it."""
    told = [each.patient_id for each in stored if each.state in OPEN or each.state is ReminderState.SENT]
    wanted = dict.fromkeys([*appointment.patients, *(change.patients_before or ()), *told])
    return {patient_id: unit.patients.get(patient_id) for patient_id in wanted}


def _under_todays_records(unit: Unit, appointment: Appointment) -> Appointment:
    """One that was stored while a record of its patient became part of another is the other's, too."""
    current = under_records(appointment, lambda patient_id: unit.patients.survivor(patient_id).id)
    return appointment if current is appointment else unit.appointments.save(current)


def _not_yet_said(wanted: Iterable[Reminder], stored: Iterable[Reminder]) -> list[Reminder]:
    """Without what the patient was told already, be it at another number: nothing is said twice."""
    said = {
        (each.patient_id, each.step, each.slot_number) for each in stored if each.state is ReminderState.SENT
    }
    return [each for each in wanted if (each.patient_id, each.step, each.slot_number) not in said]


def _waits_past_its_time(
    reminder: Reminder, wanted: Iterable[Reminder], appointment: Appointment, now: datetime
) -> bool:
    """Whether its step's time has passed, and it may go yet: it was held, or what it said did not arrive."""
    stands = appointment.is_expected and reminder.slot_number == appointment.slot_number
    if not stands or reminder.patient_id not in appointment.patients:
        return False
    if reminder.after_text_id is not None:
        return True
    due = reminder.state is ReminderState.HELD or reminder.due_at <= now
    about = (reminder.patient_id, reminder.step, reminder.slot_number)
    return (
        due
        and now <= reminder.not_after
        and any(about == (each.patient_id, each.step, each.slot_number) for each in wanted)
    )


def _readdressed(owed: Iterable[Reminder], addressees: Addressees, now: datetime) -> list[Reminder]:
    """What is still owed to patients with another number now goes there; what held it may not hold there."""
    found = []
    for reminder in owed:
        number = addressees.number(reminder)
        if reminder.state in OPEN and number is not None and number != reminder.number:
            due = now if reminder.state is ReminderState.HELD else reminder.due_at
            planned = ReminderState.PLANNED
            found.append(replace(reminder, id=0, number=number, due_at=due, state=planned, reason=None))
    return found


def _follow_the_practice(
    unit: Unit,
    appointment: Appointment,
    practice: Practice,
    owed: Iterable[Reminder],
    revised: Iterable[Reminder],
) -> None:
    """News that is still owed is told by the practice the visit belongs to now."""
    done = {reminder.id for reminder in revised}
    unit.reminders.update(
        [
            replace(reminder, practice=practice.name)
            for reminder in owed
            if reminder.state in OPEN
            and reminder.practice != practice.name
            and reminder.patient_id in appointment.patients
            and reminder.id not in done
        ]
    )


def _with_reason(reminder: Reminder, appointment: Appointment, addressees: Addressees) -> Reminder:
    """The reason for which it was withdrawn, if it is about the patient and not about the visit."""
    if reminder.state is not ReminderState.WITHDRAWN:
        return reminder
    if reminder.patient_id not in appointment.patients:
        return replace(reminder, reason="the visit is another patient's now")
    silence = addressees.patients[reminder.patient_id].silence
    if silence is not None:
        return replace(reminder, reason=silence)
    number = addressees.number(reminder)
    if number != reminder.number:
        why = OTHER_NUMBER if number else addressees.lacks(reminder)
        return replace(reminder, reason=why)
    if reminder.reason != NOT_IN_THE_PLAN:
        return reminder
    return replace(reminder, reason=_plainly(reminder, appointment, addressees.practice))


def _plainly(reminder: Reminder, appointment: Appointment, practice: Practice | None) -> str:
    """Why a reminder is not wanted any more, when no event says so."""
    step = None if practice is None else practice.plan.step(reminder.step)
    if step is None:
        return NOT_IN_THE_PLAN
    if step.on is AppointmentEvent.NO_SHOW:
        return NO_NO_SHOW
    if step.on is AppointmentEvent.CANCELLED and appointment.is_expected:
        return "the visit is to take place after all"
    moved = reminder.slot_number != appointment.slot_number
    corrected = "what was known of the visit's time or place was corrected"
    return step.visits.against(appointment) or (corrected if moved else NOT_IN_THE_PLAN)


def _wanted(
    appointment: Appointment,
    addressees: Addressees,
    rules: PlanRules,
    situations: Mapping[int, Situation],
) -> list[Reminder]:
    """The reminders of each patient, as things stand for that patient."""
    wanted = []
    for patient_id, situation in situations.items():
        zones = recipient_zones([addressees.patients[patient_id]], rules.zone)
        for reminder in plan(
            appointment, patient_id=patient_id, number="", rules=rules, situation=situation, zones=zones
        ):
            number = addressees.number(reminder)
            if number is not None:
                wanted.append(replace(reminder, number=number))
            else:
                why = addressees.lacks(reminder)
                wanted.append(replace(reminder, state=ReminderState.SKIPPED, reason=why))
    return wanted


def _flood(
    unit: Unit,
    settings: Settings,
    practice: Practice,
    added: Sequence[Reminder],
    *,
    let_go: datetime | None,
    now: datetime,
) -> str | None:
    """Whether this cancellation is one too many for an hour (a mass change waits for a person).

    `let_go`: when a person last released the practice's. Those count no more; their last hold may have put
    them off by `LATER`.
    """
    steps = [step.name for step in practice.plan.steps if step.on is AppointmentEvent.CANCELLED]
    if not any(reminder.step in steps for reminder in added):
        return None
    since = now - timedelta(hours=1)
    since = since if let_go is None else max(since, let_go + LATER)
    count = sum(unit.reminders.count_planned(practice.name, step, since) for step in steps)
    if count <= practice.cancellations_per_hour:
        return None
    open_task(
        unit,
        StaffTask(
            id=0,
            kind=TaskKind.RELEASE,
            practice=practice.name,
            reason="More visits were cancelled in an hour than expected: release the texts or drop them.",
            created_at=now,
        ),
        settings,
    )
    return practice.name
