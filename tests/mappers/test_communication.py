"""Texts, replies and answers as FHIR: golden resources, the table of outcomes, and what must never leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from fhir.resources.R4B.appointmentresponse import AppointmentResponse
from fhir.resources.R4B.communication import Communication

from fhir_mappers.communication import (
    PROGRESS,
    STATUSES,
    Category,
    Coded,
    NotDoneReason,
    OutboundText,
    Outcome,
    PatientReply,
    outbound_text,
    patient_reply,
)
from fhir_mappers.outgoing import BadResource, checked, date_time
from fhir_mappers.response import ParticipantStatus, VisitAnswer, appointment_response

SENT = datetime(2027, 3, 5, 15, 0, 2, tzinfo=UTC)
DELIVERED = datetime(2027, 3, 5, 10, 0, 9, tzinfo=timezone(timedelta(hours=-5)))

TEXT = OutboundText(
    identifier="text-17-4-1804176000000000",
    patient_id="p-4",
    organization="Riverside Clinic",
    outcome=Outcome.DELIVERED,
    body="Riverside Clinic: Ana, see you Fri Mar 5 at 10:00 AM. Reply C to confirm.",
    appointment_ids=("a-9",),
    carrier_id=Coded("https://api.twilio.com/messages", "SM0123"),
    sent=SENT,
    received=DELIVERED,
    to="…0123",
    segments=1,
    encoding="GSM-7",
)

DELIVERED_TEXT = {
    "resourceType": "Communication",
    "identifier": [
        {"system": "urn:appointment-texts:message", "value": "text-17-4-1804176000000000"},
        {"system": "https://api.twilio.com/messages", "value": "SM0123"},
    ],
    "status": "completed",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                    "code": "reminder",
                }
            ]
        }
    ],
    "medium": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "SMSWRIT"}
            ]
        }
    ],
    "subject": {"reference": "Patient/p-4", "type": "Patient"},
    "topic": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/communication-topic",
                "code": "appointment-reminder",
            }
        ]
    },
    "about": [{"reference": "Appointment/a-9", "type": "Appointment"}],
    "sent": "2027-03-05T15:00:02Z",
    "received": "2027-03-05T15:00:09Z",
    "recipient": [{"reference": "Patient/p-4", "type": "Patient"}],
    "sender": {"type": "Organization", "display": "Riverside Clinic"},
    "payload": [
        {"contentString": "Riverside Clinic: Ana, see you Fri Mar 5 at 10:00 AM. Reply C to confirm."}
    ],
    "note": [{"text": "Text message to …0123: 1 segment, GSM-7."}],
}

REPLY = PatientReply(
    identifier="reply-3-4-1804176600000000",
    patient_id="p-4",
    organization="Riverside Clinic",
    body="C",
    received=datetime(2027, 3, 5, 15, 10, tzinfo=UTC),
    sent=datetime(2027, 3, 5, 15, 10, tzinfo=UTC),
    carrier_id=Coded("https://api.twilio.com/messages", "SM0456"),
    in_response_to="c-1",
    appointment_ids=("a-9",),
    sender="…0123",
    remarks=("Understood as: confirms the visit.",),
)

A_REPLY = {
    "resourceType": "Communication",
    "identifier": [
        {"system": "urn:appointment-texts:message", "value": "reply-3-4-1804176600000000"},
        {"system": "https://api.twilio.com/messages", "value": "SM0456"},
    ],
    "inResponseTo": [{"reference": "Communication/c-1", "type": "Communication"}],
    "status": "completed",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                    "code": "notification",
                }
            ]
        }
    ],
    "medium": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "SMSWRIT"}
            ]
        }
    ],
    "subject": {"reference": "Patient/p-4", "type": "Patient"},
    "about": [{"reference": "Appointment/a-9", "type": "Appointment"}],
    "sent": "2027-03-05T15:10:00Z",
    "received": "2027-03-05T15:10:00Z",
    "recipient": [{"type": "Organization", "display": "Riverside Clinic"}],
    "sender": {"reference": "Patient/p-4", "type": "Patient"},
    "payload": [{"contentString": "C"}],
    "note": [{"text": "Text from …0123."}, {"text": "Understood as: confirms the visit."}],
}


def test_a_delivered_text_is_a_completed_communication() -> None:
    assert outbound_text(TEXT) == DELIVERED_TEXT


def test_a_reply_is_a_communication_from_the_patient_in_response_to_the_text() -> None:
    assert patient_reply(REPLY) == A_REPLY


def test_a_confirmation_is_an_accepted_appointment_response() -> None:
    answer = VisitAnswer("confirmation-3-4-1", "p-4", "a-9", ParticipantStatus.ACCEPTED, "By text message.")
    assert appointment_response(answer) == {
        "resourceType": "AppointmentResponse",
        "identifier": [{"system": "urn:appointment-texts:message", "value": "confirmation-3-4-1"}],
        "appointment": {"reference": "Appointment/a-9", "type": "Appointment"},
        "actor": {"reference": "Patient/p-4", "type": "Patient"},
        "participantStatus": "accepted",
        "comment": "By text message.",
    }


@pytest.mark.parametrize(
    ("outcome", "status", "received", "has_reason"),
    [
        (Outcome.QUEUED, "preparation", None, False),
        (Outcome.ACCEPTED, "preparation", None, False),
        (Outcome.SENT, "in-progress", None, False),
        (Outcome.DELIVERED, "completed", "2027-03-05T15:00:09Z", False),
        (Outcome.UNDELIVERED, "not-done", None, True),
        (Outcome.FAILED, "not-done", None, True),
        (Outcome.SKIPPED, "not-done", None, True),
        (Outcome.UNRESOLVED, "unknown", None, False),
    ],
)
def test_each_outcome_has_its_status_and_only_a_receipt_completes(
    outcome: Outcome, status: str, received: str | None, *, has_reason: bool
) -> None:
    resource = outbound_text(replace(TEXT, outcome=outcome, not_done=NotDoneReason.SYSTEM_ERROR))
    assert (resource["status"], resource.get("received")) == (status, received)
    assert ("statusReason" in resource) is has_reason


def test_a_text_that_did_not_arrive_says_why_in_the_standards_words_and_the_providers() -> None:
    resource = outbound_text(
        replace(
            TEXT,
            outcome=Outcome.UNDELIVERED,
            not_done=NotDoneReason.RECIPIENT_UNAVAILABLE,
            error=Coded("https://www.twilio.com/docs/api/errors", "30003"),
            remarks=("Not delivered: the handset could not be reached.",),
        )
    )
    assert resource["statusReason"] == {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/communication-not-done-reason",
                "code": "recipient-unavailable",
            },
            {"system": "https://www.twilio.com/docs/api/errors", "code": "30003"},
        ]
    }
    assert [note["text"] for note in resource["note"]] == [
        "Text message to …0123: 1 segment, GSM-7.",
        "Provider's error code 30003.",
        "Not delivered: the handset could not be reached.",
    ]


def test_the_required_codes_are_those_of_the_standard_since_the_library_does_not_check_them() -> None:
    event_status = {
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
    }
    assert set(PROGRESS) == event_status
    assert set(STATUSES) == set(Outcome)
    assert set(STATUSES.values()) <= event_status
    assert {each.value for each in ParticipantStatus} <= {
        "accepted",
        "declined",
        "tentative",
        "needs-action",
    }
    assert {each.value for each in Category} == {"alert", "notification", "reminder", "instruction"}


@pytest.mark.parametrize(
    "text",
    [
        replace(TEXT, outcome=outcome, appointment_ids=about, body=body, carrier_id=None, sent=None)
        for outcome in Outcome
        for about in ((), ("a-1", "a-2"))
        for body in (None, "", "Hola, ¿viene?")
    ],
)
def test_whatever_is_unknown_is_left_out_and_the_rest_is_valid_r4(text: OutboundText) -> None:
    resource = outbound_text(text)
    Communication.model_validate(resource)
    assert "sent" not in resource
    assert ("payload" in resource) is bool(text.body)
    assert len(resource.get("about", [])) == len(text.appointment_ids)


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (" yes\nsee you ", [{"contentString": " yes\nsee you "}]),
        ("ok\x00\x07", [{"contentString": "ok\ufffd\ufffd"}]),
        ("half a pair \ud83d", [{"contentString": "half a pair \ufffd"}]),
        ("👍", [{"contentString": "👍"}]),
        ("", None),
        (" \n", None),
    ],
)
def test_a_reply_stands_verbatim_but_for_what_fhir_forbids(
    body: str, payload: list[dict[str, str]] | None
) -> None:
    assert patient_reply(replace(REPLY, body=body)).get("payload") == payload


def test_a_practice_without_a_name_is_left_out() -> None:
    assert "sender" not in outbound_text(replace(TEXT, organization=""))
    assert "recipient" not in patient_reply(replace(REPLY, organization=""))


def test_a_time_without_zone_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="offset"):
        date_time(datetime(2027, 3, 5, 10, 0))  # noqa: DTZ001 - that is the point


def test_a_bad_resource_names_the_element_and_never_its_value() -> None:
    with pytest.raises(BadResource) as caught:
        checked(
            AppointmentResponse,
            {"resourceType": "AppointmentResponse", "participantStatus": "accepted", "actor": "Ana Secret"},
        )
    assert "actor" in caught.value.elements
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
