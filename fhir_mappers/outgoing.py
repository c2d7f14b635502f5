"""What every resource we write has in common: its small parts, and the check before it leaves.

The check is fhir.resources' R4B model, which knows the structure but not the
required codes; those are enums here. R4B is R4 for everything we write.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel

Resource = dict[str, Any]

MESSAGE_SYSTEM = "urn:appointment-texts:message"  # our own identifiers, of texts, replies and answers alike

# FHIR R4 string: nothing below U+0020 but tab, CR and LF; lone surrogates are no text at all.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class BadResource(ValueError):
    """A resource we built is not valid FHIR R4; it names the elements, never their values."""

    def __init__(self, resource_type: str, elements: tuple[str, ...]) -> None:
        super().__init__(f"{resource_type} is not valid FHIR R4 at {', '.join(elements)}")
        self.elements = elements


def checked(model: type[FHIRResourceModel], resource: Resource) -> Resource:
    """The resource as the R4B model understood it; raises `BadResource`."""
    try:
        understood = model.model_validate(resource)
    except ValidationError as error:
        places = tuple(".".join(str(part) for part in line["loc"]) for line in error.errors())
        raise BadResource(str(resource["resourceType"]), places) from None
    plain: Resource = understood.model_dump(mode="json")
    return plain


def without_gaps(**elements: Any) -> Resource:
    """The elements that have a value; FHIR knows neither null nor empty lists."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}


def reference(resource_type: str, resource_id: str) -> Resource:
    """A literal, relative Reference."""
    return {"reference": f"{resource_type}/{resource_id}", "type": resource_type}


def organization(name: str) -> Resource:
    """A Reference to an organization known by name only; empty without a name."""
    return {"type": "Organization", "display": name} if name else {}


def concept(system: str, code: str) -> Resource:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def identifier(system: str, value: str) -> Resource:
    """An Identifier."""
    return {"system": system, "value": value}


def date_time(moment: datetime) -> str:
    """A dateTime in UTC, to the second; refuses a datetime without zone."""
    if moment.tzinfo is None:
        raise ValueError("a FHIR dateTime with a time needs an offset")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain_text(words: str) -> str:
    """The words as a FHIR string; what FHIR forbids becomes U+FFFD. "" when there is nothing to read."""
    return _NO_TEXT.sub("\ufffd", words) if words.strip() else ""
