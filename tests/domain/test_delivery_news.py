"""Promise 5: status moves forward, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.domain.delivery_news import DeliveryNews, bring_forward
from integration.domain.delivery_status import DeliveryStatus, contradicts
from integration.domain.failure import Failure
from integration.domain.text_message import TextKind, TextMessage

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)


def text() -> TextMessage:
    return TextMessage(
        id=7,
        practice="riverside",
        number="+12025550123",
        kind=TextKind.REMINDER,
        occasion="two_days",
        language="en",
        body="Riverside Clinic: …",
        encoding="GSM-7",
        segments=1,
        created_at=NOON,
        not_after=NOON + timedelta(hours=9),
    )


def news(status: DeliveryStatus | None, minute: int, failure: Failure | None = None) -> DeliveryNews:
    code = "30003" if failure else None
    return DeliveryNews(
        "fake", "SM1", str(status), status, NOON + timedelta(minutes=minute), error_code=code, failure=failure
    )


LIVES = [
    [news(DeliveryStatus.ACCEPTED, 0), news(DeliveryStatus.SENT, 1), news(DeliveryStatus.DELIVERED, 2)],
    [
        news(DeliveryStatus.ACCEPTED, 0),
        news(DeliveryStatus.SENT, 1),
        news(DeliveryStatus.UNDELIVERED, 9, Failure.UNREACHABLE),
    ],
    [news(DeliveryStatus.ACCEPTED, 0), news(DeliveryStatus.FAILED, 1, Failure.ACCOUNT)],
    [news(DeliveryStatus.ACCEPTED, 0), news(DeliveryStatus.SENT, 1)],
]


@settings(deadline=None)
@given(st.data())
def test_any_order_and_any_repetition_end_in_the_same_state(data: st.DataObject) -> None:
    life = data.draw(st.sampled_from(LIVES))
    heard = data.draw(st.permutations([*life, *data.draw(st.lists(st.sampled_from(life), max_size=4))]))

    in_order, as_heard = text(), text()
    for told in life:
        in_order = bring_forward(in_order, told, now=NOON)
    for told in heard:
        as_heard = bring_forward(as_heard, told, now=NOON)

    assert as_heard == in_order


@pytest.mark.parametrize("life", LIVES)
def test_the_last_word_alone_is_enough_for_the_status(life: list[DeliveryNews]) -> None:
    told = bring_forward(text(), life[-1], now=NOON)

    assert told.status is life[-1].status
    assert told.failure is life[-1].failure
    assert told.provider_id == "SM1"


def test_the_first_final_word_stands() -> None:
    failed = bring_forward(text(), news(DeliveryStatus.FAILED, 1, Failure.FILTERED), now=NOON)
    later = bring_forward(failed, news(DeliveryStatus.DELIVERED, 2), now=NOON)

    assert contradicts(failed.status, DeliveryStatus.DELIVERED)
    assert (later.status, later.failure, later.delivered_at) == (
        DeliveryStatus.FAILED,
        Failure.FILTERED,
        None,
    )


def test_a_failure_without_a_code_is_unknown() -> None:
    assert bring_forward(text(), news(DeliveryStatus.UNDELIVERED, 1), now=NOON).failure is Failure.UNKNOWN


def test_an_unknown_word_proves_that_the_provider_has_the_text() -> None:
    told = bring_forward(text(), news(None, 1), now=NOON)

    assert (told.status, told.provider_id) == (DeliveryStatus.ACCEPTED, "SM1")


def test_the_bill_may_come_after_the_last_word() -> None:
    delivered = bring_forward(text(), news(DeliveryStatus.DELIVERED, 1), now=NOON)
    billed = bring_forward(
        delivered,
        replace(news(DeliveryStatus.DELIVERED, 30), price="0.0083", currency="USD", segments=2),
        now=NOON + timedelta(minutes=30),
    )

    assert (billed.price, billed.currency, billed.segments) == ("0.0083", "USD", 2)
    assert (billed.final_at, billed.delivered_at) == (delivered.final_at, delivered.delivered_at)


def test_the_providers_own_times_outweigh_ours() -> None:
    told = replace(
        news(DeliveryStatus.SENT, 10),
        taken_at=NOON + timedelta(minutes=2),
        sent_at=NOON + timedelta(minutes=3),
    )

    brought = bring_forward(text(), told, now=NOON)

    assert brought.accepted_at == NOON + timedelta(minutes=2)
    assert brought.sent_at == NOON + timedelta(minutes=3)
