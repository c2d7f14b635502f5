"""Tallies, bills and budgets, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from integration.domain.cost import AnswerTally, ReplyTally, TextTally
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.ports.cost_store import BillingDay
from integration.ports.sms import Billed
from tests.adapters.store.records import DAY, HOUR, MINUTE, NOW, add_visit, question, reply, text

if TYPE_CHECKING:
    from typing import Any

    from integration.ports.store import Store

DELIVERED = DeliveryStatus.DELIVERED
TODAY = NOW.replace(hour=0, minute=0)


def test_texts_that_are_alike_are_counted_together(store: Store) -> None:
    usual: dict[str, Any] = {"status": DELIVERED, "segments": 1, "offered_at": NOW}
    unpriced: dict[str, Any] = {"price": None, "currency": None}
    priced: dict[str, Any] = {"price": "0.0083", "currency": "USD"}
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for changes in (
            priced,
            priced,
            unpriced | {"status": DeliveryStatus.FAILED, "failure": Failure.OPTED_OUT},
            priced | {"offered_at": NOW + HOUR},  # too late to be counted
            priced | {"offered_at": None},  # never left
            priced | {"practice": "lakeside"},
        ):
            unit.texts.add(text(whose, **{**usual, **changes}))
    with store.reading() as unit:
        found = unit.costs.texts("riverside", NOW, NOW + HOUR)
    occasion, language = text(1).occasion, text(1).language
    assert sorted(found, key=lambda tally: tally.count) == [
        TextTally(occasion, DeliveryStatus.FAILED, language, 1, 1, failure=Failure.OPTED_OUT),
        TextTally(occasion, DELIVERED, language, 2, 1, Decimal("0.0083"), "USD"),
    ]


def test_replies_tell_what_they_answer_and_a_yes_counts_once_a_visit(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        asked = unit.texts.add(text(whose, status=DELIVERED))
        unit.replies.ask(question(asked.id, visit, whose))
        (open_one,) = unit.replies.questions(question(asked.id, visit, whose).number)
        unit.replies.answered(open_one.id, NOW + MINUTE)
        for number, text_id in enumerate((asked.id, asked.id, None), 1):
            unit.replies.add(reply(number, heard_at=NOW + number * MINUTE, segments=2))
            stored = unit.replies.heard_since(reply().number, NOW)[0]
            unit.replies.update(
                replace(stored, intent="confirm", practice="riverside", done=True, text_id=text_id)
            )
    with store.reading() as unit:
        replies = unit.costs.replies("riverside", NOW, NOW + HOUR)
        answers = unit.costs.answers("riverside", NOW, NOW + HOUR)
        assert unit.costs.answers("riverside", NOW + 2 * MINUTE, NOW + HOUR) == []
    assert sorted(replies, key=lambda tally: tally.count) == [
        ReplyTally("confirm", 1, 2),
        ReplyTally("confirm", 2, 2, occasion=asked.occasion, status=DELIVERED, language=asked.language),
    ]
    assert answers == [AnswerTally(asked.occasion, DELIVERED, asked.language, 1)]


def test_a_bill_names_segments_and_prices_of_texts_and_replies(store: Store) -> None:
    sent_text: dict[str, Any] = {"provider": "fake", "provider_id": "SM1", "status": DELIVERED}
    with store.unit() as unit:
        _, whose = add_visit(unit)
        sent = unit.texts.add(text(whose, price=None, currency=None, sent_at=NOW, **sent_text))
        unit.replies.add(reply(1, provider="fake", provider_id="SM2"))
        assert unit.costs.unpriced("fake", TODAY, TODAY + DAY)
        assert not unit.costs.unpriced("fake", TODAY - DAY, TODAY)
        billed = [
            Billed("SM1", 3, None, "USD"),  # counted, and not yet priced
            Billed("SM2", None, "0.0075", "USD"),
            Billed("SM9", 1, "0.0083", "USD"),  # none of ours
        ]
        assert unit.costs.price("fake", billed) == 2
        assert unit.costs.unpriced("fake", TODAY, TODAY + DAY)
        assert unit.texts.get(sent.id) == replace(sent, segments=3)
        assert unit.costs.price("other", [Billed("SM1", 1, "9", "USD")]) == 0
        assert unit.costs.price("fake", [Billed("SM1", None, "0.0249", "USD")]) == 1
    with store.unit() as unit:
        assert unit.texts.get(sent.id) == replace(sent, segments=3, price="0.0249", currency="USD")
        (heard,) = unit.replies.heard_since(reply().number, NOW - DAY)
        assert (heard.segments, heard.price, heard.currency) == (1, "0.0075", "USD")
        assert not unit.costs.unpriced("fake", TODAY, TODAY + DAY)


def test_a_day_is_claimed_by_one_at_a_time_until_nothing_more_is_expected(store: Store) -> None:
    first, second = (BillingDay("fake", TODAY + day * DAY, 0, NOW + day * DAY) for day in (0, 1))
    with store.unit() as unit:
        unit.costs.expect([second, first])
        unit.costs.expect([replace(first, next_look_at=NOW - DAY)])  # known already
    assert "bill" not in store.has_work(NOW, NOW - MINUTE)
    assert "bill" in store.has_work(NOW, NOW)
    with store.unit() as unit:
        assert unit.costs.claim_day(NOW + 2 * DAY, NOW + 3 * DAY) == first
        assert unit.costs.claim_day(NOW + 2 * DAY, NOW + 3 * DAY) == second
        assert unit.costs.claim_day(NOW + 2 * DAY, NOW + 3 * DAY) is None
    assert "bill" not in store.has_work(NOW, NOW + 2 * DAY)
    with store.unit() as unit:
        unit.costs.settle_day(replace(first, looks=1, next_look_at=None))
        unit.costs.settle_day(replace(second, looks=1))
        assert unit.costs.claim_day(NOW + 2 * DAY, NOW + 3 * DAY) == replace(second, looks=1)
        assert unit.costs.claim_day(NOW + 2 * DAY, NOW + 3 * DAY) is None


def test_a_budget_is_told_of_once_a_month(store: Store) -> None:
    with store.unit() as unit:
        assert unit.costs.tell_once("riverside", TODAY, "warned")
        assert not unit.costs.tell_once("riverside", TODAY, "warned")
        assert unit.costs.tell_once("riverside", TODAY, "used_up")
        assert unit.costs.tell_once("riverside", TODAY + 31 * DAY, "warned")
