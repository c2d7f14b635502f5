"""Which visits we know of the EHR no longer shows, where it has shown all there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from integration.ports.ehr_reading import Reference
from integration.settings.differences import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.workshop import Workshop

# So many known, and none shown: that is the answer of a server that hides them, not of an empty calendar.
INCREDIBLE: Final = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the EHR has of a feed between two times."""

    feed: str
    starts: datetime
    ends: datetime
    location: str  # the id of a Location; "": all of them
    ids: frozenset[str]  # of Appointments


def not_shown(workshop: Workshop, shown: Shown) -> list[Reference]:
    """What is known of the feed, lies in what was asked for, and was not shown: moved, or gone."""
    known = {
        visit.ehr_id
        for visit in _to_come(workshop, shown)
        if visit.ehr_id is not None and _is_at(visit, shown.location)
    }
    if not shown.ids and len(known) >= INCREDIBLE:
        _log.error("the EHR shows none of the visits it told of", feed=shown.feed, known=len(known))
        return []
    return [Reference("Appointment", each) for each in sorted(known - shown.ids)]


def _to_come(workshop: Workshop, shown: Shown) -> Iterator[Appointment]:
    after: int | None = 0
    scope = Scope(feeds=frozenset({shown.feed}))
    while after is not None:
        with workshop.store.reading() as unit:
            ids, after = unit.appointments.touched(scope, after_id=after, since=shown.starts, limit=100)
            visits = [unit.appointments.get(each) for each in ids]
        for visit in visits:
            if visit.is_expected and visit.slot.start is not None and visit.slot.start < shown.ends:
                yield visit


def _is_at(visit: Appointment, location: str) -> bool:
    """Whether the visit is at that Location; at "" all are."""
    if not location:
        return True
    named = f"Location/{location}"
    actors = (each.get("actor") or {} for each in visit.resource.get("participant") or ())
    return any(str(actor.get("reference")).endswith(named) for actor in actors)
