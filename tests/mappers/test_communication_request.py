"""A chart's request for a text: what is asked for, when it is to go, and what is none of ours."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from fhir_mappers.translate_message import identity_keys, translate
from fhir_mappers.translation import FeedFacts, FhirFacts, MappedRequest
from tests.mappers.building import PROFILE

if TYPE_CHECKING:
    from fhir_mappers.translation import Translation

ZONE = ZoneInfo("America/New_York")
FEED = FeedFacts("ehr", "ehr", ZONE, fhir=FhirFacts())
SMS = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "SMSWRIT"}]
}
ADA = {
    "resourceType": "Patient",
    "id": "p-1",
    "name": [{"family": "Quillfeather", "given": ["Adalina"]}],
    "telecom": [{"system": "phone", "use": "mobile", "value": "+1 202-555-0123"}],
}
ASKED = {
    "resourceType": "CommunicationRequest",
    "id": "r-1",
    "status": "active",
    "subject": {"reference": "Patient/p-1"},
    "medium": [SMS],
    "payload": [{"contentString": "Please bring your glasses."}],
    "authoredOn": "2027-03-01T11:00:00-05:00",
}


def read(*others: dict[str, Any], **said: Any) -> Translation:
    """The request with some elements changed, None: left out, beside its patient."""
    request = {name: value for name, value in (ASKED | said).items() if value is not None}
    entries = [{"resource": each} for each in (request, *(others or (ADA,)))]
    raw = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    return translate(raw, PROFILE, FEED)


def asked(**said: Any) -> MappedRequest:
    found = read(**said)
    assert found.refusal is None
    assert found.request is not None
    return found.request


def test_an_active_request_asks_for_its_words_to_its_patient() -> None:
    found = read(about=[{"reference": "Appointment/a-7"}, {"reference": "Encounter/e-1"}])
    assert found.request == MappedRequest(
        "r-1",
        wanted=True,
        body="Please bring your glasses.",
        authored=datetime(2027, 3, 1, 11, tzinfo=ZONE),
        visits=("a-7",),
    )
    assert [patient.text_to for patient in found.patients] == ["+12025550123"]
    assert (found.appointment, found.visit) == (None, None)


@pytest.mark.parametrize(
    "status", ["draft", "on-hold", "revoked", "completed", "entered-in-error", "unknown", None]
)
def test_only_what_is_active_is_asked_for(status: str | None) -> None:
    assert asked(status=status) == MappedRequest("r-1", wanted=False)


@pytest.mark.parametrize("truth", [True, "true"])
def test_what_is_not_to_be_done_is_not_asked_for(truth: object) -> None:
    assert not asked(doNotPerform=truth).wanted
    assert asked(doNotPerform=False).wanted


def test_a_deleted_request_is_asked_for_no_more() -> None:
    entry = {"request": {"method": "DELETE", "url": "CommunicationRequest/r-1"}}
    raw = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [entry]}).encode()
    assert translate(raw, PROFILE, FEED).request == MappedRequest("r-1", wanted=False)


def test_words_may_be_attached_and_come_in_several_payloads() -> None:
    words = base64.b64encode("¡Traiga sus lentes!".encode()).decode()
    attached = {"contentAttachment": {"contentType": "text/plain; charset=utf-8", "data": words}}
    assert (
        asked(payload=[attached, {"contentString": " Thank you. "}]).body == "¡Traiga sus lentes!\nThank you."
    )


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ({"occurrenceDateTime": "2027-03-02T09:00:00-05:00"}, "2027-03-02T09:00:00-05:00", None),
        ({"occurrenceDateTime": "2027-03-02"}, "2027-03-02T00:00:00-05:00", "2027-03-02T23:59:59-05:00"),
        (
            {"occurrencePeriod": {"start": "2027-03-02T09:00:00Z", "end": "2027-03-03"}},
            "2027-03-02T09:00:00Z",
            "2027-03-03T23:59:59-05:00",
        ),
        ({"occurrencePeriod": {"end": "2027-03-03T12:00:00Z"}}, None, "2027-03-03T12:00:00Z"),
        ({"occurrenceDateTime": "soon"}, None, None),
    ],
)
def test_it_may_say_when_it_is_to_go(said: dict[str, Any], start: str | None, end: str | None) -> None:
    found = asked(**said)
    assert found.start == (None if start is None else datetime.fromisoformat(start))
    assert found.end == (None if end is None else datetime.fromisoformat(end))


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"medium": None}, "no-text-request"),
        ({"medium": [{"coding": [{"code": "EMAILWRIT"}]}]}, "no-text-request"),
        ({"recipient": [{"reference": "Practitioner/d-1"}]}, "no-text-request"),
        ({"payload": None}, "no-text-in-request"),
        ({"payload": [{"contentReference": {"reference": "DocumentReference/1"}}]}, "no-text-in-request"),
        (
            {"payload": [{"contentAttachment": {"contentType": "text/plain", "data": "%"}}]},
            "no-text-in-request",
        ),
        (
            {"payload": [{"contentAttachment": {"contentType": "application/pdf", "data": "QQ=="}}]},
            "no-text-in-request",
        ),
        ({"payload": [{"contentString": "x" * 1601}]}, "text-too-long"),
        ({"subject": {"reference": "Patient/p-2"}}, "no-recipient"),
        ({"subject": {"reference": "Group/g-1"}}, "no-recipient"),
        ({"subject": None}, "no-recipient"),
        ({"id": None}, "no-request-id"),
    ],
)
def test_what_cannot_become_a_text_is_refused_by_name(said: dict[str, Any], refused: str) -> None:
    found = read(**said)
    assert found.refusal is not None
    assert (found.refusal.code, found.request) == (refused, None)


def test_the_recipient_stands_in_for_a_subject() -> None:
    assert asked(subject=None, recipient=[{"reference": "Patient/p-1"}]).wanted
    assert asked(recipient=[{"reference": "Patient/p-1"}]).wanted


def test_a_request_to_a_related_person_says_so() -> None:
    found = asked(recipient=[{"reference": "RelatedPerson/m-1"}])
    assert (found.wanted, found.to_related) == (True, True)
    assert not asked().to_related


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ({"requester": {"reference": "Practitioner/d-1", "display": "Dr. Wren"}}, "Dr. Wren"),
        ({"sender": {"display": "Front\x07 desk"}}, "Front desk"),
        ({"requester": {"reference": "Practitioner/d-1"}}, None),
    ],
)
def test_who_asks_is_named_as_the_chart_shows_them(said: dict[str, Any], author: str | None) -> None:
    assert asked(**said).author == author


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["reference", "coding", "code", "data", "contentString", "start"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@how(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*ASKED, "recipient", "about", "occurrencePeriod", "doNotPerform"]), JSON, max_size=4
    )
)
def test_whatever_stands_in_it_a_translation_comes_back(said: dict[str, Any]) -> None:
    found = read(**(said | {"resourceType": "CommunicationRequest"}))
    assert (found.request is None) == (found.refusal is not None)
    assert identity_keys(json.dumps(ASKED | said).encode(), PROFILE, FEED) is not None
