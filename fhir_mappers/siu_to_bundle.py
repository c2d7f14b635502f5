"""SIU → Appointment and Patients: the public door of the HL7 v2 mapper (guide: message SIU_S12)."""

from fhir_mappers.translation import (
    AppointmentIdentifier,
    FeedFacts,
    Identifier,
    IdentityKeys,
    LocationCode,
    MappedAppointment,
    MappedPatient,
    MapWarning,
    Refusal,
    Translation,
)

__all__ = [
    "AppointmentIdentifier",
    "FeedFacts",
    "Identifier",
    "IdentityKeys",
    "LocationCode",
    "MapWarning",
    "MappedAppointment",
    "MappedPatient",
    "Refusal",
    "Translation",
]
