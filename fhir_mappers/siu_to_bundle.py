"""SIU → Appointment and Patients (guide: message SIU_S12)."""

from fhir_mappers.findings import refuse, warn
from fhir_mappers.message_header import MessageHeader, refused
from fhir_mappers.patient_groups import map_patients
from fhir_mappers.profile import VendorProfile
from fhir_mappers.resource_rows import without_removed
from fhir_mappers.sch_to_appointment import (
    AppointmentFacts,
    SiuMessage,
    read_appointment_identifiers,
    sch_to_appointment,
)
from fhir_mappers.tables import TRIGGERS, Trigger
from fhir_mappers.translation import FeedFacts, Translation
from fhir_mappers.v2_message import V2Message

_ENDING = frozenset({"cancelled", "discontinued", "deleted", "no-show"})


def siu_to_bundle(
    message: V2Message, header: MessageHeader, profile: VendorProfile, feed: FeedFacts
) -> Translation:
    """Map one SIU message, or say why not."""
    trigger = TRIGGERS.get(header.trigger)
    if trigger is None:
        return refused(refuse("MSH-9.2", "unsupported-trigger"), header)
    return map_schedule(message, trigger, header, profile, feed)


def map_schedule(
    message: V2Message, trigger: Trigger, header: MessageHeader, profile: VendorProfile, feed: FeedFacts
) -> Translation:
    """Map a message that has SCH, as `trigger` says, or say why not."""
    if not trigger.has_patient:
        return refused(refuse("PID", "no-patient-by-definition"), header)
    if trigger.event not in _ENDING:
        message = without_removed(message, trigger, profile)

    sources: dict[str, str] = {}
    patients = map_patients(message, profile, feed, header, sources)
    if not patients:
        return refused(refuse("PID", "no-patient"), header)
    identifiers = read_appointment_identifiers(message, profile, feed)
    if not identifiers:
        path = (feed.identity or profile.appointment.identity)[0]
        return refused(refuse(path, "no-appointment-identifier"), header)
    if message.count("SCH") > 1:
        if _identifies_another(message, profile, feed):
            return refused(refuse("SCH[2]", "several-appointments"), header)
        header.warnings.append(warn("SCH[2]", "segment-repeated"))
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


def _identifies_another(message: V2Message, profile: VendorProfile, feed: FeedFacts) -> bool:
    """Whether a later SCH is about another appointment than the first: SIU has one (2.9.1, 10.4)."""
    rows = [row for row in message.rows if row[0][:3] == "SCH"]
    known = {read_appointment_identifiers(message.part([row]), profile, feed) for row in rows}
    return len(known) > 1
