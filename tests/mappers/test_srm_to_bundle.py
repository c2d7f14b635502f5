"""Scheduling requests: refused by name, or read as the notification that they were granted."""

from dataclasses import replace

import pytest

from fhir_mappers.srm_to_bundle import GRANTED
from fhir_mappers.tables import TRIGGERS
from fhir_mappers.v2_to_fhir import identity_keys, translate
from tests.mappers.building import PROFILE, Fields, codes, read, segment, siu
from tests.mappers.golden import REQUESTS, US


def srm(trigger: str = "S01", **fields: str) -> bytes:
    """The usual visit as a request; `ARQ_11="…"` changes a field."""
    arq: Fields = {1: "P-1^ORD", 2: "F-1", 9: "30", 10: "min", 11: "20270311143000"} | {
        int(name.removeprefix("ARQ_")): value for name, value in fields.items()
    }
    lines = siu(trigger).decode().replace(f"SIU^{trigger}", f"SRM^{trigger}").split("\r")
    return "\r".join(segment("ARQ", arq) if line.startswith("SCH") else line for line in lines).encode()


@pytest.mark.parametrize("trigger", list(GRANTED))
def test_a_request_is_no_appointment_unless_the_feed_says_so(trigger: str) -> None:
    refusal = read(srm(trigger)).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("MSH-9.1", "request")


@pytest.mark.parametrize(("trigger", "granted"), list(GRANTED.items()))
def test_a_request_that_stands_is_what_it_asks_for(trigger: str, granted: str) -> None:
    translation = read(srm(trigger), REQUESTS)
    assert translation.appointment is not None
    assert (translation.trigger, translation.event) == (trigger, TRIGGERS[granted].event)
    assert translation.appointment.status == TRIGGERS[granted].status
    notified = read(siu(granted, SCH={1: "P-1^ORD"})).appointment
    assert notified is not None
    assert translation.appointment.start == notified.start
    assert translation.appointment.identifiers == notified.identifiers


@pytest.mark.parametrize("trigger", ["S12", "S23", "S00", ""])
def test_no_other_event_is_a_request(trigger: str) -> None:
    refusal = read(srm(trigger), REQUESTS).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("MSH-9.2", "unsupported-trigger")


def test_the_first_start_asked_for_is_the_start_and_every_path_is_the_requests() -> None:
    translation = read(srm(ARQ_11="20270311143000^20270311180000~20270312090000", ARQ_9="1.5^h"), REQUESTS)
    assert translation.appointment is not None
    assert translation.appointment.start is not None
    assert translation.appointment.start.isoformat() == "2027-03-11T14:30:00-05:00"
    assert translation.sources["Appointment.start"] == "ARQ-11.1"
    assert translation.sources["Appointment.identifier"] == "ARQ-2"
    assert codes(read(srm(ARQ_11="20270311"), REQUESTS))[0] == ("ARQ-11.1", "date-only")


def test_a_requests_parent_is_named_one_field_earlier() -> None:
    appointment = read(srm(ARQ_22="P-0^ORD", ARQ_23="F-0"), REQUESTS).appointment
    assert appointment is not None
    named = [(parent.path, parent.value, parent.namespace) for parent in appointment.parents]
    assert named == [("SCH-2", "F-0", ""), ("SCH-1", "P-0", "ORD")]


def test_other_delimiters_are_those_of_the_request_too() -> None:
    raw = srm().decode().replace("|^~\\&", "$*?!;").replace("^", "*").replace("|", "$").encode()
    appointment = read(raw, REQUESTS).appointment
    assert appointment is not None
    assert appointment.start is not None
    assert appointment.identifiers[1].namespace == "ORD"


def test_a_request_is_known_by_the_keys_of_its_appointment_refused_or_not() -> None:
    for feed in (US, replace(US, requests=True)):
        keys = identity_keys(srm(ARQ_3="2"), PROFILE, feed)
        assert [(key.path, key.value) for key in keys.appointment] == [("SCH-2", "F-1"), ("SCH-1", "P-1")]
        assert keys.occurrence == "2"


def test_a_request_without_patient_or_identifier_is_refused_as_a_notification_is() -> None:
    nobody = b"\r".join(line for line in srm().split(b"\r") if not line.startswith(b"PID"))
    for raw, code in ((nobody, "no-patient"), (srm(ARQ_1="", ARQ_2=""), "no-appointment-identifier")):
        refusal = translate(raw, PROFILE, REQUESTS).refusal
        assert refusal is not None
        assert refusal.code == code
