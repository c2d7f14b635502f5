"""Stories of what charts are told of STOP and START, and of the work that patients make for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.aftermath import close_task, open_task
from integration.domain.circuit import Circuit
from integration.domain.failure import Failure
from integration.domain.staff_task import OF_THE_PATIENT, StaffTask, TaskKind
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.pipeline.write_back import write_next
from integration.ports.ehr import LeftOut, NotWritable
from integration.testing.ehr import FakeWriteBack
from tests.adt import adt
from tests.messages import ANA, BEN, called, siu
from tests.pipeline.network import BOOKED_AT, VISIT, book, booked_site, deliver, report, say
from tests.site import local

if TYPE_CHECKING:
    from integration.domain.conversation import Reply
    from integration.ports.ehr import Fact, WriteOutcome
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")

TWIN = called(ANA, mrn="OLD1")  # Ana's other record, with the same number


class Particular(FakeWriteBack):
    """Has this to say to work for staff; takes all else."""

    def __init__(self, outcome: WriteOutcome) -> None:
        super().__init__()
        self.refused = 0
        self._outcome = outcome

    def write(self, fact: Fact) -> WriteOutcome:
        if fact.task is None:
            return super().write(fact)
        self.refused += 1
        return self._outcome


def write(site: Site, ehr: FakeWriteBack) -> FakeWriteBack:
    """Tell the charts all that is due."""
    circuit = Circuit()
    while write_next(site.store, ehr, site.clock, lambda: 0.0, circuit):
        pass
    return ehr


def family() -> Site:
    """Ana and Ben, who share a telephone, each with a visit."""
    site = booked_site()
    book(site, "A2", "2027-04-20T09:00", BEN)
    deliver(site)
    return site


def wish(ehr: FakeWriteBack, reply: Reply, patient_id: int = 1) -> list[tuple[bool | None, bool]]:
    """What a chart was told of a STOP or START: whether texts are wanted, whether that is in force."""
    facts = ehr.records[WriteBackKind.CONSENT, reply.id, patient_id]
    return [(fact.reply.wants_texts if fact.reply else None, fact.in_force) for fact in facts]


def work(ehr: FakeWriteBack) -> dict[tuple[int, int], list[Fact]]:
    """What charts were told of work for staff, by task and patient."""
    return {key[1:]: facts for key, facts in ehr.records.items() if key[0] is WriteBackKind.TASK}


def kinds(ehr: FakeWriteBack) -> list[TaskKind]:
    return [facts[0].task.kind for facts in work(ehr).values() if facts[0].task is not None]


def close(site: Site, task: StaffTask) -> None:
    with site.store.unit() as unit:
        close_task(unit, task.id, site.clock.calendar())


# --- STOP and START -------------------------------------------------------------------------------


def test_a_stop_from_a_shared_number_is_told_to_each_chart_that_has_the_number() -> None:
    site = family()
    stop = say(site, "STOP")
    ehr = write(site, FakeWriteBack())

    assert wish(ehr, stop, 1) == wish(ehr, stop, 2) == [(False, True)]
    assert (WriteBackKind.REPLY, stop.id, 1) not in ehr.records  # whose words they are is not certain


def test_a_start_is_told_and_takes_the_stop_back() -> None:
    site = family()
    stop = say(site, "STOP")
    ehr = write(site, FakeWriteBack())
    start = say(site, "START")
    write(site, ehr)

    for patient_id in (1, 2):
        assert wish(ehr, stop, patient_id) == [(False, True), (False, False)]
        assert wish(ehr, start, patient_id) == [(True, True)]


def test_of_many_wishes_the_newest_is_in_force_whenever_the_ehr_hears_of_them() -> None:
    site = booked_site()
    said = [say(site, body) for body in ("STOP", "START", "STOP", "STOP")]
    ehr = write(site, FakeWriteBack())

    assert [wish(ehr, each)[-1] for each in said] == [
        (False, False),
        (True, False),
        (False, False),
        (False, True),
    ]


def test_a_wish_is_told_after_the_reply_that_says_it_and_points_to_it() -> None:
    site = booked_site()
    deliver(site)
    stop = say(site, "STOP")
    ehr = write(site, FakeWriteBack())

    order = [kind for kind, _, _ in ehr.records]
    assert order.index(WriteBackKind.REPLY) < order.index(WriteBackKind.CONSENT)
    (fact,) = ehr.records[WriteBackKind.CONSENT, stop.id, 1]
    assert fact.told is not None
    assert fact.told.ehr_id == f"reply-{stop.id}-1"


def test_other_replies_are_no_wish() -> None:
    site = booked_site()
    for body in ("wrong number", "HELP", "I need to cancel my appointment"):
        say(site, body)
    ehr = write(site, FakeWriteBack())
    assert not [key for key in ehr.records if key[0] is WriteBackKind.CONSENT]


def test_a_start_that_speaks_of_an_emergency_lifts_nothing_and_is_no_wish() -> None:
    site = booked_site()
    stop = say(site, "STOP")
    start = say(site, "START chest pain")
    ehr = write(site, FakeWriteBack())
    assert start.wants_texts is None
    assert wish(ehr, stop) == [(False, True)]


# --- A no about a visit ---------------------------------------------------------------------------


def asked_site() -> Site:
    """Five days ahead Ana was asked to confirm."""
    site = booked_site()
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    deliver(site)
    return site


def answered(ehr: FakeWriteBack) -> list[tuple[str | None, list[int]]]:
    """The answers a chart was told, with their visits."""
    return [
        (fact.reply.intent if fact.reply else None, [visit.id for visit in fact.appointments])
        for (kind, _, _), facts in ehr.records.items()
        for fact in facts
        if kind is WriteBackKind.CONFIRMATION
    ]


def test_a_plain_no_to_the_open_question_is_an_answer_and_cancels_nothing() -> None:
    site = asked_site()
    say(site, "I can't make it")
    assert answered(write(site, FakeWriteBack())) == [("cancel", [1])]
    with site.store.unit() as unit:
        assert unit.appointments.get(1).is_expected


def test_a_no_to_no_open_question_is_left_to_staff_alone() -> None:
    site = booked_site()  # nothing has been asked yet
    say(site, "I can't make it")
    ehr = write(site, FakeWriteBack())
    assert answered(ehr) == []
    assert kinds(ehr) == [TaskKind.CANCEL_WISH]


def test_a_no_that_comes_with_an_emergency_or_a_picture_is_no_answer() -> None:
    site = asked_site()
    say(site, "I can't make it", media=1)
    say(site, "I can't make it, chest pain")
    assert answered(write(site, FakeWriteBack())) == []


def test_a_no_to_the_old_time_is_not_told_of_the_new_one() -> None:
    site = asked_site()
    say(site, "I can't make it")
    site.hear(siu("S13", at=site.clock.now, start=local("2027-03-12T09:00")))
    assert answered(write(site, FakeWriteBack())) == []


def test_of_a_no_and_a_yes_the_later_is_told_when_the_ehr_hears_of_both_at_once() -> None:
    for bodies, wanted in ((("I can't make it", "C"), "confirm"), (("C", "I can't make it"), "cancel")):
        site = asked_site()
        for body in bodies:
            say(site, body)
        assert answered(write(site, FakeWriteBack())) == [(wanted, [1])]


# --- Work for staff -------------------------------------------------------------------------------


def test_a_wish_to_cancel_is_work_for_staff_until_it_is_done() -> None:
    site = booked_site()
    deliver(site)
    reply = say(site, "I need to cancel my appointment")
    ehr = write(site, FakeWriteBack())
    (task,) = site.tasks
    close(site, task)
    write(site, ehr)

    asked, done = work(ehr)[task.id, 1]
    assert asked.task == task
    assert asked.told is not None
    assert asked.told.ehr_id == f"reply-{reply.id}-1"
    assert [visit.id for visit in asked.appointments] == [1]
    assert done.task is not None
    assert done.task.done_at == site.clock.calendar()
    assert done.row.ehr_id == f"task-{task.id}-1"


def test_work_done_before_the_ehr_could_hear_of_it_is_one_record() -> None:
    site = booked_site()
    say(site, "I need to cancel my appointment")
    (task,) = site.tasks
    close(site, task)
    ((fact,),) = work(write(site, FakeWriteBack())).values()
    assert fact.task is not None
    assert fact.task.done_at is not None


def test_work_that_is_open_already_is_told_once() -> None:
    site = booked_site()
    with site.store.unit() as unit:
        for _ in range(2):
            call = StaffTask(0, TaskKind.CALL_PATIENT, "riverside", "call", BOOKED_AT, patient_id=1)
            open_task(unit, call, site.workshop.settings)
    assert [len(facts) for facts in work(write(site, FakeWriteBack())).values()] == [1]


def test_a_text_that_failed_is_work_told_after_the_text() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.BAD_NUMBER)
    ehr = write(site, FakeWriteBack())

    assert kinds(ehr) == [TaskKind.CALL_PATIENT]
    ((fact,),) = work(ehr).values()
    assert fact.told is not None
    assert fact.told.ehr_id == "text-1-1"


def test_a_stop_is_work_for_each_visit_to_come_in_its_own_patients_chart() -> None:
    site = family()
    say(site, "STOP")
    told = work(write(site, FakeWriteBack()))
    assert {(patient_id, facts[0].appointments[0].id) for (_, patient_id), facts in told.items()} == {
        (1, 1),
        (2, 2),
    }


def test_whose_wish_it_is_of_several_is_a_guess_for_our_own_list_alone() -> None:
    site = booked_site()
    site.hear(adt("A28", at=site.clock.now, person=BEN, phone=None))  # has the number too, and no visit
    deliver(site)
    say(site, "I need to cancel my appointment")
    assert [(task.kind, task.patient_id) for task in site.tasks] == [(TaskKind.CANCEL_WISH, 1)]
    assert not work(write(site, FakeWriteBack()))


@pytest.mark.parametrize("kind", TaskKind)
@pytest.mark.parametrize("has_patient", [True, False])
def test_only_what_is_a_patients_own_matter_is_told(kind: TaskKind, *, has_patient: bool) -> None:
    site = booked_site()
    with site.store.unit() as unit:
        whose = 1 if has_patient else None
        task = StaffTask(0, kind, "riverside", "a sentence", BOOKED_AT, patient_id=whose)
        open_task(unit, task, site.workshop.settings)
        (task,) = unit.tasks.open()
        close_task(unit, task.id, BOOKED_AT)
    assert bool(work(write(site, FakeWriteBack()))) is (has_patient and kind in OF_THE_PATIENT)


def test_an_ehr_without_tasks_leaves_the_work_on_our_own_list() -> None:
    site = booked_site()
    say(site, "I need to cancel my appointment")
    ehr = write(site, Particular(LeftOut("the EHR takes no Task")))
    (task,) = site.tasks
    assert task.kind is TaskKind.CANCEL_WISH
    close(site, task)
    write(site, ehr)

    assert not site.tasks
    with site.store.unit() as unit:
        row = unit.write_backs.find(WriteBackKind.TASK, task.id, 1)
    assert row is not None
    assert row.state is WriteBackState.GAVE_UP


def test_work_that_the_ehr_refuses_makes_one_task_of_ours_and_no_further_work_for_it() -> None:
    site = booked_site()
    say(site, "I need to cancel my appointment")
    ehr = Particular(NotWritable("HTTP 422"))
    write(site, ehr)
    write(site, ehr)

    assert [task.kind for task in site.tasks] == [TaskKind.CANCEL_WISH, TaskKind.WRITE_BACK]
    assert ehr.refused == 1


# --- Merged records -------------------------------------------------------------------------------


def merged(site: Site) -> None:
    site.hear(adt("A40", at=site.clock.now, gone="OLD1"))


def test_work_of_a_record_that_became_part_of_another_is_done_under_its_one_record() -> None:
    site = booked_site()
    book(site, "A2", "2027-04-20T09:00", TWIN)
    with site.store.unit() as unit:
        call = StaffTask(0, TaskKind.CALL_PATIENT, "riverside", "call", BOOKED_AT, patient_id=2)
        open_task(unit, call, site.workshop.settings)
    ehr = write(site, FakeWriteBack())
    site.clock.now = local("2027-03-02T11:00")
    merged(site)
    (task,) = [each for each in site.tasks if each.kind is TaskKind.CALL_PATIENT]
    assert task.patient_id == 1
    close(site, task)
    write(site, ehr)

    ((asked, done),) = work(ehr).values()
    assert (asked.patient.id, done.patient.id) == (2, 1)
    assert done.task is not None
    assert done.task.done_at is not None


def test_work_that_both_records_had_is_done_once_and_the_other_chart_is_told_so() -> None:
    site = booked_site()
    book(site, "A2", "2027-04-20T09:00", TWIN)
    with site.store.unit() as unit:
        for patient_id in (1, 2):
            call = StaffTask(
                0, TaskKind.CALL_PATIENT, "riverside", "call", BOOKED_AT, VISIT, patient_id=patient_id
            )
            open_task(unit, call, site.workshop.settings)
    ehr = write(site, FakeWriteBack())
    site.clock.now = local("2027-03-02T11:00")
    merged(site)
    write(site, ehr)

    told = {
        patient_id: [fact.task.done_at is not None for fact in facts if fact.task is not None]
        for (_, patient_id), facts in work(ehr).items()
    }
    assert told == {1: [False], 2: [False, True]}
