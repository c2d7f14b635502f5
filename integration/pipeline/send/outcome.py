"""What came of an offer: accepted, refused, handed back, or uncertain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from integration import aftermath
from integration.domain.delivery_news import bring_forward
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.text_message import AttemptState
from integration.ports.sms import Accepted, NotSent, Refused, Throttled, Uncertain

if TYPE_CHECKING:
    from collections.abc import Collection

    from integration.domain.text_message import Attempt, TextMessage
    from integration.pipeline.send.desk import Offer
    from integration.ports.sms import SendOutcome
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
# A sender's queue is minutes long; asking it every second would only be refused more often.
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=10)
_log = structlog.get_logger(__name__)


def record(workshop: Workshop, offer: Offer, outcome: SendOutcome, open_breakers: Collection[str]) -> None:
    """Write down the outcome; news that came first by callback stands."""
    breaker = None
    with workshop.store.unit() as unit:
        unit.numbers.lock(offer.text.number)
        attempt = next(a for a in unit.texts.attempts(offer.text.id) if a.id == offer.attempt.id)
        before = unit.texts.get(offer.text.id)
        if isinstance(outcome, Uncertain):
            _uncertain(unit, workshop, attempt, outcome.why)
        elif isinstance(outcome, Throttled | NotSent):
            _returned(unit, workshop, before, attempt, outcome)
        elif isinstance(outcome, Refused) and outcome.failure is Failure.ACCOUNT:
            _returned(unit, workshop, before, attempt, NotSent(outcome.code))
            breaker = aftermath.account_refused(unit, workshop, before, outcome.code)
        elif isinstance(outcome, Refused) and outcome.failure is Failure.SLOW_DOWN:
            _returned(unit, workshop, before, attempt, outcome)
        else:
            after = (
                _accepted(unit, workshop, before, attempt, outcome)
                if isinstance(outcome, Accepted)
                else _refused(unit, workshop, before, attempt, outcome)
            )
            breaker = aftermath.record(
                unit, workshop, before=before, after=after, open_breakers=open_breakers
            )
    if breaker is not None:
        workshop.store.open_breaker(breaker.name, breaker.reason)
    _log.info("text offered", text=offer.text.id, outcome=type(outcome).__name__)


def _accepted(
    unit: Unit, workshop: Workshop, text: TextMessage, attempt: Attempt, outcome: Accepted
) -> TextMessage:
    """The provider has it."""
    known = outcome.text
    moved = replace(attempt, state=AttemptState.ACCEPTED, provider_id=known.provider_id, next_look_at=None)
    unit.texts.update_attempt(moved, {AttemptState.OFFERED, AttemptState.UNCERTAIN})
    news = aftermath.as_news(known, _provider(workshop), workshop.settings.failures, at=workshop.clock.wall())
    return bring_forward(text, news, now=workshop.clock.calendar())


def _refused(
    unit: Unit, workshop: Workshop, text: TextMessage, attempt: Attempt, outcome: Refused
) -> TextMessage:
    """Nothing was sent, and nothing will be."""
    moved = replace(attempt, state=AttemptState.REFUSED, why=outcome.code, next_look_at=None)
    if not unit.texts.update_attempt(moved, {AttemptState.OFFERED, AttemptState.UNCERTAIN}):
        return text
    practice = workshop.settings.practices.get(text.practice)
    return replace(
        text,
        status=DeliveryStatus.FAILED,
        word="refused",
        sender=text.sender or (None if practice is None else practice.sender),  # whom a STOP was sent to
        provider=_provider(workshop),
        error_code=outcome.code,
        failure=outcome.failure,
        final_at=workshop.clock.calendar(),
    )


def _uncertain(unit: Unit, workshop: Workshop, attempt: Attempt, why: str) -> None:
    """It may have gone out: look before anything else."""
    first_look = attempt.offered_at + workshop.settings.sending.uncertain_looks[0]
    moved = replace(attempt, state=AttemptState.UNCERTAIN, why=why, next_look_at=first_look)
    unit.texts.update_attempt(moved, {AttemptState.OFFERED})


def _returned(
    unit: Unit,
    workshop: Workshop,
    text: TextMessage,
    attempt: Attempt,
    outcome: Throttled | NotSent | Refused,
) -> None:
    """It was never processed: offer it again after a pause, twice as long each time."""
    busy = isinstance(outcome, Refused)
    why = outcome.code if isinstance(outcome, Refused) else getattr(outcome, "why", "throttled")
    moved = replace(attempt, state=AttemptState.RETURNED, why=why, next_look_at=None)
    if not unit.texts.update_attempt(moved, {AttemptState.OFFERED}):
        return
    returned = sum(a.state is AttemptState.RETURNED for a in unit.texts.attempts(text.id))
    first, longest = (
        (FIRST_REST, LONGEST_REST) if busy and not workshop.simulated else (FIRST_PAUSE, LONGEST_PAUSE)
    )
    pause = min(first * 2.0 ** min(returned - 1, 10), longest) * (0.9 + workshop.random() / 5)
    if isinstance(outcome, Throttled) and outcome.retry_after is not None:
        pause = max(pause, outcome.retry_after)
    unit.texts.update(replace(text, not_before=workshop.clock.wall() + pause))


def _provider(workshop: Workshop) -> str:
    return "" if workshop.sms is None else workshop.sms.name
