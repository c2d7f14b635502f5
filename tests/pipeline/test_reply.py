"""Stories of what patients write, and what we do about it (promises 6 and 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.circuit import Circuit
from integration.domain.consent import ALL_SENDERS, SuppressionKind
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import MARGIN, TaskKind
from integration.domain.write_back import WriteBackKind
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.pipeline.write_back import write_next
from integration.testing.ehr import FakeWriteBack
from tests import settings as make
from tests.messages import ANA, BEN, siu
from tests.pipeline.network import (
    ANAS_NUMBER,
    BOOKED_AT,
    VISIT,
    book,
    booked_site,
    deliver,
    report,
    say,
    site_at,
)
from tests.site import local

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Reply
    from integration.domain.text_message import TextMessage
    from integration.settings.model import Settings
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def asked_site() -> Site:
    """Ana's visit has been booked, and five days ahead she was asked to confirm it."""
    site = booked_site()
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    deliver(site)
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]
    return site


def the_visit(site: Site, number: int = 1) -> Appointment:
    with site.store.unit() as unit:
        return unit.appointments.get(number)


def answers(site: Site) -> list[TextMessage]:
    """What we wrote back to Ana, oldest first."""
    with site.store.unit() as unit:
        return [*reversed(unit.texts.answers_to(ANAS_NUMBER, BOOKED_AT))]


def occasions(site: Site) -> list[str]:
    """What we answered."""
    return [text.occasion for text in answers(site)]


def tasks(site: Site) -> list[TaskKind]:
    return [task.kind for task in site.tasks]


def told(site: Site, kind: WriteBackKind, reply: Reply, patient_id: int = 1) -> bool:
    """Whether a patient's chart is to hold the reply, or the confirmation."""
    with site.store.unit() as unit:
        return unit.write_backs.find(kind, reply.id, patient_id) is not None


def suppressed(site: Site, number: str = ANAS_NUMBER) -> list[tuple[SuppressionKind, str]]:
    with site.store.unit() as unit:
        return [(one.kind, one.sender) for one in unit.numbers.suppressions(number)]


# --- Yes ----------------------------------------------------------------------------------------


def test_a_plain_yes_to_the_one_open_question_confirms_the_visit() -> None:
    site = asked_site()
    reply = say(site, "C")

    assert the_visit(site).confirmed
    assert (reply.intent, reply.done) == ("confirm", True)
    assert (reply.patient_id, reply.appointment_id) == (1, 1)
    assert told(site, WriteBackKind.REPLY, reply)
    assert told(site, WriteBackKind.CONFIRMATION, reply)
    assert occasions(site) == ["confirmed"]
    assert "2:30 PM" in answers(site)[0].body
    assert not site.tasks


def test_whoever_has_confirmed_is_not_asked_again() -> None:
    site = asked_site()
    say(site, "yes please")
    assert site.reminders["three_hours"].state is ReminderState.SKIPPED
    assert site.reminders["three_hours"].reason == "confirmed"
    site.until(local("2027-03-11T14:00"))

    assert [occasion for _, occasion in site.sent if occasion != "confirmed"] == [
        "booked",
        "five_days",
        "two_days",
    ]


def test_yes_again_is_yes_still() -> None:
    site = asked_site()
    say(site, "C")
    second = say(site, "C")

    assert the_visit(site).confirmed
    assert second.appointment_id == 1
    assert not site.tasks


def test_a_yes_to_the_old_time_never_confirms_the_new_one() -> None:
    site = asked_site()
    site.receive(siu("S13", at=site.clock.now, start=local("2027-03-12T09:00")))
    site.change(settings=_settling_site())
    site.work()
    reply = say(site, "C", after=timedelta(seconds=20))

    assert the_visit(site).slot_number == 2
    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]
    assert "changed" in site.tasks[0].reason
    assert occasions(site) == ["out_of_date"]
    assert not told(site, WriteBackKind.CONFIRMATION, reply)


def test_a_yes_that_was_on_its_way_when_the_new_question_left_confirms_nothing() -> None:
    site = asked_site()
    site.clock.now += timedelta(seconds=90)
    moved = siu("S13", at=site.clock.now, start=local("2027-03-12T09:00"))
    site.receive(moved)
    _work_without_hearing(site)
    assert site.sent[-1][1] == "moved"
    reply = say(site, "C", after=timedelta(seconds=-30), work=False)
    site.clock.now += timedelta(seconds=30)
    site.work()

    assert reply.heard_at < site.clock.now
    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]


