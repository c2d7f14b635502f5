"""What a partner's port has heard, as the charts behind it would show it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fhir_mappers.v2_message import V2Message
from integration.adapters.ehr.hl7_sender import Line, MllpSender
from integration.adapters.ehr.one_at_a_time import OneAtATime
from integration.domain.clock import wall_now
from integration.ports.ehr import TryLater, Written
from integration.settings.model import Hl7Partner, WritingBack
from tests.adapters.ehr.charts import appointment, patient
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from integration.adapters.ehr.tools import Tools
    from integration.domain.write_back import WriteBack
    from integration.ports.ehr import Fact, WriteBackMode, WriteOutcome
    from tests.adapters.ehr.partner import Partner

KEYS = ("RIVERSIDE|MR|12345",)
VISIT_KEYS = ("SCH-2|SCHED|A-9|", "PV1-19|CSN|7001|")


def port(number: int = 1, **changes: Any) -> Hl7Partner:
    """The EHR's MLLP port as settings.toml says it."""
    told = Hl7Partner(
        host="127.0.0.1",
        port=number,
        timeout=timedelta(seconds=0.3),
        tls=None,
        version="2.5.1",
        sending_application="APPOINTMENT-TEXTS",
        sending_facility="RIVERSIDE",
        receiving_application="EHR",
        receiving_facility="HOSP",
        processing_id="P",
        document_type="SMS",
    )
    return replace(told, **changes)


def known(fact: Fact) -> Fact:
    """The fact, of a patient and a visit that an HL7 v2 feed told of."""
    return replace(
        fact,
        patient=replace(fact.patient, identifiers=KEYS, resource=patient().resource),
        appointments=tuple(replace(each, identifiers=VISIT_KEYS) for each in (appointment(),)),
    )


@contextmanager
def connected(partner: Partner, **write_back: Any) -> Iterator[Tools]:
    """What a mode is built with to speak to it."""
    line = Line("127.0.0.1", partner.port, "accept", 0.3)
    sender = OneAtATime(MllpSender(line), wall_now)
    yield tools(None, WritingBack(hl7=port(partner.port), **write_back), partner=sender)
    sender.rest()


def documents(heard: Sequence[bytes]) -> list[V2Message]:
    """Each message once, in the order it was first heard; whatever has one MSH-10 must be the same bytes."""
    by_number: dict[str, bytes] = {}
    for raw in heard:
        assert by_number.setdefault(V2Message.parse(raw)["MSH-10"], raw) == raw
    return [V2Message.parse(raw) for raw in by_number.values()]


def words(document: V2Message) -> list[str]:
    """Its lines."""
    return [document[f"OBX[{n}]-5"] for n in range(1, document.count("OBX") + 1)]


def settled(fact: Fact, outcome: WriteOutcome) -> Fact:
    """The fact as the pipeline would bring it the next time."""
    row = fact.row
    if isinstance(outcome, Written):
        return replace(fact, row=_row(row, ehr_id=outcome.ehr_id, ehr_version=outcome.version, reason=None))
    return replace(fact, row=_row(row, reason=outcome.reason))


def tell(mode: WriteBackMode, fact: Fact, tries: int = 6) -> tuple[Fact, WriteOutcome]:
    """Try until the EHR has taken it or refused it."""
    for _ in range(tries):
        outcome = mode.write(fact)
        fact = settled(fact, outcome)
        if not isinstance(outcome, TryLater):
            return fact, outcome
    raise AssertionError(f"still not settled: {fact.row.reason}")


def news(fact: Fact, **changes: Any) -> Fact:
    """The same fact with news about its text."""
    assert fact.text is not None
    return replace(fact, text=replace(fact.text, **changes))


def _row(row: WriteBack, **changes: Any) -> WriteBack:
    return replace(row, **changes)
