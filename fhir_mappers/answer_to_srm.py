"""A patient's yes to a visit, for the EHR's schedule: SRM^S03 (a request), or SIU^S14 by agreement.

We place requests and the EHR fills them, so a request is our part (HL7 v2.9.1, 10.3); SIU^S14 is what fillers
send, and some interfaces take it from others too. Both only name the visit and say CONFIRMED: they ask for no
other time, place or person. There is no message for a no: to cancel is a person's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fhir_mappers.v2_building import (
    Correspondents,
    NumberOf,
    PatientFacts,
    SegmentFacts,
    VisitFacts,
    build,
    components,
    escape,
    is_at_least,
    pid,
    pv1,
    time_stamp,
)

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_mappers.v2_building import Fields

CONFIRMED: Final = "CONFIRMED"  # table 0278 is open: the word that EHRs use most
_REASON: Final = components(CONFIRMED, "Confirmed by the patient", "L")
_UPDATE: Final = "U"  # HL7 table 0206
_TIMING_UNTIL: Final = (2, 7)  # SCH-11, withdrawn there in favour of TQ1


@dataclass(frozen=True, slots=True)
class VisitConfirmed:
    """Which visit, and who said so."""

    number: str  # MSH-10; see `v2_building.number`
    placer: NumberOf | None  # SCH-1, ARQ-1
    filler: NumberOf | None  # SCH-2, ARQ-2
    occurrence: str  # SCH-3, ARQ-3
    start: datetime | None  # aware; as the EHR told it
    answered_at: datetime  # aware
    note: str  # a plain sentence
    patient: PatientFacts
    visit: VisitFacts


def answer_to_srm(answer: VisitConfirmed, who: Correspondents) -> bytes:
    """SRM^S03, unframed: a request to modify the appointment."""
    by = components("", who.sending_application.partition("^")[0])
    own = NumberOf(answer.number, who.sending_application.partition("^")[0])
    arq: Fields = {
        1: _entity(answer.placer or own),
        2: _entity(answer.filler),
        3: escape(answer.occurrence),
        6: _REASON,
        15: by,
        19: by,
    }
    return build(
        "SRM_S01",
        "S03",
        who,
        [
            SegmentFacts("ARQ", arq),
            SegmentFacts("NTE", {1: "1", 3: escape(answer.note)}),
            *_patient(answer, "SRM"),
            SegmentFacts("RGS", {1: "1", 2: _UPDATE}, ("SRM_S01_RESOURCES",)),
        ],
        control_id=answer.number,
        at=answer.answered_at,
    )


def answer_to_siu(answer: VisitConfirmed, who: Correspondents) -> bytes:
    """SIU^S14, unframed: the appointment as the EHR told it, and confirmed."""
    by = components("", who.sending_application.partition("^")[0])
    start = time_stamp(answer.start) if answer.start else ""
    in_sch = not is_at_least(who.version, _TIMING_UNTIL)
    sch: Fields = {
        1: _entity(answer.placer),
        2: _entity(answer.filler),
        3: escape(answer.occurrence),
        6: _REASON,
        11: f"^^^{start}" if start and in_sch else "",
        16: by,
        20: by,
        25: CONFIRMED,
    }
    timing = [] if in_sch or not start else [SegmentFacts("TQ1", {7: start})]
    return build(
        "SIU_S12",
        "S14",
        who,
        [
            SegmentFacts("SCH", sch),
            *timing,
            SegmentFacts("NTE", {1: "1", 3: escape(answer.note)}),
            *_patient(answer, "SIU"),
            SegmentFacts("RGS", {1: "1", 2: _UPDATE}, ("SIU_S12_RESOURCES",)),
        ],
        control_id=answer.number,
        at=answer.answered_at,
    )


def _patient(answer: VisitConfirmed, kind: str) -> list[SegmentFacts]:
    group = ({"SRM": "SRM_S01_PATIENT", "SIU": "SIU_S12_PATIENT"}[kind],)
    return [
        SegmentFacts("PID", pid(answer.patient), group),
        SegmentFacts("PV1", pv1(answer.visit), group),
    ]


def _entity(known: NumberOf | None) -> str:
    return "" if known is None else components(known.value, known.authority)
