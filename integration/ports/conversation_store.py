"""What the pipeline asks of a store about our numbered questions: which of several visits a text means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.conversation import Choice


class ChoiceRows(Protocol):
    """Numbered questions, every one kept."""

    def offer(self, choice: Choice) -> int:
        """Write down that it is asked; its id."""

    def newest(self, number: str, sender: str, now: datetime) -> Choice | None:
        """The one asked last, if it may be answered still (`now`: calendar)."""
