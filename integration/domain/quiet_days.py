"""Days on which a practice texts nobody: weekdays, dates, public holidays.

No law here asks for them of reminders; Texas and others do of sales texts (Sundays before noon), and
patients expect them. The day is the recipient's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NotADay(ValueError):
    """An entry that names no day; its words say what is allowed."""

    def __init__(self, entry: str) -> None:
        super().__init__(
            f'"{entry}" is no day: write a weekday such as "sunday", a date such as "2027-12-24", or a place '
            'whose public holidays are meant, such as "US", "US-MA" or "GB-ENG" (ISO 3166)'
        )


@dataclass(frozen=True, slots=True)
class QuietDays:
    """The days, and whether bad news (a visit moved or cancelled) goes out on them."""

    weekdays: frozenset[int] = frozenset()  # Monday is 0
    dates: frozenset[date] = frozenset()
    places: tuple[str, ...] = ()  # whose public holidays are meant, ISO 3166: US, US-MA
    bad_news_passes: bool = True

    @classmethod
    def read(cls, entries: Iterable[str], *, bad_news_passes: bool = True) -> QuietDays:
        """As a configuration writes them. Raises NotADay."""
        weekdays, dates, places = set(), set(), []
        for entry in entries:
            if entry.casefold() in _WEEKDAYS:
                weekdays.add(_WEEKDAYS.index(entry.casefold()))
            elif entry[:1].isdigit():
                dates.add(_date(entry))
            elif _is_place(entry):
                places.append(entry)
            else:
                raise NotADay(entry)
        return cls(frozenset(weekdays), frozenset(dates), tuple(places), bad_news_passes)

    def hold(self, day: date, *, bad_news: bool = False) -> bool:
        """Whether nothing goes out on that day."""
        if bad_news and self.bad_news_passes:
            return False
        return (
            day.weekday() in self.weekdays
            or day in self.dates
            or any(day in _holidays(place, day.year) for place in self.places)
        )


def _date(entry: str) -> date:
    try:
        return date.fromisoformat(entry)
    except ValueError:
        raise NotADay(entry) from None


def _is_place(entry: str) -> bool:
    import holidays  # noqa: PLC0415 - takes a while, and most sites name no place

    country, _, region = entry.partition("-")
    known = holidays.list_supported_countries()
    return country in known and (not region or region in known[country])


@lru_cache(maxsize=64)
def _holidays(place: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - as above

    country, _, region = place.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
