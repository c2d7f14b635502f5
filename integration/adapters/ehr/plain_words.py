"""A text, its outcome or a reply in the plain sentences of a document, line by line."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fhir_mappers.v2_building import lines_of
from integration.adapters.ehr.telling import (
    is_guardians,
    is_unresolved,
    not_sent,
    part,
    remarks_on_reply,
    remarks_on_text,
    words_of,
)
from integration.domain.delivery_status import DeliveryStatus

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.conversation import Reply
    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact

_SHOWN = 4


def text_lines(fact: Fact, text: TextMessage, organization: str, *, sent: bool) -> tuple[str, ...]:
    """Who was texted, when, and the text as sent: this patient's part of it.

    Of a text that was `sent` no outcome is told: it would change. Of another it is.
    """
    by = f" from {organization}" if organization else ""
    body, withheld = part(text, fact.row.patient_id)
    lines = [
        f"Text message{by} to {_whose(fact, text)}, {_when(fact, text.created_at)}:",
        *lines_of(body or ""),
    ]
    if withheld:
        lines.append("The text also spoke of another person; its wording is not shown.")
    if not sent:
        lines += _outcome(fact, text)
    return tuple(lines)


def news_lines(fact: Fact, text: TextMessage) -> tuple[str, ...]:
    """What became of a text."""
    about = f"Text message to {_whose(fact, text)}, {_when(fact, text.created_at)}:"
    if text.status is DeliveryStatus.DELIVERED:
        at = f" {_when(fact, text.delivered_at)}" if text.delivered_at else ""
        return about, f"Delivered{at}."
    return about, *_outcome(fact, text)


def reply_lines(fact: Fact, reply: Reply, organization: str) -> tuple[str, ...]:
    """Who wrote, when, the reply as written, and how it was understood."""
    to = f" to {organization}" if organization else ""
    guardian = is_guardians(fact.patient, reply.number, reply.heard_at)
    who = masked(reply.number) + (", who answers for the patient" if guardian else "")
    return (
        f"Text message{to} from {who}, {_when(fact, reply.received_at)}:",
        *lines_of(words_of(fact, reply)),
        *remarks_on_reply(fact, reply),
    )


def skipped_lines(fact: Fact, reminder: Reminder) -> tuple[str, ...]:
    """That a text was due and did not go, and why."""
    due = _when(fact, reminder.due_at)
    return (f"Text message to {masked(reminder.number)}, due {due}:", not_sent(reminder))


def masked(number: str) -> str:
    """The last four digits behind asterisks, in characters that every EHR shows."""
    digits = [character for character in number if character.isdigit()]
    return "****" + "".join(digits[-_SHOWN:]) if len(digits) > _SHOWN else "****"


def local_time(moment: datetime, zone: str | None) -> str:
    """In the clinic's own time, to the minute; in UTC where that is not known."""
    return moment.astimezone(ZoneInfo(zone) if zone else UTC).strftime("%Y-%m-%d %H:%M %Z")


def _outcome(fact: Fact, text: TextMessage) -> list[str]:
    lines = list(remarks_on_text(fact, text, withheld=False))
    failed = text.status in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED}
    if failed and text.error_code and not is_unresolved(text):
        lines.append(f"Provider's error code {text.error_code}.")
    return lines


def _whose(fact: Fact, text: TextMessage) -> str:
    guardian = is_guardians(fact.patient, text.number, text.created_at)
    return masked(text.number) + (", who answers for the patient" if guardian else "")


def _when(fact: Fact, moment: datetime) -> str:
    return local_time(moment, next((each.zone for each in fact.appointments), None))
