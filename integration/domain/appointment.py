"""One appointment as we know it, and what a new report of it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class AppointmentEvent(StrEnum):
    """What happened to an appointment."""

    BOOKED = "booked"
    MOVED = "moved"  # its slot changed: start, public place or modality
    CHANGED = "changed"  # something else did
    CANCELLED = "cancelled"
    DISCONTINUED = "discontinued"  # stopped while under way, or the rest of a series
    DELETED = "deleted"  # entered in error: silence
    NO_SHOW = "no-show"
    ARRIVED = "arrived"
    UNCHANGED = "unchanged"  # said again, nothing new
    IGNORED = "ignored"  # nothing a text could follow from


class Modality(StrEnum):
    """How patient and clinician meet."""

    IN_PERSON = "in_person"
    VIDEO = "video"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Slot:
    """When, where and how. Only a changed slot is "moved" (design: slot)."""

    start: datetime | None  # aware; None when the feed gave no usable start
    place: str = ""  # the public name patients know it by, "" when there is only one
    modality: Modality = Modality.IN_PERSON


# FHIR Appointment.status codes under which a visit is still to come.
# proposed and waitlist are not promises to the patient.
EXPECTED = frozenset({"booked", "pending"})
CALLED_OFF = frozenset({"cancelled", "noshow", "entered-in-error"})
UNDER_WAY = frozenset({"arrived", "checked-in", "fulfilled"})


@dataclass(frozen=True, slots=True)
class Appointment:
    """The stored state of one appointment (one occurrence of a series)."""

    id: int  # 0 until stored
    scope: str  # feeds that share a scope speak of the same appointments
    feed: str
    identifiers: tuple[str, ...]  # every identifier ever seen, as lookup keys; the first is the preferred one
    patients: tuple[int, ...]
    status: str  # FHIR Appointment.status
    slot: Slot
    zone: str  # IANA name of the clinic's zone
    slot_number: int = 1  # grows by one whenever the slot changes
    practice: str | None = None  # None: no practice claims its location
    confirmed: bool = False  # of the present slot
    event_time: datetime | None = None  # of the newest report applied, by its source's clock
    held_by: int | None = None  # the dead inbox message that must be dealt with first
    resource: Mapping[str, Any] = field(default_factory=dict)  # FHIR R4 Appointment
    ehr_id: str | None = None  # its id on the EHR's FHIR server, once found

    @property
    def is_expected(self) -> bool:
        """Whether the visit is still to come, as far as the EHR says."""
        return self.status in EXPECTED
