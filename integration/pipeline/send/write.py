"""Compose one text and write it down with its attempt, its reminders and its questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from integration.domain.conversation import QUESTION_LIFE, Question
from integration.domain.gathering import languages
from integration.domain.recipient_zone import recipient_zones
from integration.domain.reminder import ReminderState
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.domain.visit_words import reads_another_clock
from integration.domain.wording import PracticeWords, VisitWords, compose
from integration.pipeline.send.desk import Desk, Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from integration.domain.gathering import Candidate, Gathered
    from integration.domain.wording import Composed
    from integration.settings.model import Practice


def useful_until(candidates: Iterable[Candidate]) -> datetime:
    """The latest useful time of a text that speaks for all of these."""
    return min(candidate.reminder.not_after for candidate in candidates)


def write(desk: Desk, gathered: Gathered, practice: Practice, number: str) -> Offer:
    """Write down the next text; raises WordingError, with nothing written, when it cannot be said."""
    today = desk.now.astimezone(practice.plan.zone).date()
    read_there = languages(gathered.visits, today)
    language = next((each for each in read_there if each in practice.languages), practice.languages[0])
    composed, spoken = _compose(desk, gathered, practice, language, number)
    not_after = useful_until(spoken)
    text = desk.unit.texts.add(
        TextMessage(
            id=0,
            practice=practice.name,
            number=number,
            kind=TextKind.REMINDER,
            occasion=gathered.occasion,
            language=language,
            body=composed.body,
            encoding=composed.encoding,
            segments=composed.segments,
            created_at=desk.now,
            not_after=not_after,
            subjects=_subjects(composed, spoken),
            offered_at=desk.now,
        )
    )
    desk.unit.reminders.update(
        [
            replace(c.reminder, state=ReminderState.SENT, reason=None, text_id=text.id, decided_at=desk.now)
            for c in (*spoken, *gathered.silent)
        ]
    )
    if gathered.ask:
        _ask(desk, text, spoken)
    zones = desk.zones_of((c.patient for c in spoken), practice)
    ends = min(not_after, practice.plan.hours.closing(desk.now, *zones))
    return Offer(text, desk.attempt(text), ends - desk.now)


def _compose(
    desk: Desk, gathered: Gathered, practice: Practice, language: str, number: str
) -> tuple[Composed, list[Candidate]]:
    """The first text that speaks of these visits, and the visits it speaks of."""
    today = desk.now.astimezone(practice.plan.zone).date()
    words = [
        VisitWords(
            first_name=c.patient.given,
            start=c.start.astimezone(ZoneInfo(c.appointment.zone)),
            modality=c.appointment.slot.modality,
            patient=str(c.patient.id),
        )
        for c in gathered.visits
    ]
    composed = compose(
        desk.workshop.settings.catalogs[language],
        gathered.occasion,
        ask=gathered.ask,
        practice=PracticeWords(practice.public_name, practice.phone, practice.emergency),
        visits=words,
        show_zone=any(
            reads_another_clock(said.start, recipient_zones([c.patient], ZoneInfo(c.appointment.zone)))
            for said, c in zip(words, gathered.visits, strict=True)
        ),
        max_segments=practice.max_segments,
        # Who reads a text about a child is told which child; so is a parent with a visit of their own.
        name_patients=practice.first_names or any(c.patient.is_minor(today) for c in gathered.visits),
        # CTIA (May 2023): the first message of a programme says what it is, how often, and at what cost.
        first_text=not desk.unit.texts.was_texted(number, practice.name),
        sent_on=today,
    )[0]
    return composed, [gathered.visits[index] for index in composed.visits]


def _subjects(composed: Composed, spoken: Sequence[Candidate]) -> tuple[Subject, ...]:
    """Whom the text speaks of; each chart gets only its own patient's part (promise 12)."""
    return tuple(
        Subject(c.patient.id, c.appointment.id, None if part == composed.body else part)
        for c, part in zip(spoken, composed.parts, strict=True)
    )


def _ask(desk: Desk, text: TextMessage, spoken: Iterable[Candidate]) -> None:
    """Open a question for each visit the text asks about."""
    for candidate in spoken:
        desk.unit.replies.ask(
            Question(
                id=0,
                text_id=text.id,
                number=text.number,
                appointment_id=candidate.appointment.id,
                patient_id=candidate.patient.id,
                slot_number=candidate.appointment.slot_number,
                visit_start=candidate.start,
                asked_at=desk.now,
                expires_at=desk.now + QUESTION_LIFE,
            )
        )
