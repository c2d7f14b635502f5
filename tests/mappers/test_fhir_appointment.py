"""An Appointment of R4, R4B or R5 → what happened, when, where and to whom."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_mappers.from_fhir.participants import accepted_keys, has_accepted
from fhir_mappers.translate_message import identity_keys, translate
from fhir_mappers.translation import AppointmentIdentifier
from tests.mappers.building import PROFILE
from tests.mappers.fhir_building import (
    APPOINTMENT,
    EHR,
    FHIR,
    FHIR_SAMPLES,
    PATIENT,
    bundle,
    codes,
    golden_of,
    read,
    visit,
)
from tests.mappers.golden import golden_form
from tests.mappers.test_siu_to_bundle import check_fhir

CHANGED = "2027-03-01T14:00:00Z"
TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
VIRTUAL_R4 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"


@pytest.mark.parametrize("path", FHIR_SAMPLES, ids=lambda path: path.name)
def test_a_sample_becomes_what_its_golden_file_says(path: Any) -> None:
    translation = translate(path.read_bytes(), PROFILE, EHR)
    assert golden_form(translation) == json.loads(golden_of(path).read_text(encoding="utf-8"))
    check_fhir(translation)


@pytest.mark.parametrize(
    ("status", "event", "stored", "tentative"),
    [
        ("booked", "booked", "booked", False),
        ("pending", "booked", "pending", True),
        ("proposed", "changed", "proposed", True),
        ("waitlist", "changed", "waitlist", True),
        ("arrived", "arrived", "arrived", False),
        ("checked-in", "arrived", "checked-in", False),
        ("fulfilled", "arrived", "fulfilled", False),
        ("cancelled", "cancelled", "cancelled", False),
        ("noshow", "no-show", "noshow", False),
        ("entered-in-error", "deleted", "entered-in-error", False),
        ("Canceled", "cancelled", "cancelled", False),  # not FHIR's code, but a word the profile knows
    ],
)
def test_the_status_says_what_happened(status: str, event: str, stored: str, *, tentative: bool) -> None:
    translation = read(APPOINTMENT | {"status": status}, PATIENT)
    mapped = translation.appointment
    assert mapped is not None
    assert (translation.event, mapped.status, mapped.tentative) == (event, stored, tentative)
    assert mapped.status_said
    check_fhir(translation)


@pytest.mark.parametrize("status", ["maybe", "", None, 7, ["booked"]])
def test_an_unknown_status_is_left_as_it_was_and_warned_of(status: object) -> None:
    translation = read(APPOINTMENT | {"status": status}, PATIENT)
    assert ("Appointment.status", "status-not-known") in codes(translation)
    assert translation.appointment is not None
    assert (translation.event, translation.appointment.status_said) == ("changed", False)


@pytest.mark.parametrize(
    ("created", "version", "event"),
    [
        ("2027-03-01T13:59:00Z", "9", "booked"),
        ("2027-03-01T02:00:00Z", "1", "booked"),
        ("2027-03-01T01:59:00Z", "1", "changed"),
        ("2027-03-01", "9", "booked"),  # a day may mean its last hour
        ("2027-02-28", "1", "booked"),  # 23:59:59 in New York, nine hours before
        ("2027-02-27", "1", "changed"),
        ("2026", "1", "changed"),
        ("not a date", "1", "booked"),
        (None, "1", "booked"),
        (None, "2", "changed"),
        (None, "Wc4x", "booked"),
        (None, None, "booked"),
    ],
)
def test_a_booking_is_news_only_while_it_is_fresh(created: object, version: object, event: str) -> None:
    meta = {"lastUpdated": CHANGED, "versionId": version}
    assert read(APPOINTMENT | {"created": created, "meta": meta}, PATIENT).event == event


def test_freshness_is_judged_by_when_it_was_read() -> None:
    resource = APPOINTMENT | {"created": CHANGED}
    read_at = datetime.fromisoformat(CHANGED)
    assert read(resource, PATIENT, read_at=read_at + timedelta(hours=12)).event == "booked"
    assert read(resource, PATIENT, read_at=read_at + timedelta(hours=13)).event == "changed"


def at(text: str) -> dict[str, Any]:
    return {"extension": [{"url": TIMEZONE, "valueCode": text}]}


LOCATION = {"resourceType": "Location", "id": "L1", "identifier": [{"value": "DEPT"}]}
THERE = [*APPOINTMENT["participant"], {"actor": {"reference": "Location/L1"}, "status": "accepted"}]


@pytest.mark.parametrize(
    ("own", "locations", "configured", "expected"),
    [
        ({}, at("America/Chicago"), {}, "14:30-05:00 America/Chicago"),
        (at("America/Denver"), at("America/Chicago"), {}, "14:30-05:00 America/Chicago"),
        (at("America/Denver"), {}, {}, "13:30-06:00 America/Denver"),
        ({}, {}, {"DEPT": ZoneInfo("America/Phoenix")}, "12:30-07:00 America/Phoenix"),
        ({}, {}, {}, "15:30-04:00 America/New_York"),
        ({}, at("Mars/Olympus"), {}, "15:30-04:00 America/New_York"),
        ({}, at("../../etc/passwd"), {}, "15:30-04:00 America/New_York"),
    ],
)
def test_an_instant_is_shown_in_the_zone_of_the_place(
    own: dict[str, Any], locations: dict[str, Any], configured: dict[str, ZoneInfo], expected: str
) -> None:
    times = {"start": "2027-03-18T19:30:00Z", "end": "2027-03-18T20:00:00Z"}
    feed = replace(EHR, location_zones=configured)
    mapped = visit(own | times | {"participant": THERE}, LOCATION | locations, feed=feed)
    assert mapped.start is not None
    assert f"{mapped.start.isoformat()[11:16]}{mapped.start.isoformat()[-6:]} {mapped.zone.key}" == expected


@pytest.mark.parametrize(
    ("times", "end", "warned"),
    [
        ({}, "20:00", []),
        ({"end": None}, "20:00", ["end-assumed"]),
        ({"end": None, "minutesDuration": 45}, "20:15", []),
        ({"end": "2027-03-11T19:30:00Z", "minutesDuration": 45}, "20:15", ["end-before-start"]),
        ({"end": "2027-03-13T19:30:00Z"}, "20:00", ["duration-out-of-range", "end-assumed"]),
        ({"end": None, "minutesDuration": 0}, "20:00", ["end-assumed"]),
        ({"end": None, "minutesDuration": 5000}, "20:00", ["duration-out-of-range", "end-assumed"]),
    ],
)
def test_an_end_is_told_or_follows(times: dict[str, Any], end: str, warned: list[str]) -> None:
    translation = read(
        {name: value for name, value in (APPOINTMENT | times).items() if value is not None}, PATIENT
    )
    assert translation.appointment is not None
    assert translation.appointment.end == datetime.fromisoformat(f"2027-03-11T{end}:00Z")
    assert [code for _, code in codes(translation)] == warned


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (None, "no-start"),
        ("2027-03-11", "date-only"),
        ("2027-03", "date-only"),
        ("tomorrow at nine", "not-an-instant"),
        ("0001-01-01T00:00:00Z", "not-an-instant"),
        ("9999-12-31T23:59:59Z", "not-an-instant"),
    ],
)
def test_without_an_instant_there_is_no_start_and_it_is_warned_of(start: object, code: str) -> None:
    translation = read(APPOINTMENT | {"start": start}, PATIENT)
    assert translation.appointment is not None
    assert translation.appointment.start is None
    assert ("Appointment.start", code) in codes(translation)
    check_fhir(translation)


@pytest.mark.parametrize(
    ("start", "expected", "code"),
    [
        ("2027-03-11T14:30:00", "2027-03-11T14:30:00-05:00", "no-offset"),
        ("2027-03-14T02:30:00", "2027-03-14T03:30:00-04:00", "in-gap"),
        ("2027-11-07T01:30:00", "2027-11-07T01:30:00-04:00", "in-fold"),
        ("2027-03-11T00:00:00-05:00", "2027-03-11T00:00:00-05:00", "midnight"),
        ("2027-03-11T14:30:60Z", "2027-03-11T09:30:59-05:00", "end-assumed"),
    ],
)
def test_odd_instants_are_read_and_warned_of(start: str, expected: str, code: str) -> None:
    resource = {name: value for name, value in APPOINTMENT.items() if name != "end"} | {"start": start}
    translation = read(resource, PATIENT)
    assert translation.appointment is not None
    assert translation.appointment.start is not None
    assert translation.appointment.start.isoformat() == expected
    assert code in {found for _, found in codes(translation)}


@pytest.mark.parametrize(
    ("more", "location", "modality"),
    [
        ({}, {}, "in_person"),
        ({"virtualService": [{"addressUrl": "https://video.example.org"}]}, {}, "video"),
        ({"virtualService": [{"addressContactPoint": {"system": "phone", "value": "1"}}]}, {}, "phone"),
        ({"extension": [{"url": VIRTUAL_R4, "extension": []}]}, {}, "video"),
        ({"class": [{"coding": [{"code": "VR"}]}]}, {}, "video"),
        ({"class": [{"coding": [{"code": "AMB"}]}]}, {}, "in_person"),
        ({"class": {"code": "VR"}}, {}, "video"),
        ({"appointmentType": {"text": "Telephone visit"}}, {}, "phone"),
        ({"serviceType": [{"coding": [{"display": "Video visit, 30 min"}]}]}, {}, "video"),
        ({"serviceType": [{"concept": {"text": "Video visit"}}]}, {}, "video"),
        ({"serviceType": [{"text": "Videofluoroscopy"}]}, {}, "in_person"),
        ({}, {"physicalType": {"coding": [{"code": "vi"}]}}, "video"),
        ({}, {"form": {"coding": [{"code": "vi"}]}}, "video"),
        ({}, {"physicalType": {"coding": [{"code": "ro"}]}}, "in_person"),
    ],
)
def test_how_they_meet(more: dict[str, Any], location: dict[str, Any], modality: str) -> None:
    assert visit(more | {"participant": THERE}, LOCATION | location).modality == modality


def test_a_place_is_found_by_any_of_its_names_the_nearest_first() -> None:
    building = {"resourceType": "Location", "id": "B1", "identifier": [{"value": "BUILDING"}]}
    room = LOCATION | {
        "partOf": {"reference": "Location/B1"},
        "managingOrganization": {"reference": "Organization/O1"},
    }
    mapped = visit({"participant": THERE}, room, building)
    assert [at.code for at in mapped.locations] == ["L1", "DEPT", "B1", "BUILDING", "O1"]
    assert mapped.place == "L1"
    assert visit({"participant": THERE}).place == "L1"  # not sent along: its id is enough
    round_in_a_ring = LOCATION | {"partOf": {"reference": "Location/L1"}}
    assert [at.code for at in visit({"participant": THERE}, round_in_a_ring).locations] == ["L1", "DEPT"]


def declined_place() -> list[dict[str, Any]]:
    return [*THERE[:1], {"actor": {"reference": "Location/L1"}, "status": "declined"}]


def test_a_place_that_declined_is_not_where_it_is() -> None:
    assert visit({"participant": declined_place()}, LOCATION).place is None


def answer(*statuses: str) -> list[dict[str, Any]]:
    return [
        {"actor": {"reference": f"Patient/p{n}"}, "status": status} for n, status in enumerate(statuses, 1)
    ]


@pytest.mark.parametrize(
    ("statuses", "status", "confirmed", "patients", "tentative"),
    [
        (["accepted"], "booked", True, ["p1"], False),
        (["accepted"], "pending", True, ["p1"], True),
        (["accepted"], "cancelled", False, ["p1"], False),
        (["accepted"], "arrived", False, ["p1"], False),
        (["tentative"], "booked", False, ["p1"], False),
        (["declined"], "booked", False, ["p1"], True),
        (["accepted", "needs-action"], "booked", False, ["p1", "p2"], False),
        (["accepted", "declined"], "booked", True, ["p1"], False),
        (["accepted", "accepted"], "booked", True, ["p1", "p2"], False),
    ],
)
def test_what_the_patients_answered(
    statuses: list[str], status: str, *, confirmed: bool, patients: list[str], tentative: bool
) -> None:
    translation = read(APPOINTMENT | {"status": status, "participant": answer(*statuses)}, PATIENT)
    mapped = translation.appointment
    assert mapped is not None
    assert (mapped.confirmed, mapped.tentative) == (confirmed, tentative)
    assert [patient.ehr_id for patient in translation.patients] == patients


@pytest.mark.parametrize(
    ("statuses", "status", "accepted"),
    [
        (["accepted"], "booked", ("p1",)),
        (["accepted", "needs-action"], "booked", ("p1", "")),
        (["tentative", "accepted"], "pending", ("", "p2")),
        (["declined", "accepted"], "booked", ("p2",)),  # of those who are to come
        (["declined"], "booked", ("",)),
        (["accepted", "accepted"], "arrived", ("", "")),
    ],
)
def test_each_patients_answer_is_told_beside_the_patient(
    statuses: list[str], status: str, accepted: tuple[str, ...]
) -> None:
    mapped = visit({"status": status, "participant": answer(*statuses)})
    assert mapped.accepted == accepted
    kept = accepted_keys({"participant": answer(*statuses)})
    assert kept == {f"p{place}" for place, said in enumerate(statuses, 1) if said == "accepted"}


def test_a_yes_counts_only_where_the_site_says_so() -> None:
    mapped = visit({"participant": answer("accepted")}, accepted_confirms=False)
    assert (mapped.confirmed, mapped.accepted) == (False, ("",))


@pytest.mark.parametrize(
    ("statuses", "expected"), [(["accepted"], True), (["accepted", "tentative"], False), ([], False)]
)
def test_a_kept_appointment_shows_whether_its_patients_had_accepted(
    statuses: list[str], *, expected: bool
) -> None:
    others = [{"actor": {"reference": "Location/L1"}, "status": "needs-action"}]
    assert has_accepted({"participant": answer(*statuses) + others}) is expected


def test_who_is_only_informed_has_no_visit() -> None:
    parent = {"actor": {"reference": "Patient/p2"}, "required": "information-only", "status": "accepted"}
    translation = read(APPOINTMENT | {"participant": [*answer("needs-action"), parent]}, PATIENT)
    assert [patient.ehr_id for patient in translation.patients] == ["p1"]


@pytest.mark.parametrize(
    "participant",
    [[], None, [{"actor": {"reference": "Practitioner/1"}}], [None, 5], [{"actor": {"display": "Ann"}}]],
)
def test_without_a_patient_it_is_refused(participant: object) -> None:
    refusal = read(APPOINTMENT | {"participant": participant}).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("Appointment.participant", "no-patient")


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "https://ehr.example.org/fhir/Patient/p1",
        "https://ehr.example.org/fhir/Patient/p1/_history/3",
        "urn:uuid:11111111-1111-4111-8111-111111111111",
    ],
)
def test_a_patient_is_found_however_the_reference_is_written(reference: str) -> None:
    url = reference.partition("/_history")[0] if "/" in reference and "http" in reference else reference
    entries = [
        {"resource": APPOINTMENT | {"participant": [{"actor": {"reference": reference}}]}},
        {"fullUrl": url, "resource": PATIENT},
    ]
    raw = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    assert [patient.text_to for patient in translate(raw, PROFILE, EHR).patients] == ["+12025550142"]


def test_a_patient_of_another_server_is_not_ours_of_the_same_id() -> None:
    actor = {"reference": "https://elsewhere.example.org/fhir/Patient/p1"}
    entries = [
        {"resource": APPOINTMENT | {"participant": [{"actor": actor}]}},
        {"fullUrl": "https://ehr.example.org/fhir/Patient/p1", "resource": PATIENT},
    ]
    raw = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    assert [patient.text_to for patient in translate(raw, PROFILE, EHR).patients] == [None]


def test_a_contained_patient_is_known_by_no_id_of_the_server() -> None:
    resource = APPOINTMENT | {"contained": [PATIENT], "participant": [{"actor": {"reference": "#p1"}}]}
    (patient,) = read(resource).patients
    assert (patient.text_to, patient.identifiers, patient.ehr_id) == ("+12025550142", (), "")


def known_by(*identifiers: dict[str, Any], **facts: Any) -> list[tuple[str, str, str]]:
    raw = bundle(APPOINTMENT | {"identifier": list(identifiers)}, PATIENT)
    feed = replace(EHR, fhir=replace(FHIR, **facts))
    found = identity_keys(raw, PROFILE, feed).appointment
    mapped = translate(raw, PROFILE, feed).appointment
    assert mapped is not None
    assert mapped.identifiers == found
    return [(each.path, each.value, each.namespace) for each in found]


OWN = ("Appointment.id", "a1", "")
SCHEDULING = "urn:example:riverside:scheduling"  # of the authority SCHED


def test_an_appointment_is_known_by_its_id_and_as_hl7_v2_of_the_scope_knows_it() -> None:
    assert known_by({"system": SCHEDULING, "value": "7"}) == [
        OWN,
        ("Appointment.identifier", "7", SCHEDULING),
    ]
    assert known_by({"system": SCHEDULING, "value": "7"}, identity={SCHEDULING: "SCH-1"}) == [
        OWN,
        ("SCH-1", "7", "SCHED"),
        ("SCH-1", "7", ""),
    ]
    assert known_by({"type": {"coding": [{"code": "VN"}]}, "value": "V"}) == [OWN, ("PV1-19", "V", "")]
    assert known_by({"type": {"coding": [{"code": "PLAC"}]}, "value": "P"}, {"value": "  "}, {}) == [
        OWN,
        ("SCH-1", "P", ""),
    ]


def test_the_best_of_hl7_v2s_identifiers_stands_first() -> None:
    kinds = [{"type": {"coding": [{"code": code}]}, "value": code} for code in ("VN", "PLAC", "FILL")]
    assert [path for path, _, _ in known_by(*kinds)] == ["Appointment.id", "SCH-2", "SCH-1", "PV1-19"]


def test_without_any_identifier_it_is_refused() -> None:
    refusal = read({name: value for name, value in APPOINTMENT.items() if name != "id"}, PATIENT).refusal
    assert refusal is not None
    assert refusal.code == "no-appointment-identifier"


def test_a_deleted_appointment_is_known_by_its_id_alone() -> None:
    entry = {"request": {"method": "DELETE", "url": "https://ehr.example.org/fhir/Appointment/a1"}}
    raw = json.dumps({"resourceType": "Bundle", "entry": [entry]}).encode()
    translation = translate(raw, PROFILE, EHR)
    assert translation.appointment is not None
    assert (translation.event, translation.appointment.status) == ("deleted", "entered-in-error")
    assert translation.appointment.identifiers == (AppointmentIdentifier("Appointment.id", "a1", ""),)
    assert identity_keys(raw, PROFILE, EHR).appointment == translation.appointment.identifiers
    assert translation.appointment.status_said


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not-json"),
        (b"MSH|^~\\&|", "not-json"),
        (b"{", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"null", "unsupported-resource"),
        (b"[1, 2]", "unsupported-resource"),
        (b'{"resourceType": "Observation", "id": "1"}', "unsupported-resource"),
        (b'{"resourceType": "Bundle", "entry": "x"}', "unsupported-resource"),
        (b'{"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE"}}]}', "unsupported-resource"),
    ],
)
def test_what_holds_nothing_that_is_heard_is_refused(raw: bytes, code: str) -> None:
    refusal = translate(raw, PROFILE, EHR).refusal
    assert refusal is not None
    assert refusal.code == code


def test_the_message_says_which_version_it_is_and_whether_of_a_test() -> None:
    translation = read(APPOINTMENT, PATIENT)
    assert (translation.control_id, translation.trigger) == ("Appointment/a1/_history/1", "FHIR")
    assert translation.occurred_at == datetime.fromisoformat(CHANGED)
    assert translation.processing_id == "P"
    tagged = read(APPOINTMENT | {"meta": {"tag": [{"code": "HTEST"}]}}, PATIENT)
    assert (tagged.processing_id, tagged.control_id) == ("T", "Appointment/a1")
    assert ("Appointment.meta.tag", "test-data") in codes(tagged)
