"""What happened: the trigger event decides, SCH-25 refines, a contradiction is warned of."""

import pytest

from fhir_mappers.tables import TRIGGERS
from tests.mappers.building import PROFILE, Fields, appointment_of, codes, read, siu

CONTRADICTS = "status-contradicts-trigger"
UNKNOWN = "unknown-status"


@pytest.mark.parametrize(
    ("trigger", "word", "event", "status", "warned"),
    [
        ("S12", "", "booked", "booked", ""),
        ("S12", "Booked", "booked", "booked", ""),
        ("S12", "SCHEDULED", "booked", "booked", ""),
        ("S12", "1^SCH", "booked", "booked", ""),
        ("S12", "x^Sch", "booked", "booked", ""),
        ("S12", "Pending", "booked", "pending", ""),
        ("S12", "Waitlist", "booked", "waitlist", ""),
        ("S12", "ARRIVED", "arrived", "arrived", ""),
        ("S12", "Overbook", "booked", "booked", ""),
        ("S12", "Cancelled", "booked", "booked", CONTRADICTS),
        ("S12", "Noshow", "booked", "booked", CONTRADICTS),
        ("S12", "Blocked", "booked", "booked", UNKNOWN),
        ("S12", "4", "booked", "booked", UNKNOWN),
        ("S12", '""', "booked", "booked", ""),
        ("S13", "", "moved", "booked", ""),
        ("S13", "Rescheduled", "moved", "booked", ""),
        ("S13", "Deleted", "moved", "booked", CONTRADICTS),
        ("S14", "", "changed", "booked", ""),
        ("S14", "Booked", "changed", "booked", ""),
        ("S14", "Checked In", "arrived", "checked-in", ""),
        ("S14", "Started", "arrived", "checked-in", ""),
        ("S14", "checked out", "arrived", "fulfilled", ""),
        ("S14", "Complete", "arrived", "fulfilled", ""),
        ("S14", "Cancelled", "cancelled", "cancelled", ""),
        ("S14", "No Show", "no-show", "noshow", ""),
        ("S14", "Deleted", "deleted", "entered-in-error", ""),
        ("S15", "", "cancelled", "cancelled", ""),
        ("S15", "CANCELED", "cancelled", "cancelled", ""),
        ("S15", "Booked", "cancelled", "cancelled", CONTRADICTS),
        ("S15", "Deleted", "cancelled", "cancelled", CONTRADICTS),
        ("S16", "", "discontinued", "cancelled", ""),
        ("S16", "Dc", "discontinued", "cancelled", ""),
        ("S16", "Discontinued", "discontinued", "cancelled", ""),
        ("S16", "Started", "discontinued", "cancelled", CONTRADICTS),
        ("S17", "", "deleted", "entered-in-error", ""),
        ("S17", "Deleted", "deleted", "entered-in-error", ""),
        ("S17", "Cancelled", "deleted", "entered-in-error", CONTRADICTS),
        ("S18", "", "changed", "booked", ""),
        ("S19", "Booked", "changed", "booked", ""),
        ("S20", "", "changed", "booked", ""),
        ("S21", "Arrived", "arrived", "arrived", ""),
        ("S22", "", "changed", "booked", ""),
        ("S26", "", "no-show", "noshow", ""),
        ("S26", "Noshow", "no-show", "noshow", ""),
        ("S26", "Cancelled", "no-show", "noshow", CONTRADICTS),
        ("S27", "", "unchanged", "booked", ""),
        ("S27", "Pending", "unchanged", "pending", ""),
        ("S27", "Cancelled", "unchanged", "cancelled", ""),
        ("S27", "Arrived", "unchanged", "arrived", ""),
    ],
)
def test_the_trigger_decides_and_the_status_refines(
    trigger: str, word: str, event: str, status: str, warned: str
) -> None:
    translation = read(siu(trigger, SCH={25: word}))
    assert translation.appointment is not None
    assert (translation.event, translation.appointment.status) == (event, status)
    assert translation.appointment.resource["status"] == status
    assert [code for _, code in codes(translation)] == ([warned] if warned else [])
    refined = bool(word) and not warned and word != '""'
    assert translation.sources["Appointment.status"].startswith("SCH-25" if refined else "MSH-9.2")


def test_every_mapped_trigger_of_the_standard_is_in_the_table() -> None:
    assert sorted(TRIGGERS) == [f"S{n}" for n in (12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27)]


@pytest.mark.parametrize("word", ["Confirmed", "CONFIRMED", "conf", "x^Patient  confirmed"])
def test_a_confirmed_appointment_is_booked_and_the_patient_has_accepted(word: str) -> None:
    appointment = appointment_of(siu(SCH={25: word}))
    assert (appointment.confirmed, appointment.status) == (True, "booked")
    assert appointment.resource["participant"][0]["status"] == "accepted"


@pytest.mark.parametrize("trigger", ["S12", "S13", "S14"])
def test_an_appointment_is_not_confirmed_by_being_booked(trigger: str) -> None:
    appointment = appointment_of(siu(trigger, SCH={25: "Booked"}))
    assert not appointment.confirmed
    assert appointment.resource["participant"][0]["status"] == "needs-action"


def test_a_word_that_contradicts_the_trigger_confirms_nothing() -> None:
    assert not appointment_of(siu("S15", SCH={25: "Confirmed"})).confirmed


@pytest.mark.parametrize(
    ("kind", "status", "tentative"),
    [
        ("Tentative", "", True),
        ("x^TENTATIVE^HL70277", "Booked", True),
        ("Normal", "", False),
        ("", "", False),
        ("", "Pending", True),
        ("", "Waitlist", True),
        ("Complete", "Booked", False),
    ],
)
def test_what_is_not_settled_yet_is_tentative(kind: str, status: str, *, tentative: bool) -> None:
    assert appointment_of(siu(SCH={8: kind, 25: status})).tentative is tentative


