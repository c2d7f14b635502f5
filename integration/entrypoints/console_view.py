"""What the console shows of one patient: visits with each step's decision, the thread, consent, tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.identity import patient_key
from integration.domain.phone_number import mask, parse
from integration.domain.reminder_decision import decisions
from integration.domain.text_message import TextKind
from integration.domain.text_request import RequestSource, RequestState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.reminder_decision import Decision
    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import TextMessage
    from integration.domain.text_request import TextRequest
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Settings

BACK: Final = timedelta(days=365)
_TYPES: Final = ("MR", "", "PI", "PT", "MRN")  # HL7 table 0203; what most senders write at PID-3.5
_CX: Final = 5  # components as far as the type
# our status → what a person reads
_STATUS: Final = {
    DeliveryStatus.QUEUED: "waiting to go",
    DeliveryStatus.ACCEPTED: "on its way",
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.UNDELIVERED: "did not arrive",
    DeliveryStatus.FAILED: "not sent",
}
_MEANT: Final = {
    "confirm": "confirmed the visit",
    "cancel": "cannot come: staff decide",
    "reschedule": "wants another time: staff decide",
    "stop": "stopped all texts",
    "start": "wants texts again",
    "help": "asked for help",
    "wrong_number": "says this is not the patient's number",
    "human": "for a person to read",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One text of the thread, or one that waits or was refused."""

    key: str
    at: datetime  # local
    side: str  # practice | patient | waiting | lost
    body: str
    word: str
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class VisitView:
    """One visit to come."""

    visit: Appointment
    start: datetime  # local
    steps: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class PatientView:
    """Everything the page shows of one patient."""

    patient: Patient
    number: str  # masked
    practice: str | None
    zone: ZoneInfo
    visits: tuple[VisitView, ...]
    thread: tuple[Entry, ...]
    consent: str
    tasks: tuple[StaffTask, ...]


def found(unit: Unit, settings: Settings, words: str) -> list[Patient]:
    """Who has this phone number or identifier (`480017`, or as PID-3 has it: `480017^^^NGMRN^MR`)."""
    numbers = {parse(words, feed.region) for feed in settings.feeds.values()} - {None}
    patients: dict[int, Patient] = {}
    for number in sorted(filter(None, numbers)):
        patients |= {each.id: each for each in unit.patients.with_number(number)}
    for scope, keys in _keys(settings, words):
        for key in keys:
            patient = unit.patients.find(scope, [key])
            if patient is not None:
                patient = unit.patients.survivor(patient.id)
                patients[patient.id] = patient
    return list(patients.values())


def _keys(settings: Settings, words: str) -> Iterator[tuple[str, list[str]]]:
    """By scope, the keys under which an identifier may stand."""
    written = words.strip().split("^")
    for feed in settings.feeds.values():
        if len(written) >= _CX:
            yield feed.scope, [patient_key(written[3].partition("&")[0], written[4], written[0])]
            continue
        systems = feed.identifier_systems
        authorities = dict.fromkeys(["", "Patient.id", *systems, *systems.values()])
        yield feed.scope, [patient_key(each, kind, written[0]) for each in authorities for kind in _TYPES]


def view_of(unit: Unit, workshop: Workshop, patient_id: int) -> PatientView:
    """Read all of it; raises KeyError for nobody's id."""
    patient = unit.patients.survivor(patient_id)
    settings, now = workshop.settings, workshop.clock.calendar()
    to_come = [unit.appointments.get(each) for each in unit.appointments.to_come(patient.id, now)]
    coming = sorted(
        (each for each in to_come if each.is_expected and each.slot.start is not None),
        key=lambda each: (each.slot.start or now, each.id),
    )
    practice = next((each.practice for each in coming if each.practice in settings.practices), None)
    if practice is None:
        told = unit.texts.of_patient(patient.id, now - BACK)
        names = (text.practice for text in reversed(told))
        practice = next((name for name in names if name in settings.practices), None)
    if practice is None and len(settings.practices) == 1:
        practice = next(iter(settings.practices))
    zone = settings.practices[practice].plan.zone if practice else ZoneInfo("UTC")
    number = patient.number_on(now.astimezone(zone).date())
    visits = tuple(_visit(unit, settings, each, patient) for each in coming)
    return PatientView(
        patient=patient,
        number="" if number is None else mask(number),
        practice=practice,
        zone=zone,
        visits=visits,
        thread=tuple(_thread(unit, patient, number, now, zone)),
        consent=_consent(unit, patient, number),
        tasks=tuple(task for task in unit.tasks.open() if task.patient_id == patient.id),
    )


