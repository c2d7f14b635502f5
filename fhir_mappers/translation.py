"""What one message, of HL7 v2 or of FHIR, becomes: the shapes that leave this package.

`translate_message.translate` fills them. Resources are plain FHIR R4 JSON (dicts); beside each stand the
few facts a texting service asks for, already decided. Warnings and refusals name a path and a code;
their words are constants of `findings`, so no text here can hold a person's data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Resource = dict[str, Any]
Modality = Literal["in_person", "video", "phone"]
Event = Literal[
    "booked",
    "moved",
    "changed",
    "cancelled",
    "discontinued",
    "deleted",
    "no-show",
    "arrived",
    "unchanged",
    "ignored",
]


@dataclass(frozen=True, slots=True)
class FhirFacts:
    """What the mapper must know of a channel in which a FHIR server is heard."""

    oldest_event: timedelta = timedelta(hours=12)  # an Appointment created longer before is no booking
    accepted_confirms: bool = True  # a patient participant's `accepted` is the patient's yes
    guardians: tuple[str, ...] = ()  # relationship codes of who is texted about a child, best first
    identity: Mapping[str, str] = field(default_factory=dict)  # identifier system → where v2 has the value
    read_at: datetime | None = None  # when it was received; None: judge by when it was changed last


@dataclass(frozen=True, slots=True)
class ConsentField:
    """Where messages say whether the patient agrees to texts, and in which words (in lower case)."""

    path: str
    given: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What the mapper must know about one inbound channel, beyond the vendor's profile."""

    name: str
    scope: str  # the identity scope: feeds that share one describe the same appointments
    zone: ZoneInfo  # read local times in this zone when nothing nearer is known
    region: str = "US"  # ISO 3166 region in which bare phone numbers are dialled
    charset: str | None = None  # HL7 table 0211 or IANA name, used when MSH-18 says nothing
    identity: tuple[str, ...] = ()  # paths of the appointment's identifiers, best first; () = the profile's
    identifier_systems: Mapping[str, str] = field(default_factory=dict)  # assigning authority → FHIR system
    location_zones: Mapping[str, ZoneInfo] = field(default_factory=dict)  # location code → zone
    visit_zone: ZoneInfo | None = None  # of the visit as it is known, for a message that names no place
    requests: bool = False  # scheduling requests (SRM) stand for what they ask
    fhir: FhirFacts | None = None  # None: HL7 v2
    consent: ConsentField | None = None  # None: messages do not say


@dataclass(frozen=True, slots=True)
class MapWarning:
    """Something a person who runs the interface may want to know; the message is mapped all the same."""

    path: str  # where, as an HL7 path or a FHIRPath
    code: str  # what, a key of findings.WARNINGS
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message was not mapped."""

    path: str
    code: str  # a key of findings.REFUSALS, or of an UnreadableMessage
    text: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of a patient (CX)."""

    authority: str  # CX.4 assigning authority, '' if none
    type: str  # CX.5, HL7 table 0203, '' if none
    system: str  # FHIR system configured for the authority, '' if none
    value: str  # CX.1


@dataclass(frozen=True, slots=True)
class AppointmentIdentifier:
    """One identifier of an appointment."""

    path: str  # SCH-2 (filler), SCH-1 (placer), PV1-19 (visit)
    value: str
    namespace: str  # EI.2 or CX.4, '' if none


@dataclass(frozen=True, slots=True)
class LocationCode:
    """A place the message names: the code and where it was seen."""

    path: str
    code: str


@dataclass(frozen=True, slots=True)
class MappedGuardian:
    """Who is texted about a child."""

    path: str  # where the number stood: NK1[2]-5
    number: str  # E.164
    language: str | None  # BCP-47, None when not said


@dataclass(frozen=True, slots=True)
class MappedPatient:
    """A patient of the message."""

    resource: Resource  # FHIR R4 Patient
    text_to: (
        str | None
    )  # E.164, the number the message offers for texting; None when none, or the patient is dead
    identifiers: tuple[Identifier, ...]  # best first
    family: str
    given: str  # first given name
    birth_date: date | None
    language: str | None  # BCP-47, two letters where such a code exists
    deceased: bool
    no_publicity: bool  # PD1-11 or PD1-12 asks for silence
    cleared: tuple[str, ...] = ()  # paths the message empties with "" (HL7 null): forget what was stored
    guardian: MappedGuardian | None = None
    unguarded: bool = False  # the message says that nobody is texted about the child any more
    said_alive: bool = False  # by PID-30 N, or PID-29 emptied: a death told earlier was an error
    silenced_by: tuple[str, ...] = ()  # paths that ask for silence
    unsilenced: tuple[str, ...] = ()  # paths that say otherwise, or are emptied: a wish there is over
    changed_at: datetime | None = None  # when the person's record was changed, if not with the message
    deleted: bool = False  # the person was entered in error (A29), or the record is not in use any more
    ehr_id: str = ""  # its id on the EHR's FHIR server, '' when HL7 v2 tells of it
    agrees: bool | None = None  # to texts, where the feed's consent field says so; None: it says nothing


