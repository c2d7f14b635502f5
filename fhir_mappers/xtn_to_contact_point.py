"""XTN → ContactPoint, and which of a patient's numbers to text (guide: datatype XTN[ContactPoint]).

Senders write telephone numbers in every way XTN ever allowed and in some it did not (standards §1.5).
A number is built from XTN.12, else XTN.5+6+7, else XTN.1, with the feed's region, and must be valid in
its numbering plan. It is mobile, home or work by the words in XTN.2, .3 or .4, else by what its field usually
holds; where the plan itself tells mobile from fixed (not in North America), the plan decides.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

from fhir_mappers.datatypes import plain
from fhir_mappers.hl7_time import read_date
from fhir_mappers.profile import Phones
from fhir_mappers.tables import TELECOM_SYSTEM
from fhir_mappers.translation import Resource
from fhir_mappers.v2_message import Composite, SegmentRun

# XTN.1 before 2.7: [NN] [(999)]999-9999[X99999][B99999][C any text]
_NUMBER = re.compile(r"[+(]*\d[\d\s().\-/]*", re.ASCII)
_EXTENSION = re.compile(r"\s*(?:x|ext)\.?\s*\d", re.ASCII | re.IGNORECASE)
_FEWEST_DIGITS = 5
_RANK_DIGITS = 6
_UNRANKED = 1 << 31  # XTN.18 empty: after every number that has a preference
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
    """One repetition of XTN, understood."""

    path: str  # PID-13[2]
    kind: str  # mobile, unknown, home, work, never
    number: str  # E.164 when it may be texted, '' otherwise
    preference: int  # XTN.18, lowest first
    resources: tuple[Resource, ...]  # ContactPoints: a number, an address, or both


class NumberRules(NamedTuple):
    """By what numbers are judged."""

    phones: Phones
    region: str  # ISO 3166, for numbers without a country code
    today: date | None  # against XTN.13 and XTN.14 (valid from and to); None judges nothing


def read_telecoms(run: SegmentRun, rules: NumberRules) -> Iterator[Telecom]:
    """Give every telephone number and e-mail address of the patient in `run`."""
    for source in rules.phones.sources:
        for repetition, xtn in enumerate(run.field(source.path), start=1):
            path = f"{source.path}[{repetition}]" if repetition > 1 else source.path
            yield _read(xtn, path, source.kind, rules)


def number_to_text(telecoms: Iterable[Telecom], phones: Phones) -> Telecom | None:
    """Return the best number to text: kind as `phones.offer` has it, then preference, then order."""
    order = {str(kind): place for place, kind in enumerate(phones.offer)}
    offered = [telecom for telecom in telecoms if telecom.number and telecom.kind in order]
    return min(offered, key=lambda telecom: (order[telecom.kind], telecom.preference), default=None)


class _Parsed(NamedTuple):
    e164: str
    plan: int  # PhoneNumberType
    extension: bool  # behind a switchboard, where a text reaches nobody


def _read(xtn: Composite, path: str, usual: str, rules: NumberRules) -> Telecom:
    phones = rules.phones
    use, equipment, address = plain(xtn.get(2)), plain(xtn.get(3)), plain(xtn.get(4))
    kinds = {phones.kinds.get(word.casefold(), "") for word in (use, equipment, address) if word}
    kind = next((k for k in ("never", "mobile", "work", "home") if k in kinds), usual)
    parsed = _number(xtn, rules)
    textable = False
    if parsed is not None:
        kind = _kind_by_plan(kind, parsed.plan)
        textable = kind == "mobile" or not (parsed.extension or kind == "never")
    over = _expired(xtn, rules.today)
    preference = _preference(xtn.get(18).strip())
    written = parsed.e164 if parsed else plain(xtn.get(1))
    resources: list[Resource] = []
    if any(c.isdigit() for c in written):
        system = TELECOM_SYSTEM.get(equipment.upper(), "phone")
        point: Resource = {"system": "phone" if system == "email" else system, "value": written}
        if over:
            point["use"] = "old"
        elif kind in ("mobile", "home", "work"):
            point["use"] = kind
        if preference:
            point["rank"] = preference
        resources.append(point | _period(xtn))
    if "@" in address:
        resources.append({"system": "email", "value": address})
    number = parsed.e164 if parsed and textable and not over else ""
    return Telecom(path, kind, number, preference or _UNRANKED, tuple(resources))


def _number(xtn: Composite, rules: NumberRules) -> _Parsed | None:
    country, area, local = xtn.get(5), xtn.get(6), xtn.get(7)
    texts = [xtn.get(12)]
    if local and country:
        texts.append(f"+{country.lstrip('+')} {area} {local}")
    if local:
        texts.append(f"{area} {local}")
    texts.append(xtn.get(1))
    for text in texts:
        if not text or plain(text).casefold() in rules.phones.no_number:
            continue
        found = _NUMBER.search(text)
        if found is None or sum(c.isdigit() for c in found.group()) < _FEWEST_DIGITS:
            continue
        try:
            number = phonenumbers.parse(found.group(), rules.region)
        except phonenumbers.NumberParseException:
            continue
        plan = phonenumbers.number_type(number)
        if plan == PhoneNumberType.UNKNOWN:  # not valid in its plan
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return _Parsed(e164, plan, bool(xtn.get(8)) or _EXTENSION.match(text, found.end()) is not None)
    return None


def _kind_by_plan(kind: str, plan: int) -> str:
    if plan in _NEVER_TYPES:
        return "never"
    if kind in ("unknown", "home", "work") and plan == PhoneNumberType.MOBILE:
        return "mobile"
    return "home" if kind == "unknown" and plan == PhoneNumberType.FIXED_LINE else kind


def _preference(rank: str) -> int:
    """Return XTN.18, 0 when there is none."""
    return int(rank) if rank.isascii() and rank.isdigit() and len(rank) <= _RANK_DIGITS else 0


def _expired(xtn: Composite, today: date | None) -> bool:
    if plain(xtn.get(15)):  # HL7 table 0868: why it expired
        return True
    if today is None:
        return False
    begins, ends = read_date(xtn.get(13)), read_date(xtn.get(14))
    return (ends is not None and ends < today) or (begins is not None and begins > today)


def _period(xtn: Composite) -> Resource:
    bounds = {"start": read_date(xtn.get(13)), "end": read_date(xtn.get(14))}
    period = {key: day.isoformat() for key, day in bounds.items() if day is not None}
    if not period or ("start" in period and "end" in period and period["start"] > period["end"]):
        return {}
    return {"period": period}
