"""Sample people, visits, texts and replies for the stories about charts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from integration.domain.appointment import Appointment, Slot
from integration.domain.conversation import Reply
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.recipient import Patient
from integration.domain.reminder import Reminder, ReminderState
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Subject, TextKind, TextMessage
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.ports.ehr import Fact, TryLater, Written

if TYPE_CHECKING:
    from integration.ports.ehr import WriteBackMode, WriteOutcome
    from tests.adapters.ehr.strict_server import Resource, StrictEhr

MRN = "urn:oid:2.16.840.1.113883.19.5"
CREATED = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
START = datetime(2027, 3, 5, 15, 0, tzinfo=UTC)

ANA: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": MRN, "value": "12345"}],
    "name": [{"family": "Secret", "given": ["Ana"]}],
    "birthDate": "1980-04-02",
}
VISIT: dict[str, Any] = {
    "resourceType": "Appointment",
    "identifier": [{"value": "A-9"}],
    "status": "booked",
    "start": "2027-03-05T10:00:00-05:00",
    "end": "2027-03-05T10:30:00-05:00",
    "participant": [{"actor": {"reference": "Patient/ana"}, "status": "accepted"}],
}

UNANSWERED: dict[str, Any] = {
    **VISIT,
    "participant": [{"actor": {"reference": "Patient/ana"}, "status": "needs-action"}],
}


def patient(**changes: Any) -> Patient:
    """Ana, as the feed tells of her."""
    ana = Patient(
        id=4,
        scope="main",
        identifiers=(f"{MRN}|12345",),
        given="Ana",
        family="Secret",
        number="+12025550123",
        birth_date=date(1980, 4, 2),
        resource=ANA,
    )
    return replace(ana, **changes)


def appointment(**changes: Any) -> Appointment:
    """Ana's visit."""
    visit = Appointment(
        id=9,
        scope="main",
        feed="main",
        identifiers=("SCH-2|A-9",),
        patients=(4,),
        status="booked",
        slot=Slot(START),
        zone="America/New_York",
        practice="riverside",
        resource=VISIT,
    )
    return replace(visit, **changes)


def text(**changes: Any) -> TextMessage:
    """A reminder on its way to Ana."""
    reminder = TextMessage(
        id=17,
        practice="riverside",
        number="+12025550123",
        kind=TextKind.REMINDER,
        occasion="five_days",
        language="en",
        body="Riverside Clinic: see you Fri Mar 5 at 10:00 AM. Reply C to confirm.",
        encoding="GSM-7",
        segments=1,
        created_at=CREATED,
        not_after=START,
        subjects=(Subject(4, 9),),
        status=DeliveryStatus.ACCEPTED,
        provider="twilio",
        provider_id="SM0123",
    )
    return replace(reminder, **changes)


def reply(**changes: Any) -> Reply:
    """Ana says yes."""
    yes = Reply(
        id=3,
        provider="twilio",
        provider_id="SM0456",
        number="+12025550123",
        to_number="+12025550100",
        body="C",
        received_at=datetime(2027, 3, 1, 14, 5, tzinfo=UTC),
        heard_at=datetime(2027, 3, 1, 14, 5, tzinfo=UTC),
        intent="confirm",
        practice="riverside",
        text_id=17,
        patient_id=4,
        appointment_id=9,
        done=True,
    )
    return replace(yes, **changes)


SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": datetime(2027, 3, 1, 14, 0, 2, tzinfo=UTC)}
DELIVERED: dict[str, Any] = {
    **SENT,
    "status": DeliveryStatus.DELIVERED,
    "delivered_at": datetime(2027, 3, 1, 14, 0, 9, tzinfo=UTC),
    "final_at": datetime(2027, 3, 1, 14, 0, 9, tzinfo=UTC),
}


def text_fact(row: WriteBack | None = None, /, **changes: Any) -> Fact:
    """The fact of the text, with its news."""
    told = row or WriteBack(id=1, kind=WriteBackKind.TEXT, subject_id=17, patient_id=4)
    return Fact(told, patient(), (appointment(),), text(**changes))


