"""Files texts and replies as documents over the EHR's MLLP port: MDM^T02, and MDM^T06 for what came after.

A document's number and its MSH-10 are made of what it tells, so whatever is sent again is the same message:
the partner knows it. The original of a text is told before its addenda, one message at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fhir_mappers.document_to_mdm import document_to_mdm
from integration.adapters.ehr.fact_to_v2 import (
    addendum_of_text,
    correspondents,
    document_of_reply,
    document_of_skipped,
    news_of_text,
    original_of_text,
    patient_facts,
)
from integration.adapters.ehr.hl7_outcomes import not_taken
from integration.adapters.ehr.telling import practice_of
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhir_mappers.document_to_mdm import Document
    from fhir_mappers.v2_building import PatientFacts
    from integration.adapters.ehr.tools import Tools
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.hl7 import Hl7Sender
    from integration.settings.model import Hl7Partner

NO_IDENTIFIER: Final = "none of the patient's identifiers is one that the EHR's HL7 v2 messages use"
_ORIGINAL_FILED: Final = "the original is filed, the addendum not yet: "


class Hl7MdmMode:
    """One EHR that takes documents."""

    name = "hl7_mdm"

    def __init__(
        self, sender: Hl7Sender, partner: Hl7Partner, organization: Callable[[str | None], str]
    ) -> None:
        self._sender = sender
        self._partner = partner
        self._organization = organization

    def describe(self) -> str:
        """One line for the operator."""
        return f"HL7 MDM documents to {self._partner.host}:{self._partner.port}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Tell the documents of the fact that the EHR has not been told."""
        if fact.row.kind not in {WriteBackKind.TEXT, WriteBackKind.REPLY, WriteBackKind.SKIPPED}:
            return LeftOut("documents tell of texts, replies and reminders that became no text")
        patient = patient_facts(fact.patient)
        if patient is None:
            return NoChart(NO_IDENTIFIER)
        if fact.row.kind is WriteBackKind.TEXT:
            return self._text(fact, patient)
        document = self._what_never_changes(fact, patient)
        trouble = self._tell(document) if fact.row.ehr_id != document.number else None
        return trouble or Written(document.number)

    def _what_never_changes(self, fact: Fact, patient: PatientFacts) -> Document:
        """A reply, or a reminder that became no text."""
        if fact.row.kind is WriteBackKind.SKIPPED and fact.reminder is not None:
            return document_of_skipped(fact, fact.reminder, patient, self._partner)
        if fact.reply is None:
            raise ValueError(f"a fact of kind {fact.row.kind} lacks what it speaks of")
        organization = self._organization(practice_of(fact))
        return document_of_reply(fact, fact.reply, patient, self._partner, organization)

    def _text(self, fact: Fact, patient: PatientFacts) -> WriteOutcome:
        text = fact.text
        if text is None:
            raise ValueError("a fact of kind text lacks its text")
        if text.status is DeliveryStatus.QUEUED and not text.unresolved:
            return LeftOut("the text is not handed over yet")
        organization = self._organization(practice_of(fact))
        original, told = original_of_text(fact, text, patient, self._partner, organization)
        if fact.row.ehr_id == original.number:
            told = fact.row.ehr_version or told
        elif not (fact.row.reason or "").startswith(_ORIGINAL_FILED):
            trouble = self._tell(original)
            if trouble is not None:
                return trouble
        return self._news(fact, text, patient, original.number, told)

    def _news(
        self, fact: Fact, text: TextMessage, patient: PatientFacts, original: str, told: str
    ) -> WriteOutcome:
        news = news_of_text(text, told)
        if news is None:
            return Written(original, told)
        trouble = self._tell(addendum_of_text(fact, text, patient, self._partner, news))
        if trouble is not None and fact.row.ehr_id != original:
            # The chart holds a part of it: it stays with this mode.
            return replace(trouble, reason=_ORIGINAL_FILED + trouble.reason, doubtful=True)
        return trouble or Written(original, news)

    def _tell(self, document: Document) -> NotWritable | TryLater | None:
        """None when the EHR has it."""
        message = document_to_mdm(document, correspondents(self._partner))
        return not_taken(self._sender.send(message))


def build(tools: Tools) -> Hl7MdmMode:
    """The mode; raises ValueError without `[write_back.hl7]`."""
    if tools.partner is None or tools.settings.hl7 is None:
        raise ValueError("write-back mode hl7_mdm needs [write_back.hl7]")
    return Hl7MdmMode(tools.partner, tools.settings.hl7, tools.organization)
