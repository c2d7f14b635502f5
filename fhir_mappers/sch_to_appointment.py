"""SCH, AIS, AIG, AIL, AIP and PV1 → Appointment (guide: segments SCH, AIS, AIG, AIL, AIP[Appointment]).

What the guide lacks is added from standards §1 and §2: TQ1 gives the start, the trigger event the status,
SCH-6 the reason of a cancellation. R4's invariants hold: app-1 (every participant has an actor), app-2 and
app-3 (start and end together, and present unless the status allows otherwise), app-4 (a reason only when
cancelled or not shown up). CLINICAL names the elements that may reveal why somebody comes.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.ai_to_participant import participants
from fhir_mappers.appointment_standing import Standing, read_standing
from fhir_mappers.appointment_times import Times, clock_of, read_times
from fhir_mappers.datatypes import cwe_to_codeable_concept, identifier_resource, plain
from fhir_mappers.findings import warn
from fhir_mappers.hl7_time import Written
from fhir_mappers.profile import VendorProfile
from fhir_mappers.resource_rows import added_only
from fhir_mappers.tables import OVER, Trigger
from fhir_mappers.translation import (
    AppointmentIdentifier,
    FeedFacts,
    LocationCode,
    MappedAppointment,
    MappedPatient,
    MapWarning,
    Modality,
    Resource,
)
from fhir_mappers.v2_message import SegmentRun

CLINICAL: Final = ("reasonCode", "serviceType", "cancelationReason")  # kept for the chart, never for a text

_TENTATIVE = frozenset({"proposed", "pending", "waitlist"})
_WITHOUT_TIMES = frozenset({"proposed", "cancelled", "waitlist"})  # app-3
_WITH_REASON = frozenset({"cancelled", "noshow"})  # app-4
# The segment of an identifier → its type, HL7 table 0203
_IDENTIFIER_TYPES = {"SCH-1": "PLAC", "SCH-2": "FILL", "PV1-19": "VN"}
# Where a child names its parent → where the parent names itself (2.9.1, 10.6.2.23 and .24)
_PARENTS = {"SCH-24": "SCH-2", "SCH-23": "SCH-1"}


class SiuMessage(NamedTuple):
    """A SIU message that is to be mapped, and by what."""

    message: SegmentRun
    trigger: Trigger
    sent: Written  # MSH-7 as written
    sent_at: datetime | None  # and placed
    profile: VendorProfile
    feed: FeedFacts


class AppointmentFacts(NamedTuple):
    """The appointment and what was found beside it."""

    appointment: MappedAppointment
    standing: Standing
    times: Times
    modality_path: str
    warnings: list[MapWarning]


def read_appointment_identifiers(
    message: SegmentRun, profile: VendorProfile, feed: FeedFacts
) -> tuple[AppointmentIdentifier, ...]:
    """Return what the appointment is known by, best first: the feed's order, else the profile's."""
    found: list[AppointmentIdentifier] = []
    for path in feed.identity or profile.appointment.identity:
        value = plain(message.get(path))
        if value:
            found.append(AppointmentIdentifier(path, value, plain(message.get(_namespace_path(path)))))
    return tuple(found)


@lru_cache(maxsize=64)
def _namespace_path(path: str) -> str:
    """Return where the identifier's authority stands: CX.4 beside a visit number, EI.2 beside the others."""
    return f"{path.partition('.')[0]}.{4 if path.startswith('PV1') else 2}"


def read_occurrence(message: SegmentRun, profile: VendorProfile) -> str:
    """Return which one of a series this is, '' if none."""
    return _first(message, profile.appointment.occurrence)


def _parents(message: SegmentRun) -> tuple[AppointmentIdentifier, ...]:
    """Return by what the parent of a child appointment is known, filler's first."""
    return tuple(
        AppointmentIdentifier(own, value, plain(message.get(f"{path}.2")))
        for path, own in _PARENTS.items()
        if (value := plain(message.get(path)))
    )


