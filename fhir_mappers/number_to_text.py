"""Which of somebody's numbers to text: that of the best kind which is valid in its numbering plan.

Numbers without a country are dialled in the feed's region. Where the plan itself tells mobile from fixed
(not in North America), the plan decides.
"""

import re
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

from fhir_mappers.profile_people import Phones
from fhir_mappers.translation import Resource

# XTN.1 before 2.7: [NN] [(999)]999-9999[X99999][B99999][C any text]; people write the same into FHIR
NUMBER = re.compile(r"[+(]*\d[\d\s().\-/]{4,}", re.ASCII)
EXTENSION = re.compile(r"\s*(?:x|ext)\.?\s*\d", re.ASCII | re.IGNORECASE)
UNRANKED = 1 << 31  # no preference: after every number that has one
_NANP = frozenset({"US", "CA", "PR"})  # regions of the North American plan we meet most
_NANP_DIGITS = 10
_LONGEST_E164 = 16  # the sign and 15 digits (ITU-T E.164)
_NEVER_TYPES = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


class Telecom(NamedTuple):
    """One repetition of XTN, or one ContactPoint, understood as far as its own words go."""

    path: str  # PID-13[2], Patient.telecom[1]
    kind: str  # mobile, unknown, home, work, never
    written: tuple[str, ...]  # the number as it may be read, best first
    extension: bool  # behind a switchboard, where a text reaches nobody
    preference: int  # XTN.18 or rank, lowest first
    expired: bool
    resources: tuple[Resource, ...]  # ContactPoints: a number, an address, or both


class TextTo(NamedTuple):
    """The number to text."""

    path: str
    kind: str
    number: str  # E.164


def number_to_text(telecoms: list[Telecom], phones: Phones, region: str) -> TextTo | None:
    """Return the best number to text: kind as `phones.offer` has it, then preference, then order.

    `region` (ISO 3166) is where numbers without a country code are dialled. Numbers are tried best first,
    so most are never parsed; a number that only its plan shows to be mobile is found as well.
    """
    order = {str(kind): place for place, kind in enumerate(phones.offer)}
    hopeful = [t for t in telecoms if t.written and not t.expired and t.kind != "never"]
    hopeful.sort(key=lambda t: (order.get(t.kind, len(order)), t.preference))
    others: list[tuple[int, TextTo]] = []
    for telecom in hopeful:
        found = _parse(telecom, region)
        if found is None:
            continue
        if telecom.kind == found.kind == phones.offer[0]:
            return found
        if found.kind in order:
            others.append((order[found.kind], found))
    return min(others, key=lambda other: other[0])[1] if others else None


def _parse(telecom: Telecom, region: str) -> TextTo | None:
    """Return the number in E.164, if it is valid in its plan and a text can reach it."""
    for text in telecom.written:
        number = _number(text, region)
        if number is None:
            continue
        plan = phonenumbers.number_type(number)
        if plan == PhoneNumberType.UNKNOWN:  # not valid in its plan
            continue
        kind = _kind_by_plan(telecom.kind, plan)
        if kind == "never" or (telecom.extension and kind != "mobile"):
            return None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if len(e164) > _LONGEST_E164:  # the plan of some countries knows longer ones
            continue
        return TextTo(telecom.path, kind, e164)
    return None


def _number(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """Parse; ten digits of North America, the most common case, need no parser."""
    digits = "".join(filter(str.isdigit, text))
    if text.startswith("+1"):
        digits = digits[1:]
    elif text.startswith("+") or region not in _NANP:
        digits = ""
    if len(digits) == _NANP_DIGITS and digits[0] not in "01":
        return phonenumbers.PhoneNumber(country_code=1, national_number=int(digits))
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _kind_by_plan(kind: str, plan: int) -> str:
    if plan in _NEVER_TYPES:
        return "never"
    if kind in ("unknown", "home", "work") and plan == PhoneNumberType.MOBILE:
        return "mobile"
    return "home" if kind == "unknown" and plan == PhoneNumberType.FIXED_LINE else kind
