"""What `ehr check` says of the EHR's MLLP port: whether it can be reached, and what will arrive there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.settings.model import Hl7Partner, WritingBack

_HEADER = (
    ("MSH-3", "sending_application"),
    ("MSH-4", "sending_facility"),
    ("MSH-5", "receiving_application"),
    ("MSH-6", "receiving_facility"),
    ("MSH-11", "processing_id"),
    ("MSH-12", "version"),
)
_ANSWERS = {
    "srm": "SRM^S03 when a patient confirms: ARQ-1, ARQ-2 and PV1-19 name the visit, ARQ-6 says CONFIRMED",
    "siu": "SIU^S14 when a patient confirms: SCH-1, SCH-2 and PV1-19 name the visit, SCH-6 and SCH-25 say "
    "CONFIRMED",
}


def as_hl7_page(told: WritingBack, how: Hl7Partner, trouble: str | None) -> Iterator[str]:
    """Line by line; `trouble` is why it cannot be reached."""
    tls = "TLS" if how.tls is not None else "no TLS"
    yield f"The EHR's MLLP port: {how.host}:{how.port}, {tls}"
    yield f"  It cannot be used: {trouble}" if trouble else "  It can be reached; nothing was sent."
    header = ", ".join(f"{field} {getattr(how, name) or '(empty)'}" for field, name in _HEADER)
    yield f"  Every message: {header}, MSH-18 UNICODE UTF-8"
    yield "  Patients are named in PID-3 as the EHR's own messages named them, visits in PV1-19"
    yield from (f"  {message}" for message in messages(told, how))
    yield "  One answer is awaited for each (MSH-15 and MSH-16 are empty): AA when it is filed, AE when it"
    yield "  cannot be, AR to have it again. What got no answer comes again, same MSH-10: file it once"


def as_hl7_json(told: WritingBack, how: Hl7Partner, trouble: str | None) -> dict[str, Any]:
    """One finding."""
    return {
        "finding": "hl7",
        "host": how.host,
        "port": how.port,
        "tls": how.tls is not None,
        "trouble": trouble,
        "header": {field: getattr(how, name) for field, name in _HEADER},
        "messages": list(messages(told, how)),
    }


def messages(told: WritingBack, how: Hl7Partner) -> Iterator[str]:
    """What may be sent there, by the settings."""
    if told.texts in {"auto", "mdm"}:
        unless = "" if told.texts == "mdm" else ", where nothing better takes it"
        yield (
            f"MDM^T02 for a text, MDM^T06 for its outcome and for a reply{unless}: "
            f"TXA-2 {how.document_type}, TXA-12 its number, TXA-13 of a T06 the text's, "
            "the words in OBX-5 (TX), a line each"
        )
    if told.answers in _ANSWERS:
        yield _ANSWERS[told.answers]
