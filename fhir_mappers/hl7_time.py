"""Reads HL7 times (DTM, 2A.3.22) and places them in a zone, saying what was wrong with them.

`YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]`: the precision is meant. Eight digits are a day, not its midnight.
A local time in the spring gap takes the offset before the gap; one in the autumn fold is the first of two.
Results carry a fixed offset (that of the clinic's zone), so adding minutes is safe.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_DAY = 8  # digits of a date
_HOUR = 10
_MINUTE = 12
_SECOND = 14
_OFFSET = 5  # characters of ±ZZZZ
_WHOLE = timedelta(minutes=1)
_FIRST_YEAR, _LAST_YEAR = 1900, 9998  # so that no shift of zone leaves the calendar


class Written(NamedTuple):
    """A DTM as it was written."""

    local: datetime | None  # naive; None when it is not a time of day
    offset: timedelta | None  # None when none was written
    problem: str  # a key of findings.WARNINGS, '' if none


class Moment(NamedTuple):
    """A DTM placed in the world."""

    at: datetime | None  # aware, at the zone's offset then
    problem: str  # a key of findings.WARNINGS, '' if none


_NOT_A_TIME = Written(None, None, "not-a-time")


def read_time(value: str) -> Written:
    """Read a DTM; blanks around it are ignored."""
    value = value.strip()
    offset = None
    if value[-_OFFSET:-4] in ("+", "-"):
        offset = _offset(value[-_OFFSET:])
        if offset is None:
            return _NOT_A_TIME
        value = value[:-_OFFSET]
    whole, _, fraction = value.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (fraction and not fraction.isdigit()):
        return _NOT_A_TIME
    length = len(whole)
    if length in (4, 6, _DAY):
        problem = "date-only" if read_date(whole) or length < _DAY else "not-a-time"
        return Written(None, offset, problem)
    local = _local(whole) if length in (_HOUR, _MINUTE, _SECOND) else None
    if local is None:
        return _NOT_A_TIME
    return Written(local, offset, "hour-only" if length == _HOUR else "")


def _local(digits: str) -> datetime | None:
    try:
        local = datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}")  # ISO 8601's basic format
    except ValueError:
        return None
    return local if _FIRST_YEAR <= local.year <= _LAST_YEAR else None


def place(written: Written, zone: ZoneInfo, reading: tzinfo | None = None) -> Moment:
    """Place `written` in the world, to be shown at the offset of `zone`.

    A time without an offset of its own is read in `reading` (a zone or a fixed offset), or else in `zone`.
    """
    local = written.local
    if local is None:
        return Moment(None, written.problem)
    problem = written.problem
    reading = _fixed(written.offset) if written.offset is not None else reading or zone
    first, second = reading.utcoffset(local), reading.utcoffset(local.replace(fold=1))
    if first is None or second is None:  # no zone does that
        return Moment(None, "not-a-time")
    if first != second:
        problem = "in-gap" if first < second else "in-fold"
    elif reading is zone or first == zone.utcoffset(local) == zone.utcoffset(local.replace(fold=1)):
        # The usual case, and the fastest: nothing to convert.
        return _at_whole_minutes(local, first, problem)
    shown = (local - first).replace(tzinfo=UTC).astimezone(zone)
    return _at_whole_minutes(shown, shown.utcoffset() or timedelta(), problem)


def _at_whole_minutes(local: datetime, offset: timedelta, problem: str) -> Moment:
    if offset % _WHOLE:  # local mean time, before zones were; FHIR cannot write it
        return Moment(None, "not-a-time")
    return Moment(local.replace(tzinfo=_fixed(offset), fold=0), problem)


def read_date(value: str) -> date | None:
    """Return the day of a DTM that names one; None for a month, a year or anything else."""
    if not value:
        return None
    digits = value.strip()[:_DAY]
    if len(digits) < _DAY or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _fixed(offset: timedelta) -> timezone:
    return timezone(offset)


@lru_cache(maxsize=64)
def _offset(text: str) -> timedelta | None:
    hours, minutes = text[1:3], text[3:5]
    if not (text.isascii() and hours.isdigit() and minutes.isdigit()) or int(hours) > 14 or int(minutes) > 59:  # noqa: PLR2004 - UTC-12:00 to UTC+14:00
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if text[0] == "-" else offset
