"""What is to be read at the EHR, as somebody said it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import plain_word, to_time
from integration.adapters.store.tables.ehr import PENDING_WANT, ehr_wants
from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import Want

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.ports.ehr_store import WantState

AT_ONCE = to_time(0)
_COLUMN = "ehr_wants.sealed_reference"
_TIME = ehr_wants.c.ready_at.type
_AT_ONCE = sa.literal(AT_ONCE, _TIME)
# Whoever reads it now goes on; told again, it is read once more when the lease has ended.
_LEASED = sa.and_(PENDING_WANT, ehr_wants.c.ready_at != sa.func.coalesce(ehr_wants.c.next_try_at, _AT_ONCE))


def _unless_leased(otherwise: Any, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.case((_LEASED, column), else_=otherwise)


_TOLD = insert(ehr_wants)
_TELL = _TOLD.on_conflict_do_update(
    index_elements=["feed", "reference_hash"],
    set_={
        "told_at": _TOLD.excluded.told_at,
        "state": "pending",
        "revision": ehr_wants.c.revision + 1,
        "tries": _unless_leased(0, ehr_wants.c.tries),
        "next_try_at": _unless_leased(None, ehr_wants.c.next_try_at),
        "reason": _unless_leased(None, ehr_wants.c.reason),
        "deleted": _TOLD.excluded.deleted,
        "inbox_id": _TOLD.excluded.inbox_id,
        "ready_at": _unless_leased(_AT_ONCE, ehr_wants.c.ready_at),
    },
)
_CLAIM = (
    sa.select(ehr_wants)
    .where(PENDING_WANT, ehr_wants.c.ready_at <= sa.bindparam("now", type_=_TIME))
    .order_by(ehr_wants.c.ready_at, ehr_wants.c.id)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)
_LEASE = (
    ehr_wants.update()
    .where(ehr_wants.c.id == sa.bindparam("wanted"))
    .values(ready_at=sa.bindparam("until", type_=_TIME))
)
_SETTLE = (
    ehr_wants.update()
    .where(ehr_wants.c.id == sa.bindparam("wanted"))
    .values(
        state=sa.case(
            (
                ehr_wants.c.revision == sa.bindparam("known_revision"),
                sa.bindparam("new_state", type_=sa.Text),
            ),
            else_=plain_word("pending"),
        ),
        tries=sa.bindparam("new_tries"),
        next_try_at=sa.bindparam("new_next_try_at", type_=_TIME),
        ready_at=sa.bindparam("new_ready_at", type_=_TIME),
        reason=sa.bindparam("new_reason"),
    )
)
_COUNT = (
    sa.select(sa.func.count()).select_from(ehr_wants).where(ehr_wants.c.state == sa.bindparam("of_state"))
)
_REOPEN = (
    ehr_wants.update()
    .where(ehr_wants.c.state == plain_word("refused"))
    .values(state="pending", tries=0, next_try_at=None, reason=None, ready_at=_AT_ONCE)
)


class SqlWantRows:
    """See `integration.ports.ehr_store.WantRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def tell(
        self,
        feed: str,
        references: Sequence[Reference],
        at: datetime,
        *,
        deleted: bool = False,
        inbox_id: int | None = None,
    ) -> None:
        """Insert, or make pending again."""
        rows = [
            {
                "feed": feed,
                "reference_hash": self._hash(each),
                "sealed_reference": self._work.seal_json(_COLUMN, [each.type, each.id, each.identifier]),
                "told_at": at,
                "state": "pending",
                "revision": 1,
                "tries": 0,
                "deleted": deleted,
                "inbox_id": inbox_id,
                "ready_at": AT_ONCE,
            }
            for each in dict.fromkeys(references)
        ]
        if rows:
            # By their hashes: of two units that tell of the same, one waits for the other, never in a circle.
            self._work.run(_TELL, sorted(rows, key=lambda row: row["reference_hash"]))

    def claim(self, now: datetime, lease_until: datetime) -> Want | None:
        """The one ready the longest."""
        row = self._work.row(_CLAIM, {"now": now})
        if row is None:
            return None
        self._work.run(_LEASE, {"wanted": row.id, "until": lease_until})
        return self._read(row)

    def settle(self, want: Want) -> None:
        """How it went."""
        self._work.run(
            _SETTLE,
            {
                "wanted": want.id,
                "known_revision": want.revision,
                "new_state": want.state,
                "new_tries": want.tries,
                "new_next_try_at": want.next_try_at,
                "new_ready_at": want.next_try_at or AT_ONCE,
                "new_reason": want.reason,
            },
        )

    def waits(self, feeds: Collection[str], references: Collection[Reference]) -> bool:
        """One query, by the key of the table."""
        if not feeds or not references:
            return False
        among = sa.select(ehr_wants.c.id).where(
            ehr_wants.c.state != plain_word("read"),
            ehr_wants.c.feed.in_(sorted(feeds)),
            ehr_wants.c.reference_hash.in_([self._hash(each) for each in references]),
        )
        return self._work.row(among.limit(1)) is not None

    def count(self, state: WantState) -> int:
        """How many."""
        return int(self._work.run(_COUNT, {"of_state": state}).scalar_one())

    def reopen(self, feed: str | None = None) -> int:
        """Once more."""
        of_feed = _REOPEN if feed is None else _REOPEN.where(ehr_wants.c.feed == feed)
        return self._work.run(of_feed).rowcount

    def _hash(self, reference: Reference) -> bytes:
        # Neither a type nor an id (FHIR `id`: letters, digits, - and .) has a space.
        return self._work.keys.hash("want", f"{reference.type} {reference.id} {reference.identifier}")

    def _read(self, row: sa.Row[Any]) -> Want:
        kind, ehr_id, identifier = self._work.read_json(_COLUMN, row.sealed_reference)
        return Want(
            id=row.id,
            feed=row.feed,
            reference=Reference(kind, ehr_id, identifier),
            told_at=row.told_at,
            state=row.state,
            revision=row.revision,
            tries=row.tries,
            next_try_at=row.next_try_at,
            reason=row.reason,
            deleted=row.deleted,
            inbox_id=row.inbox_id,
        )
