"""What Patient, Patient.contact and RelatedPerson say alike of a person: name and language."""

from datetime import date
from typing import NamedTuple

from fhir_mappers.from_fhir.elements import numbered, part, parts, texts, truth, word
from fhir_mappers.from_fhir.moments import period_of
from fhir_mappers.person_facts import language_code
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import Resource

# The first is what we call them by
_USES = (
    "usual",
    "official",
    "",
    "nickname",
    "temp",
    "anonymous",
    "maiden",
    "old",
)


class Name(NamedTuple):
    """How somebody is called."""

    given: str
    family: str
    path: str


def read_name(node: Resource, path: str, today: date | None) -> Name:
    """The name of the best use that is complete and in use today; all '' without any."""
    found: list[tuple[tuple[bool, bool, int], Name]] = []
    for place, name in numbered(node, "name"):
        given, family = _given(name), word(name, "family")
        use = word(name, "use")
        if given or family:
            rank = (
                not period_of(part(name, "period")).holds(today) or use == "old",
                not (given and family),
                _USES.index(use) if use in _USES else len(_USES),
            )
            found.append((rank, Name(given, family, f"{path}.name[{place}]")))
    return min(found, key=lambda each: each[0])[1] if found else Name("", "", "")


def names_of(node: Resource) -> list[Resource]:
    """Every HumanName as R4 has it."""
    made = []
    for name in parts(node, "name"):
        found: Resource = {key: text for key in ("text", "family") if (text := word(name, key))}
        if found and word(name, "use") in _USES[:2] + _USES[3:]:
            found["use"] = word(name, "use")
        given = [text for text in _strings(name, "given") if text]
        if given:
            found["given"] = given
        if found:
            made.append(found)
    return made


def read_language(node: Resource, path: str, profile: VendorProfile) -> tuple[str | None, str, bool]:
    """The preferred language, else the only one (BCP-47), where it stood, and whether one was said at all."""
    said = list(numbered(node, "communication"))
    preferred = [each for each in said if truth(each[1], "preferred")]
    chosen = preferred or (said if len(said) == 1 else [])
    for place, each in chosen:
        for text in texts(part(each, "language")):
            code = language_code(text, profile)
            if code is not None:
                return code, f"{path}.communication[{place}].language", True
    return None, "", bool(chosen)


def _given(name: Resource) -> str:
    return next((text for text in _strings(name, "given") if text), "")


def _strings(node: Resource, name: str) -> list[str]:
    value = node.get(name)
    return [word({"text": each}, "text") for each in (value if isinstance(value, list) else [value])]