def test_a_yes_to_the_new_question_confirms_the_new_time() -> None:
    site = asked_site()
    site.hear(siu("S13", at=site.clock.now, start=local("2027-03-12T09:00")))
    say(site, "C")

    assert the_visit(site).confirmed
    assert not site.tasks


def test_two_questions_about_two_visits_are_for_a_person_unless_the_patient_chooses() -> None:
    site = asked_site()
    book(site, "A2", "2027-03-09T09:00")
    site.until(local("2027-03-07T10:00"))
    assert site.sent[-1][1] in {"booked", "two_days"}
    reply = say(site, "C")

    assert not the_visit(site, 1).confirmed
    assert not the_visit(site, 2).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]
    assert reply.appointment_id is None
    assert occasions(site) == ["which_visit"]


@pytest.mark.parametrize("second_visit", [False, True])
def test_the_chart_is_told_a_yes_was_acted_upon_only_if_it_was(second_visit: bool) -> None:  # noqa: FBT001 - a table
    site = asked_site()
    if second_visit:
        book(site, "A2", "2027-03-09T09:00")
        site.until(local("2027-03-07T10:00"))
    reply = say(site, "C")

    ehr = FakeWriteBack()
    while write_next(site.store, ehr, site.clock, lambda: 0.0, Circuit()):
        pass
    (fact,) = ehr.records[WriteBackKind.REPLY, reply.id, 1]
    assert fact.acted_upon is not second_visit
    assert [visit.id for visit in fact.appointments] == ([] if second_visit else [1])


def test_why_a_reply_was_understood_so_is_kept_without_its_words() -> None:
    site = asked_site()
    assert say(site, "chest pain").reason == "urgent"
    assert say(site, "C").reason == "a plain"
    assert say(site, "STOP").reason == "opt-out word"


def test_of_two_questions_the_one_not_yet_answered_is_meant() -> None:
    site = asked_site()
    say(site, "C")
    book(site, "A2", "2027-03-09T09:00")
    site.until(local("2027-03-07T10:00"))
    reply = say(site, "C")

    assert reply.appointment_id == 2
    assert the_visit(site, 2).confirmed


def test_one_text_about_two_children_is_one_question() -> None:
    site = site_at()
    for person, visit in ((ANA, "A1"), (BEN, "A2")):
        site.receive(siu("S12", at=site.clock.now, visit=visit, start=VISIT, person=person))
    site.work()
    site.until(local("2027-03-06T10:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]
    reply = say(site, "C")

    assert the_visit(site, 1).confirmed
    assert the_visit(site, 2).confirmed
    assert (reply.patient_id, reply.appointment_id) == (None, None)
    assert all(told(site, WriteBackKind.REPLY, reply, patient) for patient in (1, 2))
    assert all(told(site, WriteBackKind.CONFIRMATION, reply, patient) for patient in (1, 2))
    assert occasions(site) == ["confirmed"]
    charts = FakeWriteBack()
    circuit = Circuit()
    while write_next(site.store, charts, site.clock, lambda: 0.0, circuit):
        pass
    answered = charts.records[WriteBackKind.CONFIRMATION, reply.id, 2][-1]
    assert [visit.id for visit in answered.appointments] == [2]


def test_a_yes_with_a_picture_is_for_a_person() -> None:
    site = asked_site()
    say(site, "C", media=1)

    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]


@pytest.mark.parametrize(
    ("now", "why"),
    [("2027-03-09T10:30", "expired"), ("2027-03-11T15:00", "begun")],
    ids=["after-72-hours", "after-the-visit-began"],
)
def test_a_yes_that_comes_too_late_is_for_a_person(now: str, why: str) -> None:
    del why
    site = asked_site()
    site.clock.now = local(now)
    with site.store.unit() as unit:
        unit.reminders.update(
            [replace(one, state=ReminderState.SKIPPED) for one in unit.reminders.open_of_number(ANAS_NUMBER)]
        )
    say(site, "C")

    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]


def test_a_yes_about_a_cancelled_visit_confirms_nothing() -> None:
    site = asked_site()
    site.hear(siu("S15", at=site.clock.now, start=VISIT))
    say(site, "C")

    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.READ_REPLY]


def test_a_yes_that_the_provider_took_for_start_confirms_and_is_not_answered_twice() -> None:
    site = asked_site()
    say(site, "yes", handled="start")

    assert the_visit(site).confirmed
    assert not answers(site)


