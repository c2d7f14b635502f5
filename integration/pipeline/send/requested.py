"""A text that a person asks for: looked at once more like any other, then written down, held, or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.aftermath import open_task
from integration.domain.catalog_sections import OF_A_VISIT, FreeForm
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.free_text import flagged
from integration.domain.last_look import (
    LATER,
    PRIVATE,
    SOON,
    Hold,
    Skip,
    Verdict,
    of_caps,
    of_hours,
    of_patient,
)
from integration.domain.letter import Composed, WordingError
from integration.domain.line_type import LANDLINE
from integration.domain.recipient_zone import recipient_zones
from integration.domain.sms_segments import measure
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import OPT_IN, OWN_WORDS, Subject, TextKind, TextMessage
from integration.domain.text_request import RequestSource, RequestState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send.desk import NO_PROVIDER, Offer
from integration.pipeline.send.free_words import language_of, words_of
from integration.pipeline.send.line import of_line
from integration.pipeline.send.waiting import is_request_waiting

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.domain.text_request import TextRequest
    from integration.pipeline.send.desk import Desk
    from integration.ports.store import Unit
    from integration.settings.model import Practice, Settings

NO_NUMBER: Final = "the patient has no number for texts"
NO_PRACTICE: Final = "no practice could be told that texts this patient"
VISIT_MOVED: Final = "the visit was moved or called off since the text was asked for"
SENSITIVE: Final = "the visit is at a place that the practice does not text about"
NOT_THE_PATIENT: Final = "the request is for somebody else than the patient, who is of age"
OPT_IN_OFF: Final = "the practice confirms no opt-ins any more"
KNOWN_ALREADY: Final = "the number was told before what the texts are"
SAID_SOON: Final = "a text about the visit goes within a day, and says what the texts are"
BEING_PLANNED: Final = "the visit's own texts are being planned"
FLAGGED: Final = "the words hold clinical, financial or marketing content, or a link"
_A_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(hours=168)
# Why it is refused → what charts understand
_FAILURES: Final = {
    "opted out": Failure.OPTED_OUT,
    "consent to texts was refused": Failure.OPTED_OUT,
    "the number is not the patient's": Failure.BAD_NUMBER,
    "the number cannot receive texts": Failure.BAD_NUMBER,
    LANDLINE: Failure.BAD_NUMBER,
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
    ends = text.not_after
    if request.override is None:
        zones = desk.zones_of([patient], practice)
        ends = min(ends, practice.plan.hours.closing(desk.now, *zones))
    return Offer(text, desk.attempt(text), ends - desk.now)


def foresee(desk: Desk, request: TextRequest) -> Verdict:
    """What would be said of it now, as far as reading tells: nothing is locked or written down."""
    patient = desk.unit.patients.survivor(request.patient_id)
    practice = desk.workshop.settings.practices.get(request.practice or "")
    number = None if practice is None else patient.number_on(desk.now.astimezone(practice.plan.zone).date())
    return _standing(desk, replace(request, patient_id=patient.id), patient, practice, number)


def still_stands(desk: Desk, request: TextRequest, practice: Practice, number: str) -> Verdict:
    """Whether what was written down, and never taken by the carrier, may still be said to this patient."""
    patient = desk.unit.patients.survivor(request.patient_id)
    local = desk.now.astimezone(practice.plan.zone)
    recorded = desk.unit.patients.consent(patient.id)
    return of_patient(patient, number, practice.consent, recorded=recorded, now=local) or of_request(
        replace(request, patient_id=patient.id),
        patient,
        practice,
        desk.workshop.settings,
        visit_of(desk.unit, request),
        now=desk.now,
    )


def put_off(desk: Desk, request_id: int, why: str) -> None:
    """What surprised waits a while, with its reason."""
    request = desk.unit.requests.get(request_id)
    desk.unit.requests.save(replace(request, due_at=desk.now + LATER, reason=why))


def of_request(
    request: TextRequest,
    patient: Patient,
    practice: Practice,
    settings: Settings,
    visit: Appointment | None,
    *,
    now: datetime,
) -> Verdict:
    """What its words, its reader and its visit say of it, whoever asks and however urgent it is."""
    is_minor = patient.is_minor(now.astimezone(practice.plan.zone).date())
    if request.to_related and not is_minor:
        return Skip(NOT_THE_PATIENT)
    discreet = visit is not None and settings.is_sensitive(visit)
    if discreet and (is_minor or not practice.sensitive_texts):
        # Laws let minors see some clinicians without their parents (45 CFR 164.502(g)(3)).
        return Skip(PRIVATE if is_minor else SENSITIVE)
    if visit is not None and request.form in OF_A_VISIT and not _stands(visit, request):
        return Skip(VISIT_MOVED)
    catalogs = [settings.catalogs[language] for language in practice.languages]
    if practice.refuse_flagged_words and flagged(request.body, catalogs):
        return Skip(FLAGGED)
    try:
        words_of(request, patient, practice, settings, visit, now=now)
    except WordingError as why:
        return Skip(str(why))
    return None


def _stands(visit: Appointment, request: TextRequest) -> bool:
    """Whether the visit is as it was when the text was asked for."""
    is_theirs = visit.is_expected and request.patient_id in visit.patients
    return is_theirs and visit.slot.start is not None and visit.slot_number == request.slot_number


def of_moment(
    unit: Unit, request: TextRequest, patient: Patient, practice: Practice, number: str, *, now: datetime
) -> Verdict:
    """Whether it may arrive at this hour and on this day: the only rules that its author may override."""
    if request.override is not None:
        return None
    zones = recipient_zones([patient], practice.plan.zone)
    return of_hours(practice.plan.hours, zones, not_after=request.not_after, now=now) or of_caps(
        unit.texts.offered_to(number, now - _WEEK),
        per_day=practice.caps.per_day,
        per_week=practice.caps.per_week,
        hours=practice.plan.hours,
        zones=zones,
        not_after=request.not_after,
        now=now,
    )


def visit_of(unit: Unit, request: TextRequest) -> Appointment | None:
    """The visit it is about, with its patients as they are known now."""
    if request.appointment_id is None:
        return None
    visit = unit.appointments.get(request.appointment_id)
    return replace(visit, patients=tuple(unit.patients.survivor(each).id for each in visit.patients))


def _verdict(
    desk: Desk, request: TextRequest, patient: Patient, practice: Practice | None, number: str | None
) -> Verdict:
    """All that holds of a reminder holds of it, but what only a visit can say."""
    if practice is None or _forbidden(desk, request) is not None:
        return _standing(desk, request, patient, practice, number)
    if is_request_waiting(desk.unit, desk.workshop, request, patient):
        return Hold(desk.now + SOON, "news of the request or its patient is being read")
    own = None
    if number is not None and request.source is RequestSource.OPT_IN:
        own = _of_opt_in(desk, request, practice, number)
    if isinstance(own, Skip):  # what will never go need not wait for its hour
        return own
    verdict = _standing(desk, request, patient, practice, number) or own
    return verdict or desk.of_practice(practice) or (None if number is None else of_line(desk, number))


def _of_opt_in(desk: Desk, request: TextRequest, practice: Practice, number: str) -> Verdict:
    """What only a text says that nobody asked for: it is the first of its practice, or none."""
    if not practice.opt_in_text:
        return Skip(OPT_IN_OFF)
    if desk.unit.texts.was_texted(number, practice.name):
        return Skip(KNOWN_ALREADY)
    if desk.unit.changes.waits(desk.unit.appointments.to_come(request.patient_id, desk.now)):
        return Hold(desk.now + SOON, BEING_PLANNED)
    coming = [
        reminder.due_at
        for reminder in desk.unit.reminders.open_of_number(number)
        if reminder.practice == practice.name and reminder.due_at <= desk.now + _A_DAY
    ]
    if coming:  # a text of its own beside it would be the second of a day
        return Hold(max(*coming, desk.now) + SOON, SAID_SOON)
    return desk.of_budget(practice)


def _standing(
    desk: Desk, request: TextRequest, patient: Patient, practice: Practice | None, number: str | None
) -> Verdict:
    """What stands against it, or holds it up, by what is known."""
    if practice is None:
        return Skip(NO_PRACTICE)
    forbidden = _forbidden(desk, request)
    if forbidden is not None:
        return Skip(forbidden)
    local = desk.now.astimezone(practice.plan.zone)
    recorded = desk.unit.patients.consent(patient.id)
    verdict = of_patient(patient, number or "", practice.consent, recorded=recorded, now=local)
    if number is None:
        unreachable = patient.silence is not None or patient.is_minor(local.date())
        return verdict if unreachable else Skip(NO_NUMBER)
    visit, settings = visit_of(desk.unit, request), desk.workshop.settings
    return (
        desk.of_number(number, practice)
        or verdict
        or of_request(request, patient, practice, settings, visit, now=desk.now)
        or of_moment(desk.unit, request, patient, practice, number, now=desk.now)
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
    if request.source is RequestSource.OPT_IN:  # nobody asked, and the visit's own texts say the same
        desk.unit.requests.save(replace(request, state=RequestState.REFUSED, reason=why))
        return
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
    asked = "that was asked for on the page"
    if request.source is RequestSource.CHART:
        asked = "that the chart asks for"
        desk.unit.write_backs.want(WriteBackKind.REQUEST, request.id, patient.id)
    open_task(
        desk.unit,
        StaffTask(
            id=0,
            kind=TaskKind.CALL_PATIENT,
            practice=request.practice,
            reason=f"The text {asked} was not sent: {why}. Please call.",
            created_at=desk.now,
            due_at=_start(desk, request),
            patient_id=patient.id,
            appointment_id=request.appointment_id,
            text_id=text_id,
        ),
        desk.workshop.settings,
    )


def _start(desk: Desk, request: TextRequest) -> datetime | None:
    """When the visit that it is about begins, if it is about one still to come."""
    visit = visit_of(desk.unit, request)
    start = None if visit is None else visit.slot.start
    return start if start is not None and start > desk.now else None


def _text(desk: Desk, request: TextRequest, patient: Patient, practice: Practice, number: str) -> TextMessage:
    """What goes out, or would have gone: words that cannot leave are kept as they were written."""
    settings = desk.workshop.settings
    try:
        visit = visit_of(desk.unit, request)
        composed = words_of(request, patient, practice, settings, visit, now=desk.now)
    except WordingError:
        weight = measure(request.body)
        composed = Composed(request.body, weight.encoding, weight.segments)
    return TextMessage(
        id=0,
        practice=practice.name,
        number=number,
        kind=TextKind.FREE,
        occasion=_occasion(request),
        language=language_of(patient, practice, desk.now),
        body=composed.body,
        encoding=composed.encoding,
        segments=composed.segments,
        created_at=desk.now,
        not_after=request.not_after,
        subjects=(Subject(patient.id, request.appointment_id),),
    )


def _occasion(request: TextRequest) -> str:
    if request.source is RequestSource.OPT_IN:
        return OPT_IN
    return OWN_WORDS if request.form is FreeForm.OWN_WORDS else request.form
