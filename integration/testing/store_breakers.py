"""The fake store's breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from integration.testing.store_tables import Tables


class FakeBreakerRows:
    """See `integration.ports.breaker_store.BreakerRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def open(self) -> dict[str, str]:
        """As they stand."""
        return dict(self._tables.breakers)

    def released(self) -> dict[str, datetime]:
        """As they stand."""
        return dict(self._tables.released)
