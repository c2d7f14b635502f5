"""Asks for the one text that confirms a yes to texts: what they are, at what cost, how to end them.

CTIA's principles (May 2023, opt-in) want it confirmed so. It says what HELP is answered with, which
every language has, and takes the same road as each text that is asked for: once, and under all the rules.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.consent import ConsentPolicy
from integration.domain.text_request import OF_OPT_IN, RequestSource, RequestState, TextRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.pipeline.translate.hearing import Hearing
    from integration.ports.store import Unit
    from integration.settings.model import Settings

USEFUL: Final = timedelta(days=3)  # after the yes; a confirmation that comes later surprises


def hear_opt_ins(hearing: Hearing) -> None:
    """Ask for the texts of those who said yes in this message, unless it tells of long ago (no blast)."""
    if hearing.message.replayed or hearing.is_old_news:
        return
    now, settings = hearing.workshop.clock.calendar(), hearing.workshop.settings
    for patient_id in dict.fromkeys(hearing.said_yes):
        if confirm_yes(hearing.unit, settings, patient_id, now=now):
            hearing.workshop.knock("send")


def confirm_yes(unit: Unit, settings: Settings, patient_id: int, *, now: datetime) -> int:
    """Ask for a text of each practice that confirms a yes and that the patient is to visit; how many."""
    patient = unit.patients.survivor(patient_id)
    asked = 0
    for practice, visits in _to_confirm(unit, settings, patient, now).items():
        feed, token = visits[0].feed, f"{OF_OPT_IN}{practice}:{patient.id}"
        stored = unit.requests.find(feed, token)
        if stored is not None and stored.state is not RequestState.REFUSED:
            continue
        wanted = TextRequest(
            id=0,
            feed=feed,
            ehr_id=token,
            patient_id=patient.id,
            body="",
            due_at=now,
            not_after=min(now + USEFUL, *(visit.slot.start for visit in visits if visit.slot.start)),
            practice=practice,
            source=RequestSource.OPT_IN,
            asked_at=now,
        )
        unit.requests.save(wanted if stored is None else replace(wanted, id=stored.id))
        asked += 1
    return asked


def _to_confirm(
    unit: Unit, settings: Settings, patient: Patient, now: datetime
) -> dict[str, list[Appointment]]:
    """By practice, the visits to come of those that confirm a yes, and have not texted the patient yet."""
    found: dict[str, list[Appointment]] = {}
    if unit.patients.consent(patient.id) is not True:  # a newer no outweighs it
        return found
    for visit in _visits_to_come(unit, patient, now):
        practice = settings.practices.get(visit.practice or "")
        if practice is None or practice.consent is not ConsentPolicy.EXPRESS or not practice.opt_in_text:
            continue
        today = now.astimezone(practice.plan.zone).date()
        if settings.is_sensitive(visit) and (patient.is_minor(today) or not practice.sensitive_texts):
            continue
        number = patient.number_on(today)
        if number is not None and not unit.texts.was_texted(number, practice.name):
            found.setdefault(practice.name, []).append(visit)
    return found


def _visits_to_come(unit: Unit, patient: Patient, now: datetime) -> Iterator[Appointment]:
    for visit_id in unit.appointments.to_come(patient.id, now):
        visit = unit.appointments.get(visit_id)
        if visit.is_expected and visit.slot.start is not None and visit.slot.start > now:
            yield visit
