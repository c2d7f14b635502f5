"""The pace of our senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.texts import sender_paces as _rows
from integration.domain.sender_pace import SenderPace

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

_THIS = _rows.c.sender == sa.bindparam("of_sender")
_BEGIN = insert(_rows).on_conflict_do_nothing()
_TAKE = sa.select(_rows).where(_THIS).with_for_update(key_share=True)
_KEEP = _rows.update().where(_THIS)


class SqlPaceRows:
    """See `integration.ports.pace_store.PaceRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def take(self, sender: str, now: datetime) -> SenderPace:
        """There is a row from the first time on."""
        row = self._work.row(_TAKE, {"of_sender": sender})
        if row is None:
            self._work.run(_BEGIN, {"sender": sender, "free_at": now, "tail_at": now})
            row = self._work.row(_TAKE, {"of_sender": sender})
        assert row is not None  # noqa: S101 - it was written a line above, by us or by another
        return SenderPace(row.sender, row.free_at, row.tail_at)

    def keep(self, pace: SenderPace) -> None:
        """Under its lock."""
        wanted = {"of_sender": pace.sender, "free_at": pace.free_at, "tail_at": pace.tail_at}
        self._work.run(_KEEP, wanted)
