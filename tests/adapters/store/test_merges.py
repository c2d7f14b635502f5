"""Two records of one patient become one, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import SuppressionKind
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.ports.store import Overtaken
from tests.adapters.store.records import (
    ADA,
    BEN,
    HOUR,
    NOW,
    add_visit,
    appointment,
    patient,
    question,
    reminder,
    suppression,
    task,
    text,
)

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit
    from tests.stores import StorePlace

CARA = "+12025550177"


def two_patients(unit: Unit) -> tuple[int, int]:
    """The one who goes, and the one who stays."""
    gone = unit.patients.save(patient(identifiers=("old", "older"), number=ADA))
    stays = unit.patients.save(patient(identifiers=("new",), number=BEN))
    return gone.id, stays.id


def test_what_a_merge_needs_comes_back_as_saved(store: Store) -> None:
    wanted = patient(
        silenced_by=("PD1-11", "PD1-12"),
        suppressed=True,
        removed=True,
        gone=("|SS|2002",),
        event_time=NOW,
        number_at=NOW - HOUR,
    )
    with store.unit() as unit:
        saved = unit.patients.save(wanted)
    with store.unit() as unit:
        assert unit.patients.get(saved.id) == replace(wanted, id=saved.id)


def test_every_identifier_of_a_record_that_is_gone_leads_to_the_one_that_stays(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        unit.patients.merge(gone, stays)
        found = [unit.patients.find("main", [key]) for key in ("old", "older", "new")]
        assert [each.id for each in found if each] == [stays] * 3
    with store.unit() as unit:
        found = [unit.patients.find("main", [key]) for key in ("old", "older", "new")]
        assert [each.id for each in found if each] == [stays] * 3
        assert unit.patients.get(gone).merged_into == stays
        assert unit.patients.survivor(gone).id == stays


def test_a_chain_of_merges_leads_to_its_end(store: Store) -> None:
    with store.unit() as unit:
        first, second = two_patients(unit)
        third = unit.patients.save(patient(identifiers=("newest",))).id
        unit.patients.merge(first, second)
        unit.patients.save(replace(unit.patients.get(second), identifiers=("new", "old", "older")))
        unit.patients.merge(second, third)
    with store.unit() as unit:
        found = unit.patients.find("main", ["older"])
        assert found is not None
        assert found.id == third
        assert [unit.patients.survivor(each).id for each in (first, second, third)] == [third] * 3


def test_a_record_that_is_gone_has_no_number(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        unit.patients.save(replace(unit.patients.get(gone), guardian_number=CARA))
        unit.patients.merge(gone, stays)
        assert unit.patients.with_number(ADA) == []
        assert unit.patients.with_number(CARA) == []


def test_an_identifier_that_belongs_to_a_third_stays_there(store: Store) -> None:
    with store.unit() as unit:
        third = unit.patients.save(patient(identifiers=("shared",))).id
        gone = unit.patients.save(patient(identifiers=("old", "shared"))).id
        stays = unit.patients.save(patient(identifiers=("new",))).id
        unit.patients.merge(gone, stays)
    with store.unit() as unit:
        found = unit.patients.find("main", ["shared"])
        assert found is not None
        assert found.id == third


def test_an_identifier_that_is_claimed_must_have_no_owner_when_the_unit_ends(store_place: StorePlace) -> None:
    """Another unit was faster: two tellers of one identifier never end with two patients."""
    store = store_place.open()
    with store.unit() as unit:
        stays = unit.patients.save(patient(identifiers=("new",)))
        unit.patients.hold_still(stays.id)
        unit.patients.save(patient(identifiers=("old",)))
    claiming = replace(stays, identifiers=("new", "older", "old"))
    with pytest.raises(Overtaken), store.unit() as unit:
        unit.patients.save(claiming, claimed=["older", "old"])
    with store.unit() as unit:
        unit.patients.save(claiming, claimed=["older"])  # the other stays with its owner
        found = [unit.patients.find("main", [key]) for key in ("older", "old")]
        assert [each.id == stays.id for each in found if each] == [True, False]
    store.close()


def test_all_appointments_of_a_patient_are_found_past_ones_too(store: Store) -> None:
    with store.unit() as unit:
        first, whose = add_visit(unit)
        second = unit.appointments.save(appointment(whose, identifiers=("SCH-2||2|",))).id
        add_visit(unit, 3)
        assert list(unit.appointments.of_patient(whose)) == [first, second]


def test_reminders_are_handed_over_but_for_those_the_other_has(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        visit = unit.appointments.save(appointment(gone, patients=(gone, stays))).id
        other = unit.appointments.save(appointment(gone, identifiers=("SCH-2||2|",))).id
        sent = {"state": ReminderState.SENT}
        unit.reminders.add([reminder(visit, gone, step="booked", **sent), reminder(visit, gone)])
        unit.reminders.add([reminder(visit, stays), reminder(other, gone)])
    with store.unit() as unit:
        unit.reminders.hand_over([visit], gone, stays)
        unit.reminders.hand_over([], gone, stays)
        after = [(each.step, each.patient_id) for each in unit.reminders.of_appointment(visit)]
        assert after == [("booked", stays), ("five_days", gone), ("five_days", stays)]
        assert [each.patient_id for each in unit.reminders.of_appointment(other)] == [gone]


def test_questions_are_handed_over_and_one_stands_for_each_visit(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        visits = [
            unit.appointments.save(
                appointment(gone, identifiers=(f"SCH-2||{n}|",), patients=(gone, stays))
            ).id
            for n in range(3)
        ]
        asked = unit.texts.add(text(gone)).id
        unit.replies.ask(question(asked, visits[0], gone))
        unit.replies.ask(question(asked, visits[1], gone))
        unit.replies.ask(question(asked, visits[1], stays))
        unit.replies.ask(question(asked, visits[2], gone))
    with store.unit() as unit:
        unit.replies.hand_over(visits[:2], gone, stays)
        unit.replies.hand_over([], gone, stays)
    with store.unit() as unit:
        standing = sorted((each.appointment_id, each.patient_id) for each in unit.replies.questions(ADA))
        assert standing == [(visits[0], stays), (visits[1], stays), (visits[2], gone)]


def test_open_tasks_are_handed_over_and_twins_are_done_once(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        unit.tasks.add(task(patient_id=gone, kind=TaskKind.CALL_PATIENT))
        twin = unit.tasks.add(task(patient_id=gone, kind=TaskKind.LINK_PATIENT))
        unit.tasks.add(task(patient_id=stays, kind=TaskKind.LINK_PATIENT))
        unit.tasks.add(task())
    with store.unit() as unit:
        assert unit.tasks.hand_over(gone, stays, NOW) == [twin]
        assert unit.tasks.hand_over(gone, stays, NOW) == []
    with store.unit() as unit:
        after = [(each.kind, each.patient_id) for each in unit.tasks.open()]
        assert after == [
            (TaskKind.CALL_PATIENT, stays),
            (TaskKind.LINK_PATIENT, stays),
            (TaskKind.READ_REPLY, None),
        ]
        unit.tasks.add(task(patient_id=stays, kind=TaskKind.CALL_PATIENT))
        assert len(unit.tasks.open()) == 3  # it is open already


def test_what_the_chart_refused_of_a_record_that_is_gone_is_tried_again_with_the_other(store: Store) -> None:
    with store.unit() as unit:
        gone, stays = two_patients(unit)
        unit.write_backs.want(WriteBackKind.TEXT, unit.texts.add(text(gone)).id, gone)
        row = unit.write_backs.claim(NOW, NOW + HOUR)
        assert row is not None
        unit.write_backs.settle(replace(row, state=WriteBackState.REFUSED))
        unit.patients.merge(gone, stays)
        unit.write_backs.reopen(stays)
        assert unit.write_backs.count(WriteBackState.PENDING) == 1


def test_numbers_that_cannot_receive_texts_are_told_apart(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression(number=ADA, kind=SuppressionKind.BAD_NUMBER))
        unit.numbers.suppress(suppression(number=BEN, kind=SuppressionKind.OPT_OUT))
        unit.numbers.suppress(suppression(number=CARA, kind=SuppressionKind.BAD_NUMBER))
        unit.numbers.lift(CARA, {SuppressionKind.BAD_NUMBER}, at=NOW, by="ehr")
    with store.unit() as unit:
        assert unit.numbers.unusable([ADA, BEN, CARA]) == {ADA: NOW}
        assert unit.numbers.unusable([]) == {}
