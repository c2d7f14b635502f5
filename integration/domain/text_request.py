"""A text that a chart asks for (FHIR CommunicationRequest), and how far it has come.

    waiting ─► sent | refused | withdrawn
       ▲                          │
       └──────────────────────────┘  asked for again

A request becomes one text, however often it is told, and what is sent or refused stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class RequestState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"  # for its time, or for a person, with a reason
    SENT = "sent"  # it has its text
    REFUSED = "refused"  # it has a text that was never offered, and a reason
    WITHDRAWN = "withdrawn"  # the chart asks for it no more


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One request; unique by feed and the EHR's id."""

    id: int  # 0 until stored
    feed: str
    ehr_id: str
    patient_id: int
    body: str
    due_at: datetime  # calendar
    not_after: datetime  # calendar; latest useful time
    practice: str | None = None  # who texts; None: no practice could be told
    state: RequestState = RequestState.WAITING
    reason: str | None = None
    text_id: int | None = None
