"""What the pipeline asks of an EHR when it writes back; modes and fakes answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from integration.domain.appointment import Appointment
    from integration.domain.consent import Suppression
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import TextMessage
    from integration.domain.write_back import WriteBack


@dataclass(frozen=True, slots=True)
class Written:
    """The chart holds it."""

    ehr_id: str
    version: str | None = None  # for the next update's If-Match
    patient_id: str | None = None  # the patient's id on the EHR, if found on the way
    appointment_ids: tuple[tuple[int, str], ...] = ()  # ours → the EHR's, of the visits found on the way
    mode: str | None = None  # who wrote it: further news of the fact is its


@dataclass(frozen=True, slots=True)
class NotWritable:
    """The EHR refused it for good (4xx), or has no place for it; a person decides."""

    reason: str  # without personal data
    doubtful: bool = False  # the EHR may hold it all the same
    mode: str | None = None  # who may have written it, when that is doubtful
    # The EHR's, for a person alone: they may quote anybody, so they are sealed in the store and never logged.
    words: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NoChart:
    """The patient could not be found with certainty; nothing was written (promise 12)."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rightly not written, and nobody need act: the EHR has no such resource, or takes final news only."""

    reason: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """The EHR is away, slow, or busy (connection, 5xx, 408, 429); also an uncertain create."""

    reason: str
    after: timedelta | None = None  # Retry-After, or how long the fact should rest
    away: bool = True  # False: the EHR answers well, only this fact must wait
    doubtful: bool = False  # the EHR may hold it all the same
    mode: str | None = None  # who may have written it, when that is doubtful


WriteOutcome = Written | NotWritable | NoChart | LeftOut | TryLater


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact for one patient's chart, with all it speaks of.

    `appointments` are this patient's visits that it is about, the foremost first. `text` is the
    text (kind TEXT), or the text a reply answers, if known. `reply` is set for kinds REPLY,
    CONFIRMATION and CONSENT. `answered` is the write-back row of the answered text, so that a reply can point
    to its Communication. `acted_upon` is False for a yes that confirmed nothing and was left to staff.
    `told` is the write-back row of what a CONSENT or TASK follows from: its reply, else its text.
    `stop` is set for kind SUPPRESSION.
    `in_force` is False for a STOP or START that a later one has taken back, and for a stop that is over.
    `task` is set for kind TASK, `reminder` for kind SKIPPED, `request` (the EHR's id of a
    CommunicationRequest) for kind REQUEST and for the text that the request became.
    `author` is who asked for a free text, as they call themselves; `override`: why nothing held it.
    `discreet` is set where a visit at a sensitive place is concerned: the patient's own words stay out of it.
    """

    row: WriteBack
    patient: Patient
    appointments: tuple[Appointment, ...] = ()
    text: TextMessage | None = None
    reply: Reply | None = None
    answered: WriteBack | None = None
    acted_upon: bool = True
    task: StaffTask | None = None
    request: str | None = None
    told: WriteBack | None = None
    reminder: Reminder | None = None
    in_force: bool = True
    discreet: bool = False
    author: str | None = None
    override: str | None = None
    stop: Suppression | None = None


class EhrServer(Protocol):
    """The EHR's FHIR server; its reader, subscriber and write-back share one in each process."""

    base_url: str  # without a trailing slash

    def close(self) -> None:
        """Let go of all connections."""


class WriteBackMode(Protocol):
    """One way outcomes reach a chart."""

    name: str

    def write(self, fact: Fact) -> WriteOutcome:
        """Create or bring forward the fact in the chart; idempotent by our own identifiers."""

    def describe(self) -> str:
        """One line for the operator: where outcomes go."""
