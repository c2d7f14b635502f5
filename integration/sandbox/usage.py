"""The API's usage records: how many texts, and what they cost, in total or by day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.sandbox.exchange import Exchange
    from integration.sandbox.texts import Text

CATEGORIES: Mapping[str, Callable[[Text], bool]] = {
    "sms": lambda text: text.direction != "network",
    "sms-outbound": lambda text: text.direction == "outbound-api",
    "sms-inbound": lambda text: text.direction == "inbound",
}
PERIODS = ("Daily", "Today", "Yesterday", "ThisMonth", "LastMonth", "AllTime")


def records(exchange: Exchange, period: str | None, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Usage records of the category and days asked for. The caller holds the lock."""
    today = exchange.now().date()
    first, last = _days(period, today)
    first = max(first, _day(asked.get("StartDate"), first))
    last = min(last, _day(asked.get("EndDate"), last))
    wanted = {asked["Category"]} & CATEGORIES.keys() if asked.get("Category") else CATEGORIES.keys()
    found: dict[tuple[date, str], list[Text]] = defaultdict(list)
    for text in exchange.texts.newest():
        day = text.created_at.date()
        for category in wanted:
            if first <= day <= last and CATEGORIES[category](text):
                found[day if period == "Daily" else first, category].append(text)
    if period != "Daily":
        found |= {(first, category): found.get((first, category), []) for category in wanted}
    return [
        _record(category, day, day if period == "Daily" else last, texts, exchange)
        for (day, category), texts in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def _record(category: str, first: date, last: date, texts: list[Text], exchange: Exchange) -> dict[str, Any]:
    segments = sum(text.weight.segments for text in texts)
    return {
        "account_sid": exchange.account.sid,
        "as_of": exchange.now().isoformat(timespec="seconds"),
        "category": category,
        "count": str(segments),
        "count_unit": "segments",
        "usage": str(segments),
        "usage_unit": "segments",
        "price": str(-sum((Decimal(text.price or 0) for text in texts), Decimal(0))),
        "price_unit": "usd",
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "description": category,
    }


def _days(period: str | None, today: date) -> tuple[date, date]:
    first_of_month = today.replace(day=1)
    last_of_former = first_of_month - timedelta(days=1)
    return {
        "Today": (today, today),
        "Yesterday": (today - timedelta(days=1),) * 2,
        "ThisMonth": (first_of_month, today),
        "LastMonth": (last_of_former.replace(day=1), last_of_former),
    }.get(period or "", (today - timedelta(days=365), today))


def _day(written: str | None, usual: date) -> date:
    try:
        return date.fromisoformat(written) if written else usual
    except ValueError:
        return usual