@pytest.mark.parametrize(
    ("trigger", "start", "status", "in_fhir"),
    [
        ("S12", "", "booked", "proposed"),
        ("S14", "", "booked", "proposed"),
        ("S15", "", "cancelled", "cancelled"),
        ("S17", "", "entered-in-error", "cancelled"),
        ("S26", "", "noshow", "cancelled"),
        ("S17", "20270311143000", "entered-in-error", "entered-in-error"),
        ("S26", "20270311143000", "noshow", "noshow"),
    ],
)
def test_without_a_start_fhir_gets_the_nearest_status_it_allows(
    trigger: str, start: str, status: str, in_fhir: str
) -> None:
    translation = read(siu(trigger, SCH={11: f"^^^{start}"}))
    assert translation.appointment is not None
    assert (translation.appointment.status, translation.appointment.resource["status"]) == (status, in_fhir)
    warned = "status-without-times" in [code for _, code in codes(translation)]
    assert warned == (status != in_fhir)


def test_every_shipped_word_means_one_status() -> None:
    for status, words in PROFILE.statuses.items():
        assert [PROFILE.status_of[word] for word in words] == [status] * len(words)
    assert {PROFILE.status_of[word] for word in PROFILE.confirmed} == {"booked"}


@pytest.mark.parametrize(
    ("trigger", "segments", "event", "status", "source"),
    [
        ("S14", {"AIS": {10: "Booked"}}, "changed", "booked", "AIS-10"),
        ("S14", {"AIS": {10: "Started"}, "AIP": {12: "Booked"}}, "arrived", "checked-in", "AIS-10"),
        ("S14", {"AIL": {12: "Cancelled"}, "AIP": {12: "Cancelled"}}, "cancelled", "cancelled", "AIL-12"),
        ("S14", {"AIG": {14: "x^Noshow"}}, "no-show", "noshow", "AIG-14"),
        ("S12", {"AIP": [{12: "Cancelled"}, {12: "Pending"}]}, "booked", "pending", "AIP-12"),
        ("S27", {"AIP": {12: "Cancelled"}}, "unchanged", "cancelled", "AIP-12"),
        # whoever said it with SCH-25 is believed
        ("S14", {"SCH": {25: "Booked"}, "AIP": {12: "Cancelled"}}, "changed", "booked", "SCH-25.1"),
        ("S14", {"SCH": {25: "4"}, "AIP": {12: "Cancelled"}}, "changed", "booked", "MSH-9.2"),
        # an event that ends the appointment needs no one's word
        ("S15", {"AIP": {12: "Booked"}}, "cancelled", "cancelled", "MSH-9.2"),
        # one service is not the appointment
        ("S20", {"AIS": {10: "Cancelled"}}, "changed", "booked", "MSH-9.2"),
        ("S22", {"AIS": {2: "D", 10: "Deleted"}}, "changed", "booked", "MSH-9.2"),
        ("S14", {"AIS": {10: "Fasting"}}, "changed", "booked", "MSH-9.2"),
    ],
)
def test_without_a_status_of_its_own_the_appointments_resources_are_asked(
    trigger: str, segments: dict[str, Fields | list[Fields]], event: str, status: str, source: str
) -> None:
    translation = read(siu(trigger, **segments))
    assert translation.appointment is not None
    assert (translation.event, translation.appointment.status) == (event, status)
    assert translation.sources["Appointment.status"] == source


def test_resources_that_contradict_the_event_are_warned_of_and_not_believed() -> None:
    translation = read(siu("S13", AIL={12: "Cancelled"}))
    assert translation.event == "moved"
    assert codes(translation) == [("AIL-12", CONTRADICTS)]


def test_a_resource_confirms_nothing_for_the_patient() -> None:
    assert not appointment_of(siu("S14", AIP={12: "Confirmed"})).confirmed


@pytest.mark.parametrize(
    ("trigger", "segments", "place"),
    [
        ("S14", {"AIL": [{3: "A", 12: "Cancelled"}, {3: "B", 12: "Booked"}]}, "B"),
        ("S14", {"AIL": [{3: "A", 12: "Cancelled"}, {3: "B"}], "AIP": {12: "Booked"}}, "B"),
        ("S14", {"AIL": [{3: "A", 12: "Cancelled"}, {3: "B", 12: "Cancelled"}]}, "A"),
        ("S20", {"AIL": {3: "A", 12: "Cancelled"}}, None),
        ("S15", {"AIL": [{3: "A", 12: "Cancelled"}, {3: "B", 12: "Booked"}]}, "A"),
    ],
)
def test_a_resource_called_off_alone_is_not_where_the_visit_is(
    trigger: str, segments: dict[str, Fields | list[Fields]], place: str | None
) -> None:
    assert appointment_of(siu(trigger, **segments)).place == place


@pytest.mark.parametrize(
    ("trigger", "segments", "said"),
    [
        ("S12", {}, True),
        ("S13", {}, True),
        ("S27", {}, True),
        ("S14", {}, False),
        ("S18", {}, False),
        ("S22", {"SCH": {25: "4"}}, False),
        ("S14", {"SCH": {25: "Booked"}}, True),
        ("S14", {"AIS": {10: "Booked"}}, True),
        ("S14", {"SCH": {8: "Tentative"}}, True),
    ],
)
def test_a_modification_without_a_status_leaves_it_as_it_is(
    trigger: str, segments: dict[str, Fields], *, said: bool
) -> None:
    assert appointment_of(siu(trigger, **segments)).status_said is said
