"""Writes texts and replies as FHIR Communication, and confirmations as AppointmentResponse.

What the server can do decides how (its CapabilityStatement). A server that takes
no updates gets one Communication a text, when its outcome is final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.outgoing import BadResource
from integration.adapters.ehr.capabilities import Abilities, Capabilities
from integration.adapters.ehr.exactly_once import ExactlyOnce
from integration.adapters.ehr.fact_to_fhir import ANSWERS, Links, is_final, resource_type, to_fhir
from integration.adapters.ehr.fhir_answers import Missing
from integration.adapters.ehr.linking import Linker
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.ports.ehr import Fact, WriteOutcome


class FhirCommunicationMode:
    """One EHR with a FHIR R4 server that takes Communication."""

    name = "fhir_communication"

    def __init__(
        self,
        client: FhirClient,
        capabilities: Capabilities,
        organization: Callable[[str | None], str],
    ) -> None:
        self._client = client
        self._capabilities = capabilities
        self._organization = organization
        self._linker = Linker(client)

    def describe(self) -> str:
        """One line for the operator."""
        return f"FHIR Communication at {self._client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Create or bring forward the fact in the chart."""
        abilities = self._capabilities.of(resource_type(fact.row.kind))
        if isinstance(abilities, TryLater):
            return abilities
        settled = _settled(fact, abilities)
        if settled is not None:
            return settled
        links = self._links(fact)
        if not isinstance(links, Links):
            return links
        outcome = self._put(fact, links, ExactlyOnce(self._client, abilities))
        if isinstance(outcome, Written):
            return Written(outcome.ehr_id, outcome.version, links.patient_id, links.visits)
        if isinstance(outcome, NotWritable):
            self._capabilities.forget()  # perhaps the server is not what it was
        return outcome

    def _put(
        self, fact: Fact, links: Links, chart: ExactlyOnce
    ) -> Written | LeftOut | NotWritable | TryLater:
        try:
            resource = to_fhir(fact, links)
        except BadResource as error:
            return NotWritable(str(error))
        if fact.row.ehr_id:
            outcome = chart.bring_forward(resource, fact.row.ehr_id, fact.row.ehr_version)
            if not isinstance(outcome, Missing):
                return outcome
        return chart.create(resource, fact.row.reason)

    def _links(self, fact: Fact) -> Links | LeftOut | NoChart | NotWritable | TryLater:
        patient_id = self._patient(fact)
        if not isinstance(patient_id, str):
            return patient_id
        visits = self._visits(fact, patient_id)
        if isinstance(visits, TryLater):
            return visits
        if fact.row.kind is WriteBackKind.CONFIRMATION and not visits:
            return LeftOut("the visit is not on the EHR's FHIR server")
        return Links(patient_id, self._organization(_practice(fact)), visits)

    def _patient(self, fact: Fact) -> str | NoChart | NotWritable | TryLater:
        """The chart, looked at again before anything new goes into it."""
        if fact.row.ehr_id and fact.patient.ehr_id:
            return fact.patient.ehr_id
        return self._linker.patient(fact.patient)

    def _visits(self, fact: Fact, patient_id: str) -> tuple[tuple[int, str], ...] | TryLater:
        """Our id → the EHR's, of the visits that are found."""
        patient_ids = {patient_id, fact.patient.ehr_id or patient_id}  # a merge leaves visits behind
        visits = []
        for appointment in fact.appointments:
            if fact.row.ehr_id and appointment.ehr_id:
                visits.append((appointment.id, appointment.ehr_id))
                continue
            found = self._linker.appointment(appointment, patient_ids)
            if isinstance(found, TryLater):
                return found
            if found is not None:
                visits.append((appointment.id, found))
        return tuple(visits)


def _settled(fact: Fact, abilities: Abilities) -> WriteOutcome | None:
    """What is to be said of a fact for which the server need not be troubled; None when it must be."""
    if fact.row.ehr_id and not abilities.update:
        return Written(fact.row.ehr_id, fact.row.ehr_version)
    if fact.row.kind is WriteBackKind.CONFIRMATION:
        answers = fact.reply is not None and fact.reply.intent in ANSWERS
        if abilities.create and answers:
            return None
        return LeftOut("the EHR takes no AppointmentResponse" if answers else "the reply is no yes or no")
    if not abilities.create:
        return NotWritable("the EHR's CapabilityStatement offers no create of Communication")
    if not abilities.update and not is_final(fact):
        return LeftOut("the EHR takes no updates: written once, when the outcome is final")
    return None


def _practice(fact: Fact) -> str | None:
    """The practice whose text it was."""
    if fact.reply is not None and fact.reply.practice:
        return fact.reply.practice
    if fact.text is not None:
        return fact.text.practice
    return next((each.practice for each in fact.appointments if each.practice), None)


def build(*, client: FhirClient | None, organization: Callable[[str | None], str]) -> FhirCommunicationMode:
    """The mode for one FHIR server; `organization` gives a practice's public name."""
    if client is None:
        raise ValueError("write-back mode fhir_communication needs EHR_FHIR_BASE_URL")
    return FhirCommunicationMode(client, Capabilities(client), organization)