def _visit(unit: Unit, settings: Settings, visit: Appointment, patient: Patient) -> VisitView:
    practice = settings.practices.get(visit.practice or "")
    rules = None if practice is None else practice.plan
    steps = decisions(visit, unit.reminders.of_appointment(visit.id), rules)
    start = visit.slot.start or datetime.min.replace(tzinfo=ZoneInfo(visit.zone))
    return VisitView(
        visit,
        start.astimezone(ZoneInfo(visit.zone)),
        tuple(step for step in steps if step.patient_id == patient.id),
    )


def _consent(unit: Unit, patient: Patient, number: str | None) -> str:
    if patient.silence is not None:
        return f"No texts: {patient.silence}."
    if number is None:
        return "No texts: no number for texts is known."
    stopped = unit.numbers.suppressions(number)
    if stopped:
        return (
            f"No texts: the number is blocked ({', '.join(sorted({each.kind.value for each in stopped}))})."
        )
    recorded = unit.patients.consent(patient.id)
    if recorded is None:
        return "Nothing is recorded about texts; the practice's policy decides."
    return "The patient agreed to texts." if recorded else "No texts: the patient refused them."


def _thread(unit: Unit, patient: Patient, number: str | None, now: datetime, zone: ZoneInfo) -> list[Entry]:
    """Texts both ways and what waits, the newest last."""
    requests = unit.requests.of_patient(patient.id)
    asked = {each.text_id: each for each in requests if each.text_id is not None}
    heard: Sequence[Reply] = () if number is None else unit.replies.heard_since(number, now - BACK)
    # What one of several people on a number wrote belongs here only where it surely is this patient's.
    heard = [each for each in heard if each.patient_id in {None, patient.id}]
    texts = {each.id: each for each in unit.texts.of_patient(patient.id, now - BACK)}
    if number is not None:
        ours = {each.id for each in heard}
        answers = unit.texts.answers_to(number, now - BACK)
        texts |= {each.id: each for each in answers if each.answers_reply in ours}
    entries = [_text(each, asked.get(each.id), patient, zone) for each in texts.values()]
    entries += [_reply(each, zone) for each in heard]
    entries += [_waiting(each, zone, now) for each in requests if each.text_id is None]
    return sorted(entries, key=lambda each: (each.at, each.key))


def _text(text: TextMessage, request: TextRequest | None, patient: Patient, zone: ZoneInfo) -> Entry:
    part = next((each.part for each in text.subjects if each.patient_id == patient.id), None)
    lost = text.status in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED}
    why = request.reason or "" if request is not None else ""
    if lost and not why and text.failure is not None:
        why = text.failure.value.replace("_", " ")
    if request is not None and request.override:
        why = f"{why} Sent beside hours and caps: {request.override}".strip()
    by = (request.author or "") if request is not None else ""
    automatic = "" if text.kind is TextKind.FREE else "automatic"
    return Entry(
        f"t{text.id}",
        (text.offered_at or text.created_at).astimezone(zone),
        "lost" if lost else "practice",
        part or text.body,
        _STATUS[text.status],
        by or automatic,
        why,
    )


def _reply(reply: Reply, zone: ZoneInfo) -> Entry:
    meant = _MEANT.get(reply.intent or "", "being read")
    if reply.urgent:
        meant = "URGENT: read it now"
    return Entry(f"r{reply.id}", reply.heard_at.astimezone(zone), "patient", reply.body or "a picture", meant)


def _waiting(request: TextRequest, zone: ZoneInfo, now: datetime) -> Entry:
    at = (request.asked_at or request.due_at).astimezone(zone)
    words = request.body or request.form.value.replace("_", " ").capitalize()
    if request.source is RequestSource.OPT_IN:
        words = "What our texts are, to confirm the patient's yes"
    if request.state is RequestState.WAITING:
        due = request.due_at.astimezone(zone)
        until = f"waits until {due:%a %b} {due.day} at {due:%-I:%M %p}"
        word = "on its way" if request.due_at <= now else until
        return Entry(f"q{request.id}", at, "waiting", words, word, request.author or "", request.reason or "")
    word = "not sent" if request.state is RequestState.REFUSED else "withdrawn"
    return Entry(f"q{request.id}", at, "lost", words, word, request.author or "", request.reason or "")
