"""A patient's answer about a visit as FHIR R4 AppointmentResponse (`reference/standards.md` 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fhir.resources.R4B.appointmentresponse import AppointmentResponse

from fhir_mappers.outgoing import (
    MESSAGE_SYSTEM,
    Resource,
    checked,
    identifier,
    plain_text,
    reference,
    without_gaps,
)


class ParticipantStatus(StrEnum):
    """The answer: participationstatus, as far as a text can give one (required binding)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """What a patient answered about one visit."""

    identifier: str  # ours, unique over all stores
    patient_id: str  # the ids are those of the EHR's FHIR server
    appointment_id: str
    status: ParticipantStatus
    comment: str = ""


def appointment_response(answer: VisitAnswer) -> Resource:
    """The AppointmentResponse; raises `BadResource`."""
    return checked(
        AppointmentResponse,
        without_gaps(
            resourceType="AppointmentResponse",
            identifier=[identifier(MESSAGE_SYSTEM, answer.identifier)],
            appointment=reference("Appointment", answer.appointment_id),
            actor=reference("Patient", answer.patient_id),
            participantStatus=answer.status,
            comment=plain_text(answer.comment),
        ),
    )
