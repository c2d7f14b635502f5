"""One text message to one number, the attempts to send it, and whom it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.delivery_status import DeliveryStatus

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.failure import Failure


OPT_IN: Final = "opt_in"  # occasion of the text that confirms a yes to texts
OWN_WORDS: Final = "request"  # occasion of a text in a person's own words; a template's is its name


class TextKind(StrEnum):
    """Why a text exists."""

    REMINDER = "reminder"  # reminders of the plan
    ANSWER = "answer"  # our answer to a patient's text; does not count towards caps
    FREE = "free"  # a person wrote it, or said yes to texts


class AttemptState(StrEnum):
    """How one offer to the provider stands.

    offered ─► accepted | refused | returned
        └────► uncertain ─► accepted | absent | unresolved
    """

    OFFERED = "offered"  # committed before the request leaves; past its deadline it is uncertain
    ACCEPTED = "accepted"  # the provider has it, under its own id
    REFUSED = "refused"  # the provider said no
    RETURNED = "returned"  # the request was never processed (429, no connection): offer again later
    UNCERTAIN = "uncertain"  # it may have gone out: look, never resend blindly
    ABSENT = "absent"  # looked often enough: the provider never had it
    UNRESOLVED = "unresolved"  # nobody can tell; a person looks


# An attempt that holds its text: while one exists no other may begin.
HOLDING = frozenset(
    {AttemptState.OFFERED, AttemptState.ACCEPTED, AttemptState.UNCERTAIN, AttemptState.UNRESOLVED}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom, and which visit, a text speaks of; each chart gets only its own patient's part."""

    patient_id: int
    appointment_id: int | None = None
    part: str | None = None  # what this patient's chart may show of a shared text; None: the whole body


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text as it was, or will be, sent."""

    id: int  # 0 until stored
    practice: str
    number: str  # E.164
    kind: TextKind
    occasion: str  # the step or the answer it speaks for
    language: str
    body: str
    encoding: str
    segments: int
    created_at: datetime  # calendar
    not_after: datetime  # calendar; latest useful time
    subjects: tuple[Subject, ...] = ()
    status: DeliveryStatus = DeliveryStatus.QUEUED
    word: str | None = None  # the provider's own status word
    provider: str | None = None
    provider_id: str | None = None
    sender: str | None = None  # our number, as the provider reports it
    error_code: str | None = None
    failure: Failure | None = None
    unresolved: bool = False  # it may or may not have gone out, and no look could tell
    price: str | None = None  # decimal
    currency: str | None = None
    answers_reply: int | None = None  # unique: one answer a reply
    not_before: datetime | None = None  # wall; when a returned text may be offered again
    offered_at: datetime | None = None  # calendar; when it was last handed out
    accepted_at: datetime | None = None  # wall
    sent_at: datetime | None = None  # wall; handed to the carrier
    delivered_at: datetime | None = None  # wall
    final_at: datetime | None = None  # calendar
    checked_at: datetime | None = None  # wall; when the provider was last asked about it


@dataclass(frozen=True, slots=True)
class Attempt:
    """One offer of one text to the provider."""

    id: int  # 0 until stored
    text_id: int
    token: str  # random; in the callback's path, so a callback proves the offer arrived
    state: AttemptState
    offered_at: datetime  # wall
    deadline: datetime  # wall; an offer without an outcome by then is uncertain
    looks: int = 0  # how often the provider's list was read for it
    next_look_at: datetime | None = None  # wall
    provider_id: str | None = None
    why: str | None = None
