"""The breakers: what has stopped until a person lets it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from integration.adapters.store.tables.upkeep import breakers

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

_OPEN = sa.select(breakers.c.name, breakers.c.reason).where(breakers.c.released_at.is_(None))
_RELEASED = sa.select(breakers.c.name, breakers.c.released_at).where(breakers.c.released_at.is_not(None))


class SqlBreakerRows:
    """See `integration.ports.breaker_store.BreakerRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def open(self) -> dict[str, str]:
        """They are never held back, so nothing need be written first."""
        return {row.name: row.reason for row in self._work.early_rows(_OPEN)}

    def released(self) -> dict[str, datetime]:
        """As `open`."""
        return {row.name: row.released_at for row in self._work.early_rows(_RELEASED)}
