"""Step 4: due reminders become texts: claim, last look, offer, and what came of it (promises 2 and 4).

One call, one text. In one transaction under the number's lock the reminders
are looked at once more, and the text and its attempt are written as `offered`;
only then does the request leave. A crash before that commit leaves nothing; a
crash after it leaves an offer of uncertain outcome, which is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from integration.domain.circuit import Circuit
from integration.domain.consequences import ACCOUNT_BREAKER
from integration.domain.last_look import LATER, Hold
from integration.domain.surprise import describe
from integration.pipeline.send.again import offer_again
from integration.pipeline.send.desk import Desk, Offer, settle
from integration.pipeline.send.line import ask
from integration.pipeline.send.offer import offer_reminders
from integration.pipeline.send.outcome import record
from integration.pipeline.send.requested import offer_request, put_off
from integration.ports.sms import OutgoingText
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    from integration.ports.workshop import Workshop

_log = structlog.get_logger(__name__)


def send_next(workshop: Workshop, lookups: Circuit | None = None) -> bool:
    """Offer at most one text; returns whether there was anything to do.

    `lookups` tells all threads of a process whether the provider may be asked what kind a line is.
    Texts already written (answers, and reminders that are offered again) go first: somebody waits.
    """
    claimed = _Claimed()
    try:
        offer = _write_down(workshop, claimed)
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, other numbers must not wait for this one
        _log.error("a text could not be prepared; put off", text=claimed.text_id, surprise=describe(surprise))
        _put_off(workshop, claimed, describe(surprise))
        return True
    if offer is not None and workshop.sms is not None:
        path = f"/sms/{workshop.sms.name}/status/{offer.attempt.token}"
        practice = workshop.settings.practices.get(offer.text.practice)
        outcome = workshop.sms.send(
            OutgoingText(
                offer.text.number,
                offer.text.body,
                f"{workshop.public_base_url}{path}",
                offer.valid_for,
                sender=None if practice is None else practice.sender,
            )
        )
        record(workshop, offer, outcome, claimed.open_breakers)
    if claimed.to_ask is not None:
        ask(workshop, claimed.to_ask, lookups or Circuit())
    return claimed.anything


@dataclass(slots=True)
class _Claimed:
    """What one call took on."""

    number: str | None = None
    text_id: int | None = None
    request_id: int | None = None
    to_ask: str | None = None  # the number whose line is to be asked about first
    open_breakers: Collection[str] = ()

    @property
    def anything(self) -> bool:
        return any(each is not None for each in (self.number, self.text_id, self.request_id))


def _write_down(workshop: Workshop, claimed: _Claimed) -> Offer | None:
    """Claim, look once more, and write down what is about to leave; nothing while our account is refused."""
    with workshop.store.unit() as unit:
        claimed.open_breakers = unit.breakers.open()
        if ACCOUNT_BREAKER in claimed.open_breakers:
            return None
        desk = Desk(unit, workshop, claimed.open_breakers)
        queued = unit.texts.claim_queued(desk.wall) if workshop.sms is not None else None
        if queued is not None:
            claimed.text_id = queued.id
            return offer_again(desk, queued)
        claimed.number = unit.reminders.claim_number(desk.now)
        if claimed.number is not None:
            offer = offer_reminders(desk, claimed.number)
        else:
            request = unit.requests.claim_due(desk.now)
            claimed.request_id = None if request is None else request.id
            offer = None if request is None else offer_request(desk, request)
        claimed.to_ask = desk.to_ask
    for name, reason in desk.breakers_to_open.items():
        workshop.store.open_breaker(name, reason)
    return offer


def _put_off(workshop: Workshop, claimed: _Claimed, why: str) -> None:
    """Let what surprised wait a while, with its reason, so that everything else goes on."""
    with workshop.store.unit() as unit:
        desk = Desk(unit, workshop, ())
        if claimed.text_id is not None:
            unit.numbers.lock(unit.texts.get(claimed.text_id).number)
            text = unit.texts.get(claimed.text_id)
            unit.texts.update(replace(text, not_before=desk.wall + LATER))
        elif claimed.number is not None:
            unit.numbers.lock(claimed.number)
            reminders = unit.reminders.open_of_number(claimed.number)
            due = [reminder for reminder in reminders if reminder.due_at <= desk.now]
            settle(desk, due, Hold(desk.now + LATER, f"surprise {why}"))
        elif claimed.request_id is not None:
            put_off(desk, claimed.request_id, f"surprise {why}")
