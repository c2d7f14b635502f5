"""Offers whose outcome nobody knows: wait, look at the provider's list, never send blindly (promise 2).

    offered past its deadline ─► uncertain ─► found: accepted
                                     └──────► missing at every look: absent, and offered once more
                                                                     or unresolved, and a person looks

The provider is asked outside any transaction: a lease keeps others from asking meanwhile, and
what was seen counts only if the offer is still as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from integration.aftermath import as_news, open_task, record, visit_starts
from integration.domain.consequences import about
from integration.domain.delivery_news import bring_forward
from integration.domain.matching import MARGIN, match
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import Attempt, AttemptState, TextKind
from integration.ports.sms import ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.domain.consequences import Breaker
    from integration.domain.text_message import TextMessage
    from integration.ports.sms import ProviderText, SmsProvider
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

MOST = 20  # offers looked into in one call: each may wait ten seconds for the provider
FEWEST_LOOKS = 2  # the list lags, so one look proves nothing
LEASE = timedelta(seconds=60)  # longer than the provider's time-out
LONGEST_WAIT = timedelta(minutes=10)  # between two tries to ask a provider that is away
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Search:
    """An uncertain offer, leased to us, and what to look for."""

    attempt: Attempt
    text: TextMessage
    since: datetime  # wall; when the text was first offered


def look_for_uncertain(workshop: Workshop) -> int:
    """Take the next step with each overdue offer, at most `MOST`; returns how many were taken."""
    if workshop.sms is None:
        return 0
    for worked in range(MOST):
        claimed = _claim(workshop)
        if claimed is None:
            return worked
        if isinstance(claimed, _Search):
            _look(workshop, workshop.sms, claimed)
    return MOST


def _claim(workshop: Workshop) -> _Search | Attempt | None:
    """The next overdue offer: leased for a look, or only now uncertain; None when there is none."""
    now, looks = workshop.clock.wall(), workshop.settings.sending.uncertain_looks
    with workshop.store.unit() as unit:
        attempt = unit.texts.claim_overdue(now)
        if attempt is None:
            return None
        if attempt.state is AttemptState.OFFERED:
            lost = replace(
                attempt,
                state=AttemptState.UNCERTAIN,
                next_look_at=attempt.offered_at + looks[0],
                why="no outcome by its deadline",
            )
            unit.texts.update_attempt(lost, {AttemptState.OFFERED})
            _log.warning("offer without an outcome", text=attempt.text_id, attempt=attempt.id)
            return lost
        leased = replace(attempt, next_look_at=now + LEASE)
        unit.texts.update_attempt(leased, {AttemptState.UNCERTAIN})
        since = min(one.offered_at for one in unit.texts.attempts(attempt.text_id))
        return _Search(leased, unit.texts.get(attempt.text_id), since)


def _look(workshop: Workshop, sms: SmsProvider, search: _Search) -> None:
    """Ask for the number's texts, and settle the offer if it still stands as it did."""
    listed: Sequence[ProviderText] = ()
    away, breaker = None, None
    try:
        listed = sms.find(search.text.number, search.since - MARGIN)
    except ProviderUnavailable as why:
        away = str(why)
        _log.warning("the provider could not be asked", attempt=search.attempt.id, why=away)
    with workshop.store.unit() as unit:
        unit.numbers.lock(search.text.number)
        attempts = unit.texts.attempts(search.text.id)
        attempt = next(one for one in attempts if one.id == search.attempt.id)
        if attempt.state is not AttemptState.UNCERTAIN or attempt.looks != search.attempt.looks:
            return
        found = _find(unit, sms, search, listed)
        if away is not None:
            later = replace(attempt, next_look_at=_when_away(workshop, attempt), why=away)
            unit.texts.update_attempt(later, {AttemptState.UNCERTAIN})
        elif found is None:
            _missing(unit, workshop, attempt, attempts)
        else:
            breaker = _found(unit, workshop, attempt, found, open_breakers=unit.breakers.open())
    if breaker is not None:
        workshop.store.open_breaker(breaker.name, breaker.reason)


