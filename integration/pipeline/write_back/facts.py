"""What a row of the outbox speaks of, read anew each time it is told: the newest truth.

An answer that no longer holds comes without its visits; a wish that was taken back says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.consent import SuppressionKind
from integration.domain.reply_intent import Intent
from integration.domain.text_message import TextKind
from integration.domain.text_request import RequestSource
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import Fact

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.text_message import TextMessage
    from integration.domain.write_back import WriteBack
    from integration.ports.store import Unit


def fact_of(unit: Unit, row: WriteBack, is_sensitive: Callable[[Appointment], bool]) -> Fact | None:
    """The row with all it speaks of; None when that is no longer stored."""
    fact = _fact_of(unit, row)
    if fact is None or fact.reply is None:
        return fact
    concerned = fact.appointments
    if not concerned and fact.text is not None:
        concerned = _visits(unit, fact.text, row.patient_id)
    return replace(fact, discreet=any(is_sensitive(visit) for visit in concerned))


def _fact_of(unit: Unit, row: WriteBack) -> Fact | None:
    try:
        # Told under a record that has become part of another: it is that one's chart now.
        patient = unit.patients.survivor(row.patient_id)
        if row.kind in _WITHOUT_REPLY:
            return _WITHOUT_REPLY[row.kind](unit, row, patient)
        reply = unit.replies.get(row.subject_id)
        if row.kind is WriteBackKind.CONSENT:
            told = unit.write_backs.find(WriteBackKind.REPLY, reply.id, row.patient_id)
            return Fact(row, patient, reply=reply, told=told, in_force=_is_in_force(unit, reply))
        visits: tuple[Appointment, ...] = ()
        if reply.appointment_id is not None:
            visits = (unit.appointments.get(reply.appointment_id),)
    except KeyError:
        return None
    try:
        answered_text = None if reply.text_id is None else unit.texts.get(reply.text_id)
    except KeyError:
        answered_text = None
    # A yes confirmed something exactly when there is a confirmation to write.
    acted_upon = (
        reply.intent != Intent.CONFIRM
        or unit.write_backs.find(WriteBackKind.CONFIRMATION, reply.id, row.patient_id) is not None
    )
    if not visits and reply.intent == Intent.CONFIRM and acted_upon and answered_text is not None:
        # One yes to one text about several visits: each chart gets its own patient's (promise 12).
        visits = _answered_visits(unit, reply, answered_text, row.patient_id)
    if row.kind is WriteBackKind.CONFIRMATION:
        visits = tuple(visit for visit in visits if _holds(unit, reply, visit, row.patient_id))
    answered = (
        None
        if reply.text_id is None
        else unit.write_backs.find(WriteBackKind.TEXT, reply.text_id, row.patient_id)
    )
    return Fact(row, patient, visits, answered_text, reply, answered, acted_upon)


def _holds(unit: Unit, reply: Reply, visit: Appointment, patient_id: int) -> bool:
    """Whether this answer is still the one about this visit, at the time it was asked about (promise 7)."""
    if not visit.is_expected:
        return False
    whose = unit.patients.survivor(patient_id).id
    if reply.intent == Intent.CONFIRM and not visit.is_confirmed_by(whose):  # a move clears it
        return False
    if reply.intent != Intent.CONFIRM and not any(
        question.appointment_id == visit.id
        and question.slot_number == visit.slot_number
        and question.asked_at < reply.heard_at
        for question in unit.replies.questions(reply.number)
    ):
        return False
    later = (each for each in unit.replies.heard_since(reply.number, reply.heard_at) if each.id > reply.id)
    return not any(
        _is_about(unit, each, visit, patient_id)
        and unit.write_backs.find(WriteBackKind.CONFIRMATION, each.id, patient_id) is not None
        for each in later
    )


def _is_about(unit: Unit, reply: Reply, visit: Appointment, patient_id: int) -> bool:
    """Whether an answer is about this visit: it names one, or those of the text it answers."""
    if reply.appointment_id is not None or reply.text_id is None:
        return reply.appointment_id == visit.id
    text = unit.texts.get(reply.text_id)
    return visit.id in {each.id for each in _answered_visits(unit, reply, text, patient_id)}


def _answered_visits(unit: Unit, reply: Reply, text: TextMessage, patient_id: int) -> tuple[Appointment, ...]:
    """The visits of this patient that an answer is about: asked about in one text, or chosen."""
    chosen = [
        question.appointment_id
        for question in unit.replies.questions(reply.number)
        if question.answered_at == reply.heard_at and question.patient_id == patient_id
    ]
    known = tuple(unit.appointments.get(each) for each in dict.fromkeys(chosen))
    return known or _visits(unit, text, patient_id)


def _task_fact(unit: Unit, row: WriteBack, patient: Patient) -> Fact:
    """Work for staff with the visit, the text and the reply it is about; raises KeyError."""
    task = unit.tasks.get(row.subject_id)
    about = None if task.appointment_id is None else unit.appointments.get(task.appointment_id)
    visits = () if about is None or patient.id not in about.patients else (about,)
    text = None if task.text_id is None else unit.texts.get(task.text_id)
    reply = None if task.reply_id is None else unit.replies.get(task.reply_id)
    told = None
    if reply is not None:
        told = unit.write_backs.find(WriteBackKind.REPLY, reply.id, row.patient_id)
    elif text is not None:
        told = unit.write_backs.find(WriteBackKind.TEXT, text.id, row.patient_id)
    return Fact(row, patient, visits, text, reply, task=task, told=told)


def _text_fact(unit: Unit, row: WriteBack, patient: Patient) -> Fact:
    """A text with its visits, and with the request that it answers; raises KeyError."""
    text = unit.texts.get(row.subject_id)
    request = unit.requests.of_text(text.id) if text.kind is TextKind.FREE else None
    visits = _visits(unit, text, row.patient_id)
    if request is None:
        return Fact(row, patient, visits, text)
    asked = request.ehr_id if request.source is RequestSource.CHART else None
    return Fact(row, patient, visits, text, request=asked, author=request.author, override=request.override)


def _request_fact(unit: Unit, row: WriteBack, patient: Patient) -> Fact:
    """A request with the text it became, if it became one; raises KeyError."""
    request = unit.requests.get(row.subject_id)
    became = None if request.text_id is None else unit.texts.get(request.text_id)
    return Fact(row, patient, text=became, request=request.ehr_id)


def _skipped_fact(unit: Unit, row: WriteBack, patient: Patient) -> Fact:
    """A reminder that became no text; raises KeyError."""
    reminder = unit.reminders.get(row.subject_id)
    return Fact(row, patient, (unit.appointments.get(reminder.appointment_id),), reminder=reminder)


def _is_in_force(unit: Unit, reply: Reply) -> bool:
    """Whether this STOP or START is the newest word of its number on the matter, and not lifted by staff."""
    heard = unit.replies.heard_since(reply.number, reply.heard_at)
    if any(each.id > reply.id and each.wants_texts is not None for each in heard):
        return False
    stops = [each for each in unit.consents.of_number(reply.number) if each.kind is SuppressionKind.OPT_OUT]
    is_stopped = any(each.lifted_at is None for each in stops)
    return not is_stopped if reply.wants_texts else is_stopped or not stops


def _stop_fact(unit: Unit, row: WriteBack, patient: Patient) -> Fact:
    """A stop; over when it is lifted, or its number has said STOP itself since; raises KeyError."""
    stop = unit.consents.suppression(row.subject_id)
    heard = unit.replies.heard_since(stop.number, stop.since)
    said_since = any(each.wants_texts is False for each in heard)
    return Fact(row, patient, stop=stop, in_force=stop.lifted_at is None and not said_since)


def _visits(unit: Unit, text: TextMessage, patient_id: int) -> tuple[Appointment, ...]:
    """The visits of this patient that a text speaks of."""
    ids = (each.appointment_id for each in text.subjects if each.patient_id == patient_id)
    return tuple(unit.appointments.get(each) for each in dict.fromkeys(ids) if each is not None)


_WITHOUT_REPLY = {
    WriteBackKind.TEXT: _text_fact,
    WriteBackKind.TASK: _task_fact,
    WriteBackKind.SKIPPED: _skipped_fact,
    WriteBackKind.SUPPRESSION: _stop_fact,
    WriteBackKind.REQUEST: _request_fact,
}
