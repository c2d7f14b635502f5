"""What the fake store knows of costs: tallies of its texts and replies, and the days still to be billed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from integration.domain.cost import AnswerTally, ReplyTally, TextTally
from integration.domain.delivery_status import DeliveryStatus
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from integration.ports.cost_store import BillingDay
    from integration.ports.sms import Billed
    from integration.testing.store_tables import Tables

_FREE = datetime(1970, 1, 1, tzinfo=UTC)


class FakeCostRows:
    """See `integration.ports.cost_store.CostRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def texts(self, practice: str, start: datetime, end: datetime) -> Sequence[TextTally]:
        """Counted."""
        alike = Counter(
            (
                *(text.occasion, text.status, text.language, text.segments),
                *(text.price, text.currency, text.failure),
            )
            for text in self._tables.texts.values()
            if text.practice == practice and text.offered_at is not None and start <= text.offered_at < end
        )
        return [
            TextTally(occasion, status, language, count, segments, _money(price), currency, failure)
            for (occasion, status, language, segments, price, currency, failure), count in alike.items()
        ]

    def replies(self, practice: str, start: datetime, end: datetime) -> Sequence[ReplyTally]:
        """Counted."""
        alike = Counter(
            (reply.intent, reply.segments, reply.price, reply.currency, reply.text_id)
            for reply in self._tables.replies.values()
            if reply.practice == practice and start <= reply.heard_at < end
        )
        found: Counter[ReplyTally] = Counter()
        for (intent, segments, price, currency, text_id), count in alike.items():
            text = None if text_id is None else self._tables.texts[text_id]
            found[
                ReplyTally(
                    *(intent or "", 0, segments, _money(price), currency),
                    *(("", None, "") if text is None else (text.occasion, text.status, text.language)),
                )
            ] += count
        return [replace(tally, count=count) for tally, count in found.items()]

    def answers(self, practice: str, start: datetime, end: datetime) -> Sequence[AnswerTally]:
        """Counted."""
        asked = [
            self._tables.texts[question.text_id]
            for question in self._tables.answered.values()
            if question.answered_at is not None and start <= question.answered_at < end
        ]
        alike = Counter(
            (text.occasion, text.status, text.language) for text in asked if text.practice == practice
        )
        return [AnswerTally(*key, count) for key, count in alike.items()]

    def expect(self, days: Iterable[BillingDay]) -> None:
        """Unless they are there."""
        for day in days:
            self._tables.billing_days.setdefault((day.provider, day.day), as_stored(day))

    def claim_day(self, now: datetime, lease_until: datetime) -> BillingDay | None:
        """The earliest."""
        key = min(self._due(now), key=lambda due: due[1], default=None)
        if key is None:
            return None
        self._tables.billing_leases[key] = lease_until
        return self._tables.billing_days[key]

    def is_due(self, now: datetime) -> bool:
        """Whether one would be claimed."""
        return bool(self._due(now))

    def _due(self, now: datetime) -> list[tuple[str, datetime]]:
        return [
            key
            for key, day in self._tables.billing_days.items()
            if day.next_look_at is not None
            and day.next_look_at <= now
            and self._tables.billing_leases.get(key, _FREE) <= now
        ]

    def settle_day(self, day: BillingDay) -> None:
        """The lease ends."""
        self._tables.billing_days[day.provider, day.day] = as_stored(day)
        self._tables.billing_leases.pop((day.provider, day.day), None)

    def price(self, provider: str, billed: Iterable[Billed]) -> int:
        """By the provider's id."""
        charged = {(provider, each.provider_id): each for each in billed}
        known = set()
        for text in list(self._tables.texts.values()):
            bill = charged.get((text.provider or "", text.provider_id or ""))
            if bill is not None:
                known.add(bill.provider_id)
                self._tables.texts[text.id] = replace(text, **_news(bill))
        for reply in list(self._tables.replies.values()):
            bill = charged.get((reply.provider, reply.provider_id))
            if bill is not None:
                known.add(bill.provider_id)
                self._tables.replies[reply.id] = replace(reply, **_news(bill))
        return len(known)

    def unpriced(self, provider: str, start: datetime, end: datetime) -> bool:
        """Any."""
        return any(
            text.provider == provider
            and text.sent_at is not None
            and start <= text.sent_at < end
            and text.price is None
            and text.status is not DeliveryStatus.FAILED
            for text in self._tables.texts.values()
        )

    def tell_once(self, practice: str, month: datetime, what: str) -> bool:
        """Whether it is new."""
        key = (practice, month, what)
        new = key not in self._tables.budget_news
        self._tables.budget_news[key] = None
        return new


def _news(bill: Billed) -> dict[str, Any]:
    news: dict[str, Any] = {} if bill.segments is None else {"segments": bill.segments}
    return news if bill.price is None else news | {"price": bill.price, "currency": bill.currency}


def _money(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)
