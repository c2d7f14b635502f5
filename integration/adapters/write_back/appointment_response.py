"""Writes a patient's yes or no as FHIR AppointmentResponse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.adapters.ehr.fact_to_fhir import ANSWERS, to_fhir
from integration.adapters.ehr.filing import Filing
from integration.ports.ehr import LeftOut, TryLater, Written

if TYPE_CHECKING:
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
        if fact.row.ehr_id and not abilities.update:
            return Written(fact.row.ehr_id, fact.row.ehr_version)
        if fact.reply is None or fact.reply.intent not in ANSWERS:
            return LeftOut("the reply is no yes or no")
        if not abilities.create and not fact.row.ehr_id:
            return LeftOut("the EHR takes no AppointmentResponse")
        return self._filing.file(fact, abilities, lambda links: to_fhir(fact, links))


def build(tools: Tools) -> AppointmentResponseMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode appointment_response needs EHR_FHIR_BASE_URL")
    return AppointmentResponseMode(tools.fhir, Filing(tools.fhir, tools.organization))
