"""What a notification tells of our Subscription itself: that it lives, how it stands, what it has counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.event_numbers import PATIENCE, EventNumbers, began, heard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fhir_mappers.notification import Notification
    from integration.ports.ehr_store import EhrSubscription
    from integration.ports.store import Unit

HANDSHAKE_TAKES: Final = timedelta(seconds=5)  # then it should be active
_TELLS_OF_EVENTS: Final = frozenset({"event", "resource", "empty"})
_NOT_WELL: Final = frozenset({"error", "off"})


def note_notification(unit: Unit, feed: str, notification: Notification, at: datetime) -> None:
    """Write down what it tells of the Subscription it comes from, if that is one of ours; `at` is wall.

    What it says changed is not looked at here, but for the numbers of its events.
    """
    if notification.kind == "unreadable":
        return
    for row in _whose(unit, feed, notification):
        unit.subscriptions.save(_after(row, notification, at))


def _whose(unit: Unit, feed: str, notification: Notification) -> Iterator[EhrSubscription]:
    """The one it names; where servers name none, those that tell of such resources."""
    if notification.subscription:
        named = unit.subscriptions.by_ehr_id(feed, notification.subscription)
        if named is not None:
            yield named
            return
    types = {event.focus.type for event in notification.events if event.focus is not None}
    for each in unit.subscriptions.all():
        if each.feed != feed:
            continue
        if notification.subscription or notification.topic:
            # Its handshake may come before we were told its id.
            fits = not each.ehr_id and each.topic == notification.topic
        else:
            fits = each.kind == "classic" and (not types or each.resource_type in types)
        row = unit.subscriptions.find(feed, each.resource_type, each.topic) if fits else None
        if row is not None:
            yield row


def _after(row: EhrSubscription, notification: Notification, at: datetime) -> EhrSubscription:
    known = EventNumbers(row.last_event, row.ahead, row.told_of, row.gap_since)
    count = notification.events_since_start
    numbers = tuple(each.number for each in notification.events if each.number is not None)
    if notification.kind == "handshake" and (
        count is None or row.last_event is None or count < row.last_event
    ):
        known = began(count)  # a Subscription that begins, or whose server has begun to count anew
    else:
        known = heard(known, numbers, count, at)
    looks = [row.next_look_at]
    if known.gap_since is not None:
        looks.append(known.gap_since + PATIENCE)
    if notification.kind == "handshake":
        looks.append(at + HANDSHAKE_TAKES)
    if notification.status in _NOT_WELL:
        looks.append(at)
    return replace(
        row,
        status=notification.status or row.status,
        last_event=known.last,
        ahead=known.ahead,
        told_of=known.told_of,
        gap_since=known.gap_since,
        heard_at=at,
        event_at=at if notification.kind in _TELLS_OF_EVENTS else row.event_at,
        next_look_at=min((each for each in looks if each is not None), default=None),
    )
