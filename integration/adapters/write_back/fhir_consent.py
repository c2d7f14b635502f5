"""Writes STOP and START as FHIR Consent: one for each, of which the newest of a number is active.

So is a stop that no reply said: the carrier's, or a list's.

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
    from collections.abc import Callable

    from integration.adapters.ehr.fact_to_fhir import Links
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.domain.consent import Suppression
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
        build = _wish_of(fact)
        if build is None:
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
        return self._filing.file(fact, abilities, lambda links: consent(build(links)))


def _wish_of(fact: Fact) -> Callable[[Links], Wish] | None:
    """What is said of texts; None when nothing is."""
    reply, stop = fact.reply, fact.stop
    if stop is not None:
        return lambda links: _stop(fact, stop, links)
    if reply is None or reply.wants_texts is None:
        return None
    provision = Provision.PERMIT if reply.wants_texts else Provision.DENY
    return lambda links: _wish(fact, reply, provision, links)


def _stop(fact: Fact, stop: Suppression, links: Links) -> Wish:
    """What the carrier or a list says of the number: who said it is not known."""
    return Wish(
        identifier=own_identifier(fact),
        patient_id=links.patient_id,
        organization=links.organization,
        provision=Provision.DENY,
        said_at=stop.since,
        state=ConsentState.ACTIVE if fact.in_force else ConsentState.INACTIVE,
        number=mask(stop.number),
    )


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
