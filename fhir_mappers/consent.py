"""A patient's wish for texts, or for none, as FHIR R4 Consent (`reference/standards.md` 4.3).

A STOP is a Consent that denies, a START one that permits. Each stays as it was said; the later one of a
number takes back the earlier, which is inactive from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fhir.resources.R4B.consent import Consent

from fhir_mappers.communication import GUARDIAN, MEDIUM_SYSTEM
from fhir_mappers.outgoing import (
    MESSAGE_SYSTEM,
    Resource,
    checked,
    concept,
    date_time,
    identifier,
    organization,
    reference,
    without_gaps,
)

if TYPE_CHECKING:
    from datetime import datetime

SCOPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/consentscope"
POLICY_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LOINC = "http://loinc.org"
CONSENT_DOCUMENT = "59284-0"  # LOINC; of the value set consent-category the one that narrows nothing


class ConsentState(StrEnum):
    """Consent.status, as far as we say one (required binding consent-state-codes)."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # a later wish took it back


class Provision(StrEnum):
    """Consent.provision.type (required binding consent-provision-type)."""

    DENY = "deny"
    PERMIT = "permit"


# What the wish is → the policy it follows (ppc-1 wants one): v3-ActCode
POLICIES = {Provision.DENY: "OPTOUT", Provision.PERMIT: "OPTIN"}


class Sayer(StrEnum):
    """Who is known to have said it."""

    PATIENT = "patient"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said of texts to one number, for one patient's chart."""

    identifier: str  # ours, unique over all stores
    patient_id: str  # the ids are those of the EHR's FHIR server
    organization: str  # the practice's public name
    provision: Provision
    said_at: datetime
    state: ConsentState = ConsentState.ACTIVE
    number: str = ""  # masked: …1234
    said_by: Sayer | None = None  # None: a number that several patients share
    communication_id: str | None = None  # of the reply that said so


def consent(wish: Wish) -> Resource:
    """The Consent; raises `BadResource`."""
    number = f" to {wish.number}" if wish.number else ""
    return checked(
        Consent,
        without_gaps(
            resourceType="Consent",
            identifier=[identifier(MESSAGE_SYSTEM, wish.identifier)],
            status=wish.state,
            scope=concept(SCOPE_SYSTEM, "patient-privacy"),
            category=[concept(LOINC, CONSENT_DOCUMENT)],
            patient=reference("Patient", wish.patient_id),
            dateTime=date_time(wish.said_at),
            performer=_performer(wish),
            organization=[organization(wish.organization)] if wish.organization else None,
            sourceAttachment=_source(wish),
            policyRule=concept(POLICY_SYSTEM, POLICIES[wish.provision]),
            provision={
                "type": wish.provision,
                "period": {"start": date_time(wish.said_at)},
                "code": [concept(MEDIUM_SYSTEM, "SMSWRIT") | {"text": f"Text messages (SMS){number}"}],
            },
        ),
    )


def _performer(wish: Wish) -> list[Resource]:
    if wish.said_by is None:
        return []
    return [GUARDIAN if wish.said_by is Sayer.GUARDIAN else reference("Patient", wish.patient_id)]


def _source(wish: Wish) -> Resource:
    """Where the words are. R4's `sourceReference` may name no Communication; an attachment may."""
    if wish.communication_id is None:
        return {}
    return {
        "contentType": "application/fhir+json",
        "url": f"Communication/{wish.communication_id}",
        "title": "The text message that said so",
        "creation": date_time(wish.said_at),
    }
