"""Stories of a text that several visits fit: one numbered question, and what is chosen (promise 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.office_hours import OfficeHours
from integration.domain.staff_task import TaskKind, TaskOutcome, TaskRules
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send import send_next
from tests import settings as make
from tests.messages import ANA, BEN, siu
from tests.pipeline.network import ANAS_NUMBER, BOOKED_AT, VISIT, book, booked_site, deliver, say, site_at
from tests.site import local

if TYPE_CHECKING:
    from integration.domain.text_message import TextMessage
    from integration.settings.model import Settings
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def asked_site(settings: Settings | None = None, now: str = "2027-03-06T10:00") -> Site:
    """Ana was asked about one visit: the 11th at 2:30."""
    site = booked_site(settings=settings)
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    deliver(site)
    site.until(local(now))
    deliver(site)
    return site


def asked_twice() -> Site:
    """Ana was asked about two visits in two texts: the 9th at 9:00 and the 11th at 2:30."""
    site = asked_site()
    book(site, "A2", "2027-03-09T09:00")
    site.until(local("2027-03-07T10:00"))
    deliver(site)
    return site


def confirmed(site: Site) -> list[int]:
    with site.store.unit() as unit:
        return [each for each in (1, 2) if unit.appointments.get(each).confirmed]


def answers(site: Site) -> list[TextMessage]:
    with site.store.unit() as unit:
        return [*reversed(unit.texts.answers_to(ANAS_NUMBER, BOOKED_AT))]


def occasions(site: Site) -> list[str]:
    return [text.occasion for text in answers(site)]


def outcome(site: Site, task_id: int) -> TaskOutcome | None:
    with site.store.unit() as unit:
        return unit.tasks.get(task_id).outcome


def test_a_yes_that_two_visits_fit_is_asked_about_once_in_one_segment() -> None:
    site = asked_twice()
    say(site, "C")

    assert confirmed(site) == []
    [asked] = answers(site)
    assert "1) Tue Mar 9 at 9:00 AM, 2) Thu Mar 11 at 2:30 PM" in asked.body
    assert "BOTH" in asked.body
    assert "Ana" not in asked.body
    assert asked.segments == 1
    say(site, "C")
    assert occasions(site).count("which_visit") == 1


@pytest.mark.parametrize(
    ("choice", "stands"),
    [("2", [1]), ("1 please", [2]), ("1 and 2", [1, 2]), ("both", [1, 2]), ("Ambas", [1, 2])],
)
def test_what_is_chosen_is_confirmed_and_the_task_is_done(choice: str, stands: list[int]) -> None:
    site = asked_twice()
    say(site, "C")
    [task] = site.tasks
    reply = say(site, choice)

    assert confirmed(site) == stands
    assert not site.tasks
    assert outcome(site, task.id) is TaskOutcome.ANSWERED
    assert occasions(site) == ["which_visit", "confirmed"]
    with site.store.unit() as unit:
        assert unit.write_backs.find(WriteBackKind.CONFIRMATION, reply.id, 1) is not None


def test_a_second_thought_chooses_the_other_too() -> None:
    site = asked_twice()
    for words in ("C", "1", "2"):
        say(site, words)

    assert confirmed(site) == [1, 2]


@pytest.mark.parametrize("words", ["C", "yes", "ok"])
def test_a_yes_after_the_choice_of_one_does_not_confirm_the_other(words: str) -> None:
    site = asked_twice()
    for said in ("C", "1", words):
        say(site, said)

    assert confirmed(site) == [2]
    assert [task.kind for task in site.tasks] == [TaskKind.READ_REPLY]


def test_a_yes_to_which_visit_shall_be_cancelled_confirms_none() -> None:
    site = asked_site()
    book(site, "A2", "2027-03-12T09:00")
    site.until(site.clock.now + timedelta(minutes=10))
    say(site, "I need to cancel my appointment")
    assert occasions(site) == ["which_visit"]
    say(site, "yes")

    assert confirmed(site) == []
    assert {task.kind for task in site.tasks} == {TaskKind.CANCEL_WISH, TaskKind.READ_REPLY}


@pytest.mark.parametrize("words", ["3", "1 or 2", "not 1", "1?", "yes for the first if it does not rain"])
def test_what_is_no_plain_choice_confirms_nothing(words: str) -> None:
    site = asked_twice()
    say(site, "C")
    say(site, words)

    assert confirmed(site) == []
    assert {task.kind for task in site.tasks} == {TaskKind.READ_REPLY}


def test_a_choice_that_comes_late_is_for_a_person() -> None:
    site = asked_twice()
    say(site, "C")
    say(site, "1", after=timedelta(hours=3))

    assert confirmed(site) == []
    assert len(site.tasks) == 2


def test_a_choice_of_a_visit_that_has_moved_since_confirms_nothing() -> None:
    site = asked_twice()
    say(site, "C")
    site.hear(siu("S13", at=site.clock.now, visit="A2", start=local("2027-03-10T09:00")))
    say(site, "1")

    assert confirmed(site) == []
    assert occasions(site)[-1] == "out_of_date"


def test_a_wish_that_two_visits_fit_becomes_a_task_about_the_one_chosen() -> None:
    site = asked_twice()
    say(site, "I can't make it")
    assert occasions(site) == ["which_visit"]
    [open_one] = site.tasks
    assert (open_one.kind, open_one.appointment_id) == (TaskKind.CANCEL_WISH, None)
    say(site, "2")

    [task] = site.tasks
    assert (task.kind, task.appointment_id, task.patient_id) == (TaskKind.CANCEL_WISH, 1, 1)
    assert "NOT canceled" in answers(site)[-1].body


def test_a_change_of_mind_asks_anew_what_the_new_wish_is_about() -> None:
    site = asked_twice()
    say(site, "C")
    say(site, "can't make it")
    say(site, "1")

    assert confirmed(site) == []
    assert (TaskKind.CANCEL_WISH, 2) in {(task.kind, task.appointment_id) for task in site.tasks}


def test_a_family_is_told_apart_by_first_names_and_each_chart_gets_its_own() -> None:
    site = site_at()
    book(site, "A1", "2027-03-11T14:30", ANA)
    book(site, "A2", "2027-03-12T09:00", BEN)
    site.until(local("2027-03-06T10:00"))
    say(site, "I can't make it")

    [asked] = answers(site)
    assert "2:30 PM (Ana)" in asked.body
    assert "9:00 AM (Ben)" in asked.body
    reply = say(site, "2")
    assert reply.patient_id == 2


def test_an_answer_binds_to_the_questions_of_the_sender_it_went_to() -> None:
    site = asked_site()
    with site.store.unit() as unit:
        [question] = unit.replies.questions(ANAS_NUMBER)
        assert question.sender is not None
        unit.texts.update(replace(unit.texts.get(question.text_id), sender="+12025550199"))
    say(site, "C")

    with site.store.unit() as unit:
        assert not unit.appointments.get(1).confirmed
    assert [task.kind for task in site.tasks] == [TaskKind.READ_REPLY]


def test_too_near_the_visit_a_wish_is_told_to_call() -> None:
    near = make.practice(cancel_until=timedelta(hours=24))
    site = asked_site(make.settings(practices={"riverside": near}), now="2027-03-11T08:00")
    say(site, "I can't make it")

    assert occasions(site) == ["late_wish"]
    assert "call" in site.tasks[-1].reason


def test_a_closed_practice_says_when_it_opens_and_its_tasks_are_due_while_it_is_open() -> None:
    office = OfficeHours(frozenset(range(5)), time(8), time(17))
    rules = TaskRules(owners={"cancel_wish": "Front desk"})
    riverside = make.practice(office=office, tasks=rules)
    site = asked_site(make.settings(practices={"riverside": riverside}))  # on a Saturday
    say(site, "I can't make it")

    assert "Mon Mar 8 at 8:00 AM" in answers(site)[-1].body
    [task] = site.tasks
    assert (task.owner, task.due_at) == ("Front desk", VISIT - timedelta(hours=2))


def test_two_machines_soon_fall_silent() -> None:
    site = asked_site()
    for turn in range(40):
        say(
            site,
            f"Thank you for contacting us, your place in the queue is {turn}",
            after=timedelta(minutes=10),
        )

    assert len(answers(site)) <= 8
    before = len(answers(site))
    say(site, "Automatic reply: I am out of office", after=timedelta(days=2))
    assert len(answers(site)) == before


def test_a_part_of_a_text_confirms_nothing() -> None:
    site = asked_site()
    heard = say(site, "C", work=False)
    with site.store.unit() as unit:
        unit.replies.add(replace(heard, provider_id="in-parts", partial=True))
        unit.replies.update(replace(heard, done=True))
    site.work()

    with site.store.unit() as unit:
        assert not unit.appointments.get(1).confirmed
    assert "did not arrive" in site.tasks[0].reason


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN:VCARD\nN:R\nEND:VCARD",
        "QUJD" * 60 + "/stop+C=",
        "\u202eyes\u202c 3",
        "\x00\x01C\ufffd 3",
    ],
)
def test_what_is_no_words_is_read_by_a_person_and_does_nothing(body: str) -> None:
    site = asked_site()
    say(site, body, media=1)

    with site.store.unit() as unit:
        assert not unit.appointments.get(1).confirmed
        assert not unit.numbers.suppressions(ANAS_NUMBER)
    assert [task.kind for task in site.tasks] == [TaskKind.READ_REPLY]
    assert not send_next(site.workshop)
