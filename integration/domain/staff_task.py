"""Something a person must do, because software should not guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from integration.domain.office_hours import OfficeHours


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
    SENDER = "sender"  # carriers or the provider refuse what we send: wording, sender, registration
    WRITE_BACK = "write_back"  # the EHR refused what we wrote
    SILENT_FEED = "silent_feed"  # nothing comes from a feed that should speak; closes itself when it does
    BUDGET = "budget"  # a month's texts cost what they were meant to cost, or nearly
    UNREAD_EHR = "unread_ehr"  # the EHR does not show us what a feed needs


class TaskOutcome(StrEnum):
    """What came of a task."""

    REACHED = "reached"  # the patient was spoken with
    LEFT_MESSAGE = "left_message"
    REBOOKED = "rebooked"  # the visit has another time
    CANCELLED = "cancelled"  # the visit was cancelled as wished
    NO_ANSWER = "no_answer"
    ANSWERED = "answered"  # the patient's next text settled it
    OTHER = "other"


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
class Done:
    """How a task was done."""

    outcome: TaskOutcome
    by: str | None = None  # whoever says so
    note: str | None = None  # in their words


MARGIN = timedelta(hours=2)  # before the visit: time enough to give the slot to somebody else


@dataclass(frozen=True, slots=True)
class TaskRules:
    """Who does a practice's tasks, and by when."""

    owners: Mapping[str, str] = field(default_factory=dict)  # by kind; `default` for the rest
    margin: timedelta = MARGIN

    def owner(self, kind: TaskKind) -> str | None:
        """The queue of such tasks; None when the practice names none."""
        return self.owners.get(kind, self.owners.get("default"))

    def due(self, visit: datetime, now: datetime, office: OfficeHours | None, zone: ZoneInfo) -> datetime:
        """By when: the margin before the visit, while the office is open, and never before now."""
        wanted = visit - self.margin
        if office is not None:
            wanted = office.last_open(wanted, zone)
        return max(wanted, now)


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
    owner: str | None = None  # the queue, or person, of the practice that does it
    outcome: TaskOutcome | None = None  # what came of it, once it is done
    done_by: str | None = None  # whoever says so
    note: str | None = None  # in their words

    @property
    def is_for_a_chart(self) -> bool:
        """Whether the chart of its patient should know of it."""
        return self.patient_id is not None and self.kind in OF_THE_PATIENT
