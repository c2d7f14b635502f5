"""Texts already written: answers, and reminders the provider never took. Look once more, then offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.aftermath import call_instead, record
from integration.domain.consent import SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.last_look import Hold, Skip, Verdict, of_hours
from integration.domain.reminder import ReminderState
from integration.domain.text_message import TextKind
from integration.domain.wording import Answer
from integration.pipeline.send.desk import Offer, skipped
from integration.pipeline.send.requested import still_stands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.pipeline.send.desk import Desk
    from integration.settings.model import Practice

MOMENT = timedelta(seconds=1)
# An answer → which suppressions it overlooks
_DESPITE = {
    Answer.STOP.value: (SuppressionKind.OPT_OUT,),
    Answer.HELP.value: tuple(SuppressionKind),
}


def offer_again(desk: Desk, text: TextMessage) -> Offer | None:
    """Write down an attempt for a queued text, put it off, or give it up."""
    reminders = desk.unit.reminders.of_text(text.id)
    practice = desk.workshop.settings.practices.get(text.practice)
    verdict = _verdict(desk, text, practice)
    verdicts = {reminder.id: verdict for reminder in reminders}
    if verdict is None and practice is not None and text.kind is not TextKind.ANSWER:
        verdicts = _of_its_reminders(desk, reminders, practice)
        verdict = next(
            (each for kind in (Skip, Hold) for each in verdicts.values() if isinstance(each, kind)), None
        )
    if isinstance(verdict, Skip):
        _give_up(desk, text, reminders, verdicts)
        return None
    if isinstance(verdict, Hold):
        wait = MOMENT if desk.workshop.simulated else max(verdict.until - desk.now, MOMENT)
        desk.unit.texts.update(replace(text, not_before=desk.wall + wait))
        return None
    text = replace(text, offered_at=desk.now, not_before=None)
    desk.unit.texts.update(text)
    ends = text.not_after
    if practice is not None and text.kind is not TextKind.ANSWER and not _is_overridden(desk, text):
        ends = min(ends, practice.plan.hours.closing(desk.now, *desk.zones_of_text(text, practice)))
    return Offer(text, desk.attempt(text), ends - desk.now)


def _verdict(desk: Desk, text: TextMessage, practice: Practice | None) -> Verdict:
    """Whether it may go; only the answers to a STOP (47 CFR 64.1200(a)(12)) and to HELP may follow a STOP.

    HELP is answered at a number, too, that is not the patient's or seemed to take no texts.
    """
    if desk.now >= text.not_after:
        return Skip("too late to be useful")
    verdict = desk.of_number(text.number, practice, despite=_DESPITE.get(text.occasion, ()))
    if verdict is not None or practice is None or text.kind is TextKind.ANSWER:
        return verdict
    request = desk.unit.requests.of_text(text.id) if text.kind is TextKind.FREE else None
    verdict = None if request is None else still_stands(desk, request, practice, text.number)
    if verdict is not None or (request is not None and request.override is not None):
        return verdict
    zones = desk.zones_of_text(text, practice)
    return of_hours(
        practice.plan.hours,
        zones,
        not_after=text.not_after,
        now=desk.now,
        bad_news=_is_bad_news(text, practice),
    )


def _is_overridden(desk: Desk, text: TextMessage) -> bool:
    """Whether its author has said why no hours hold it."""
    request = desk.unit.requests.of_text(text.id) if text.kind is TextKind.FREE else None
    return request is not None and request.override is not None


def _is_bad_news(text: TextMessage, practice: Practice) -> bool:
    """Whether it tells that a visit was moved or called off."""
    return any(step.occasion == text.occasion and step.outranks_caps for step in practice.plan.steps)


def _of_its_reminders(desk: Desk, reminders: Sequence[Reminder], practice: Practice) -> dict[int, Verdict]:
    """The visits it speaks of must all still call for it; otherwise it would say something untrue."""
    desk.hold_still(reminders)
    verdicts = {}
    for reminder in reminders:
        candidate = desk.candidate(reminder, practice)
        found = Skip("no longer in the plan") if candidate is None else desk.of_reminder(candidate)
        verdicts[reminder.id] = found
    return verdicts


def _give_up(
    desk: Desk, text: TextMessage, reminders: Sequence[Reminder], verdicts: Mapping[int, Verdict]
) -> None:
    """It will not be offered again; the provider never had it, so it counts towards no cap.

    What still calls for a text gets another one.
    """
    failed = replace(
        text, status=DeliveryStatus.FAILED, word="not offered", offered_at=None, final_at=desk.now
    )
    record(desk.unit, desk.workshop, before=text, after=failed)
    tried = bool(desk.unit.texts.attempts(text.id))
    settled = []
    for reminder in reminders:
        verdict = verdicts[reminder.id]
        if isinstance(verdict, Skip):
            settled.append(skipped(desk, reminder, verdict))
            if tried and reminder.after_text_id is None:
                call_instead(desk.unit, reminder, verdict.reason, desk.now, desk.workshop.settings)
        else:
            settled.append(
                replace(
                    reminder, state=ReminderState.PLANNED, due_at=desk.now, text_id=None, decided_at=desk.now
                )
            )
    desk.unit.reminders.update(settled)
