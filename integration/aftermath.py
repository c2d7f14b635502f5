"""Writes down news and what follows, for every step that hears some: sending, tracking, looking up, replies.

The chart is told, failure has its consequences, and staff get their work.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.domain.consequences import OPT_OUT_BREAKER, of_failure
from integration.domain.delivery_news import DeliveryNews
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reminder import OPEN, ReminderState
from integration.domain.second_try import TRIED_AGAIN, second_try
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import AttemptState, TextKind
from integration.domain.text_request import RequestSource
from integration.domain.write_back import WriteBackKind
from integration.stops import stop, told_anew

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from integration.domain.consequences import Breaker
    from integration.domain.reminder import Reminder
    from integration.domain.staff_task import Done
    from integration.domain.text_message import TextMessage
    from integration.ports.sms import ProviderText
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Settings

_AN_HOUR = timedelta(hours=1)
_PASSED = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED})
# An offer that may have gone out after all: whatever became of another one, its text is not tried again.
_DOUBTFUL = frozenset({AttemptState.ABSENT, AttemptState.UNCERTAIN, AttemptState.UNRESOLVED})


def as_news(
    text: ProviderText, provider: str, failures: Mapping[str, Failure], *, at: datetime
) -> DeliveryNews:
    """What the provider's record of a text tells; `at` (wall) is when we asked."""
    failed = text.error_code is not None
    return DeliveryNews(
        provider=provider,
        provider_id=text.provider_id,
        word=text.word,
        status=text.status,
        at=at,
        taken_at=text.created_at,
        sent_at=text.sent_at,
        error_code=text.error_code,
        failure=failures.get(text.error_code or "", Failure.UNKNOWN) if failed else None,
        sender=text.sender,
        segments=text.segments,
        price=text.price,
        currency=text.currency,
    )


def record(
    unit: Unit,
    workshop: Workshop,
    *,
    before: TextMessage,
    after: TextMessage,
    open_breakers: Collection[str] = (),
) -> Breaker | None:
    """Store a text after news of it, under its number's lock.

    `open_breakers` were read before the unit began. Returns the breaker to open once the unit has
    committed: breakers live outside units.
    """
    if after != before:
        unit.texts.update(after)
    if after.status in _PASSED and before.status not in _PASSED and after.kind is TextKind.ANSWER:
        # While a number awaits START only answers of ours go there; what arrives is not blocked.
        offered_at = after.offered_at or after.created_at
        if unit.consents.passed(after.number, workshop.clock.calendar(), offered_at=offered_at):
            told_anew(unit, after.number)
    if _chart_facts(after) != _chart_facts(before):
        for patient_id in sorted({subject.patient_id for subject in after.subjects}):
            unit.write_backs.want(WriteBackKind.TEXT, after.id, patient_id)
        _end_its_request(unit, after)
    if after.status is before.status or after.failure is None:
        return None
    return _bear(unit, workshop, after, open_breakers)


def _end_its_request(unit: Unit, text: TextMessage) -> None:
    """What a chart asked for is brought to its end there, once it is known to have left or not."""
    under_way = text.status in {DeliveryStatus.QUEUED, DeliveryStatus.ACCEPTED} and text.final_at is None
    request = None if text.kind is not TextKind.FREE or under_way else unit.requests.of_text(text.id)
    if request is not None and request.source is RequestSource.CHART:
        unit.write_backs.want(WriteBackKind.REQUEST, request.id, request.patient_id)


def _chart_facts(text: TextMessage) -> tuple[object, ...]:
    """What a chart shows of a text's way."""
    return (text.status, text.failure, text.unresolved, text.final_at)


def visit_starts(unit: Unit, text: TextMessage) -> dict[int, datetime]:
    """When the visits of a text begin, by appointment id."""
    ids = {subject.appointment_id for subject in text.subjects if subject.appointment_id is not None}
    starts = {visit: unit.appointments.get(visit).slot.start for visit in ids}
    return {visit: start for visit, start in starts.items() if start is not None}


def account_refused(unit: Unit, workshop: Workshop, text: TextMessage, code: str) -> Breaker | None:
    """The provider refused us, not the text: it waits, like every other, for a person's release."""
    found = of_failure(
        text,
        Failure.ACCOUNT,
        code,
        now=workshop.clock.calendar(),
        visits={},
        opt_outs_left=0,
        covers_all_senders=True,
    )
    for task in found.tasks:
        if task.kind is TaskKind.RELEASE:
            open_task(unit, task, workshop.settings)
    return found.breaker


def in_time(task: StaffTask, settings: Settings) -> StaffTask:
    """The task with its practice's queue, and due in time before the visit that `due_at` tells."""
    practice = settings.practices.get(task.practice or "")
    if practice is None:
        return task
    due = task.due_at
    if due is not None:
        due = practice.tasks.due(due, task.created_at, practice.office, practice.plan.zone)
    return replace(task, owner=task.owner or practice.tasks.owner(task.kind), due_at=due)


def open_task(unit: Unit, task: StaffTask, settings: Settings) -> None:
    """Put it on the staff's list, unless it is there; the chart is told of what is its patient's matter.

    Its `due_at` is the visit's start: it is put into its practice's queue, due in time before.
    """
    task = in_time(task, settings)
    opened = unit.tasks.add(task)
    if opened is not None and task.patient_id is not None and task.is_for_a_chart:
        unit.write_backs.want(WriteBackKind.TASK, opened, task.patient_id)


