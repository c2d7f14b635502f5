"""The words of a text that a person asks for, as they would leave now."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from integration.domain.catalog_sections import Answer
from integration.domain.free_text import FreeWords, compose_free
from integration.domain.recipient_zone import recipient_zones
from integration.domain.text_request import RequestSource
from integration.domain.visit_words import PracticeWords, VisitWords, reads_another_clock
from integration.domain.wording import answer

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.letter import Composed
    from integration.domain.recipient import Patient
    from integration.domain.text_request import TextRequest
    from integration.settings.model import Practice, Settings


def language_of(patient: Patient, practice: Practice, now: datetime) -> str:
    """What who reads it reads, else the practice's first language."""
    spoken = patient.language_on(now.astimezone(practice.plan.zone).date())
    return spoken if spoken is not None and spoken in practice.languages else practice.languages[0]


def words_of(
    request: TextRequest,
    patient: Patient,
    practice: Practice,
    settings: Settings,
    visit: Appointment | None,
    *,
    now: datetime,
) -> Composed:
    """The text; raises WordingError with a reason for who asks for it. A child's text names the child."""
    catalog = settings.catalogs[language_of(patient, practice, now)]
    words = PracticeWords(practice.public_name, practice.phone, practice.emergency)
    if request.source is RequestSource.OPT_IN:
        return answer(catalog, Answer.HELP, practice=words, max_segments=practice.max_segments)
    today = now.astimezone(practice.plan.zone).date()
    said, show_zone = None, False
    if visit is not None and visit.slot.start is not None:
        zone = ZoneInfo(visit.zone)
        said = VisitWords(None, visit.slot.start.astimezone(zone), visit.slot.modality)
        show_zone = reads_another_clock(said.start, recipient_zones([patient], zone))
    return compose_free(
        catalog,
        FreeWords(request.form, request.body, request.minutes),
        practice=words,
        visit=said,
        name=patient.given if practice.first_names or patient.is_minor(today) else None,
        max_segments=practice.free_text_segments or practice.max_segments,
        show_zone=show_zone,
        sent_on=today,
    )
