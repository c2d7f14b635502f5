"""Tells senders what became of their messages: the application acknowledgments that translating wrote down.

A row is claimed with a lease; the transaction ends; the partner hears it; a second transaction settles the
row. A worker that dies in between leaves a row whose lease runs out, and the same bytes are sent again.
Within a feed nothing overtakes: while one rests, those behind it wait. Nothing else waits for this step.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.application_acknowledgment import AcknowledgmentState
from integration.domain.circuit import Circuit
from integration.domain.surprise import describe
from integration.domain.write_back import retry_after
from integration.ports.hl7 import NotHeard, Taken, TurnedDown

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.application_acknowledgment import ApplicationAcknowledgment
    from integration.domain.circuit import Pass
    from integration.ports.hl7 import Delivery
    from integration.ports.workshop import Workshop
    from integration.settings.model import ApplicationAcknowledging

LEASE: Final = timedelta(minutes=5)
MOST_REFUSALS: Final = 6  # of one acknowledgment that might be taken later; some three minutes
_NOT_ASKED = "the feed has no [application_acknowledgment] any more"

_log = structlog.get_logger(__name__)


class Acknowledging:
    """The step, with what one process knows of each partner: whether it is away."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._circuits: dict[str, Circuit] = {}

    def drain(self, limit: int = 100) -> int:
        """Tell what is due, at most `limit`; how many were looked at. Raises `StoreUnavailable`."""
        done = 0
        try:
            while done < limit and self._next():
                done += 1
        finally:
            for sender in self._workshop.partners.values():
                with suppress(Exception):  # it has nothing to lose but its connection
                    sender.rest()
        return done

    def _next(self) -> bool:
        """One acknowledgment; False when there is none, or its partner is let be."""
        now = self._workshop.clock.wall()
        passes: dict[str, Pass] = {}
        try:
            let_be = set()
            for feed in self._workshop.partners:
                let_in = self._circuit(feed).admit(now)
                if let_in is None:
                    let_be.add(feed)
                else:
                    passes[feed] = let_in
            with self._workshop.store.unit() as unit:
                row = unit.acknowledgments.claim(now, now + LEASE, but=let_be)
                if row is None:
                    return False
                reason = self._too_late(row, now)
                if reason is not None:
                    unit.acknowledgments.settle(_given_up(row, reason))
            if reason is not None:
                _tell(_given_up(row, reason))
                return True
            self._settle(row, self._send(row), passes[row.feed])
            return True
        finally:
            for feed, let_in in passes.items():
                self._circuit(feed).let_be(let_in)

    def _circuit(self, feed: str) -> Circuit:
        return self._circuits.setdefault(feed, Circuit())

    def _how(self, feed: str) -> ApplicationAcknowledging | None:
        known = self._workshop.settings.feeds.get(feed)
        return (
            None if known is None or feed not in self._workshop.partners else known.application_acknowledgment
        )

    def _too_late(self, row: ApplicationAcknowledgment, now: datetime) -> str | None:
        """Why it is not sent any more, None when it is."""
        how = self._how(row.feed)
        if how is None:
            return _NOT_ASKED
        if row.created_at + how.give_up_after > now:
            return None
        hours = how.give_up_after / timedelta(hours=1)
        return f"not delivered within {hours:g} h: {row.reason or 'those before it could not be delivered'}"

    def _send(self, row: ApplicationAcknowledgment) -> Delivery:
        try:
            return self._workshop.partners[row.feed].send(row.message)
        except Exception as surprise:  # noqa: BLE001 - one that trips the sender must not stop the others
            return TurnedDown(f"sending surprised: {describe(surprise)}", again=True)

    def _settle(self, row: ApplicationAcknowledgment, delivery: Delivery, let_in: Pass) -> None:
        clock, jitter = self._workshop.clock, self._workshop.random()
        circuit = self._circuit(row.feed)
        tries = row.tries + 1
        if isinstance(delivery, NotHeard):
            circuit.failed(let_in, clock.wall(), None, jitter)
            settled = _rested(row, tries, delivery.reason, clock.wall() + retry_after(tries, jitter))
        else:
            circuit.heard()
            settled = replace(row, tries=tries, reason=None, next_try_at=None)
            if isinstance(delivery, Taken):
                settled = replace(settled, state=AcknowledgmentState.TAKEN)
            elif delivery.again and tries < MOST_REFUSALS:
                settled = _rested(row, tries, delivery.reason, clock.wall() + retry_after(tries, jitter))
            else:
                settled = _given_up(settled, delivery.reason)
        with self._workshop.store.unit() as unit:
            unit.acknowledgments.settle(settled)
        _tell(settled)


def _rested(
    row: ApplicationAcknowledgment, tries: int, reason: str, until: datetime
) -> ApplicationAcknowledgment:
    return replace(row, tries=tries, reason=reason, next_try_at=until)


def _given_up(row: ApplicationAcknowledgment, reason: str) -> ApplicationAcknowledgment:
    return replace(row, state=AcknowledgmentState.GAVE_UP, next_try_at=None, reason=reason)


def _tell(row: ApplicationAcknowledgment) -> None:
    facts = {"message": row.inbox_id, "feed": row.feed, "state": row.state, "tries": row.tries}
    if row.state is AcknowledgmentState.TAKEN:
        _log.info("application_acknowledgment", **facts)
    else:
        _log.warning("application_acknowledgment", **facts, reason=row.reason)
