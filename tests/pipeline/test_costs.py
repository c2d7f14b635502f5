"""Prices are read each night, and a month's budget warns and stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from integration.domain.consequences import budget_breaker
from integration.domain.cost import USED_UP, Costs
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import StaffTask, TaskKind
from integration.pipeline.costs.bill import LOOKED_BACK, MOST_LOOKS, Billing
from integration.pipeline.costs.budget import Budgets
from integration.testing.sms import FakeSmsProvider
from tests import settings as make
from tests.messages import siu
from tests.site import Site, TurnedClock

if TYPE_CHECKING:
    from integration.ports.store import Store

NOON = datetime(2027, 3, 1, 17, tzinfo=UTC)
DAY = timedelta(days=1)
BUDGET = Costs(price_per_segment=Decimal("0.01"), budget=Decimal("0.02"), stop=True)
BREAKER = budget_breaker("riverside")


@pytest.fixture
def site(store: Store) -> Site:
    clock = TurnedClock(NOON)
    return Site(store, clock, sms=FakeSmsProvider(now=clock.wall))


def book(site: Site, number: int = 1) -> None:
    """A visit in nine days, told of at once."""
    at = site.clock.now
    site.hear(siu("S12", visit=f"A{number}", at=at, start=at + 9 * DAY))
    site.until(at + timedelta(minutes=10))


def deliver(site: Site) -> None:
    """The provider knows a price by now; its callback does not tell it."""
    (text,) = site.texts
    assert text.provider_id is not None
    site.told(text.provider_id, "delivered")
    assert site.texts[0].price is None


def with_costs(site: Site, costs: Costs) -> None:
    practice = make.practice(costs=costs)
    site.change(settings=replace(site.settings, practices={practice.name: practice}))


def told(site: Site) -> list[StaffTask]:
    return [task for task in site.tasks if task.kind is TaskKind.BUDGET]


def read_bills(site: Site) -> int:
    """Reads all that is due; how many days were read."""
    billing = Billing(site.workshop)
    billing.expect()
    return sum(1 for _ in iter(billing.read, False))


def test_a_day_is_read_once_it_is_over(site: Site) -> None:
    book(site)
    deliver(site)
    read_bills(site)
    assert [text.price for text in site.texts] == [None]  # today goes on
    site.clock.now = NOON + DAY
    assert read_bills(site) == 1
    assert [(text.price, text.currency) for text in site.texts] == [("0.0083", "USD")]


def test_what_the_provider_never_prices_is_asked_for_only_so_often(site: Site) -> None:
    book(site)
    deliver(site)
    site.sms.unpriced = True
    days = MOST_LOOKS + 3
    looked = 0
    for _ in range(days):
        site.clock.now += DAY
        looked += read_bills(site)
    # Every other day, among them those before we came, is read once.
    others = days - 1 + LOOKED_BACK - 1
    assert looked == MOST_LOOKS + others
    assert site.texts[0].price is None


def test_a_provider_that_is_away_is_asked_again_and_nothing_is_lost(site: Site) -> None:
    book(site)
    deliver(site)
    site.clock.now = NOON + DAY
    site.sms.is_down = True
    read_bills(site)
    site.sms.is_down = False
    assert site.texts[0].price is None
    site.clock.now += timedelta(minutes=16)
    read_bills(site)
    assert site.texts[0].price == "0.0083"


def test_a_budget_warns_then_stops_reminders_and_says_why(site: Site) -> None:
    with_costs(site, BUDGET)
    book(site)
    Budgets(site.workshop).look()
    assert told(site) == []  # half of it is spent
    site.clock.now += DAY
    book(site, 2)
    Budgets(site.workshop).look()
    (task,) = told(site)
    assert "0.02 USD" in task.reason
    assert BREAKER in site.store.breakers()
    site.clock.now += DAY
    book(site, 3)
    held = [each for each in site.reminders.values() if each.state is ReminderState.HELD]
    assert [(each.step, each.reason) for each in held] == [("booked", USED_UP)]
    assert len(site.texts) == 2


def test_bad_news_goes_beyond_the_budget(site: Site) -> None:
    book(site)
    site.store.open_breaker(BREAKER, USED_UP)
    site.clock.now += DAY
    site.hear(siu("S15", visit="A1", at=site.clock.now, start=NOON + 9 * DAY))
    site.until(site.clock.now + timedelta(minutes=10))
    assert [occasion for _, occasion in site.sent] == ["booked", "cancelled"]


def test_the_stop_ends_with_the_month_and_a_release_is_believed_until_then(site: Site) -> None:
    with_costs(site, replace(BUDGET, budget=Decimal("0.01")))
    book(site)
    Budgets(site.workshop).look()
    assert BREAKER in site.store.breakers()
    site.store.release(BREAKER, site.clock.now)
    site.clock.now += DAY
    Budgets(site.workshop).look()
    assert BREAKER not in site.store.breakers()
    site.store.open_breaker(BREAKER, USED_UP)
    site.clock.now += timedelta(days=31)
    Budgets(site.workshop).look()
    assert BREAKER not in site.store.breakers()
    book(site, 2)
    Budgets(site.workshop).look()
    assert BREAKER in site.store.breakers()  # a new month, a new stop


def test_a_higher_budget_ends_the_stop_and_a_lower_one_brings_it_back(site: Site) -> None:
    for budget, stopped in (("0.01", True), ("5", False), ("0.01", True)):
        with_costs(site, replace(BUDGET, budget=Decimal(budget)))
        if not site.texts:
            book(site)
        Budgets(site.workshop).look()
        assert (BREAKER in site.store.breakers()) is stopped
