"""Stories of two records of one patient that become one (A40 and its elders)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.adapters.write_back.log_only import LogOnlyMode
from integration.domain.circuit import Circuit
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send import send_next
from integration.pipeline.write_back import write_next
from integration.ports.ehr import Written
from integration.testing.sms import FakeSmsProvider
from tests.adt import adt, and_also
from tests.messages import ANA, BEN, CARLA, called, siu
from tests.pipeline.network import report
from tests.pipeline.network import say as reply
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.recipient import Patient
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.store import Store
    from tests.messages import Person

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
LATER = local("2027-04-20T09:00")
ANAS, OLD = "+16175550123", "+16175550177"
WHOLE_PLAN = ["booked", "five_days", "two_days", "three_hours"]
TWIN = called(ANA, mrn="OLD1", phone="(617)555-0177")  # Ana's other record, with another number
SAME = called(ANA, mrn="OLD1")  # with the same number
EVERY_MERGE = ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"]


@pytest.fixture
def site(store: Store) -> Site:
    clock = TurnedClock(BOOKED_AT)
    return Site(store, clock, sms=FakeSmsProvider(now=clock.wall))


class Chart(LogOnlyMode):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def write(self, fact: Fact) -> WriteOutcome:
        self.facts.append(fact)
        return Written("chart-1")


def book(site: Site, person: Person, **more: object) -> None:
    wanted = {"start": VISIT, "person": person, **more}
    site.hear(siu("S12", at=site.clock.now, **wanted))  # type: ignore[arg-type]


def merge(site: Site, at: str, *, trigger: str = "A40", gone: str = "OLD1", **more: object) -> None:
    site.until(max(site.clock.now, local(at)))
    site.hear(adt(trigger, at=local(at), gone=gone, **more))  # type: ignore[arg-type]


def known_by(site: Site, mrn: str) -> Patient:
    with site.store.unit() as unit:
        found = unit.patients.find("main", [f"RIVER|MR|{mrn}"])
    assert found is not None
    return found


def told(site: Site) -> list[tuple[str, str]]:
    return [(text.number, text.occasion) for text in site.texts if text.offered_at is not None]


def run_out(site: Site) -> list[tuple[str, str]]:
    site.until(local("2027-03-12T12:00"))
    return told(site)


def notes(site: Site) -> str:
    with site.store.unit() as unit:
        last = unit.inbox.listing()[-1]
    assert last.state == "done"
    return last.reason or ""


@pytest.mark.parametrize("trigger", EVERY_MERGE)
def test_what_was_planned_for_the_record_that_is_gone_goes_on_for_the_one_that_stays(
    site: Site, trigger: str
) -> None:
    site.hear(adt("A28", at=BOOKED_AT, phone=None))
    book(site, TWIN)
    merge(site, "2027-03-03T11:00", trigger=trigger)
    assert run_out(site) == [(OLD, "booked"), *((ANAS, step) for step in WHOLE_PLAN[1:])]
    assert len({known_by(site, mrn).id for mrn in (ANA.mrn, "OLD1")}) == 1


def test_what_was_told_is_told_no_second_time_whichever_number_it_went_to(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, phone=None))
    site.clock.now = local("2027-03-09T09:01")
    book(site, TWIN)  # two days ahead: told at once, for the step of ten o'clock as well
    assert told(site) == [(OLD, "two_days")]
    merge(site, "2027-03-09T09:30")
    assert run_out(site) == [(OLD, "two_days"), (ANAS, "three_hours")]


def test_news_that_was_still_settling_is_told_to_the_one_who_stays(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, phone=None))
    site.clock.now = local("2027-03-01T22:00")  # quiet hours
    book(site, TWIN)
    merge(site, "2027-03-01T22:30")
    assert run_out(site)[0] == (ANAS, "booked")


def test_both_records_visits_are_the_survivors(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    merge(site, "2027-03-03T11:00")
    survivor = known_by(site, ANA.mrn).id
    with site.store.unit() as unit:
        assert [unit.appointments.get(each).patients for each in (1, 2)] == [(survivor,), (survivor,)]
    site.until(local("2027-04-21T12:00"))
    assert told(site)[2:] == [(ANAS, step) for step in WHOLE_PLAN[1:]] * 2


def test_a_visit_of_both_records_is_told_once(site: Site) -> None:
    pid = next(
        line for line in siu("S12", at=BOOKED_AT, start=VISIT, person=SAME).split(b"\r") if line[:3] == b"PID"
    )
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT).replace(b"RGS|1", pid + b"\rRGS|1"))
    merge(site, "2027-03-03T11:00")
    assert run_out(site) == [(ANAS, step) for step in WHOLE_PLAN]


def test_what_comes_later_under_the_old_identifier_is_the_survivors(site: Site) -> None:
    book(site, ANA)
    merge(site, "2027-03-03T11:00")
    book(site, TWIN, visit="A2", start=LATER)
    survivor = known_by(site, ANA.mrn).id
    with site.store.unit() as unit:
        assert unit.appointments.get(2).patients == (survivor,)
    site.until(local("2027-04-21T12:00"))
    assert {number for number, _ in told(site)} == {ANAS}  # a record that is gone gives no number


def test_what_is_said_under_the_old_identifier_only_fills_what_is_missing(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, person=called(ANA, language="")))
    merge(site, "2027-03-03T11:00", person=called(ANA, language=""))
    site.hear(adt("A08", at=site.clock.now, person=called(TWIN, given="Anne", language="es"), phone=None))
    ana = known_by(site, ANA.mrn)
    assert (ana.given, ana.language, ana.number) == ("Ana", "es", OLD)
    assert ana.resource["identifier"][0]["value"] == ANA.mrn
    site.hear(adt("A08", at=site.clock.now, person=TWIN, dead="Y"))
    assert known_by(site, ANA.mrn).deceased


def test_an_identifier_that_was_given_again_to_somebody_else_waits_for_a_person(site: Site) -> None:
    book(site, SAME)
    merge(site, "2027-03-03T11:00", trigger="A47", phone=None)
    stranger = called(CARLA, mrn="OLD1", family="Other", born="19551231")
    book(site, stranger, visit="C1")
    with site.store.unit() as unit:
        last = unit.inbox.listing()[-1]
    assert (last.state, last.reason) == ("dead", "identifier-of-a-merged-record PID-3")
    assert known_by(site, "OLD1").family == "Sample"
    assert {number for number, _ in run_out(site)} == {ANAS}
    book(site, called(SAME, family="Married"), visit="A3")  # one of the two may change
    with site.store.unit() as unit:
        assert unit.inbox.listing()[-1].state == "done"


def test_what_was_said_of_the_one_who_stays_outweighs_newer_words_on_the_one_who_is_gone(site: Site) -> None:
    site.clock.now = local("2027-03-03T11:00")
    site.hear(adt("A08", at=site.clock.now, person=TWIN, phone=None))
    site.hear(adt("A40", at=local("2027-03-02T10:00"), gone="OLD1"))
    assert known_by(site, ANA.mrn).number == OLD
    site.hear(adt("A08", at=local("2027-03-02T11:00"), phone=None))
    assert known_by(site, ANA.mrn).number == ANAS


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("known", ["neither", "survivor", "gone"])
def test_a_merge_counts_whoever_was_known_before(site: Site, known: str, *, typed: bool) -> None:
    if known == "survivor":
        book(site, ANA)
    if known == "gone":
        book(site, SAME)
    merge(site, "2027-03-03T11:00", phone=None, typed=typed)
    assert known_by(site, "OLD1") == known_by(site, ANA.mrn)
    assert ("nobody-known-by MRG-1" in notes(site)) == (known != "gone")
    if known == "neither":
        book(site, called(SAME, phone=""))
    assert [step for _, step in run_out(site)] == WHOLE_PLAN
    assert {number for number, _ in told(site)} == {ANAS}


def test_a_record_under_another_name_is_looked_for_anew_in_the_chart(site: Site) -> None:
    book(site, SAME)
    with site.store.unit() as unit:
        unit.patients.link(1, "chart-of-the-old-record")
    merge(site, "2027-03-03T11:00", trigger="A47")
    ana = known_by(site, ANA.mrn)
    assert (ana.id, ana.ehr_id, ana.resource["identifier"][0]["value"]) == (1, None, ANA.mrn)


def test_a_chain_of_merges_leads_to_its_end(site: Site) -> None:
    book(site, TWIN)
    site.hear(adt("A28", at=site.clock.now, person=BEN, phone=None))
    site.hear(adt("A28", at=site.clock.now, phone=None))
    merge(site, "2027-03-03T11:00", person=BEN)
    merge(site, "2027-03-04T11:00", gone=BEN.mrn)
    assert len({known_by(site, mrn).id for mrn in ("OLD1", BEN.mrn, ANA.mrn)}) == 1
    assert {number for number, step in run_out(site) if step != "booked"} == {ANAS}


def test_a_merge_told_twice_changes_nothing(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    merge(site, "2027-03-03T11:00")
    once = known_by(site, "OLD1")
    merge(site, "2027-03-03T11:01")
    assert known_by(site, "OLD1") == replace(once, event_time=site.clock.now)


def test_a_circle_of_merges_is_one_record_under_the_name_said_last(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    merge(site, "2027-03-03T11:00")
    merge(site, "2027-03-04T11:00", person=TWIN, gone=ANA.mrn, phone=None)
    one, other = known_by(site, ANA.mrn), known_by(site, "OLD1")
    assert one == other
    assert one.identifiers[0] == "RIVER|MR|OLD1"
    assert one.gone == (f"RIVER|MR|{ANA.mrn}",)
    assert one.number == OLD
    site.until(local("2027-04-21T12:00"))
    assert {number for number, step in told(site) if step != "booked"} == {OLD}


def test_a_merge_of_a_record_into_itself_is_noted_and_done(site: Site) -> None:
    book(site, ANA)
    merge(site, "2027-03-03T11:00", gone=ANA.mrn)
    assert "merged-into-itself MRG-1" in notes(site)
    assert known_by(site, ANA.mrn).gone == ()
    assert [step for _, step in run_out(site)] == WHOLE_PLAN


def test_several_pairs_in_one_message_are_all_merged(site: Site) -> None:
    book(site, TWIN)
    book(site, called(CARLA, mrn="OLD3"), visit="C1")
    both = and_also(
        adt("A40", at=site.clock.now, gone="OLD1"), adt("A40", at=site.clock.now, person=CARLA, gone="OLD3")
    )
    site.hear(both)
    assert known_by(site, "OLD1") == known_by(site, ANA.mrn)
    assert known_by(site, "OLD3") == known_by(site, CARLA.mrn)
    assert known_by(site, "OLD1") != known_by(site, "OLD3")


@pytest.mark.parametrize("listed", ["OLD1{0}~OLD3{0}~E7^^^STATE^PI", "E7^^^STATE^PI~OLD3{0}~OLD1{0}"])
def test_every_record_that_the_message_lists_is_gone_but_not_one_that_shares_a_lesser_identifier(
    site: Site, listed: str
) -> None:
    shared = b"^^^RIVER^MR~E7^^^STATE^PI"
    site.hear(adt("A28", at=site.clock.now, person=BEN, phone=None).replace(b"^^^RIVER^MR", shared))
    book(site, TWIN)
    book(site, called(CARLA, mrn="OLD3"), visit="C1")
    merge(site, "2027-03-03T11:00", gone=listed.format("^^^RIVER^MR"), typed=False, phone=None)
    assert len({known_by(site, mrn).id for mrn in (ANA.mrn, "OLD1", "OLD3")}) == 1
    assert known_by(site, BEN.mrn) != known_by(site, ANA.mrn)


# What either side said of texts


@pytest.mark.parametrize("who", ["survivor", "gone"])
def test_a_refusal_of_either_side_wins(site: Site, who: str) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    with site.store.unit() as unit:
        said = {"survivor": ANA.mrn, "gone": "OLD1"}
        for each, mrn in said.items():
            whose = unit.patients.find("main", [f"RIVER|MR|{mrn}"])
            assert whose is not None
            unit.patients.record_consent(whose.id, given=each != who, source="form", at=BOOKED_AT)
    merge(site, "2027-03-03T11:00")
    survivor = known_by(site, ANA.mrn).id
    with site.store.unit() as unit:
        assert unit.patients.consent(survivor) is False
    assert [step for _, step in run_out(site)] == ["booked", "booked"]


def test_a_yes_of_the_record_that_is_gone_is_the_survivors(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    with site.store.unit() as unit:
        unit.patients.record_consent(2, given=True, source="form", at=BOOKED_AT)
    merge(site, "2027-03-03T11:00")
    survivor = known_by(site, ANA.mrn).id
    with site.store.unit() as unit:
        assert unit.patients.consent(survivor) is True


@pytest.mark.parametrize("wish", [{"publicity": "N"}, {"dead": "Y"}])
@pytest.mark.parametrize("who", [ANA, TWIN])
def test_a_wish_for_silence_and_death_count_from_either_side(
    site: Site, who: Person, wish: dict[str, str]
) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(adt("A31", at=site.clock.now, person=who, **wish))  # type: ignore[arg-type]
    merge(site, "2027-03-03T11:00")
    assert [step for _, step in run_out(site)] == ["booked", "booked"]


def test_who_stopped_texts_at_the_old_number_gets_none_there_and_a_number_is_never_taken_over(
    site: Site,
) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    reply(site, "STOP", number=OLD)
    merge(site, "2027-03-03T11:00")
    site.until(local("2027-04-21T12:00"))
    after = [number for number, step in told(site) if step in WHOLE_PLAN[1:]]
    assert set(after) == {ANAS}


# What was under way


def test_a_question_put_to_the_old_record_is_answered_for_the_new_one(site: Site) -> None:
    book(site, SAME)
    site.until(local("2027-03-06T10:00"))  # asked, five days ahead
    site.hear(adt("A28", at=site.clock.now, phone=None))
    site.hear(adt("A40", at=site.clock.now, gone="OLD1"))
    heard = reply(site, "C", number=ANAS)
    survivor = known_by(site, ANA.mrn).id
    assert (heard.intent, heard.patient_id, heard.appointment_id) == ("confirm", survivor, 1)
    with site.store.unit() as unit:
        assert unit.appointments.get(1).confirmed
        assert unit.write_backs.find(WriteBackKind.CONFIRMATION, heard.id, survivor) is not None


def test_a_wish_to_cancel_written_to_the_old_record_is_about_the_visit(site: Site) -> None:
    book(site, SAME)
    site.hear(adt("A28", at=site.clock.now, phone=None))
    site.hear(adt("A40", at=site.clock.now, gone="OLD1"))
    heard = reply(site, "I need to cancel my appointment", number=ANAS)
    (task,) = site.tasks
    assert (heard.patient_id, task.patient_id, task.appointment_id) == (2, 2, 1)


def test_open_tasks_are_the_survivors(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    with site.store.unit() as unit:
        unit.tasks.add(StaffTask(0, TaskKind.CALL_PATIENT, "riverside", "call", BOOKED_AT, patient_id=2))
    merge(site, "2027-03-03T11:00")
    calls = [task.patient_id for task in site.tasks if task.kind is TaskKind.CALL_PATIENT]
    assert calls == [1]


def test_late_news_of_a_text_reaches_the_survivors_chart(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, phone=None))
    book(site, TWIN)
    merge(site, "2027-03-03T11:00")
    report(site, "delivered")
    chart = Chart()
    while write_next(site.store, chart, site.clock, lambda: 0.0, Circuit()):
        pass
    (fact,) = chart.facts
    assert fact.patient == known_by(site, ANA.mrn)
    assert [visit.id for visit in fact.appointments] == [1]
    assert fact.text is not None
    assert fact.text.status is DeliveryStatus.DELIVERED


def test_a_text_that_failed_after_the_merge_is_a_call_to_the_survivor(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, phone=None))
    book(site, TWIN)
    merge(site, "2027-03-01T11:30")
    report(site, "undelivered", Failure.BAD_NUMBER)
    assert [(task.kind, task.patient_id) for task in site.tasks] == [
        (TaskKind.CALL_PATIENT, known_by(site, ANA.mrn).id)
    ]


@pytest.mark.parametrize("whose", [ANA, TWIN])
def test_while_a_merge_waits_unread_neither_side_is_texted(site: Site, whose: Person) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2")
    site.until(local("2027-03-06T09:59"))
    site.clock.now = local("2027-03-06T10:00")
    site.receive(adt("A40", at=site.clock.now, gone="OLD1"))
    while send_next(site.workshop):
        pass
    with site.store.unit() as unit:
        reminders = unit.reminders.of_appointment(1 if whose is ANA else 2)
    (five_days,) = [each for each in reminders if each.step == "five_days"]
    assert five_days.state is ReminderState.HELD
    site.work()
    site.until(local("2027-03-06T10:10"))
    assert told(site)[2:] == [(ANAS, "five_days")]  # one text for both visits


def test_an_old_merge_counts_though_what_it_says_of_the_person_does_not(site: Site) -> None:
    book(site, ANA)
    book(site, TWIN, visit="A2", start=LATER)
    site.clock.now = local("2027-03-03T11:00")
    site.hear(adt("A40", at=local("2027-02-01T11:00"), gone="OLD1", phone="(617)555-0199"))
    assert known_by(site, "OLD1") == known_by(site, ANA.mrn)
    assert known_by(site, ANA.mrn).number == ANAS
