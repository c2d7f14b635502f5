"""The fake store's polls of the EHR."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.ports.ehr_store import Poll
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.testing.store_tables import Tables

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


class FakePollRows:
    """See `integration.ports.ehr_store.PollRows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.ehr_polls
        self._leases = tables.ehr_poll_leases

    def want(self, feed: str, location: str, at: datetime) -> None:
        """Insert, or ask earlier."""
        wanted = as_stored(Poll(feed, location, next_at=at))
        known = self._rows.setdefault((feed, location), wanted)
        self._rows[feed, location] = replace(known, next_at=min(_due(known), _due(wanted)))

    def claim(self, now: datetime, lease_until: datetime) -> Poll | None:
        """The one ready the longest."""
        ready = [(at, poll.feed, poll.location) for at, poll in self.times() if at <= now]
        if not ready:
            return None
        _, *key = min(ready)
        claimed = self._rows[key[0], key[1]]
        self._lease(claimed, lease_until)
        return claimed

    def hold(self, poll: Poll, lease_until: datetime) -> None:
        """Lease it longer."""
        key = poll.feed, poll.location
        if key in self._rows:
            wanted = self._rows[key] if self._wanted_meanwhile(key) else None
            self._lease(self._rows[key], lease_until)
            if wanted is not None:
                self._rows[key] = wanted

    def settle(self, poll: Poll) -> None:
        """How it went."""
        key, new = (poll.feed, poll.location), as_stored(poll)
        if key not in self._rows:
            return
        if self._wanted_meanwhile(key):
            new = replace(new, next_at=min(_due(self._rows[key]), _due(new)))
        self._rows[key] = new
        self._leases.pop(key, None)

    def all(self) -> Sequence[Poll]:
        """As they stand."""
        return [self._rows[key] for key in sorted(self._rows)]

    def forget(self, feed: str, locations: Collection[str]) -> None:
        """Delete them."""
        for location in locations:
            self._rows.pop((feed, location), None)
            self._leases.pop((feed, location), None)

    def times(self) -> list[tuple[datetime, Poll]]:
        """Each with the end of its lease, else when it is due."""
        return [(max(_due(poll), self._leases.get(key, AT_ONCE)), poll) for key, poll in self._rows.items()]

    def _lease(self, poll: Poll, until: datetime) -> None:
        leased = as_stored(replace(poll, next_at=until))
        self._rows[poll.feed, poll.location] = leased
        self._leases[poll.feed, poll.location] = _due(leased)

    def _wanted_meanwhile(self, key: tuple[str, str]) -> bool:
        return key in self._leases and _due(self._rows[key]) < self._leases[key]


def _due(poll: Poll) -> datetime:
    return poll.next_at or AT_ONCE
