"""Which clocks are kept where: by state or province, and by the first three characters of a postal code.

Where a state, or a postal area, keeps two times, both stand here: a text must be decent by either. The
postal areas are the United States Postal Service's three-digit prefixes and Canada Post's forward sortation
areas, beside the borders of 49 CFR part 71; places that keep their neighbours' time by custom (Phenix City
AL, West Wendover NV) count with both.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# One letter a zone, so that the tables below can be read.
_ZONES: Final = {
    "E": "America/New_York",
    "C": "America/Chicago",
    "M": "America/Denver",
    "P": "America/Los_Angeles",
    "Z": "America/Phoenix",
    "A": "America/Anchorage",
    "D": "America/Adak",
    "H": "Pacific/Honolulu",
    "S": "Pacific/Pago_Pago",
    "R": "America/Puerto_Rico",
    "G": "Pacific/Guam",
    "B": "Pacific/Palau",
    "K": "Pacific/Majuro",
    "U": "Pacific/Chuuk",
    "O": "Pacific/Pohnpei",
    "n": "America/St_Johns",
    "a": "America/Halifax",
    "e": "America/Toronto",
    "i": "America/Iqaluit",
    "c": "America/Winnipeg",
    "s": "America/Regina",
    "r": "America/Rankin_Inlet",
    "m": "America/Edmonton",
    "d": "America/Dawson_Creek",
    "p": "America/Vancouver",
    "y": "America/Whitehorse",
}

# State, district or territory (USPS) → its zones; the one with most people first.
_STATES: Final = """
AL:C AK:AD AZ:ZM AR:C CA:P CO:M CT:E DE:E DC:E FL:EC GA:E HI:H ID:MP IL:C IN:EC IA:C KS:CM KY:EC LA:C ME:E
MD:E MA:E MI:EC MN:C MS:C MO:C MT:M NE:CM NV:PM NH:E NJ:E NM:M NY:E NC:E ND:CM OH:E OK:C OR:PM PA:E RI:E
SC:E SD:CM TN:CE TX:CM UT:M VT:E VA:E WA:P WV:E WI:C WY:M AS:S GU:G MP:G PR:R VI:R FM:UO MH:K PW:B
"""

# ZIP prefixes → zones. Military ones (090-098, 340, 962-966) say nothing of where somebody is.
_ZIP_PREFIXES: Final = """
005:E 006-009:R 010-089:E 099-323:E 324:CE 325:C 326-339:E 341-349:E 350-367:C 368:CE 369-372:C 373-374:CE
375:C 376:E 377:CE 378-379:E 380-397:C 398-400:E 401:CE 402-418:E 420-424:C 425:E 426-427:CE 430-462:E
463-464:C 465:CE 466-468:E 469:CE 470-474:E 475:CE 476-477:C 478:E 479:CE 480-497:E 498-499:CE 500-567:C
569:E 570-574:C 575-576:CM 577:M 580-584:C 585-586:CM 587-588:C 590-599:M 600-676:C 677-678:CM 679-689:C
690-692:CM 693:M 700-797:C 798-799:CM 800-834:M 835:MP 836-837:M 838:P 840-849:M 850-859:Z 860:ZM 863-864:Z
865:ZM 870-885:M 889-897:P 898:PM 900-961:P 967:HS 968:H 969:GBKUO 970-978:P 979:PM 980-994:P 995:AD 996-999:A
"""

# Province or territory (Canada Post) → its zones; the one with most people first.
_PROVINCES: Final = """
NL:na NF:na NS:a PE:a NB:a QC:ea PQ:ea ON:ec MB:c SK:sm AB:m BC:pmd NT:m NU:irm YT:y
"""

# Forward sortation areas, the longest prefix first. Only the borders' own areas keep more than one time.
_SORTATION_AREAS: Final = """
A0K:na A0P:na A0R:na A2V:na A:n B:a C:a E:a G0G:ea G4T:a G:e H:e J:e K:e L:e M:e N:e P0:ec P8:ec P9:ec P:e
R:c S9V:sm S:s T:m V0A:pm V0B:pmd V0C:pmd V1A:pm V1C:pm V1G:d V1J:d V:p X0A:i X0B:m X0C:r X:m Y:y
"""

_ZIP: Final = re.compile(r"\d{3}(\d\d(-?\d{4})?)?")
_CANADIAN: Final = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[A-Z]( ?\d[A-Z]\d)?")
_BRITISH: Final = re.compile(r"(GIR|[A-Z]{1,2}\d[A-Z\d]?)( ?\d[A-Z]{2})?")
UNITED_STATES: Final = "US"
CANADA: Final = "CA"
UNITED_KINGDOM: Final = "GB"


def country_of_state(state: str) -> str | None:
    """The country of a two-letter state or province; the two lists share no code."""
    if state in _table(_STATES):
        return UNITED_STATES
    return CANADA if state in _table(_PROVINCES) else None


def country_of_postal_code(code: str) -> str | None:
    """The country by the form of a postal code, whole or cut to its first three characters."""
    forms = ((_ZIP, UNITED_STATES), (_CANADIAN, CANADA), (_BRITISH, UNITED_KINGDOM))
    return next((country for form, country in forms if form.fullmatch(code)), None)


def zones_of_state(state: str) -> tuple[str, ...]:
    """The zones of a two-letter state or province, () when there is none such."""
    return _named(_table(_STATES).get(state) or _table(_PROVINCES).get(state, ""))


def zones_of_postal_code(code: str, country: str) -> tuple[str, ...]:
    """The zones of a postal area, () when the code tells none."""
    if country == UNITED_STATES and _ZIP.fullmatch(code):
        return _named(_table(_ZIP_PREFIXES).get(code[:3], ""))
    if country == CANADA and _CANADIAN.fullmatch(code):
        areas = _table(_SORTATION_AREAS)
        return _named(next((areas[code[:n]] for n in (3, 2, 1) if code[:n] in areas), ""))
    return ()


def _named(letters: str) -> tuple[str, ...]:
    return tuple(_ZONES[letter] for letter in letters)


@cache
def _table(written: str) -> dict[str, str]:
    """What one of the tables above says, by code."""
    found: dict[str, str] = {}
    for entry in written.split():
        codes, _, letters = entry.partition(":")
        first, _, last = codes.partition("-")
        many = [f"{n:03}" for n in range(int(first), int(last) + 1)] if last else [first]
        found |= dict.fromkeys(many, letters)
    return found
