"""Texts, attempts and callbacks, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.text_message import HOLDING, AttemptState, Subject, TextKind
from integration.ports.store import AlreadyAnswered, AlreadyOffered
from tests.adapters.store.records import (
    ADA,
    BEN,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    add_visit,
    attempt,
    callback,
    reminder,
    reply,
    text,
)

if TYPE_CHECKING:
    from integration.ports.store import Store


def test_a_text_comes_back_as_added_with_its_subjects_in_order(store: Store) -> None:
    with store.unit() as unit:
        visit, mother = add_visit(unit, 1)
        _, child = add_visit(unit, 2)
        subjects = (Subject(child, visit, "part of the child"), Subject(mother), Subject(child, None, ""))
        added = unit.texts.add(text(mother, subjects=subjects, price="0.0079", currency="USD"))
    with store.unit() as unit:
        wanted = text(mother, subjects=subjects, price="0.0079", currency="USD")
        assert unit.texts.get(added.id) == replace(wanted, id=added.id) == added


def test_a_text_about_nobody_comes_back_as_added(store: Store) -> None:
    with store.unit() as unit:
        added = unit.texts.add(text(0, subjects=()))
        assert unit.texts.get(added.id).subjects == ()
        with pytest.raises(KeyError):
            unit.texts.get(added.id + 1)


def test_news_changes_a_text_but_not_whom_it_is_for(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        before = unit.texts.add(text(whose))
        news = replace(
            before,
            body="Hola Adalina.",
            status=DeliveryStatus.UNDELIVERED,
            word="undelivered",
            provider="twilio",
            provider_id="SM1",
            sender="+16175550199",
            error_code="30003",
            failure=Failure.UNREACHABLE,
            unresolved=True,
            not_before=NOW,
            offered_at=NOW,
            accepted_at=NOW,
            sent_at=NOW + MINUTE,
            delivered_at=NOW + 2 * MINUTE,
            final_at=NOW + 3 * MINUTE,
            checked_at=NOW + 4 * MINUTE,
        )
        unit.texts.update(
            replace(news, number=BEN, kind=TextKind.FREE, practice="x", subjects=(), created_at=NOW + DAY)
        )
    with store.unit() as unit:
        assert unit.texts.get(before.id) == news


def test_a_reply_is_answered_once(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.replies.add(reply())
        heard = unit.replies.claim()
        assert heard is not None
        unit.texts.add(text(whose, kind=TextKind.ANSWER, answers_reply=heard.id))
        with pytest.raises(AlreadyAnswered):
            unit.texts.add(text(whose, kind=TextKind.ANSWER, answers_reply=heard.id))
        unit.texts.add(text(whose))  # the unit can go on
    with store.unit() as unit:
        assert len(unit.texts.answers_to(ADA, NOW)) == 1


def test_the_oldest_queued_text_is_claimed_when_its_time_has_come(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        later = unit.texts.add(text(whose, not_before=NOW + HOUR))
        free = unit.texts.add(text(whose))
        unit.texts.add(text(whose, status=DeliveryStatus.FAILED))
        assert unit.texts.claim_queued(NOW) == free
        unit.texts.add_attempt(attempt(free.id))
        assert unit.texts.claim_queued(NOW) is None
        assert unit.texts.claim_queued(NOW + HOUR) == later


@pytest.mark.parametrize("state", AttemptState)
def test_a_text_is_held_by_one_attempt_at_a_time(store: Store, state: AttemptState) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        queued = unit.texts.add(text(whose))
        first = unit.texts.add_attempt(attempt(queued.id, state=state))
        second = attempt(queued.id, token="another")
        if state in HOLDING:
            assert unit.texts.claim_queued(NOW) is None
            with pytest.raises(AlreadyOffered):
                unit.texts.add_attempt(second)
            assert unit.texts.attempts(queued.id) == [first]
        else:
            assert unit.texts.claim_queued(NOW) == queued
            second = unit.texts.add_attempt(second)
            assert unit.texts.attempts(queued.id) == [first, second]


def test_an_attempt_changes_only_from_the_state_it_is_expected_in(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        offered = unit.texts.add_attempt(attempt(unit.texts.add(text(whose)).id))
        uncertain = replace(
            offered, state=AttemptState.UNCERTAIN, looks=1, next_look_at=NOW + MINUTE, why="read-timeout"
        )
        assert not unit.texts.update_attempt(uncertain, {AttemptState.ACCEPTED, AttemptState.UNCERTAIN})
        assert unit.texts.attempt_by_token(offered.token) == offered
        assert unit.texts.update_attempt(uncertain, {AttemptState.OFFERED})
        assert not unit.texts.update_attempt(uncertain, {AttemptState.OFFERED})
    with store.unit() as unit:
        assert unit.texts.attempts(offered.text_id) == [uncertain]
        assert not unit.texts.update_attempt(replace(offered, id=404), {AttemptState.OFFERED})


def test_an_attempt_is_found_by_our_token_and_by_the_provider_s_id(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        queued = unit.texts.add(text(whose, provider="twilio"))
        added = unit.texts.add_attempt(attempt(queued.id, token="t1", provider_id="SM1"))
        assert unit.texts.attempt_by_token("t1") == added
        assert unit.texts.attempt_by_token("t2") is None
        assert unit.texts.attempt_by_provider_id("twilio", "SM1") == added
        assert unit.texts.attempt_by_provider_id("twilio", "SM2") is None
        assert unit.texts.attempt_by_provider_id("another", "SM1") is None


def test_offers_past_their_deadline_come_before_looks_that_are_due(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        ids = [unit.texts.add(text(whose)).id for _ in range(3)]
        look = attempt(ids[0], state=AttemptState.UNCERTAIN, next_look_at=NOW - HOUR)
        looked = unit.texts.add_attempt(look)
        offered = unit.texts.add_attempt(attempt(ids[1], deadline=NOW))
        unit.texts.add_attempt(attempt(ids[2], state=AttemptState.ACCEPTED, deadline=NOW - HOUR))
        assert unit.texts.claim_overdue(NOW - 2 * HOUR) is None
        assert unit.texts.claim_overdue(NOW) == offered
        unit.texts.update_attempt(replace(offered, state=AttemptState.REFUSED), {AttemptState.OFFERED})
        assert unit.texts.claim_overdue(NOW) == looked
        assert unit.texts.claim_overdue(NOW - HOUR) == looked
        unit.texts.update_attempt(replace(looked, next_look_at=NOW + HOUR), {AttemptState.UNCERTAIN})
        assert unit.texts.claim_overdue(NOW) is None


def test_a_text_unheard_of_for_long_is_claimed_until_it_is_final(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        sent = unit.texts.add(text(whose, status=DeliveryStatus.SENT, accepted_at=NOW, sent_at=NOW + HOUR))
        accepted = unit.texts.add(text(whose, status=DeliveryStatus.ACCEPTED, accepted_at=NOW))
        unit.texts.add(text(whose))
        unit.texts.add(text(whose, status=DeliveryStatus.DELIVERED, accepted_at=NOW))
        unit.texts.add(text(whose, status=DeliveryStatus.SENT, sent_at=NOW, final_at=NOW))
        assert unit.texts.claim_stale(NOW) is None
        assert unit.texts.claim_stale(NOW + DAY) == accepted
        unit.texts.update(replace(accepted, checked_at=NOW + DAY))
        assert unit.texts.claim_stale(NOW + DAY) == sent
        unit.texts.update(replace(sent, final_at=NOW + DAY))
        assert unit.texts.claim_stale(NOW + DAY) is None


def test_what_was_offered_counts_towards_the_caps_unless_it_is_an_answer(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.texts.add(text(whose, offered_at=NOW + HOUR))
        unit.texts.add(text(whose, offered_at=NOW, kind=TextKind.FREE, status=DeliveryStatus.SENT))
        unit.texts.add(text(whose, offered_at=NOW, kind=TextKind.ANSWER))
        unit.texts.add(text(whose, offered_at=NOW, number=BEN, practice="hillside"))
        unit.texts.add(text(whose, offered_at=None))
        assert unit.texts.offered_to(ADA, NOW) == [NOW, NOW + HOUR]
        assert unit.texts.offered_to(ADA, NOW + MINUTE) == [NOW + HOUR]
        assert unit.texts.offered_by("riverside", NOW) == 3
        assert unit.texts.offered_by("hillside", NOW + MINUTE) == 0
        last = unit.replies.last_text_to(ADA)
        assert last is not None
        assert last.offered_at == NOW + HOUR
        assert unit.replies.last_text_to("+12025550199") is None


def test_our_answers_to_a_number_come_newest_first_sent_or_not(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        first = unit.texts.add(text(whose, kind=TextKind.ANSWER))
        second = unit.texts.add(text(whose, kind=TextKind.ANSWER, created_at=NOW + HOUR, offered_at=NOW))
        unit.texts.add(text(whose))
        unit.texts.add(text(whose, kind=TextKind.ANSWER, number=BEN))
        assert unit.texts.answers_to(ADA, NOW) == [second, first]
        assert unit.texts.answers_to(ADA, NOW + HOUR) == [second]


@pytest.mark.parametrize(
    ("state", "status", "may_have_gone_out"),
    [
        (AttemptState.OFFERED, DeliveryStatus.QUEUED, True),
        (AttemptState.UNCERTAIN, DeliveryStatus.QUEUED, True),
        (AttemptState.UNRESOLVED, DeliveryStatus.QUEUED, True),
        (AttemptState.ACCEPTED, DeliveryStatus.DELIVERED, True),
        (AttemptState.ACCEPTED, DeliveryStatus.UNDELIVERED, True),
        (AttemptState.ACCEPTED, DeliveryStatus.FAILED, False),
        (AttemptState.REFUSED, DeliveryStatus.FAILED, False),
        (AttemptState.RETURNED, DeliveryStatus.QUEUED, False),
        (AttemptState.ABSENT, DeliveryStatus.QUEUED, False),
    ],
)
def test_a_text_about_a_slot_went_out_or_may_have(
    store: Store, state: AttemptState, status: DeliveryStatus, *, may_have_gone_out: bool
) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        told = unit.texts.add(text(whose, status=status))
        unit.reminders.add([reminder(visit, whose, text_id=told.id)])
        assert not unit.texts.for_slot(visit, 1)
        unit.texts.add_attempt(attempt(told.id, state=state))
        assert unit.texts.for_slot(visit, 1) is may_have_gone_out
        assert not unit.texts.for_slot(visit, 2)


def test_texts_of_a_time_come_in_the_order_they_were_offered(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        second = unit.texts.add(text(whose, offered_at=NOW + HOUR))
        first = unit.texts.add(text(whose, offered_at=NOW))
        other = unit.texts.add(text(whose, offered_at=NOW + 2 * HOUR, practice="hillside"))
        unit.texts.add(text(whose, offered_at=NOW + DAY))
        unit.texts.add(text(whose))
        assert unit.texts.between(NOW, NOW + DAY) == [first, second, other]
        assert unit.texts.between(NOW, NOW + DAY, "hillside") == [other]
        assert unit.texts.between(NOW + MINUTE, NOW + HOUR) == []


def test_every_callback_is_kept_and_read_once(store: Store) -> None:
    with store.unit() as unit:
        for number in (1, 1, 2):  # a provider repeats itself
            unit.callbacks.add(callback(number))
    with store.unit() as unit:
        one, again, two = unit.callbacks.claim(10)
        assert one == replace(callback(1), id=one.id)
        assert [each.form for each in (again, two)] == [callback(1).form, callback(2).form]
        unit.callbacks.done(one.id)
        assert unit.callbacks.claim(1) == [again]
