"""7 write back: tell the chart what became of texts, replies and visits, one fact at a time.

A row is claimed with a lease and its fact read; the transaction ends; the mode
speaks to the EHR; a second transaction settles the row. A worker that dies in
between leaves a row whose lease runs out. An EHR that is away costs one request
a backoff (`Circuit`), and never delays a text.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.aftermath import open_task
from integration.domain.pace import TELL_EVERY
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.write_back import WriteBackKind, WriteBackState, rest
from integration.ports.ehr import Fact, LeftOut, NoChart, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.circuit import Circuit
    from integration.domain.clock import Clock
    from integration.domain.conversation import Reply
    from integration.domain.pace import Pace, Progress
    from integration.domain.recipient import Patient
    from integration.domain.text_message import TextMessage
    from integration.domain.write_back import WriteBack
    from integration.ports.ehr import WriteBackMode, WriteOutcome
    from integration.ports.store import Store, Unit

LEASE: Final = timedelta(minutes=5)
BACKLOG: Final = 50  # facts that wait, from which on it is told how far we are
TELL_STAFF_AFTER: Final = 20  # tries of one fact, some two and a half hours

_log = structlog.get_logger()


def write_next(
    store: Store, mode: WriteBackMode, clock: Clock, jitter: Callable[[], float], circuit: Circuit
) -> bool:
    """Tell the chart one fact that is due; False when there is none, or the EHR is being let be.

    `jitter` gives numbers in [0, 1). Raises `StoreUnavailable`.
    """
    let_in = circuit.admit(clock.wall())
    if let_in is None:
        return False
    try:
        fact = _claim(store, clock.wall())
        if not isinstance(fact, Fact):
            return fact
        outcome = _write(mode, fact)
        if isinstance(outcome, TryLater) and outcome.away:
            circuit.failed(let_in, clock.wall(), outcome.after, jitter())
        else:
            circuit.heard()
        _settle(store, fact, outcome, clock, jitter())
        return True
    finally:
        circuit.let_be(let_in)


def drain(
    store: Store,
    mode: WriteBackMode,
    clock: Clock,
    jitter: Callable[[], float],
    circuit: Circuit,
    *,
    limit: int = 100,
    pace: Pace | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Tell the chart what is due, at most `limit` facts, no faster than `pace`; how many there were."""
    for done in range(limit):
        if pace is not None and (wait := pace.wait(clock.wall())):
            sleep(wait.total_seconds())
        if not write_next(store, mode, clock, jitter, circuit):
            return done
        if pace is not None:
            pace.went(clock.wall())
        if progress is not None and (lately := progress.went(clock.wall())) is not None:
            _tell_of_backlog(store, lately)
    return limit


def _tell_of_backlog(store: Store, lately: int) -> None:
    """How far we are, when there is far to go: counts alone."""
    with store.reading() as unit:
        waiting = unit.write_backs.count(WriteBackState.PENDING)
    if waiting >= BACKLOG:
        minutes = math.ceil(TELL_EVERY / timedelta(minutes=1) * waiting / lately)
        _log.info("write_back_backlog", waiting=waiting, told_lately=lately, minutes_left=minutes)


def _claim(store: Store, now: datetime) -> Fact | bool:
    """The next fact, leased; else whether there was a row at all (whose text or reply is gone)."""
    with store.unit() as unit:
        row = unit.write_backs.claim(now, now + LEASE)
        if row is None:
            return False
        fact = _fact(unit, row)
        if fact is None:
            unit.write_backs.settle(_settled(row, LeftOut("what it speaks of is no longer stored")))
        elif row.kind is WriteBackKind.CONFIRMATION and not fact.appointments:
            reason = "the visit has changed since it was answered about, or was answered about anew"
            unit.write_backs.settle(_settled(row, LeftOut(reason)))
            return True
        return fact or True


def _write(mode: WriteBackMode, fact: Fact) -> WriteOutcome:
    try:
        return mode.write(fact)
    except Exception as error:  # noqa: BLE001 - one fact that trips the mode must not stop the others
        # The type alone: an error's words may quote a person.
        return TryLater(f"writing stopped unexpectedly ({type(error).__name__})", away=False)


def _fact(unit: Unit, row: WriteBack) -> Fact | None:
    """The row with all it speaks of; None when that is no longer stored."""
    try:
        # Told under a record that has become part of another: it is that one's chart now.
        patient = unit.patients.survivor(row.patient_id)
        if row.kind is WriteBackKind.TEXT:
            text = unit.texts.get(row.subject_id)
            return Fact(row, patient, _visits(unit, text, row.patient_id), text)
        if row.kind is WriteBackKind.TASK:
            return _task_fact(unit, row, patient)
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
        visits = _visits(unit, answered_text, row.patient_id)
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
    if reply.intent == Intent.CONFIRM and not visit.confirmed:  # a move clears it
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
    return visit.id in {each.id for each in _visits(unit, unit.texts.get(reply.text_id), patient_id)}


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


