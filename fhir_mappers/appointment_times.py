"""When the appointment starts and ends, and in which zone that was said (standards §0.4, §1.3).

The first start that can be read, in the profile's order, is taken; a later one that differs is warned of.
The zone of a time: the offset written on it; else that of MSH-7, which HL7 makes the message's default;
else the location's; else the feed's. An offset in MSH-7 that the location's or the feed's own zone had at
that moment names that zone, so a message sent in winter says nothing wrong about a visit in summer.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.datatypes import plain
from fhir_mappers.findings import warn
from fhir_mappers.hl7_time import Moment, Written, place, read_time
from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile_visits import Durations, TimeSource
from fhir_mappers.translation import MapWarning
from fhir_mappers.v2_message import SegmentRun

_MINUTE = timedelta(minutes=1)
_ZERO = timedelta()
# SCH-9 holds a number; TQ.3 a number after S, M, H or D; some a number and a word ("2 hours").
_AMOUNT = re.compile(r"([A-Za-z]?)(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]*)", re.ASCII)


class Times(NamedTuple):
    """Start and end, and the paths they came from; both or neither (app-2)."""

    start: datetime | None
    end: datetime | None
    start_path: str
    end_path: str  # "" when the length was assumed


class Clock:
    """How local times of one message are read, and at which zone's offset they are shown."""

    __slots__ = ("_read", "reading", "sender", "zone")

    def __init__(self, zone: ZoneInfo, reading: tzinfo, sender: timedelta | None) -> None:
        self.zone = zone
        self.reading = reading
        self.sender = sender  # the offset on MSH-7
        self._read: dict[str, tuple[Written, Moment]] = {}  # a start is often repeated on every resource

    def read(self, value: str) -> tuple[Written, Moment]:
        """Read a time of this message and place it in the world."""
        read = self._read.get(value)
        if read is None:
            written = read_time(value)
            read = self._read[value] = written, place(written, self.zone, self.reading)
        return read


def clock_of(sent: Written, sent_at: datetime | None, zone: ZoneInfo, feed_zone: ZoneInfo) -> Clock:
    """Return the clock of a message about a visit in `zone`, by MSH-7 as written (`sent`) and as placed."""
    if sent.offset is None:
        return Clock(zone, zone, None)
    for candidate in dict.fromkeys((zone, feed_zone)):
        if sent_at is not None and sent_at.astimezone(candidate).utcoffset() == sent.offset:
            return Clock(zone, candidate, sent.offset)
    return Clock(zone, timezone(sent.offset), sent.offset)


class _Start(NamedTuple):
    at: datetime
    source: TimeSource


def read_times(
    message: SegmentRun,
    profile: VendorProfile,
    clock: Clock,
    warnings: list[MapWarning],
    passed_over: Collection[str] = (),
) -> Times:
    """Find start and end; `warnings` receives what was wrong.

    The starts in segments `passed_over` are those of one service among several, not the appointment's.
    """
    chosen: _Start | None = None
    before = len(warnings)
    for source in profile.times:
        if source.segment in passed_over:
            if chosen is None and message.get(source.start).strip():
                warnings.append(warn(source.start, "start-of-a-part"))
            continue
        found = _earliest(message, source, profile.durations, clock, warnings if chosen is None else [])
        if found is None:
            continue
        if chosen is None:
            chosen = found
        elif found.at != chosen.at:
            warnings.append(warn(found.source.start, "starts-disagree"))
    if chosen is None:
        if len(warnings) == before:
            sent = [s.start for s in profile.times if message.count(s.segment)]
            warnings.append(warn((sent or [profile.times[0].start])[0], "no-start"))
        return Times(None, None, "", "")
    if not (chosen.at.hour or chosen.at.minute):
        warnings.append(warn(chosen.source.start, "midnight"))
    end, end_path = _end(message, chosen, profile, clock, warnings)
    return Times(chosen.at, end, chosen.source.start, end_path)


def _earliest(
    message: SegmentRun, source: TimeSource, durations: Durations, clock: Clock, warnings: list[MapWarning]
) -> _Start | None:
    """Return the earliest start among the segments of one source: several services begin with the first."""
    count = message.count(source.segment)
    if count == 0:
        return None
    if count == 1:
        return _start(message, source, durations, clock, warnings)
    starts = (_start(message, _nth(source, n), durations, clock, warnings) for n in range(1, count + 1))
    return min((start for start in starts if start), key=lambda start: start.at, default=None)


def _nth(source: TimeSource, n: int) -> TimeSource:
    if n == 1:
        return source
    segment = source.segment
    return TimeSource.model_construct(
        **{
            name: path.replace(f"{segment}-", f"{segment}[{n}]-", 1) if path else path
            for name, path in source.model_dump().items()
        }
    )


