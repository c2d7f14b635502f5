"""When somebody answers the phone: weekdays, hours, holidays, and days with a changed clock."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from integration.domain.office_hours import OfficeHours
from integration.domain.quiet_days import QuietDays

ZONE = ZoneInfo("America/New_York")
CLOSED = QuietDays(dates=frozenset({date(2027, 3, 10)}), places=("US",))
OFFICE = OfficeHours(frozenset(range(5)), time(8), time(17), CLOSED)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2027-03-09T07:59", False),
        ("2027-03-09T08:00", True),  # a Tuesday
        ("2027-03-09T16:59", True),
        ("2027-03-09T17:00", False),
        ("2027-03-13T10:00", False),  # a Saturday
        ("2027-03-10T10:00", False),  # a day it is closed
        ("2027-05-31T10:00", False),  # Memorial Day
    ],
)
def test_it_is_open_on_its_days_within_its_hours(moment: str, *, is_open: bool) -> None:
    assert OFFICE.is_open(at(moment), ZONE) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2027-03-09T12:00", None),  # it is open
        ("2027-03-09T06:00", "2027-03-09T08:00"),
        ("2027-03-09T17:00", "2027-03-11T08:00"),  # closed the whole next day
        ("2027-03-12T18:00", "2027-03-15T08:00"),  # over the weekend on which the clock changes
        ("2027-05-28T18:00", "2027-06-01T08:00"),  # Memorial Day
    ],
)
def test_it_opens_next(moment: str, opens: str | None) -> None:
    assert OFFICE.next_opening(at(moment), ZONE) == (None if opens is None else at(opens))


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2027-03-09T12:00", "2027-03-09T12:00"),
        ("2027-03-09T18:00", "2027-03-09T16:59"),
        ("2027-03-11T06:00", "2027-03-09T16:59"),  # closed the day before
        ("2027-03-15T06:00", "2027-03-12T16:59"),
        ("2027-06-01T06:00", "2027-05-28T16:59"),  # Memorial Day
    ],
)
def test_somebody_is_there_last(moment: str, last: str) -> None:
    assert OFFICE.last_open(at(moment), ZONE) == at(last)


def test_a_practice_that_is_closed_for_weeks_says_nothing_of_its_hours() -> None:
    closed = OfficeHours(frozenset(), time(8), time(17))
    noon = at("2027-03-09T12:00")
    assert closed.next_opening(noon, ZONE) is None
    assert closed.last_open(noon, ZONE) == noon
