"""Writes texts and replies as FHIR Communication.

What the server can do decides how (its CapabilityStatement). A server that takes
no updates gets one Communication a text, when its outcome is final; so does one
whose settings say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.adapters.ehr.canvas import as_message
from integration.adapters.ehr.fact_to_fhir import is_final, to_fhir
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Abilities
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.ports.ehr import Fact, WriteOutcome


class FhirCommunicationMode:
    """One EHR with a FHIR R4 server that takes Communication."""

    name = "fhir_communication"

    def __init__(
        self, fhir: FhirTools, filing: Filing, *, once: bool = False, practitioner: str | None = None
    ) -> None:
        self._fhir = fhir
        self._practitioner = practitioner
        self._filing = filing
        self._once = once

    def describe(self) -> str:
        """One line for the operator."""
        when = ", once, when the outcome is final" if self._once else ""
        return f"FHIR Communication at {self._fhir.client.base_url}{when}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Create or bring forward the fact in the chart."""
        server = self._fhir.capabilities.server()
        if isinstance(server, TryLater):
            return server
        abilities = server.of("Communication")
        settled = _settled(fact, abilities, once=self._once)
        if settled is not None:
            return settled
        if vendor_of(server) is Vendor.CANVAS and self._practitioner is not None:
            return self._on_canvas(fact, abilities, self._practitioner)
        return self._filing.file(fact, abilities, lambda links: to_fhir(fact, links))

    def _on_canvas(self, fact: Fact, abilities: Abilities, practitioner: str) -> WriteOutcome:
        if fact.reminder is not None:
            return LeftOut("Canvas would show the patient a text that was never sent")
        return self._filing.file(
            fact, abilities, lambda links: as_message(to_fhir(fact, links), practitioner)
        )


def _settled(fact: Fact, abilities: Abilities, *, once: bool) -> WriteOutcome | None:
    """What is to be said of a fact for which the server need not be troubled; None when it must be."""
    once = once or not abilities.update
    if fact.row.is_in_chart and once:
        return Written(fact.row.ehr_id or "", fact.row.ehr_version)
    if not abilities.create and fact.row.mode is None and not fact.row.is_in_chart:
        return NotWritable("the EHR's CapabilityStatement offers no create of Communication")
    if once and not is_final(fact):
        return LeftOut("the EHR takes no updates: written once, when the outcome is final")
    return None


def build(tools: Tools) -> FhirCommunicationMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode fhir_communication needs EHR_FHIR_BASE_URL")
    return FhirCommunicationMode(
        tools.fhir,
        Filing(tools.fhir, tools.organization),
        once=tools.settings.texts == "communication_once",
        practitioner=tools.settings.staff_sender,
    )
