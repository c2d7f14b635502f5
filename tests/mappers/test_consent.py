"""What a chart shows of a STOP and of a START."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent

from fhir_mappers.consent import ConsentState, Provision, Sayer, Wish, consent

SAID_AT = datetime(2027, 3, 1, 14, 5, tzinfo=UTC)
STOP = Wish(
    "consent-3-4-1",
    "ana",
    "Riverside Clinic",
    Provision.DENY,
    SAID_AT,
    number="…0123",
    said_by=Sayer.PATIENT,
    communication_id="c-9",
)


def built(**changes: Any) -> dict[str, Any]:
    return consent(replace(STOP, **changes))


def test_a_stop_denies_texts_to_a_number() -> None:
    assert consent(STOP) == {
        "resourceType": "Consent",
        "identifier": [{"system": "urn:appointment-texts:message", "value": "consent-3-4-1"}],
        "status": "active",
        "scope": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                    "code": "patient-privacy",
                }
            ]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/ana", "type": "Patient"},
        "dateTime": "2027-03-01T14:05:00Z",
        "performer": [{"reference": "Patient/ana", "type": "Patient"}],
        "organization": [{"type": "Organization", "display": "Riverside Clinic"}],
        "sourceAttachment": {
            "contentType": "application/fhir+json",
            "url": "Communication/c-9",
            "title": "The text message that said so",
            "creation": "2027-03-01T14:05:00Z",
        },
        "policyRule": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]
        },
        "provision": {
            "type": "deny",
            "period": {"start": "2027-03-01T14:05:00Z"},
            "code": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode",
                            "code": "SMSWRIT",
                        }
                    ],
                    "text": "Text messages (SMS) to …0123",
                }
            ],
        },
    }


def test_a_start_permits_them() -> None:
    start = built(provision=Provision.PERMIT)
    assert start["provision"]["type"] == "permit"
    assert start["policyRule"]["coding"][0]["code"] == "OPTIN"


def test_what_a_later_word_took_back_is_inactive_and_says_what_it_said() -> None:
    assert built(state=ConsentState.INACTIVE) == consent(STOP) | {"status": "inactive"}


@pytest.mark.parametrize(
    ("said_by", "performer"),
    [
        (Sayer.GUARDIAN, [{"type": "RelatedPerson", "display": "Guardian"}]),
        (None, None),
    ],
)
def test_who_said_it_is_told_only_when_it_is_known(said_by: Sayer | None, performer: object) -> None:
    assert built(said_by=said_by).get("performer") == performer


def test_without_a_number_a_reply_or_a_practice_it_is_as_valid() -> None:
    bare = built(number="", communication_id=None, organization="", said_by=None)
    assert bare.keys().isdisjoint({"sourceAttachment", "organization", "performer"})
    assert bare["provision"]["code"][0]["text"] == "Text messages (SMS)"


@pytest.mark.parametrize("provision", Provision)
@pytest.mark.parametrize("state", ConsentState)
def test_required_codes_are_those_of_the_standard(provision: Provision, state: ConsentState) -> None:
    """R4B consent-state-codes and consent-provision-type; the model knows them, and does not check them."""
    fields = Consent.model_fields["status"].json_schema_extra
    assert isinstance(fields, dict)
    shown = built(provision=provision, state=state)
    known = fields["enum_values"]
    assert isinstance(known, list)
    assert shown["status"] in known
    assert shown["provision"]["type"] in {"deny", "permit"}
