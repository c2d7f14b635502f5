"""Sample documents and answers as they go to a partner, and how such a message is read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from fhir_mappers.answer_to_srm import VisitConfirmed
from fhir_mappers.document_to_mdm import Document
from fhir_mappers.v2_building import Correspondents, NumberOf, PatientFacts, VisitFacts, number
from fhir_mappers.v2_message import V2Message
from tests.mappers.golden import SAMPLES

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8.2")  # those [write_back.hl7] knows
OUT = SAMPLES / "out"
SENT = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
ANA = PatientFacts(
    identifiers=(NumberOf("12345", "RIVERSIDE", "MR"), NumberOf("77", "2.16.840.1.113883.19.5", "PI")),
    family="Sample",
    given="Ana",
    birth_date=date(1980, 4, 2),
    gender="female",
)
VISIT = VisitFacts(NumberOf("7001", "CSN", "VN"), "MAIN")
ORIGINAL = Document(
    number=number("text-17-4-1803909600000000"),
    parent=None,
    type="SMS",
    author="",
    happened_at=SENT,
    begun_at=SENT,
    lines=(
        "Text message from Riverside Clinic to ****0123, 2027-03-01 09:00 EST:",
        "Riverside Clinic: see you Fri Mar 5 at 10:00 AM.",
        "Reply C to confirm.",
    ),
    patient=ANA,
    visit=VISIT,
)
ADDENDUM = replace(
    ORIGINAL,
    number=number("text-17-4-1803909600000000 delivered"),
    parent=ORIGINAL.number,
    happened_at=SENT.replace(second=9),
    lines=("Text message to ****0123, 2027-03-01 09:00 EST:", "Delivered 2027-03-01 09:00 EST."),
)
YES = VisitConfirmed(
    number=number("confirmation-3-4-1803909900000000 9"),
    placer=NumberOf("P-9", "SCHED"),
    filler=NumberOf("A-9", "SCHED"),
    occurrence="",
    start=datetime(2027, 3, 5, 15, 0, tzinfo=UTC),
    answered_at=SENT.replace(minute=5),
    note="Confirmed by text message from ****0123.",
    patient=ANA,
    visit=VISIT,
)


def who(version: str = "2.5.1", **changes: Any) -> Correspondents:
    """Us and an EHR of that version."""
    ours = Correspondents(version, "APPOINTMENT-TEXTS", "RIVERSIDE", "EHR", "HOSP")
    return replace(ours, **changes)


def lines_in(raw: bytes) -> list[str]:
    """The words of a document as a reader gets them."""
    message = V2Message.parse(raw)
    assert message.warnings == ()
    return [message[f"OBX[{n}]-5"] for n in range(1, message.count("OBX") + 1)]


def same_as_golden(raw: bytes, name: str) -> bool:
    """Whether the file of that name in `samples/out` holds these bytes."""
    return (OUT / f"{name}.hl7").read_bytes() == raw


def assert_strict(raw: bytes, structure: str) -> None:
    """hl7apy takes it, by its version's tables, which know some structures by their first event alone."""
    from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415 - slow to import
    from hl7apy.parser import parse_message  # noqa: PLC0415 - likewise

    code, _, event = structure.partition("_")
    lines = raw.decode().split("\r")
    fields = lines[0].split("|")
    fields[8] = "^".join([code, event, *fields[8].split("^")[2:]])
    lines[0] = "|".join(fields)
    parse_message("\r".join(lines), validation_level=VALIDATION_LEVEL.STRICT).validate()
