"""Start and end: which field is believed, in which zone, and how long a visit lasts."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from tests.mappers.building import Fields, appointment_of, codes, read, siu
from tests.mappers.golden import US


def start_and_end(raw: bytes) -> tuple[str, str]:
    appointment = appointment_of(raw)
    assert appointment.start is not None
    assert appointment.end is not None
    return appointment.start.strftime("%d %H:%M%z"), appointment.end.strftime("%H:%M")


TQ1 = {7: "20270312090000"}
AIS = {4: "20270313090000"}
AIP = {6: "20270314090000"}
AIL = {6: "20270315090000"}
AIG = {8: "20270316090000"}


@pytest.mark.parametrize(
    ("segments", "day", "source"),
    [
        ({"TQ1": TQ1, "AIS": AIS, "AIP": AIP, "AIL": AIL, "AIG": AIG}, "12", "TQ1-7"),
        ({"AIS": AIS, "AIP": AIP, "AIL": AIL, "AIG": AIG}, "11", "SCH-11.4"),
        ({"SCH": {11: ""}, "AIS": AIS, "AIP": AIP, "AIL": AIL, "AIG": AIG}, "13", "AIS-4"),
        ({"SCH": {11: ""}, "AIP": AIP, "AIL": AIL, "AIG": AIG}, "14", "AIP-6"),
        ({"SCH": {11: ""}, "AIL": AIL, "AIG": AIG}, "15", "AIL-6"),
        ({"SCH": {11: ""}, "AIG": AIG}, "16", "AIG-8"),
        ({"SCH": {11: "^^^20270311"}, "AIL": AIL}, "15", "AIL-6"),
        ({"SCH": {11: "^^^soon"}, "TQ1": {7: "?"}, "AIG": AIG}, "16", "AIG-8"),
        ({"SCH": {10: "^^30^20270317090000^20270317093000", 11: ""}}, "17", "SCH-10.4"),
    ],
)
def test_the_first_start_that_can_be_read_is_taken(
    segments: dict[str, Fields], day: str, source: str
) -> None:
    translation = read(siu(**segments))
    assert translation.appointment is not None
    assert translation.appointment.start is not None
    assert translation.appointment.start.strftime("%d") == day
    assert translation.sources["Appointment.start"] == source


def test_starts_that_differ_are_warned_of_and_equal_ones_are_not() -> None:
    differing = read(siu(TQ1=TQ1, AIS={4: "20270312090000"}, AIL=AIL))
    assert [found for found in codes(differing) if found[1] == "starts-disagree"] == [
        ("SCH-11.4", "starts-disagree"),
        ("AIL-6", "starts-disagree"),
    ]
    agreeing = read(siu(AIS={4: "20270311143000-0500"}, AIL={6: "202703111430"}))
    assert codes(agreeing) == []


def test_several_services_begin_with_the_earliest() -> None:
    services = [{4: "20270313100000", 7: "20", 8: "min"}, {4: "20270313093000"}, {4: "20270313110000"}]
    assert start_and_end(siu(SCH={9: "", 10: "", 11: ""}, AIS=services)) == ("13 09:30-0500", "09:50")


@pytest.mark.parametrize(
    ("ais", "start"),
    [
        ({4: "20270313090000", 5: "15", 6: "min"}, "13 09:15-0500"),
        ({4: "20270313090000", 5: "900"}, "13 09:15-0500"),
        ({4: "20270313090000", 5: "-15", 6: "MIN^minutes"}, "13 08:45-0500"),
        ({4: "20270313090000", 5: "0", 6: "min"}, "13 09:00-0500"),
        ({4: "20270313090000", 5: "x", 6: "min"}, "13 09:00-0500"),
        ({4: "20270313233000", 5: "3", 6: "h"}, "14 03:30-0400"),  # over the change of clocks
    ],
)
def test_an_offset_beside_the_start_is_added(ais: Fields, start: str) -> None:
    assert start_and_end(siu(SCH={11: ""}, AIS=ais))[0] == start


@pytest.mark.parametrize(
    ("msh7", "written", "zone", "start", "warned"),
    [
        # the value's own offset wins over everything
        ("20270301090000-0800", "20270311143000-0500", None, "2027-03-11T14:30:00-05:00", []),
        # then MSH-7's, when it is of another zone than the clinic's
        (
            "20270301090000-0800",
            "20270311143000",
            None,
            "2027-03-11T17:30:00-05:00",
            ["offset-of-other-zone"],
        ),
        (
            "20270301140000+0000",
            "20270711143000",
            None,
            "2027-07-11T10:30:00-04:00",
            ["offset-of-other-zone"],
        ),
        # MSH-7 was sent from the clinic's own zone, in winter, about a visit in summer
        (
            "20270301090000-0500",
            "20270711143000",
            None,
            "2027-07-11T14:30:00-04:00",
            ["offset-of-other-season"],
        ),
        ("20270301090000-0500", "20270311143000", None, "2027-03-11T14:30:00-05:00", []),
        # then the location's, then the feed's
        ("20270301090000", "20270711143000", "America/Denver", "2027-07-11T14:30:00-06:00", []),
        ("20270301090000", "20270711143000", None, "2027-07-11T14:30:00-04:00", []),
        # head office sends in its own zone about a clinic in another
        (
            "20270301090000-0500",
            "20270711143000",
            "America/Denver",
            "2027-07-11T12:30:00-06:00",
            ["offset-of-other-season"],
        ),
        ("20270301", "20270711143000", None, "2027-07-11T14:30:00-04:00", []),
    ],
)
def test_the_zone_is_the_values_then_the_headers_then_the_locations_then_the_feeds(
    msh7: str, written: str, zone: str | None, start: str, warned: list[str]
) -> None:
    feed = replace(US, location_zones={"RVS1": ZoneInfo(zone)} if zone else {})
    translation = read(siu("S12", msh7, SCH={11: f"^^^{written}"}, AIL={3: "RVS1"}), feed)
    assert translation.appointment is not None
    assert translation.appointment.start is not None
    assert translation.appointment.start.isoformat() == start
    assert translation.appointment.zone == (ZoneInfo(zone) if zone else US.zone)
    assert [code for path, code in codes(translation) if path == "MSH-7" and code != "date-only"] == warned


@pytest.mark.parametrize(
    ("segments", "minutes", "source"),
    [
        ({"SCH": {11: "^^^20270311143000^20270311151500"}}, 45, "SCH-11.5"),
        ({"TQ1": {7: "20270311143000", 8: "20270311145000"}}, 20, "TQ1-8"),
        ({"TQ1": {7: "20270311143000", 6: "40^min"}}, 40, "TQ1-6.1"),
        ({"SCH": {11: "^^M25^20270311143000"}}, 25, "SCH-11.3"),
        ({"SCH": {11: "^^S1500^20270311143000"}}, 25, "SCH-11.3"),
        ({"SCH": {11: "^^2 hours^20270311143000", 10: "s"}}, 120, "SCH-11.3"),
        ({"SCH": {11: "^^20^20270311143000"}}, 20, "SCH-11.3"),
        ({"SCH": {9: "45", 10: "m"}}, 45, "SCH-9"),
        ({"SCH": {9: "45", 10: "MIN^minutes"}}, 45, "SCH-9"),
        ({"SCH": {9: "45", 10: "^MINUTES"}}, 45, "SCH-9"),
        ({"SCH": {9: "45^MIN", 10: ""}}, 45, "SCH-9"),
        ({"SCH": {9: "1.5", 10: "h"}}, 90, "SCH-9"),
        ({"SCH": {9: "1", 10: "day"}}, 1440, "SCH-9"),
        ({"SCH": {9: "90", 10: "sec"}}, 2, "SCH-9"),
        ({"SCH": {9: "1200", 10: ""}}, 20, "SCH-9"),
        ({"SCH": {9: "30", 10: ""}}, 30, "SCH-9"),
        ({"SCH": {9: "45 min", 10: ""}}, 45, "SCH-9"),
        ({"SCH": {9: "0", 10: "min"}, "AIL": {9: "35", 10: "min"}}, 35, "AIL-9"),
        ({"SCH": {9: "2", 10: "d"}}, 30, None),
        ({"SCH": {9: "30", 10: "parsecs"}}, 30, None),
        ({"SCH": {9: "-30", 10: "min"}}, 30, None),
        ({"SCH": {9: "half an hour", 10: ""}}, 30, None),
        ({"SCH": {9: "", 10: ""}}, 30, None),
        ({"SCH": {11: "^^^20270311143000^20270311140000"}}, 30, "SCH-9"),
        ({"SCH": {11: "^^^20270311143000^20270311143000"}}, 30, "SCH-9"),
        ({"SCH": {11: "^^^20270311143000^20280311143000"}}, 30, "SCH-9"),
        ({"SCH": {11: "^^^20270311143000^later"}}, 30, "SCH-9"),
    ],
)
def test_the_end_is_what_is_said_or_worked_out_or_assumed(
    segments: dict[str, Fields], minutes: int, source: str | None
) -> None:
    translation = read(siu(**segments))
    assert translation.appointment is not None
    assert translation.appointment.resource["minutesDuration"] == minutes
    assert translation.sources.get("Appointment.end") == source
    assumed = [path for path, code in codes(translation) if code == "end-assumed"]
    assert bool(assumed) == (source is None)


def test_elapsed_time_is_added_over_the_change_of_clocks() -> None:
    raw = siu(SCH={9: "120", 11: "^^^20270314010000"})
    appointment = appointment_of(raw)
    assert (appointment.resource["start"], appointment.resource["end"]) == (
        "2027-03-14T01:00:00-05:00",
        "2027-03-14T04:00:00-04:00",
    )


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("20270311", [("SCH-11.4", "date-only"), ("MSH-9.2", "status-without-times")]),
        ("next week", [("SCH-11.4", "not-a-time"), ("MSH-9.2", "status-without-times")]),
        ("", [("SCH-11.4", "no-start"), ("MSH-9.2", "status-without-times")]),
        ('""', [("SCH-11.4", "no-start"), ("MSH-9.2", "status-without-times")]),
        ("20270314023000", [("SCH-11.4", "in-gap")]),
        ("20271107013000", [("SCH-11.4", "in-fold")]),
        ("2027031109", [("SCH-11.4", "hour-only")]),
        ("20270311000000", [("SCH-11.4", "midnight")]),
    ],
)
def test_what_is_odd_about_a_start_is_warned_of(start: str, found: list[tuple[str, str]]) -> None:
    assert codes(read(siu(SCH={11: f"^^^{start}"}))) == found


def test_a_cancellation_needs_no_time_and_is_not_warned_of() -> None:
    translation = read(siu("S15", SCH={11: ""}))
    assert translation.appointment is not None
    assert (translation.appointment.start, codes(translation)) == (None, [])


@pytest.mark.parametrize(
    ("trigger", "segments", "start"),
    [
        ("S18", {"AIS": AIS | {2: "A"}}, None),
        ("S18", {"AIS": AIS | {2: "A"}, "SCH": {11: "^^^20270311143000"}}, "11"),
        ("S18", {"AIS": [AIS | {2: "A"}, {2: "X", 4: "20270310090000"}]}, "10"),
        ("S18", {"AIS": AIS}, "13"),
        ("S19", {"AIS": AIS | {2: "U"}}, "13"),
        ("S14", {"AIS": AIS | {2: "A"}}, "13"),
    ],
)
def test_an_added_service_says_when_it_begins_and_not_when_the_appointment_does(
    trigger: str, segments: dict[str, Fields | list[Fields]], start: str | None
) -> None:
    translation = read(siu(trigger, **{"SCH": {11: ""}, **segments}))
    assert translation.appointment is not None
    begins = translation.appointment.start
    assert (begins and begins.strftime("%d")) == start
    assert (("AIS-4", "start-of-a-part") in codes(translation)) == (start is None)


@pytest.mark.parametrize(
    ("msh7", "ail", "start"),
    [
        ("20270301090000", {}, "2027-07-11T14:30:00-06:00"),
        ("20270301090000", {3: "RVS1"}, "2027-07-11T14:30:00-07:00"),
        ("20270301090000", {3: "ELSEWHERE"}, "2027-07-11T14:30:00-04:00"),
        ("20270301090000-0700", {}, "2027-07-11T14:30:00-06:00"),  # the clinic's own offset in winter
        ("20270301090000+0000", {}, "2027-07-11T08:30:00-06:00"),
    ],
)
def test_a_message_that_names_no_place_is_read_in_the_zone_of_the_visit_as_it_is_known(
    msh7: str, ail: Fields, start: str
) -> None:
    feed = replace(
        US,
        visit_zone=ZoneInfo("America/Denver"),
        location_zones={"RVS1": ZoneInfo("America/Phoenix"), "RIVERSIDE": ZoneInfo("America/Chicago")},
    )
    if ail.get(3) == "ELSEWHERE":
        feed = replace(feed, location_zones={})
    raw = siu("S13", msh7, SCH={11: "^^^20270711143000"}, **({"AIL": ail} if ail else {}))
    appointment = appointment_of(raw, feed)
    assert appointment.start is not None
    assert appointment.start.isoformat() == start
