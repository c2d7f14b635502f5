"""What a sender is yet to hear of its message: the application acknowledgment of HL7 v2's enhanced mode.

    waiting ─► taken | gave_up

The first outcome of a message is told, and told once (docs/decisions/0022). A message is written when its
row is, so that every try sends the same bytes under the same control id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class AcknowledgmentState(StrEnum):
    """How far we got."""

    WAITING = "waiting"
    TAKEN = "taken"  # the sender has it, as far as its feed lets us know
    GAVE_UP = "gave_up"  # refused, or not to be delivered in time; `reason` says why


@dataclass(frozen=True, slots=True)
class ApplicationAcknowledgment:
    """Unique by the message it speaks of."""

    inbox_id: int  # the message; those of a feed are told in this order
    feed: str
    control_id: str  # ours: its MSH-10
    message: bytes  # unframed
    created_at: datetime  # wall
    state: AcknowledgmentState = AcknowledgmentState.WAITING
    tries: int = 0
    next_try_at: datetime | None = None  # wall; None: at once
    reason: str | None = None  # for an engineer; no person's data
