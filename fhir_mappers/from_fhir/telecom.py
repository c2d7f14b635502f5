"""ContactPoint → a number that may be texted: system, use, rank and period (standards §4.3), as XTN of v2."""

from datetime import date
from typing import Final

from fhir_mappers.from_fhir.elements import numbered, part, whole, word
from fhir_mappers.from_fhir.moments import period_of, written_period
from fhir_mappers.number_to_text import EXTENSION, NUMBER, UNRANKED, Telecom
from fhir_mappers.translation import Resource

_TEXTED: Final = frozenset({"phone", "sms"})
_SYSTEMS: Final = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
_USES: Final = frozenset({"mobile", "home", "work"})


def read_telecoms(node: Resource, path: str, today: date | None) -> list[Telecom]:
    """Every ContactPoint of a Patient, a contact or a RelatedPerson; `path` is its own, such as Patient.

    `today` judges their periods; None judges nothing.
    """
    return [_read(point, f"{path}.telecom[{place}]", today) for place, point in numbered(node, "telecom")]


def _read(point: Resource, path: str, today: date | None) -> Telecom:
    system, use = word(point, "system").casefold(), word(point, "use").casefold()
    value = word(point, "value")
    text = value.removeprefix("tel:").removeprefix("sms:")
    found = NUMBER.search(text) if "@" not in text else None
    is_number = system in _TEXTED or (not system and found is not None)
    kind = use if use in _USES else "unknown"
    if system == "sms":
        kind = "mobile"
    resource: Resource = {"system": _system(system), "value": value}
    if use in _USES | {"temp", "old"}:
        resource["use"] = use
    rank = whole(point, "rank")
    if rank:
        resource["rank"] = rank
    period = part(point, "period")
    if written_period(period):
        resource["period"] = written_period(period)
    return Telecom(
        path=path,
        kind=kind if is_number else "never",
        written=(found.group().strip(),) if found is not None and is_number else (),
        extension=EXTENSION.search(text) is not None or ";ext=" in text,
        preference=rank or UNRANKED,
        expired=use == "old" or not period_of(period).holds(today),
        resources=(resource,) if value else (),
    )


def _system(written: str) -> str:
    """A code of R4; without one it was taken for a telephone number."""
    return written if written in _SYSTEMS else "other" if written else "phone"
