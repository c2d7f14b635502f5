"""Stories of texts that did not arrive, and of what is done about each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.quiet_days import QuietDays
from integration.domain.quiet_hours import DecentHours
from integration.domain.reminder import ReminderState
from integration.domain.second_try import TRIED_AGAIN
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import AttemptState
from integration.pipeline.release import drop, held_by
from integration.pipeline.send.offer import OVERTAKEN
from integration.testing.sms import Trouble
from tests.messages import ANA, called, siu
from tests.pipeline.network import (
    ANAS_NUMBER,
    BOOKED_AT,
    VISIT,
    attempts,
    booked_site,
    deliver,
    report,
    site_at,
    the_text,
)
from tests.settings import STEPS, practice, settings
from tests.site import Site, local

pytestmark = pytest.mark.usefixtures("every_store")


def test_a_handset_out_of_reach_is_tried_once_more_the_same_day_and_then_somebody_calls() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    booked = site.reminders["booked"]
    assert (booked.state, booked.reason) == (ReminderState.HELD, TRIED_AGAIN)
    assert site.tasks == []

    site.until(BOOKED_AT + timedelta(hours=3))
    assert site.sent == [("03-01 11:00", "booked"), ("03-01 14:00", "booked")]
    assert [text.status for text in site.texts] == [DeliveryStatus.UNDELIVERED, DeliveryStatus.ACCEPTED]

    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(local("2027-03-02T20:00"))
    assert len(site.sent) == 2
    [task] = site.tasks
    assert task.kind is TaskKind.CALL_PATIENT
    assert task.due_at is not None
    assert task.due_at <= VISIT


def test_a_second_try_that_arrives_is_nobodys_task() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(BOOKED_AT + timedelta(hours=3))
    deliver(site)

    assert site.tasks == []
    assert [text.status for text in site.texts] == [DeliveryStatus.UNDELIVERED, DeliveryStatus.DELIVERED]


def test_a_second_try_of_the_first_text_of_a_practice_says_again_what_the_programme_is() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(BOOKED_AT + timedelta(hours=3))
    first, second = (text.body for text in site.texts)

    assert "rates" in first
    assert second == first


def test_a_second_try_waits_for_a_decent_hour() -> None:
    site = site_at("2027-03-01T18:30")
    site.hear(siu("S12", at=site.clock.now, start=VISIT))
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(local("2027-03-02T12:00"))

    opens = site.settings.practices["riverside"].plan.hours.opens
    assert [at for at, _ in site.sent] == ["03-01 18:30", f"03-02 {opens:%H:%M}"]


def test_what_would_come_too_late_is_not_tried_again_and_somebody_calls() -> None:
    site = booked_site()
    site.clock.now = local("2027-03-06T09:50")
    report(site, "undelivered", Failure.UNREACHABLE)

    assert site.reminders["booked"].state is ReminderState.SENT
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]


def test_a_number_out_of_reach_three_times_in_a_row_gets_no_second_try() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(BOOKED_AT + timedelta(hours=3))
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(local("2027-03-06T10:00"))
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(local("2027-03-06T20:00"))

    assert [occasion for _, occasion in site.sent] == ["booked", "booked", "five_days"]
    with site.store.unit() as unit:
        assert unit.texts.unreachable_in_a_row(ANAS_NUMBER) == 3


@pytest.mark.parametrize(
    ("failure", "after"),
    [
        (Failure.RETRY_LATER, timedelta(hours=1)),
        (Failure.SLOW_DOWN, timedelta(minutes=15)),
        (Failure.EXPIRED, timedelta(0)),
    ],
)
def test_what_passes_by_itself_is_tried_once_more(failure: Failure, after: timedelta) -> None:
    site = booked_site()
    report(site, "failed", failure)
    site.until(BOOKED_AT + after)

    assert [occasion for _, occasion in site.sent] == ["booked", "booked"]
    report(site, "failed", failure)
    site.until(BOOKED_AT + timedelta(days=2))
    assert len(site.sent) == 2


def test_a_carriers_daily_cap_is_waited_out() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.DAILY_CAP)
    assert site.reminders["booked"].due_at == local("2027-03-02T03:00")  # midnight in Los Angeles
    site.until(local("2027-03-02T12:00"))

    assert len(site.sent) == 2


def test_a_second_try_gives_way_to_a_text_that_speaks_of_the_visit_anyway() -> None:
    site = site_at()
    site.hear(siu("S12", at=BOOKED_AT, start=local("2027-03-07T14:30")))
    site.until(BOOKED_AT + timedelta(minutes=10))
    report(site, "undelivered", Failure.DAILY_CAP)
    site.clock.now = local("2027-03-02T10:05")  # the five days' own time has come, too
    site.work()

    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]
    booked = site.reminders["booked"]
    assert (booked.state, booked.reason) == (ReminderState.SKIPPED, OVERTAKEN)


@pytest.mark.parametrize("failure", [Failure.FILTERED, Failure.OUR_FAULT, Failure.UNKNOWN])
def test_what_would_fail_again_is_not_tried_again(failure: Failure) -> None:
    site = booked_site()
    report(site, "undelivered", failure)
    site.until(local("2027-03-03T12:00"))

    assert len(site.sent) == 1
    assert TaskKind.CALL_PATIENT in {task.kind for task in site.tasks}


def test_a_second_try_says_nothing_of_a_visit_that_was_cancelled_meanwhile() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    site.clock.now += timedelta(hours=1)
    site.hear(siu("S15", at=site.clock.now, start=None))
    site.until(BOOKED_AT + timedelta(days=1))

    assert "booked" not in [occasion for _, occasion in site.sent[1:]]
    assert [task.kind for task in site.tasks if task.kind is TaskKind.CALL_PATIENT] == []


def test_a_second_try_outlives_news_that_leaves_the_visit_as_it_was() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    site.clock.now += timedelta(hours=1)
    site.hear(siu("S14", at=site.clock.now, start=VISIT))
    site.until(BOOKED_AT + timedelta(hours=3))

    assert [occasion for _, occasion in site.sent] == ["booked", "booked"]


def test_what_arrived_after_all_is_not_said_again() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNREACHABLE)
    report(site, "delivered")
    site.until(BOOKED_AT + timedelta(days=1))

    assert [occasion for _, occasion in site.sent] == ["booked"]
    assert site.reminders["booked"].state is ReminderState.SENT
    assert [task.kind for task in site.tasks] == [TaskKind.UNRESOLVED_TEXT]


def test_a_second_try_that_is_dropped_is_a_call_to_make() -> None:
    site = booked_site()
    report(site, "failed", Failure.ACCOUNT)
    with site.store.unit() as unit:
        waiting = held_by(unit, site.settings, "account", site.clock.now)
    drop(site.store, site.settings, waiting, site.clock.now)
    site.store.release("account", site.clock.now)
    site.until(BOOKED_AT + timedelta(days=1))

    assert [occasion for _, occasion in site.sent] == ["booked"]
    assert TaskKind.CALL_PATIENT in {task.kind for task in site.tasks}


def test_a_second_try_goes_to_the_number_that_the_patient_has_by_then() -> None:
    site = booked_site()
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    report(site, "undelivered", Failure.UNREACHABLE)
    site.clock.now += timedelta(minutes=30)
    site.hear(siu("S14", at=site.clock.now, start=VISIT, person=called(ANA, phone="(617)555-0199")))
    site.until(local("2027-03-06T14:00"))

    assert [(text.occasion, text.number[-4:]) for text in site.texts] == [
        ("booked", "0123"),
        ("five_days", "0123"),
        ("five_days", "0199"),
    ]


def test_a_second_try_of_a_move_is_not_overtaken_by_a_reminder_that_a_cap_holds() -> None:
    site = booked_site()
    deliver(site)
    site.clock.now = local("2027-03-08T19:30")
    site.hear(siu("S13", at=site.clock.now, start=VISIT + timedelta(hours=1)))
    report(site, "undelivered", Failure.UNREACHABLE)
    site.clock.now = local("2027-03-09T10:30")  # an outage until both are due
    site.work()

    assert ("03-09 10:30", "moved") in site.sent


def test_bad_news_under_a_name_of_its_own_is_offered_again_on_a_quiet_day() -> None:
    steps = tuple(
        replace(each, name="news", text="moved") if each.name == "moved" else each for each in STEPS
    )
    hours = DecentHours(quiet_days=QuietDays.read(["2027-03-02"]))
    plan = replace(practice().plan, steps=steps, hours=hours)
    site = booked_site(settings=settings(practices={"riverside": practice(plan=plan)}))
    deliver(site)
    site.clock.now = local("2027-03-02T11:00")
    site.sms.troubles.append(Trouble.THROTTLED)
    site.hear(siu("S13", at=site.clock.now, start=VISIT + timedelta(days=1)))
    site.clock.now += timedelta(minutes=2)
    site.work()

    assert len(site.sms.texts()) == 2


def test_a_text_offered_twice_is_not_tried_a_third_time() -> None:
    """The first offer was missing from the list; should the list have been wrong, it has arrived."""
    site = booked_site(trouble=Trouble.LOST)
    for _ in range(60):
        site.clock.now += timedelta(seconds=10)
        site.work()
    assert [each.state for each in attempts(site)] == [AttemptState.ABSENT, AttemptState.ACCEPTED]
    report(site, "undelivered", Failure.UNREACHABLE)
    site.until(BOOKED_AT + timedelta(days=1))

    assert len(site.texts) == 1
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]


def test_a_full_queue_is_asked_again_until_it_has_room() -> None:
    site = _refused(Failure.SLOW_DOWN)
    assert (the_text(site).status, site.tasks) == (DeliveryStatus.QUEUED, [])
    site.clock.now += timedelta(seconds=20)
    site.work()
    assert len(attempts(site)) == 1
    site.sms.refusals.clear()
    site.clock.now += timedelta(seconds=20)
    site.work()

    assert the_text(site).status is DeliveryStatus.ACCEPTED
    assert [each.state for each in attempts(site)] == [AttemptState.RETURNED, AttemptState.ACCEPTED]


def test_a_queue_that_stays_full_becomes_a_call_while_there_is_time() -> None:
    site = _refused(Failure.SLOW_DOWN)
    while site.clock.now < VISIT - timedelta(hours=1) and the_text(site).status is DeliveryStatus.QUEUED:
        site.clock.now += timedelta(hours=2)
        site.work()

    assert the_text(site).status is DeliveryStatus.FAILED
    assert TaskKind.CALL_PATIENT in {task.kind for task in site.tasks}


def test_trouble_with_our_account_found_late_brings_its_texts_back() -> None:
    site = booked_site()
    report(site, "failed", Failure.ACCOUNT)
    assert {task.kind for task in site.tasks} == {TaskKind.RELEASE}
    with site.store.unit() as unit:
        assert unit.numbers.suppressions(ANAS_NUMBER) == []
    site.clock.now += timedelta(hours=1)
    site.store.release("account", site.clock.now)
    site.work()

    assert [occasion for _, occasion in site.sent] == ["booked", "booked"]


def _refused(failure: Failure) -> Site:
    """The provider refuses Ana's number so."""
    site = booked_site(hear=False)
    site.sms.refusals[ANAS_NUMBER] = failure
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    return site
