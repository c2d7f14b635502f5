"""Writes a patient's yes or no as FHIR AppointmentResponse: one for each visit that was answered about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.adapters.ehr.fact_to_fhir import ANSWERS, Links, to_fhir
from integration.adapters.ehr.filing import Filing
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Abilities
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.ports.ehr import Fact, WriteOutcome


class AppointmentResponseMode:
    """One EHR with a FHIR R4 server that takes AppointmentResponse."""

    name = "appointment_response"

    def __init__(self, fhir: FhirTools, filing: Filing) -> None:
        self._fhir = fhir
        self._filing = filing

    def describe(self) -> str:
        """One line for the operator."""
        return f"FHIR AppointmentResponse at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Create or bring forward the answer."""
        abilities = self._fhir.capabilities.of("AppointmentResponse")
        if isinstance(abilities, TryLater):
            return abilities
        if fact.row.is_in_chart and not abilities.update:
            return Written(fact.row.ehr_id or "", fact.row.ehr_version)
        if fact.reply is None or fact.reply.intent not in ANSWERS:
            return LeftOut("the reply is no yes or no")
        if not abilities.create and not fact.row.is_in_chart:
            return LeftOut("the EHR takes no AppointmentResponse")
        links = self._filing.links(fact)
        return self._answer_each(fact, links, abilities) if isinstance(links, Links) else links

    def _answer_each(self, fact: Fact, links: Links, abilities: Abilities) -> WriteOutcome:
        """The foremost visit first: its response is the one that the row knows."""
        first, *others = (replace(links, visits=(visit,)) for visit in links.visits)
        outcome = self._filing.put(fact, first, abilities, lambda links: _response(fact, links))
        unnoted = replace(fact, row=replace(fact.row, ehr_id=None, ehr_version=None))  # its id is the first's
        if not isinstance(outcome, Written):
            return outcome
        for other in others:
            also = self._filing.put(unnoted, other, abilities, lambda links: _response(fact, links))
            if isinstance(also, TryLater):
                return replace(also, doubtful=True)  # the first is there: it is looked for next time
            if isinstance(also, NotWritable):  # no other way then, which would tell the first again
                return NotWritable(also.reason, doubtful=True, words=also.words)
        return replace(outcome, appointment_ids=links.visits)


def _response(fact: Fact, links: Links) -> Resource:
    """The answer about one visit; about all but the foremost, its id makes our identifier another."""
    response = to_fhir(fact, links)
    ((visit_id, _),) = links.visits
    if visit_id != fact.appointments[0].id:
        (ours,) = response["identifier"]
        response["identifier"] = [{**ours, "value": f"{ours['value']}-{visit_id}"}]
    return response


def build(tools: Tools) -> AppointmentResponseMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode appointment_response needs EHR_FHIR_BASE_URL")
    return AppointmentResponseMode(tools.fhir, Filing(tools.fhir, tools.organization))
