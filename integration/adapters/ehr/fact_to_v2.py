"""Our facts in HL7 v2's terms: the patient and the visit as the EHR's own messages named them, and documents.

A text is one original document, told when the text is handed over or definitively refused, whose words never
change after; what became of the text later, and what the patient replies, are addenda to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fhir_mappers.document_to_mdm import Document
from fhir_mappers.v2_building import Correspondents, NumberOf, PatientFacts, VisitFacts, number
from integration.adapters.ehr.plain_words import news_lines, reply_lines, skipped_lines, text_lines
from integration.adapters.ehr.telling import identifier_of_answered, own_identifier
from integration.domain.delivery_status import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact
    from integration.settings.model import Hl7Partner

# Who stands in for a patient without identifiers, and whose identifiers HL7 v2 does not know
_BY_THE_VISIT: Final = re.compile(r"[A-Za-z0-9]+[-.][A-Za-z0-9]+\|.*#\d+", re.DOTALL)
_SERVERS_OWN: Final = "Patient.id"

# What an original said of a text, and what addenda said of it since: kept as the version of the document.
SENT: Final = "sent"
REFUSED: Final = "refused"
UNRESOLVED: Final = "unresolved"
NO_RECEIPT: Final = "no-receipt"


def correspondents(partner: Hl7Partner) -> Correspondents:
    """Us and the EHR."""
    return Correspondents(
        version=partner.version,
        sending_application=partner.sending_application,
        sending_facility=partner.sending_facility,
        receiving_application=partner.receiving_application,
        receiving_facility=partner.receiving_facility,
        processing_id=partner.processing_id,
    )


def patient_facts(patient: Patient) -> PatientFacts | None:
    """The patient as the EHR's HL7 v2 messages name it; None when none of its identifiers is of HL7 v2."""
    identifiers = _identifiers(patient)
    if not identifiers:
        return None
    gender = patient.resource.get("gender")
    return PatientFacts(
        identifiers=identifiers,
        family=patient.family,
        given=patient.given,
        birth_date=patient.birth_date,
        gender=gender if isinstance(gender, str) else None,
    )


def visit_facts(appointments: Sequence[Appointment]) -> VisitFacts:
    """The foremost visit with a number (PV1-19); nothing when none has one."""
    for appointment in appointments:
        known = appointment_number(appointment, "PV1-19")
        if known is not None:
            return VisitFacts(NumberOf(known.value, known.authority, "VN"), _location(appointment))
    return VisitFacts()


def appointment_number(appointment: Appointment, path: str) -> NumberOf | None:
    """By what HL7 v2 knows the appointment at SCH-1, SCH-2 or PV1-19, rather with its authority."""
    found = None
    for key in appointment.identifiers:
        where, authority, rest = key.split("|", 2) if key.count("|") > 1 else (key, "", "")
        if where == path:
            value = rest.rpartition("|")[0]
            if authority and value:
                return NumberOf(value, authority)
            found = found or (NumberOf(value) if value else None)
    return found


def occurrence_of(appointment: Appointment) -> str:
    """Which one of a series it is (SCH-3), '' if none."""
    keys = (key for key in appointment.identifiers if key.startswith("SCH-"))
    return next(filter(None, (key.rpartition("|")[2] for key in keys)), "")


def original_of_text(
    fact: Fact, text: TextMessage, patient: PatientFacts, partner: Hl7Partner, organization: str
) -> tuple[Document, str]:
    """The original, and what it says of the text; of one that was handed over it never says anything else."""
    told = _told_first(text)
    document = Document(
        number=number(own_identifier(fact)),
        parent=None,
        type=partner.document_type,
        author=partner.author,
        happened_at=text.created_at,
        begun_at=text.created_at,
        lines=text_lines(fact, text, organization, sent=told == SENT),
        patient=patient,
        visit=visit_facts(fact.appointments),
    )
    return document, told


