"""Our facts in FHIR's terms: what a Communication or an AppointmentResponse says of a text or a reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.phone_number import mask
from integration.domain.text_message import TextKind
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact

# SMS provider → the systems of its message ids and of its error codes
ID_SYSTEMS: Final = {"twilio": "https://api.twilio.com/messages"}
ERROR_SYSTEMS: Final = {"twilio": "https://www.twilio.com/docs/api/errors"}

# Why it failed → communication-not-done-reason, and what a reader of the chart is told
NOT_DONE: Final = {
    Failure.BAD_NUMBER: (NotDoneReason.INVALID_PHONE_NUMBER, "the number cannot receive texts"),
    Failure.OPTED_OUT: (NotDoneReason.PATIENT_OBJECTION, "the number has opted out of texts"),
    Failure.UNREACHABLE: (NotDoneReason.RECIPIENT_UNAVAILABLE, "the handset could not be reached"),
    Failure.FILTERED: (NotDoneReason.SYSTEM_ERROR, "the carrier filtered it"),
    Failure.EXPIRED: (NotDoneReason.SYSTEM_ERROR, "it could not be delivered in time"),
    Failure.SLOW_DOWN: (NotDoneReason.SYSTEM_ERROR, "the provider or the carrier was too busy"),
    Failure.ACCOUNT: (NotDoneReason.SYSTEM_ERROR, "the provider refused our account or sender"),
    Failure.OUR_FAULT: (NotDoneReason.SYSTEM_ERROR, "the provider refused the request"),
    Failure.UNKNOWN: (NotDoneReason.UNKNOWN, "no reason is known"),
}

# Occasions that tell news rather than remind
NOTICES: Final = frozenset({"booked", "moved", "cancelled"})

# What we understood → what a reader of the chart is told
UNDERSTOOD: Final = {
    "confirm": "Understood as: confirms the visit.",
    "cancel": "Understood as: wishes to cancel; left to staff.",
    "reschedule": "Understood as: wishes another time; left to staff.",
    "stop": "Understood as: wants no more texts.",
    "start": "Understood as: wants texts again.",
    "help": "Understood as: asks for help.",
    "wrong_number": "Understood as: this is not the patient's number.",
    "human": "Not acted upon; left to staff.",
}
UNCERTAIN_YES: Final = "A yes, but to what is not certain: nothing was confirmed; left to staff."

# What we understood → the answer an AppointmentResponse can hold
ANSWERS: Final = {"confirm": ParticipantStatus.ACCEPTED, "cancel": ParticipantStatus.DECLINED}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    if fact.row.kind is WriteBackKind.CONFIRMATION and fact.reply is not None:
        return appointment_response(_answer(fact, fact.reply, links))
    raise ValueError(f"a fact of kind {fact.row.kind} lacks what it speaks of")


def is_final(fact: Fact) -> bool:
    """Whether no later news about it is expected."""
    text = fact.text
    if fact.row.kind is not WriteBackKind.TEXT or text is None:
        return True
    return text.status.is_final or text.unresolved or text.final_at is not None


def own_identifier(fact: Fact) -> str:
    """Our identifier for a fact, the same at every try and another in every store.

    Row ids start anew in a new store, so the moment the fact began to exist stands beside them.
    """
    began = (
        fact.reply.received_at if fact.reply is not None else fact.text.created_at if fact.text else _EPOCH
    )
    moment = (began - _EPOCH) // timedelta(microseconds=1)
    return f"{fact.row.kind}-{fact.row.subject_id}-{fact.row.patient_id}-{moment}"


def _text(fact: Fact, text: TextMessage, links: Links) -> OutboundText:
    body, withheld = _part(text, fact.row.patient_id)
    outcome = _outcome(text)
    reason, words = NOT_DONE[text.failure or Failure.UNKNOWN]
    remarks = []
    if outcome in {Outcome.FAILED, Outcome.UNDELIVERED}:
        remarks.append(f"Not delivered: {words}.")
    if outcome is Outcome.SENT and text.final_at is not None:
        remarks.append("No delivery receipt came; some carriers never send one.")
    if outcome is Outcome.UNRESOLVED:
        remarks.append("Nobody can tell whether it went out; staff were asked to look.")
    if withheld:
        remarks.append("The text also spoke of another person; its wording is not shown.")
    return OutboundText(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        outcome=outcome,
        body=body,
        category=_category(text),
        topic=None if text.kind is TextKind.FREE else "appointment-reminder",
        appointment_ids=links.appointment_ids,
        carrier_id=_coded(ID_SYSTEMS, text.provider, text.provider_id),
        sent=text.sent_at,
        received=text.delivered_at,
        not_done=reason,
        error=_coded(ERROR_SYSTEMS, text.provider, text.error_code),
        to=mask(text.number),
        segments=text.segments,
        encoding=text.encoding,
        remarks=tuple(remarks),
        guardian=_is_guardians(fact.patient, text.number, text.created_at),
    )


def _reply(fact: Fact, reply: Reply, links: Links) -> PatientReply:
    understood = UNDERSTOOD.get(reply.intent or "human", UNDERSTOOD["human"])
    remarks = [understood if fact.acted_upon else UNCERTAIN_YES]
    if reply.urgent:
        remarks.append("Marked urgent.")
    if reply.media:
        remarks.append(f"Pictures or files that came with it and are not kept: {reply.media}.")
    return PatientReply(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        body=reply.body,
        received=reply.received_at,
        sent=reply.received_at,  # the webhook comes as the carrier hands the text over
        carrier_id=_coded(ID_SYSTEMS, reply.provider, reply.provider_id),
        in_response_to=(fact.answered.ehr_id or None) if fact.answered else None,
        appointment_ids=links.appointment_ids,
        sender=mask(reply.number),
        remarks=tuple(remarks),
        guardian=_is_guardians(fact.patient, reply.number, reply.heard_at),
    )


def _answer(fact: Fact, reply: Reply, links: Links) -> VisitAnswer:
    return VisitAnswer(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        appointment_id=links.appointment_ids[0],
        status=ANSWERS[reply.intent or ""],
        comment=f"Answered by text message from {mask(reply.number)}.",
    )


def _is_guardians(patient: Patient, number: str, at: datetime) -> bool:
    """Whether who reads there answers for a child; in many records the child's number is the parent's."""
    return number == patient.guardian_number and (number != patient.number or patient.is_minor(at.date()))


def _outcome(text: TextMessage) -> Outcome:
    """A status heard from the provider outweighs our not knowing."""
    if text.unresolved and text.status is DeliveryStatus.QUEUED:
        return Outcome.UNRESOLVED
    return Outcome(text.status.value)


def _part(text: TextMessage, patient_id: int) -> tuple[str | None, bool]:
    """What this patient's chart may show, and whether something had to be withheld (promise 12)."""
    parts = [each.part for each in text.subjects if each.patient_id == patient_id]
    own = [part for part in dict.fromkeys(parts) if part]
    if own:
        return "\n".join(own), False
    shared = any(each.patient_id != patient_id for each in text.subjects)
    return (None, True) if shared else (text.body, False)


def _category(text: TextMessage) -> Category:
    reminds = text.kind is TextKind.REMINDER and text.occasion not in NOTICES
    return Category.REMINDER if reminds else Category.NOTIFICATION


def _coded(systems: dict[str, str], provider: str | None, value: str | None) -> Coded | None:
    if not provider or not value:
        return None
    return Coded(systems.get(provider, f"urn:appointment-texts:provider:{provider}"), value)
