"""Status callbacks move texts forward, early or late, twice or in any order.

A callback may come before our own record of the offer's outcome: its token
proves that the offer arrived. One that nobody knows is kept and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import structlog

from integration.aftermath import not_again, open_task, record, visit_starts
from integration.domain.consequences import about
from integration.domain.delivery_news import DeliveryNews, bring_forward
from integration.domain.delivery_status import contradicts
from integration.domain.staff_task import TaskKind
from integration.domain.surprise import describe
from integration.domain.text_message import HOLDING, Attempt, AttemptState
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.domain.consequences import Breaker
    from integration.domain.delivery_status import DeliveryStatus
    from integration.domain.text_message import TextMessage
    from integration.ports.sms import SmsProvider, StatusReport
    from integration.ports.store import Callback, Unit
    from integration.ports.workshop import Workshop

BATCH = 25  # callbacks in one transaction
MOST = 500  # callbacks in one call
_UNRECORDED = frozenset(AttemptState) - {AttemptState.ACCEPTED, AttemptState.REFUSED}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A callback, read, and the offer it speaks of."""

    callback: Callback
    report: StatusReport
    number: str
    text_id: int
    attempt_id: int


def track(workshop: Workshop) -> int:
    """Work the waiting callbacks, at most `MOST`; returns how many were worked."""
    if workshop.sms is None:
        return 0
    worked = 0
    while worked < MOST:
        claimed = _batch(workshop, workshop.sms)
        worked += claimed
        if claimed < BATCH:  # the rest, if any, is for the next call
            break
    if worked:
        workshop.knock("write_back")
    return worked


def _batch(workshop: Workshop, sms: SmsProvider) -> int:
    """A batch in one transaction; should it surprise, its oldest callback alone."""
    try:
        return _work(workshop, sms, BATCH, [])
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the neighbours must not suffer
        _log.error("a batch of callbacks surprised; taking one by one", surprise=describe(surprise))
    claimed: list[Callback] = []
    try:
        return _work(workshop, sms, 1, claimed)
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - it stays kept; the provider is asked about its text later
        with workshop.store.unit() as unit:
            for callback in claimed:
                unit.callbacks.done(callback.id)
                _log.error("callback set aside", callback=callback.id, surprise=describe(surprise))
        return len(claimed)


def _work(workshop: Workshop, sms: SmsProvider, limit: int, claimed: list[Callback]) -> int:
    to_open: set[Breaker] = set()
    with workshop.store.unit() as unit:
        claimed.extend(unit.callbacks.claim(limit))
        open_breakers = unit.breakers.open()
        heard = [each for each in (_hear(unit, sms, callback) for callback in claimed) if each is not None]
        # Locks are taken in one order, so that two batches cannot wait for each other.
        for number in sorted({each.number for each in heard}):
            unit.numbers.lock(number)
        for each in heard:
            breaker = _settle(unit, workshop, each, {*open_breakers, *(one.name for one in to_open)})
            if breaker is not None:
                to_open.add(breaker)
        for callback in claimed:
            unit.callbacks.done(callback.id)
    for breaker in to_open:
        workshop.store.open_breaker(breaker.name, breaker.reason)
    return len(claimed)


def _hear(unit: Unit, sms: SmsProvider, callback: Callback) -> _Heard | None:
    """Read a callback and find the offer it speaks of; None when nobody knows it."""
    if callback.provider != sms.name:
        _log.warning("callback of another provider", callback=callback.id)
        return None
    report = sms.read_status(dict(parse_qsl(callback.form, keep_blank_values=True)))
    attempt = _attempt_of(unit, callback, report)
    if attempt is None:
        _log.warning("callback of an unknown text", callback=callback.id)
        return None
    number = unit.texts.get(attempt.text_id).number
    return _Heard(callback, report, number, attempt.text_id, attempt.id)


def _attempt_of(unit: Unit, callback: Callback, report: StatusReport) -> Attempt | None:
    by_token = unit.texts.attempt_by_token(callback.token)
    if by_token is not None or not report.provider_id:
        return by_token
    return unit.texts.attempt_by_provider_id(callback.provider, report.provider_id)


def _settle(unit: Unit, workshop: Workshop, heard: _Heard, open_breakers: Collection[str]) -> Breaker | None:
    """Let one callback count, under its number's lock; returns the breaker to open."""
    callback, report = heard.callback, heard.report
    attempts = unit.texts.attempts(heard.text_id)
    attempt = next(one for one in attempts if one.id == heard.attempt_id)
    provider_id = _free_id(unit, attempt, callback, report)
    if not _bind(unit, attempt, attempts, callback, provider_id):
        _log.warning("two offers of one text arrived", text=heard.text_id, callback=callback.id)
        return None
    if report.status is None:
        _log.warning("unknown status word", callback=callback.id)
    before, now = unit.texts.get(heard.text_id), workshop.clock.calendar()
    if report.status is not None and contradicts(before.status, report.status):
        _doubt(unit, workshop, before, report.status, now)
        return None
    after = bring_forward(before, _news(callback, report, provider_id), now=now)
    return record(unit, workshop, before=before, after=after, open_breakers=open_breakers)


def _bind(
    unit: Unit, attempt: Attempt, attempts: Sequence[Attempt], callback: Callback, provider_id: str
) -> bool:
    """Let the callback prove that this offer arrived; False when another offer of the text stands already."""
    if attempt.state not in _UNRECORDED:
        return True
    taken = any(other.state in HOLDING for other in attempts if other.id != attempt.id)
    proven = replace(
        attempt,
        state=attempt.state if taken else AttemptState.ACCEPTED,
        provider_id=attempt.provider_id or provider_id or None,
        next_look_at=None,
        why=f"callback {callback.id}",
    )
    unit.texts.update_attempt(proven, {attempt.state})
    return not taken


def _free_id(unit: Unit, attempt: Attempt, callback: Callback, report: StatusReport) -> str:
    """The provider's id, unless a look took it for another offer of the same words to the same number."""
    if not report.provider_id:
        return ""
    owner = unit.texts.attempt_by_provider_id(callback.provider, report.provider_id)
    return report.provider_id if owner is None or owner.id == attempt.id else ""


def _news(callback: Callback, report: StatusReport, provider_id: str) -> DeliveryNews:
    return DeliveryNews(
        provider=callback.provider,
        provider_id=provider_id,
        word=report.word,
        status=report.status,
        at=callback.received_at,
        error_code=report.error_code,
        failure=report.failure,
    )


def _doubt(unit: Unit, workshop: Workshop, text: TextMessage, heard: DeliveryStatus, now: datetime) -> None:
    """Two final words disagree: the first stands, nothing is said a second time, and a person looks once."""
    _log.warning("two final words", text=text.id, first=text.status, second=heard)
    reason = f"the provider reported this text {text.status} first and {heard} later"
    not_again(unit, text, now)
    visits = visit_starts(unit, text)
    for subject in text.subjects:
        task = about(subject, text, TaskKind.UNRESOLVED_TEXT, reason, now=now, visits=visits)
        open_task(unit, task, workshop.settings)
