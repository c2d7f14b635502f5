"""Our Subscriptions on the EHR: one row each, whose lease says who looks after it now."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import to_time
from integration.adapters.store.tables.ehr import ehr_subscriptions as _rows
from integration.ports.ehr_store import EhrSubscription

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

AT_ONCE = to_time(0)
_TIME = _rows.c.ready_at.type
_KEY = ("feed", "resource_type", "topic")
_PLAIN = tuple(each.name for each in fields(EhrSubscription) if each.name not in {*_KEY, "ahead"})

_THIS_ONE = sa.and_(
    _rows.c.feed == sa.bindparam("of_feed"),
    _rows.c.resource_type == sa.bindparam("of_type"),
    _rows.c.topic == sa.bindparam("of_topic"),
)
_READY = _rows.c.ready_at <= sa.bindparam("now", type_=_TIME)
_ORDER = (_rows.c.feed, _rows.c.resource_type, _rows.c.topic)
_FIND = sa.select(_rows).where(_THIS_ONE).with_for_update()
_BY_EHR_ID = (
    sa.select(_rows)
    .where(_rows.c.feed == sa.bindparam("of_feed"), _rows.c.ehr_id == sa.bindparam("of_ehr_id"))
    .order_by(*_ORDER)
    .with_for_update()
)
_NEW = insert(_rows)
_ADD = _NEW.on_conflict_do_nothing(index_elements=list(_KEY))
# A look that stays when it was leaves the lease of whoever is at it.
_SAVE = _NEW.on_conflict_do_update(
    index_elements=list(_KEY),
    set_={
        **{name: _NEW.excluded[name] for name in (*_PLAIN, "ahead")},
        "ready_at": sa.case(
            (_rows.c.next_look_at == _NEW.excluded.next_look_at, _rows.c.ready_at),
            else_=_NEW.excluded.ready_at,
        ),
    },
)
_FORGET = _rows.delete().where(_THIS_ONE)
_CLAIM = sa.select(_rows).where(_THIS_ONE).with_for_update(skip_locked=True)
_CLAIM_DUE = (
    sa.select(_rows).where(_READY).order_by(_rows.c.ready_at, *_ORDER).with_for_update(skip_locked=True)
)
_LEASE = _rows.update().where(_THIS_ONE).values(ready_at=sa.bindparam("until", type_=_TIME))
_ALL = sa.select(_rows).order_by(*_ORDER)


class SqlEhrSubscriptionRows:
    """See `integration.ports.ehr_store.EhrSubscriptionRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def find(self, feed: str, resource_type: str, topic: str = "") -> EhrSubscription | None:
        """By its key."""
        return _read(self._work.row(_FIND, _key(feed, resource_type, topic)))

    def by_ehr_id(self, feed: str, ehr_id: str) -> EhrSubscription | None:
        """By the EHR's id."""
        return _read(self._work.row(_BY_EHR_ID, {"of_feed": feed, "of_ehr_id": ehr_id}))

    def save(self, subscription: EhrSubscription) -> None:
        """Insert, or write over."""
        self._work.run(_SAVE, _written(subscription))

    def forget(self, feed: str, resource_type: str, topic: str = "") -> None:
        """It is no longer ours."""
        self._work.run(_FORGET, _key(feed, resource_type, topic))

    def claim(
        self, subscription: EhrSubscription, now: datetime, lease_until: datetime
    ) -> EhrSubscription | None:
        """Whether its look is due does not matter, only whether another is at it."""
        key = _key(subscription.feed, subscription.resource_type, subscription.topic)
        self._work.run(_ADD, _written(subscription))
        row = self._work.row(_CLAIM, key)
        if row is None or _is_leased(row, now):
            return None
        self._work.run(_LEASE, {**key, "until": lease_until})
        return _read(row)

    def claim_due(self, now: datetime, lease_until: datetime) -> EhrSubscription | None:
        """The one that has been due the longest."""
        row = self._work.row(_CLAIM_DUE, {"now": now})
        if row is not None:
            key = _key(row.feed, row.resource_type, row.topic)
            self._work.run(_LEASE, {**key, "until": lease_until})
        return _read(row)

    def all(self) -> list[EhrSubscription]:
        """By feed and type."""
        return [found for row in self._work.rows(_ALL) if (found := _read(row)) is not None]


def _key(feed: str, resource_type: str, topic: str) -> dict[str, str]:
    return {"of_feed": feed, "of_type": resource_type, "of_topic": topic}


def _is_leased(row: sa.Row[Any], now: datetime) -> bool:
    rests_until = row.next_look_at or AT_ONCE
    return bool(row.ready_at > now and row.ready_at != rests_until)


def _written(subscription: EhrSubscription) -> dict[str, Any]:
    plain = {name: getattr(subscription, name) for name in (*_KEY, *_PLAIN)}
    return {
        **plain,
        "ahead": " ".join(map(str, subscription.ahead)),
        "ready_at": subscription.next_look_at or AT_ONCE,
    }


def _read(row: sa.Row[Any] | None) -> EhrSubscription | None:
    if row is None:
        return None
    plain = {name: getattr(row, name) for name in (*_KEY, *_PLAIN)}
    return EhrSubscription(**plain, ahead=tuple(map(int, row.ahead.split())))
