"""One reminder that should exist: who is to hear what, when, and what became of it.

    planned ─► held(reason) ─► sent | skipped(reason) | withdrawn(reason)

A reminder is a wish; a text message is a deed. Several reminders may share one text.
Every reminder that did not become a text carries a reason a nurse can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class ReminderState(StrEnum):
    """Where a reminder stands."""

    PLANNED = "planned"  # waits for its due time
    HELD = "held"  # could go but for its reason; looked at again at its due time
    SENT = "sent"  # part of a text that was offered to the provider
    SKIPPED = "skipped"  # will not go: its own time or rules forbid it
    WITHDRAWN = "withdrawn"  # will not go: the appointment changed


OPEN = frozenset({ReminderState.PLANNED, ReminderState.HELD})


@dataclass(frozen=True, slots=True)
class Reminder:
    """Unique by (appointment, patient, number, step, slot number)."""

    id: int  # 0 until stored
    appointment_id: int
    patient_id: int
    number: str  # E.164
    practice: str
    step: str  # a step of the plan: booked, five_days, two_days, three_hours, moved, cancelled
    slot_number: int
    due_at: datetime
    not_after: datetime  # latest useful time
    state: ReminderState = ReminderState.PLANNED
    reason: str | None = None
    text_id: int | None = None
    inbox_id: int | None = None  # the message that caused it
    decided_at: datetime | None = None
    after_text_id: int | None = None  # the text for it that failed: this is its second try, and its last

    @property
    def key(self) -> tuple[int, int, str, str, int]:
        """What makes it one and the same reminder."""
        return (self.appointment_id, self.patient_id, self.number, self.step, self.slot_number)
