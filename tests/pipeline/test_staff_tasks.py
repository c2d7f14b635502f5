"""Stories of what staff are asked to do: each task has its queue and is due in time before the visit."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.office_hours import OfficeHours
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind, TaskRules
from integration.domain.text_request import RequestSource, TextRequest
from tests import settings as make
from tests.messages import BEN
from tests.pipeline.network import (
    ANAS_NUMBER,
    BOOKED_AT,
    book,
    booked_site,
    deliver,
    report,
    say,
)
from tests.site import Site, local

if TYPE_CHECKING:
    from integration.settings.model import Settings

pytestmark = pytest.mark.usefixtures("every_store")

OFFICE = OfficeHours(frozenset(range(5)), time(8), time(12))  # of mornings
RULES = TaskRules(owners={"default": "Front desk", "release": "Manager"})
IN_TIME = local("2027-03-11T11:59")  # the visit is at 2:30 PM, and nobody is there two hours before
UNSAYABLE = "Riverside Clinic of the Holy Name " * 10  # no text has room for it


def staffed(**changes: object) -> Settings:
    practice = make.practice(office=OFFICE, tasks=RULES, **changes)
    return make.settings(practices={"riverside": practice})


def renamed(site: Site, public_name: str) -> None:
    site.change(settings=staffed(public_name=public_name))


def test_a_text_that_no_words_are_found_for_is_a_call_to_make_in_time() -> None:
    site = booked_site(settings=staffed(public_name=UNSAYABLE))

    assert not site.sms.texts()
    with site.store.unit() as unit:
        skipped = [each for each in unit.reminders.of_appointment(1) if each.state is ReminderState.SKIPPED]
    [task] = site.tasks
    assert [str(each.reason) in task.reason for each in skipped] == [True]
    assert (task.kind, task.owner, task.due_at) == (TaskKind.CALL_PATIENT, "Front desk", IN_TIME)


def test_an_answer_that_no_words_are_found_for_is_given_by_a_person() -> None:
    site = booked_site(settings=staffed())
    deliver(site)
    renamed(site, UNSAYABLE)
    say(site, "How much will it cost?")
    say(site, "START")

    answerless = [task for task in site.tasks if "could not be written" in task.reason]
    assert {task.kind for task in answerless} == {TaskKind.READ_REPLY}
    assert {task.owner for task in site.tasks} == {"Front desk"}


def test_a_flood_is_released_by_the_practices_manager() -> None:
    site = booked_site(settings=staffed(texts_per_hour=1))
    deliver(site)
    book(site, "B1", "2027-03-12T09:00", BEN)

    [task] = site.tasks
    assert (task.kind, task.owner, task.due_at) == (TaskKind.RELEASE, "Manager", None)
    assert len(site.sms.texts()) == 1


def test_a_text_by_hand_that_may_not_go_is_a_call_to_make_before_the_visit_it_was_about() -> None:
    site = booked_site(settings=staffed())
    deliver(site)
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, ANAS_NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, BOOKED_AT, "reply")
        )
        unit.requests.save(asked_for_by_hand(site))
    site.work()

    [task] = site.tasks
    assert (task.kind, task.owner, task.due_at) == (TaskKind.CALL_PATIENT, "Front desk", IN_TIME)


def asked_for_by_hand(site: Site) -> TextRequest:
    now = site.clock.now
    return TextRequest(
        0,
        "main",
        "by-hand",
        1,
        "Please bring your glasses.",
        now,
        now + timedelta(hours=4),
        practice="riverside",
        source=RequestSource.PAGE,
        appointment_id=1,
        slot_number=1,
    )


def test_a_text_of_which_nobody_hears_any_more_is_looked_into_before_the_visit() -> None:
    site = booked_site(settings=staffed())
    report(site, "queued")
    site.until(BOOKED_AT + site.workshop.settings.sending.final_after + timedelta(hours=1))

    [task] = [each for each in site.tasks if each.kind is TaskKind.UNRESOLVED_TEXT]
    assert (task.owner, task.due_at) == ("Front desk", IN_TIME)
