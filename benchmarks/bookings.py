"""Bookings of 2 KB as an EHR sends them, each of another visit of another invented person."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import phonenumbers

if TYPE_CHECKING:
    from datetime import datetime

_AREAS = range(201, 990)
_LINES = range(5_550_100, 5_550_200)  # reserved for fiction
_TEMPLATE = Path(__file__).with_name("booking.hl7").read_text(encoding="utf-8").replace("\n", "\r")


def booking(number: int, *, at: datetime, start: datetime) -> bytes:
    """The S12 of visit `number`, sent at `at`; both times aware. Phones repeat after some 30,000."""
    area, line = phone(number)
    return _TEMPLATE.format(
        id=f"{number:012}",
        at=f"{at:%Y%m%d%H%M%S%z}",
        start=f"{start:%Y%m%d%H%M%z}",
        area=area,
        line=line,
    ).encode()


def phone(number: int) -> tuple[int, int]:
    """Area code and line of a telephone that does not exist."""
    areas = _areas()
    return areas[number % len(areas)], _LINES[number // len(areas) % len(_LINES)]


def phones() -> int:
    """How many different ones there are."""
    return len(_areas()) * len(_LINES)


@cache
def _areas() -> list[int]:
    return [area for area in _AREAS if _is_an_area(area)]


def _is_an_area(code: int) -> bool:
    number = phonenumbers.parse(f"+1{code}{_LINES[0]}")
    texted = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == texted
