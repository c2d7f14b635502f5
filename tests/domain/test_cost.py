"""What texting costs: prices named and guessed, what a plan includes, how a budget stands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from integration.domain.cost import (
    Account,
    BudgetState,
    Costs,
    Overage,
    ReplyTally,
    TextTally,
    billing_days,
    budget_state,
    in_its_currency,
    month_start,
    overage,
    spent,
)
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure

COSTS = Costs(price_per_segment=Decimal("0.01"), price_per_reply_segment=Decimal("0.005"))
DELIVERED = DeliveryStatus.DELIVERED


def text(count: int = 1, segments: int = 1, price: str | None = None, **more: object) -> TextTally:
    known: dict[str, object] = {
        "occasion": "booked",
        "status": DELIVERED,
        "language": "en",
        "currency": "USD" if price else None,
    }
    money = None if price is None else Decimal(price)
    return TextTally(count=count, segments=segments, price=money, **(known | more))  # type: ignore[arg-type]


def test_a_named_price_is_of_the_whole_text_and_a_guess_is_by_segment() -> None:
    account = Account("USD")
    account.add_texts(text(count=3, segments=2, price="0.0166"), COSTS)
    account.add_texts(text(count=2, segments=2), COSTS)
    assert (account.price, account.estimated) == (Decimal("0.0898"), Decimal("0.04"))
    assert (account.texts, account.segments, account.delivered, account.sent) == (5, 10, 5, 5)


def test_what_failed_before_the_carrier_had_it_costs_nothing_and_what_it_did_not_deliver_does() -> None:
    account = Account("USD")
    account.add_texts(text(status=DeliveryStatus.FAILED), COSTS)
    assert (account.price, account.failed, account.sent) == (Decimal(0), 1, 0)
    account.add_texts(text(status=DeliveryStatus.UNDELIVERED), COSTS)
    assert (account.price, account.failed, account.sent) == (Decimal("0.01"), 2, 1)


def test_replies_cost_too_and_an_opt_out_counts_whoever_tells_of_it() -> None:
    account = Account("USD")
    account.add_replies(ReplyTally("stop", count=2, segments=1), COSTS)
    account.add_replies(ReplyTally("confirm", count=1, segments=1, price=Decimal("0.0075")), COSTS)
    account.add_texts(text(status=DeliveryStatus.FAILED, failure=Failure.OPTED_OUT), COSTS)
    assert (account.replies, account.reply_segments, account.opted_out) == (3, 3, 3)
    assert (account.price, account.estimated) == (Decimal("0.0175"), Decimal("0.010"))


def test_what_is_priced_in_another_currency_is_no_part_of_a_budget() -> None:
    canadian = text(price="5", currency="CAD")
    assert in_its_currency(canadian, COSTS) == "CAD"
    assert spent([text(price="1"), canadian], [ReplyTally("stop", 1, 1)], COSTS) == Decimal("1.005")


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        (99, Overage(100, 0, Decimal(0))),
        (100, Overage(100, 0, Decimal(0))),
        (130, Overage(100, 30, Decimal("0.60"))),
    ],
)
def test_what_lies_beyond_the_allowance_is_charged(segments: int, found: Overage) -> None:
    assert overage(segments, Costs(allowance=100, overage=Decimal("0.02"))) == found


def test_a_plan_may_include_a_number_and_leave_its_price_unsaid_or_include_none() -> None:
    assert overage(130, Costs(allowance=100)) == Overage(100, 30, None)
    assert overage(130, Costs()) is None


@pytest.mark.parametrize(
    ("spending", "state"),
    [("79.99", "within"), ("80", "warned"), ("99.99", "warned"), ("100", "used_up"), ("120", "used_up")],
)
def test_a_budget_is_warned_of_before_it_is_used_up(spending: str, state: str) -> None:
    assert budget_state(Decimal(spending), Costs(budget=Decimal(100))) == BudgetState(state)
    assert budget_state(Decimal(spending), Costs()) is BudgetState.WITHIN


def test_a_month_begins_by_the_practices_clock() -> None:
    late = datetime(2027, 4, 1, 3, tzinfo=UTC)  # 23:00 on March 31st in New York
    assert month_start(late, ZoneInfo("America/New_York")) == datetime(2027, 3, 1, 5, tzinfo=UTC)


def test_only_days_that_are_over_are_billed() -> None:
    noon = datetime(2027, 3, 3, 12, tzinfo=UTC)
    assert billing_days(noon, 2) == [datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 3, 2, tzinfo=UTC)]