@dataclass(frozen=True, slots=True)
class MappedAppointment:
    """The appointment of the message."""

    resource: Resource  # FHIR R4 Appointment
    identifiers: tuple[AppointmentIdentifier, ...]  # in identity order
    occurrence: str  # SCH-3 of a series, '' if none
    start: datetime | None  # aware, at the clinic's UTC offset
    end: datetime | None
    zone: ZoneInfo  # the clinic's
    status: str  # FHIR code; resource.status differs only where a missing start forbids it (app-3)
    confirmed: bool
    modality: Modality
    locations: tuple[LocationCode, ...]  # most specific first
    place: str | None  # code of the public place, None when the message names none
    tentative: bool  # do not text as booked
    status_said: bool = True  # False: the message leaves the status as it is (S14, S18 to S22)
    parents: tuple[AppointmentIdentifier, ...] = ()  # what the parent calls itself: SCH-2 is SCH-24 here
    ehr_id: str = ""  # its id on the EHR's FHIR server, '' when HL7 v2 tells of it
    accepted: tuple[str, ...] = ()  # FHIR: of each patient, as which participant; '' who has not confirmed


@dataclass(frozen=True, slots=True)
class Visit:
    """What an ADT message says of a visit that may be an appointment we know."""

    identifiers: tuple[AppointmentIdentifier, ...]  # PV1-19, PV1-50
    event: Event  # arrived; changed: not arrived after all; deleted; unchanged: only the patient is described


@dataclass(frozen=True, slots=True)
class Merge:
    """One record of a patient has become part of another (MRG; HL7 v2.9.1 chapter 3, A40 and its elders)."""

    path: str  # where the identifiers that are gone were read: MRG-1
    survivor: tuple[Identifier, ...]  # best first
    gone: tuple[Identifier, ...]  # never used again, but late messages still carry them


@dataclass(frozen=True, slots=True)
class VisitChange:
    """A visit has another number now (A42, A50, A51), or is another patient's (A45)."""

    path: str  # where that was read
    identifiers: tuple[AppointmentIdentifier, ...]  # by what it is known from now on
    patient: tuple[Identifier, ...]  # whose it is
    gone: tuple[AppointmentIdentifier, ...] = ()  # never used again, but late messages still carry them
    taken_from: tuple[Identifier, ...] = ()  # whose it was


@dataclass(frozen=True, slots=True)
class MappedRequest:
    """A text that a chart asks for (FHIR CommunicationRequest), to the one patient of the message."""

    ehr_id: str
    wanted: bool  # False: not, or no more; all else is then empty
    body: str = ""
    start: datetime | None = None  # when it is to go, aware; None: at once
    end: datetime | None = None  # afterwards it is of no use; None: not said
    authored: datetime | None = None
    visits: tuple[str, ...] = ()  # ids of the Appointments it is about, on the EHR's server
    author: str | None = None  # who asks, as the chart shows them (requester, sender)
    to_related: bool = False  # to a RelatedPerson of the patient


@dataclass(frozen=True, slots=True)
class Translation:
    """One message, translated or refused; what is not refused has an appointment (SIU) or a visit (ADT)."""

    control_id: str  # MSH-10
    trigger: str  # MSH-9.2 as the profile reads it: S12
    event: Event  # what trigger and status say by themselves
    occurred_at: datetime | None  # MSH-7, aware
    processing_id: str  # MSH-11
    appointment: MappedAppointment | None
    patients: tuple[MappedPatient, ...]
    warnings: tuple[MapWarning, ...]
    refusal: Refusal | None
    sources: Mapping[str, str]  # "Appointment.start": "TQ1-7"
    visit: Visit | None = None
    merges: tuple[Merge, ...] = ()
    visit_changes: tuple[VisitChange, ...] = ()
    request: MappedRequest | None = None


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """By what a message's appointment and patients are known; all empty when it cannot be read."""

    appointment: tuple[AppointmentIdentifier, ...]  # in identity order
    occurrence: str
    patients: tuple[Identifier, ...]
