"""Patients, appointments and their changes, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from integration.domain.appointment import AppointmentEvent, Fact, Modality, PastSlot, Slot
from integration.ports.store import Overtaken
from tests.adapters.store.records import (
    ADA,
    BEN,
    DAY,
    HOUR,
    NOW,
    add_visit,
    appointment,
    change,
    patient,
)

if TYPE_CHECKING:
    from integration.ports.store import Store


def test_a_patient_comes_back_as_saved(store: Store) -> None:
    with store.unit() as unit:
        saved = unit.patients.save(patient(ehr_id="ehr-77", suppressed=True))
    with store.unit() as unit:
        assert unit.patients.get(saved.id) == replace(patient(ehr_id="ehr-77", suppressed=True), id=saved.id)


def test_a_patient_with_nothing_known_comes_back_as_saved(store: Store) -> None:
    bare = patient(number=None, birth_date=None, language=None, event_time=None, resource={}, given="")
    with store.unit() as unit:
        saved = unit.patients.save(bare)
    with store.unit() as unit:
        assert unit.patients.get(saved.id) == replace(bare, id=saved.id)


def test_a_childs_guardian_comes_back_as_saved_and_is_found_by_the_number(store: Store) -> None:
    child = patient(number=ADA, guardian_number=BEN, guardian_language="es")
    with store.unit() as unit:
        saved = unit.patients.save(child)
        other = unit.patients.save(patient(identifiers=("x",), number=BEN))
    with store.unit() as unit:
        assert unit.patients.get(saved.id) == replace(child, id=saved.id)
        assert [each.id for each in unit.patients.with_number(BEN)] == [saved.id, other.id]
        assert [each.id for each in unit.patients.with_number(ADA)] == [saved.id]
        unit.patients.save(replace(saved, guardian_number=None))
    with store.unit() as unit:
        assert [each.id for each in unit.patients.with_number(BEN)] == [other.id]


def test_a_patient_is_found_by_any_identifier_ever_seen(store: Store) -> None:
    with store.unit() as unit:
        saved = unit.patients.save(patient(identifiers=("a", "b")))
    with store.unit() as unit:
        unit.patients.save(replace(saved, identifiers=("c",), family="Renamed"))
    with store.unit() as unit:
        found = [unit.patients.find("main", [key]) for key in ("a", "b", "c")]
    assert {each.id for each in found if each} == {saved.id}
    assert [each.identifiers for each in found if each] == [("c", "a", "b")] * 3


def test_identifiers_mean_nothing_in_another_scope(store: Store) -> None:
    with store.unit() as unit:
        unit.patients.save(patient())
        assert unit.patients.find("other", patient().identifiers) is None


def test_the_first_known_identifier_decides_whom_it_means(store: Store) -> None:
    with store.unit() as unit:
        unit.patients.save(patient(identifiers=("first", "shared")))
        second = unit.patients.save(patient(identifiers=("second", "shared")))
        assert unit.patients.find("main", ["unknown", "second", "shared"]) == second
        found = unit.patients.find("main", ["shared"])
    assert found is not None
    assert found.id != second.id  # it stays with the one who had it first


def test_a_message_that_says_nothing_new_is_remembered_by_its_time_alone(store: Store) -> None:
    with store.unit() as unit:
        saved = unit.patients.save(patient())
        assert unit.patients.heard(saved, NOW + HOUR).event_time == NOW + HOUR  # not yet written
    with store.unit() as unit:
        known = unit.patients.find("main", patient().identifiers)
        assert known == replace(saved, event_time=NOW + HOUR)
        unit.patients.heard(known, NOW + DAY)
        assert unit.patients.get(saved.id).event_time == NOW + DAY
        unit.patients.heard(unit.patients.get(saved.id), NOW)  # never back
        unit.patients.save(replace(unit.patients.get(saved.id), given="Ada"))
    with store.unit() as unit:
        assert unit.patients.get(saved.id) == replace(saved, given="Ada", event_time=NOW + DAY)


def test_two_units_cannot_store_the_same_patient_twice(store: Store) -> None:
    with store.unit() as unit:
        unit.patients.save(patient())
    with pytest.raises(Overtaken), store.unit() as unit:
        unit.patients.save(patient())


def test_an_unknown_patient_is_a_key_error(store: Store) -> None:
    with store.unit() as unit, pytest.raises(KeyError):
        unit.patients.get(404)


def test_all_patients_of_a_number_are_found(store: Store) -> None:
    with store.unit() as unit:
        mother = unit.patients.save(patient(identifiers=("1",)))
        child = unit.patients.save(patient(identifiers=("2",)))
        unit.patients.save(patient(identifiers=("3",), number=BEN))
        unit.patients.save(patient(identifiers=("4",), number=None))
        assert unit.patients.with_number(ADA) == [mother, child]
        assert unit.patients.with_number("+12025550199") == []


def test_the_newest_record_of_consent_counts(store: Store) -> None:
    with store.unit() as unit:
        saved = unit.patients.save(patient())
        assert unit.patients.consent(saved.id) is None
        unit.patients.record_consent(saved.id, given=False, source="staff", at=NOW)
        unit.patients.record_consent(saved.id, given=True, source="form", at=NOW - DAY)
        assert unit.patients.consent(saved.id) is False
        unit.patients.record_consent(saved.id, given=True, source="form", at=NOW)
        assert unit.patients.consent(saved.id) is True


def test_an_appointment_comes_back_as_saved(store: Store) -> None:
    with store.unit() as unit:
        first, second = (unit.patients.save(patient(identifiers=(key,))).id for key in "ab")
        wanted = appointment(first, patients=(second, first), confirmed=True, held_by=12, ehr_id="ehr-9")
        saved = unit.appointments.save(wanted)
        assert saved == replace(wanted, id=saved.id)
    with store.unit() as unit:
        assert unit.appointments.get(saved.id) == saved
        assert unit.appointments.find("main", ["SCH-1|EPIC|8001|"]) == saved


def test_an_appointment_without_a_start_or_a_patient_comes_back_as_saved(store: Store) -> None:
    with store.unit() as unit:
        saved = unit.appointments.save(appointment(0, patients=(), slot=Slot(None), practice=None))
        assert unit.appointments.get(saved.id).slot == Slot(None)
        assert unit.appointments.get(saved.id).patients == ()


def test_the_visits_a_patient_has_before_them_are_found(store: Store) -> None:
    with store.unit() as unit:
        first, second = (unit.patients.save(patient(identifiers=(key,))).id for key in "ab")
        visits = [
            unit.appointments.save(
                appointment(0, patients=patients, identifiers=(f"visit {days}",), slot=Slot(NOW + days * DAY))
            ).id
            for days, patients in ((1, (first,)), (2, (second, first)), (3, (second,)), (-1, (first,)))
        ]
        assert list(unit.appointments.to_come(first, NOW)) == visits[:2]
    with store.unit() as unit:
        assert list(unit.appointments.to_come(second, NOW + 2 * DAY)) == [visits[2]]


def test_an_appointment_may_change_its_patients_and_gain_identifiers(store: Store) -> None:
    with store.unit() as unit:
        visit_id, _ = add_visit(unit)
        other = unit.patients.save(patient(identifiers=("other",)))
        visit = unit.appointments.get(visit_id)
        moved = replace(
            visit, patients=(other.id,), identifiers=("new",), slot=Slot(NOW + 9 * DAY), slot_number=2
        )
        unit.appointments.save(moved)
    with store.unit() as unit:
        found = unit.appointments.find("main", ["new"])
        assert found == replace(moved, identifiers=("new", *visit.identifiers))
        assert unit.appointments.find("main", visit.identifiers) == found


def test_an_appointment_is_found_by_the_first_known_of_its_identifiers(store: Store) -> None:
    with store.unit() as unit:
        whose = unit.patients.save(patient()).id
        unit.appointments.save(appointment(whose, identifiers=("one", "counter")))
        two = unit.appointments.save(appointment(whose, identifiers=("two", "counter")))
        assert unit.appointments.find("main", ["nobody's", "two", "counter"]) == two
        assert unit.appointments.find("main", ["nobody's"]) is None
        assert unit.appointments.find("main", []) is None


def test_an_unknown_appointment_is_a_key_error(store: Store) -> None:
    with store.unit() as unit, pytest.raises(KeyError):
        unit.appointments.get(404)


def test_times_come_back_in_utc_to_the_millisecond(store: Store) -> None:
    eastern = timezone(timedelta(hours=-5))
    with store.unit() as unit:
        start = datetime(2027, 3, 1, 9, 0, 0, 123_999, tzinfo=eastern)
        saved = unit.appointments.save(appointment(0, patients=(), slot=Slot(start)))
        kept = unit.appointments.get(saved.id).slot.start
    assert kept is not None
    assert kept.isoformat() == "2027-03-01T14:00:00.123000+00:00"


def test_a_time_without_an_offset_is_refused(store: Store) -> None:
    naive = datetime(2027, 3, 1, 9, 0)  # noqa: DTZ001 - what is to be refused
    with pytest.raises(Exception, match="without an offset"), store.unit() as unit:
        unit.appointments.save(appointment(0, patients=(), slot=Slot(naive)))


def test_a_change_comes_back_as_written(store: Store) -> None:
    with store.unit() as unit:
        visit_id, _ = add_visit(unit)
        moved = change(
            visit_id, event=AppointmentEvent.MOVED, before=Slot(NOW, "Old Place"), quiet=True, inbox_id=5
        )
        unit.changes.add(moved)
        unit.changes.add(change(visit_id, before=Slot(None)))
    with store.unit() as unit:
        first, second = unit.changes.claim(10)
    assert first == replace(moved, id=first.id)
    assert second.before == Slot(None)


def test_all_changes_of_an_appointment_come_together_and_in_order(store: Store) -> None:
    with store.unit() as unit:
        one, _ = add_visit(unit, 1)
        two, _ = add_visit(unit, 2)
        for hour, visit_id in enumerate((one, two, one, one)):
            unit.changes.add(change(visit_id, at=NOW + hour * HOUR))
    with store.unit() as unit:
        claimed = unit.changes.claim(1)
        assert [each.at for each in claimed] == [NOW, NOW + 2 * HOUR, NOW + 3 * HOUR]
        assert {each.appointment_id for each in claimed} == {one}
        unit.changes.done([each.id for each in claimed])
        assert not unit.changes.waits([one])
        assert unit.changes.waits([one, two])
    with store.unit() as unit:
        assert [each.appointment_id for each in unit.changes.claim(10)] == [two]


def test_a_change_just_written_waits_within_its_own_unit(store: Store) -> None:
    with store.unit() as unit:
        visit_id, _ = add_visit(unit)
        assert not unit.changes.waits([visit_id])
        unit.changes.add(change(visit_id))
        assert unit.changes.waits([visit_id])


def test_a_change_of_no_appointment_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match=r"404|FOREIGN KEY|foreign key"), store.unit() as unit:
        unit.changes.add(change(404))


def test_an_appointment_remembers_its_parents_and_its_past(store: Store) -> None:
    past = PastSlot(1, Slot(NOW + DAY, "Elm Street", Modality.VIDEO), confirmed=True)
    older = ((Fact.STATUS, NOW - HOUR), (Fact.PLACE, None))
    with store.unit() as unit:
        whose = unit.patients.save(patient())
        made = appointment(whose.id, parents=("SCH-2||S1|",), past_slots=(past,), older=older)
        saved = unit.appointments.save(made)
    with store.unit() as unit:
        found = unit.appointments.get(saved.id)
        assert (found.parents, found.past_slots, found.older) == (("SCH-2||S1|",), (past,), older)
        unit.appointments.save(replace(found, past_slots=(), older=()))
    with store.unit() as unit:
        found = unit.appointments.get(saved.id)
    assert (found.past_slots, found.older) == ((), ())


def test_an_appointment_remembers_which_of_its_patients_have_confirmed(store: Store) -> None:
    with store.unit() as unit:
        ana = unit.patients.save(patient())
        ben = unit.patients.save(patient(identifiers=("HOSP|MR|2",)))
        past = PastSlot(1, Slot(NOW + DAY, "Elm Street"), confirmed=False, confirmed_by=(ben.id,))
        later = PastSlot(2, Slot(NOW + DAY, "Oak Street"), confirmed=False)
        both = replace(appointment(ana.id), patients=(ana.id, ben.id), confirmed_by=(ana.id,))
        saved = unit.appointments.save(replace(both, slot_number=3, past_slots=(past, later)))
    with store.unit() as unit:
        found = unit.appointments.get(saved.id)
        assert (found.confirmed_by, found.past_slots) == ((ana.id,), (past, later))
        unit.appointments.save(replace(found, confirmed=True, confirmed_by=()))
    with store.unit() as unit:
        found = unit.appointments.get(saved.id)
    assert (found.confirmed, found.confirmed_by) == (True, ())


def test_the_parts_of_an_appointment_are_found_by_any_key_of_it(store: Store) -> None:
    with store.unit() as unit:
        whose = unit.patients.save(patient())
        first = unit.appointments.save(appointment(whose.id, identifiers=("a",), parents=("p", "q")))
        second = unit.appointments.save(appointment(whose.id, identifiers=("b",), parents=("q",)))
        third = unit.appointments.save(appointment(whose.id, identifiers=("c",)))
        assert unit.appointments.parts_of("main", ["p"]) == [first.id]
    with store.unit() as unit:
        unit.appointments.save(replace(unit.appointments.get(third.id), parents=("q",)))
        unit.appointments.save(replace(unit.appointments.get(first.id), parents=("p", "q", "r")))
    with store.unit() as unit:
        assert unit.appointments.parts_of("main", ["r", "p"]) == [first.id]
        assert unit.appointments.parts_of("main", ["q"]) == [first.id, second.id, third.id]
        assert unit.appointments.parts_of("other", ["q"]) == []
        assert unit.appointments.parts_of("main", []) == []


def test_a_change_says_whose_visit_it_was(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.changes.add(change(visit, patients_before=(whose, whose + 7)))
        unit.changes.add(change(visit))
        unit.changes.add(change(visit, patients_before=()))
    with store.unit() as unit:
        before = [each.patients_before for each in unit.changes.claim(10)]
    assert before == [(whose, whose + 7), None, ()]
