"""Tells the EHR's schedule over its MLLP port that a patient has confirmed: SRM^S03, or SIU^S14 by agreement.

A no changes nothing there (promise 7): the reply is in the chart, and staff have their task. A request to
cancel (SRM^S04) is never sent. These messages know a visit as confirmed or not, so one of several patients is
told of once all of them have said yes (decision 0045).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fhir_mappers.answer_to_srm import VisitConfirmed, answer_to_siu, answer_to_srm
from fhir_mappers.v2_building import number
from integration.adapters.ehr.fact_to_v2 import (
    appointment_number,
    correspondents,
    occurrence_of,
    patient_facts,
    visit_facts,
)
from integration.adapters.ehr.hl7_outcomes import not_taken
from integration.adapters.ehr.plain_words import local_time, masked
from integration.adapters.ehr.telling import own_identifier
from integration.domain.reply_intent import Intent
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhir_mappers.v2_building import Correspondents, PatientFacts
    from integration.adapters.ehr.tools import Tools
    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Reply
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.hl7 import Hl7Sender
    from integration.settings.model import Hl7Partner

# The setting `answers` → the message
_MESSAGES: Final[dict[str, Callable[[VisitConfirmed, Correspondents], bytes]]] = {
    "srm": answer_to_srm,
    "siu": answer_to_siu,
}
_NAMES: Final = {"srm": "SRM^S03", "siu": "SIU^S14"}
_NO_NUMBER: Final = "the visit has no identifier that the EHR's HL7 v2 messages use"
_NOT_BY_ALL: Final = "the visit has other patients, who have not confirmed it"


class Hl7AnswerMode:
    """One EHR whose schedule takes a patient's yes."""

    name = "hl7_answer"

    def __init__(self, sender: Hl7Sender, partner: Hl7Partner, message: str) -> None:
        self._sender = sender
        self._partner = partner
        self._message = message

    def describe(self) -> str:
        """One line for the operator."""
        return f"HL7 {_NAMES[self._message]} to {self._partner.host}:{self._partner.port} for a patient's yes"

    def write(self, fact: Fact) -> WriteOutcome:
        """Tell each visit that was confirmed."""
        reply = fact.reply
        if fact.row.kind is not WriteBackKind.CONFIRMATION or reply is None:
            return LeftOut("the schedule is told of a patient's yes alone")
        if reply.intent != Intent.CONFIRM:
            return LeftOut("a no is left to staff: it changes nothing on the EHR's schedule")
        patient = patient_facts(fact.patient)
        if patient is None:
            return NoChart("none of the patient's identifiers is one that the EHR's HL7 v2 messages use")
        visits = [visit for visit in fact.appointments if visit.confirmed or len(visit.patients) == 1]
        answers = [self._answer(fact, reply, patient, visit) for visit in visits]
        known = [each for each in answers if each.placer or each.filler or each.visit.number]
        if not known:
            return LeftOut(_NO_NUMBER if len(visits) == len(fact.appointments) else _NOT_BY_ALL)
        for each in known:
            if fact.row.ehr_id == known[0].number:
                break  # all of them are told
            message = _MESSAGES[self._message](each, correspondents(self._partner))
            trouble = not_taken(self._sender.send(message))
            if trouble is not None:
                return trouble
        return Written(known[0].number)

    def _answer(self, fact: Fact, reply: Reply, patient: PatientFacts, visit: Appointment) -> VisitConfirmed:
        return VisitConfirmed(
            number=number(f"{own_identifier(fact)} {visit.id}"),
            placer=appointment_number(visit, "SCH-1"),
            filler=appointment_number(visit, "SCH-2"),
            occurrence=occurrence_of(visit),
            start=visit.slot.start,
            answered_at=reply.received_at,
            note=_note(reply, visit),
            patient=patient,
            visit=visit_facts((visit,)),
        )


def _note(reply: Reply, visit: Appointment) -> str:
    """Which time was confirmed: the EHR may know of another by now."""
    start = visit.slot.start
    of = f", for {local_time(start, visit.zone)}" if start else ""
    return f"Confirmed by text message from {masked(reply.number)}{of}."


def build(tools: Tools) -> Hl7AnswerMode:
    """The mode; raises ValueError without `[write_back.hl7]`, or when `answers` names neither message."""
    if tools.partner is None or tools.settings.hl7 is None:
        raise ValueError("write-back mode hl7_answer needs [write_back.hl7]")
    if tools.settings.answers not in _MESSAGES:
        raise ValueError('write-back mode hl7_answer needs answers = "srm" or "siu" in [write_back]')
    return Hl7AnswerMode(tools.partner, tools.settings.hl7, tools.settings.answers)
