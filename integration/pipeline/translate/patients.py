"""What a message says of its patients, laid over what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.identity import contradict
from integration.domain.recipient import Patient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhir_mappers.translation import MappedPatient
    from integration.pipeline.translate.hearing import Hearing


def save_patients(hearing: Hearing) -> tuple[list[Patient], list[int]]:
    """Insert or bring forward every patient; beside them, who has another number now."""
    patients: list[Patient] = []
    renumbered: list[int] = []
    for mapped, keys in zip(hearing.translation.patients, hearing.reading.patient_keys, strict=True):
        stored, patient = _save_patient(hearing, mapped, keys)
        patients.append(patient)
        if stored is not None and _reached_by(stored) != _reached_by(patient):
            renumbered.append(patient.id)
    return patients, renumbered


def _reached_by(patient: Patient) -> tuple[object, ...]:
    """What decides to which number a text goes."""
    return patient.number, patient.guardian_number, patient.birth_date


def plan_other_visits(hearing: Hearing, patients: Iterable[int], *, but: int | None) -> None:
    """A new number is that of all the patient's visits, not only of the one the message is about."""
    now = hearing.workshop.clock.calendar()
    visits = {visit for patient in patients for visit in hearing.unit.appointments.to_come(patient, now)}
    for visit in sorted(visits - {but}):
        hearing.ask_for_planning(visit)


def _save_patient(
    hearing: Hearing, mapped: MappedPatient, keys: Sequence[str]
) -> tuple[Patient | None, Patient]:
    """The patient as stored before, and now."""
    stored = hearing.unit.patients.find(hearing.feed.scope, keys)
    if stored is not None and contradict(stored.identifiers, keys):
        stored = None
    if stored is not None and stored.event_time is not None and hearing.heard_at < stored.event_time:
        return stored, stored
    shown = Patient(
        id=0,
        scope=hearing.feed.scope,
        identifiers=tuple(keys),
        given=mapped.given,
        family=mapped.family,
        number=mapped.text_to,
        birth_date=mapped.birth_date,
        language=mapped.language,
        deceased=mapped.deceased,
        suppressed=mapped.no_publicity,
        event_time=hearing.heard_at,
        resource=mapped.resource,
        guardian_number=None if mapped.guardian is None else mapped.guardian.number,
        guardian_language=None if mapped.guardian is None else mapped.guardian.language,
    )
    if stored is None:
        return None, hearing.unit.patients.save(shown)
    merged = _lay_over(stored, shown, forget_number=bool(mapped.cleared))
    if mapped.guardian is None and not mapped.unguarded:
        merged = replace(
            merged, guardian_number=stored.guardian_number, guardian_language=stored.guardian_language
        )
    unchanged = replace(merged, event_time=stored.event_time) == stored
    return stored, stored if unchanged else hearing.unit.patients.save(merged)


def _lay_over(stored: Patient, shown: Patient, *, forget_number: bool) -> Patient:
    """The stored patient with what a message shows; what it leaves empty stays (HL7: empty is no change)."""
    deceased = shown.deceased or stored.deceased
    return replace(
        shown,
        id=stored.id,
        identifiers=tuple(dict.fromkeys((*stored.identifiers, *shown.identifiers))),
        given=shown.given or stored.given,
        family=shown.family or stored.family,
        number=shown.number or (None if forget_number or deceased else stored.number),
        birth_date=shown.birth_date or stored.birth_date,
        language=shown.language or stored.language,
        deceased=deceased,
        ehr_id=stored.ehr_id,
    )
