"""HL7 times: precision, offsets, zones, the two odd hours of the year, and what is no time."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from fhir_mappers.hl7_time import place, read_date, read_time

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "placed", "problem"),
    [
        ("20270311143000", "2027-03-11T14:30:00-05:00", ""),
        ("202703111430", "2027-03-11T14:30:00-05:00", ""),
        ("2027031114", "2027-03-11T14:00:00-05:00", "hour-only"),
        (" 20270311143000  ", "2027-03-11T14:30:00-05:00", ""),
        ("20270311143000.1234", "2027-03-11T14:30:00-05:00", ""),
        ("20270311143000-0500", "2027-03-11T14:30:00-05:00", ""),
        ("20270311143000-0800", "2027-03-11T17:30:00-05:00", ""),
        ("20270311143000+0000", "2027-03-11T09:30:00-05:00", ""),
        ("20270311143000.5+0545", "2027-03-11T03:45:00-05:00", ""),
        ("20270711143000", "2027-07-11T14:30:00-04:00", ""),
        ("20270711143000-0500", "2027-07-11T15:30:00-04:00", ""),
        # 2027-03-14: 01:59:59 EST is followed by 03:00:00 EDT.
        ("20270314015959", "2027-03-14T01:59:59-05:00", ""),
        ("20270314020000", "2027-03-14T03:00:00-04:00", "in-gap"),
        ("20270314023000", "2027-03-14T03:30:00-04:00", "in-gap"),
        ("20270314030000", "2027-03-14T03:00:00-04:00", ""),
        ("20270314023000-0500", "2027-03-14T03:30:00-04:00", ""),
        # 2027-11-07: 01:59:59 EDT is followed by 01:00:00 EST.
        ("20271107005959", "2027-11-07T00:59:59-04:00", ""),
        ("20271107010000", "2027-11-07T01:00:00-04:00", "in-fold"),
        ("20271107013000-0500", "2027-11-07T01:30:00-05:00", ""),
        ("20271107020000", "2027-11-07T02:00:00-05:00", ""),
        ("20280229090000", "2028-02-29T09:00:00-05:00", ""),
        ("20270311", None, "date-only"),
        ("20270311-0500", None, "date-only"),
        ("202703", None, "date-only"),
        ("2027", None, "date-only"),
        ("20270230", None, "not-a-time"),
        ("20270229090000", None, "not-a-time"),
        ("20271311143000", None, "not-a-time"),
        ("20270311243000", None, "not-a-time"),
        ("20270311146000", None, "not-a-time"),
        ("202703111", None, "not-a-time"),
        ("20270311143000-05", None, "not-a-time"),
        ("20270311143000-9900", None, "not-a-time"),
        ("20270311143000+05x0", None, "not-a-time"),
        ("2027-03-11T14:30", None, "not-a-time"),
        ("tomorrow", None, "not-a-time"),
        ("00000000000000", None, "not-a-time"),
        ("00010101000000", None, "not-a-time"),
        ("99991231235959-1200", None, "not-a-time"),
        ("18800101120000", None, "not-a-time"),
        ("\uff12\uff10270311143000", None, "not-a-time"),
        ("", None, "not-a-time"),
        ("-0500", None, "not-a-time"),
    ],
)
def test_a_time_is_placed_in_the_zone_or_said_to_be_none(
    written: str, placed: str | None, problem: str
) -> None:
    moment = place(read_time(written), NEW_YORK)
    assert (moment.at and moment.at.isoformat(), moment.problem) == (placed, problem)


def test_a_time_without_offset_is_read_where_the_sender_is_and_shown_where_the_clinic_is() -> None:
    moment = place(read_time("20270711090000"), ZoneInfo("America/Chicago"), NEW_YORK)
    assert moment.at is not None
    assert moment.at.isoformat() == "2027-07-11T08:00:00-05:00"
    fixed = place(read_time("20270711090000"), NEW_YORK, timezone(timedelta(hours=-8)))
    assert fixed.at is not None
    assert fixed.at.isoformat() == "2027-07-11T13:00:00-04:00"


def test_every_hour_of_a_year_of_two_changes_means_one_instant() -> None:
    """Read back through UTC, a local time that exists once is itself; offsets are whole minutes."""
    london = ZoneInfo("Europe/London")
    hour = datetime(2027, 1, 1, tzinfo=UTC)
    for _ in range(365 * 24):
        local = hour.astimezone(london)
        moment = place(read_time(local.strftime("%Y%m%d%H%M%S")), london)
        assert moment.at is not None
        if moment.problem != "in-fold":
            assert moment.at == hour
        else:
            assert hour - moment.at in (timedelta(), timedelta(hours=1))
        hour += timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("19840217", date(1984, 2, 17)),
        ("198402171030", date(1984, 2, 17)),
        ("19840217103000+0100", date(1984, 2, 17)),
        ("198402", None),
        ("1984", None),
        ("19840231", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_a_date_is_a_whole_day_or_nothing(written: str, day: date | None) -> None:
    assert read_date(written) == day
