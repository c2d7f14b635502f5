"""The fake store's memory of what dead messages are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.testing.store_tables import Tables


class FakeHoldRows:
    """See `integration.ports.store.HoldRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """They are at hand."""

    def of(self, scope: str, identifiers: Collection[str]) -> Sequence[int]:
        """Oldest first."""
        wanted = {(scope, identifier) for identifier in identifiers}
        return sorted({message_id for known, key, message_id in self._tables.holds if (known, key) in wanted})

    def add(self, message_id: int, scope: str, identifiers: Collection[str]) -> None:
        """Once each."""
        self._tables.holds |= dict.fromkeys((scope, identifier, message_id) for identifier in identifiers)

    def let_go(self, message_id: int) -> None:
        """All of one message."""
        for key in [each for each in self._tables.holds if each[2] == message_id]:
            del self._tables.holds[key]

    def held_by(self, message_id: int) -> Sequence[int]:
        """By the records."""
        return [each.id for each in self._tables.appointments.values() if each.held_by == message_id]
