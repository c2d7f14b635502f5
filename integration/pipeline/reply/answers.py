"""Writes our answer to a patient's text: at most one, never in a loop, never to who wants none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from integration.domain.consent import SuppressionKind
from integration.domain.recipient_zone import recipient_zones
from integration.domain.reply_intent import Intent
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.domain.visit_words import reads_another_clock
from integration.domain.wording import Answer, PracticeWords, VisitWords, WordingError, answer

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    try:
        language, composed = _compose(workshop, around, practice, decision.answer, reply)
    except WordingError as why:
        _log.error("no words for an answer", reply=reply.id, why=str(why))
        return False
    unit.texts.add(
        TextMessage(
            id=0,
            practice=practice.name,
            number=reply.number,
            kind=TextKind.ANSWER,
            occasion=decision.answer.value,
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
    return True


def _may_answer(unit: Unit, workshop: Workshop, around: Surroundings, decision: Decision) -> bool:
    number, now = around.reply.number, workshop.clock.calendar()
    if not number.startswith("+"):
        return False  # a short code or a name: a machine
    if around.silenced - {SuppressionKind.OPT_OUT}:
        return False
    if SuppressionKind.OPT_OUT in around.silenced and not decision.lift:
        # CTIA (May 2023): HELP is answered whether or not texts are wanted; here once a day, so that no two
        # machines talk.
        lately = unit.texts.answers_to(number, now - A_DAY)
        return decision.answer is Answer.HELP and all(text.occasion != Answer.HELP for text in lately)
    earlier = unit.texts.answers_to(number, now - AN_HOUR)
    if len(earlier) >= MOST_AN_HOUR or any(text.answers_reply == around.reply.id for text in earlier):
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
    )


def _subjects(reply: Reply) -> tuple[Subject, ...]:
    if reply.patient_id is None:
        return ()
    return (Subject(reply.patient_id, reply.appointment_id),)
