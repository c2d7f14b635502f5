"""Files one fact as one resource in the right chart: found with certainty, put there once, brought forward.

What a write-back mode for FHIR needs beside the resource itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fhir_mappers.outgoing import BadResource
from integration.adapters.ehr.exactly_once import LOOKS, MAYBE_THERE, ExactlyOnce
from integration.adapters.ehr.fact_to_fhir import Links
from integration.adapters.ehr.fhir_answers import Missing, NoPlace
from integration.adapters.ehr.telling import practice_of
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.adapters.ehr.capabilities import Abilities
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.tools import FhirTools
    from integration.ports.ehr import Fact, NoChart, WriteOutcome


_MOST_NOT_UPDATED: Final = 3


class Filing:
    """One FHIR server's charts."""

    def __init__(self, fhir: FhirTools, organization: Callable[[str | None], str]) -> None:
        self._fhir = fhir
        self._organization = organization
        self._not_updated: set[int] = set()  # whose news the server would not have, in a row

    def file(self, fact: Fact, abilities: Abilities, build: Callable[[Links], Resource]) -> WriteOutcome:
        """Find the fact's chart, build the resource for it, and put it there or bring it forward."""
        links = self.links(fact)
        return self.put(fact, links, abilities, build) if isinstance(links, Links) else links

    def put(
        self, fact: Fact, links: Links, abilities: Abilities, build: Callable[[Links], Resource]
    ) -> WriteOutcome:
        """As `file`, when the chart has been found."""
        try:
            resource = build(links)
        except BadResource as error:
            return NotWritable(str(error))
        outcome = self._put(fact, resource, ExactlyOnce(self._fhir.client, abilities))
        self._heed(resource["resourceType"], fact, outcome)
        if isinstance(outcome, Written):
            return Written(outcome.ehr_id, outcome.version, links.patient_id, links.visits)
        if isinstance(outcome, NotWritable) and not isinstance(outcome, NoPlace):
            self._fhir.capabilities.forget()  # perhaps the server is not what it was
        return outcome

    def links(self, fact: Fact) -> Links | LeftOut | NoChart | NotWritable | TryLater:
        """Where the fact belongs: chart and visits."""
        patient_id = self._patient(fact)
        if not isinstance(patient_id, str):
            return patient_id
        visits = self._visits(fact, patient_id)
        if isinstance(visits, TryLater):
            return visits
        if fact.row.kind is WriteBackKind.CONFIRMATION and not visits:
            return LeftOut("the visit is not on the EHR's FHIR server")
        return Links(patient_id, self._organization(practice_of(fact)), visits)

    def _put(
        self, fact: Fact, resource: Resource, chart: ExactlyOnce
    ) -> Written | LeftOut | NotWritable | TryLater:
        row = fact.row
        if row.ehr_id:
            outcome = chart.bring_forward(resource, row.ehr_id, row.ehr_version)
            if not isinstance(outcome, Missing):
                return outcome
        elif row.is_in_chart:
            return chart.bring_forward_unnamed(resource)
        # An earlier try may have stored it: one that was doubtful, or whose worker died.
        may_be_there = row.ehr_id is None and (row.mode is not None or row.unsettled)
        doubt = MAYBE_THERE if may_be_there else None
        return chart.create(resource, row.reason if row.reason in LOOKS else doubt)

    def _heed(self, resource_type: str, fact: Fact, outcome: WriteOutcome | Missing) -> None:
        """Of several patients in a row whose news it will not have, conclude that it takes no updates."""
        if not isinstance(outcome, NoPlace) or outcome.resource_type:  # that was a create
            if isinstance(outcome, Written) and fact.row.ehr_id:
                self._not_updated.clear()
            return
        self._not_updated.add(fact.row.patient_id)
        if len(self._not_updated) >= _MOST_NOT_UPDATED:
            self._not_updated.clear()
            self._fhir.capabilities.deny(resource_type, "update")

    def _patient(self, fact: Fact) -> str | NoChart | NotWritable | TryLater:
        """The chart, looked at again before anything new goes into it."""
        if fact.row.ehr_id and fact.patient.ehr_id:
            return fact.patient.ehr_id
        return self._fhir.linker.patient(fact.patient)

    def _visits(self, fact: Fact, patient_id: str) -> tuple[tuple[int, str], ...] | TryLater:
        """Our id → the EHR's, of the visits that are found."""
        patient_ids = {patient_id, fact.patient.ehr_id or patient_id}  # a merge leaves visits behind
        visits = []
        for appointment in fact.appointments:
            if fact.row.ehr_id and appointment.ehr_id:
                visits.append((appointment.id, appointment.ehr_id))
                continue
            found = self._fhir.linker.appointment(appointment, patient_ids)
            if isinstance(found, TryLater):
                return found
            if found is not None:
                visits.append((appointment.id, found))
        return tuple(visits)
