"""Does what was decided about a reply: suppress, lift, confirm, open tasks, tell the chart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.aftermath import close_task, in_time, open_task
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind, obeyed_by_the_carrier
from integration.domain.reminder import ReminderState
from integration.domain.reply_decision import the_question
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import Done, StaffTask, TaskKind, TaskOutcome
from integration.domain.who_confirmed import confirming, with_yes, without_yes
from integration.domain.write_back import WriteBackKind
from integration.pipeline.reply.surroundings import Visit
from integration.stops import stops_told_anew

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.domain.conversation import Question, Reply
    from integration.domain.reply_decision import Decision, Task
    from integration.pipeline.reply.surroundings import Surroundings
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

_HELD_WHILE = {
    SuppressionKind.OPT_OUT: "opted out",
    SuppressionKind.WRONG_NUMBER: "the number is not the patient's",
}
# The words of ours that a reply matched tell what it said; they are not kept in the clear (promise 10).
_QUOTED = re.compile(r':? "[^"]*"')
_EVER = datetime.min.replace(tzinfo=UTC)
_ABOUT_A_VISIT = frozenset({Intent.CONFIRM, Intent.CANCEL, Intent.RESCHEDULE})


def obey(unit: Unit, workshop: Workshop, around: Surroundings, decision: Decision) -> Reply:
    """Do it; returns the reply as understood and done."""
    reply = around.reply
    if decision.suppress is not None:
        _suppress(unit, workshop, around, decision.suppress)
    if decision.lift:
        unit.numbers.lift(reply.number, {SuppressionKind.OPT_OUT}, at=reply.heard_at, by="reply")
    if decision.confirmed:
        _confirm(unit, workshop, around, decision.confirmed)
    if decision.settles is not None:
        _settle(unit, workshop, decision.settles)
    visits = _about(around, decision)
    if decision.intent in {Intent.CANCEL, Intent.RESCHEDULE}:
        _take_back(unit, around, visits)
    charts = _charts(around, decision, visits)
    for task in decision.tasks:
        _open(unit, workshop, around, task, visits, charts=charts)
    if decision.lift or decision.suppress is SuppressionKind.OPT_OUT:
        _tell_wish(unit, around)
    answers = decision.confirmed or _declines(around, decision, visits)
    for patient_id in charts:
        unit.write_backs.want(WriteBackKind.REPLY, reply.id, patient_id)
        if answers:
            unit.write_backs.want(WriteBackKind.CONFIRMATION, reply.id, patient_id)
    return replace(
        reply,
        intent=decision.intent.value,
        urgent=around.heard.understood.urgent,
        reason=_QUOTED.sub("", decision.reason),
        practice=None if around.practice is None else around.practice.name,
        text_id=_answered_text(around, decision),
        patient_id=charts[0] if len(charts) == 1 else None,
        appointment_id=visits[0].appointment_id if charts and len(visits) == 1 else None,
        done=True,
    )


def _suppress(unit: Unit, workshop: Workshop, around: Surroundings, kind: SuppressionKind) -> None:
    """No further text to this number; what is planned waits, and goes should this be lifted in time."""
    reply, now = around.reply, workshop.clock.calendar()
    everywhere = kind is not SuppressionKind.OPT_OUT or workshop.settings.sending.opt_out_covers_all_senders
    unit.numbers.suppress(
        Suppression(
            id=0,
            number=reply.number,
            kind=kind,
            sender=ALL_SENDERS if everywhere else reply.to_number,
            since=reply.heard_at,
            source="keyword"
            if obeyed_by_the_carrier(reply.body, keyword_handled=reply.keyword_handled)
            else "reply",
            evidence=reply.body,
        )
    )
    if not everywhere:
        return
    # Nobody plans these any more until this unit ends; what was withdrawn meanwhile stays so.
    unit.changes.waits(sorted({reminder.appointment_id for reminder in around.reminders}))
    unit.reminders.update(
        [
            replace(reminder, state=ReminderState.HELD, reason=_HELD_WHILE[kind], decided_at=now)
            for reminder in unit.reminders.open_of_number(reply.number)
        ]
    )


def _tell_wish(unit: Unit, around: Surroundings) -> None:
    """STOP or START holds for the number, so for each who has it; what was wished before is over.

    The number is theirs whoever of them wrote: unlike the words, this goes into each chart.
    """
    reply = around.reply
    stops_told_anew(unit, reply.number)
    for patient in around.patients:
        unit.write_backs.want(WriteBackKind.CONSENT, reply.id, patient.id)
    heard = unit.replies.heard_since(reply.number, _EVER)
    before = next((each for each in heard if each.id != reply.id and each.wants_texts is not None), None)
    if before is not None:
        unit.write_backs.renew(WriteBackKind.CONSENT, before.id)


def _confirm(unit: Unit, workshop: Workshop, around: Surroundings, questions: Sequence[Question]) -> None:
    """The visits asked about stand; of who was asked, reminders for the undecided are not needed any more."""
    reply, now = around.reply, workshop.clock.calendar()
    for question in questions:
        unit.replies.answered(question.id, reply.heard_at)
    needless = []
    for appointment_id in {question.appointment_id for question in questions}:
        appointment = around.appointments[appointment_id]
        theirs = {each.patient_id for each in questions if each.appointment_id == appointment_id}
        confirmed = with_yes(appointment, theirs)
        if confirmed != appointment:
            unit.appointments.save(confirmed)
        needless += [
            replace(reminder, state=ReminderState.SKIPPED, reason="confirmed", decided_at=now)
            for reminder in around.reminders
            if reminder.appointment_id == appointment_id
            and reminder.patient_id in theirs
            and reminder.slot_number == appointment.slot_number
            and _only_unconfirmed(workshop, reminder.practice, reminder.step)
        ]
    unit.reminders.update(needless)


def _only_unconfirmed(workshop: Workshop, practice: str, step: str) -> bool:
    known = workshop.settings.practices.get(practice)
    return known is not None and any(each.name == step and each.only_unconfirmed for each in known.plan.steps)


def _declines(around: Surroundings, decision: Decision, visits: Sequence[Visit]) -> bool:
    """Whether it is a plain no to the one open question, about the one visit to come (promise 7).

    The chart is told of the patient's no as of a yes; the visit stands until a person cancels it.
    """
    heard = around.heard
    if decision.intent is not Intent.CANCEL or heard.understood.urgent or heard.media:
        return False
    asked = {(question.appointment_id, question.patient_id) for question in the_question(heard.questions)}
    return len(asked) == 1 and asked == {(visit.appointment_id, visit.patient_id) for visit in visits}


def _about(around: Surroundings, decision: Decision) -> list[Visit]:
    """The visits the reply is about: those it confirms, else the only one to come."""
    if decision.intent not in _ABOUT_A_VISIT:
        return []
    if decision.confirmed:
        asked = {(question.appointment_id, question.patient_id) for question in decision.confirmed}
        return [visit for visit in around.visits if (visit.appointment_id, visit.patient_id) in asked]
    if decision.about is not None:
        meant = {(option.appointment_id, option.patient_id) for option in decision.about}
        return [visit for visit in around.visits if (visit.appointment_id, visit.patient_id) in meant]
    return list(around.visits) if len(around.visits) == 1 else []


def _settle(unit: Unit, workshop: Workshop, reply_id: int) -> None:
    """What staff were to ask about an earlier text, the patient has said now."""
    for task in unit.tasks.of_reply(reply_id):
        close_task(unit, task.id, workshop.clock.calendar(), Done(TaskOutcome.ANSWERED))


def _take_back(unit: Unit, around: Surroundings, visits: Sequence[Visit]) -> None:
    """Whoever would rather not come at that time does not confirm it any more."""
    asked = {question.appointment_id for question in around.heard.questions}
    for appointment_id in {visit.appointment_id for visit in visits} & asked:  # those are locked
        appointment = around.appointments[appointment_id]
        theirs = {visit.patient_id for visit in visits if visit.appointment_id == appointment_id}
        if confirming(appointment) & theirs:
            unit.appointments.save(without_yes(appointment, theirs))


def _charts(around: Surroundings, decision: Decision, visits: Sequence[Visit]) -> list[int]:
    """Whose charts the reply belongs into: those it surely comes from (promises 7 and 12)."""
    if decision.intent is Intent.WRONG_NUMBER:
        return []
    asked = {question.patient_id for question in around.heard.questions}
    if decision.confirmed or decision.settles is not None or (visits and asked == {visits[0].patient_id}):
        return sorted({visit.patient_id for visit in visits})
    return [] if around.only_patient is None else [around.only_patient]


def _answered_text(around: Surroundings, decision: Decision) -> int | None:
    if decision.confirmed:
        return decision.confirmed[0].text_id
    return None if around.last_text is None else around.last_text.id


def _to_come(unit: Unit, workshop: Workshop, around: Surroundings) -> list[Visit]:
    """Every visit to come of whoever has the number, at practices that text: no reminder need wait for it."""
    found = set(around.visits)
    for patient in around.patients:
        for appointment_id in unit.appointments.to_come(patient.id, around.reply.heard_at):
            appointment = unit.appointments.get(appointment_id)
            practice = workshop.settings.practices.get(appointment.practice or "")
            start = appointment.slot.start
            if start is not None and appointment.is_expected and practice is not None and practice.sms:
                found.add(Visit(start, appointment_id, patient.id))
    return sorted(found)


def _open(
    unit: Unit,
    workshop: Workshop,
    around: Surroundings,
    task: Task,
    visits: Sequence[Visit],
    *,
    charts: Collection[int],
) -> None:
    """Open a task: about the visit if one is meant, one for each visit to come, or about the reply alone.

    Who of several wrote is a guess that our own list may hold, and no chart: only that the number stopped
    texts is so for each of them.
    """
    soonest = around.visits[0].start if around.visits else None
    patient = around.patients[0].id if len(around.patients) == 1 else None
    blank = StaffTask(
        id=0,
        kind=task.kind,
        practice=None if around.practice is None else around.practice.name,
        reason=task.reason,
        created_at=workshop.clock.calendar(),
        due_at=soonest,
        patient_id=patient,
        reply_id=around.reply.id,
        text_id=None if around.last_text is None else around.last_text.id,
    )
    meant = _to_come(unit, workshop, around) if task.each_visit else visits
    for visit in meant:
        theirs = replace(
            blank, due_at=visit.start, patient_id=visit.patient_id, appointment_id=visit.appointment_id
        )
        if task.kind is TaskKind.OPTED_OUT or visit.patient_id in {patient, *charts}:
            open_task(unit, theirs, workshop.settings)
        else:
            unit.tasks.add(in_time(theirs, workshop.settings))
    if not meant and (task.kind is not TaskKind.OPTED_OUT or around.heard.bare_cancel):
        open_task(unit, blank, workshop.settings)
