"""Who asks the EHR what changed, how far each has asked, and when again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import to_time
from integration.adapters.store.tables.ehr import ehr_polls as _rows
from integration.ports.ehr_store import Poll

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_AT_ONCE = to_time(0)
_FIELDS = ("feed", "location", "changed_since", "covered_until", "next_at", "tries", "reason")
_TIME = _rows.c.next_at.type
_NEXT_AT = sa.bindparam("new_next_at", type_=_TIME)
_UNTIL = sa.bindparam("until", type_=_TIME)
_THIS = sa.and_(
    _rows.c.feed == sa.bindparam("of_feed"),
    _rows.c.location == sa.bindparam("of_location"),
)
_WANTED_MEANWHILE = _rows.c.next_at < _rows.c.leased_until
READY_AT = sa.case((_WANTED_MEANWHILE, _rows.c.leased_until), else_=_rows.c.next_at)

_WANTED = insert(_rows)
_WANT = _WANTED.on_conflict_do_update(
    index_elements=["feed", "location"],
    set_={"next_at": _WANTED.excluded.next_at},
    where=_WANTED.excluded.next_at < _rows.c.next_at,
)
_CLAIM = (
    sa.select(_rows)
    .where(sa.bindparam("now", type_=_TIME) >= READY_AT)
    .order_by(READY_AT, _rows.c.feed, _rows.c.location)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)
_LEASE = _rows.update().where(_THIS).values(next_at=_UNTIL, leased_until=_UNTIL)
_HOLD = (
    _rows.update()
    .where(_THIS)
    .values(next_at=sa.case((_WANTED_MEANWHILE, _rows.c.next_at), else_=_UNTIL), leased_until=_UNTIL)
)
_SETTLE = (
    _rows.update()
    .where(_THIS)
    .values(
        changed_since=sa.bindparam("new_changed_since", type_=_TIME),
        covered_until=sa.bindparam("new_covered_until", type_=_TIME),
        next_at=sa.case(
            (sa.and_(_WANTED_MEANWHILE, _rows.c.next_at < _NEXT_AT), _rows.c.next_at), else_=_NEXT_AT
        ),
        leased_until=sa.literal(_AT_ONCE, _TIME),
        tries=sa.bindparam("new_tries"),
        reason=sa.bindparam("new_reason"),
    )
)
_ALL = sa.select(_rows).order_by(_rows.c.feed, _rows.c.location)
_FORGET = _rows.delete().where(
    _rows.c.feed == sa.bindparam("of_feed"),
    _rows.c.location.in_(sa.bindparam("of_locations", expanding=True)),
)


class SqlPollRows:
    """See `integration.ports.ehr_store.PollRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def want(self, feed: str, location: str, at: datetime) -> None:
        """Insert, or ask earlier."""
        self._work.run(
            _WANT,
            {"feed": feed, "location": location, "next_at": at, "leased_until": _AT_ONCE, "tries": 0},
        )

    def claim(self, now: datetime, lease_until: datetime) -> Poll | None:
        """The one ready the longest."""
        row = self._work.row(_CLAIM, {"now": now})
        if row is None:
            return None
        self._work.run(_LEASE, {"of_feed": row.feed, "of_location": row.location, "until": lease_until})
        return _read(row)

    def hold(self, poll: Poll, lease_until: datetime) -> None:
        """Lease it longer."""
        self._work.run(_HOLD, {"of_feed": poll.feed, "of_location": poll.location, "until": lease_until})

    def settle(self, poll: Poll) -> None:
        """How it went."""
        self._work.run(
            _SETTLE,
            {
                "of_feed": poll.feed,
                "of_location": poll.location,
                "new_changed_since": poll.changed_since,
                "new_covered_until": poll.covered_until,
                "new_next_at": poll.next_at or _AT_ONCE,
                "new_tries": poll.tries,
                "new_reason": poll.reason,
            },
        )

    def all(self) -> Sequence[Poll]:
        """As they stand."""
        return [_read(row) for row in self._work.rows(_ALL)]

    def forget(self, feed: str, locations: Collection[str]) -> None:
        """Delete them."""
        self._work.run(_FORGET, {"of_feed": feed, "of_locations": list(locations)})


def _read(row: sa.Row[Any]) -> Poll:
    plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Poll(**{name: plain[name] for name in _FIELDS})
