"""The fake store's lines of telephone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from integration.domain.line_type import Line
    from integration.testing.store_tables import Tables


class FakeLineRows:
    """See `integration.ports.line_store.LineRows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.number_lines

    def get(self, number: str) -> Line | None:
        """By number."""
        return self._rows.get(number)

    def keep(self, line: Line) -> None:
        """By number."""
        self._rows[line.number] = as_stored(line)
