"""XTN → ContactPoint (guide: datatype XTN[ContactPoint]).

Senders write telephone numbers in every way XTN ever allowed and in some it did not (standards §1.5).
A number is built from XTN.12, else XTN.5+6+7, else XTN.1. It is mobile, home or work by the words in XTN.2,
.3 or .4, else by what its field usually holds.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.hl7_time import read_date
from fhir_mappers.number_to_text import EXTENSION, NUMBER, UNRANKED, Telecom
from fhir_mappers.profile_people import Phones, PhoneSource
from fhir_mappers.tables import TELECOM_SYSTEM
from fhir_mappers.translation import Resource
from fhir_mappers.v2_message import Composite, SegmentRun

_RANK_DIGITS = 6
_STRENGTH = ("never", "mobile", "work", "home")


def read_telecoms(run: SegmentRun, phones: Phones, today: date | None) -> list[Telecom]:
    """Return every telephone number and e-mail address of the patient in `run`.

    `today` judges XTN.13 and XTN.14 (valid from and to); None judges nothing.
    """
    return read_numbers(run, phones.sources, phones, today)


def read_numbers(
    run: SegmentRun, sources: Sequence[PhoneSource], phones: Phones, today: date | None
) -> list[Telecom]:
    """Return every number of these sources, each in every repetition of its field and of its segment."""
    found: list[Telecom] = []
    for source in sources:
        name = source.path[:3]
        for row in range(1, run.count(name) + 1) if source.path[3] != "[" else (1,):
            own = source if row == 1 else source.in_row(row)
            for n, xtn in enumerate(run.field(own.path), start=1):
                if own.repetition not in (None, n):
                    continue
                kind = _kind_beside(run, own, xtn, phones)
                number = xtn if own.component is None else Composite(xtn.get(*own.component), run)
                found.append(_read(number, _repetition(own.path, n), kind, phones, today))
    return found


def _repetition(path: str, n: int) -> str:
    """Return the path of the nth repetition: PID-13[2], ZPD-5[2].1; one that names its own stays."""
    if n == 1 or "[" in path[path.index("-") :]:
        return path
    field, dot, component = path.partition(".")
    return f"{field}[{n}]{dot}{component}"


def _kind_beside(run: SegmentRun, source: PhoneSource, xtn: Composite, phones: Phones) -> str:
    """Return the kind that the word beside the number says, in its repetition or segment, else the usual."""
    if source.kind_path is None:
        return source.kind
    beside = source.kind_component
    word = run.get(source.kind_path) if beside is None else xtn.get(*beside)
    return phones.kinds.get(plain(word).casefold(), source.kind)


def _read(xtn: Composite, path: str, usual: str, phones: Phones, today: date | None) -> Telecom:
    use, equipment, address = plain(xtn.get(2)), plain(xtn.get(3)), plain(xtn.get(4))
    known = phones.kinds
    kinds = [known[word.casefold()] for word in (use, equipment, address) if word.casefold() in known]
    # A fax is a fax whatever its use, a mobile at work a mobile: the strongest word wins.
    kind = min(kinds, key=_STRENGTH.index) if kinds else usual
    begins, ends = xtn.get(13), xtn.get(14)
    valid = _Validity(read_date(begins), read_date(ends)) if begins or ends else _ALWAYS
    # XTN.15 says why a number expired (HL7 table 0868).
    expired = bool(xtn.get(15).strip()) or (today is not None and not valid.on(today))
    preference = _preference(xtn.get(18))
    first = plain(xtn.get(1))
    written = _written(xtn, first, phones)
    resources: list[Resource] = []
    if written:
        system = TELECOM_SYSTEM.get(equipment.upper(), "phone")
        point: Resource = {"system": "phone" if system == "email" else system, "value": written[0]}
        if expired:
            point["use"] = "old"
        elif kind in ("mobile", "home", "work"):
            point["use"] = kind
        if preference:
            point["rank"] = preference
        if valid is not _ALWAYS:
            point |= valid.period()
        resources.append(point)
    if "@" in address:
        resources.append({"system": "email", "value": address})
    extension = bool(xtn.get(8)) or (bool(first) and EXTENSION.search(first) is not None)
    return Telecom(path, kind, written, extension, preference or UNRANKED, expired, tuple(resources))


def _written(xtn: Composite, first: str, phones: Phones) -> tuple[str, ...]:
    """Return XTN.12, XTN.5+6+7 with and without the country, XTN.1: those that hold a number."""
    texts = [xtn.get(12)]
    local = xtn.get(7)
    if local:
        country, area = xtn.get(5), xtn.get(6)
        national = f"{area} {local}" if area else local
        texts += [f"+{country.lstrip('+')} {national}", national] if country else [national]
    texts.append(first)
    numbers = []
    for text in texts:
        # Digits in an e-mail address are no number.
        usable = text and "@" not in text and text.casefold() not in phones.no_number
        found = NUMBER.search(text) if usable else None
        if found is not None:
            numbers.append(found.group().strip())
    return tuple(numbers)


def _preference(rank: str) -> int:
    """Return XTN.18, 0 when there is none."""
    rank = rank.strip()
    return int(rank) if rank.isascii() and rank.isdigit() and len(rank) <= _RANK_DIGITS else 0


class _Validity(NamedTuple):
    begins: date | None
    ends: date | None

    def on(self, day: date) -> bool:
        return (self.ends is None or day <= self.ends) and (self.begins is None or self.begins <= day)

    def period(self) -> Resource:
        if self.begins and self.ends and self.begins > self.ends:
            return {}
        bounds = {"start": self.begins, "end": self.ends}
        period = {key: day.isoformat() for key, day in bounds.items() if day is not None}
        return {"period": period} if period else {}


_ALWAYS = _Validity(None, None)
