"""What a chart is told of a text or a reply, in any form: its identifier, this patient's part, plain words.

Each chart gets its own patient's part and nothing of another's (promise 12).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from integration.domain.conversation import Reply
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact

# Why it failed → what a reader of the chart is told
WHY_NOT: Final = {
    Failure.BAD_NUMBER: "the number cannot receive texts",
    Failure.OPTED_OUT: "the number has opted out of texts",
    Failure.UNREACHABLE: "the handset could not be reached",
    Failure.FILTERED: "the carrier filtered it",
    Failure.RETRY_LATER: "the carrier could not deliver it",
    Failure.EXPIRED: "it could not be delivered in time",
    Failure.SLOW_DOWN: "the provider or the carrier was too busy",
    Failure.DAILY_CAP: "the carrier takes no more from us today",
    Failure.ACCOUNT: "the provider refused our account or sender",
    Failure.OUR_FAULT: "the provider refused the request",
    Failure.UNKNOWN: "no reason is known",
}

# What we understood → what a reader of the chart is told
UNDERSTOOD: Final = {
    "confirm": "Understood as: confirms the visit.",
    "cancel": "Understood as: wishes to cancel; left to staff.",
    "reschedule": "Understood as: wishes another time; left to staff.",
    "stop": "Understood as: wants no more texts.",
    "start": "Understood as: wants texts again.",
    "help": "Understood as: asks for help.",
    "wrong_number": "Understood as: this is not the patient's number.",
    "human": "Not acted upon; left to staff.",
}
WITHHELD: Final = "The wording is not shown in the general chart."
UNCERTAIN_YES: Final = "A yes, but to what is not certain: nothing was confirmed; left to staff."

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_final(fact: Fact) -> bool:
    """Whether no later news about it is expected."""
    text = fact.text
    if fact.row.kind is not WriteBackKind.TEXT or text is None:
        return True
    return text.status.is_final or text.unresolved or text.final_at is not None


def own_identifier(fact: Fact) -> str:
    """Our identifier for a fact, the same at every try and another in every store.

    Row ids start anew in a new store, so the moment the fact began to exist stands beside them.
    """
    if fact.reminder is not None:
        began = fact.reminder.not_after
    elif fact.task is not None:
        began = fact.task.created_at
    elif fact.stop is not None:
        began = fact.stop.since
    else:
        began = fact.reply.received_at if fact.reply else fact.text.created_at if fact.text else _EPOCH
    return _identifier(fact.row.kind, fact.row.subject_id, fact.row.patient_id, began)


def identifier_of_answered(fact: Fact) -> str | None:
    """What `own_identifier` was for the text that a reply answers, in the same chart; None if unknown."""
    if fact.answered is None or fact.text is None:
        return None
    return _identifier(
        WriteBackKind.TEXT, fact.answered.subject_id, fact.answered.patient_id, fact.text.created_at
    )


def part(text: TextMessage, patient_id: int) -> tuple[str | None, bool]:
    """What this patient's chart may show, and whether something had to be withheld (promise 12)."""
    parts = [each.part for each in text.subjects if each.patient_id == patient_id]
    own = [each for each in dict.fromkeys(parts) if each]
    if own:
        return "\n".join(own), False
    shared = any(each.patient_id != patient_id for each in text.subjects)
    return (None, True) if shared else (text.body, False)


def is_unresolved(text: TextMessage) -> bool:
    """Whether nobody can tell if it went out; a status heard from the provider outweighs our not knowing."""
    return text.unresolved and text.status is DeliveryStatus.QUEUED


def remarks_on_text(fact: Fact, text: TextMessage, *, withheld: bool) -> tuple[str, ...]:
    """What else a reader of the chart should know of it."""
    remarks = []
    if fact.author is not None:
        remarks.append(f"Written by {fact.author}.")
    if fact.override is not None:
        remarks.append(f"Sent beside quiet hours and caps: {fact.override}")
    if text.status in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED}:
        remarks.append(f"Not delivered: {WHY_NOT[text.failure or Failure.UNKNOWN]}.")
    if text.status is DeliveryStatus.SENT and text.final_at is not None:
        remarks.append("No delivery receipt came; some carriers never send one.")
    if is_unresolved(text):
        remarks.append("Nobody can tell whether it went out; staff were asked to look.")
    if withheld:
        remarks.append("The text also spoke of another person; its wording is not shown.")
    return tuple(remarks)


def not_sent(reminder: Reminder) -> str:
    """Why a reminder became no text."""
    return f"Not sent: {reminder.reason or 'no reason is known'}."


def words_of(fact: Fact, reply: Reply) -> str:
    """What the patient wrote, word for word; nothing of it where a sensitive place is concerned."""
    return "" if fact.discreet else reply.body


def remarks_on_reply(fact: Fact, reply: Reply) -> tuple[str, ...]:
    """How it was understood, and what came with it."""
    understood = UNDERSTOOD.get(reply.intent or "human", UNDERSTOOD["human"])
    remarks = [understood if fact.acted_upon else UNCERTAIN_YES]
    if fact.discreet:
        remarks.append(WITHHELD)
    if reply.urgent:
        remarks.append("Marked urgent.")
    if reply.media:
        remarks.append(f"Pictures or files that came with it and are not kept: {reply.media}.")
    return tuple(remarks)


def is_guardians(patient: Patient, number: str, at: datetime) -> bool:
    """Whether who reads there answers for a child; in many records the child's number is the parent's."""
    return number == patient.guardian_number and (number != patient.number or patient.is_minor(at.date()))


def practice_of(fact: Fact) -> str | None:
    """The practice whose text it was."""
    if fact.reply is not None and fact.reply.practice:
        return fact.reply.practice
    if fact.text is not None:
        return fact.text.practice
    if fact.task is not None and fact.task.practice:
        return fact.task.practice
    return next((each.practice for each in fact.appointments if each.practice), None)


def _identifier(kind: WriteBackKind, subject_id: int, patient_id: int, began: datetime) -> str:
    moment = (began - _EPOCH) // timedelta(microseconds=1)
    return f"{kind}-{subject_id}-{patient_id}-{moment}"
