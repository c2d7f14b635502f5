"""Work for a practice's staff about a patient: as FHIR R4 Task, or as a Communication addressed to them.

The second is for EHRs that take no Task. Oracle's Message Center may refuse what it does not know, so
that Communication has nothing else in it: completed, one category, `routine` or `urgent`, a sender, the words
base64 in an attachment, and no identifier where nobody can search for one
(docs.oracle.com, millennium-platform-apis/mfrap/op-communication-post; `reference/standards.md` §0.8, 4.3).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fhir.resources.R4B.communication import Communication
from fhir.resources.R4B.task import Task

from fhir_mappers.communication import CATEGORY_SYSTEM, Category
from fhir_mappers.outgoing import (
    MESSAGE_SYSTEM,
    Resource,
    checked,
    concept,
    date_time,
    identifier,
    organization,
    plain_text,
    reference,
    without_gaps,
)

if TYPE_CHECKING:
    from datetime import datetime


class TaskStatus(StrEnum):
    """Task.status, as far as we say one (required binding task-status)."""

    REQUESTED = "requested"
    COMPLETED = "completed"


class Priority(StrEnum):
    """request-priority (required binding)."""

    ROUTINE = "routine"
    URGENT = "urgent"
    STAT = "stat"  # now


# Who may own a Task in R4: a Group may not, but may be named as its recipient.
_OWNERS = frozenset({"Practitioner", "PractitionerRole", "Organization", "CareTeam", "HealthcareService"})


@dataclass(frozen=True, slots=True)
class StaffWork:
    """One open point about one patient."""

    identifier: str  # ours, unique over all stores
    patient_id: str  # the ids are those of the EHR's FHIR server
    organization: str  # the practice's public name
    what: str  # in a few words
    why: str  # a sentence
    opened: datetime
    priority: Priority = Priority.ROUTINE
    due: datetime | None = None  # in the zone in which staff read it
    done: datetime | None = None
    appointment_id: str | None = None
    communication_id: str | None = None  # of the text or reply that made the work
    staff: str | None = None  # reference of who is asked, such as Group/123
    sender: str | None = None  # reference of who asks; the practice by its name unless set
    queue: str | None = None  # what the practice calls whoever does it
    outcome: str | None = None  # what came of it, in a few words, once it is done
    done_by: str | None = None
    note: str | None = None  # in the words of whoever did it


def task(work: StaffWork) -> Resource:
    """The Task; raises `BadResource`."""
    owner, recipient = _addressees(work.staff)
    return checked(
        Task,
        without_gaps(
            resourceType="Task",
            identifier=[identifier(MESSAGE_SYSTEM, work.identifier)],
            status=TaskStatus.COMPLETED if work.done else TaskStatus.REQUESTED,
            intent="order",
            priority=work.priority,
            code={"text": work.what},
            description=plain_text(work.why),
            focus=_link("Communication", work.communication_id),
            reasonReference=_link("Appointment", work.appointment_id),
            authoredOn=date_time(work.opened),
            lastModified=date_time(max(work.done or work.opened, work.opened)),  # R4: inv-1
            requester=_sender(work),
            owner=owner | ({"display": work.queue} if work.queue else {}),
            restriction=without_gaps(
                period={"end": date_time(work.due)} if work.due else None, recipient=recipient
            ),
            executionPeriod={"end": date_time(work.done)} if work.done else None,
            note=_notes(work),
            output=_output(work),
            **{"for": reference("Patient", work.patient_id)},
        ),
    )


def staff_message(work: StaffWork, *, identified: bool) -> Resource:
    """The Communication that asks for it; raises `BadResource`, ValueError without somebody to ask.

    `identified`: whether it carries our identifier.
    """
    if work.staff is None:
        raise ValueError("a message to staff needs somebody to ask")
    due = f" Due {work.due:%Y-%m-%d %H:%M %Z}." if work.due else ""
    words = plain_text(f"{work.what}. {work.why}{due}")
    return checked(
        Communication,
        without_gaps(
            resourceType="Communication",
            identifier=[identifier(MESSAGE_SYSTEM, work.identifier)] if identified else None,
            status="completed",
            category=[concept(CATEGORY_SYSTEM, Category.NOTIFICATION)],
            priority="routine" if work.priority is Priority.ROUTINE else "urgent",
            subject=reference("Patient", work.patient_id),
            topic={"text": work.what},
            recipient=[_whom(work.staff)],
            sender=_sender(work),
            payload=[
                {
                    "contentAttachment": {
                        "contentType": "text/plain",
                        "data": b64encode(words.encode()).decode("ascii"),
                    }
                }
            ],
        ),
    )


def _output(work: StaffWork) -> list[Resource]:
    """What came of it: Task.output holds what a task produces, statusReason why one is held or refused."""
    if not work.done or work.outcome is None:
        return []
    return [{"type": {"text": "Outcome"}, "valueString": plain_text(work.outcome)}]


def _notes(work: StaffWork) -> list[Resource]:
    """The words of whoever did it; an Annotation needs some, so who did it is said in them if need be."""
    if not work.done or not (work.note or work.done_by):
        return []
    said = work.note or "Done."
    return [without_gaps(authorString=work.done_by, time=date_time(work.done), text=plain_text(said))]


def _addressees(staff: str | None) -> tuple[Resource, list[Resource]]:
    """The owner of a Task, and to whom it is restricted."""
    if staff is None:
        return {}, []
    whom = _whom(staff)
    return (whom, []) if whom["type"] in _OWNERS else ({}, [whom])


def _sender(work: StaffWork) -> Resource:
    return _whom(work.sender) if work.sender else organization(work.organization)


def _whom(staff: str) -> Resource:
    return reference(*staff.split("/", 1))


def _link(resource_type: str, resource_id: str | None) -> Resource:
    return reference(resource_type, resource_id) if resource_id else {}
