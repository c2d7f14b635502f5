"""What the pipeline asks of a store about the pace of our senders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.sender_pace import SenderPace


class PaceRows(Protocol):
    """One row a sender, shared by all processes."""

    def take(self, sender: str, now: datetime) -> SenderPace:
        """Where it stands, locked until the unit ends; as of now when it never sent."""

    def keep(self, pace: SenderPace) -> None:
        """Where it stands now; it was taken before."""
