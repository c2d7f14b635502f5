"""Makes or mends one Subscription, one process at a time, and writes down that it is ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from integration.domain.event_numbers import EventNumbers, began
from integration.ports.ehr_subscribing import Standing, Wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.ports.ehr_reading import Heard
    from integration.ports.ehr_store import EhrSubscription
    from integration.ports.ehr_subscribing import EhrSubscriber, Trouble
    from integration.ports.store import Store
    from integration.settings.model import FhirHearing

LEASE: Final = timedelta(minutes=5)
SOON: Final = timedelta(seconds=10)  # a handshake should be over by then


class Busy:
    """Another process is at this very Subscription."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the Subscriptions of one feed."""

    store: Store
    subscriber: EhrSubscriber
    feed: str
    hearing: FhirHearing
    endpoint: str
    wall: Callable[[], datetime]

    def wish(self, row: EhrSubscription) -> Wish:
        """What there should be for a row."""
        return Wish(
            feed=self.feed,
            resource_type=cast("Heard", row.resource_type),
            kind=row.kind,
            topic=row.topic,
            endpoint=self.endpoint,
            payload=self.hearing.payload,
            heartbeat=self.hearing.heartbeat,
        )

    def make(self, row: EhrSubscription) -> Standing | Trouble | Busy:
        """Make it, or mend what differs. What the server will not have, and had not, leaves no row."""
        now = self.wall()
        with self.store.unit() as unit:
            claimed = unit.subscriptions.claim(replace(row, next_look_at=now), now, now + LEASE)
        if claimed is None:
            return Busy()
        answer = self.subscriber.ensure(self.wish(claimed), claimed.ehr_id)
        self.keep(claimed, answer)
        return answer

    def keep(self, row: EhrSubscription, answer: Standing | Trouble) -> None:
        """Write down what came of it; ends the lease."""
        with self.store.unit() as unit:
            known = unit.subscriptions.find(row.feed, row.resource_type, row.topic) or row
            if isinstance(answer, Standing):
                unit.subscriptions.save(after(known, answer, self.wall()))
                if (answer.did, answer.ehr_id) != ("found", known.ehr_id):
                    unit.polls.want(row.feed, "", self.wall())  # what happened before it listened
            elif known.ehr_id:
                unit.subscriptions.save(replace(known, reason=answer.reason, next_look_at=self.wall() + SOON))
            else:
                unit.subscriptions.forget(row.feed, row.resource_type, row.topic)


def after(known: EhrSubscription, standing: Standing, now: datetime) -> EhrSubscription:
    """The row once the server has the Subscription so."""
    numbers = EventNumbers(known.last_event, known.ahead, known.told_of, known.gap_since)
    if standing.did == "made" and known.kind == "topic":
        early = not known.ehr_id and known.last_event is not None  # its handshake was heard before its id
        numbers = numbers if early else began(0)
    elif standing.ehr_id != known.ehr_id:
        numbers = EventNumbers()  # it was there before: nobody knows which of its events we had
    return replace(
        known,
        ehr_id=standing.ehr_id,
        status=standing.status,
        last_event=numbers.last,
        ahead=numbers.ahead,
        told_of=numbers.told_of,
        gap_since=numbers.gap_since,
        next_look_at=now + SOON,
        reason=None,
    )