def _is_in_force(unit: Unit, reply: Reply) -> bool:
    """Whether this STOP or START is the newest word of its number on the matter."""
    heard = unit.replies.heard_since(reply.number, reply.heard_at)
    return not any(each.id > reply.id and each.wants_texts is not None for each in heard)


def _visits(unit: Unit, text: TextMessage, patient_id: int) -> tuple[Appointment, ...]:
    """The visits of this patient that a text speaks of."""
    ids = (each.appointment_id for each in text.subjects if each.patient_id == patient_id)
    return tuple(unit.appointments.get(each) for each in dict.fromkeys(ids) if each is not None)


def _settle(store: Store, fact: Fact, outcome: WriteOutcome, clock: Clock, jitter: float) -> None:
    row = _settled(fact.row, outcome)
    if isinstance(outcome, TryLater):
        tries = fact.row.tries + 1
        row = replace(row, tries=tries, next_try_at=clock.wall() + rest(tries, outcome.after, jitter))
    with store.unit() as unit:
        unit.write_backs.settle(row)
        if isinstance(outcome, Written):
            _remember(unit, fact, outcome)
        task = _task(fact, outcome, row.tries, clock.calendar())
        if task is not None:
            open_task(unit, task)
    _log.info("write_back", row=row.id, kind=row.kind, state=row.state, tries=row.tries, reason=row.reason)


def _settled(row: WriteBack, outcome: WriteOutcome) -> WriteBack:
    """The row after an outcome; a row to be tried later still lacks its time."""
    if isinstance(outcome, Written):
        return replace(
            row,
            state=WriteBackState.WRITTEN,
            written_revision=row.revision,
            tries=0,
            next_try_at=None,
            ehr_id=outcome.ehr_id,
            ehr_version=outcome.version,
            reason=None,
            mode=outcome.mode,
            words=None,
        )
    if isinstance(outcome, TryLater):
        return replace(row, reason=outcome.reason, mode=outcome.mode or row.mode)
    if isinstance(outcome, NotWritable):
        row = replace(row, mode=outcome.mode or row.mode, words=outcome.words)
    state = WriteBackState.REFUSED if isinstance(outcome, NotWritable) else WriteBackState.GAVE_UP
    return replace(row, state=state, tries=0, next_try_at=None, reason=outcome.reason)


def _remember(unit: Unit, fact: Fact, outcome: Written) -> None:
    """Keep where patient and visits are on the EHR."""
    found = dict(outcome.appointment_ids)
    for told in fact.appointments:
        theirs = found.get(told.id)
        if theirs is not None and theirs != told.ehr_id:
            stored = unit.appointments.find(told.scope, told.identifiers)
            if stored is not None and stored.id == told.id:
                unit.appointments.save(replace(stored, ehr_id=theirs))
    if outcome.patient_id is not None and outcome.patient_id != fact.patient.ehr_id:
        unit.patients.link(fact.patient.id, outcome.patient_id)


def _task(fact: Fact, outcome: WriteOutcome, tries: int, now: datetime) -> StaffTask | None:
    """What a person should do about it, if anything."""
    practice = _practice(fact)
    if isinstance(outcome, NoChart):  # one task a patient, however many facts wait
        return StaffTask(0, TaskKind.LINK_PATIENT, practice, outcome.reason, now, patient_id=fact.patient.id)
    if isinstance(outcome, TryLater) and tries == TELL_STAFF_AFTER:
        reason = f"the EHR has not taken it in {tries} tries, which go on: {outcome.reason}"
    elif isinstance(outcome, NotWritable):
        reason = outcome.reason
    else:
        return None
    return StaffTask(
        0,
        TaskKind.WRITE_BACK,
        practice,
        reason,
        now,
        patient_id=fact.patient.id,
        reply_id=None if fact.reply is None else fact.reply.id,
        text_id=fact.row.subject_id if fact.row.kind is WriteBackKind.TEXT else None,
    )


def _practice(fact: Fact) -> str | None:
    named = (
        fact.task and fact.task.practice,
        fact.reply and fact.reply.practice,
        fact.text and fact.text.practice,
        *(visit.practice for visit in fact.appointments),
    )
    return next((each for each in named if each), None)
