"""Something a person must do, because software should not guess."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime


class TaskKind(StrEnum):
    """What the person is asked to do."""

    READ_REPLY = "read_reply"  # a reply nobody could act on
    URGENT_REPLY = "urgent_reply"  # a reply that speaks of an emergency
    CANCEL_WISH = "cancel_wish"
    RESCHEDULE_WISH = "reschedule_wish"
    OPTED_OUT = "opted_out"  # the number stopped texts; a visit of its patients is coming
    WRONG_NUMBER = "wrong_number"
    CALL_PATIENT = "call_patient"  # a text that mattered did not, or will not, arrive
    UNRESOLVED_TEXT = "unresolved_text"  # nobody can tell whether a text went out
    LINK_PATIENT = "link_patient"  # the EHR's chart could not be found with certainty
    RELEASE = "release"  # a breaker stopped texts; a person may release them
    WRITE_BACK = "write_back"  # the EHR refused what we wrote
    SILENT_FEED = "silent_feed"  # nothing comes from a feed that should speak; closes itself when it does
    UNREAD_EHR = "unread_ehr"  # the EHR does not show us what a feed needs


# What is a patient's own matter, and so belongs into the chart. The rest is about texting, writing back or a
# feed: it stays on our list, where a chart that will not take it cannot cause it anew.
OF_THE_PATIENT: Final = frozenset(
    {
        TaskKind.READ_REPLY,
        TaskKind.URGENT_REPLY,
        TaskKind.CANCEL_WISH,
        TaskKind.RESCHEDULE_WISH,
        TaskKind.OPTED_OUT,
        TaskKind.WRONG_NUMBER,
        TaskKind.CALL_PATIENT,
    }
)


@dataclass(frozen=True, slots=True)
class StaffTask:
    """One open point on a practice's list; unique by kind and what it is about."""

    id: int  # 0 until stored
    kind: TaskKind
    practice: str | None
    reason: str  # a sentence without personal data
    created_at: datetime  # calendar
    due_at: datetime | None = None  # calendar; before the visit
    patient_id: int | None = None
    appointment_id: int | None = None
    reply_id: int | None = None
    text_id: int | None = None
    done_at: datetime | None = None
    feed: str | None = None

    @property
    def is_for_a_chart(self) -> bool:
        """Whether the chart of its patient should know of it."""
        return self.patient_id is not None and self.kind in OF_THE_PATIENT
