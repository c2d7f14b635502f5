"""Our facts in FHIR's terms: what a Communication or an AppointmentResponse says of a text or a reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.communication import (
    Category,
    Coded,
    NotDoneReason,
    OutboundText,
    Outcome,
    PatientReply,
    outbound_text,
    patient_reply,
)
from fhir_mappers.response import ParticipantStatus, VisitAnswer, appointment_response
from integration.adapters.ehr.telling import (
    is_final,
    is_guardians,
    is_unresolved,
    not_sent,
    own_identifier,
    part,
    remarks_on_reply,
    remarks_on_text,
    words_of,
)
from integration.domain.failure import Failure
from integration.domain.phone_number import mask
from integration.domain.text_message import TextKind
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from integration.domain.conversation import Reply
    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.domain.write_back import WriteBack
    from integration.ports.ehr import Fact

__all__ = [
    "ANSWERS",
    "ID_SYSTEMS",
    "NOT_DONE",
    "Links",
    "is_final",
    "own_identifier",
    "resource_type",
    "to_fhir",
]

# SMS provider → the systems of its message ids and of its error codes
ID_SYSTEMS: Final = {"twilio": "https://api.twilio.com/messages"}
ERROR_SYSTEMS: Final = {"twilio": "https://www.twilio.com/docs/api/errors"}

# Why a reminder became no text (`domain.last_look`) → communication-not-done-reason, where one fits
WHY_SKIPPED: Final = {
    "opted out": NotDoneReason.PATIENT_OBJECTION,
    "no consent to texts": NotDoneReason.PATIENT_OBJECTION,
    "consent to texts was refused": NotDoneReason.PATIENT_OBJECTION,
    "the number is not the patient's": NotDoneReason.INVALID_PHONE_NUMBER,
    "the number cannot receive texts": NotDoneReason.INVALID_PHONE_NUMBER,
}

# Why it failed → communication-not-done-reason
NOT_DONE: Final = {
    Failure.BAD_NUMBER: NotDoneReason.INVALID_PHONE_NUMBER,
    Failure.OPTED_OUT: NotDoneReason.PATIENT_OBJECTION,
    Failure.UNREACHABLE: NotDoneReason.RECIPIENT_UNAVAILABLE,
    Failure.FILTERED: NotDoneReason.SYSTEM_ERROR,
    Failure.RETRY_LATER: NotDoneReason.SYSTEM_ERROR,
    Failure.EXPIRED: NotDoneReason.SYSTEM_ERROR,
    Failure.SLOW_DOWN: NotDoneReason.SYSTEM_ERROR,
    Failure.DAILY_CAP: NotDoneReason.SYSTEM_ERROR,
    Failure.ACCOUNT: NotDoneReason.SYSTEM_ERROR,
    Failure.OUR_FAULT: NotDoneReason.SYSTEM_ERROR,
    Failure.UNKNOWN: NotDoneReason.UNKNOWN,
}

# Occasions that tell news rather than remind
NOTICES: Final = frozenset({"booked", "moved", "cancelled"})

# What we understood → the answer an AppointmentResponse can hold
ANSWERS: Final = {"confirm": ParticipantStatus.ACCEPTED, "cancel": ParticipantStatus.DECLINED}


@dataclass(frozen=True, slots=True)
class Links:
    """Where on the EHR's server a fact belongs."""

    patient_id: str
    organization: str  # the practice's public name
    visits: tuple[tuple[int, str], ...] = ()  # our id of an appointment → the server's

    @property
    def appointment_ids(self) -> tuple[str, ...]:
        """The server's ids of the visits."""
        return tuple(theirs for _, theirs in self.visits)


def resource_type(kind: WriteBackKind) -> str:
    """The FHIR resource a kind of fact becomes."""
    return "AppointmentResponse" if kind is WriteBackKind.CONFIRMATION else "Communication"


