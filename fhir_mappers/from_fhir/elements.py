"""Plain JSON of a FHIR server, read without trust: what has not its shape is as if it were not there.

Real servers deviate from FHIR (standards §3.3); nothing here raises, whatever stands where.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.translation import Resource

# What no FHIR string may hold and some databases refuse: control characters, halves of a UTF-16 pair.
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LONGEST_WORD: Final = 1024  # characters; a FHIR id has 64, a URL seldom more than 200


class Coded(NamedTuple):
    """One Coding."""

    system: str
    code: str


def word(node: Any, name: str) -> str:
    """A string, code, uri or number of one line; '' when there is none."""
    value = node.get(name) if isinstance(node, dict) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return plain(_NO_TEXT.sub(" ", value[:_LONGEST_WORD])) if isinstance(value, str) else ""


def truth(node: Any, name: str) -> bool | None:
    """A boolean, also when written as a string; None when it is neither."""
    value = node.get(name) if isinstance(node, dict) else None
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().casefold())
    return value if isinstance(value, bool) else None


def whole(node: Any, name: str) -> int | None:
    """A whole number above zero."""
    text = word(node, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) else None  # noqa: PLR2004 - far above any rank or duration


def part(node: Any, name: str) -> Resource:
    """An element with elements of its own; the first when there are several, {} when there is none."""
    return next(iter(parts(node, name)), {})


def parts(node: Any, name: str) -> list[Resource]:
    """A repeating element; one that stands alone counts as a list of one."""
    value = node.get(name) if isinstance(node, dict) else None
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, dict)]


def numbered(node: Any, name: str) -> Iterator[tuple[int, Resource]]:
    """The same with the place of each in the list as it is written, for its FHIRPath."""
    value = node.get(name) if isinstance(node, dict) else None
    for place, each in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(each, dict):
            yield place, each


def extension(node: Any, url: str) -> Resource:
    """The first extension of that URL; {} when there is none."""
    return next((each for each in parts(node, "extension") if word(each, "url") == url), {})


def codes(concept: Any) -> list[Coded]:
    """Every Coding of a CodeableConcept, of a CodeableReference (R5), or the Coding itself."""
    concept = _concept(concept)
    found = [Coded(word(each, "system"), word(each, "code")) for each in parts(concept, "coding")]
    alone = Coded(word(concept, "system"), word(concept, "code"))
    return [each for each in (*found, alone) if each.code]


def texts(concept: Any) -> list[str]:
    """Whatever a CodeableConcept says in words or codes, on one line each."""
    concept = _concept(concept)
    said = [word(concept, "text")]
    for coding in parts(concept, "coding"):
        said += [word(coding, "display"), word(coding, "code")]
    return [text for text in said if text]


def concept_of(concept: Any) -> Resource:
    """A CodeableConcept as R4 has it, of one or of a CodeableReference (R5); {} when it says nothing."""
    concept = _concept(concept)
    codings = [
        {name: text for name in ("system", "code", "display") if (text := word(coding, name))}
        for coding in parts(concept, "coding")
    ]
    made: Resource = {}
    if any(codings):
        made["coding"] = [coding for coding in codings if coding]
    if word(concept, "text"):
        made["text"] = word(concept, "text")
    return made


def identifier_of(identifier: Any) -> Resource:
    """An Identifier as R4 has it, {} without a value."""
    if not word(identifier, "value"):
        return {}
    made: Resource = {}
    kind = concept_of(part(identifier, "type"))
    if kind:
        made["type"] = kind
    if word(identifier, "system"):
        made["system"] = word(identifier, "system")
    return made | {"value": word(identifier, "value")}


def own_id(resource: Resource) -> Resource:
    """`id` as FHIR allows it; {} where it does not."""
    written = word(resource, "id")
    return {"id": written} if _ID.fullmatch(written) else {}


def is_tagged(resource: Resource, code: str) -> bool:
    """Whether `meta.tag` has this code."""
    tags = parts(part(resource, "meta"), "tag")
    return any(word(tag, "code").upper() == code for tag in tags)


def _concept(concept: Any) -> Any:
    inner = part(concept, "concept")  # R5 CodeableReference
    return inner or concept
