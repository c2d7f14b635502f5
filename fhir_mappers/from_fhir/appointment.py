"""Appointment of R4, R4B and R5 → Appointment as R4 has it and the facts beside it, with its patients.

R5 is read where it differs: `cancellationReason`, CodeableReferences for `serviceType` and `reason`, `class`,
`subject`, `virtualService`. R4's invariants hold of what comes out: app-2 and app-3 (start and end together,
and present unless the status allows otherwise), app-4 (a reason only when cancelled or not shown up).
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.findings import refuse
from fhir_mappers.from_fhir.appointment_places import Place, read_place
from fhir_mappers.from_fhir.appointment_status import TENTATIVE, Standing, read_standing
from fhir_mappers.from_fhir.elements import concept_of, identifier_of, numbered, own_id, parts, whole, word
from fhir_mappers.from_fhir.identity import appointment_identifiers, patient_by_id, patient_identifiers
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.moments import read_instant
from fhir_mappers.from_fhir.participants import Attending, r4_participants, read_attending
from fhir_mappers.from_fhir.patient import map_patient, only_known_by
from fhir_mappers.from_fhir.replaced import read_merges, survivor_of
from fhir_mappers.tables import OVER
from fhir_mappers.translation import (
    AppointmentIdentifier,
    MappedAppointment,
    MappedPatient,
    Resource,
    Translation,
)

_WITHOUT_TIMES: Final = frozenset({"proposed", "cancelled", "waitlist"})  # app-3
_WITH_REASON: Final = frozenset({"cancelled", "noshow"})  # app-4
_MINUTE: Final = timedelta(minutes=1)


class _Times(NamedTuple):
    start: datetime | None
    end: datetime | None
    end_path: str


def map_appointment(message: Message) -> Translation:
    """Map the Appointment a message is about, or say why not."""
    snapshot, facts = message.snapshot, message.facts
    appointment = snapshot.resource
    identifiers = appointment_identifiers(appointment, message.feed, facts)
    if not identifiers:
        return message.refused(refuse("Appointment.id", "no-appointment-identifier"))
    if snapshot.deleted:
        return _deleted(message, identifiers)
    attending = read_attending(snapshot)
    if not attending:
        return message.refused(refuse("Appointment.participant", "no-patient"))
    sources: dict[str, str] = {}
    coming = [each for each in attending if each.status != "declined"]
    patients = _patients(message, coming or attending, sources)
    place = read_place(message)
    standing = read_standing(message, place.zone)
    if not coming:
        message.warn(attending[0].path, "patient-declined")
    before = len(message.warnings)
    times = _times(message, place.zone)
    if times.start is None and standing.status in _WITHOUT_TIMES:
        del message.warnings[before:]  # a cancellation needs no time
    # Of a visit that nobody expects, or has come to, an old answer means nothing.
    means_yes = facts.accepted_confirms and standing.status in {"booked", "pending"} and bool(coming)
    mapped = MappedAppointment(
        resource=_resource(message, standing, times),
        identifiers=identifiers,
        occurrence="",  # each occurrence of a series is an Appointment of its own
        start=times.start,
        end=times.end,
        zone=place.zone,
        status=standing.status,
        confirmed=means_yes and all(each.status == "accepted" for each in coming),
        modality=place.modality,
        locations=place.codes,
        place=place.codes[0].code if place.codes else None,
        tentative=standing.status in TENTATIVE or not coming,
        status_said=standing.said,
        ehr_id=snapshot.id,
        accepted=tuple(each.key if means_yes and each.status == "accepted" else "" for each, _ in patients),
    )
    return message.translation(
        standing.event,
        appointment=mapped,
        patients=tuple(patient for _, patient in patients),
        merges=read_merges(snapshot, message.profile, message.feed),
        sources=sources | _sources(mapped, times, place, coming),
    )


def _deleted(message: Message, identifiers: tuple[AppointmentIdentifier, ...]) -> Translation:
    """An Appointment that is not there any more: nothing but its id is known."""
    feed, snapshot = message.feed, message.snapshot
    mapped = MappedAppointment(
        resource={
            "resourceType": "Appointment",
            **own_id(snapshot.resource),
            "status": "cancelled",  # app-3: without a start it may not say `entered-in-error`
            "participant": r4_participants({}),
        },
        identifiers=identifiers,
        occurrence="",
        start=None,
        end=None,
        zone=feed.visit_zone or feed.zone,
        status="entered-in-error",
        confirmed=False,
        modality="in_person",
        locations=(),
        place=None,
        tentative=False,
        ehr_id=snapshot.id,
    )
    sources = {"Appointment.identifier": "Appointment.id", "Appointment.status": "Bundle.entry[0].request"}
    return message.translation("deleted", appointment=mapped, sources=sources)


def _patients(
    message: Message, attending: list[Attending], sources: dict[str, str]
) -> list[tuple[Attending, MappedPatient]]:
    """Every patient who is to come; of one that was not sent along only the id is known."""
    patients: list[tuple[Attending, MappedPatient]] = []
    for each in attending:
        if each.resource is None:
            known = _known_by_reference(each, message)
            if known is None:
                message.warn(each.path, "not-unique-reference")
                continue
            message.warn(each.path, "not-included")
            patients.append((each, known))
            found = {"identifier": each.path}
        else:
            told = survivor_of(message.snapshot, each.resource) or each.resource
            patient, found = map_patient(message, told)
            patients.append((each, patient))
        key = "Patient" if len(patients) == 1 else f"Patient[{len(patients)}]"
        sources |= {f"{key}.{fact}": path for fact, path in found.items()}
    return patients


def _known_by_reference(each: Attending, message: Message) -> MappedPatient | None:
    identifier = identifier_of(each.identifier)
    named: Resource = {"identifier": [each.identifier]} if identifier else {}
    theirs = patient_identifiers(named, message.profile, message.feed)
    identifiers = (*patient_by_id(each.id), *theirs)
    if not identifiers:
        return None
    resource: Resource = {"resourceType": "Patient"}
    resource |= own_id({"id": each.id})
    if identifier:
        resource["identifier"] = [identifier]
    return only_known_by(identifiers, resource, each.id)


def _times(message: Message, zone: ZoneInfo) -> _Times:
    """Start and end at the clinic's offset; an end that is not told follows from the duration."""
    appointment, durations = message.snapshot.resource, message.profile.durations
    longest = timedelta(minutes=durations.longest_minutes)
    start = _instant(message, "start", zone)
    if start is None:
        if not word(appointment, "start"):
            message.warn("Appointment.start", "no-start")
        return _Times(None, None, "")
    if (start.hour, start.minute) == (0, 0):
        message.warn("Appointment.start", "midnight")
    end = _instant(message, "end", zone)
    if end is not None and timedelta() < end - start <= longest:
        return _Times(start, end, "Appointment.end")
    if end is not None:
        code = "end-before-start" if end <= start else "duration-out-of-range"
        message.warn("Appointment.end", code)
    minutes, path = whole(appointment, "minutesDuration"), "Appointment.minutesDuration"
    if minutes and not durations.shortest_minutes <= minutes <= durations.longest_minutes:
        message.warn(path, "duration-out-of-range")
        minutes = None
    if not minutes:
        message.warn("Appointment.start", "end-assumed")
        minutes, path = durations.assumed_minutes, ""
    return _Times(start, start + minutes * _MINUTE, path)


