"""Where and how a visit takes place: Locations with their codes and zone; in person, by video or by phone.

An instant carries the server's offset, not the clinic's: the zone is the Location's own (extension
`timezone`), else the Appointment's, else the one the feed gives the Location, else the feed's (standards
§4.3).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.from_fhir.elements import codes, extension, numbered, part, parts, texts, word
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.snapshot import Snapshot, id_of, type_of
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import LocationCode, Modality, Resource

_TIMEZONE: Final = "http://hl7.org/fhir/StructureDefinition/timezone"
_VIRTUAL_R4: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService"
_VIRTUAL_CODES: Final = frozenset({"vi", "vr"})  # location-physical-type, v3-ActCode
_PLACES: Final = ("Location", "HealthcareService")
_NOT_THERE: Final = frozenset({"declined"})  # participant.status of a place that is not taken
_DEEPEST: Final = 8  # Location.partOf


class Place(NamedTuple):
    """Where and how."""

    codes: tuple[LocationCode, ...]  # most specific first
    zone: ZoneInfo
    modality: Modality
    modality_path: str  # '' when nothing says otherwise


class _Named(NamedTuple):
    path: str
    reference: Resource
    resource: Resource  # {} when it was not sent along


def read_place(message: Message) -> Place:
    """Read it of the Appointment a message is about."""
    snapshot, appointment = message.snapshot, message.snapshot.resource
    named = list(_named(snapshot, appointment))
    found = dict.fromkeys(code for kind in _PLACES for each in named for code in _codes(each, kind, snapshot))
    zone = _zone(message, named, tuple(found))
    modality, path = _modality(appointment, named, message.profile)
    return Place(tuple(found), zone, modality, path)


def _named(snapshot: Snapshot, appointment: Resource) -> Iterator[_Named]:
    for place, participant in numbered(appointment, "participant"):
        actor = part(participant, "actor")
        kind = type_of(actor)
        resource = next((r for each in _PLACES if (r := snapshot.resolve(actor, each))), None)
        if word(participant, "status") not in _NOT_THERE and (resource or kind in _PLACES):
            yield _Named(f"Appointment.participant[{place}].actor", actor, resource or {"resourceType": kind})


def _codes(named: _Named, kind: str, snapshot: Snapshot) -> Iterator[LocationCode]:
    """Its id, its identifiers, then those of what it is a part of, then of the organization it belongs to."""
    if word(named.resource, "resourceType") != kind:
        return
    path, reference, resource = named
    organization = ""
    for _ in range(_DEEPEST):
        known = [word(resource, "id") or id_of(reference, kind)]
        known += [
            word(each, "value") for each in (*parts(resource, "identifier"), part(reference, "identifier"))
        ]
        yield from (LocationCode(path, code) for code in known if code)
        organization = organization or id_of(part(resource, "managingOrganization"), "Organization")
        reference = part(resource, "partOf")
        if not reference:
            break
        resource = snapshot.resolve(reference, kind) or {}
    if organization:
        yield LocationCode(path, organization)


def _zone(message: Message, named: list[_Named], found: tuple[LocationCode, ...]) -> ZoneInfo:
    feed = message.feed
    said = [(each.path, each.resource) for each in named] + [("Appointment", message.snapshot.resource)]
    for path, resource in said:
        written = _written_zone(resource)
        zone = _known_zone(written)
        if zone is not None:
            return zone
        if written:
            message.warn(path, "unknown-zone")
    configured = [feed.location_zones[at.code] for at in found if at.code in feed.location_zones]
    if configured:
        return configured[0]
    return feed.visit_zone if not found and feed.visit_zone is not None else feed.zone


def _written_zone(resource: Resource) -> str:
    own = extension(resource, _TIMEZONE)
    return word(own, "valueCode") or word(own, "valueString")


def _known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def _modality(appointment: Resource, named: list[_Named], profile: VendorProfile) -> tuple[Modality, str]:
    virtual = [("Appointment.virtualService", each) for each in parts(appointment, "virtualService")]
    virtual += [
        ("Appointment.extension", each)
        for each in parts(appointment, "extension")
        if word(each, "url") == _VIRTUAL_R4
    ]
    if virtual:
        return ("phone" if all(_is_telephone(each) for _, each in virtual) else "video"), virtual[0][0]
    for path, resource in [(each.path, each.resource) for each in named]:
        if _is_virtual(part(resource, "physicalType")) or _is_virtual(part(resource, "form")):
            return "video", path
    for element in ("class", "appointmentType", "serviceType", "serviceCategory"):
        for place, concept in numbered(appointment, element):
            path = f"Appointment.{element}" + (f"[{place}]" if isinstance(appointment[element], list) else "")
            if element == "class" and _is_virtual(concept):
                return "video", path
            for text in texts(concept):
                match = profile.modality.pattern.search(text)
                if match is not None:
                    return ("video" if match["video"] else "phone"), path
    return "in_person", ""


def _is_virtual(concept: Resource) -> bool:
    return any(coding.code.casefold() in _VIRTUAL_CODES for coding in codes(concept))


def _is_telephone(service: Resource) -> bool:
    """Whether a VirtualServiceDetail has no more than a number to call."""
    address = next((each for each in _addresses(service) if each), {})
    return word(address, "system") == "phone"


def _addresses(service: Resource) -> Iterator[Resource]:
    yield part(service, "addressContactPoint")
    yield part(part(service, "valueVirtualServiceDetail"), "addressContactPoint")
    for each in parts(service, "extension"):  # R5's type as nested extensions
        if word(each, "url") == "address":
            yield part(each, "valueContactPoint")
