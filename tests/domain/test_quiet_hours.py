"""No text in quiet hours: on any day of the year, by any clock, also where two clocks are open."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.domain.last_look import QUIET_DAY, Hold, Skip, of_caps, of_hours
from integration.domain.quiet_days import NotADay, QuietDays
from integration.domain.quiet_hours import DecentHours, evening_before

BOSTON, CHICAGO, SEATTLE = (ZoneInfo(f"America/{city}") for city in ("New_York", "Chicago", "Los_Angeles"))
_ZONES = [
    ZoneInfo(key)
    for key in (
        *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
        *("America/Anchorage", "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam"),
        *("America/St_Johns", "America/Halifax", "America/Regina", "Europe/London", "Pacific/Chatham"),
    )
]
a_moment = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    # The nights in which clocks change, in America and in Britain.
    st.sampled_from([(2027, 3, 14), (2027, 11, 7), (2027, 3, 28), (2027, 10, 31)]).flatmap(
        lambda day: st.integers(-720, 2160).map(
            lambda minutes: datetime(*day, tzinfo=UTC) + timedelta(minutes=minutes)
        )
    ),
)
some_hours = st.tuples(st.integers(5, 12), st.integers(13, 23)).map(
    lambda span: DecentHours(time(span[0]), time(span[1]), QuietDays.read(["sunday", "2027-12-25"]))
)
some_zones = st.lists(st.sampled_from(_ZONES), min_size=1, max_size=2, unique=True)


def is_decent(hours: DecentHours, at: datetime, zone: ZoneInfo) -> bool:
    """As a person with a clock on the wall would say."""
    local = at.astimezone(zone)
    if local.weekday() == 6 or local.date() == date(2027, 12, 25):
        return False
    return hours.opens <= local.time().replace(microsecond=0) < hours.closes


@given(at=a_moment, hours=some_hours, zones=some_zones)
def test_what_goes_goes_at_a_decent_hour_wherever_the_recipient_may_be(
    at: datetime, hours: DecentHours, zones: list[ZoneInfo]
) -> None:
    verdict = of_hours(hours, zones, not_after=at + timedelta(days=9999), now=at)
    assert (verdict is None) == all(is_decent(hours, at, zone) for zone in zones)


@given(at=a_moment, hours=some_hours, zones=some_zones)
def test_a_hold_ends_at_a_decent_hour_or_never(
    at: datetime, hours: DecentHours, zones: list[ZoneInfo]
) -> None:
    opening = hours.next_opening(at, *zones)
    assert opening >= at
    if opening < at + timedelta(days=365):
        assert all(is_decent(hours, opening, zone) for zone in zones)
    else:  # hours so narrow, and zones so far apart, that no moment suits both
        hour = timedelta(hours=1)
        assert not any(hours.allow(at + n * hour, *zones) for n in range(24 * 14))


@given(at=a_moment, hours=some_hours, zones=some_zones)
def test_a_text_that_may_go_expires_before_the_first_evening(
    at: datetime, hours: DecentHours, zones: list[ZoneInfo]
) -> None:
    if not hours.allow(at, *zones):
        return
    last = hours.closing(at, *zones) - timedelta(seconds=1)
    assert last >= at.replace(microsecond=0)
    assert all(is_decent(hours, last, zone) for zone in zones)


@given(at=a_moment, hours=some_hours, zone=st.sampled_from(_ZONES))
def test_a_step_that_moves_to_the_evening_before_moves_to_a_decent_hour_before(
    at: datetime, hours: DecentHours, zone: ZoneInfo
) -> None:
    evening = time(hours.closes.hour - 1)
    moved = evening_before(at, hours, evening, zone)
    assert moved < at
    assert is_decent(hours, moved, zone)


def test_ten_at_the_practice_is_seven_three_hours_west() -> None:
    ten = datetime(2027, 3, 9, 10, tzinfo=BOSTON)
    found = of_hours(DecentHours(), [SEATTLE], not_after=ten + timedelta(days=1), now=ten)
    assert found == Hold(datetime(2027, 3, 9, 9, tzinfo=SEATTLE).astimezone(UTC), "quiet hours")


def test_a_hold_past_its_use_is_a_skip_by_the_recipients_clock() -> None:
    ten = datetime(2027, 3, 9, 10, tzinfo=BOSTON)
    found = of_hours(DecentHours(), [SEATTLE], not_after=ten + timedelta(hours=1), now=ten)
    assert isinstance(found, Skip)


def test_hours_that_two_zones_never_share_never_come() -> None:
    noon = datetime(2027, 3, 9, 12, tzinfo=BOSTON)
    narrow = DecentHours(time(9), time(10))
    found = of_hours(narrow, [BOSTON, SEATTLE], not_after=noon + timedelta(days=300), now=noon)
    assert isinstance(found, Skip)


@pytest.mark.parametrize(
    ("entries", "day", "quiet"),
    [
        (["sunday"], "2027-03-14", True),
        (["Sunday"], "2027-03-15", False),
        (["2027-12-24"], "2027-12-24", True),
        (["US"], "2027-07-05", True),  # the Fourth is a Sunday, and observed on Monday
        (["US"], "2027-04-19", False),
        (["US-MA"], "2027-04-19", True),  # Patriots' Day
        (["CA-ON"], "2027-07-01", True),
        (["GB-SCT"], "2027-01-02", True),
        ([], "2027-12-25", False),
    ],
)
def test_quiet_days(entries: list[str], day: str, quiet: bool) -> None:  # noqa: FBT001 - a row
    assert QuietDays.read(entries).hold(date.fromisoformat(day)) is quiet


@pytest.mark.parametrize("entry", ["someday", "US-XX", "2027-13-01", "", "XX", "holidays"])
def test_what_names_no_day_is_refused(entry: str) -> None:
    with pytest.raises(NotADay, match="is no day"):
        QuietDays.read([entry])


def test_a_quiet_day_holds_until_the_next_morning_and_bad_news_passes_by_day_only() -> None:
    hours = DecentHours(quiet_days=QuietDays.read(["US"]))
    noon = datetime(2027, 11, 25, 12, tzinfo=BOSTON)  # Thanksgiving
    night = datetime(2027, 11, 25, 22, tzinfo=BOSTON)
    later = noon + timedelta(days=9)
    friday = datetime(2027, 11, 26, 9, tzinfo=BOSTON).astimezone(UTC)
    assert of_hours(hours, [BOSTON], not_after=later, now=noon) == Hold(friday, QUIET_DAY)
    assert of_hours(hours, [BOSTON], not_after=later, now=noon, bad_news=True) is None
    assert of_hours(hours, [BOSTON], not_after=later, now=night, bad_news=True) == Hold(friday, "quiet hours")


def test_bad_news_waits_too_where_the_practice_says_so() -> None:
    hours = DecentHours(quiet_days=QuietDays.read(["US"], bad_news_passes=False))
    noon = datetime(2027, 11, 25, 12, tzinfo=BOSTON)
    found = of_hours(hours, [BOSTON], not_after=noon + timedelta(days=9), now=noon, bad_news=True)
    assert isinstance(found, Hold)


@pytest.mark.parametrize(
    ("offered", "now", "free"),
    [
        # Half past eleven at night in Seattle is another day in Boston, and not in Seattle.
        ("2027-03-09T09:30", "2027-03-09T19:30", "2027-03-10T09:00"),
        # The day of the spring change has 23 hours, that of the autumn change 25.
        ("2027-03-14T09:00", "2027-03-14T19:59", "2027-03-15T09:00"),
        ("2027-11-07T09:00", "2027-11-07T19:59", "2027-11-08T09:00"),
        ("2027-11-06T19:59", "2027-11-07T09:00", None),
    ],
)
def test_the_text_of_the_day_is_that_of_the_recipients_day(offered: str, now: str, free: str | None) -> None:
    at, moment = (datetime.fromisoformat(text).replace(tzinfo=SEATTLE) for text in (offered, now))
    found = of_caps(
        [at],
        per_day=1,
        per_week=3,
        hours=DecentHours(),
        zones=[SEATTLE],
        not_after=moment + timedelta(days=9),
        now=moment,
    )
    until = None if free is None else datetime.fromisoformat(free).replace(tzinfo=SEATTLE).astimezone(UTC)
    assert (found.until if isinstance(found, Hold) else found) == until


def test_where_two_days_are_open_a_text_counts_on_either() -> None:
    # 23:30 in Chicago is half past midnight in Boston.
    hours = DecentHours(time(0), time(23, 59))
    before, now = (datetime(2027, 3, 9, 23, m, tzinfo=CHICAGO) for m in (10, 30))
    far = now + timedelta(days=9)
    found = of_caps(
        [before - timedelta(minutes=20)],
        per_day=1,
        per_week=3,
        hours=hours,
        zones=[CHICAGO, BOSTON],
        not_after=far,
        now=now,
    )
    assert isinstance(found, Hold)


@pytest.mark.parametrize(("seconds", "held"), [(0, False), (1, True)])
def test_the_week_is_168_hours_to_the_second_also_over_a_clock_change(seconds: int, held: bool) -> None:  # noqa: FBT001 - a row
    now = datetime(2027, 3, 16, 12, tzinfo=BOSTON)  # the clocks changed on the 14th
    first = now.astimezone(UTC) - timedelta(hours=168) + timedelta(seconds=seconds)
    offered = [first, *(now - timedelta(days=n) for n in (4, 2))]
    found = of_caps(
        offered,
        per_day=1,
        per_week=3,
        hours=DecentHours(),
        zones=[BOSTON],
        not_after=now + timedelta(days=9),
        now=now,
    )
    assert (found is not None) is held
