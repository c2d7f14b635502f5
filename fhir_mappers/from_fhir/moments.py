"""FHIR instants, dateTimes and dates, read without trust and shown at a zone's offset."""

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.from_fhir.elements import word
from fhir_mappers.hl7_time import Moment, Written, place
from fhir_mappers.translation import Resource

_YEAR, _MONTH, _DAY = 4, 7, 10  # characters
_FIRST_YEAR, _LAST_YEAR = 1900, 9998  # so that no shift of zone leaves the calendar


class Period(NamedTuple):
    """From when until when; None: open."""

    starts: date | None
    ends: date | None

    def holds(self, day: date | None) -> bool:
        """Whether the day lies in it; None judges nothing."""
        if day is None:
            return True
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)


def read_instant(text: str, zone: ZoneInfo) -> Moment:
    """An instant or dateTime, at the offset of `zone`; without one of its own it is read in `zone`."""
    if len(text) <= _DAY:
        return Moment(None, "date-only" if last_day(text) else "not-an-instant")
    try:
        at = datetime.fromisoformat(text.replace(":60", ":59", 1))  # a leap second
    except ValueError:
        return Moment(None, "not-an-instant")
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return Moment(None, "not-an-instant")
    moment = place(Written(at.replace(tzinfo=None), at.utcoffset(), ""), zone)
    if moment.at is None:
        return Moment(None, "not-an-instant")
    return Moment(moment.at, "") if at.tzinfo else Moment(moment.at, moment.problem or "no-offset")


def last_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The latest a dateTime of any precision may mean."""
    day = last_day(text) if len(text) <= _DAY else None
    if day is None:
        return read_instant(text, zone).at
    end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone)
    return end.astimezone(UTC)


def first_day(text: str) -> date | None:
    """The first day a date of any precision may mean."""
    return _day(text, last=False)


def last_day(text: str) -> date | None:
    """The last day a date of any precision may mean."""
    return _day(text, last=True)


def written_period(node: Resource) -> Resource:
    """A Period as R4 has it, in days as they are written; {} when it has none."""
    days = {name: word(node, name)[:_DAY] for name in ("start", "end")}
    return {name: day for name, day in days.items() if last_day(day)}


def period_of(node: Resource) -> Period:
    """A Period, in days."""
    return Period(first_day(word(node, "start")), last_day(word(node, "end")))


def _day(text: str, *, last: bool) -> date | None:
    written = text[:_DAY]
    try:
        if len(written) == _DAY:
            day = date.fromisoformat(written)
        elif len(written) == _MONTH and written[4] == "-":
            year, month = int(written[:4]), int(written[5:])
            day = date(year, month, monthrange(year, month)[1] if last else 1)
        elif len(written) == _YEAR:
            day = date(int(written), 12, 31) if last else date(int(written), 1, 1)
        else:
            return None
    except ValueError:
        return None
    return day if _FIRST_YEAR - 100 <= day.year <= _LAST_YEAR else None
