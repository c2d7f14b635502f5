"""Our facts as work for the staff of a practice: what is asked, why, how soon, and of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from fhir_mappers.task import Priority, StaffWork
from integration.adapters.ehr.telling import own_identifier
from integration.domain.phone_number import mask
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import TaskKind, TaskOutcome
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.ehr.fact_to_fhir import Links
    from integration.domain.conversation import Reply
    from integration.domain.staff_task import StaffTask
    from integration.ports.ehr import Fact
    from integration.settings.model import WritingBack

# Our task → what is asked, and how soon
ASKED: Final = {
    TaskKind.READ_REPLY: ("Read a patient's text message", Priority.ROUTINE),
    TaskKind.URGENT_REPLY: ("Read a patient's urgent text message now", Priority.STAT),
    TaskKind.CANCEL_WISH: ("Patient wishes to cancel a visit", Priority.ROUTINE),
    TaskKind.RESCHEDULE_WISH: ("Patient wishes another time for a visit", Priority.ROUTINE),
    TaskKind.OPTED_OUT: ("Patient stopped text messages", Priority.ROUTINE),
    TaskKind.WRONG_NUMBER: ("Check a patient's telephone number", Priority.ROUTINE),
    TaskKind.CALL_PATIENT: ("Call a patient", Priority.URGENT),
}
# What came of it → in words
CAME_OF_IT: Final = {
    TaskOutcome.REACHED: "The patient was reached",
    TaskOutcome.LEFT_MESSAGE: "A message was left",
    TaskOutcome.REBOOKED: "The visit has another time",
    TaskOutcome.CANCELLED: "The visit was cancelled",
    TaskOutcome.NO_ANSWER: "Nobody answered",
    TaskOutcome.ANSWERED: "The patient's next text settled it",
    TaskOutcome.OTHER: "Done",
}
# What a yes asks for, where staff are to put it into the schedule; of a no they have been asked already.
CONFIRMED: Final = "Patient confirmed a visit"

# Modes whose records are Communications, so that work can point to them
_WRITES_COMMUNICATIONS: Final = "fhir_communication"


def is_work(fact: Fact) -> bool:
    """Whether there is anything in it for staff."""
    if fact.task is not None:
        return fact.task.kind in ASKED
    return (
        fact.row.kind is WriteBackKind.CONFIRMATION
        and fact.reply is not None
        and fact.reply.intent == Intent.CONFIRM
    )


def staff_work(fact: Fact, links: Links, settings: WritingBack) -> StaffWork:
    """What is asked of staff; ValueError for a fact without work."""
    if fact.task is not None:
        return _of_task(fact, fact.task, links, settings)
    if fact.reply is not None:
        return _of_answer(fact, fact.reply, links, settings)
    raise ValueError(f"a fact of kind {fact.row.kind} is no work for staff")


def communication_of(fact: Fact) -> str | None:
    """The id of the Communication that a fact follows from, if it is one on the EHR."""
    told = fact.told
    return told.ehr_id or None if told is not None and told.mode == _WRITES_COMMUNICATIONS else None


def _of_task(fact: Fact, task: StaffTask, links: Links, settings: WritingBack) -> StaffWork:
    what, priority = ASKED[task.kind]
    return StaffWork(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        what=what,
        why=task.reason,
        opened=task.created_at,
        priority=priority,
        due=_local(fact, task.due_at),
        done=task.done_at,
        queue=task.owner,
        outcome=None if task.outcome is None else CAME_OF_IT[task.outcome],
        done_by=task.done_by,
        note=task.note,
        appointment_id=next(iter(links.appointment_ids), None),
        communication_id=communication_of(fact),
        staff=settings.staff_group,
        sender=settings.staff_sender,
    )


def _local(fact: Fact, moment: datetime | None) -> datetime | None:
    """In the zone of the visit, for whoever reads it."""
    if moment is None or not fact.appointments:
        return moment
    return moment.astimezone(ZoneInfo(fact.appointments[0].zone))


def _of_answer(fact: Fact, reply: Reply, links: Links, settings: WritingBack) -> StaffWork:
    start = fact.appointments[0].slot.start if fact.appointments else None
    others = [local for visit in fact.appointments[1:] if (local := _local(fact, visit.slot.start))]
    also = "".join(f" And the visit of {local:%Y-%m-%d %H:%M %Z}." for local in others)
    return StaffWork(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        what=CONFIRMED,
        why=f"Answered by text message from {mask(reply.number)}. Please note it in the schedule.{also}",
        opened=reply.heard_at,
        due=_local(fact, start),
        appointment_id=next(iter(links.appointment_ids), None),
        communication_id=communication_of(fact),
        staff=settings.staff_group,
        sender=settings.staff_sender,
    )