def to_fhir(fact: Fact, links: Links) -> dict[str, Any]:
    """The resource; raises `BadResource`, and ValueError for a fact that lacks its text or reply."""
    if fact.row.kind is WriteBackKind.TEXT and fact.text is not None:
        return outbound_text(_text(fact, fact.text, links))
    if fact.row.kind is WriteBackKind.REPLY and fact.reply is not None:
        return patient_reply(_reply(fact, fact.reply, links))
    if fact.row.kind is WriteBackKind.SKIPPED and fact.reminder is not None:
        return outbound_text(_skipped(fact, fact.reminder, links))
    if fact.row.kind is WriteBackKind.CONFIRMATION and fact.reply is not None:
        return appointment_response(_answer(fact, fact.reply, links))
    raise ValueError(f"a fact of kind {fact.row.kind} lacks what it speaks of")


def _text(fact: Fact, text: TextMessage, links: Links) -> OutboundText:
    body, withheld = part(text, fact.row.patient_id)
    return OutboundText(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        outcome=_outcome(text),
        body=body,
        category=_category(text),
        topic=None if text.kind is TextKind.FREE else "appointment-reminder",
        appointment_ids=links.appointment_ids,
        carrier_id=_coded(ID_SYSTEMS, text.provider, text.provider_id),
        sent=text.sent_at,
        received=text.delivered_at,
        not_done=NOT_DONE[text.failure or Failure.UNKNOWN],
        error=_coded(ERROR_SYSTEMS, text.provider, text.error_code),
        to=mask(text.number),
        segments=text.segments,
        encoding=text.encoding,
        remarks=remarks_on_text(fact, text, withheld=withheld),
        guardian=is_guardians(fact.patient, text.number, text.created_at),
        based_on=fact.request,
    )


def _skipped(fact: Fact, reminder: Reminder, links: Links) -> OutboundText:
    return OutboundText(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        outcome=Outcome.SKIPPED,
        body=None,
        category=Category.NOTIFICATION if reminder.step in NOTICES else Category.REMINDER,
        appointment_ids=links.appointment_ids,
        not_done=WHY_SKIPPED.get(reminder.reason or "", NotDoneReason.UNKNOWN),
        to=mask(reminder.number),
        remarks=(not_sent(reminder),),
    )


def _reply(fact: Fact, reply: Reply, links: Links) -> PatientReply:
    return PatientReply(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        body=words_of(fact, reply),
        received=reply.received_at,
        sent=reply.received_at,  # the webhook comes as the carrier hands the text over
        carrier_id=_coded(ID_SYSTEMS, reply.provider, reply.provider_id),
        in_response_to=_communication(fact.answered),
        appointment_ids=links.appointment_ids,
        sender=mask(reply.number),
        remarks=remarks_on_reply(fact, reply),
        guardian=is_guardians(fact.patient, reply.number, reply.heard_at),
    )


def _communication(row: WriteBack | None) -> str | None:
    """The id of the Communication a row was written as, if it was."""
    written_so = row is not None and row.mode in {None, "fhir_communication"}
    return (row.ehr_id or None) if row is not None and written_so else None


def _answer(fact: Fact, reply: Reply, links: Links) -> VisitAnswer:
    return VisitAnswer(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        appointment_id=links.appointment_ids[0],
        status=ANSWERS[reply.intent or ""],
        comment=f"Answered by text message from {mask(reply.number)}.",
    )


def _outcome(text: TextMessage) -> Outcome:
    return Outcome.UNRESOLVED if is_unresolved(text) else Outcome(text.status.value)


def _category(text: TextMessage) -> Category:
    reminds = text.kind is TextKind.REMINDER and text.occasion not in NOTICES
    return Category.REMINDER if reminds else Category.NOTIFICATION


def _coded(systems: dict[str, str], provider: str | None, value: str | None) -> Coded | None:
    if not provider or not value:
        return None
    return Coded(systems.get(provider, f"urn:appointment-texts:provider:{provider}"), value)
