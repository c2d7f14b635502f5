"""The shipped plan as stories: which reminders exist for a visit, and when each falls due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integration.domain.appointment import Appointment, AppointmentEvent, Slot
from integration.domain.plan_revision import carries_on, revise
from integration.domain.plan_rules import PlanRules
from integration.domain.reminder import OPEN, Reminder, ReminderState
from integration.domain.reminder_plan import Situation, plan
from tests.settings import STEPS, practice

ZONE = ZoneInfo("America/New_York")
RULES = PlanRules(steps=STEPS, hours=practice().plan.hours, zone=ZONE, settle=timedelta(seconds=180))


def at(text: str) -> datetime:
    """A local time of the practice."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def visit(start: str | None, **changes: Any) -> Appointment:
    slot = Slot(None if start is None else at(start))
    base = Appointment(
        1, "main", "main", ("k",), (7,), "booked", slot, "America/New_York", practice="riverside"
    )
    return replace(base, **changes)


def happened(event: AppointmentEvent, when: str, **changes: Any) -> Situation:
    now = at(when)
    return replace(Situation(event=event, at=now, now=now, told=False, told_this_slot=False), **changes)


def planned(appointment: Appointment, situation: Situation) -> list[Reminder]:
    return plan(appointment, patient_id=7, number="+16175550123", rules=RULES, situation=situation)


def due(reminders: list[Reminder]) -> dict[str, str]:
    """The open ones: step → local due time."""
    return {
        r.step: r.due_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") for r in reminders if r.state in OPEN
    }


def reasons(reminders: list[Reminder]) -> dict[str, str | None]:
    return {r.step: r.reason for r in reminders if r.state not in OPEN}


BOOKED, MOVED, CANCELLED = AppointmentEvent.BOOKED, AppointmentEvent.MOVED, AppointmentEvent.CANCELLED