def assign_task(unit: Unit, task_id: int, owner: str | None) -> None:
    """Give an open task to a queue or person; a chart that was told of it is told so."""
    unit.tasks.assign(task_id, owner)
    unit.write_backs.renew(WriteBackKind.TASK, task_id)


def close_task(unit: Unit, task_id: int, at: datetime, done: Done | None = None) -> None:
    """It is done (`at`: calendar), and what came of it; a chart that was told of it is told so."""
    unit.tasks.close(task_id, at, done)
    unit.write_backs.renew(WriteBackKind.TASK, task_id)


def _bear(
    unit: Unit, workshop: Workshop, text: TextMessage, open_breakers: Collection[str]
) -> Breaker | None:
    """The consequences of a text that has just failed."""
    assert text.failure is not None  # noqa: S101 - `record` looked
    now, sending = workshop.clock.calendar(), workshop.settings.sending
    left = sending.automatic_opt_outs_per_hour - unit.numbers.automatic_opt_outs(now - _AN_HOUR)
    filtered = 0
    if text.failure is Failure.FILTERED:
        filtered = unit.texts.failures_since(now - _AN_HOUR, text.practice).get(Failure.FILTERED, 0)
    found = of_failure(
        text,
        text.failure,
        text.error_code,
        now=now,
        visits=visit_starts(unit, text),
        opt_outs_left=0 if OPT_OUT_BREAKER in open_breakers else left,
        covers_all_senders=sending.opt_out_covers_all_senders,
        again=_try_again(unit, text, text.failure, now),
        filtered=filtered,
    )
    for suppression in found.suppressions:
        stop(unit, suppression)
    for task in found.tasks:
        whose = None if task.patient_id is None else unit.patients.survivor(task.patient_id).id
        open_task(unit, replace(task, patient_id=whose), workshop.settings)
    return found.breaker


def _try_again(unit: Unit, text: TextMessage, failure: Failure, now: datetime) -> frozenset[int]:
    """Plan a second try of what the text said; the visits it will speak of."""
    if text.kind is not TextKind.REMINDER:
        return frozenset()
    at = second_try(failure, now=now, unreachable_in_a_row=unit.texts.unreachable_in_a_row(text.number))
    if at is None or any(attempt.state in _DOUBTFUL for attempt in unit.texts.attempts(text.id)):
        return frozenset()
    planned = [
        replace(
            reminder,
            state=ReminderState.HELD,
            reason=TRIED_AGAIN,
            due_at=at,
            text_id=None,
            after_text_id=text.id,
            decided_at=now,
        )
        for reminder in unit.reminders.of_text(text.id)
        if reminder.state is ReminderState.SENT
        and reminder.after_text_id is None
        and at <= reminder.not_after
    ]
    unit.reminders.update(planned)
    return frozenset(reminder.appointment_id for reminder in planned)


def not_again(unit: Unit, text: TextMessage, now: datetime) -> None:
    """The text may have arrived after all: what was to be said once more, and has not been, is not."""
    visits = sorted({each.appointment_id for each in text.subjects if each.appointment_id is not None})
    unit.changes.waits(visits)  # from here on nobody plans them until this unit ends
    unit.reminders.update(
        [
            replace(
                reminder,
                state=ReminderState.SENT,
                reason=None,
                text_id=text.id,
                after_text_id=None,
                decided_at=now,
            )
            for visit in visits
            for reminder in unit.reminders.of_appointment(visit)
            if reminder.after_text_id == text.id and reminder.state in OPEN
        ]
    )


def call_instead(unit: Unit, reminder: Reminder, reason: str, now: datetime, settings: Settings) -> None:
    """A person calls about a visit that still stands and whose text was tried in vain."""
    appointment = unit.appointments.get(reminder.appointment_id)
    start = appointment.slot_numbered(reminder.slot_number).start
    news_of_the_past = appointment.is_expected and reminder.slot_number != appointment.slot_number
    whose = unit.patients.survivor(reminder.patient_id).id
    if start is None or start <= now or appointment.is_confirmed_by(whose) or news_of_the_past:
        return
    why = f"did not arrive: {reason}"
    ask_to_call(unit, reminder, why, now, settings, text_id=reminder.after_text_id or reminder.text_id)


def ask_to_call(
    unit: Unit,
    reminder: Reminder,
    why: str,
    now: datetime,
    settings: Settings,
    *,
    text_id: int | None = None,
) -> None:
    """A person calls in place of a reminder's text, before the visit it was to speak of."""
    task = StaffTask(
        id=0,
        kind=TaskKind.CALL_PATIENT,
        practice=reminder.practice,
        reason=f"The text '{reminder.step}' {why}. Please call.",
        created_at=now,
        due_at=unit.appointments.get(reminder.appointment_id).slot_numbered(reminder.slot_number).start,
        patient_id=unit.patients.survivor(reminder.patient_id).id,
        appointment_id=reminder.appointment_id,
        text_id=text_id,
    )
    open_task(unit, task, settings)
