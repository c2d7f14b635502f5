"""What a message says of its patients, laid over what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.identity import contradict
from integration.domain.merging import Retraction, fill, is_somebody_else, lay_over
from integration.domain.recipient import Patient
from integration.pipeline.translate.hearing import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from fhir_mappers.translation import MappedPatient
    from integration.pipeline.translate.hearing import Hearing


@dataclass(frozen=True, slots=True)
class Saved:
    """A patient before a message and after it."""

    before: Patient | None  # None: never heard of until now
    after: Patient
    is_stale: bool = False  # something newer was known already

    @property
    def is_reached_otherwise(self) -> bool:
        """Whether texts go to another number now, by another clock, or no longer, or again."""
        return self.before is not None and _reached_by(self.before) != _reached_by(self.after)


def save_patients(hearing: Hearing) -> tuple[list[Patient], list[int]]:
    """Insert or bring forward every patient; beside them, who is reached otherwise now.

    A feed that only corrects another inserts nobody: who is new to it may be known by other identifiers.
    """
    saved = [
        save_patient(hearing, mapped, keys)
        for mapped, keys in zip(hearing.translation.patients, hearing.reading.patient_keys, strict=True)
        if not hearing.reconciles or find_patient(hearing, keys) is not None
    ]
    return [each.after for each in saved], [each.after.id for each in saved if each.is_reached_otherwise]


def find_patient(hearing: Hearing, keys: Sequence[str]) -> Patient | None:
    """Who is known by these; nobody, when the best of them contradicts the one who is."""
    stored = hearing.unit.patients.find(hearing.feed.scope, keys)
    return None if stored is None or contradict(stored.identifiers, keys) else stored


def save_patient(hearing: Hearing, mapped: MappedPatient, keys: Sequence[str]) -> Saved:
    """Insert or bring forward one patient, and write down a yes or no to texts that the message holds."""
    saved = _save(hearing, mapped, keys)
    if mapped.agrees is not None and keys[0] not in saved.after.gone:
        at = hearing.placed(mapped.changed_at or hearing.translation.occurred_at)
        _note_consent(hearing, saved.after.id, given=mapped.agrees, at=at)
    return saved


def _note_consent(hearing: Hearing, patient_id: int, *, given: bool, at: datetime) -> None:
    """What is said for the first time, or otherwise than last by this feed; a repetition says nothing new.

    So a yes that every message carries along does not outweigh the no that the patient said elsewhere since.
    """
    field = hearing.feed.consent
    source = "" if field is None else field.path
    told = hearing.unit.consents.of_patient(patient_id)
    before = next((each.given for each in told if each.source == source and each.at <= at), None)
    if before is not given:
        hearing.unit.patients.record_consent(patient_id, given=given, source=source, at=at)
        if given:
            hearing.said_yes.append(patient_id)


def _save(hearing: Hearing, mapped: MappedPatient, keys: Sequence[str]) -> Saved:
    stored = find_patient(hearing, keys)
    # What is said of a record that is gone only fills gaps, so it need not be the newest, nor becomes it.
    of_one_gone = stored is not None and keys[0] in stored.gone
    heard_at = hearing.placed(mapped.changed_at or hearing.translation.occurred_at)
    is_older = (
        stored is not None and stored.event_time is not None and hearing.latest(heard_at) < stored.event_time
    )
    guardian = mapped.guardian
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
        event_time=heard_at,
        resource=mapped.resource,
        ehr_id=None if of_one_gone else mapped.ehr_id or None,
        guardian_number=None if guardian is None else guardian.number,
        guardian_language=None if guardian is None else guardian.language,
        silenced_by=mapped.silenced_by,
        removed=mapped.deleted,
    )
    taken_back = Retraction(
        # That the other feed knows no number does not unsay the one that was told.
        number=bool(mapped.cleared) and not hearing.reconciles,
        # Scheduling systems write "N" by default; registration takes a death back.
        death=mapped.said_alive and hearing.translation.appointment is None,
        silence=mapped.unsilenced,
        guardian=mapped.unguarded,
    )
    if stored is not None and is_older and not of_one_gone:
        filled = fill(stored, shown, taken_back)
        saved = Saved(
            stored, stored if filled == stored else hearing.unit.patients.save(filled), is_stale=True
        )
        _note_given_numbers(hearing, saved)
        return saved
    if stored is not None and of_one_gone and is_somebody_else(stored, shown):
        # The identifier was given again: a person decides whose chart and whose telephone it means.
        raise Unusable("identifier-of-a-merged-record PID-3")
    if stored is None:
        saved = Saved(None, hearing.unit.patients.save(shown))
    else:
        merged = lay_over(stored, shown, taken_back)
        unchanged = replace(merged, event_time=stored.event_time) == stored
        rows = hearing.unit.patients
        if not unchanged:
            saved = Saved(stored, rows.save(merged))
        else:
            saved = Saved(stored, stored if of_one_gone else rows.heard(stored, heard_at))
    _note_given_numbers(hearing, saved)
    return saved


def plan_other_visits(hearing: Hearing, patients: Iterable[int], *, but: int | None = None) -> None:
    """A new number is that of all the patient's visits, not only of the one the message is about."""
    now = hearing.workshop.clock.calendar()
    visits = {visit for patient in patients for visit in hearing.unit.appointments.to_come(patient, now)}
    for visit in sorted(visits - {but}):
        hearing.ask_for_planning(visit)


def _reached_by(patient: Patient) -> tuple[object, ...]:
    """What decides to which number a text goes, if any, and by whose clock."""
    address = patient.resource.get("address")
    return patient.number, patient.guardian_number, patient.birth_date, patient.silence, address


def _note_given_numbers(hearing: Hearing, saved: Saved) -> None:
    """A number that was not the patient's until now was given anew; one that is repeated was not."""
    before, after = saved.before, saved.after
    known = set() if before is None else {before.number, before.guardian_number}
    for number in {after.number, after.guardian_number} - known:
        if number is not None:
            hearing.numbers_given[number] = hearing.heard_at
