"""Writes STOP and START as FHIR Consent: one for each, of which the newest of a number is active.

Our own ledger of opt-outs decides who is texted; this is its mirror in the chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.consent import ConsentState, Provision, Sayer, Wish, consent
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.staff_work import communication_of
from integration.adapters.ehr.telling import is_guardians, own_identifier
from integration.domain.phone_number import mask
from integration.ports.ehr import LeftOut, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.fact_to_fhir import Links
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.domain.conversation import Reply
    from integration.ports.ehr import Fact, WriteOutcome


class FhirConsentMode:
    """One EHR with a FHIR R4 server that takes Consent."""

    name = "fhir_consent"

    def __init__(self, fhir: FhirTools, filing: Filing) -> None:
        self._fhir = fhir
        self._filing = filing

    def describe(self) -> str:
        """One line for the operator."""
        return f"FHIR Consent at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Create the Consent, or bring it forward."""
        reply = fact.reply
        wants_texts = None if reply is None else reply.wants_texts
        if reply is None or wants_texts is None:
            return LeftOut("the reply is no STOP and no START")
        abilities = self._fhir.capabilities.of("Consent")
        if isinstance(abilities, TryLater):
            return abilities
        if fact.row.is_in_chart and not abilities.update:
            return Written(fact.row.ehr_id or "", fact.row.ehr_version)
        if not abilities.create and not fact.row.is_in_chart:
            return LeftOut("the EHR takes no Consent: our own ledger holds")
        if not abilities.update and not fact.in_force:
            return LeftOut("it was taken back before the EHR heard of it")
        provision = Provision.PERMIT if wants_texts else Provision.DENY
        return self._filing.file(fact, abilities, lambda links: consent(_wish(fact, reply, provision, links)))


def _wish(fact: Fact, reply: Reply, provision: Provision, links: Links) -> Wish:
    return Wish(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        provision=provision,
        said_at=reply.received_at,
        state=ConsentState.ACTIVE if fact.in_force else ConsentState.INACTIVE,
        number=mask(reply.number),
        said_by=_sayer(fact, reply),
        communication_id=communication_of(fact),
    )


def _sayer(fact: Fact, reply: Reply) -> Sayer | None:
    """Who said it, where one patient alone may have: else it is the number that is known."""
    if is_guardians(fact.patient, reply.number, reply.heard_at):
        return Sayer.GUARDIAN
    return Sayer.PATIENT if reply.patient_id == fact.row.patient_id else None


def build(tools: Tools) -> FhirConsentMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode fhir_consent needs EHR_FHIR_BASE_URL")
    return FhirConsentMode(tools.fhir, Filing(tools.fhir, tools.organization))
