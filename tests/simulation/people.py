"""The people of a simulated year: families on one phone, and children; all of them invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import phonenumbers

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

GIVEN = ("Ana", "Ben", "Carla", "Drew", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jo", "Kim", "Lea", "Max", "Noor")
FAMILY = ("Sample", "Example", "Specimen", "Pattern", "Model", "Instance")
ADULT = 18


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives: PID-11, and the zone its clocks show."""

    city: str
    state: str
    zip: str
    zone: ZoneInfo


HOMES = {
    "MA": Home("Boston", "MA", "02101", ZoneInfo("America/New_York")),
    "IL": Home("Chicago", "IL", "60601", ZoneInfo("America/Chicago")),
    "CO": Home("Denver", "CO", "80201", ZoneInfo("America/Denver")),
    "AZ": Home("Phoenix", "AZ", "85001", ZoneInfo("America/Phoenix")),
    "CA": Home("Los Angeles", "CA", "90001", ZoneInfo("America/Los_Angeles")),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the EHR knows of one record at one time."""

    mrn: str
    given: str
    family: str
    born: date
    language: str
    state: str  # a key of HOMES
    number: str  # E.164; empty: none
    guardian: str = ""  # E.164, of a child's mother
    dead: bool = False

    def is_minor(self, on: date) -> bool:
        """Whether they are under 18 on that day."""
        had_birthday = (on.month, on.day) >= (self.born.month, self.born.day)
        return on.year - self.born.year - (not had_birthday) < ADULT

    def number_on(self, day: date) -> str:
        """Whom to text for them on that day; empty: nobody."""
        return "" if self.dead else self.guardian if self.is_minor(day) else self.number


@dataclass(slots=True)
class Family:
    """People who share a phone and a home."""

    phone: str
    members: list[Facts] = field(default_factory=list)


def phones() -> Iterator[str]:
    """Numbers of the ranges that are kept for fiction (555-01xx), all of them valid, all of the US."""
    for last in range(100, 200):
        for area in range(201, 990):
            number = f"+1{area}5550{last}"
            parsed = phonenumbers.parse(number)
            usual = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
            if usual and phonenumbers.region_code_for_number(parsed) == "US":
                yield number


def families(
    rng: random.Random, numbers: Iterator[str], *, count: int, first: int, year: date, state: str
) -> Iterator[Family]:
    """So many people, in families; medical record numbers count from `first`."""
    born = 0
    while born < count:
        size = min(1 if rng.random() < 0.72 else rng.randint(2, 5), count - born)
        home = state if rng.random() < 0.9 else rng.choice(sorted(HOMES))
        language = "es" if rng.random() < 0.2 else "vi" if rng.random() < 0.03 else "en"
        family = Family(next(numbers))
        name = rng.choice(FAMILY)
        for place in range(size):
            child = place > 0 and rng.random() < 0.6
            age = rng.randint(0, 17) if child else rng.randint(19, 90)
            family.members.append(
                Facts(
                    mrn=f"M{first + born + place:06}",
                    given=rng.choice(GIVEN),
                    family=name,
                    born=year - timedelta(days=age * 365 + rng.randint(1, 360)),
                    language=language,
                    state=home,
                    number="" if child or (size == 1 and rng.random() < 0.03) else family.phone,
                    guardian=family.phone if child else "",
                )
            )
        born += size
        yield family
