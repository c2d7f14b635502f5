"""Files texts and replies as notes: FHIR DocumentReference.

Where the server takes updates, a note is preliminary until the outcome of its text is final. Elsewhere it is
written once, when the outcome is final; so it is with Epic, where a preliminary note waits for a signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.document import Note, NoteType, document
from integration.adapters.ehr.encounters import encounter_of
from integration.adapters.ehr.fact_to_fhir import Links
from integration.adapters.ehr.fhir_answers import NoEncounter
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.plain_words import masked, news_lines, reply_lines, text_lines
from integration.adapters.ehr.telling import is_final, not_sent, own_identifier
from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Abilities
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.settings.model import Documents

# Take a note, its type, its patient and its encounter, and refuse or drop what else could be said
_TERSE = frozenset({Vendor.EPIC, Vendor.ORACLE})


class FhirDocumentMode:
    """One EHR with a FHIR R4 server that takes DocumentReference."""

    name = "fhir_document"

    def __init__(self, fhir: FhirTools, filing: Filing, settings: Documents) -> None:
        self._fhir = fhir
        self._filing = filing
        self._settings = settings

    def describe(self) -> str:
        """One line for the operator."""
        return f"FHIR DocumentReference at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Create the note, or bring it forward."""
        server = self._fhir.capabilities.server()
        if isinstance(server, TryLater):
            return server
        abilities = server.of("DocumentReference")
        vendor = vendor_of(server)
        # Oracle takes no update without an author.
        unsigned = vendor is Vendor.ORACLE and self._settings.author is None
        once = vendor is Vendor.EPIC or unsigned or not abilities.update
        settled = _settled(fact, abilities, once=once)
        if settled is not None:
            return settled
        links = self._filing.links(fact)
        if not isinstance(links, Links):
            return links
        encounter = self._encounter(fact, links)
        if isinstance(encounter, TryLater | NoEncounter):
            return encounter
        return self._filing.put(
            fact, links, abilities, lambda links: self._note(fact, links, encounter, terse=vendor in _TERSE)
        )

    def _encounter(self, fact: Fact, links: Links) -> str | TryLater | NoEncounter | None:
        """Looked for only where the EHR takes nothing without."""
        if not self._settings.encounter:
            return None
        theirs = dict(links.visits)
        visits = [(visit, theirs.get(visit.id, visit.ehr_id)) for visit in fact.appointments]
        found = encounter_of(self._fhir.client, links.patient_id, visits)
        return found or NoEncounter("the EHR takes a note only for an encounter, and the visit has none yet")

    def _note(self, fact: Fact, links: Links, encounter_id: str | None, *, terse: bool) -> Resource:
        settings = self._settings
        answered = fact.answered
        appends = answered.ehr_id if answered is not None and answered.mode == self.name else None
        happened = fact.reply.received_at if fact.reply is not None else None
        if fact.reminder is not None:
            happened = fact.reminder.decided_at or fact.reminder.due_at
        if happened is None and fact.text is not None:
            happened = fact.text.sent_at or fact.text.created_at
        if happened is None:
            raise ValueError(f"a fact of kind {fact.row.kind} lacks what it speaks of")
        is_reply = fact.row.kind is WriteBackKind.REPLY
        return document(
            Note(
                identifier=own_identifier(fact),
                patient_id=links.patient_id,
                organization="" if terse else links.organization,
                type=NoteType(settings.type_system, settings.type_code, settings.type_display),
                title="Text message from the patient" if is_reply else "Text message to the patient",
                lines=_lines(fact, links),
                happened=happened,
                is_final=is_final(fact),
                author=settings.author,
                encounter_id=encounter_id,
                appointment_ids=() if terse else links.appointment_ids,
                appends=None if terse else appends or None,
            )
        )


def _settled(fact: Fact, abilities: Abilities, *, once: bool) -> WriteOutcome | None:
    """What is to be said of a fact for which the server need not be troubled; None when it must be."""
    if fact.row.is_in_chart and once:
        return Written(fact.row.ehr_id or "", fact.row.ehr_version)
    if not abilities.create and fact.row.mode is None and not fact.row.is_in_chart:
        return NotWritable("the EHR's CapabilityStatement offers no create of DocumentReference")
    if once and not is_final(fact):
        return LeftOut("the EHR takes no updates: written once, when the outcome is final")
    return None


def _lines(fact: Fact, links: Links) -> tuple[str, ...]:
    if fact.row.kind is WriteBackKind.REPLY and fact.reply is not None:
        return reply_lines(fact, fact.reply, links.organization)
    if fact.reminder is not None:
        return (f"Text message to {masked(fact.reminder.number)}:", not_sent(fact.reminder))
    if fact.text is None:
        raise ValueError(f"a fact of kind {fact.row.kind} lacks what it speaks of")
    _, *news = news_lines(fact, fact.text)
    outcome = news if is_final(fact) else ["What became of it is not known yet."]
    return (*text_lines(fact, fact.text, links.organization, sent=True), *outcome)


def build(tools: Tools) -> FhirDocumentMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode fhir_document needs EHR_FHIR_BASE_URL")
    return FhirDocumentMode(tools.fhir, Filing(tools.fhir, tools.organization), tools.settings.document)
