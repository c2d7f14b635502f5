"""One record of a patient becomes part of another (A40 and its elders): nothing is lost, nothing said twice.

Whatever is known of either side, and in whatever order it is heard: from then on every identifier of both
leads to the one that stays. So a chain leads to its end, a merge told twice changes nothing, and a circle
is one record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.identity import disagree, ehr_ids
from integration.domain.merging import rename, unite
from integration.domain.recipient import Patient
from integration.domain.reminder import OPEN
from integration.domain.who_confirmed import under_records
from integration.domain.write_back import WriteBackKind
from integration.pipeline.translate.hearing import NOT_CREATED
from integration.pipeline.translate.patients import find_patient, plan_other_visits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhir_mappers.translation import Merge, Resource
    from integration.domain.appointment import Appointment
    from integration.pipeline.translate.hearing import Hearing
    from integration.pipeline.translate.reading import MergeKeys
    from integration.ports.store import Unit


def hear_merge(hearing: Hearing, merge: Merge, keys: MergeKeys) -> list[str]:
    """Apply one merge; returns notes."""
    rows, scope = hearing.unit.patients, hearing.feed.scope
    survivor, gone = find_patient(hearing, keys.survivor), _known_by(hearing, keys.gone)
    # Whoever makes these known while this unit works must not have them for another patient.
    claimed = [key for key in (*keys.survivor, *keys.gone) if rows.find(scope, [key]) is None]
    if survivor is None and not gone and hearing.reconciles:
        return [NOT_CREATED]
    if survivor is None and not gone:
        survivor = Patient(0, scope, keys.survivor, given="", family="", number=None)
    elif survivor is None:
        # The same record under another name. Its chart may be another, so it is looked for anew; and what is
        # said of the record that stays, be it older, outweighs what was said of the one that is gone.
        named = {**gone[0].resource, **_identifiers(hearing, keys.survivor)}
        chart = next(iter(ehr_ids(keys.survivor)), None)
        survivor = replace(gone[0], ehr_id=chart, event_time=None, resource=named)
    for record in gone:
        if record.id != survivor.id:
            survivor = _merge(hearing, survivor, record)
    renamed = rename(survivor, keys.survivor, keys.gone)
    if renamed.id == 0 or renamed != rows.get(renamed.id):
        rows.save(renamed, claimed=claimed)
    return [] if gone else [f"nobody-known-by {merge.path}"]


def _known_by(hearing: Hearing, keys: Sequence[str]) -> list[Patient]:
    """The records that are gone: MRG-1 may list identifiers of several.

    Not one that merely shares a lesser identifier: it has another of the better kind.
    """
    rows, scope = hearing.unit.patients, hearing.feed.scope
    found = [owner for key in keys if (owner := rows.find(scope, [key])) is not None]
    return [
        each
        for each in {patient.id: patient for patient in found}.values()
        if not disagree(each.identifiers, keys)
    ]


def _merge(hearing: Hearing, survivor: Patient, gone: Patient) -> Patient:
    """Two stored records become one, under the locks that sending takes (promise 4)."""
    unit, now = hearing.unit, hearing.workshop.clock.calendar()
    unit.patients.hold_still(gone.id)
    ids = unit.appointments.of_patient(gone.id)
    _lock_numbers(unit, [survivor, gone], ids)
    visits = _locked(unit, ids)
    unit.reminders.hand_over(ids, gone.id, survivor.id)
    unit.replies.hand_over(ids, gone.id, survivor.id)
    for done in unit.tasks.hand_over(gone.id, survivor.id, now):
        unit.write_backs.renew(WriteBackKind.TASK, done)
    _unite_consent(hearing, survivor.id, gone.id)
    unit.patients.merge(gone.id, survivor.id)
    for visit in visits:
        theirs = under_records(visit, lambda each: survivor.id if each == gone.id else each)
        unit.appointments.save(theirs)
    plan_other_visits(hearing, [survivor.id])
    return unite(survivor, gone)


def _locked(unit: Unit, appointment_ids: Iterable[int]) -> list[Appointment]:
    """The appointments, so that nobody plans or texts them until this unit ends."""
    locked = []
    for appointment_id in appointment_ids:
        known = unit.appointments.get(appointment_id)
        found = unit.appointments.find(known.scope, known.identifiers)
        locked.append(found if found is not None and found.id == appointment_id else known)
    return locked


def _lock_numbers(unit: Unit, patients: Iterable[Patient], appointment_ids: Iterable[int]) -> None:
    """Every number to which a text about either of them may be about to leave, in one order."""
    numbers = {number for each in patients for number in (each.number, each.guardian_number)}
    for visit in appointment_ids:
        numbers |= {each.number for each in unit.reminders.of_appointment(visit) if each.state in OPEN}
    for number in sorted(number for number in numbers if number):
        unit.numbers.lock(number)


def _unite_consent(hearing: Hearing, survivor_id: int, gone_id: int) -> None:
    """No of either side wins; a yes is carried over where the survivor has said nothing."""
    rows = hearing.unit.patients
    theirs, lost = rows.consent(survivor_id), rows.consent(gone_id)
    united = False if False in {theirs, lost} else theirs or lost
    if united is not None and united is not theirs:
        at = hearing.workshop.clock.calendar()
        rows.record_consent(survivor_id, given=united, source="merge", at=at)


def _identifiers(hearing: Hearing, survivor: Sequence[str]) -> Resource:
    """The surviving identifiers as FHIR shows them."""
    for mapped, keys in zip(hearing.translation.patients, hearing.reading.patient_keys, strict=True):
        if keys == survivor:
            return {"identifier": mapped.resource.get("identifier", [])}
    return {}