def _start(
    message: SegmentRun, source: TimeSource, durations: Durations, clock: Clock, warnings: list[MapWarning]
) -> _Start | None:
    value = message.get(source.start)
    if not value.strip():
        return None
    written, moment = clock.read(value)
    if moment.problem:
        warnings.append(warn(source.start, moment.problem))
    if moment.at is None:
        return None
    at = moment.at
    if written.offset is None and clock.sender is not None:
        if not isinstance(clock.reading, ZoneInfo):
            warnings.append(warn("MSH-7", "offset-of-other-zone"))
        elif clock.sender != at.utcoffset():
            warnings.append(warn("MSH-7", "offset-of-other-season"))
    offset = _offset(message, source, durations)
    if offset:
        warnings.append(warn(source.start, "offset-added"))
        at = _shift(at, offset, clock.zone)
    return _Start(at, source)


def _offset(message: SegmentRun, source: TimeSource, durations: Durations) -> timedelta:
    """Return AIS-5 and kin; a number without a unit is seconds by the standard (AIS-6)."""
    text = plain(message.get(source.offset)) if source.offset else ""
    if text in ("", "0"):
        return _ZERO
    sign = -1 if text.startswith("-") else 1
    amount = _AMOUNT.fullmatch(text.lstrip("+-"))
    if amount is None:
        return _ZERO
    unit = plain(message.get(source.offset_unit)).casefold() if source.offset_unit else ""
    seconds = float(amount.group(2)) * durations.seconds_of.get(unit, 1)
    return sign * timedelta(seconds=min(seconds, durations.longest_minutes * 60))


def _shift(at: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    """Add elapsed time, and show the result at the zone's offset then."""
    moved = (at + by).astimezone(zone)
    return moved.replace(tzinfo=timezone(moved.utcoffset() or _ZERO))


def _end(
    message: SegmentRun, chosen: _Start, profile: VendorProfile, clock: Clock, warnings: list[MapWarning]
) -> tuple[datetime, str]:
    durations = profile.durations
    longest = timedelta(minutes=durations.longest_minutes)
    path = chosen.source.end
    value = message.get(path) if path else ""
    if path and value.strip():
        end = clock.read(value)[1].at
        if end is None:
            warnings.append(warn(path, "not-a-time"))
        elif not _ZERO < end - chosen.at <= longest:
            warnings.append(warn(path, "end-before-start" if end <= chosen.at else "duration-out-of-range"))
        else:
            return end, path
    for amount_path, unit_paths in _duration_paths(chosen.source, profile):
        minutes = _minutes(message, amount_path, unit_paths, durations, warnings)
        if minutes:
            return _shift(chosen.at, minutes * _MINUTE, clock.zone), amount_path
    warnings.append(warn(chosen.source.start, "end-assumed"))
    return _shift(chosen.at, durations.assumed_minutes * _MINUTE, clock.zone), ""


def _duration_paths(chosen: TimeSource, profile: VendorProfile) -> Iterator[tuple[str, Iterable[str]]]:
    """Give where a duration may stand: beside the start, for the whole, beside any other start."""
    own = chosen.duration
    if own:
        yield own, [chosen.duration_unit] if chosen.duration_unit else ()
    for path in profile.durations.amount:
        yield path, profile.durations.unit
    for source in profile.times:
        if source.duration and source.duration != own:
            yield source.duration, [source.duration_unit] if source.duration_unit else ()


def _minutes(
    message: SegmentRun,
    path: str,
    unit_paths: Iterable[str],
    durations: Durations,
    warnings: list[MapWarning],
) -> int:
    """Return whole minutes; 0 when absent, unreadable or out of range (the latter two are warned of)."""
    text = plain(message.get(path))
    if not text:
        return 0
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        warnings.append(warn(path, "duration-unreadable"))
        return 0
    units = [unit.casefold() for unit in (amount.group(3), amount.group(1)) if unit]
    units += [unit for unit_path in unit_paths if (unit := plain(message.get(unit_path)).casefold())]
    size = next((durations.seconds_of[unit] for unit in units if unit in durations.seconds_of), 0)
    number = float(amount.group(2))
    if not size:
        if units:
            warnings.append(warn(path, "duration-unreadable"))
            return 0
        size = 60 if durations.unitless == "minutes" else 1
        if durations.unitless is None and 0 < number < durations.unitless_seconds_from:
            size = 60
            warnings.append(warn(path, "duration-unit-guessed"))
    minutes = round(number * size / 60)
    if not durations.shortest_minutes <= minutes <= durations.longest_minutes:
        warnings.append(warn(path, "duration-out-of-range"))
        return 0
    return minutes
