"""When, where and how a visit takes place, and whose it is, as the settings read a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.domain.appointment import Modality, Slot

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from fhir_mappers.translation import MappedAppointment
    from integration.domain.appointment import Appointment
    from integration.settings.model import Feed, Settings


@dataclass(frozen=True, slots=True)
class Placed:
    """What follows from the settings, and would be otherwise under others."""

    slot: Slot
    zone: str  # IANA name of the clinic's zone
    practice: str | None


def zone_of(feed: Feed, stored: Appointment) -> ZoneInfo:
    """The zone of a visit's place as the feed has it now; a place without one of its own has the feed's."""
    here = (stored.practice, stored.slot.place)
    named = [at.zone or feed.zone for at in feed.locations.values() if (at.practice, at.place) == here]
    zones = {zone.key: zone for zone in named}
    if stored.zone in zones:
        return zones[stored.zone]
    return next(iter(zones.values())) if len(zones) == 1 else feed.zone


def place(settings: Settings, feed: Feed, mapped: MappedAppointment) -> Placed:
    """Where the settings put it."""
    codes = tuple(location.code for location in mapped.locations)
    practice, location = settings.practice_of(feed, codes)
    if location is not None and location.sensitive:
        owner = settings.practices.get(location.practice)
        practice = practice if owner is not None and owner.sensitive_texts else None
    zone = location.zone if location is not None and location.zone is not None else mapped.zone
    public = "" if location is None else location.place
    return Placed(Slot(mapped.start, public, Modality(mapped.modality)), zone.key, practice)
