"""A text or a reply as a document for the chart: MDM^T02 (an original), MDM^T06 (an addendum to one).

Fields by HL7 v2.9.1, 9.6 and 9.7.1; the same in every version from 2.3 on. An addendum names its parent
(TXA-13), which must have been told before. The words are OBX segments of type TX, one a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fhir_mappers.v2_building import (
    Correspondents,
    PatientFacts,
    SegmentFacts,
    VisitFacts,
    build,
    components,
    escape,
    is_at_least,
    pid,
    pv1,
    setting,
    time_stamp,
)

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_mappers.v2_building import Fields

_TEXT: Final = "TX"  # HL7 table 0191 and OBX-2
_AUTHENTICATED: Final = "AU"  # HL7 table 0271
_AVAILABLE: Final = "AV"  # HL7 table 0273
_FINAL: Final = "F"  # HL7 table 0085
_LINE: Final = "SMS^Text message^L"  # OBX-3, a code of our own
_GROUPS: Final = ("MDM_T02_OBSERVATION", "MDM_T02_OBXNTE_SUPPGRP")  # 2.5 and later; 2.5.1
_EVENT_IN_EVN_UNTIL: Final = (2, 7)  # EVN-1, withdrawn there


@dataclass(frozen=True, slots=True)
class Document:
    """What a chart should hold."""

    number: str  # TXA-12, and MSH-10 too: a document is one message. See `v2_building.number`
    parent: str | None  # TXA-13: the number of the original that this adds to
    type: str  # TXA-2, HL7 table 0270 or the partner's own
    author: str  # TXA-5, TXA-9: an XCN; '' for none
    happened_at: datetime  # aware; when the text went out, or the news came
    begun_at: datetime  # aware; when what it speaks of began
    lines: tuple[str, ...]
    patient: PatientFacts
    visit: VisitFacts


def document_to_mdm(document: Document, who: Correspondents) -> bytes:
    """The message, unframed; the same document gives the same bytes."""
    event = "T06" if document.parent else "T02"
    at = time_stamp(document.happened_at)
    event_in_evn = not is_at_least(who.version, _EVENT_IN_EVN_UNTIL)
    return build(
        "MDM_T02",
        event,
        who,
        [
            SegmentFacts("EVN", {1: event if event_in_evn else "", 2: at}),
            SegmentFacts("PID", pid(document.patient)),
            SegmentFacts("PV1", pv1(document.visit)),
            SegmentFacts("TXA", _txa(document, who, at)),
            *(
                SegmentFacts("OBX", _obx(position, line), _GROUPS)
                for position, line in enumerate(document.lines, start=1)
            ),
        ],
        control_id=document.number,
        at=document.happened_at,
    )


def _txa(document: Document, who: Correspondents, at: str) -> Fields:
    ours = who.sending_application.partition("^")[0]
    return {
        1: "1",
        2: setting(document.type),
        3: _TEXT,
        4: at,
        5: setting(document.author),
        6: time_stamp(document.begun_at),
        8: at if document.parent else "",
        9: setting(document.author),
        12: components(document.number, ours),
        13: components(document.parent, ours) if document.parent else "",
        17: _AUTHENTICATED,
        19: _AVAILABLE,
    }


def _obx(position: int, line: str) -> Fields:
    return {
        1: str(position),
        2: _TEXT,
        3: _LINE,
        4: str(position),  # tells the lines apart
        5: escape(line),
        11: _FINAL,
    }
