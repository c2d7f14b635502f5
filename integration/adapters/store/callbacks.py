"""Status callbacks, every one kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from integration.adapters.store.tables.texts import UNREAD, callbacks
from integration.ports.store import Callback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.adapters.store.work import Work

_ADD = callbacks.insert()
_CLAIM = (
    sa.select(callbacks)
    .where(UNREAD)
    .order_by(callbacks.c.id)
    .limit(sa.bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
_DONE = callbacks.update().where(callbacks.c.id == sa.bindparam("callback_id")).values(done=True)


class SqlCallbackRows:
    """See `integration.ports.store.CallbackRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, callback: Callback) -> None:
        """As it came."""
        self._work.run(
            _ADD,
            {
                "provider": callback.provider,
                "token": callback.token,
                "sealed_form": self._work.keys.seal("callbacks.sealed_form", callback.form),
                "received_at": callback.received_at,
            },
        )

    def claim(self, limit: int) -> Sequence[Callback]:
        """Oldest first."""
        return [
            Callback(
                id=row.id,
                provider=row.provider,
                token=row.token,
                form=self._work.keys.read("callbacks.sealed_form", row.sealed_form),
                received_at=row.received_at,
            )
            for row in self._work.rows(_CLAIM, {"at_most": limit})
        ]

    def done(self, callback_id: int) -> None:
        """Kept, but not read again."""
        self._work.run(_DONE, {"callback_id": callback_id})
