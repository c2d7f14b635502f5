"""The fake store's memory of what was read last."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.ehr_reading import Reference, Snapshot
    from integration.testing.store_tables import Tables


class FakeSnapshotRows:
    """See `integration.ports.ehr_store.SnapshotRows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.ehr_snapshots

    def renew(self, snapshot: Snapshot, feed: str, asked_at: datetime) -> bytes | None:
        """Link by link."""
        digest = hashlib.sha256(snapshot.payload).digest()
        last, chain, asked_last = self._rows.get((feed, snapshot.reference), (b"", b"", asked_at))
        if asked_last > asked_at:
            return None
        news = last != digest
        if news:
            chain = hashlib.sha256(chain + digest).digest()
        self._rows[feed, snapshot.reference] = digest, chain, asked_at
        return chain if news else None

    def knows(self, feed: str, reference: Reference) -> bool:
        """By its row."""
        return (feed, reference) in self._rows
