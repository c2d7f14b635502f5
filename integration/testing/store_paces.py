"""The fake store's paces of senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.sender_pace import SenderPace
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from datetime import datetime

    from integration.testing.store_tables import Tables


class FakePaceRows:
    """See `integration.ports.pace_store.PaceRows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.sender_paces

    def take(self, sender: str, now: datetime) -> SenderPace:
        """A unit of the fake holds every lock there is."""
        return self._rows.get(sender) or as_stored(SenderPace(sender, now, now))

    def keep(self, pace: SenderPace) -> None:
        """By its sender."""
        self._rows[pace.sender] = as_stored(pace)
