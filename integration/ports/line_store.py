"""What the pipeline asks of a store about the lines of telephone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from integration.domain.line_type import Line


class LineRows(Protocol):
    """One row a number that was ever asked about."""

    def get(self, number: str) -> Line | None:
        """What is known of it; None when nobody has asked."""

    def keep(self, line: Line) -> None:
        """In place of what was known; under its number's lock."""
