"""For which visits a step is: types and locations, as the EHR names them, in code or in words.

Pure. What a visit is called is read from its FHIR Appointment: appointmentType (SCH-8), serviceType (AIS-3)
and reasonCode (SCH-7), because EHRs keep a visit's type in any of them. It decides whether a text goes and
never stands in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration.domain.appointment import Appointment

_TYPES: Final = ("appointmentType", "serviceType", "reasonCode")
WRONG_TYPE: Final = "the step is not for this type of visit"
WRONG_PLACE: Final = "the step is not for this location"


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Words as `folded` writes them; what is empty lets every visit pass."""

    types: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    except_types: frozenset[str] = frozenset()
    except_locations: frozenset[str] = frozenset()

    def covers(self, appointment: Appointment) -> bool:
        """Whether the step is for this visit."""
        return self.against(appointment) is None

    def against(self, appointment: Appointment) -> str | None:
        """Why the step is not for this visit, in a nurse's words; None when it is."""
        if self.types or self.except_types:
            types = types_of(appointment)
            if (self.types and not self.types & types) or self.except_types & types:
                return WRONG_TYPE
        if self.locations or self.except_locations:
            places = places_of(appointment)
            if (self.locations and not self.locations & places) or self.except_locations & places:
                return WRONG_PLACE
        return None


EVERY_VISIT: Final = VisitFilter()


def folded(word: str) -> str:
    """A word as it is compared: letters' case and repeated blanks do not count."""
    return " ".join(word.split()).casefold()


def types_of(appointment: Appointment) -> frozenset[str]:
    """What the EHR calls this kind of visit: codes, displays and texts."""
    concepts = (each for element in _TYPES for each in _listed(appointment.resource.get(element)))
    return frozenset(folded(word) for concept in concepts for word in _words(concept) if word)


def places_of(appointment: Appointment) -> frozenset[str]:
    """Where it is: the public name, and the location's code and name as the EHR has them."""
    actors = [part.get("actor") or {} for part in _listed(appointment.resource.get("participant"))]
    places = [actor for actor in actors if _kind(actor) == "Location"]
    words = [appointment.slot.place]
    for place in places:
        words.append(str((place.get("identifier") or {}).get("value", "")))
        words.append(str(place.get("reference", "")).rpartition("/")[2])
        words.append(str(place.get("display", "")))
    return frozenset(folded(word) for word in words if word)


def _kind(actor: Mapping[str, Any]) -> str:
    return str(actor.get("type") or str(actor.get("reference", "")).rpartition("/")[0].rpartition("/")[2])


def _words(concept: Mapping[str, Any]) -> Iterator[str]:
    yield str(concept.get("text", ""))
    for coding in _listed(concept.get("coding")):
        yield str(coding.get("code", ""))
        yield str(coding.get("display", ""))


def _listed(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
