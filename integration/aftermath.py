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
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import TextKind
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from integration.domain.consequences import Breaker
    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import TextMessage
    from integration.ports.sms import ProviderText
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

_AN_HOUR = timedelta(hours=1)


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
    if request is not None:
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
            open_task(unit, task)
    return found.breaker


def open_task(unit: Unit, task: StaffTask) -> None:
    """Put it on the staff's list, unless it is there; the chart is told of what is its patient's matter."""
    opened = unit.tasks.add(task)
    if opened is not None and task.patient_id is not None and task.is_for_a_chart:
        unit.write_backs.want(WriteBackKind.TASK, opened, task.patient_id)


def close_task(unit: Unit, task_id: int, at: datetime) -> None:
    """It is done (`at`: calendar); a chart that was told of it is told so."""
    unit.tasks.close(task_id, at)
    unit.write_backs.renew(WriteBackKind.TASK, task_id)


def _bear(
    unit: Unit, workshop: Workshop, text: TextMessage, open_breakers: Collection[str]
) -> Breaker | None:
    """The consequences of a text that has just failed."""
    assert text.failure is not None  # noqa: S101 - `record` looked
    now, sending = workshop.clock.calendar(), workshop.settings.sending
    left = sending.automatic_opt_outs_per_hour - unit.numbers.automatic_opt_outs(now - _AN_HOUR)
    found = of_failure(
        text,
        text.failure,
        text.error_code,
        now=now,
        visits=visit_starts(unit, text),
        opt_outs_left=0 if OPT_OUT_BREAKER in open_breakers else left,
        covers_all_senders=sending.opt_out_covers_all_senders,
    )
    for suppression in found.suppressions:
        unit.numbers.suppress(suppression)
    for task in found.tasks:
        whose = None if task.patient_id is None else unit.patients.survivor(task.patient_id).id
        open_task(unit, replace(task, patient_id=whose))
    return found.breaker