def _instant(message: Message, name: str, zone: ZoneInfo) -> datetime | None:
    written = word(message.snapshot.resource, name)
    if not written:
        return None
    moment = read_instant(written, zone)
    if moment.problem:
        message.warn(f"Appointment.{name}", moment.problem)
    return moment.at


def _resource(message: Message, standing: Standing, times: _Times) -> Resource:
    appointment, status = message.snapshot.resource, standing.status
    if times.start is None and status not in _WITHOUT_TIMES:
        message.warn("Appointment.status", "status-without-times")
        status = "cancelled" if status in OVER else "proposed"
    resource: Resource = {"resourceType": "Appointment", **own_id(appointment)}
    identifiers = [made for each in parts(appointment, "identifier") if (made := identifier_of(each))]
    if identifiers:
        resource["identifier"] = identifiers
    resource["status"] = status
    _reasons(appointment, resource)
    if times.start is not None and times.end is not None:
        resource["start"] = times.start.isoformat()
        resource["end"] = times.end.isoformat()
        resource["minutesDuration"] = max(1, round((times.end - times.start) / _MINUTE))
    created = read_instant(word(appointment, "created"), message.feed.zone).at
    if created is not None:
        resource["created"] = created.isoformat()
    resource["participant"] = r4_participants(appointment)
    return resource


def _reasons(appointment: Resource, resource: Resource) -> None:
    """R4's names for what may reveal why somebody comes; each as the release that is read spells it."""
    for element, spelled, many in (
        ("cancelationReason", ("cancelationReason", "cancellationReason"), False),
        ("serviceType", ("serviceType",), True),
        ("appointmentType", ("appointmentType",), False),
        ("reasonCode", ("reasonCode", "reason"), True),
    ):
        if element == "cancelationReason" and resource["status"] not in _WITH_REASON:
            continue
        said = [
            made for name in spelled for _, each in numbered(appointment, name) if (made := concept_of(each))
        ]
        if said:
            resource[element] = said if many else said[0]


def _sources(
    mapped: MappedAppointment, times: _Times, place: Place, coming: list[Attending]
) -> dict[str, str]:
    """Say from which element each fact of the appointment came."""
    best = mapped.identifiers[0].path
    found = {
        "Appointment.identifier": best if best == "Appointment.id" else "Appointment.identifier",
        "Appointment.status": "Appointment.status",
        "Appointment.start": "Appointment.start" if times.start is not None else "",
        "Appointment.end": times.end_path,
        "Appointment.modality": place.modality_path,
        "Appointment.location": place.codes[0].path if place.codes else "",
        "Appointment.confirmed": coming[0].path.replace(".actor", ".status") if mapped.confirmed else "",
    }
    return {fact: path for fact, path in found.items() if path}
