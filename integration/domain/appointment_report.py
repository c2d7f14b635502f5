"""What a new report of an appointment means, beside what is stored.

What was said last of a fact (status, start, place) stands, whenever it arrives; what a report leaves out
stays as it was. So reports in any order, and told twice, end alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.appointment import (
    CALLED_OFF,
    EXPECTED,
    NOT_YET_PROMISED,
    PAST_SLOTS_KEPT,
    UNDER_WAY,
    Appointment,
    AppointmentEvent,
    Fact,
    PastSlot,
)
from integration.domain.who_confirmed import confirming, of_patients, who_said_yes, with_yes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says of one appointment."""

    event: AppointmentEvent  # what the message's trigger and status say by themselves
    appointment: Appointment  # as the message shows it; id, slot_number and held_by mean nothing here
    says: Collection[Fact] = tuple(Fact)
    latest: datetime | None = None  # when the event time may as well have been, in the hour that comes twice


@dataclass(frozen=True, slots=True)
class News:
    """The appointment after a report, and what happened to it."""

    event: AppointmentEvent
    appointment: Appointment
    first_contact: bool = False  # it existed before we heard of it: plan the future only
    is_stale: bool = False  # newer reports had said it all


def hear(stored: Appointment | None, report: Report, was_told: Callable[[int], bool]) -> News:
    """Compare a report with the stored appointment; the trigger decides, the comparison refines.

    `was_told` says of a slot number whether anybody may have been told of that slot. A visit that was
    called off and is expected again is booked anew, in a new slot; one that was tentative is booked now.
    """
    shown = report.appointment
    if stored is None:
        return _first_news(report)
    merged = _merge(stored, report)
    same = _but_for_the_message(merged) == _but_for_the_message(stored)
    if same and merged.older == stored.older and not _is_newest(stored, report):
        return News(AppointmentEvent.UNCHANGED, merged, is_stale=True)
    if not merged.is_expected:
        if stored.status == merged.status:
            return News(AppointmentEvent.UNCHANGED, merged)
        said = report.event is not AppointmentEvent.UNCHANGED
        return News(report.event if said else _EVENT_OF.get(merged.status, AppointmentEvent.CHANGED), merged)
    if merged.slot != stored.slot or stored.status in CALLED_OFF:
        same_slot = merged.slot == stored.slot
        merged = _in_another_slot(stored, merged, was_told, said_yes=_who_confirms(shown, merged.patients))
        return News(AppointmentEvent.BOOKED if same_slot else AppointmentEvent.MOVED, merged)
    event = AppointmentEvent.UNCHANGED if same else AppointmentEvent.CHANGED
    return News(AppointmentEvent.BOOKED if stored.status in NOT_YET_PROMISED else event, merged)


# What a broadcast (S27) that shows another status is news of
_EVENT_OF = {
    "cancelled": AppointmentEvent.CANCELLED,
    "noshow": AppointmentEvent.NO_SHOW,
    "entered-in-error": AppointmentEvent.DELETED,
    **dict.fromkeys(UNDER_WAY, AppointmentEvent.ARRIVED),
}
# What happens to the parts of an appointment that ends so (HL7 v2.9.1, 10.4.4 to 10.4.6)
_ENDS = {
    AppointmentEvent.CANCELLED: "cancelled",
    AppointmentEvent.DISCONTINUED: "cancelled",
    AppointmentEvent.DELETED: "entered-in-error",
}


def end_with(child: Appointment, event: AppointmentEvent, at: datetime | None) -> Appointment | None:
    """The part of an appointment that has ended by `event`; None when the part goes on as it is.

    What was said of the part itself later on stands, and so does what has begun by then.
    """
    said = child.said_at(Fact.STATUS)
    begun = at is not None and child.slot.start is not None and child.slot.start <= at
    if (
        event not in _ENDS
        or child.status not in EXPECTED | NOT_YET_PROMISED
        or begun
        or (at is not None and said is not None and said > at)
    ):
        return None
    newest = _later(child.event_time, at)
    times = {fact: at if fact is Fact.STATUS else child.said_at(fact) for fact in Fact}
    return replace(child, status=_ENDS[event], event_time=newest, older=_older(times, newest))


def _share_patients(one: Appointment, other: Appointment) -> bool:
    """Whether both may be one patient's; a report that shows none speaks of whose visit it is."""
    return not one.patients or not other.patients or not set(one.patients).isdisjoint(other.patients)


def _who_confirms(shown: Appointment, patients: Collection[int]) -> Collection[int]:
    """Who has said yes by a report of these patients' visit; one that shows none speaks of them all."""
    return patients if shown.confirmed and not shown.patients else confirming(shown)


