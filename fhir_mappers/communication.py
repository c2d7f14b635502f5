"""A text to a patient, and the patient's reply, as FHIR R4 Communication (`reference/standards.md` 4.1).

`outbound_text` and `patient_reply` are pure: ids, times and words come in, JSON
comes out. Each resource carries our own identifier, so that it can be found
again and is never written twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fhir.resources.R4B.communication import Communication

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

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
CATEGORY_SYSTEM = f"{_TERMINOLOGY}/communication-category"
TOPIC_SYSTEM = f"{_TERMINOLOGY}/communication-topic"
MEDIUM_SYSTEM = f"{_TERMINOLOGY}/v3-ParticipationMode"  # the code system, not the value set
NOT_DONE_SYSTEM = f"{_TERMINOLOGY}/communication-not-done-reason"


class Outcome(StrEnum):
    """What is known of a text's way to the handset."""

    QUEUED = "queued"  # not yet taken by the carrier's service
    ACCEPTED = "accepted"
    SENT = "sent"  # the carrier has it; some never say more
    DELIVERED = "delivered"  # the handset confirmed
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNRESOLVED = "unresolved"  # nobody can tell whether it went out
    SKIPPED = "skipped"  # a reminder that became no text


# Our outcome → event-status (required binding). Completed only with a receipt; R4: not-done = did not occur.
STATUSES = {
    Outcome.QUEUED: "preparation",
    Outcome.ACCEPTED: "preparation",
    Outcome.SENT: "in-progress",
    Outcome.DELIVERED: "completed",
    Outcome.UNDELIVERED: "not-done",
    Outcome.FAILED: "not-done",
    Outcome.UNRESOLVED: "unknown",
    Outcome.SKIPPED: "not-done",
}

# Who reads and writes for a child: no chart of ours names them, and the EHR's own RelatedPerson is not known.
GUARDIAN = {"type": "RelatedPerson", "display": "Guardian"}

# How far along each event-status is. What a person set (entered-in-error, stopped, on-hold) is never undone.
PROGRESS = {
    "preparation": 0,
    "unknown": 0,  # news may still tell
    "in-progress": 1,
    "not-done": 2,
    "completed": 2,
    "on-hold": 3,
    "stopped": 3,
    "entered-in-error": 3,
}


class NotDoneReason(StrEnum):
    """Why a text did not arrive: communication-not-done-reason."""

    UNKNOWN = "unknown"
    SYSTEM_ERROR = "system-error"
    INVALID_PHONE_NUMBER = "invalid-phone-number"
    RECIPIENT_UNAVAILABLE = "recipient-unavailable"
    FAMILY_OBJECTION = "family-objection"
    PATIENT_OBJECTION = "patient-objection"


class Category(StrEnum):
    """What a text is for: communication-category."""

    REMINDER = "reminder"
    NOTIFICATION = "notification"
    INSTRUCTION = "instruction"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Coded:
    """A code or an identifier of somebody else's, with the system that gives it a meaning."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class OutboundText:
    """A text as one patient's chart should show it."""

    identifier: str  # ours, unique over all stores
    patient_id: str  # the ids are those of the EHR's FHIR server
    organization: str  # the practice's public name
    outcome: Outcome
    body: str | None  # this patient's part of it; None: not to be shown
    category: Category = Category.REMINDER
    topic: str | None = "appointment-reminder"  # communication-topic
    appointment_ids: tuple[str, ...] = ()
    carrier_id: Coded | None = None
    sent: datetime | None = None  # when the carrier had it
    received: datetime | None = None  # used only on delivered
    not_done: NotDoneReason = NotDoneReason.UNKNOWN  # used only on undelivered and failed
    error: Coded | None = None  # the provider's own code
    to: str = ""  # the number, masked: …1234
    segments: int | None = None
    encoding: str = ""
    remarks: tuple[str, ...] = ()  # further sentences for a reader of the chart
    guardian: bool = False  # it went to who answers for the patient, a child
    based_on: str | None = None  # id of the CommunicationRequest that asked for it


