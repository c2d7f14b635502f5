"""One readable message about to change what is stored: when it happened, and whether it is old news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.ports.store import Change

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_mappers.translation import Translation
    from integration.domain.appointment import Slot
    from integration.pipeline.translate.reading import Reading
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed


@dataclass(frozen=True, slots=True)
class Hearing:
    """A message of a known feed, translated, inside the unit that applies it."""

    unit: Unit
    workshop: Workshop
    feed: Feed
    reading: Reading
    translation: Translation

    @property
    def message(self) -> KeptMessage:
        """As it was kept."""
        return self.reading.message

    @property
    def heard_at(self) -> datetime:
        """The event time: MSH-7, but never much later than the receipt (promise 3)."""
        receipt = self.message.received_at
        if self.workshop.simulated:
            receipt = max(receipt, self.workshop.clock.calendar())
        occurred_at = self.translation.occurred_at
        return receipt if occurred_at is None else min(occurred_at, receipt + self.feed.clock_tolerance)

    @property
    def is_old_news(self) -> bool:
        """Whether the event is too old to speak of (no blast).

        Under a simulated calendar a sender may live by either clock.
        """
        nows = [self.message.received_at]
        if self.workshop.simulated:
            nows.append(self.workshop.clock.calendar())
        return all(now - self.heard_at > self.feed.oldest_event for now in nows)

    def ask_for_planning(
        self,
        appointment_id: int,
        event: AppointmentEvent = AppointmentEvent.CHANGED,
        *,
        before: Slot | None = None,
        quiet: bool = True,
    ) -> None:
        """Write down that an appointment's reminders are to be thought over.

        Quiet: nothing happened to the visit itself that a text could be about.
        """
        self.unit.changes.add(
            Change(
                id=0,
                appointment_id=appointment_id,
                event=event,
                at=self.workshop.clock.calendar(),
                before=before,
                quiet=quiet,
                inbox_id=self.message.id,
            )
        )
