"""Keeps our Subscriptions alive: looks how they stand, asks for them again, finds what they did not tell.

Only the client may wake a Subscription that its server has put into error (backport IG, errors.md). Whatever
may have been missed meanwhile is told again ($events), or asked for (`poll`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.event_numbers import PATIENCE, EventNumbers, heard, recovered
from integration.pipeline.subscriptions.making import LEASE, SOON, Maker, after
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_subscribing import BEGINNING, WELL, Gone

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.ehr_store import EhrSubscription
    from integration.ports.ehr_subscribing import Standing, Trouble
    from integration.ports.workshop import Workshop

CLASSIC_LOOK: Final = timedelta(minutes=10)  # one without heartbeat
ABANDONED_LOOK: Final = timedelta(hours=1)  # one of a feed that is no more, or without an EHR
MOST_AT_ONCE: Final = 200  # events told again; more are asked for
NOBODY: Final = "no feed of this name hears an EHR any more: appointment-texts subscribe --remove"
_FIRST_REST: Final = timedelta(seconds=30)
_LONGEST_REST: Final = timedelta(hours=1)
_log = structlog.get_logger(__name__)


def endpoint(public_base_url: str, feed: str) -> str:
    """Where the notifications of a feed go."""
    return f"{public_base_url}/fhir/subscriptions/{feed}"


class Upkeep:
    """One process's care for them."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._begun = False

    def look(self) -> bool:
        """Look after one; whether there was one that is due."""
        if not self._begun:
            self._begin()
        now = self._workshop.clock.wall()
        with self._workshop.store.unit() as unit:
            row = unit.subscriptions.claim_due(now, now + LEASE)
        if row is None:
            return False
        maker = self._maker(row)
        if maker is None:
            self._save(row, replace(row, reason=NOBODY, next_look_at=now + ABANDONED_LOOK))
        elif not row.ehr_id:  # whoever was to make it did not come to an end
            maker.keep(row, maker.subscriber.ensure(maker.wish(row)))
        else:
            self._look_after(row, maker, now)
        return True

    def _begin(self) -> None:
        """We were not there until now: all are looked at at once, and a gap is taken for granted."""
        self._begun = True
        now = self._workshop.clock.wall()
        with self._workshop.store.unit() as unit:
            for each in unit.subscriptions.all():
                row = unit.subscriptions.find(each.feed, each.resource_type, each.topic)
                if row is not None and row.ehr_id and self._maker(row) is not None:
                    unit.subscriptions.save(replace(row, next_look_at=now))
                    if row.last_event is None:  # no numbers will tell what was missed
                        unit.polls.want(row.feed, "", now)

    def _maker(self, row: EhrSubscription) -> Maker | None:
        shop = self._workshop
        feed = shop.settings.feeds.get(row.feed)
        if shop.subscriber is None or feed is None or feed.fhir is None:
            return None
        return Maker(
            store=shop.store,
            subscriber=shop.subscriber,
            feed=row.feed,
            hearing=feed.fhir,
            endpoint=endpoint(shop.public_base_url, row.feed),
            wall=shop.clock.wall,
        )

    def _look_after(self, row: EhrSubscription, maker: Maker, now: datetime) -> None:
        if _numbers(row).gap_is_due(now):
            trouble = self._fill(row, maker, now)
            if trouble is not None:
                self._save(row, _unreachable(row, trouble, now))
                return
        silence = _longest_silence(row, maker)
        if row.status == WELL and row.tries == 0 and row.heard_at is not None and silence is not None:
            quiet_until = row.heard_at + silence
            if now < quiet_until:  # its heartbeats say that it lives, and what it has counted
                self._save(row, replace(row, reason=None, next_look_at=quiet_until))
                return
        standing = maker.subscriber.look(row.ehr_id, row.kind)
        if isinstance(standing, TryLater | NotWritable):
            self._save(row, _unreachable(row, standing, now))
        elif isinstance(standing, Gone):
            _log.error(
                "the EHR has our Subscription no more: made anew", feed=row.feed, type=row.resource_type
            )
            self._wake(row, maker, now)
        elif standing.status in {WELL, BEGINNING}:
            self._is_well(row, standing, maker, now)
        else:
            _log.error(
                "the EHR has stopped our Subscription: asked to begin again",
                feed=row.feed,
                type=row.resource_type,
                status=standing.status,
            )
            self._wake(row, maker, now)

    def _is_well(self, row: EhrSubscription, standing: Standing, maker: Maker, now: datetime) -> None:
        well = standing.status == WELL
        if well and (row.tries or row.status not in {WELL, BEGINNING}):
            _log.info("the EHR's Subscription lives again", feed=row.feed, type=row.resource_type)
            with self._workshop.store.unit() as unit:
                unit.polls.want(row.feed, "", now)  # what it has not told meanwhile
        tries = 0 if well else row.tries + 1
        regular = _longest_silence(row, maker) or CLASSIC_LOOK
        self._save(
            row,
            replace(
                row,
                status=standing.status,
                tries=tries,
                reason=None if well else "its handshake has not been answered yet",
                next_look_at=now + (regular if well else _rest(tries)),
            ),
            count=standing.events,
        )

    def _wake(self, row: EhrSubscription, maker: Maker, now: datetime) -> None:
        """Ask for it again; each time in vain, wait longer before the next."""
        answer = maker.subscriber.ensure(maker.wish(row), row.ehr_id)
        if isinstance(answer, TryLater | NotWritable):
            self._save(row, _unreachable(row, answer, now))
            return
        tries = row.tries + 1
        with self._workshop.store.unit() as unit:
            known = unit.subscriptions.find(row.feed, row.resource_type, row.topic)
            if known is not None:
                rest = SOON if tries == 1 else _rest(tries)
                unit.subscriptions.save(
                    replace(
                        after(known, answer, now),
                        tries=tries,
                        reason="the EHR had stopped or lost it",
                        next_look_at=now + rest,
                    )
                )
                unit.polls.want(row.feed, "", now)

    def _fill(self, row: EhrSubscription, maker: Maker, now: datetime) -> TryLater | None:
        """Have what was missed told again, else ask what changed."""
        missing = _numbers(row).missing
        if missing is None:
            return None
        first, last = missing
        told = (
            maker.subscriber.events(row.ehr_id, first, last)
            if last - first < MOST_AT_ONCE
            else NotWritable("too many")
        )
        if isinstance(told, TryLater):
            return told
        with self._workshop.store.unit() as unit:
            if isinstance(told, NotWritable):
                unit.polls.want(row.feed, "", now)
            else:
                unit.wants.tell(row.feed, tuple(told), now)
            known = unit.subscriptions.find(row.feed, row.resource_type, row.topic)
            if known is not None:
                unit.subscriptions.save(_with(known, recovered(_numbers(known), last, now)))
        _log.warning(
            "notifications were missed, and are made good",
            feed=row.feed,
            type=row.resource_type,
            events=last - first + 1,
        )
        return None

    def _save(self, row: EhrSubscription, changed: EhrSubscription, *, count: int | None = None) -> None:
        """Write how it stands, over what notifications have told of it meanwhile."""
        with self._workshop.store.unit() as unit:
            known = unit.subscriptions.find(row.feed, row.resource_type, row.topic)
            if known is None or known.ehr_id != row.ehr_id:
                return
            numbers, now = _numbers(known), self._workshop.clock.wall()
            if count is not None:
                numbers = heard(numbers, (), count, now)
            looks = [changed.next_look_at]
            if numbers.gap_since is not None and not numbers.gap_is_due(now):
                looks.append(numbers.gap_since + PATIENCE)
            unit.subscriptions.save(
                replace(
                    _with(known, numbers),
                    status=changed.status,
                    tries=changed.tries,
                    reason=changed.reason,
                    next_look_at=min(each for each in looks if each is not None),
                )
            )


def _numbers(row: EhrSubscription) -> EventNumbers:
    return EventNumbers(row.last_event, row.ahead, row.told_of, row.gap_since)


def _with(row: EhrSubscription, numbers: EventNumbers) -> EhrSubscription:
    return replace(
        row,
        last_event=numbers.last,
        ahead=numbers.ahead,
        told_of=numbers.told_of,
        gap_since=numbers.gap_since,
    )


def _longest_silence(row: EhrSubscription, maker: Maker) -> timedelta | None:
    """How long one with heartbeats may say nothing."""
    return 2 * maker.hearing.heartbeat if row.kind == "topic" else None


def _unreachable(row: EhrSubscription, trouble: Trouble, now: datetime) -> EhrSubscription:
    tries = row.tries + 1
    rest = trouble.after if isinstance(trouble, TryLater) else None
    return replace(row, tries=tries, reason=trouble.reason, next_look_at=now + (rest or _rest(tries)))


def _rest(tries: int) -> timedelta:
    rest: timedelta = _FIRST_REST * 2 ** min(tries - 1, 10)
    return min(rest, _LONGEST_REST)
