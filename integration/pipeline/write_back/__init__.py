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

from integration.domain.pace import TELL_EVERY
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.write_back import TELL_STAFF_AFTER, WriteBackKind, WriteBackState, rest
from integration.pipeline.write_back.facts import fact_of
from integration.ports.ehr import Fact, LeftOut, NoChart, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.circuit import Circuit
    from integration.domain.clock import Clock
    from integration.domain.pace import Pace, Progress
    from integration.domain.write_back import WriteBack
    from integration.ports.ehr import WriteBackMode, WriteOutcome
    from integration.ports.store import Store, Unit

LEASE: Final = timedelta(minutes=5)
BACKLOG: Final = 50  # facts that wait, from which on it is told how far we are

_log = structlog.get_logger()


def nowhere(visit: Appointment) -> bool:  # noqa: ARG001 - there are none
    """No place is sensitive."""
    return False


def unassigned(task: StaffTask) -> StaffTask:
    """No practice has queues."""
    return task


def write_next(
    store: Store,
    mode: WriteBackMode,
    clock: Clock,
    jitter: Callable[[], float],
    circuit: Circuit,
    *,
    is_sensitive: Callable[[Appointment], bool] = nowhere,
    kinds: Collection[WriteBackKind] | None = None,
    in_time: Callable[[StaffTask], StaffTask] = unassigned,
) -> bool:
    """Tell the chart one fact that is due; False when there is none, or the EHR is being let be.

    `kinds`: what this circuit's server is told of, None: all there is. `jitter` gives numbers in [0, 1).
    Of visits that are `is_sensitive` no patient's own words are told; `in_time` puts a task for staff into
    their queue, due in time. Raises `StoreUnavailable`.
    """
    let_in = circuit.admit(clock.wall())
    if let_in is None:
        return False
    try:
        fact = _claim(store, clock.wall(), is_sensitive, kinds)
        if not isinstance(fact, Fact):
            return fact
        outcome = _write(mode, fact)
        if isinstance(outcome, TryLater) and outcome.away:
            circuit.failed(let_in, clock.wall(), outcome.after, jitter())
        else:
            circuit.heard()
        _settle(store, fact, outcome, clock, jitter=jitter(), in_time=in_time)
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
    is_sensitive: Callable[[Appointment], bool] = nowhere,
    kinds: Collection[WriteBackKind] | None = None,
    in_time: Callable[[StaffTask], StaffTask] = unassigned,
    limit: int = 100,
    pace: Pace | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Tell the chart what is due, at most `limit` facts, no faster than `pace`; how many there were."""
    for done in range(limit):
        if pace is not None and (wait := pace.wait(clock.wall())):
            sleep(wait.total_seconds())
        if not write_next(
            store, mode, clock, jitter, circuit, is_sensitive=is_sensitive, kinds=kinds, in_time=in_time
        ):
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


def _claim(
    store: Store,
    now: datetime,
    is_sensitive: Callable[[Appointment], bool],
    kinds: Collection[WriteBackKind] | None,
) -> Fact | bool:
    """The next fact, leased; else whether there was a row at all (whose text or reply is gone)."""
    with store.unit() as unit:
        row = unit.write_backs.claim(now, now + LEASE, kinds)
        if row is None:
            return False
        fact = fact_of(unit, row, is_sensitive)
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


def _settle(
    store: Store,
    fact: Fact,
    outcome: WriteOutcome,
    clock: Clock,
    *,
    jitter: float,
    in_time: Callable[[StaffTask], StaffTask],
) -> None:
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
            unit.tasks.add(in_time(task))  # about writing, so no chart is told
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
        due_at=_soonest(fact, now),
        patient_id=fact.patient.id,
        reply_id=None if fact.reply is None else fact.reply.id,
        text_id=fact.row.subject_id if fact.row.kind is WriteBackKind.TEXT else None,
    )


def _soonest(fact: Fact, now: datetime) -> datetime | None:
    """When the first of its visits to come begins."""
    starts = (visit.slot.start for visit in fact.appointments)
    return min((start for start in starts if start is not None and start > now), default=None)


def _practice(fact: Fact) -> str | None:
    named = (
        fact.task and fact.task.practice,
        fact.reply and fact.reply.practice,
        fact.text and fact.text.practice,
        *(visit.practice for visit in fact.appointments),
    )
    return next((each for each in named if each), None)
