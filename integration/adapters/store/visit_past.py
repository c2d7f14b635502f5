"""What an appointment remembers of its past, as JSON: former slots, and facts older than its event time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.adapters.store.tables.columns import to_milliseconds, to_time
from integration.domain.appointment import Fact, Modality, PastSlot, Slot

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment


def past_to_json(appointment: Appointment) -> Any:
    """None when there is nothing to remember: most visits are booked once and kept."""
    if not (appointment.past_slots or appointment.older):
        return None
    slots = [
        [past.number, _stored(past.slot.start), past.slot.place, past.slot.modality, past.confirmed]
        for past in appointment.past_slots
    ]
    told = {"slots": slots, "older": [[fact, _stored(at)] for fact, at in appointment.older]}
    some = {str(past.number): past.confirmed_by for past in appointment.past_slots if past.confirmed_by}
    return told | {"confirmed_by": some} if some else told


def past_from_json(past: Any) -> dict[str, Any]:
    """The fields of an Appointment."""
    if past is None:
        return {}
    some = past.get("confirmed_by", {})
    slots = tuple(
        PastSlot(
            number,
            Slot(_read(start), place, Modality(modality)),
            confirmed,
            tuple(some.get(str(number), ())),
        )
        for number, start, place, modality, confirmed in past["slots"]
    )
    return {"past_slots": slots, "older": tuple((Fact(fact), _read(at)) for fact, at in past["older"])}


def as_remembered(appointment: Appointment) -> dict[str, Any]:
    """Its past as it would come back."""
    return past_from_json(past_to_json(appointment))


def _stored(time: datetime | None) -> int | None:
    return None if time is None else to_milliseconds(time)


def _read(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else to_time(milliseconds)
