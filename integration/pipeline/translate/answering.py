"""Writes down, beside what became of a message, the application acknowledgment its sender asked for."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final

import structlog

from hl7_listener.application_acknowledgment import application_acknowledgment, is_owed, refused
from hl7_listener.header import HeaderError, read_header
from integration.domain.application_acknowledgment import ApplicationAcknowledgment

if TYPE_CHECKING:
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop

# why a message is dead → HL7 table 0357
_ERROR_CODES: Final = {
    "no-header": "100",
    "no-delimiters": "102",
    "bad-delimiters": "102",
    "no-patient": "101",
    "no-appointment-identifier": "101",
    "unsupported-trigger": "201",
    "wrong-processing-id": "202",
}
_APPLICATION_ERROR: Final = "207"
_CONTROL_ID_SIGNS: Final = 20  # HL7 2.3 gives MSH-10 no more
_log = structlog.get_logger(__name__)


def owe_acknowledgment(unit: Unit, workshop: Workshop, message: KeptMessage, why: str | None = None) -> None:
    """Owe its sender the news, if it asked for it and its feed says where.

    `why`: the reason a message is dead, a word and perhaps an HL7 path; None when it was applied.
    """
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None or message.replayed:
        return  # whoever replays it, its sender has been told of the first time
    try:
        header = read_header(message.payload)
    except HeaderError:
        return  # it had CR or AR: nothing more is owed
    if not is_owed(header, feed.acknowledge, failed=why is not None):
        return
    how = feed.application_acknowledgment
    if how is None:
        _note_unheard(feed.name)
        return
    code, _, path = (why or "").partition(" ")
    fault = None if why is None else refused(_ERROR_CODES.get(code, _APPLICATION_ERROR), path)
    at = workshop.clock.wall()
    # Hexadecimal: no sender's delimiter can stand in it.
    control_id = hashlib.sha256(workshop.new_token().encode()).hexdigest()[:_CONTROL_ID_SIGNS]
    answer = application_acknowledgment(
        header, fault, accept=b"AL" if how.answer == "accept" else b"NE", at=at, control_id=control_id
    )
    unit.acknowledgments.owe(
        ApplicationAcknowledgment(message.id, feed.name, control_id, answer, created_at=at)
    )


@cache
def _note_unheard(feed: str) -> None:
    """Once is enough: it holds for every message of the feed."""
    _log.info("MSH-16 asks for what no [application_acknowledgment] of this feed sends", feed=feed)
