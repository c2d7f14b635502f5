"""Texts already written: answers, and reminders the provider never took. Look once more, then offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.last_look import Hold, Skip, Verdict, of_hours
from integration.domain.reminder import ReminderState
from integration.domain.text_message import TextKind
from integration.domain.wording import Answer
from integration.pipeline.send.desk import Offer

if TYPE_CHECKING:
    from integration.domain.text_message import TextMessage
    from integration.pipeline.send.desk import Desk
    from integration.settings.model import Practice

MOMENT = timedelta(seconds=1)


def offer_again(desk: Desk, text: TextMessage) -> Offer | None:
    """Write down an attempt for a queued text, put it off, or give it up."""
    verdict = _verdict(desk, text)
    if isinstance(verdict, Skip):
        _give_up(desk, text, verdict.reason)
        return None
    if isinstance(verdict, Hold):
        wait = MOMENT if desk.workshop.simulated else max(verdict.until - desk.now, MOMENT)
        desk.unit.texts.update(replace(text, not_before=desk.wall + wait))
        return None
    text = replace(text, offered_at=desk.now, not_before=None)
    desk.unit.texts.update(text)
    return Offer(text, desk.attempt(text), text.not_after - desk.now)


def _verdict(desk: Desk, text: TextMessage) -> Verdict:
    """Whether it may go; only the answer to a STOP may follow it (47 CFR 64.1200(a)(12))."""
    if desk.now >= text.not_after:
        return Skip("too late to be useful")
    practice = desk.workshop.settings.practices.get(text.practice)
    verdict = desk.of_number(text.number, practice, after_stop=text.occasion == Answer.STOP)
    if verdict is not None or practice is None or text.kind is TextKind.ANSWER:
        return verdict
    verdict = of_hours(practice.plan, not_after=text.not_after, now=desk.now)
    return verdict or _of_its_reminders(desk, text, practice)


def _of_its_reminders(desk: Desk, text: TextMessage, practice: Practice) -> Verdict:
    """The visits it speaks of must all still call for it; otherwise it would say something untrue."""
    for reminder in desk.unit.reminders.of_text(text.id):
        candidate = desk.candidate(reminder, practice)
        verdict = Skip("no longer in the plan") if candidate is None else desk.of_reminder(candidate)
        if verdict is not None:
            return verdict
    return None


def _give_up(desk: Desk, text: TextMessage, reason: str) -> None:
    """It will not be offered again; the provider never had it."""
    desk.unit.texts.update(replace(text, status=DeliveryStatus.FAILED, word="not offered", final_at=desk.now))
    desk.unit.reminders.update(
        [
            replace(reminder, state=ReminderState.SKIPPED, reason=reason, decided_at=desk.now)
            for reminder in desk.unit.reminders.of_text(text.id)
        ]
    )
