"""A text that a person asks for, in the chart (CommunicationRequest) or on our page, and how far it has come.

    waiting ─► sent | refused | withdrawn
       ▲                          │
       └──────────────────────────┘  asked for again

A request becomes one text, however often it is told, and what is sent or refused stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.catalog_sections import FreeForm

if TYPE_CHECKING:
    from datetime import datetime

OF_PAGE: Final = "page:"  # begins the id of what the page asks for; no id of FHIR has a colon
OF_OPT_IN: Final = "opt_in:"  # begins the id of what confirms a yes


class RequestState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"  # for its time, or for a person, with a reason
    SENT = "sent"  # it has its text
    REFUSED = "refused"  # it has a text that was never offered, and a reason
    WITHDRAWN = "withdrawn"  # who asked for it asks no more


class RequestSource(StrEnum):
    """Where it was asked for."""

    CHART = "chart"  # a CommunicationRequest
    PAGE = "page"  # our own
    OPT_IN = "opt_in"  # nobody asked: a yes to texts is confirmed, once


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One request; unique by feed and the EHR's id, or the page's own token in its place."""

    id: int  # 0 until stored
    feed: str
    ehr_id: str
    patient_id: int
    body: str  # own words; empty for a template
    due_at: datetime  # calendar
    not_after: datetime  # calendar; latest useful time
    practice: str | None = None  # who texts; None: no practice could be told
    state: RequestState = RequestState.WAITING
    reason: str | None = None
    text_id: int | None = None
    source: RequestSource = RequestSource.CHART
    author: str | None = None  # who writes, as they call themselves
    form: FreeForm = FreeForm.OWN_WORDS
    minutes: int | None = None  # how late the practice is
    appointment_id: int | None = None  # the visit it is about
    slot_number: int | None = None  # as that visit stood when it was asked for
    override: str | None = None  # why neither hours nor caps hold it: the author's reason
    to_related: bool = False  # to a RelatedPerson, where the chart says so
    asked_at: datetime | None = None  # calendar
