"""Records to store: one of each kind, changed by naming what a story is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from integration.domain.appointment import Appointment, AppointmentEvent, Modality, Slot
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.conversation import Question, Reply
from integration.domain.recipient import Patient
from integration.domain.reminder import Reminder
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Attempt, AttemptState, Subject, TextKind, TextMessage
from integration.ports.store import Callback, Change, KeptMessage

if TYPE_CHECKING:
    from integration.ports.store import Unit

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ADA = "+12025550123"
BEN = "+16175550142"


def patient(**changes: Any) -> Patient:
    return Patient(
        **{
            "id": 0,
            "scope": "main",
            "identifiers": ("HOSP|MR|1001", "|SS|2002"),
            "given": "Adalina",
            "family": "Quillfeather",
            "number": ADA,
            "birth_date": date(1984, 3, 9),
            "language": "es",
            "event_time": NOW,
            "resource": {"resourceType": "Patient", "gender": "female"},
            **changes,
        }
    )


def appointment(patient_id: int, **changes: Any) -> Appointment:
    return Appointment(
        **{
            "id": 0,
            "scope": "main",
            "feed": "main",
            "identifiers": ("SCH-2|EPIC|7001|", "SCH-1|EPIC|8001|"),
            "patients": (patient_id,),
            "status": "booked",
            "slot": Slot(NOW + 6 * DAY, "Riverside North", Modality.VIDEO),
            "zone": "America/New_York",
            "practice": "riverside",
            "event_time": NOW,
            "resource": {"resourceType": "Appointment", "minutesDuration": 20},
            **changes,
        }
    )


def kept(number: int = 1, /, **changes: Any) -> KeptMessage:
    return KeptMessage(
        **{
            "id": 0,
            "channel": "main",
            "control_id": f"MSG{number}",
            "payload": f"MSH|^~\\&|EHR|||||SIU^S12|MSG{number}|P|2.5.1\r".encode(),
            "received_at": NOW + number * MINUTE,
            **changes,
        }
    )


def digest(message: KeptMessage) -> bytes:
    return sha256(message.payload).digest()


def change(appointment_id: int, **changes: Any) -> Change:
    return Change(
        **{"id": 0, "appointment_id": appointment_id, "event": AppointmentEvent.BOOKED, "at": NOW, **changes}
    )


def reminder(appointment_id: int, patient_id: int, **changes: Any) -> Reminder:
    return Reminder(
        **{
            "id": 0,
            "appointment_id": appointment_id,
            "patient_id": patient_id,
            "number": ADA,
            "practice": "riverside",
            "step": "five_days",
            "slot_number": 1,
            "due_at": NOW,
            "not_after": NOW + DAY,
            **changes,
        }
    )


def text(patient_id: int, **changes: Any) -> TextMessage:
    return TextMessage(
        **{
            "id": 0,
            "practice": "riverside",
            "number": ADA,
            "kind": TextKind.REMINDER,
            "occasion": "five_days",
            "language": "es",
            "body": "Hola Adalina, le esperamos el lunes a las 9:30.",
            "encoding": "GSM-7",
            "segments": 1,
            "created_at": NOW,
            "not_after": NOW + DAY,
            "subjects": (Subject(patient_id, None, "su parte del texto"),),
            **changes,
        }
    )


def attempt(text_id: int, **changes: Any) -> Attempt:
    return Attempt(
        **{
            "id": 0,
            "text_id": text_id,
            "token": f"token-{text_id}",
            "state": AttemptState.OFFERED,
            "offered_at": NOW,
            "deadline": NOW + MINUTE,
            **changes,
        }
    )


def callback(number: int = 1, /, **changes: Any) -> Callback:
    return Callback(
        **{
            "id": 0,
            "provider": "twilio",
            "token": f"token-{number}",
            "form": f"MessageStatus=sent&To=%2B12025550123&MessageSid=SM{number}",
            "received_at": NOW,
            **changes,
        }
    )


def reply(number: int = 1, /, **changes: Any) -> Reply:
    return Reply(
        **{
            "id": 0,
            "provider": "twilio",
            "provider_id": f"SM{number}",
            "number": ADA,
            "to_number": "+16175550199",
            "body": "Si, alli estare con mi tia",
            "received_at": NOW,
            "heard_at": NOW,
            **changes,
        }
    )


def question(text_id: int, appointment_id: int, patient_id: int, **changes: Any) -> Question:
    return Question(
        **{
            "id": 0,
            "text_id": text_id,
            "number": ADA,
            "appointment_id": appointment_id,
            "patient_id": patient_id,
            "slot_number": 1,
            "visit_start": NOW + 6 * DAY,
            "asked_at": NOW,
            "expires_at": NOW + 3 * DAY,
            **changes,
        }
    )


def suppression(**changes: Any) -> Suppression:
    return Suppression(
        **{
            "id": 0,
            "number": ADA,
            "kind": SuppressionKind.OPT_OUT,
            "sender": ALL_SENDERS,
            "since": NOW,
            "source": "reply",
            "evidence": "stop texting my mother",
            **changes,
        }
    )


def task(**changes: Any) -> StaffTask:
    return StaffTask(
        **{
            "id": 0,
            "kind": TaskKind.READ_REPLY,
            "practice": "riverside",
            "reason": "a reply nobody could act on",
            "created_at": NOW,
            **changes,
        }
    )


def add_visit(unit: Unit, number: int = 1, /, **changes: Any) -> tuple[int, int]:
    """A patient with an appointment: the ids of both, appointment first."""
    whose = unit.patients.save(patient(identifiers=(f"HOSP|MR|{number}",), **changes))
    visit = unit.appointments.save(appointment(whose.id, identifiers=(f"SCH-2||{number}|",)))
    return visit.id, whose.id