def test_a_booking_ten_days_ahead_gets_the_whole_plan() -> None:
    reminders = planned(visit("2027-03-11T14:30"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders) == {
        "booked": "2027-03-01 11:03",
        "five_days": "2027-03-06 10:00",
        "two_days": "2027-03-09 10:00",
        "three_hours": "2027-03-11 11:30",
    }
    assert reasons(reminders) == {}


def test_days_ahead_are_calendar_days_across_the_change_to_summer_time() -> None:
    reminders = planned(visit("2027-03-16T14:30"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders)["five_days"] == "2027-03-11 10:00"  # before the change of 14 March
    assert due(reminders)["two_days"] == "2027-03-14 10:00"


def test_hours_ahead_are_elapsed_time_on_the_day_the_clocks_change() -> None:
    wide = replace(RULES, hours=replace(RULES.hours, opens=at("2027-03-14T00:00").time()))
    reminders = plan(
        visit("2027-03-14T04:30"),
        patient_id=7,
        number="+16175550123",
        rules=wide,
        situation=happened(BOOKED, "2027-03-01T11:00"),
    )
    assert due(reminders)["three_hours"] == "2027-03-14 00:30"


def test_an_early_visit_is_recalled_the_evening_before() -> None:
    reminders = planned(visit("2027-03-11T08:00"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders)["three_hours"] == "2027-03-10 19:00"


def test_a_late_visit_is_recalled_in_the_evening_of_its_own_day() -> None:
    reminders = planned(visit("2027-03-11T23:30"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders)["three_hours"] == "2027-03-11 19:00"


def test_booked_too_late_for_a_step_it_is_skipped() -> None:
    reminders = planned(visit("2027-03-03T14:30"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders) == {"booked": "2027-03-01 11:03", "three_hours": "2027-03-03 11:30"}
    assert reasons(reminders) == {
        "five_days": "booked too late for this step",
        "two_days": "booked too late for this step",
    }


def test_two_steps_on_one_day_become_the_later_ones_purpose_at_the_earlier_time() -> None:
    reminders = planned(visit("2027-03-06T15:00"), happened(BOOKED, "2027-03-01T09:10"))
    assert due(reminders)["five_days"] == "2027-03-01 09:13"
    assert reasons(reminders) == {"booked": "said by the step five_days on the same day"}


def test_a_step_that_a_confirmed_visit_does_not_need_swallows_nothing() -> None:
    reminders = planned(visit("2027-03-01T16:00", confirmed=True), happened(BOOKED, "2027-03-01T09:10"))
    assert due(reminders)["booked"] == "2027-03-01 09:13"


@pytest.mark.parametrize(
    ("step", "latest"),
    [
        ("five_days", "2027-03-09 00:15"),  # half-way to the visit
        ("two_days", "2027-03-10 12:15"),
        ("three_hours", "2027-03-11 13:45"),  # 45 minutes before
    ],
)
def test_each_step_has_a_latest_useful_time(step: str, latest: str) -> None:
    reminders = planned(visit("2027-03-11T14:30"), happened(BOOKED, "2027-03-01T11:00"))
    found = next(r for r in reminders if r.step == step)
    assert found.not_after.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") == latest


def test_news_of_a_visit_that_has_begun_is_too_late() -> None:
    reminders = planned(visit("2027-03-01T10:00"), happened(BOOKED, "2027-03-01T11:00"))
    assert due(reminders) == {}
    assert reasons(reminders)["booked"] == "too late to be useful"


def test_quiet_changes_plan_the_future_only() -> None:
    reminders = planned(visit("2027-03-04T14:30"), happened(BOOKED, "2027-03-01T11:00", quiet=True))
    assert due(reminders) == {"two_days": "2027-03-02 10:00", "three_hours": "2027-03-04 11:30"}


def test_moved_is_said_only_to_who_was_told_of_the_old_time() -> None:
    told = happened(MOVED, "2027-03-07T11:00", told=True, old_start=at("2027-03-11T14:30"))
    assert "moved" in due(planned(visit("2027-03-20T14:30", slot_number=2), told))
    untold = happened(MOVED, "2027-03-07T11:00")
    steps = due(planned(visit("2027-03-20T14:30", slot_number=2), untold))
    assert "booked" in steps
    assert "moved" not in steps


def test_news_of_a_move_must_come_before_the_old_time_too() -> None:
    situation = happened(MOVED, "2027-03-07T11:00", told=True, old_start=at("2027-03-07T15:06"))
    moved = next(r for r in planned(visit("2027-05-20T14:30", slot_number=2), situation) if r.step == "moved")
    assert moved.not_after == at("2027-03-07T13:04:30")


@pytest.mark.parametrize(("told", "steps"), [(True, {"cancelled"}), (False, set())])
def test_cancelled_is_said_only_to_who_was_told(told: bool, steps: set[str]) -> None:  # noqa: FBT001 - a row
    situation = happened(CANCELLED, "2027-03-11T09:30", told=told)
    assert set(due(planned(visit("2027-03-11T14:30", status="cancelled"), situation))) == steps


@pytest.mark.parametrize(
    "event",
    [
        AppointmentEvent.DISCONTINUED,
        AppointmentEvent.DELETED,
        AppointmentEvent.NO_SHOW,
        AppointmentEvent.ARRIVED,
    ],
)
def test_other_ends_are_silent(event: AppointmentEvent) -> None:
    over = visit("2027-03-11T14:30", status="noshow")
    assert planned(over, happened(event, "2027-03-11T15:30", told=True)) == []


@pytest.mark.parametrize("appointment", [visit(None), visit("2027-03-11T14:30", practice=None)])
def test_without_a_start_or_a_practice_nothing_is_planned(appointment: Appointment) -> None:
    assert planned(appointment, happened(BOOKED, "2027-03-01T11:00")) == []


def test_what_is_no_longer_wanted_is_withdrawn_and_what_went_out_stays() -> None:
    situation = happened(BOOKED, "2027-03-01T11:00")
    first = [replace(r, id=n) for n, r in enumerate(planned(visit("2027-03-11T14:30"), situation), start=1)]
    sent = replace(first[0], state=ReminderState.SENT)
    revision = revise(
        [sent, *first[1:]], [], kept=lambda _: False, reason="the visit was moved", now=situation.now
    )
    assert {(r.id, r.state, r.reason) for r in revision.update} == {
        (n, ReminderState.WITHDRAWN, "the visit was moved") for n in (2, 3, 4)
    }


def test_planning_the_same_twice_changes_nothing() -> None:
    situation = happened(BOOKED, "2027-03-01T11:00")
    wanted = planned(visit("2027-03-11T14:30"), situation)
    stored = [replace(r, id=n) for n, r in enumerate(wanted, start=1)]
    revision = revise(stored, wanted, kept=lambda _: False, reason="", now=situation.now)
    assert (revision.add, revision.update) == ((), ())


def test_news_of_a_booking_still_waiting_survives_another_message_about_the_same_slot() -> None:
    appointment = visit("2027-03-11T14:30")
    booked = planned(appointment, happened(BOOKED, "2027-03-01T11:00"))[0]
    again = happened(AppointmentEvent.CHANGED, "2027-03-01T11:01")
    assert carries_on(booked, appointment, RULES, again)
    assert not carries_on(booked, replace(appointment, slot_number=2), RULES, again)
    assert not carries_on(booked, replace(appointment, status="cancelled"), RULES, again)