# --- No, another time, and the rest ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        ("I can't make it", TaskKind.CANCEL_WISH, "cancel_wish"),
        ("cancel my appointment", TaskKind.CANCEL_WISH, "cancel_wish"),
        ("R", TaskKind.RESCHEDULE_WISH, "change_wish"),
    ],
)
def test_a_wish_is_a_task_before_the_visit_and_cancels_nothing(
    body: str, kind: TaskKind, answer: str
) -> None:
    site = asked_site()
    reply = say(site, body)

    assert the_visit(site).is_expected
    assert not the_visit(site).confirmed
    [task] = site.tasks
    assert (task.kind, task.appointment_id, task.patient_id) == (kind, 1, 1)
    assert (task.due_at, task.reply_id) == (VISIT - MARGIN, reply.id)
    assert occasions(site) == [answer]
    assert told(site, WriteBackKind.REPLY, reply)
    # A plain no is the patient's answer, which the chart may hold; a wish for another time is none.
    assert told(site, WriteBackKind.CONFIRMATION, reply) is (kind is TaskKind.CANCEL_WISH)


def test_a_wish_that_two_visits_fit_names_neither() -> None:
    site = asked_site()
    book(site, "A2", "2027-03-09T09:00")
    reply = say(site, "I need another time")

    [task] = site.tasks
    assert (task.kind, task.appointment_id) == (TaskKind.RESCHEDULE_WISH, None)
    assert reply.appointment_id is None


def test_what_is_not_plain_is_for_a_person_and_answered_once_an_hour() -> None:
    site = asked_site()
    say(site, "yes but can my mother come along")
    say(site, "and where do I park")
    assert tasks(site) == [TaskKind.READ_REPLY, TaskKind.READ_REPLY]
    assert occasions(site) == ["not_understood"]

    say(site, "hello?", after=timedelta(hours=1))
    assert occasions(site) == ["not_understood", "not_understood"]


def test_an_emergency_is_answered_at_once_and_does_nothing_else() -> None:
    site = asked_site()
    reply = say(site, "C but I have chest pain now")

    assert reply.urgent
    assert not the_visit(site).confirmed
    assert tasks(site) == [TaskKind.URGENT_REPLY]
    assert occasions(site) == ["urgent"]
    assert "911" in answers(site)[0].body


def test_a_strangers_text_is_read_by_a_person_and_not_answered() -> None:
    site = asked_site()
    reply = say(site, "are you hiring?", number="+12025550177")

    assert tasks(site) == [TaskKind.READ_REPLY]
    assert reply.patient_id is None
    with site.store.unit() as unit:
        assert not unit.texts.answers_to(reply.number, BOOKED_AT)


