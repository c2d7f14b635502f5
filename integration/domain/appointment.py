"""One appointment as we know it.

Reports come late, twice and in any order (`appointment_report`), so it remembers which facts are older than
the rest, and the slots it has left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
NO_SHOW = "noshow"
CALLED_OFF = frozenset({"cancelled", NO_SHOW, "entered-in-error"})
UNDER_WAY = frozenset({"arrived", "checked-in", "fulfilled"})


class Fact(StrEnum):
    """What one report may leave out while it says the rest."""

    STATUS = "status"
    START = "start"  # and how they meet
    PLACE = "place"  # and what follows from it: practice, zone


@dataclass(frozen=True, slots=True)
class PastSlot:
    """A slot the visit has left."""

    number: int
    slot: Slot
    confirmed: bool  # by all who were its patients
    confirmed_by: tuple[int, ...] = ()  # else by these


PAST_SLOTS_KEPT = 10


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
    slot_number: int = 1  # another, never used before, whenever the slot changes to one not known before
    practice: str | None = None  # None: no practice claims its location
    confirmed: bool = False  # the present slot, by all its patients
    confirmed_by: tuple[int, ...] = ()  # else by these (`who_confirmed`)
    event_time: datetime | None = None  # of the newest report applied, by its source's clock
    held_by: int | None = None  # the dead inbox message that must be dealt with first
    resource: Mapping[str, Any] = field(default_factory=dict)  # FHIR R4 Appointment
    ehr_id: str | None = None  # its id on the EHR's FHIR server, once found
    slot_from: int | None = None  # the newest inbox message that told its start
    parents: tuple[str, ...] = ()  # keys of the appointments it is a part of
    past_slots: tuple[PastSlot, ...] = ()  # the one left last is the last
    older: tuple[tuple[Fact, datetime | None], ...] = ()  # facts said before `event_time`; None: never said

    @property
    def is_expected(self) -> bool:
        """Whether the visit is still to come, as far as the EHR says."""
        return self.status in EXPECTED

    def is_confirmed_by(self, patient_id: int) -> bool:
        """Whether this patient said yes to the present slot, or the EHR says so."""
        return self.confirmed or patient_id in self.confirmed_by

    @property
    def took_place(self) -> bool:
        """Whether the EHR has said that the patient came; a start that has passed says nothing."""
        return self.status in UNDER_WAY

    @property
    def ends(self) -> datetime | None:
        """When the visit ends as far as the EHR says, else when it starts; None without a start."""
        start, said = self.slot.start, self.resource
        if start is None or not (said.get("start") and said.get("end")):
            return start
        begins, ends = (datetime.fromisoformat(str(said[key])) for key in ("start", "end"))
        return start if begins != start else max(start, ends)  # of another time it says nothing

    @property
    def next_slot_number(self) -> int:
        """One that none of its slots has had."""
        return 1 + max([self.slot_number, *(past.number for past in self.past_slots)])

    def slot_numbered(self, number: int) -> Slot:
        """The slot that had the number; the present one when that is no longer known."""
        return next((past.slot for past in self.past_slots if past.number == number), self.slot)

    def said_at(self, fact: Fact) -> datetime | None:
        """The event time of the report that a fact comes from; None when none has said it."""
        return next((at for known, at in self.older if known is fact), self.event_time)