def _find(
    unit: Unit, sms: SmsProvider, search: _Search, listed: Sequence[ProviderText]
) -> ProviderText | None:
    """The listed text that this offer became."""
    provider_id = match(
        ((text.provider_id, text.body, text.created_at) for text in listed),
        body=search.text.body,
        offered_at=search.attempt.offered_at,
        window=(search.since, search.attempt.deadline),
        taken={
            text.provider_id for text in listed if _owner(unit, sms, text) not in {None, search.attempt.id}
        },
    )
    return next((text for text in listed if text.provider_id == provider_id), None)


def _owner(unit: Unit, sms: SmsProvider, text: ProviderText) -> int | None:
    """The offer that is known to have become this text."""
    owner = unit.texts.attempt_by_provider_id(sms.name, text.provider_id)
    return None if owner is None else owner.id


def _when_away(workshop: Workshop, attempt: Attempt) -> datetime:
    """When to ask again a provider that is away: the longer it has been, the later."""
    now, soonest = workshop.clock.wall(), workshop.settings.sending.uncertain_looks[0]
    wait = min(max((now - attempt.offered_at) / 2, soonest), LONGEST_WAIT)
    return now + wait * (0.75 + workshop.random() / 2)


def _found(
    unit: Unit, workshop: Workshop, attempt: Attempt, found: ProviderText, *, open_breakers: Collection[str]
) -> Breaker | None:
    """It did arrive."""
    assert workshop.sms is not None  # noqa: S101 - it has just listed the text
    _log.info("uncertain text found", text=attempt.text_id, attempt=attempt.id)
    accepted = replace(
        attempt,
        state=AttemptState.ACCEPTED,
        provider_id=found.provider_id,
        next_look_at=None,
        looks=attempt.looks + 1,
    )
    unit.texts.update_attempt(accepted, {AttemptState.UNCERTAIN})
    before = unit.texts.get(attempt.text_id)
    news = as_news(found, workshop.sms.name, workshop.settings.failures, at=workshop.clock.wall())
    after = bring_forward(before, news, now=workshop.clock.calendar())
    return record(unit, workshop, before=before, after=after, open_breakers=open_breakers)


def _missing(unit: Unit, workshop: Workshop, attempt: Attempt, attempts: Sequence[Attempt]) -> None:
    """It was not in the list: look again, or after the last look decide."""
    now, schedule = workshop.clock.wall(), workshop.settings.sending.uncertain_looks
    looks = attempt.looks + 1
    if looks < max(len(schedule), FEWEST_LOOKS):
        # Looks that were late keep their distance: two at one moment are one.
        due = max(attempt.offered_at + schedule[min(looks, len(schedule) - 1)], now + schedule[0])
        unit.texts.update_attempt(replace(attempt, looks=looks, next_look_at=due), {AttemptState.UNCERTAIN})
        return
    text = unit.texts.get(attempt.text_id)
    tried_before = any(one.state is AttemptState.ABSENT for one in attempts)
    useful = workshop.clock.calendar() < text.not_after
    absent = useful and not tried_before
    unit.texts.update_attempt(
        replace(
            attempt,
            state=AttemptState.ABSENT if absent else AttemptState.UNRESOLVED,
            looks=looks,
            next_look_at=None,
        ),
        {AttemptState.UNCERTAIN},
    )
    _log.warning("uncertain text missing", text=text.id, attempt=attempt.id, offered_again=absent)
    if not absent:
        _leave_to_a_person(unit, workshop, text, tried_before=tried_before)


def _leave_to_a_person(unit: Unit, workshop: Workshop, text: TextMessage, *, tried_before: bool) -> None:
    after = replace(text, unresolved=True)
    record(unit, workshop, before=text, after=after)
    if text.kind is TextKind.ANSWER:
        return
    why = "offered twice" if tried_before else "no longer useful"
    reason = f"the provider does not list this text, and it was {why}; nobody can tell whether it arrived"
    visits, now = visit_starts(unit, text), workshop.clock.calendar()
    for subject in text.subjects:
        task = about(subject, text, TaskKind.UNRESOLVED_TEXT, reason, now=now, visits=visits)
        open_task(unit, task, workshop.settings)