def reply_fact(kind: WriteBackKind = WriteBackKind.REPLY, answered: WriteBack | None = None) -> Fact:
    """The fact of the reply, or of the confirmation in it."""
    row = WriteBack(id=2, kind=kind, subject_id=3, patient_id=4)
    return Fact(row, patient(), (appointment(),), text(**DELIVERED), reply(), answered)


def skipped_fact(reason: str = "opted out") -> Fact:
    """A reminder of Ana's visit that became no text."""
    row = WriteBack(id=6, kind=WriteBackKind.SKIPPED, subject_id=11, patient_id=4)
    reminder = Reminder(
        id=11,
        appointment_id=9,
        patient_id=4,
        number="+12025550123",
        practice="riverside",
        step="two_days",
        slot_number=1,
        due_at=datetime(2027, 3, 3, 15, 0, tzinfo=UTC),
        not_after=START,
        state=ReminderState.SKIPPED,
        reason=reason,
        decided_at=datetime(2027, 3, 3, 15, 0, 1, tzinfo=UTC),
    )
    return Fact(row, patient(), (appointment(),), reminder=reminder)


def wish_fact(intent: str = "stop", *, in_force: bool = True, **changes: Any) -> Fact:
    """Ana's STOP, or her START, told after the Communication r1 of her reply."""
    row = WriteBack(id=4, kind=WriteBackKind.CONSENT, subject_id=3, patient_id=4)
    said = reply(**{"intent": intent, "body": intent.upper(), "appointment_id": None, **changes})
    told = WriteBack(3, WriteBackKind.REPLY, 3, 4, ehr_id="r1", mode="fhir_communication")
    return Fact(row, patient(), reply=said, told=told, in_force=in_force)


def staff_task(**changes: Any) -> StaffTask:
    """Ana cannot come."""
    wish = StaffTask(
        id=7,
        kind=TaskKind.CANCEL_WISH,
        practice="riverside",
        reason="The patient cannot come. Nothing was cancelled.",
        created_at=datetime(2027, 3, 1, 14, 5, tzinfo=UTC),
        due_at=START,
        patient_id=4,
        appointment_id=9,
        reply_id=3,
    )
    return replace(wish, **changes)


def task_fact(**changes: Any) -> Fact:
    """The work that her reply made for staff."""
    row = WriteBack(id=5, kind=WriteBackKind.TASK, subject_id=7, patient_id=4)
    told = WriteBack(3, WriteBackKind.REPLY, 3, 4, ehr_id="r1", mode="fhir_communication")
    task = staff_task(**changes)
    return Fact(row, patient(), (appointment(),), None, reply(intent="cancel"), task=task, told=told)


def settled(fact: Fact, outcome: WriteOutcome) -> Fact:
    """The fact as the pipeline would bring it the next time."""
    if isinstance(outcome, Written):
        row = replace(fact.row, ehr_id=outcome.ehr_id, ehr_version=outcome.version, reason=None)
        known = replace(fact.patient, ehr_id=outcome.patient_id or fact.patient.ehr_id)
        return replace(fact, row=row, patient=known)
    return replace(fact, row=replace(fact.row, reason=outcome.reason, tries=fact.row.tries + 1))


def tell(mode: WriteBackMode, fact: Fact, tries: int = 8) -> tuple[Fact, WriteOutcome]:
    """Try until the server has taken it or refused it."""
    for _ in range(tries):
        outcome = mode.write(fact)
        fact = settled(fact, outcome)
        if not isinstance(outcome, TryLater):
            return fact, outcome
    raise AssertionError(f"still not settled: {fact.row.reason}")


def admit(ehr: StrictEhr, *resources: Resource) -> None:
    """Put Ana's chart and her visit on the server, or these resources under their own ids."""
    if not resources:
        ehr.put(ANA, "ana")
        ehr.put(VISIT, "visit")
    for resource in resources:
        ehr.put(resource, resource["id"])
