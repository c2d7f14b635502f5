"""What a text may say about a practice and a visit, and how a language says when it is.

Weekday and month names are CLDR's (Babel), always in the clinic's own zone; the phrase
around them, and AM or PM, are the catalogue's.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from babel.core import Locale
from babel.dates import format_date, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime, tzinfo

    from integration.domain.text_template import Template

NOON: Final = 12
ONE_O_CLOCK: Final = 1
NAME_LENGTH: Final = 12  # letters of a first name a text gives room to
_JOINTS: Final = "-'’"  # noqa: RUF001 - the apostrophe as phones and EHRs write it


@dataclass(frozen=True, slots=True)
class PracticeWords:
    """How patients know the practice: its public name and a phone that is answered."""

    name: str
    phone: str
    emergency: str = "911"


@dataclass(frozen=True, slots=True)
class VisitWords:
    """What a text may say of one visit; `start` is aware and in the clinic's zone."""

    first_name: str | None
    start: datetime
    modality: str  # in_person | video | phone
    patient: str = ""  # tells apart patients of one first name; "" when the name does

    def __post_init__(self) -> None:
        """Refuse a start without a zone."""
        if self.start.tzinfo is None:
            raise ValueError("a visit's start must be aware, in the clinic's zone")

    @property
    def who(self) -> str:
        """What tells this patient from another in the same text."""
        return self.patient or self.first_name or ""


@dataclass(frozen=True, slots=True)
class WhenWords:
    """How a language says a date and a time."""

    locale: str  # CLDR, such as en_US
    date_pattern: str  # CLDR, such as EEE MMM d
    time_pattern: str  # CLDR, such as h:mm
    morning: Template  # {time}
    afternoon: Template  # {time}
    full: Template  # {date} {time}
    today: Template  # {time}
    full_one: Template  # the same for one o'clock, where grammar differs (a la 1:00, a las 2:00)
    today_one: Template

    def day(self, on: date) -> str:
        """A day with its weekday, such as Tue Dec 1."""
        return format_date(on, self.date_pattern, locale=_locale(self.locale))

    def clock(self, at: datetime, *, show_zone: bool) -> str:
        """A time of day, such as 2:30 PM, with the zone's abbreviation when asked."""
        words = format_time(at.time(), self.time_pattern, locale=_locale(self.locale))
        half = self.morning if at.hour < NOON else self.afternoon
        spoken = half.fill({"time": words})
        return f"{spoken} {_zone(at)}" if show_zone else spoken

    def say(self, on: date, first: datetime, times: str, *, is_today: bool) -> str:
        """A day and the time or times on it; `first` is the earliest of them."""
        one = first.hour % NOON == ONE_O_CLOCK
        if is_today:
            return (self.today_one if one else self.today).fill({"time": times})
        return (self.full_one if one else self.full).fill({"date": self.day(on), "time": times})


def spoken_name(first_name: str | None) -> str | None:
    """A first name as a text may say it: no shouting, no signs, at most 12 letters; None when none is left.

    EHRs keep names in capitals, with middle names behind, and sometimes with remarks.
    """
    words: list[str] = []
    for word in unicodedata.normalize("NFC", first_name or "").split():
        letters = "".join(takewhile(_in_a_name, word))
        words += [letters] if letters.strip(_JOINTS) else []
        if letters != word:
            break
    name = " ".join(words)
    if len(name) > NAME_LENGTH:
        name = words[0][:NAME_LENGTH]
    return (name.title() if name.isupper() or name.islower() else name) or None


def _in_a_name(character: str) -> bool:
    return character in _JOINTS or unicodedata.category(character)[0] in "LM"


def _zone(at: datetime) -> str:
    """EST where the zone has letters, GMT-3 where it has none."""
    name = at.tzname() or ""
    if name.isalpha():
        return name
    offset = at.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def reads_another_clock(start: datetime, zones: Iterable[tzinfo]) -> bool:
    """Whether somebody in one of these zones could take the clinic's time for their own."""
    return any(start.astimezone(zone).utcoffset() != start.utcoffset() for zone in zones)


@lru_cache(maxsize=64)
def _locale(identifier: str) -> Locale:
    return Locale.parse(identifier)