def _but_for_the_message(appointment: Appointment) -> Appointment:
    """What it is, whichever message says so."""
    return replace(appointment, event_time=None, resource={}, slot_from=None, older=())


def _first_news(report: Report) -> News:
    """An appointment never heard of: only a booking is news to the patient."""
    shown = report.appointment
    times = {fact: shown.event_time if fact in report.says else None for fact in Fact}
    shown = replace(shown, older=_older(times, shown.event_time))
    if not shown.is_expected:
        return News(AppointmentEvent.IGNORED, shown, first_contact=True)
    return News(AppointmentEvent.BOOKED, shown, first_contact=report.event is not AppointmentEvent.BOOKED)


def is_newest(stored: Appointment, at: datetime | None) -> bool:
    """Whether nothing newer than `at` was applied; ties go by arrival."""
    return at is None or stored.event_time is None or at >= stored.event_time


def _is_newest(stored: Appointment, report: Report) -> bool:
    return is_newest(stored, report.latest or report.appointment.event_time)


def _believed(stored: Appointment, report: Report) -> Collection[Fact]:
    """The facts of which nothing newer was said."""
    if _is_newest(stored, report):
        return report.says
    at = report.appointment.event_time
    times = {fact: stored.said_at(fact) for fact in report.says}
    return [fact for fact, since in times.items() if since is None or (at is not None and at > since)]


def _merge(stored: Appointment, report: Report) -> Appointment:
    """The stored appointment with what the report may say of it laid over it."""
    shown, newest = report.appointment, _is_newest(stored, report)
    believed = _believed(stored, report)
    status = shown.status if Fact.STATUS in believed else stored.status
    when = shown if Fact.START in believed else stored
    where = shown if Fact.PLACE in believed else stored
    slot = replace(when.slot, place=where.slot.place)
    event_time = _later(stored.event_time, shown.event_time)
    times = {fact: shown.event_time if fact in believed else stored.said_at(fact) for fact in Fact}
    patients = (shown.patients if newest else ()) or stored.patients or shown.patients
    answered = of_patients(stored, patients)  # what a former patient confirmed, this one has not
    if newest or (shown.slot.start == slot.start and _share_patients(stored, shown)):
        answered = with_yes(answered, _who_confirms(shown, patients))
    reused = stored.status == "entered-in-error" and status in EXPECTED  # the identifier, for another visit
    return replace(
        shown if newest else stored,
        id=stored.id,
        identifiers=tuple(dict.fromkeys((*stored.identifiers, *shown.identifiers))),
        patients=patients,
        status=status,
        slot=slot,
        slot_number=stored.slot_number,
        slot_from=when.slot_from,
        zone=where.zone,
        practice=where.practice,
        confirmed=answered.confirmed,
        confirmed_by=answered.confirmed_by,
        event_time=event_time,
        held_by=stored.held_by,
        ehr_id=shown.ehr_id or (None if reused else stored.ehr_id),
        parents=tuple(dict.fromkeys((*stored.parents, *shown.parents))),
        past_slots=answered.past_slots,
        older=_older(times, event_time),
    )


def _in_another_slot(
    stored: Appointment,
    merged: Appointment,
    was_told: Callable[[int], bool],
    *,
    said_yes: Collection[int],
) -> Appointment:
    """Back in a former slot, if nobody was told that the visit had left it; else in a new one.

    `said_yes` are the patients who have confirmed the slot it is in now.
    """
    stored = of_patients(stored, merged.patients)
    left = PastSlot(stored.slot_number, stored.slot, stored.confirmed, stored.confirmed_by)
    merged = with_yes(replace(merged, confirmed=False, confirmed_by=()), said_yes)
    number = stored.slot_number
    for past in reversed(stored.past_slots):
        if was_told(number):
            break
        if past.slot == merged.slot:
            others = tuple(each for each in stored.past_slots if each is not past)
            merged = with_yes(merged, who_said_yes(past, merged.patients))
            return replace(merged, slot_number=past.number, past_slots=(*others, left))
        number = past.number
    past_slots = (*stored.past_slots, left)[-PAST_SLOTS_KEPT:]
    return replace(merged, slot_number=stored.next_slot_number, past_slots=past_slots)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _older(
    times: Mapping[Fact, datetime | None], newest: datetime | None
) -> tuple[tuple[Fact, datetime | None], ...]:
    """Only what differs from the event time is written down."""
    return tuple((fact, at) for fact, at in times.items() if at != newest)