def sch_to_appointment(
    siu: SiuMessage, identifiers: tuple[AppointmentIdentifier, ...], patients: Sequence[MappedPatient]
) -> AppointmentFacts:
    """Map the appointment of a message whose patients are mapped already; it has an identifier at least."""
    message, trigger, sent, sent_at, profile, feed = siu
    warnings: list[MapWarning] = []
    places = profile.appointment
    standing = read_standing(message, trigger, profile, warnings)
    locations = _locations(message, places.locations)
    place = _first(message, places.place)
    zone = _zone(feed, locations, place)
    before = len(warnings)
    clock = clock_of(sent, sent_at, zone, feed.zone)
    times = read_times(message, profile, clock, warnings, added_only(message, trigger))
    if times.start is None and standing.status in _WITHOUT_TIMES:
        del warnings[before:]  # a cancellation needs no time
    modality, modality_path = _modality(message, profile)

    resource: Resource = {
        "resourceType": "Appointment",
        "identifier": [
            identifier_resource(
                _IDENTIFIER_TYPES.get(i.path, ""),
                feed.identifier_systems.get(i.namespace, ""),
                i.value,
                i.namespace,
            )
            for i in identifiers
        ],
        "status": _resource_status(standing, times, warnings),
    }
    _reasons(message, resource, profile)
    if times.start is not None and times.end is not None:
        resource["start"] = times.start.isoformat()
        resource["end"] = times.end.isoformat()
        resource["minutesDuration"] = _whole_minutes(times.start, times.end)
    resource["participant"] = participants(message, patients, profile, standing)
    tentative = any(plain(message.get(path)).casefold() in places.tentative for path in places.kind)
    appointment = MappedAppointment(
        resource=resource,
        identifiers=identifiers,
        occurrence=read_occurrence(message, profile),
        start=times.start,
        end=times.end,
        zone=zone,
        status=standing.status,
        confirmed=standing.confirmed,
        modality=modality,
        locations=locations,
        place=place or None,
        tentative=standing.status in _TENTATIVE or tentative,
        status_said=standing.said or tentative,
        parents=_parents(message),
    )
    return AppointmentFacts(appointment, standing, times, modality_path, warnings)


def _zone(feed: FeedFacts, locations: Sequence[LocationCode], place: str) -> ZoneInfo:
    """Return the clinic's: of the place named, else of the visit as it is known, else of the feed."""
    if not place and feed.visit_zone is not None:
        return feed.visit_zone
    named = (feed.location_zones[at.code] for at in locations if at.code in feed.location_zones)
    return next(named, feed.zone)


def _resource_status(standing: Standing, times: Times, warnings: list[MapWarning]) -> str:
    """Return the status R4 allows: without a start only proposed, cancelled and waitlist (app-3)."""
    if times.start is not None or standing.status in _WITHOUT_TIMES:
        return standing.status
    warnings.append(warn(standing.path, "status-without-times"))
    return "cancelled" if standing.status in OVER else "proposed"


def _reasons(message: SegmentRun, resource: Resource, profile: VendorProfile) -> None:
    places = profile.appointment
    cancelled = resource["status"] in _WITH_REASON
    for element, paths, many in (
        ("cancelationReason", places.cancel_reason if cancelled else (), False),
        ("serviceType", places.service, True),
        ("appointmentType", tuple(path.partition(".")[0] for path in places.kind[:1]), False),
        ("reasonCode", places.reason, True),
    ):
        concepts = [
            concept
            for path in paths
            for n in range(1, message.count(path[:3]) + 1)
            for cwe in message.field(_nth(path, n))[:1]
            if (concept := cwe_to_codeable_concept(cwe)) is not None
        ]
        if concepts:
            resource[element] = concepts if many else concepts[0]


def _locations(message: SegmentRun, paths: Sequence[str]) -> tuple[LocationCode, ...]:
    found: dict[tuple[str, str], None] = {}
    for path in paths:
        for n in range(1, message.count(path[:3]) + 1):
            code = plain(message.get(_nth(path, n)))
            if code:
                found[path, code] = None
    return tuple([LocationCode(path, code) for path, code in found])


def _modality(message: SegmentRun, profile: VendorProfile) -> tuple[Modality, str]:
    rules = profile.modality
    everything = " ".join([message.text(field) for field in rules.fields]).casefold()
    if any([hint in everything for hint in rules.hints]):  # noqa: C419 - most visits end here; twice as fast
        for path in rules.paths:
            value = message.get(path)
            match = rules.pattern.search(plain(value)) if value else None
            if match is not None:
                return ("video" if match["video"] else "phone"), path
    return "in_person", ""


def _nth(path: str, n: int) -> str:
    """Return the same field of the nth segment; a path with a number of its own keeps it."""
    return path if n == 1 or path[3] == "[" else f"{path[:3]}[{n}]{path[3:]}"


def _first(message: SegmentRun, paths: Sequence[str]) -> str:
    return next((value for path in paths if (value := plain(message.get(path)))), "")


def _whole_minutes(start: datetime, end: datetime) -> int:
    return max(1, round((end - start).total_seconds() / 60))
