"""Where the clock stands for whoever reads a text: by the patient's address, else as at the practice.

Quiet hours are those of the called party's location (47 CFR 64.1200(c)(1)). An address that leaves two
zones open gives both, and a text must be decent in each.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from babel.core import Locale, get_global

from integration.domain.postal_zones import (
    UNITED_KINGDOM,
    country_of_postal_code,
    country_of_state,
    zones_of_postal_code,
    zones_of_state,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from integration.domain.recipient import Patient

# Names that CLDR does not give.
_COUNTRIES: Final = {
    "united states of america": "US",
    "england": UNITED_KINGDOM,
    "scotland": UNITED_KINGDOM,
    "wales": UNITED_KINGDOM,
    "northern ireland": UNITED_KINGDOM,
    "great britain": UNITED_KINGDOM,
}
_STATES: Final = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;
DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa;
KS Kansas; KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota;
MS Mississippi; MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey;
NM New Mexico; NY New York; NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon;
PA Pennsylvania; RI Rhode Island; SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah;
VT Vermont; VA Virginia; WA Washington; WV West Virginia; WI Wisconsin; WY Wyoming; AS American Samoa;
GU Guam; MP Northern Mariana Islands; PR Puerto Rico; VI Virgin Islands; AB Alberta; BC British Columbia;
MB Manitoba; NB New Brunswick; NL Newfoundland and Labrador; NS Nova Scotia; NT Northwest Territories;
NU Nunavut; ON Ontario; PE Prince Edward Island; QC Quebec; QC Québec; SK Saskatchewan; YT Yukon
"""
_NAMED_STATES: Final = {
    name.casefold(): code for code, _, name in (each.strip().partition(" ") for each in _STATES.split(";"))
}
# Two zones that agree on all of these keep the same time: winter and summer, soon and by the latest rules.
_MOMENTS: Final = tuple(
    datetime(year, month, 15, 12, tzinfo=UTC) for year in (2026, 2027, 2037) for month in (1, 3, 7, 11)
)


def recipient_zones(patients: Iterable[Patient], practice_zone: ZoneInfo) -> tuple[ZoneInfo, ...]:
    """All zones in which a text about these may be read, the likeliest first; never empty.

    The likeliest is the practice's where an address allows it.
    A guardian is taken to live with the child. A zone that keeps the practice's time is the practice's.
    """
    found: dict[tuple[timedelta | None, ...], ZoneInfo] = {}
    for patient in patients:
        names = _of_address(_address(patient.resource), practice_zone.key) or (practice_zone.key,)
        clocks = {_clock(ZoneInfo(name)): ZoneInfo(name) for name in reversed(names)}
        if _clock(practice_zone) in clocks:
            found.setdefault(_clock(practice_zone), practice_zone)
        for clock, zone in reversed(clocks.items()):
            found.setdefault(clock, zone)
    return tuple(found.values()) or (practice_zone,)


def _address(resource: Mapping[str, Any]) -> tuple[str, str, str]:
    """Country, state and postal code of a FHIR Patient's address, '' for what it lacks."""
    addresses: Sequence[Mapping[str, Any]] = resource.get("address") or ({},)
    first = addresses[0]
    country, state, code = (str(first.get(key) or "").strip() for key in ("country", "state", "postalCode"))
    return country, state, code.upper()


@lru_cache(maxsize=4096)
def _of_address(address: tuple[str, str, str], practice: str) -> tuple[str, ...]:
    """The zones an address leaves open, by name; () when it says nothing."""
    country, state, code = address
    state = _NAMED_STATES.get(state.casefold(), state.upper().removeprefix("US-").removeprefix("CA-"))
    where = _country(country) or country_of_state(state) or country_of_postal_code(code)
    if where is None:
        return ()
    by_state = zones_of_state(state) if country_of_state(state) == where else ()
    by_code = zones_of_postal_code(code, where)
    if by_state and by_code:
        # Neither is believed over the other where they contradict each other.
        return tuple(zone for zone in by_state if zone in by_code) or (*by_state, *by_code)
    whole = tuple(get_global("territory_zones").get(where, ()))
    # A country of several zones and nothing more: the practice's, where it is one of them.
    return by_code or by_state or ((practice,) if practice in whole else whole)


@lru_cache(maxsize=512)
def _country(said: str) -> str | None:
    """ISO 3166 two-letter code of a country by its code (two or three letters) or English name."""
    if not said:
        return None
    upper = said.upper()
    if upper in get_global("territory_zones"):
        return upper
    replaced = get_global("territory_aliases").get(upper, ())
    if len(replaced) == 1:
        return str(replaced[0])
    names = {name.casefold(): code for code, name in Locale("en").territories.items()}
    return _COUNTRIES.get(said.casefold()) or names.get(said.casefold())


@lru_cache(maxsize=512)
def _clock(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    return tuple(moment.astimezone(zone).utcoffset() for moment in _MOMENTS)