def news_of_text(text: TextMessage, told: str) -> str | None:
    """What is to be told after what was told last; None when that is still the newest."""
    news: str | None = None
    if text.status is DeliveryStatus.SENT and text.final_at is not None:
        news = NO_RECEIPT
    elif text.status.is_final and not (text.status is DeliveryStatus.FAILED and told == REFUSED):
        news = text.status.value
    return news if news != told else None


def addendum_of_text(
    fact: Fact, text: TextMessage, patient: PatientFacts, partner: Hl7Partner, news: str
) -> Document:
    """What became of the text."""
    own = own_identifier(fact)
    return Document(
        number=number(f"{own} {news}"),
        parent=number(own),
        type=partner.document_type,
        author=partner.author,
        happened_at=_moment_of_news(text),
        begun_at=text.created_at,
        lines=news_lines(fact, text),
        patient=patient,
        visit=visit_facts(fact.appointments),
    )


def document_of_reply(
    fact: Fact, reply: Reply, patient: PatientFacts, partner: Hl7Partner, organization: str
) -> Document:
    """The reply: an addendum to the text it answers when the chart has that, else an original of its own."""
    answered = identifier_of_answered(fact)
    parent = number(answered) if answered else None
    is_there = fact.answered is not None and fact.answered.ehr_id == parent
    return Document(
        number=number(own_identifier(fact)),
        parent=parent if is_there else None,
        type=partner.document_type,
        author=partner.author,
        happened_at=reply.received_at,
        begun_at=reply.received_at,
        lines=reply_lines(fact, reply, organization),
        patient=patient,
        visit=visit_facts(fact.appointments),
    )


def document_of_skipped(
    fact: Fact, reminder: Reminder, patient: PatientFacts, partner: Hl7Partner
) -> Document:
    """A reminder that became no text: an original of its own."""
    at = reminder.decided_at or reminder.due_at
    return Document(
        number=number(own_identifier(fact)),
        parent=None,
        type=partner.document_type,
        author=partner.author,
        happened_at=at,
        begun_at=at,
        lines=skipped_lines(fact, reminder),
        patient=patient,
        visit=visit_facts(fact.appointments),
    )


def _told_first(text: TextMessage) -> str:
    handed_over = text.accepted_at or text.sent_at or text.provider_id
    if text.status is DeliveryStatus.FAILED and not handed_over:
        return REFUSED
    return UNRESOLVED if text.status is DeliveryStatus.QUEUED else SENT


def _moment_of_news(text: TextMessage) -> datetime:
    heard = text.delivered_at if text.status is DeliveryStatus.DELIVERED else None
    return heard or text.final_at or text.sent_at or text.created_at


def _identifiers(patient: Patient) -> tuple[NumberOf, ...]:
    """Those of its present record, as authority and type were written; each number once."""
    in_record = {
        each["value"]
        for each in patient.resource.get("identifier") or ()
        if isinstance(each, dict) and "value" in each
    }
    found: dict[tuple[str, str], NumberOf] = {}
    for key in patient.identifiers:
        if key in patient.gone or key.count("|") < 2:  # noqa: PLR2004 - authority, type, value
            continue
        authority, kind, value = key.split("|", 2)
        stand_in = not authority and not kind and _BY_THE_VISIT.fullmatch(value)
        if not value or stand_in or authority == _SERVERS_OWN or ":" in authority:  # a system's URI
            continue
        if not in_record or value in in_record:
            found.setdefault((authority, value), NumberOf(value, authority, kind))
    return tuple(found.values())


def _location(appointment: Appointment) -> str:
    """The code of its place, as the EHR's messages had it (PV1-3.1)."""
    for participant in appointment.resource.get("participant") or ():
        actor = participant.get("actor") or {}
        if actor.get("type") == "Location":
            value = (actor.get("identifier") or {}).get("value")
            if isinstance(value, str):
                return value
    return ""
