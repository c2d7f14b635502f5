"""A dead message lets later ones pass but holds its appointment while any such remains (promise 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhir_mappers.translate_message import identity_keys
from integration.pipeline.translate.reading import appointment_keys

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed


def hold_its_appointment(unit: Unit, workshop: Workshop, message: KeptMessage) -> None:
    """Hold what a dead message is about, as far as it can be read; also an appointment not yet heard of."""
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None:
        return
    found = identity_keys(message.payload, feed.vendor, feed.facts)
    keys = appointment_keys(found.appointment, found.occurrence)
    unit.holds.add(message.id, feed.scope, keys)
    stored = unit.appointments.find(feed.scope, keys)
    if stored is not None and stored.held_by is None:
        unit.appointments.save(replace(stored, held_by=message.id))
    # What ends a whole ends its parts.
    for part in unit.appointments.lock(unit.appointments.parts_of(feed.scope, keys)):
        if part.held_by is None:
            unit.appointments.save(replace(part, held_by=message.id))


def is_of_a_known_visit(unit: Unit, feed: Feed, message: KeptMessage) -> bool:
    """Whether a message that cannot be applied is about an appointment we have."""
    found = identity_keys(message.payload, feed.vendor, feed.facts)
    keys = appointment_keys(found.appointment, found.occurrence)
    return unit.appointments.find(feed.scope, keys) is not None


def let_go(unit: Unit, message_id: int) -> None:
    """A message that gets another chance holds nothing; what else is dead of its appointments still does."""
    unit.holds.let_go(message_id)
    for appointment_id in unit.holds.held_by(message_id):
        known = unit.appointments.get(appointment_id)
        stored = unit.appointments.find(known.scope, known.identifiers)
        if stored is not None and stored.held_by == message_id:
            others = unit.holds.of(stored.scope, [*stored.identifiers, *stored.parents])
            unit.appointments.save(replace(stored, held_by=next(iter(others), None)))


def still_held(unit: Unit, stored: Appointment | None, appointment: Appointment) -> Appointment:
    """Whoever died before the appointment was known by a name holds it from the day it is."""
    known = () if stored is None else (*stored.identifiers, *stored.parents)
    learned = [key for key in (*appointment.identifiers, *appointment.parents) if key not in known]
    if appointment.held_by is not None or not learned:
        return appointment
    return replace(appointment, held_by=next(iter(unit.holds.of(appointment.scope, learned)), None))
