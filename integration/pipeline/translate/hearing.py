"""One readable message about to change what is stored: when it happened, and whether it is old news."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

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

NOT_CREATED: Final = "not-created: another feed of the scope creates"


class Unusable(Exception):
    """A message that cannot be applied; its words name a path and a code, never a person."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """A message of a known feed, translated, inside the unit that applies it."""

    unit: Unit
    workshop: Workshop
    feed: Feed
    reading: Reading
    translation: Translation
    numbers_given: dict[str, datetime] = field(default_factory=dict)  # of the whole batch, with when
    said_yes: list[int] = field(default_factory=list)  # patients whose yes to texts is news

    @property
    def message(self) -> KeptMessage:
        """As it was kept."""
        return self.reading.message

    @property
    def heard_at(self) -> datetime:
        """The event time: MSH-7, meta.lastUpdated; the receipt where that is ahead by too much."""
        return self.placed(self.translation.occurred_at)

    @property
    def heard_by(self) -> datetime:
        """The latest it may have been: in the autumn hour that comes twice MSH-7 may mean the second."""
        return self.latest(self.heard_at)

    def placed(self, occurred_at: datetime | None) -> datetime:
        """When it is believed to have been (promise 3)."""
        if occurred_at is None or occurred_at > self._receipt + self.feed.clock_tolerance:
            return self._receipt
        return occurred_at

    def latest(self, at: datetime) -> datetime:
        """The latest a time of this feed may mean; FHIR's are instants."""
        if self.feed.fhir is not None:
            return at
        local = at.astimezone(self.feed.zone)
        first, second = (local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
        return at if local.fold else at + max(first - second, timedelta())

    @property
    def reconciles(self) -> bool:
        """Whether it only corrects what another feed of the scope has told."""
        return self.feed.fhir is not None and self.feed.fhir.role == "reconcile"

    @property
    def is_stale_note(self) -> str:
        """What is noted of old news."""
        return f"older-than-stored {'MSH-7' if self.feed.fhir is None else 'meta.lastUpdated'}"

    @property
    def _receipt(self) -> datetime:
        receipt = self.message.received_at
        return max(receipt, self.workshop.clock.calendar()) if self.workshop.simulated else receipt

    @property
    def is_quiet(self) -> bool:
        """Whether nothing it says is to be told to patients: said again (S27), replayed, or old news."""
        return self.translation.event == "unchanged" or self.message.replayed or self.is_old_news

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
        patients_before: tuple[int, ...] | None = None,
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
                patients_before=patients_before,
            )
        )
