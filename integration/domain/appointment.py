"""One appointment as we know it, and what a new report of it means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
# proposed (tentative) and waitlist are not promises to the patient.
EXPECTED = frozenset({"booked", "pending"})
NOT_YET_PROMISED = frozenset({"proposed", "waitlist"})
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
    slot_from: int | None = None  # the newest inbox message that told its start

    @property
    def is_expected(self) -> bool:
        """Whether the visit is still to come, as far as the EHR says."""
        return self.status in EXPECTED


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says of one appointment."""

    event: AppointmentEvent  # what the message's trigger and status say by themselves
    appointment: Appointment  # as the message shows it; id, slot_number and held_by mean nothing here


@dataclass(frozen=True, slots=True)
class News:
    """The appointment after a report, and what happened to it."""

    event: AppointmentEvent
    appointment: Appointment
    first_contact: bool = False  # it existed before we heard of it: plan the future only


def hear(stored: Appointment | None, report: Report) -> News:
    """Compare a report with the stored appointment; the trigger decides, the comparison refines.

    A report without a start leaves the stored slot alone. A visit that was called off and is
    expected again is booked anew, in a new slot; one that was tentative is booked now.
    """
    shown = report.appointment
    if stored is None:
        return _first_news(report)
    merged = _merge(stored, shown)
    if not shown.is_expected:
        happened = AppointmentEvent.UNCHANGED if stored.status == shown.status else report.event
        return News(happened, merged)
    again = stored.status in CALLED_OFF
    if merged.slot != stored.slot or again:
        merged = replace(merged, slot_number=stored.slot_number + 1, confirmed=shown.confirmed)
        same_slot = merged.slot == stored.slot
        return News(AppointmentEvent.BOOKED if same_slot else AppointmentEvent.MOVED, merged)
    if stored.status in NOT_YET_PROMISED:
        return News(AppointmentEvent.BOOKED, merged)
    same = _but_for_the_message(merged) == _but_for_the_message(stored)
    return News(AppointmentEvent.UNCHANGED if same else AppointmentEvent.CHANGED, merged)


def _but_for_the_message(appointment: Appointment) -> Appointment:
    """What it is, whichever message says so."""
    return replace(appointment, event_time=None, resource={}, slot_from=None)


def _first_news(report: Report) -> News:
    """An appointment never heard of: only a booking is news to the patient."""
    shown = report.appointment
    if not shown.is_expected:
        return News(AppointmentEvent.IGNORED, shown, first_contact=True)
    return News(AppointmentEvent.BOOKED, shown, first_contact=report.event is not AppointmentEvent.BOOKED)


def _merge(stored: Appointment, shown: Appointment) -> Appointment:
    """The stored appointment with what the report shows laid over it."""
    slot = stored.slot if shown.slot.start is None else shown.slot
    return replace(
        shown,
        id=stored.id,
        identifiers=tuple(dict.fromkeys((*stored.identifiers, *shown.identifiers))),
        patients=shown.patients or stored.patients,
        slot=slot,
        slot_number=stored.slot_number,
        confirmed=stored.confirmed or shown.confirmed,
        held_by=stored.held_by,
        ehr_id=stored.ehr_id,
        slot_from=shown.slot_from or stored.slot_from,
    )
