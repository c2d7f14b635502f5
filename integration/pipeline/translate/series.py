"""Appointments that are parts of others: occurrences of a series, and children that name a parent.

A child keeps the keys of its parent, which need not be known: news that the parent has ended reaches every
child, and a child heard of later finds that it has (HL7 v2.9.1, 10.4.4 to 10.4.6; SCH-23, SCH-24).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integration.domain.appointment import AppointmentEvent, Fact
from integration.domain.appointment_report import end_with
from integration.domain.identity import appointment_key, contradict

if TYPE_CHECKING:
    from fhir_mappers.translation import MappedAppointment
    from integration.domain.appointment import Appointment
    from integration.pipeline.translate.hearing import Hearing


ENDING: Final = frozenset(
    {AppointmentEvent.CANCELLED, AppointmentEvent.DISCONTINUED, AppointmentEvent.DELETED}
)
ENDED: Final = frozenset({"cancelled", "entered-in-error"})  # FHIR statuses of what has


def parents_of(mapped: MappedAppointment) -> tuple[str, ...]:
    """The keys of what it is a part of: its parent (SCH-24, SCH-23), the series of its occurrence (SCH-3)."""
    named = [*mapped.parents, *(mapped.identifiers[:1] if mapped.occurrence else ())]
    return tuple(appointment_key(known.path, known.value, known.namespace, "") for known in named)


def end_parts(hearing: Hearing, parent: Appointment) -> None:
    """A message that ends an appointment ends its parts that are still to come."""
    if parent.status not in ENDED or parent.said_at(Fact.STATUS) != hearing.heard_at:
        return
    found = hearing.translation.appointment
    event = AppointmentEvent(hearing.translation.event)
    if found is None or event not in ENDING:
        return
    keys = [appointment_key(known.path, known.value, known.namespace, "") for known in found.identifiers]
    # A child may name its parent without the authority.
    bare = [appointment_key(known.path, known.value, "", "") for known in found.identifiers]
    appointments = hearing.unit.appointments
    for child in appointments.lock(appointments.parts_of(parent.scope, list(dict.fromkeys([*keys, *bare])))):
        ended = None if contradict(child.parents, keys) else end_with(child, event, hearing.heard_at)
        if ended is not None:
            appointments.save(ended)
            hearing.ask_for_planning(child.id, event, before=child.slot, quiet=hearing.is_quiet)


def ended_with_parent(hearing: Hearing, child: Appointment) -> Appointment | None:
    """A child first heard of now whose parent has ended since; None when it has not."""
    for key in child.parents:
        parent = hearing.unit.appointments.find(child.scope, [key])
        if parent is None or parent.status not in ENDED or contradict(parent.identifiers, child.parents):
            continue
        deleted = parent.status == "entered-in-error"
        event = AppointmentEvent.DELETED if deleted else AppointmentEvent.CANCELLED
        ended_at = parent.said_at(Fact.STATUS)
        if ended_at is not None and child.event_time is not None and ended_at > child.event_time:
            return end_with(child, event, ended_at)
    return None
