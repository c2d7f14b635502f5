"""SIU → Appointment and Patients (guide: message SIU_S12)."""

from fhir_mappers.findings import refuse
from fhir_mappers.message_header import MessageHeader, refused
from fhir_mappers.patient_groups import map_patients
from fhir_mappers.profile import VendorProfile
from fhir_mappers.sch_to_appointment import (
    AppointmentFacts,
    SiuMessage,
    read_appointment_identifiers,
    sch_to_appointment,
)
from fhir_mappers.tables import TRIGGERS
from fhir_mappers.translation import FeedFacts, Translation
from fhir_mappers.v2_message import V2Message

_ENDING = frozenset({"cancelled", "discontinued", "deleted", "no-show"})
_RESOURCES = ("AIS", "AIG", "AIL", "AIP")


def siu_to_bundle(
    message: V2Message, header: MessageHeader, profile: VendorProfile, feed: FeedFacts
) -> Translation:
    """Map one SIU message, or say why not."""
    trigger = TRIGGERS.get(header.trigger)
    if trigger is None:
        return refused(refuse("MSH-9.2", "unsupported-trigger"), header)
    if not trigger.has_patient:
        return refused(refuse("PID", "no-patient-by-definition"), header)
    if trigger.event not in _ENDING:
        message = _without_removed(message, profile)

    sources: dict[str, str] = {}
    patients = map_patients(message, profile, feed, header, sources)
    if not patients:
        return refused(refuse("PID", "no-patient"), header)
    identifiers = read_appointment_identifiers(message, profile, feed)
    if not identifiers:
        path = (feed.identity or profile.appointment.identity)[0]
        return refused(refuse(path, "no-appointment-identifier"), header)
    facts = sch_to_appointment(
        SiuMessage(message, trigger, header.sent, header.occurred_at, profile, feed), identifiers, patients
    )
    sources |= _sources(facts)
    return Translation(
        control_id=header.control_id,
        trigger=header.trigger,
        event=facts.standing.event,
        occurred_at=header.occurred_at,
        processing_id=header.processing_id,
        appointment=facts.appointment,
        patients=tuple(patients),
        warnings=(*header.warnings, *facts.warnings),
        refusal=None,
        sources=sources,
    )


def _sources(facts: AppointmentFacts) -> dict[str, str]:
    """Say from which path each fact of the appointment came."""
    times, appointment = facts.times, facts.appointment
    found = {
        "Appointment.identifier": appointment.identifiers[0].path,
        "Appointment.status": facts.standing.path,
        "Appointment.start": times.start_path,
        "Appointment.end": times.end_path,
        "Appointment.modality": facts.modality_path,
        "Appointment.location": appointment.locations[0].path if appointment.locations else "",
    }
    return {fact: path for fact, path in found.items() if path}


def _without_removed(message: V2Message, profile: VendorProfile) -> V2Message:
    """Leave out the resources that segment action codes take away (RGS-2, AIS-2 …, HL7 table 0206)."""
    removed = profile.appointment.removed
    actions = [action for name in ("RGS", *_RESOURCES) for action in message.column(name, 2)]
    if not any(action and action.strip().casefold() in removed for action in actions):
        return message
    gone: list[list[str]] = []
    for group in message.resources():
        whole = group.get("RGS-2").strip().casefold() in removed
        for row, name in zip(group.rows, group.segments, strict=True):
            if whole or group.part([row]).get(f"{name}-2").strip().casefold() in removed:
                gone.append(row)
    return message.without(gone)
