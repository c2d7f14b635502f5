"""Stories of visits that are said twice, moved back, cancelled again, or planned anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.reminder import ReminderState
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from tests import settings as make
from tests.messages import ANA, BEN, called, siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
SETTLING = timedelta(seconds=180)
VISIT = local("2027-03-11T14:30")
NEW_PHONE = called(ANA, phone="(617)555-0177")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def let_settle(site: Site) -> None:
    practice = make.practice(plan=replace(make.practice().plan, settle=SETTLING))
    site.change(settings=replace(site.settings, practices={"riverside": practice}))


def say(site: Site, trigger: str, at: str, start: datetime | None = VISIT, **more: object) -> None:
    site.clock.now = max(site.clock.now, local(at))
    site.hear(siu(trigger, at=site.clock.now, start=start, **more))  # type: ignore[arg-type]


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def told(site: Site) -> list[tuple[str, str]]:
    return [(text.number, text.occasion) for text in site.texts if text.offered_at is not None]


def test_a_cancellation_sent_twice_while_it_settles_is_told_once(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    let_settle(site)
    say(site, "S15", "2027-03-02T11:00", None)
    say(site, "S15", "2027-03-02T11:01", None)
    site.until(local("2027-03-02T12:00"))
    assert site.sent == [("03-01 11:00", "booked"), ("03-02 11:03", "cancelled")]


def test_a_cancellation_at_night_repeated_before_dawn_is_told_in_the_morning(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-02T22:00", None)
    say(site, "S15", "2027-03-03T04:00", None)
    site.until(local("2027-03-03T12:00"))
    assert site.sent == [("03-01 11:00", "booked"), ("03-03 09:00", "cancelled")]


def test_a_visit_moved_back_after_the_patient_was_told_is_told_again(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S13", "2027-03-02T11:00", local("2027-03-18T09:00"))
    say(site, "S13", "2027-03-03T11:01", VISIT)
    site.until(local("2027-03-03T12:00"))
    assert occasions(site) == ["booked", "moved", "moved"]
    assert "Mar 11" in site.texts[-1].body


def test_a_visit_called_off_twice_with_a_change_of_mind_between_is_told_once(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-02T11:00")
    let_settle(site)
    say(site, "S13", "2027-03-04T11:00")
    say(site, "S15", "2027-03-04T11:01")
    site.until(local("2027-03-05T12:00"))
    assert occasions(site) == ["booked", "cancelled"]


def test_a_visit_called_off_and_on_and_off_is_told_each_time_that_was_settled(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-02T11:00")
    say(site, "S13", "2027-03-03T11:00")
    say(site, "S15", "2027-03-04T11:00")
    assert occasions(site) == ["booked", "cancelled", "booked", "cancelled"]


def test_a_visit_moved_after_its_old_time_has_passed_is_told(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-11T16:00"))
    say(site, "S13", "2027-03-11T16:00", local("2027-03-25T09:00"))
    assert occasions(site)[-1] == "moved"
    assert "Mar 25" in site.texts[-1].body


def test_a_message_that_changes_nothing_takes_away_no_reminder_that_is_just_due(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-06T10:00") + timedelta(seconds=2)
    site.receive(siu("S14", at=site.clock.now, start=VISIT))
    site.work()
    assert occasions(site) == ["booked", "five_days"]


def test_a_message_that_changes_nothing_takes_away_no_reminder_that_is_held(site: Site) -> None:
    say(site, "S12", "2027-03-05T09:30", local("2027-03-19T16:00"))
    say(site, "S14", "2027-03-05T09:40", local("2027-03-07T14:30"), visit="A2")
    site.until(local("2027-03-05T10:05"))
    with site.store.unit() as unit:
        (held,) = [each for each in unit.reminders.of_appointment(2) if each.step == "two_days"]
    assert (held.state, held.reason) == (ReminderState.HELD, "the number has had its text of the day")
    say(site, "S14", "2027-03-05T12:00", local("2027-03-07T14:30"), visit="A2")
    site.until(local("2027-03-06T12:00"))
    assert site.sent[-1] == ("03-06 09:00", "two_days")


def test_a_tentative_booking_is_told_when_it_becomes_one(site: Site) -> None:
    tentative = siu("S12", at=BOOKED_AT, start=VISIT).replace(b"NORMAL^Normal", b"TENTATIVE^Tentative")
    site.hear(tentative)
    assert site.sent == []
    say(site, "S12", "2027-03-02T11:00")
    assert site.sent == [("03-02 11:00", "booked")]


def test_a_check_in_that_is_undone_leaves_the_reminders_as_they_were(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-02T11:00", status="Arrived")
    assert site.reminders["five_days"].state is ReminderState.WITHDRAWN
    say(site, "S14", "2027-03-02T11:05")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def test_a_new_number_takes_over_the_reminders_of_every_visit(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S12", "2027-03-01T11:00", local("2027-04-20T09:00"), visit="A2")
    say(site, "S14", "2027-03-03T11:00", local("2027-04-20T09:00"), visit="A2", person=NEW_PHONE)
    site.until(local("2027-04-21T12:00"))
    later = [(number, occasion) for number, occasion in told(site) if occasion != "booked"]
    assert later == [("+16175550177", step) for step in ("five_days", "two_days", "three_hours")] * 2


def test_a_first_number_wakes_the_reminders_of_every_visit(site: Site) -> None:
    nobody = called(ANA, phone="")
    say(site, "S12", "2027-03-01T11:00", person=nobody)
    say(site, "S12", "2027-03-03T11:00", local("2027-04-20T09:00"), visit="A2", person=ANA)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def test_a_number_that_comes_back_gets_its_reminders_back(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-02T11:00", person=NEW_PHONE)
    say(site, "S14", "2027-03-03T11:00")
    site.until(local("2027-03-12T12:00"))
    assert told(site) == [
        ("+16175550123", step) for step in ("booked", "five_days", "two_days", "three_hours")
    ]


def test_news_that_settles_goes_to_the_number_that_settled(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-01T11:01", person=NEW_PHONE)
    site.until(local("2027-03-01T12:00"))
    assert told(site) == [("+16175550177", "booked")]


def test_news_that_a_step_has_taken_over_goes_to_the_number_that_settled_as_early(site: Site) -> None:
    let_settle(site)
    today = local("2027-03-01T16:00")
    say(site, "S12", "2027-03-01T11:00", today)
    say(site, "S14", "2027-03-01T11:01", today, person=NEW_PHONE)
    site.until(local("2027-03-01T12:00"))
    assert told(site) == [("+16175550177", "three_hours")]
    assert site.sent[0][0] == "03-01 11:03"


def test_who_is_taken_off_a_visit_hears_of_it_no_more(site: Site) -> None:
    let_settle(site)
    both = siu("S12", at=BOOKED_AT, start=VISIT)
    pid = next(
        line for line in siu("S12", at=BOOKED_AT, start=VISIT, person=BEN).split(b"\r") if line[:3] == b"PID"
    )
    site.hear(both.replace(b"RGS|1", pid + b"\rRGS|1"))
    with site.store.unit() as unit:
        assert len(unit.appointments.get(1).patients) == 2
    say(site, "S14", "2027-03-01T11:01", person=BEN)
    site.until(local("2027-03-12T12:00"))
    subjects = {subject.patient_id for text in site.texts for subject in text.subjects}
    with site.store.unit() as unit:
        assert [unit.patients.get(each).given for each in subjects] == ["Ben"]
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def test_a_queued_text_that_one_visit_spoiled_is_written_anew_for_the_other(site: Site) -> None:
    let_settle(site)
    site.sms.is_down = True
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S12", "2027-03-01T11:00", local("2027-03-11T15:00"), visit="B1", person=BEN)
    for _ in range(4):
        site.clock.now += timedelta(seconds=100)
        translate(site.workshop)
        plan_changes(site.workshop)
        send_next(site.workshop)
    assert site.sms.texts() == []
    site.receive(siu("S15", at=site.clock.now, visit="B1", start=None, person=BEN))
    site.clock.now += timedelta(minutes=1)
    site.sms.is_down = False
    site.until(local("2027-03-01T12:00"))
    (text,) = site.sms.texts()
    assert "2:30 PM" in text.body
    assert "3:00" not in text.body


def test_a_family_that_books_without_end_is_told_in_the_end(site: Site) -> None:
    let_settle(site)
    for minute in range(40):
        at = local("2027-03-01T11:00") + timedelta(minutes=minute)
        site.until(at)
        say(
            site,
            "S12",
            at.strftime("%Y-%m-%dT%H:%M"),
            VISIT + timedelta(days=minute),
            visit=f"A{minute}",
        )
    assert site.sent != []


@pytest.mark.parametrize(
    ("rings", "sent"),
    [
        (
            "2027-03-02T15:00",
            [("03-02 09:00", "booked"), ("03-02 15:00", "two_days")],
        ),  # though its time had passed
        ("2027-03-04T11:00", [("03-02 09:00", "booked"), ("03-03 09:00", "two_days")]),  # which was said
    ],
)
def test_what_a_cap_holds_goes_to_the_new_number_while_it_is_of_use(
    store: Store, rings: str, sent: list[tuple[str, str]]
) -> None:
    site = Site(store, TurnedClock(local("2027-03-02T09:00")))
    site.receive(siu("S12", visit="A1", at=site.clock.now, start=local("2027-03-20T10:00")))
    site.work()
    site.until(local("2027-03-02T09:30"))
    start = local("2027-03-04T19:00")
    site.receive(siu("S12", visit="A2", at=site.clock.now, start=start))
    site.work()
    site.until(local(rings))
    site.receive(siu("S14", visit="A2", at=site.clock.now, start=start, person=NEW_PHONE))
    site.work()
    site.until(local("2027-03-04T11:30"))
    assert site.sent == sent