@dataclass(frozen=True, slots=True)
class PatientReply:
    """A patient's text to us."""

    identifier: str  # ours, unique over all stores
    patient_id: str
    organization: str
    body: str  # as the patient wrote it
    received: datetime
    sent: datetime | None = None  # the carrier's time, if it says
    carrier_id: Coded | None = None
    in_response_to: str | None = None  # id of the Communication it answers
    appointment_ids: tuple[str, ...] = ()
    sender: str = ""  # the number, masked: …1234
    remarks: tuple[str, ...] = ()  # how we understood it
    guardian: bool = False  # it came from who answers for the patient, a child


def outbound_text(text: OutboundText) -> Resource:
    """The Communication of a text we sent; raises `BadResource`."""
    status = STATUSES[text.outcome]
    not_done = status == "not-done"
    return checked(
        Communication,
        without_gaps(
            resourceType="Communication",
            identifier=_identifiers(text.identifier, text.carrier_id),
            basedOn=[reference("CommunicationRequest", text.based_on)] if text.based_on else None,
            status=status,
            statusReason=_status_reason(text) if not_done else None,
            category=[concept(CATEGORY_SYSTEM, text.category)],
            medium=[concept(MEDIUM_SYSTEM, "SMSWRIT")],
            subject=reference("Patient", text.patient_id),
            topic=concept(TOPIC_SYSTEM, text.topic) if text.topic else None,
            about=[reference("Appointment", each) for each in text.appointment_ids],
            sent=date_time(text.sent) if text.sent else None,
            received=date_time(text.received) if text.received and status == "completed" else None,
            recipient=[GUARDIAN if text.guardian else reference("Patient", text.patient_id)],
            sender=organization(text.organization),
            payload=_payload(text.body or ""),
            note=_notes(_weight(text), _error(text) if not_done else "", *text.remarks),
        ),
    )


def patient_reply(reply: PatientReply) -> Resource:
    """The Communication of a patient's reply; raises `BadResource`."""
    return checked(
        Communication,
        without_gaps(
            resourceType="Communication",
            identifier=_identifiers(reply.identifier, reply.carrier_id),
            inResponseTo=(
                [reference("Communication", reply.in_response_to)] if reply.in_response_to else None
            ),
            status="completed",
            category=[concept(CATEGORY_SYSTEM, Category.NOTIFICATION)],
            medium=[concept(MEDIUM_SYSTEM, "SMSWRIT")],
            subject=reference("Patient", reply.patient_id),
            about=[reference("Appointment", each) for each in reply.appointment_ids],
            sent=date_time(reply.sent) if reply.sent else None,
            received=date_time(reply.received),
            recipient=[organization(reply.organization)] if reply.organization else None,
            sender=GUARDIAN if reply.guardian else reference("Patient", reply.patient_id),
            payload=_payload(reply.body),
            note=_notes(f"Text from {reply.sender}." if reply.sender else "", *reply.remarks),
        ),
    )


def _identifiers(ours: str, carrier: Coded | None) -> list[Resource]:
    theirs = [identifier(carrier.system, carrier.value)] if carrier else []
    return [identifier(MESSAGE_SYSTEM, ours), *theirs]


def _status_reason(text: OutboundText) -> Resource:
    reason = concept(NOT_DONE_SYSTEM, text.not_done)
    if text.error:
        reason["coding"].append({"system": text.error.system, "code": text.error.value})
    return reason


def _payload(words: str) -> list[Resource]:
    readable = plain_text(words)
    return [{"contentString": readable}] if readable else []


def _weight(text: OutboundText) -> str:
    to = f" to {text.to}" if text.to else ""
    if text.segments is None:
        return f"Text message{to}." if to else ""
    parts = "1 segment" if text.segments == 1 else f"{text.segments} segments"
    encoding = f", {text.encoding}" if text.encoding else ""
    return f"Text message{to}: {parts}{encoding}."


def _error(text: OutboundText) -> str:
    return f"Provider's error code {text.error.value}." if text.error else ""


def _notes(*sentences: str) -> list[Resource]:
    return [{"text": sentence} for sentence in sentences if sentence]