def test_a_wrong_number_is_suppressed_at_once_and_told_nobodys_name() -> None:
    site = asked_site()
    reply = say(site, "wrong number")

    assert suppressed(site) == [(SuppressionKind.WRONG_NUMBER, ALL_SENDERS)]
    assert tasks(site) == [TaskKind.WRONG_NUMBER]
    assert not answers(site)
    assert not told(site, WriteBackKind.REPLY, reply)
    site.until(local("2027-03-12T00:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]


def test_of_two_patients_on_one_number_no_chart_is_certain_for_an_unclear_reply() -> None:
    site = asked_site()
    book(site, "A2", "2027-04-20T09:00", BEN)
    reply = say(site, "is it raining")

    assert reply.patient_id is None
    assert not told(site, WriteBackKind.REPLY, reply, 1)
    assert not told(site, WriteBackKind.REPLY, reply, 2)


# --- Stop, start, help -----------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["STOP", "stop texting me", "ALTO", "unsubscribe"])
def test_stop_in_any_reasonable_wording_stops_everything(body: str) -> None:
    site = asked_site()
    say(site, body)

    assert suppressed(site) == [(SuppressionKind.OPT_OUT, ALL_SENDERS)]
    assert site.reminders["two_days"].reason == "opted out"
    assert occasions(site) == ["stop"]
    [task] = site.tasks
    assert (task.kind, task.appointment_id, task.due_at) == (TaskKind.OPTED_OUT, 1, VISIT - MARGIN)
    site.until(local("2027-03-12T00:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "stop"]
    assert site.reminders["two_days"].state is ReminderState.SKIPPED


def test_the_one_confirmation_of_a_stop_goes_out_in_spite_of_it() -> None:
    site = asked_site()
    say(site, "ALTO")

    assert [text.body for text in site.sms.texts()][-1] == answers(site)[0].body


def test_stop_said_twice_is_confirmed_once() -> None:
    site = asked_site()
    say(site, "STOP")
    say(site, "STOP")

    assert occasions(site) == ["stop"]
    assert tasks(site).count(TaskKind.OPTED_OUT) == len(site.tasks)


def test_a_stop_the_provider_has_answered_is_obeyed_and_not_answered_again() -> None:
    site = asked_site()
    say(site, "please no more of this stuff", handled="stop")

    assert suppressed(site) == [(SuppressionKind.OPT_OUT, ALL_SENDERS)]
    assert not answers(site)


def test_stop_may_cover_the_one_sender_only() -> None:
    site = booked_site(settings=make.settings(sending=make.sending(opt_out_covers_all_senders=False)))
    reply = say(site, "STOP")

    assert suppressed(site) == [(SuppressionKind.OPT_OUT, reply.to_number)]


def test_bare_cancel_is_an_opt_out_and_somebody_asks_about_the_visit() -> None:
    site = asked_site()
    say(site, "CANCEL")

    assert suppressed(site) == [(SuppressionKind.OPT_OUT, ALL_SENDERS)]
    assert the_visit(site).is_expected
    [task] = site.tasks
    assert task.kind is TaskKind.OPTED_OUT
    assert "may mean the visit" in task.reason


def test_a_stop_on_a_shared_phone_is_a_task_for_each_visit_to_come() -> None:
    site = asked_site()
    book(site, "A2", "2027-04-20T09:00", BEN)
    say(site, "STOP")

    assert sorted((task.patient_id or 0, task.appointment_id or 0) for task in site.tasks) == [(1, 1), (2, 2)]


def test_start_after_stop_lets_the_texts_still_to_come_go_out() -> None:
    site = asked_site()
    say(site, "STOP")
    say(site, "START", after=timedelta(hours=2))
    assert not suppressed(site)
    site.until(local("2027-03-09T12:00"))

    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "stop", "start", "two_days"]


@pytest.mark.parametrize("body", ["yes", "ok start texting my brother"])
def test_only_start_itself_lifts_an_opt_out(body: str) -> None:
    site = asked_site()
    say(site, "STOP")
    say(site, body, handled="start")

    assert suppressed(site) == [(SuppressionKind.OPT_OUT, ALL_SENDERS)]


def test_help_is_answered() -> None:
    site = asked_site()
    say(site, "HELP")

    assert occasions(site) == ["help"]
    assert not site.tasks


def test_who_has_opted_out_and_writes_again_is_heard_and_not_answered() -> None:
    site = asked_site()
    say(site, "STOP")
    say(site, "when is my visit?")

    assert TaskKind.READ_REPLY in tasks(site)
    assert occasions(site) == ["stop"]


# --- Machines --------------------------------------------------------------------------------------


def test_a_number_gets_three_answers_an_hour_and_no_more() -> None:
    site = asked_site()
    for _ in range(6):
        say(site, "HELP")

    assert occasions(site) == ["help", "help", "help"]


def test_an_auto_responder_is_answered_once() -> None:
    site = asked_site()
    for _ in range(3):
        say(site, "This line is closed. In an emergency with chest pain call 911.")

    assert occasions(site) == ["urgent"]


def test_a_short_code_is_never_answered() -> None:
    site = asked_site()
    say(site, "HELP", number="24273")

    with site.store.unit() as unit:
        assert not unit.texts.answers_to("24273", BOOKED_AT)


# --- The step itself -------------------------------------------------------------------------------


def test_replies_are_heard_in_the_order_they_came() -> None:
    site = asked_site()
    say(site, "STOP", work=False)
    say(site, "START", work=False)
    site.work()

    assert not suppressed(site)


def test_the_answer_to_the_patient_speaks_their_language() -> None:
    site = site_at()
    site.hear(siu("S12", at=site.clock.now, start=VISIT, person=replace(ANA, language="es")))
    site.until(local("2027-03-06T10:00"))
    say(site, "sí")

    assert [text.language for text in answers(site)] == ["es"]
    assert the_visit(site).confirmed


def test_an_answer_that_fails_is_nobodys_task() -> None:
    site = asked_site()
    say(site, "HELP")
    report(site, "failed")

    assert not site.tasks


def test_a_reply_that_surprises_goes_to_a_person_and_the_next_is_heard() -> None:
    site = asked_site()
    whole = site.workshop.settings
    site.change(settings=replace(whole, catalogs={}))  # what no configuration check would let pass
    odd = say(site, "C")
    site.change(settings=whole)
    assert (odd.done, odd.intent) == (True, None)
    assert tasks(site) == [TaskKind.READ_REPLY]

    say(site, "C")
    assert the_visit(site).confirmed


def _settling_site() -> Settings:
    plan = replace(make.practice().plan, settle=timedelta(seconds=180))
    return make.settings(practices={"riverside": make.practice(plan=plan)})


def _work_without_hearing(site: Site) -> None:
    """All steps but the one that hears replies."""
    while any([translate(site.workshop), plan_changes(site.workshop), send_next(site.workshop)]):
        pass
