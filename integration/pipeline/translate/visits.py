"""What an ADT message says of a visit that a scheduling message announced: here, not here after all, gone.

Nothing of it is told to the patient. An arrival withdraws the reminders of that visit; many senders register
people days ahead, so one that comes too early is noted and not believed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from integration.domain.appointment import EXPECTED, NOT_YET_PROMISED, AppointmentEvent, Fact
from integration.domain.appointment_report import Report, hear
from integration.domain.identity import contradict
from integration.domain.who_confirmed import of_patients
from integration.pipeline.translate.patients import find_patient
from integration.pipeline.translate.reading import appointment_keys, keys_of_patient

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fhir_mappers.translation import AppointmentIdentifier, Visit, VisitChange
    from integration.domain.appointment import Appointment
    from integration.pipeline.translate.hearing import Hearing

_HERE = frozenset({"arrived", "checked-in"})
# What an event makes of the statuses it applies to
_STATUS = {
    AppointmentEvent.ARRIVED: ("arrived", EXPECTED),  # others are not reminded, and must not become booked
    AppointmentEvent.CHANGED: ("booked", _HERE),
    AppointmentEvent.DELETED: ("entered-in-error", EXPECTED | NOT_YET_PROMISED | _HERE),
}


def hear_visit(hearing: Hearing, visit: Visit, patients: Collection[int]) -> list[str]:
    """Bring the appointment forward that the visit is; returns notes. Most visits are none of ours."""
    event = AppointmentEvent(visit.event)
    stored = None if event not in _STATUS else _find(hearing, visit.identifiers)
    if stored is None:
        return []
    path = visit.identifiers[0].path
    if not set(stored.patients) & set(patients):
        return [f"visit-of-another-patient {path}"]
    status, applies_to = _STATUS[event]
    # Said again it is newer; but no arrival taken back that was none may outweigh a late cancellation.
    said_again = stored.status == status and event is not AppointmentEvent.CHANGED
    if stored.status not in applies_to and not said_again:
        return []
    if event is AppointmentEvent.ARRIVED and not _is_the_day(hearing, stored):
        return [f"arrival-not-believed {path}"]
    shown = replace(
        stored,
        status=status,
        event_time=hearing.heard_at,
        resource={**stored.resource, "status": status},
    )
    news = hear(
        stored, Report(event, shown, says=(Fact.STATUS,), latest=hearing.heard_by), lambda _slot: False
    )
    if news.appointment.status != status:
        return ["older-than-stored MSH-7"]
    unit = hearing.unit
    saved = unit.appointments.save(news.appointment)
    if stored.status != status:
        hearing.ask_for_planning(saved.id, event, before=stored.slot)
    return []


def hear_visit_change(hearing: Hearing, change: VisitChange) -> list[str]:
    """Another number for a visit, or another patient; returns notes."""
    stored = _find(hearing, change.identifiers)
    if change.taken_from:
        return [f"visit-unknown {change.path}"] if stored is None else _hand_over(hearing, stored, change)
    formerly = _find(hearing, change.gone)
    known = stored or formerly
    if known is None:
        return [f"visit-unknown {change.path}"]
    if stored is not None and formerly is not None:
        # Each was announced by itself, and each may take place.
        return [] if stored.id == formerly.id else [f"both-visits-stand {change.path}"]
    keys = appointment_keys((*change.identifiers, *change.gone), "")
    hearing.unit.appointments.save(
        replace(known, identifiers=tuple(dict.fromkeys((*known.identifiers, *keys))))
    )
    return []


def _hand_over(hearing: Hearing, stored: Appointment, change: VisitChange) -> list[str]:
    """The visit is the other patient's now; what the former one confirmed, this one has not."""
    former = find_patient(hearing, keys_of_patient(change.taken_from))
    owner = find_patient(hearing, keys_of_patient(change.patient))
    if former is None or owner is None or former.id not in stored.patients:
        return [f"visit-of-another-patient {change.path}"]
    patients = tuple(owner.id if each == former.id else each for each in stored.patients)
    hearing.unit.appointments.save(of_patients(stored, tuple(dict.fromkeys(patients))))
    hearing.ask_for_planning(stored.id)
    return []


def _find(hearing: Hearing, identifiers: Iterable[AppointmentIdentifier]) -> Appointment | None:
    """The appointment, locked; None when the best identifier contradicts what is known of it."""
    keys = appointment_keys(identifiers, "")
    stored = hearing.unit.appointments.find(hearing.feed.scope, keys) if keys else None
    return None if stored is None or contradict(stored.identifiers, keys) else stored


def _is_the_day(hearing: Hearing, appointment: Appointment) -> bool:
    """Whether somebody who comes now comes for this visit: on its local day, not too early, or later."""
    start, at = appointment.slot.start, hearing.heard_at
    if start is None:
        return False
    zone = ZoneInfo(appointment.zone)
    earliest = start - timedelta(hours=hearing.feed.vendor.adt.earliest_arrival_hours)
    return at >= earliest and at.astimezone(zone).date() >= start.astimezone(zone).date()
