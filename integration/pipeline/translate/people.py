"""What an ADT message says: of records that became one, of persons, and of a visit under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.pipeline.translate.hearing import NOT_CREATED
from integration.pipeline.translate.merges import hear_merge
from integration.pipeline.translate.patients import find_patient, plan_other_visits, save_patient
from integration.pipeline.translate.visits import hear_visit, hear_visit_change

if TYPE_CHECKING:
    from fhir_mappers.translation import Visit
    from integration.pipeline.translate.hearing import Hearing


def hear_people(hearing: Hearing, visit: Visit) -> list[str]:
    """Store what it says, and have every visit it touches thought over, quietly; returns notes.

    A person never heard of is kept: an appointment may come whose message names no number.
    """
    notes: list[str] = []
    for merge, sides in zip(hearing.translation.merges, hearing.reading.merge_keys, strict=True):
        notes += hear_merge(hearing, merge, sides)
    otherwise: list[int] = []
    present: list[int] = []
    for mapped, keys in zip(hearing.translation.patients, hearing.reading.patient_keys, strict=True):
        if not keys:
            continue  # noted already: nothing could find this person again
        if mapped.deleted and find_patient(hearing, keys) is None:
            notes.append("nobody-to-delete PID-3")
            continue
        if hearing.reconciles and find_patient(hearing, keys) is None:
            notes.append(NOT_CREATED)
            continue
        saved = save_patient(hearing, mapped, keys)
        present.append(saved.after.id)
        if saved.is_stale:
            notes.append(hearing.is_stale_note)
        if saved.is_reached_otherwise:
            otherwise.append(saved.after.id)
    for change in hearing.translation.visit_changes:
        notes += hear_visit_change(hearing, change)
    notes += hear_visit(hearing, visit, present)
    plan_other_visits(hearing, otherwise)
    return list(dict.fromkeys(notes))
