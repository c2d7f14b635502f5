"""What was read of each of the EHR's resources last: the same is kept once, a state that returns anew."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import to_time
from integration.adapters.store.tables.ehr import ehr_snapshots as _rows

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.ports.ehr_reading import Reference, Snapshot

_NONE_YET: Final = b""
_KEY = sa.and_(
    _rows.c.feed == sa.bindparam("of_feed"),
    _rows.c.reference_hash == sa.bindparam("of_reference"),
)
_ADD = insert(_rows).on_conflict_do_nothing()
_LOCK = sa.select(_rows.c.digest, _rows.c.chain, _rows.c.asked_at).where(_KEY).with_for_update()
_UPDATE = (
    _rows.update()
    .where(_KEY)
    .values(
        digest=sa.bindparam("new_digest"),
        chain=sa.bindparam("new_chain"),
        asked_at=sa.bindparam("new_asked_at", type_=_rows.c.asked_at.type),
    )
)
_KNOWS = sa.select(_rows.c.feed).where(_KEY, _rows.c.digest != sa.literal(_NONE_YET, sa.LargeBinary))


class SqlSnapshotRows:
    """See `integration.ports.ehr_store.SnapshotRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def renew(self, snapshot: Snapshot, feed: str, asked_at: datetime) -> bytes | None:
        """Its row is locked until the unit ends."""
        key = self._key(feed, snapshot.reference)
        digest = hashlib.sha256(snapshot.payload).digest()
        row = self._work.row(_LOCK, key)
        if row is None:
            named = {"feed": feed, "reference_hash": key["of_reference"]}
            self._work.run(_ADD, {**named, "digest": _NONE_YET, "chain": _NONE_YET, "asked_at": to_time(0)})
            row = self._work.run(_LOCK, key).one()
        if row.asked_at > asked_at:
            return None
        news = row.digest != digest
        chain = hashlib.sha256(row.chain + digest).digest() if news else row.chain
        self._work.run(_UPDATE, {**key, "new_digest": digest, "new_chain": chain, "new_asked_at": asked_at})
        return chain if news else None

    def knows(self, feed: str, reference: Reference) -> bool:
        """By its row."""
        return self._work.row(_KNOWS, self._key(feed, reference)) is not None

    def _key(self, feed: str, reference: Reference) -> dict[str, object]:
        named = f"{reference.type}\0{reference.id}\0{reference.identifier}"
        return {"of_feed": feed, "of_reference": self._work.keys.hash("reference", named)}
