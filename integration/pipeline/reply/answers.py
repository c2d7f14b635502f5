"""Writes our answer to a patient's text: at most one, never in a loop, never to who wants none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from integration.aftermath import open_task
from integration.domain.consent import SuppressionKind
from integration.domain.conversation import CHOICE_LIFE, Choice
from integration.domain.recipient_zone import recipient_zones
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.domain.visit_words import reads_another_clock
from integration.domain.wording import Answer, PracticeWords, VisitWords, WordingError, answer, ask_which

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.conversation import Reply
    from integration.domain.reply_decision import Decision
    from integration.domain.wording import Composed
    from integration.pipeline.reply.surroundings import Surroundings
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice

AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)
USEFUL_FOR = timedelta(hours=1)
MOST_A_DAY = 8
CONFIRMS_A_STOP_WITHIN = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12); later it never goes
MOST_AN_HOUR = 3  # answers to one number; what writes more often is a machine
# What a person says twice and means twice; anything else said twice is an auto-responder's.
_SAID_AGAIN = frozenset({Intent.CONFIRM, Intent.STOP, Intent.START, Intent.HELP})
_log = structlog.get_logger(__name__)


def write_answer(
    unit: Unit, workshop: Workshop, around: Surroundings, decision: Decision, reply: Reply
) -> bool:
    """Queue the answer, if there is one to give and nothing speaks against it; returns whether it was."""
    practice = around.practice
    if decision.answer is None or practice is None or not _may_answer(unit, workshop, around, decision):
        return False
    now = workshop.clock.calendar()
    not_after = now + USEFUL_FOR
    if decision.answer is Answer.STOP:
        not_after = reply.heard_at + CONFIRMS_A_STOP_WITHIN
    if now >= not_after:
        return False
    name = decision.answer
    try:
        language, composed = _compose(workshop, around, practice, name, reply)
        asked = _ask_which(workshop, around, practice, decision, language)
        if asked is not None:
            name, composed = Answer.WHICH_VISIT, asked
    except WordingError as why:
        _log.error("no words for an answer", reply=reply.id, why=str(why))
        _leave_to_a_person(unit, workshop, around, reply, str(why))
        return False
    unit.texts.add(
        TextMessage(
            id=0,
            practice=practice.name,
            number=reply.number,
            kind=TextKind.ANSWER,
            occasion=name.value,
            language=language,
            body=composed.body,
            encoding=composed.encoding,
            segments=composed.segments,
            created_at=now,
            not_after=not_after,
            subjects=_subjects(reply),
            answers_reply=reply.id,
        )
    )
    if asked is not None:
        _remember(unit, around, decision, now)
    return True


def _leave_to_a_person(
    unit: Unit, workshop: Workshop, around: Surroundings, reply: Reply, reason: str
) -> None:
    """The patient waits for an answer that has no words."""
    task = StaffTask(
        id=0,
        kind=TaskKind.READ_REPLY,
        practice=reply.practice,
        reason=f"Our answer could not be written: {reason}. Please answer.",
        created_at=workshop.clock.calendar(),
        due_at=around.visits[0].start if around.visits else None,
        patient_id=reply.patient_id,
        appointment_id=reply.appointment_id,
        reply_id=reply.id,
    )
    open_task(unit, task, workshop.settings)


def _ask_which(
    workshop: Workshop, around: Surroundings, practice: Practice, decision: Decision, language: str
) -> Composed | None:
    """The numbered question, if one is to be asked and can be: each visit told from the others."""
    if not decision.ask:
        return None
    patients = {patient.id: patient for patient in around.patients}
    visits = []
    for option in decision.ask:
        appointment = around.appointments[option.appointment_id]
        patient = patients.get(option.patient_id)
        if appointment.slot.start is None or patient is None:
            return None
        start = appointment.slot.start.astimezone(ZoneInfo(appointment.zone))
        visits.append(VisitWords(patient.given, start, appointment.slot.modality, patient=str(patient.id)))
    return ask_which(
        workshop.settings.catalogs[language],
        practice=PracticeWords(practice.public_name, practice.phone, practice.emergency),
        visits=visits,
        sent_on=workshop.clock.calendar().astimezone(practice.plan.zone).date(),
    )


def _remember(unit: Unit, around: Surroundings, decision: Decision, now: datetime) -> None:
    """Write down the question, and until when its numbers mean anything."""
    starts = [around.appointments[option.appointment_id].slot.start for option in decision.ask]
    ends = [start for start in starts if start is not None]
    ends += [question.expires_at for question in around.heard.questions]
    unit.choices.offer(
        Choice(
            id=0,
            number=around.reply.number,
            sender=around.reply.to_number,
            intent=decision.intent.value,
            reply_id=around.reply.id,
            options=decision.ask,
            asked_at=now,
            expires_at=min(now + CHOICE_LIFE, *ends),
        )
    )


def _may_answer(unit: Unit, workshop: Workshop, around: Surroundings, decision: Decision) -> bool:
    number, now = around.reply.number, workshop.clock.calendar()
    if not number.startswith("+"):
        return False  # a short code or a name: a machine
    if around.silenced - ({SuppressionKind.OPT_OUT} if decision.lift else set()):
        # CTIA (May 2023): HELP is answered whether or not texts are wanted, and whoever has the number; here
        # once a day, so that no two machines talk.
        lately = unit.texts.answers_to(number, now - A_DAY)
        return decision.answer is Answer.HELP and all(text.occasion != Answer.HELP for text in lately)
    today = unit.texts.answers_to(number, now - A_DAY)
    if decision.answer is Answer.URGENT:  # what else was answered lately does not count against it
        today = [text for text in today if text.occasion == Answer.URGENT]
    earlier = [text for text in today if text.created_at >= now - AN_HOUR]
    spent = len(earlier) >= MOST_AN_HOUR or (len(today) >= MOST_A_DAY and decision.answer is not Answer.STOP)
    if spent or any(text.answers_reply == around.reply.id for text in earlier):
        return False
    if decision.answer is Answer.NOT_UNDERSTOOD:
        return all(text.occasion != Answer.NOT_UNDERSTOOD for text in earlier)
    return decision.intent in _SAID_AGAIN or not _repeats(
        around.reply, unit.replies.heard_since(number, around.reply.heard_at - AN_HOUR)
    )


def _repeats(reply: Reply, lately: Sequence[Reply]) -> bool:
    return any(other.body == reply.body for other in lately if other.id < reply.id)


def _language(workshop: Workshop, around: Surroundings, practice: Practice) -> str:
    """The language we spoke last, else the patient's own, else the practice's first."""
    wanted = [] if around.last_text is None else [around.last_text.language]
    today = around.reply.heard_at.date()
    wanted += [spoken for patient in around.patients if (spoken := patient.language_on(today)) is not None]
    known = [name for name in practice.languages if name in workshop.settings.catalogs]
    return next((name for name in wanted if name in known), known[0])


def _compose(
    workshop: Workshop, around: Surroundings, practice: Practice, name: Answer, reply: Reply
) -> tuple[str, Composed]:
    """The language and the words; a visit is named only where the reply is surely about it."""
    appointment = None if reply.appointment_id is None else around.appointments[reply.appointment_id]
    visit = None
    if appointment is not None and appointment.slot.start is not None:
        start = appointment.slot.start.astimezone(ZoneInfo(appointment.zone))
        visit = VisitWords(first_name=None, start=start, modality=appointment.slot.modality)
    language = _language(workshop, around, practice)
    return language, answer(
        workshop.settings.catalogs[language],
        name,
        practice=PracticeWords(practice.public_name, practice.phone, practice.emergency),
        visit=visit,
        show_zone=visit is not None
        and appointment is not None
        and reads_another_clock(visit.start, recipient_zones(around.patients, ZoneInfo(appointment.zone))),
        max_segments=practice.max_segments,
        sent_on=workshop.clock.calendar().astimezone(practice.plan.zone).date(),
        opens=_opens(workshop, practice),
    )


def _opens(workshop: Workshop, practice: Practice) -> datetime | None:
    """When the practice, closed now, opens; None when it is open, or its hours are not known."""
    if practice.office is None:
        return None
    return practice.office.next_opening(workshop.clock.calendar(), practice.plan.zone)


def _subjects(reply: Reply) -> tuple[Subject, ...]:
    if reply.patient_id is None:
        return ()
    return (Subject(reply.patient_id, reply.appointment_id),)
