"""A text that a chart asks for: looked at once more like any other, then written down, held, or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.aftermath import open_task
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.free_text import signed
from integration.domain.last_look import LATER, SOON, Hold, Skip, Verdict, of_caps, of_hours, of_patient
from integration.domain.sms_segments import measure
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.domain.text_request import RequestState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send.desk import NO_PROVIDER, Offer
from integration.pipeline.send.waiting import is_request_waiting

if TYPE_CHECKING:
    from integration.domain.recipient import Patient
    from integration.domain.text_request import TextRequest
    from integration.pipeline.send.desk import Desk
    from integration.settings.model import Practice

OCCASION: Final = "request"
NO_NUMBER: Final = "the patient has no number for texts"
_WEEK: Final = timedelta(hours=168)
# Why it is refused → what charts understand
_FAILURES: Final = {
    "opted out": Failure.OPTED_OUT,
    "consent to texts was refused": Failure.OPTED_OUT,
    "the number is not the patient's": Failure.BAD_NUMBER,
    "the number cannot receive texts": Failure.BAD_NUMBER,
}


def offer_request(desk: Desk, request: TextRequest) -> Offer | None:
    """Write down its text, or say why not."""
    patient = desk.unit.patients.survivor(request.patient_id)
    request = replace(request, patient_id=patient.id)
    practice = desk.workshop.settings.practices.get(request.practice or "")
    number = None if practice is None else patient.number_on(desk.now.astimezone(practice.plan.zone).date())
    if number is not None:
        desk.unit.numbers.lock(number)
        patient = desk.unit.patients.survivor(request.patient_id)
    verdict = _verdict(desk, request, patient, practice, number)
    if isinstance(verdict, Hold):
        desk.unit.requests.save(replace(request, due_at=verdict.until, reason=verdict.reason))
        return None
    if isinstance(verdict, Skip) or practice is None or number is None:
        _refuse(desk, request, patient, number, verdict.reason if verdict else NO_NUMBER)
        return None
    text = desk.unit.texts.add(replace(_text(desk, request, patient, practice, number), offered_at=desk.now))
    desk.unit.requests.save(replace(request, state=RequestState.SENT, reason=None, text_id=text.id))
    ends = min(text.not_after, practice.plan.hours.closing(desk.now, practice.plan.zone))
    return Offer(text, desk.attempt(text), ends - desk.now)


def put_off(desk: Desk, request_id: int, why: str) -> None:
    """What surprised waits a while, with its reason."""
    request = desk.unit.requests.get(request_id)
    desk.unit.requests.save(replace(request, due_at=desk.now + LATER, reason=why))


def _verdict(
    desk: Desk, request: TextRequest, patient: Patient, practice: Practice | None, number: str | None
) -> Verdict:
    """All that holds of a reminder holds of it, but what only a visit can say."""
    if practice is None:
        return Skip("no practice could be told that texts this patient")
    forbidden = _forbidden(desk, request)
    if forbidden is not None:
        return Skip(forbidden)
    if is_request_waiting(desk.unit, desk.workshop, request, patient):
        return Hold(desk.now + SOON, "news of the request or its patient is being read")
    local = desk.now.astimezone(practice.plan.zone)
    recorded = desk.unit.patients.consent(patient.id)
    verdict = of_patient(patient, number or "", practice.consent, recorded=recorded, now=local)
    if number is None:
        unreachable = patient.silence is not None or patient.is_minor(local.date())
        return verdict if unreachable else Skip(NO_NUMBER)
    return (
        desk.of_number(number, practice)
        or verdict
        or of_hours(practice.plan, not_after=request.not_after, now=desk.now)
        or desk.of_practice(practice)
        or of_caps(
            desk.unit.texts.offered_to(number, desk.now - _WEEK),
            per_day=practice.caps.per_day,
            per_week=practice.caps.per_week,
            rules=practice.plan,
            not_after=request.not_after,
            now=desk.now,
        )
    )


def _forbidden(desk: Desk, request: TextRequest) -> str | None:
    feed = desk.workshop.settings.feeds.get(request.feed)
    checks = (
        (feed is None or feed.state == "shadow", "the feed is in shadow"),
        (desk.now > request.not_after, "too late to be useful"),
        # A switch-on sends nothing already due.
        (request.reason == NO_PROVIDER, "was due while there was no provider"),
    )
    return next((reason for applies, reason in checks if applies), None)


def _refuse(desk: Desk, request: TextRequest, patient: Patient, number: str | None, why: str) -> None:
    """The chart is told that it did not happen, and whoever asked that somebody should call."""
    practice = desk.workshop.settings.practices.get(request.practice or "")
    text_id = None
    if number is not None and practice is not None:
        failed = replace(
            _text(desk, request, patient, practice, number),
            status=DeliveryStatus.FAILED,
            word="not offered",
            failure=_FAILURES.get(why),
            final_at=desk.now,
        )
        text_id = desk.unit.texts.add(failed).id
        desk.unit.write_backs.want(WriteBackKind.TEXT, text_id, patient.id)
    desk.unit.requests.save(replace(request, state=RequestState.REFUSED, reason=why, text_id=text_id))
    desk.unit.write_backs.want(WriteBackKind.REQUEST, request.id, patient.id)
    open_task(
        desk.unit,
        StaffTask(
            id=0,
            kind=TaskKind.CALL_PATIENT,
            practice=request.practice,
            reason=f"The text that the chart asks for was not sent: {why}. Please call.",
            created_at=desk.now,
            patient_id=patient.id,
            text_id=text_id,
        ),
    )


def _text(desk: Desk, request: TextRequest, patient: Patient, practice: Practice, number: str) -> TextMessage:
    body = signed(request.body, practice.public_name)
    weight = measure(body)
    language = patient.language_on(desk.now.astimezone(practice.plan.zone).date())
    return TextMessage(
        id=0,
        practice=practice.name,
        number=number,
        kind=TextKind.FREE,
        occasion=OCCASION,
        language=language or practice.languages[0],
        body=body,
        encoding=weight.encoding,
        segments=weight.segments,
        created_at=desk.now,
        not_after=request.not_after,
        subjects=(Subject(patient.id),),
    )
