"""Stored appointments to come, read and planned anew when the settings have changed (design: no blast).

Nothing here is news to a patient: the changes it writes down are quiet, so no text about an event follows,
and no step that is already due. It goes along the appointments a few at a time, each time in one unit with
the place it has come to, so that whatever ends it, it goes on from there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import structlog

from integration.domain.appointment import PAST_SLOTS_KEPT, AppointmentEvent, Fact, PastSlot
from integration.domain.surprise import describe
from integration.pipeline.translate.placing import place, zone_of
from integration.pipeline.translate.reading import read, read_in_zone
from integration.ports.store import Change

if TYPE_CHECKING:
    from collections.abc import Collection

    from fhir_mappers.translation import MappedAppointment
    from integration.domain.appointment import Appointment, Slot
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.differences import Scope

BATCH: Final = 100
# By then no unit is under way that some process began under the former settings (it looks once a second).
GRACE: Final = timedelta(seconds=5)
BACKLOG: Final = 500  # changes; what happens now must not wait behind more than so many
WIDEST: Final = timedelta(hours=36)  # a visit just past may, in another zone, be still to come
LONGEST_AFTER: Final = timedelta(days=92)  # `days_after` is at most 90
_log = structlog.get_logger(__name__)


def anew(workshop: Workshop) -> bool:
    """Think a few appointments over; whether to go on at once."""
    with workshop.store.unit() as unit:
        left = unit.configurations.claim_anew(workshop.generation)
        if left is None or workshop.clock.wall() < left.since + GRACE:
            return False
        if unit.changes.backlog(BACKLOG) >= BACKLOG:
            return False
        since = workshop.clock.calendar() - _reach(workshop, left.scope)
        ids, up_to = unit.appointments.touched(left.scope, after_id=left.after_id, since=since, limit=BATCH)
        think_over(unit, workshop, ids, left.scope)
        unit.configurations.advance(workshop.generation, up_to)
    if ids:
        workshop.knock("plan")
    if up_to is None:
        _log.info("every appointment to come follows the settings", generation=workshop.generation)
    return up_to is not None


def think_over(unit: Unit, workshop: Workshop, ids: Collection[int], scope: Scope) -> None:
    """Read these appointments anew and ask for their planning, as far as the scope asks for it."""
    for stored in unit.appointments.lock(ids):
        current = stored
        if stored.feed in scope.feeds and not _is_long_over(workshop, stored):
            current = _read_anew(unit, workshop, stored)
        if current != stored:
            unit.appointments.save(current)
        if current != stored or {stored.practice, current.practice} & scope.practices:
            unit.changes.add(
                Change(
                    id=0,
                    appointment_id=stored.id,
                    event=AppointmentEvent.CHANGED,
                    at=workshop.clock.calendar(),
                    quiet=True,
                    inbox_id=stored.slot_from,
                )
            )


def _reach(workshop: Workshop, scope: Scope) -> timedelta:
    """How long ago a visit may have been of which something is still to be said, such as a follow-up."""
    plans = [each.plan for name, each in workshop.settings.practices.items() if name in scope.practices]
    after = [step for plan in plans for step in plan.steps if step.is_after]
    return WIDEST + (LONGEST_AFTER if after else timedelta())


def _is_long_over(workshop: Workshop, stored: Appointment) -> bool:
    start = stored.slot.start
    return start is not None and start < workshop.clock.calendar() - WIDEST


def _read_anew(unit: Unit, workshop: Workshop, stored: Appointment) -> Appointment:
    """The appointment as the message that told its start reads now; as it is when that cannot be read.

    The slot keeps its number, and its reminders move. Only where a text has told it otherwise than it is now
    does it get another: a reply to that text must not confirm what it did not say (promise 7).
    """
    message = None if stored.slot_from is None else unit.inbox.get(stored.slot_from)
    feed = None if message is None else workshop.settings.feeds.get(message.channel)
    if message is None or feed is None or not message.payload:
        return stored
    mapped = _mapped(workshop, message, stored)
    if mapped is None or mapped.start is None:
        return stored
    was_said = stored.said_at(Fact.PLACE) is not None
    corrects = feed.fhir is not None and feed.fhir.role == "reconcile"
    if (mapped.place is None or corrects) and was_said and stored.practice in workshop.settings.practices:
        # The place came with another message, and stays.
        zone = zone_of(feed, stored)
        mapped = read_in_zone(message, feed, zone) or mapped
        placed = place(workshop.settings, feed, mapped)
        slot = replace(placed.slot, place=stored.slot.place)
        placed = replace(placed, practice=stored.practice, slot=slot, zone=zone.key)
    else:
        placed = place(workshop.settings, feed, mapped)
    if (placed.slot, placed.zone, placed.practice) == (stored.slot, stored.zone, stored.practice):
        return stored
    if _as_told(placed.slot, placed.zone) != _as_told(stored.slot, stored.zone) and unit.texts.for_slot(
        stored.id, stored.slot_number
    ):
        told = PastSlot(stored.slot_number, stored.slot, stored.confirmed, stored.confirmed_by)
        stored = replace(
            stored,
            slot_number=stored.next_slot_number,
            past_slots=(*stored.past_slots, told)[-PAST_SLOTS_KEPT:],
            confirmed=mapped.confirmed,
            confirmed_by=(),
        )
    times: dict[str, Any] = {key: mapped.resource[key] for key in ("start", "end") if key in mapped.resource}
    return replace(
        stored,
        slot=placed.slot,
        zone=placed.zone,
        practice=placed.practice,
        resource={**stored.resource, **times},
    )


def _as_told(slot: Slot, zone: str) -> tuple[object, ...]:
    """What a text says of it: the clinic's own time of day, which a wrong zone may leave as it was."""
    local = None if slot.start is None else slot.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return local, slot.place, slot.modality


def _mapped(workshop: Workshop, message: KeptMessage, stored: Appointment) -> MappedAppointment | None:
    """What the message says of an appointment now."""
    try:
        translation = read(workshop, message).translation
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the others must not wait for it
        _log.error("an appointment stays as it is", appointment=stored.id, surprise=describe(surprise))
        return None
    return None if translation is None else translation.appointment
