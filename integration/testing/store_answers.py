"""The fake store's application acknowledgments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.domain.application_acknowledgment import AcknowledgmentState, ApplicationAcknowledgment
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from collections.abc import Collection

    from integration.testing.store_tables import Tables

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


class FakeAcknowledgmentRows:
    """See `integration.ports.store.AcknowledgmentRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def owe(self, row: ApplicationAcknowledgment) -> None:
        """Unless the message has one."""
        self._tables.acknowledgments.setdefault(row.inbox_id, as_stored(row))

    def claim(
        self, now: datetime, lease_until: datetime, *, but: Collection[str] = ()
    ) -> ApplicationAcknowledgment | None:
        """Of the feed whose head has been ready the longest."""
        ready = [(at, row.inbox_id) for at, row in self.heads() if at <= now and row.feed not in but]
        if not ready:
            return None
        claimed = self._tables.acknowledgments[min(ready)[1]]
        self._tables.acknowledgment_leases[claimed.inbox_id] = lease_until
        return claimed

    def find(self, inbox_id: int) -> ApplicationAcknowledgment | None:
        """By the message it speaks of."""
        return self._tables.acknowledgments.get(inbox_id)

    def settle(self, row: ApplicationAcknowledgment) -> None:
        """How it went, unless another worker has settled it."""
        if self._tables.acknowledgments[row.inbox_id].state is AcknowledgmentState.WAITING:
            self._tables.acknowledgments[row.inbox_id] = as_stored(row)
        self._tables.acknowledgment_leases.pop(row.inbox_id, None)

    def count(self, state: AcknowledgmentState) -> int:
        """How many."""
        return sum(row.state is state for row in self._tables.acknowledgments.values())

    def heads(self) -> list[tuple[datetime, ApplicationAcknowledgment]]:
        """The oldest waiting row of each feed, and when its lease ends, else when it is to be tried."""
        heads: dict[str, ApplicationAcknowledgment] = {}
        for row in sorted(self._tables.acknowledgments.values(), key=lambda each: each.inbox_id):
            if row.state is AcknowledgmentState.WAITING:
                heads.setdefault(row.feed, row)
        leases = self._tables.acknowledgment_leases
        return [(leases.get(row.inbox_id) or row.next_try_at or AT_ONCE, row) for row in heads.values()]
