"""What senders are yet to hear: the oldest of each feed first, and nothing of the feed beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.tables.answers import WAITING, application_acknowledgments
from integration.adapters.store.tables.columns import to_time
from integration.domain.application_acknowledgment import AcknowledgmentState, ApplicationAcknowledgment

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from integration.adapters.store.work import Work

AT_ONCE = to_time(0)
_rows = application_acknowledgments
_TIME = _rows.c.ready_at.type
_SEALED = "application_acknowledgments.sealed_message"


def _heads() -> sa.Subquery:
    """The oldest waiting row of each feed; hops through the index, no queue is too long."""
    first = sa.select(sa.func.min(_rows.c.feed).label("feed")).where(WAITING).cte("feeds", recursive=True)
    next_one = sa.select(sa.func.min(_rows.c.feed)).where(WAITING, _rows.c.feed > first.c.feed)
    feeds = first.union_all(sa.select(next_one.scalar_subquery()).where(first.c.feed.is_not(None)))
    oldest = sa.select(sa.func.min(_rows.c.inbox_id)).where(WAITING, _rows.c.feed == feeds.c.feed)
    return sa.select(oldest.scalar_subquery().label("inbox_id")).where(feeds.c.feed.is_not(None)).subquery()


_head = _heads()
HEADS = sa.select(_rows.c.inbox_id, _rows.c.feed, _rows.c.ready_at).join(
    _head, _rows.c.inbox_id == _head.c.inbox_id
)
_READY = _rows.c.ready_at <= sa.bindparam("now", type_=_TIME)
_READY_HEADS = HEADS.where(_READY).order_by(_rows.c.ready_at, _rows.c.inbox_id)
# Asked again under the lock: another unit may have leased or settled it meanwhile.
_CLAIM = (
    sa.select(_rows)
    .where(_rows.c.inbox_id == sa.bindparam("wanted"), WAITING, _READY)
    .with_for_update(key_share=True, skip_locked=True)
)
_LEASE = (
    _rows.update()
    .where(_rows.c.inbox_id == sa.bindparam("wanted"))
    .values(ready_at=sa.bindparam("until", type_=_TIME))
)
_FIND = sa.select(_rows).where(_rows.c.inbox_id == sa.bindparam("wanted"))
_SETTLE = (
    _rows.update()
    .where(_rows.c.inbox_id == sa.bindparam("wanted"), WAITING)
    .values(
        state=sa.bindparam("new_state", type_=_rows.c.state.type),
        tries=sa.bindparam("new_tries"),
        next_try_at=sa.bindparam("new_next_try_at", type_=_TIME),
        ready_at=sa.bindparam("new_ready_at", type_=_TIME),
        reason=sa.bindparam("new_reason"),
    )
)
_COUNT = sa.select(sa.func.count()).select_from(_rows).where(_rows.c.state == sa.bindparam("of_state"))


class SqlAcknowledgmentRows:
    """See `integration.ports.store.AcknowledgmentRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._held: list[dict[str, Any]] = []
        work.add_writer(self._write_held)

    def owe(self, row: ApplicationAcknowledgment) -> None:
        """Written when the unit ends, unless the message has one."""
        self._work.hold()
        self._held.append(
            {
                "inbox_id": row.inbox_id,
                "feed": row.feed,
                "control_id": row.control_id,
                "sealed_message": self._work.keys.seal(_SEALED, row.message),
                "created_at": row.created_at,
                "state": row.state,
                "tries": row.tries,
                "next_try_at": row.next_try_at,
                "reason": row.reason,
                "ready_at": row.next_try_at or AT_ONCE,
            }
        )

    def claim(
        self, now: datetime, lease_until: datetime, *, but: Collection[str] = ()
    ) -> ApplicationAcknowledgment | None:
        """Of the feed whose head has been ready the longest."""
        for head in self._work.rows(_READY_HEADS, {"now": now}):
            if head.feed in but:
                continue
            row = self._work.row(_CLAIM, {"wanted": head.inbox_id, "now": now})
            if row is not None:
                self._work.run(_LEASE, {"wanted": row.inbox_id, "until": lease_until})
                return self._read(row)
        return None

    def find(self, inbox_id: int) -> ApplicationAcknowledgment | None:
        """By the message it speaks of."""
        row = self._work.row(_FIND, {"wanted": inbox_id})
        return None if row is None else self._read(row)

    def settle(self, row: ApplicationAcknowledgment) -> None:
        """How it went, unless another worker has settled it."""
        self._work.run(
            _SETTLE,
            {
                "wanted": row.inbox_id,
                "new_state": row.state,
                "new_tries": row.tries,
                "new_next_try_at": row.next_try_at,
                "new_ready_at": row.next_try_at or AT_ONCE,
                "new_reason": row.reason,
            },
        )

    def count(self, state: AcknowledgmentState) -> int:
        """How many."""
        return int(self._work.run(_COUNT, {"of_state": state}).scalar_one())

    def _write_held(self) -> None:
        self._work.insert(_rows, self._held, unless_there=True)

    def _read(self, row: sa.Row[Any]) -> ApplicationAcknowledgment:
        return ApplicationAcknowledgment(
            inbox_id=row.inbox_id,
            feed=row.feed,
            control_id=row.control_id,
            message=self._work.keys.unseal(_SEALED, row.sealed_message),
            created_at=row.created_at,
            state=row.state,
            tries=row.tries,
            next_try_at=row.next_try_at,
            reason=row.reason,
        )
