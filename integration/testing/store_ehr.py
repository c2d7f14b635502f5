"""What the fake store keeps of the EHR's FHIR server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.ports.ehr_store import Want
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.ports.ehr_reading import Reference
    from integration.ports.ehr_store import EhrSubscription, WantState
    from integration.testing.store_tables import Tables

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


class FakeWantRows:
    """See `integration.ports.ehr_store.WantRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def tell(
        self,
        feed: str,
        references: Sequence[Reference],
        at: datetime,
        *,
        deleted: bool = False,
        inbox_id: int | None = None,
    ) -> None:
        """Insert, or make pending again."""
        there = {(each.feed, each.reference): each for each in self._tables.wants.values()}
        for reference in dict.fromkeys(references):
            told = there.get((feed, reference))
            if told is None:
                told = Want(self._tables.next_id("wants"), feed, reference, at)
            elif told.state == "pending" and told.id in self._tables.want_leases:
                told = replace(told, revision=told.revision + 1)
            else:
                told = Want(told.id, feed, reference, at, revision=told.revision + 1)
            self._tables.wants[told.id] = as_stored(
                replace(told, told_at=at, deleted=deleted, inbox_id=inbox_id)
            )

    def claim(self, now: datetime, lease_until: datetime) -> Want | None:
        """The one ready the longest."""
        ready = [(at, want.id) for want in self._tables.wants.values() if (at := self.ready_at(want)) <= now]
        if not ready:
            return None
        claimed = self._tables.wants[min(ready)[1]]
        self._tables.want_leases[claimed.id] = lease_until
        return claimed

    def ready_at(self, want: Want) -> datetime:
        """When its lease ends, else when it is to be read; never, if it is not pending."""
        if want.state != "pending":
            return datetime.max.replace(tzinfo=UTC)
        return self._tables.want_leases.get(want.id) or want.next_try_at or AT_ONCE

    def settle(self, want: Want) -> None:
        """How it went."""
        stored = self._tables.wants[want.id]
        self._tables.wants[want.id] = as_stored(
            replace(
                stored,
                state=want.state if stored.revision == want.revision else "pending",
                tries=want.tries,
                next_try_at=want.next_try_at,
                reason=want.reason,
            )
        )
        self._tables.want_leases.pop(want.id, None)

    def waits(self, feeds: Collection[str], references: Collection[Reference]) -> bool:
        """Whether any does."""
        return any(
            want.state != "read" and want.feed in feeds and want.reference in references
            for want in self._tables.wants.values()
        )

    def count(self, state: WantState) -> int:
        """How many."""
        return sum(want.state == state for want in self._tables.wants.values())

    def reopen(self, feed: str | None = None) -> int:
        """Once more."""
        again = [
            want
            for want in self._tables.wants.values()
            if want.state == "refused" and feed in {None, want.feed}
        ]
        for want in again:
            self._tables.wants[want.id] = replace(
                want, state="pending", tries=0, next_try_at=None, reason=None
            )
        return len(again)


class FakeEhrSubscriptionRows:
    """See `integration.ports.ehr_store.EhrSubscriptionRows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.ehr_subscriptions
        self._leases = tables.ehr_subscription_leases

    def find(self, feed: str, resource_type: str, topic: str = "") -> EhrSubscription | None:
        """By its key."""
        return self._rows.get((feed, resource_type, topic))

    def by_ehr_id(self, feed: str, ehr_id: str) -> EhrSubscription | None:
        """By the EHR's id."""
        return next((each for each in self.all() if (each.feed, each.ehr_id) == (feed, ehr_id)), None)

    def save(self, subscription: EhrSubscription) -> None:
        """A look that stays when it was leaves a lease as it is."""
        key, new = _key(subscription), as_stored(subscription)
        known = self._rows.get(key)
        if known is None or known.next_look_at != new.next_look_at:
            self._leases.pop(key, None)
        self._rows[key] = new

    def forget(self, feed: str, resource_type: str, topic: str = "") -> None:
        """It is no longer ours."""
        self._rows.pop((feed, resource_type, topic), None)
        self._leases.pop((feed, resource_type, topic), None)

    def claim(
        self, subscription: EhrSubscription, now: datetime, lease_until: datetime
    ) -> EhrSubscription | None:
        """Whether its look is due does not matter, only whether another is at it."""
        key = _key(subscription)
        self._rows.setdefault(key, as_stored(subscription))
        if self._leases.get(key, AT_ONCE) > now:
            return None
        self._leases[key] = lease_until
        return self._rows[key]

    def claim_due(self, now: datetime, lease_until: datetime) -> EhrSubscription | None:
        """The one that has been due the longest."""
        due = sorted((at, key) for at, key in self.looks() if at <= now)
        if not due:
            return None
        _, key = due[0]
        self._leases[key] = lease_until
        return self._rows[key]

    def all(self) -> list[EhrSubscription]:
        """By feed and type."""
        return [self._rows[key] for key in sorted(self._rows)]

    def looks(self) -> list[tuple[datetime, tuple[str, str, str]]]:
        """When the lease of each ends, else when it is looked at next."""
        return [
            (self._leases.get(key) or row.next_look_at or AT_ONCE, key) for key, row in self._rows.items()
        ]


def _key(subscription: EhrSubscription) -> tuple[str, str, str]:
    return subscription.feed, subscription.resource_type, subscription.topic
