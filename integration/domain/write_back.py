"""What the chart should be told, and how far we got.

    pending ─► written | refused | gave_up

A row names a fact (a text for one patient, a reply, a confirmation), not a
message: when the fact changes, its revision grows and the row is pending
again. So news coalesces, and what is written is always the newest truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class WriteBackKind(StrEnum):
    """Which fact."""

    TEXT = "text"  # one text, for one patient's chart: a Communication
    REPLY = "reply"  # one reply: a Communication in response
    CONFIRMATION = "confirmation"  # the patient's answer about a visit: an AppointmentResponse
    CONSENT = "consent"  # STOP or START, a reply: a Consent
    SUPPRESSION = "suppression"  # a stop of the number that no reply said: a Consent
    TASK = "task"  # work for staff about the patient: a Task
    SKIPPED = "skipped"  # a reminder that was due and became no text, where the site asks: a Communication
    REQUEST = "request"  # what became of a CommunicationRequest of the EHR's


class WriteBackState(StrEnum):
    """How far we got."""

    PENDING = "pending"
    WRITTEN = "written"  # the chart holds the newest revision
    REFUSED = "refused"  # the EHR said no (4xx): a person decides, replayable
    GAVE_UP = "gave_up"  # nothing to write to: no chart could be found with certainty


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Unique by (kind, subject, patient)."""

    id: int  # 0 until stored
    kind: WriteBackKind
    subject_id: (
        int  # the id of the text, reply (also of a confirmation or consent), task, stop, reminder or request
    )
    patient_id: int
    state: WriteBackState = WriteBackState.PENDING
    revision: int = 1  # of the fact
    written_revision: int = 0
    tries: int = 0
    next_try_at: datetime | None = None  # wall
    ehr_id: str | None = None  # id of the resource on the EHR's server
    ehr_version: str | None = None  # its ETag
    reason: str | None = None
    mode: str | None = None  # the way it was written, or may have been: news of the fact goes the same way
    words: str | None = field(default=None, repr=False)  # the EHR's, of a refusal: they may quote anybody
    unsettled: bool = False  # as claimed: who had it before never said what became of it. Not stored

    @property
    def is_in_chart(self) -> bool:
        """Whether the EHR holds it, though it may never have said where (an empty `ehr_id` with a mode)."""
        return bool(self.ehr_id) or (self.ehr_id is not None and self.mode is not None)


FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
TELL_STAFF_AFTER = 20  # tries of one and the same, some two and a half hours


def retry_after(tries: int, jitter: float) -> timedelta:
    """How long to wait after the `tries`-th failure; `jitter` in [0, 1) spreads senders apart.

    Doubles from five seconds to ten minutes, so days of outage cost the EHR little.
    """
    wait = min(FIRST_RETRY * 2.0 ** min(tries - 1, 10), LONGEST_RETRY)
    return wait * (0.75 + jitter / 2)


def rest(tries: int, asked: timedelta | None, jitter: float) -> timedelta:
    """As `retry_after`, unless the server asked for a rest; never shorter than a first retry."""
    return retry_after(tries, jitter) if asked is None else max(asked, retry_after(1, jitter))
