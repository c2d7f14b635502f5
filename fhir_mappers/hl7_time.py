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
        local = datetime(  # noqa: DTZ001 - a local time, placed by `place`
            int(digits[:4]),
            int(digits[4:6]),
            int(digits[6:8]),
            int(digits[8:10]),
            int(digits[10:12] or 0),
            int(digits[12:14] or 0),
        )
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
    if written.offset is not None:
        aware = local.replace(tzinfo=_fixed(written.offset))
    else:
        aware = local.replace(tzinfo=reading or zone)
        first, second = aware.utcoffset(), aware.replace(fold=1).utcoffset()
        if first is not None and second is not None and first != second:
            problem = "in-gap" if first < second else "in-fold"
        elif reading is zone and first is not None and not first % _WHOLE:
            return Moment(local.replace(tzinfo=_fixed(first)), problem)  # the usual case, and the fastest
        aware = aware.astimezone(UTC)  # within one zone, astimezone would leave a time in the gap as it is
    shown = aware.astimezone(zone)
    offset = shown.utcoffset() or timedelta()
    if offset % _WHOLE:  # local mean time, before zones were
        return Moment(None, "not-a-time")
    return Moment(shown.replace(tzinfo=_fixed(offset)), problem)


def read_date(value: str) -> date | None:
    """Return the day of a DTM that names one; None for a month, a year or anything else."""
    if not value:
        return None
    digits = value.strip()[:_DAY]
    if len(digits) < _DAY or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
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
