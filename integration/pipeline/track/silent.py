"""Texts the provider has said nothing of for a while: ask it, and at last take silence for the answer.

Callbacks are best effort, and some carriers never confirm. `sent` without a receipt for
`final_after` is the last we shall hear: the status stays, and is final news (design: final news).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from integration.aftermath import as_news, open_task, record, visit_starts
from integration.domain.consequences import about
from integration.domain.delivery_news import bring_forward
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import TextKind
from integration.ports.sms import ProviderUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.text_message import TextMessage
    from integration.ports.sms import ProviderText, SmsProvider
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

MOST = 20  # texts asked about in one call
_log = structlog.get_logger(__name__)


def ask_about_silent(workshop: Workshop) -> int:
    """Ask about texts without news for `recheck_after`, at most `MOST`; returns how many were asked about."""
    if workshop.sms is None:
        return 0
    for asked in range(MOST):
        text = _claim(workshop)
        if text is None:
            return asked
        _ask(workshop, workshop.sms, text)
    return MOST


def _claim(workshop: Workshop) -> TextMessage | None:
    """A text without news; noting that it is being asked about keeps others from asking too."""
    now = workshop.clock.wall()
    with workshop.store.unit() as unit:
        text = unit.texts.claim_stale(now - workshop.settings.sending.recheck_after)
        if text is None:
            return None
        asked = replace(text, checked_at=now)
        unit.texts.update(asked)
        return asked


def _ask(workshop: Workshop, sms: SmsProvider, text: TextMessage) -> None:
    known: ProviderText | None = None
    if text.provider_id is not None and text.provider == sms.name:
        try:
            known = sms.fetch(text.provider_id)
        except ProviderUnavailable as why:
            _log.warning("the provider could not be asked", text=text.id, why=str(why))
            return
    with workshop.store.unit() as unit:
        unit.numbers.lock(text.number)
        before = after = unit.texts.get(text.id)
        now = workshop.clock.calendar()
        if known is not None:
            news = as_news(known, sms.name, workshop.settings.failures, at=workshop.clock.wall())
            after = bring_forward(after, news, now=now)
        if _long_silent(workshop, after, now):
            after = replace(after, final_at=now)
            _leave_to_a_person(unit, workshop, after, now)
        breaker = record(unit, workshop, before=before, after=after, open_breakers=unit.breakers.open())
    if breaker is not None:
        workshop.store.open_breaker(breaker.name, breaker.reason)


def _long_silent(workshop: Workshop, text: TextMessage, now: datetime) -> bool:
    since = text.offered_at or text.created_at
    return text.final_at is None and now - since >= workshop.settings.sending.final_after


def _leave_to_a_person(unit: Unit, workshop: Workshop, text: TextMessage, now: datetime) -> None:
    """`sent` is good enough; a text that never left the provider's queue is not."""
    if text.status is DeliveryStatus.SENT or text.kind is TextKind.ANSWER:
        return
    reason = "the provider took this text and never said what became of it"
    visits = visit_starts(unit, text)
    for subject in text.subjects:
        task = about(subject, text, TaskKind.UNRESOLVED_TEXT, reason, now=now, visits=visits)
        open_task(unit, task, workshop.settings)
