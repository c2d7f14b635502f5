"""The door: what is mapped, what is refused, by what things are known, and that FHIR accepts the result."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.patient import Patient

from fhir_mappers.translation import FeedFacts, Translation
from fhir_mappers.v2_message import split_messages
from fhir_mappers.v2_to_fhir import identity_keys, translate
from tests.mappers.building import PROFILE, appointment_of, codes, read, siu
from tests.mappers.golden import FEEDS, SAMPLES, UK, US, golden_form

FHIR_STATUSES = {
    "proposed",
    "pending",
    "booked",
    "arrived",
    "fulfilled",
    "cancelled",
    "noshow",
    "entered-in-error",
    "checked-in",
    "waitlist",
}
PARTICIPATION = {"accepted", "declined", "tentative", "needs-action"}


SAMPLE_FILES = [pytest.param(path, id=path.stem) for path in sorted(SAMPLES.glob("*.hl7"))]


def translations_of(path: Path) -> list[Translation]:
    feed = FEEDS.get(path.stem, US)
    return [translate(raw, PROFILE, feed) for raw in split_messages(path.read_bytes())]


def check_fhir(translation: Translation) -> None:
    """R4B accepts the resources, required codes are of their value sets, and app-1 to app-4 hold."""
    for patient in translation.patients:
        Patient.model_validate(json.loads(json.dumps(patient.resource)))
    appointment = translation.appointment
    if appointment is None:
        assert (translation.refusal is None) == (translation.visit is not None)
        return
    assert translation.refusal is None
    resource = appointment.resource
    Appointment.model_validate(json.loads(json.dumps(resource)))
    assert resource["status"] in FHIR_STATUSES
    assert resource["participant"]
    for participant in resource["participant"]:
        assert participant["status"] in PARTICIPATION
        assert participant.get("type") or participant.get("actor")  # app-1
    assert ("start" in resource) == ("end" in resource)  # app-2
    assert "start" in resource or resource["status"] in {"proposed", "cancelled", "waitlist"}  # app-3
    assert "cancelationReason" not in resource or resource["status"] in {"cancelled", "noshow"}  # app-4
    if appointment.start is not None:
        assert appointment.end is not None
        assert appointment.start < appointment.end
        assert appointment.start.utcoffset() == appointment.start.astimezone(appointment.zone).utcoffset()


@pytest.mark.parametrize("path", SAMPLE_FILES)
def test_a_sample_becomes_what_its_golden_file_says(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert [golden_form(translation) for translation in translations_of(path)] == expected


@pytest.mark.parametrize("path", SAMPLE_FILES)
def test_fhir_accepts_what_a_sample_becomes(path: Path) -> None:
    for translation in translations_of(path):
        check_fhir(translation)


@pytest.mark.parametrize(
    ("raw", "path", "code", "trigger"),
    [
        (b"not a message", "MSH", "no-header", ""),
        (b"MSH", "MSH-1", "no-delimiters", ""),
        (siu("S01"), "MSH-9.2", "unsupported-trigger", "S01"),
        (siu("S25"), "MSH-9.2", "unsupported-trigger", "S25"),
        (siu(""), "MSH-9.2", "unsupported-trigger", ""),
        (siu().replace(b"SIU^S12", b"ADT^A99"), "MSH-9.2", "unsupported-trigger", "A99"),
        (siu().replace(b"SIU^S12", b"SRM^S12"), "MSH-9.2", "unsupported-trigger", "S12"),
        (siu("S23"), "PID", "no-patient-by-definition", "S23"),
        (siu("S24", PID=[]), "PID", "no-patient-by-definition", "S24"),
        (siu("S12", PID=[]), "PID", "no-patient", "S12"),
        (siu("S27", PID=[]), "PID", "no-patient", "S27"),
        (siu("S12", SCH={2: ""}), "SCH-2", "no-appointment-identifier", "S12"),
        (siu("S12", SCH={2: '""', 1: " "}), "SCH-2", "no-appointment-identifier", "S12"),
        (siu("S12", SCH=[]), "SCH-2", "no-appointment-identifier", "S12"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(raw: bytes, path: str, code: str, trigger: str) -> None:
    translation = read(raw)
    assert translation.refusal is not None
    assert (translation.refusal.path, translation.refusal.code) == (path, code)
    assert (translation.trigger, translation.event) == (trigger, "ignored")
    assert (translation.appointment, translation.patients, dict(translation.sources)) == (None, (), {})
    if trigger:
        assert translation.control_id == "C-1"


def test_the_third_part_of_the_message_type_is_not_looked_at() -> None:
    for kind in ("SIU^S15^SIU_S12", "SIU^S15^SIU_S15", "SIU^S15^ADT_A01", "SIU^S15"):
        assert read(siu("S15").replace(b"SIU^S15", kind.encode())).event == "cancelled"


def test_a_vendors_own_trigger_event_is_read_as_the_one_it_stands_for() -> None:
    profile = PROFILE.model_copy(update={"triggers": {"Z14": "S14"}})
    translation = translate(siu("Z14"), profile, US)
    assert (translation.trigger, translation.event) == ("S14", "changed")


@pytest.mark.parametrize(
    ("segments", "identity", "found"),
    [
        ({}, (), ["SCH-2=F-1"]),
        (
            {"SCH": {1: "P-1^ORD", 2: "F-1^SCHED"}, "PV1": {19: "V-1^^^RIVERSIDE^VN"}},
            (),
            ["SCH-2=F-1@SCHED", "SCH-1=P-1@ORD", "PV1-19=V-1@RIVERSIDE"],
        ),
        ({"SCH": {1: "1", 2: "F-1"}, "PV1": {19: "F-1"}}, ("PV1-19", "SCH-2"), ["PV1-19=F-1", "SCH-2=F-1"]),
        ({"SCH": {1: "P-1", 2: ""}}, (), ["SCH-1=P-1"]),
        ({"SCH": {2: ""}, "PV1": {19: "V-1"}}, (), ["PV1-19=V-1"]),
    ],
)
def test_an_appointment_is_known_by_its_identifiers_in_the_feeds_order(
    segments: dict[str, dict[int, str]], identity: tuple[str, ...], found: list[str]
) -> None:
    feed = replace(US, identity=identity)
    appointment = appointment_of(siu(**segments), feed)
    written = [
        f"{i.path}={i.value}{'@' + i.namespace if i.namespace else ''}" for i in appointment.identifiers
    ]
    assert written == found
    assert [i["value"] for i in appointment.resource["identifier"]] == [
        i.value for i in appointment.identifiers
    ]


def test_identifiers_are_typed_filler_placer_and_visit() -> None:
    appointment = appointment_of(siu(SCH={1: "P-1", 2: "F-1"}, PV1={19: "V-1"}))
    kinds = [i["type"]["coding"][0]["code"] for i in appointment.resource["identifier"]]
    assert kinds == ["FILL", "PLAC", "VN"]


@pytest.mark.parametrize("path", SAMPLE_FILES)
def test_identity_keys_are_those_of_the_whole_translation(path: Path) -> None:
    feed = FEEDS.get(path.stem, US)
    for raw in split_messages(path.read_bytes()):
        keys = identity_keys(raw, PROFILE, feed)
        translation = translate(raw, PROFILE, feed)
        if translation.appointment is not None:
            assert keys.appointment == translation.appointment.identifiers
            assert keys.occurrence == translation.appointment.occurrence
            assert keys.patients == tuple(i for p in translation.patients for i in p.identifiers)


def test_identity_keys_of_noise_are_empty() -> None:
    keys = identity_keys(b"noise", PROFILE, US)
    assert (keys.appointment, keys.occurrence, keys.patients) == ((), "", ())


@pytest.mark.parametrize(
    ("segments", "locations", "place"),
    [
        ({}, ["MSH-4=RIVERSIDE"], None),
        ({"AIL": {3: "RVS1^EX3^^MAIN"}}, ["AIL-3=RVS1", "AIL-3.4=MAIN", "MSH-4=RIVERSIDE"], "RVS1"),
        ({"AIL": {3: "^^^MAIN"}}, ["AIL-3.4=MAIN", "MSH-4=RIVERSIDE"], "MAIN"),
        ({"PV1": {3: "CARD"}}, ["PV1-3=CARD", "MSH-4=RIVERSIDE"], "CARD"),
        ({"PV1": {3: "CARD"}, "AIL": {3: "RVS1"}}, ["AIL-3=RVS1", "PV1-3=CARD", "MSH-4=RIVERSIDE"], "RVS1"),
        ({"AIL": [{3: "A"}, {3: "B"}, {3: "A"}]}, ["AIL-3=A", "AIL-3=B", "MSH-4=RIVERSIDE"], "A"),
        ({"AIL": [{2: "D", 3: "A"}, {2: "A", 3: "B"}]}, ["AIL-3=B", "MSH-4=RIVERSIDE"], "B"),
    ],
)
def test_places_are_named_most_specific_first(
    segments: dict[str, dict[int, str]], locations: list[str], place: str | None
) -> None:
    appointment = appointment_of(siu(**segments))
    assert [f"{at.path}={at.code}" for at in appointment.locations] == locations
    assert appointment.place == place


@pytest.mark.parametrize(
    ("segments", "modality"),
    [
        ({}, "in_person"),
        ({"SCH": {8: "VIDEO"}}, "video"),
        ({"SCH": {8: "X^Telehealth follow-up"}}, "video"),
        ({"SCH": {7: "FU^Video  visit, 20 min"}}, "video"),
        ({"AIS": {3: "99^Virtual Visit"}}, "video"),
        ({"AIL": {3: "TELE"}}, "video"),
        ({"AIL": {3: "X", 4: "C^Video"}}, "video"),
        ({"SCH": {8: "PHONE^Phone"}}, "phone"),
        ({"AIS": {3: "99^Telephone consult"}}, "phone"),
        # done in person, whatever the word looks like
        ({"AIS": {3: "95951^Video EEG"}}, "in_person"),
        ({"AIS": {3: "74230^Videofluoroscopic swallow study"}}, "in_person"),
        ({"AIG": {3: "5001^EVIS X12 Video Colonoscope"}}, "in_person"),
        ({"SCH": {7: "TELEMETRY^Telemetry check"}}, "in_person"),
        ({"SCH": {7: "MIC^Microphone visit"}}, "in_person"),
        ({"SCH": {8: "in person"}}, "in_person"),
    ],
)
def test_how_patient_and_clinic_meet(segments: dict[str, dict[int, str]], modality: str) -> None:
    assert appointment_of(siu(**segments)).modality == modality


@pytest.mark.parametrize(
    ("segments", "actor"),
    [
        ({"AIP": {3: "7^Haddad^Karim^^^Dr"}}, {"identifier": {"value": "7"}, "display": "Dr Karim Haddad"}),
        ({"AIP": {3: "7^Haddad"}}, {"identifier": {"value": "7"}, "display": "Haddad"}),
        ({"AIP": {3: "^Haddad^Karim"}}, {"display": "Karim Haddad"}),
        (
            {"AIG": {3: "7^Haddad, Karim", 4: "D^Doctor"}},
            {"identifier": {"value": "7"}, "display": "Haddad, Karim"},
        ),
        ({"PV1": {7: "7^Haddad^Karim"}}, {"identifier": {"value": "7"}, "display": "Karim Haddad"}),
        ({"AIG": {3: "R5^Exam room 5", 4: "ROOM"}}, None),
        ({"AIG": {3: "R5^Exam room 5"}}, None),
        ({"AIP": {2: "D", 3: "7^Haddad"}}, None),
        ({"AIP": {1: "1"}}, None),
        (
            {"AIP": {3: "7^Haddad"}, "AIG": {3: "8^Wong", 4: "D"}, "PV1": {7: "9^Ng"}},
            {"identifier": {"value": "7"}, "display": "Haddad"},
        ),
    ],
)
def test_the_practitioner_is_in_aip_else_aig_else_pv1(
    segments: dict[str, dict[int, str]], actor: dict[str, Any] | None
) -> None:
    participants = appointment_of(siu(**segments)).resource["participant"]
    found = [p["actor"] for p in participants if p["actor"]["type"] == "Practitioner"]
    assert found == ([{"type": "Practitioner"} | actor] if actor else [])


def test_a_reason_is_kept_only_when_the_visit_will_not_be() -> None:
    reason = {6: "PTREQ^Patient request"}
    concept = {"coding": [{"code": "PTREQ", "display": "Patient request"}], "text": "Patient request"}
    assert appointment_of(siu("S15", SCH=reason)).resource["cancelationReason"] == concept
    assert appointment_of(siu("S26", SCH=reason)).resource["cancelationReason"] == concept
    for trigger in ("S12", "S13", "S14", "S17", "S27"):
        assert "cancelationReason" not in appointment_of(siu(trigger, SCH=reason)).resource


def test_resources_taken_away_stay_when_the_appointment_ends() -> None:
    taken = {"RGS": {1: "1", 2: "D"}, "AIL": {3: "RVS1"}}
    assert appointment_of(siu("S15", **taken)).place == "RVS1"
    assert appointment_of(siu("S14", **taken)).place is None


def test_no_warning_and_no_refusal_holds_anything_of_the_message() -> None:
    """Every value of a message full of mistakes is looked for in every word said about it."""
    secret = "Xyzzy"
    segments = {
        name: dict.fromkeys(range(1, 45), secret)
        for name in ("SCH", "TQ1", "PID", "PD1", "PV1", "AIS", "AIL", "AIP")
    }
    translation = read(siu("S12", secret, **segments))
    assert translation.warnings
    assert secret not in repr(translation.warnings)
    assert secret not in repr(read(siu(secret)).refusal)


def test_the_header_is_read() -> None:
    translation = read(siu("S12", "20270301090000-0800"))
    assert (translation.control_id, translation.processing_id) == ("C-1", "P")
    assert translation.occurred_at is not None
    assert translation.occurred_at.isoformat() == "2027-03-01T12:00:00-05:00"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (siu().replace(b"C-1", b""), [("MSH-10", "no-control-id")]),
        (siu("S12", "20270301"), [("MSH-7", "date-only")]),
        (siu("S12", "noon"), [("MSH-7", "not-a-time")]),
        (siu("S12", ""), []),
    ],
)
def test_a_poor_header_is_warned_of(raw: bytes, found: list[tuple[str, str]]) -> None:
    assert codes(read(raw)) == found


def test_the_feeds_charset_reads_what_the_header_leaves_open() -> None:
    raw = siu(PID={5: "Müller^Jörg"}).decode().encode("iso8859-2")
    feed: FeedFacts = replace(UK, charset="8859/2")
    assert translate(raw, PROFILE, feed).patients[0].family == "Müller"


def test_a_second_schedule_segment_about_the_same_appointment_is_not_read() -> None:
    again = siu(SCH=[{2: "F-1", 11: "^^^20270311143000"}, {2: "F-1", 11: "^^^20270312143000"}])
    translation = read(again)
    assert translation.appointment is not None
    assert translation.appointment.start is not None
    assert translation.appointment.start.day == 11
    assert ("SCH[2]", "segment-repeated") in codes(translation)


def test_a_message_about_two_appointments_is_refused_by_name() -> None:
    refusal = read(siu(SCH=[{2: "F-1"}, {2: "F-2"}])).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("SCH[2]", "several-appointments")


def test_a_child_names_its_parent_as_the_parent_names_itself() -> None:
    parents = appointment_of(siu(SCH={23: "P-0^ORD", 24: "F-0^SCHED"})).parents
    named = [(parent.path, parent.value, parent.namespace) for parent in parents]
    assert named == [("SCH-2", "F-0", "SCHED"), ("SCH-1", "P-0", "ORD")]
    assert appointment_of(siu()).parents == ()
