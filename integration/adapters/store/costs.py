"""Tallies of texts and replies with their prices, and the days whose bill is still to be read."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import plain_word, to_time
from integration.adapters.store.tables.conversation import questions, replies
from integration.adapters.store.tables.costs import billing_days, budget_news
from integration.adapters.store.tables.texts import texts
from integration.domain.cost import AnswerTally, ReplyTally, TextTally
from integration.domain.delivery_status import DeliveryStatus
from integration.ports.cost_store import BillingDay

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.ports.sms import Billed

FREE = to_time(0)  # nobody is at it
_TIME = texts.c.offered_at.type
_START, _END = sa.bindparam("start", type_=_TIME), sa.bindparam("end", type_=_TIME)
_COUNT = sa.func.count().label("count")


def _tally(*columns: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(*columns, _COUNT).group_by(*columns)


_TEXTS = _tally(
    *(texts.c.occasion, texts.c.status, texts.c.language, texts.c.segments),
    *(texts.c.price, texts.c.currency, texts.c.failure),
).where(
    texts.c.practice == sa.bindparam("of_practice"), texts.c.offered_at >= _START, texts.c.offered_at < _END
)
_REPLIES = (
    _tally(
        *(replies.c.intent, replies.c.segments, replies.c.price, replies.c.currency),
        *(texts.c.occasion, texts.c.status, texts.c.language),
    )
    .select_from(replies.outerjoin(texts, replies.c.text_id == texts.c.id))
    .where(
        replies.c.practice == sa.bindparam("of_practice"),
        replies.c.heard_at >= _START,
        replies.c.heard_at < _END,
    )
)
_ANSWERS = (
    _tally(texts.c.occasion, texts.c.status, texts.c.language)
    .select_from(questions.join(texts, questions.c.text_id == texts.c.id))
    .where(
        texts.c.practice == sa.bindparam("of_practice"),
        questions.c.answered_at >= _START,
        questions.c.answered_at < _END,
    )
)
_EXPECT = insert(billing_days).on_conflict_do_nothing()
_DUE = (
    sa.select(billing_days)
    .where(
        billing_days.c.next_look_at <= sa.bindparam("now", type_=_TIME),
        billing_days.c.leased_until <= sa.bindparam("now", type_=_TIME),
    )
    .order_by(billing_days.c.day)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_THIS_DAY = sa.and_(
    billing_days.c.provider == sa.bindparam("of_provider"),
    billing_days.c.day == sa.bindparam("of_day", type_=_TIME),
)
_LEASE = billing_days.update().where(_THIS_DAY).values(leased_until=sa.bindparam("until", type_=_TIME))
_SETTLE = (
    billing_days.update()
    .where(_THIS_DAY)
    .values(looks=sa.bindparam("seen"), next_look_at=sa.bindparam("next", type_=_TIME), leased_until=FREE)
)
_UNPRICED = sa.select(
    sa.exists().where(
        texts.c.provider == sa.bindparam("of_provider"),
        texts.c.sent_at >= _START,
        texts.c.sent_at < _END,
        texts.c.price.is_(None),
        texts.c.status != plain_word(DeliveryStatus.FAILED),
    )
)
_TELL = insert(budget_news).on_conflict_do_nothing().returning(budget_news.c.what)


def _bill(table: sa.Table) -> sa.Update:
    """What was charged takes the place of what is there; what is not known yet takes no place."""
    return (
        table.update()
        .where(table.c.provider == sa.bindparam("of_provider"), table.c.provider_id == sa.bindparam("of_id"))
        .values(
            segments=sa.func.coalesce(sa.bindparam("counted", type_=sa.Integer), table.c.segments),
            price=sa.func.coalesce(sa.bindparam("charged", type_=sa.Text), table.c.price),
            currency=sa.func.coalesce(sa.bindparam("money", type_=sa.Text), table.c.currency),
        )
    )


_BILL = (_bill(texts), _bill(replies))


class SqlCostRows:
    """See `integration.ports.cost_store.CostRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def texts(self, practice: str, start: datetime, end: datetime) -> Sequence[TextTally]:
        """Counted by the database: nothing is unsealed."""
        return [
            TextTally(
                *(row.occasion, row.status, row.language, row.count, row.segments),
                *(_money(row.price), row.currency, row.failure),
            )
            for row in self._rows(_TEXTS, practice, start, end)
        ]

    def replies(self, practice: str, start: datetime, end: datetime) -> Sequence[ReplyTally]:
        """As `texts`."""
        return [
            ReplyTally(
                *(row.intent or "", row.count, row.segments, _money(row.price), row.currency),
                *(row.occasion or "", row.status, row.language or ""),
            )
            for row in self._rows(_REPLIES, practice, start, end)
        ]

    def answers(self, practice: str, start: datetime, end: datetime) -> Sequence[AnswerTally]:
        """As `texts`."""
        rows = self._rows(_ANSWERS, practice, start, end)
        return [AnswerTally(row.occasion, row.status, row.language, row.count) for row in rows]

    def _rows(self, query: sa.Select[Any], practice: str, start: datetime, end: datetime) -> Sequence[Any]:
        return self._work.rows(query, {"of_practice": practice, "start": start, "end": end})

    def expect(self, days: Iterable[BillingDay]) -> None:
        """Unless they are there."""
        for day in days:
            self._work.run(
                _EXPECT,
                {
                    "provider": day.provider,
                    "day": day.day,
                    "looks": day.looks,
                    "next_look_at": day.next_look_at,
                    "leased_until": FREE,
                },
            )

    def claim_day(self, now: datetime, lease_until: datetime) -> BillingDay | None:
        """Leased."""
        row = self._work.row(_DUE, {"now": now})
        if row is None:
            return None
        self._work.run(_LEASE, {"of_provider": row.provider, "of_day": row.day, "until": lease_until})
        return BillingDay(row.provider, row.day, row.looks, row.next_look_at)

    def settle_day(self, day: BillingDay) -> None:
        """The lease ends."""
        self._work.run(
            _SETTLE,
            {
                "of_provider": day.provider,
                "of_day": day.day,
                "seen": day.looks,
                "next": day.next_look_at,
            },
        )

    def price(self, provider: str, billed: Iterable[Billed]) -> int:
        """One by one, by the provider's id."""
        known = 0
        for each in billed:
            values = {
                "of_provider": provider,
                "of_id": each.provider_id,
                "counted": each.segments,
                "charged": each.price,
                "money": each.currency if each.price is not None else None,
            }
            known += sum(self._work.run(update, values).rowcount for update in _BILL)
        return known

    def unpriced(self, provider: str, start: datetime, end: datetime) -> bool:
        """Any."""
        asked = {"of_provider": provider, "start": start, "end": end}
        row = self._work.row(_UNPRICED, asked)
        return row is not None and bool(row[0])

    def tell_once(self, practice: str, month: datetime, what: str) -> bool:
        """Whether its row is new."""
        told = {"practice": practice, "month": month, "what": what}
        return self._work.row(_TELL, told) is not None


def _money(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)
