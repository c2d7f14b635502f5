"""What a patient wrote, the questions we have open, and which of them an answer fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.domain.reply_intent import Intent

if TYPE_CHECKING:
    from datetime import datetime

QUESTION_LIFE = timedelta(hours=72)
CHOICE_LIFE = timedelta(hours=2)  # an answer that comes later may mean anything
MOST_OPTIONS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A text asked a patient to confirm one slot of one appointment.

    Open until the visit starts, its slot changes, it expires, or a newer
    question for the same visit replaces it (promise 7).
    """

    id: int  # 0 until stored
    text_id: int
    number: str  # E.164
    appointment_id: int
    patient_id: int
    slot_number: int
    visit_start: datetime
    asked_at: datetime  # calendar
    expires_at: datetime  # calendar
    answered_at: datetime | None = None  # calendar; a second answer may still change the first
    sender: str | None = None  # our number that asked, as the provider reports it; None: not known

    def was_put_by(self, sender: str) -> bool:
        """Whether a text to this sender of ours may answer it."""
        return self.sender in {None, sender}


@dataclass(frozen=True, slots=True)
class Option:
    """One patient's visit, in one slot, that a patient's text may mean."""

    appointment_id: int
    patient_id: int
    slot_number: int


@dataclass(frozen=True, slots=True)
class Choice:
    """We asked which of several visits a text means; its options are numbered from 1.

    Open until it expires; a newer one of the same number and sender takes its place.
    """

    id: int  # 0 until stored
    number: str  # E.164
    sender: str  # ours, to which the text came
    intent: str  # what is wished for whichever is chosen
    reply_id: int  # the text that several visits fit
    options: tuple[Option, ...]
    asked_at: datetime  # calendar
    expires_at: datetime  # calendar


@dataclass(frozen=True, slots=True)
class Reply:
    """One text from a patient."""

    id: int  # 0 until stored
    provider: str
    provider_id: str  # unique with its provider: the same text is heard once
    number: str  # who wrote, E.164
    to_number: str  # our sender
    body: str
    received_at: datetime  # wall
    heard_at: datetime  # calendar
    media: int = 0
    partial: bool = False  # a part of it did not arrive (Twilio 30009)
    keyword_handled: str | None = None  # stop | start | help: the provider answered already
    intent: str | None = None  # None until understood
    urgent: bool = False
    reason: str | None = None  # why it was understood so
    practice: str | None = None
    text_id: int | None = None  # the text it answers
    patient_id: int | None = None  # None: no chart is certain
    appointment_id: int | None = None
    done: bool = False  # read and acted upon
    segments: int = 1
    price: str | None = None  # decimal, as the provider billed it
    currency: str | None = None

    @property
    def wants_texts(self) -> bool | None:
        """Whether its writer wants texts, as we obeyed it: False for STOP, True for START, else None.

        A START that speaks of an emergency is left to a person.
        """
        if self.intent == Intent.STOP:
            return False
        return True if self.intent == Intent.START and not self.urgent else None


def still_open(question: Question, *, slot_number: int, now: datetime) -> bool:
    """Whether an answer heard `now` may still be taken for an answer to this question."""
    return question.slot_number == slot_number and now < question.visit_start and now < question.expires_at
