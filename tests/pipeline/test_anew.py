"""Other settings come into force: appointments to come follow, and nobody hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from integration.domain.reminder import OPEN, ReminderState
from integration.pipeline.plan import plan_changes
from integration.pipeline.translate import anew as module
from integration.pipeline.translate import translate
from integration.pipeline.translate.anew import GRACE, anew
from integration.settings.differences import Scope, touched
from integration.settings.model import FeedLocation
from tests.messages import BEN, siu, without
from tests.settings import STEPS, feed, practice, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.domain.reminder import Reminder
    from integration.ports.store import Store
    from integration.settings.model import Settings

BOOKED = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
CHICAGO = settings(feeds={"main": feed(zone=ZoneInfo("America/Chicago"))})


def site_of(store: Store, **changes: object) -> Site:
    return Site(store, TurnedClock(BOOKED), settings=settings(**changes))


def put_in_force(site: Site, wanted: Settings, scope: Scope | None = None) -> None:
    """As a reload, or a restart, does it."""
    scope = touched(site.workshop.settings, wanted) if scope is None else scope
    with site.store.unit() as unit:
        generation = unit.configurations.propose({"any.toml": str(scope)}, "digest", site.clock.now)
        assert unit.configurations.put_in_force(generation, scope, site.clock.now)
    site.change(settings=wanted, generation=generation)
    site.clock.now += GRACE


def follow(site: Site) -> None:
    """Think everything over."""
    for _ in range(1000):
        more = anew(site.workshop)
        site.work()
        if not more:
            return
    raise AssertionError("it never ends")


def visit(site: Site) -> Appointment:
    with site.store.unit() as unit:
        return unit.appointments.get(1)


def planned(site: Site) -> dict[str, str]:
    """The open reminders and when they are due, in New York."""
    return {
        step: reminder.due_at.astimezone(VISIT.tzinfo).strftime("%m-%d %H:%M")
        for step, reminder in site.reminders.items()
        if reminder.state in OPEN
    }


def all_reminders(site: Site) -> list[Reminder]:
    with site.store.unit() as unit:
        return list(unit.reminders.of_appointment(1))


def test_a_corrected_zone_moves_the_visit_and_its_reminders_and_tells_nobody(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    before = planned(site)
    put_in_force(site, CHICAGO)
    follow(site)
    assert visit(site).slot.start == VISIT + timedelta(hours=1)
    assert visit(site).zone == "America/Chicago"
    assert before["three_hours"] == "03-11 11:30"
    assert planned(site)["three_hours"] == "03-11 12:30"
    site.until(VISIT + timedelta(hours=1))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "two_days", "three_hours"]


def test_nothing_is_thought_over_before_every_process_has_taken_the_settings(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    put_in_force(site, CHICAGO)
    site.clock.now -= timedelta(seconds=1)
    assert not anew(site.workshop)
    assert visit(site).slot.start == VISIT


def test_a_process_that_runs_with_former_settings_leaves_it_to_others(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    former = site.workshop
    put_in_force(site, CHICAGO)
    assert not anew(former)
    assert visit(site).slot.start == VISIT
    follow(site)
    assert visit(site).slot.start != VISIT


def test_who_was_told_the_right_time_of_day_stays_told_and_confirmed(store: Store) -> None:
    """The zone was wrong, but half past two is what the text said and what the clock at the clinic shows."""
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT, status="Confirmed"))
    site.until(local("2027-03-06T10:01"))
    told = visit(site)
    put_in_force(site, CHICAGO)
    follow(site)
    assert visit(site).slot.start == VISIT + timedelta(hours=1)
    assert visit(site).slot_number == told.slot_number
    assert visit(site).confirmed
    assert planned(site) == {"two_days": "03-09 10:00", "three_hours": "03-11 12:30"}


def test_a_text_that_told_the_wrong_time_ends_its_slot_so_that_a_late_yes_confirms_nothing(
    store: Store,
) -> None:
    site = site_of(store)
    message = siu("S12", at=BOOKED, start=VISIT)
    site.hear(message.replace(b"202703111430", b"202703111430-0500"))
    site.until(local("2027-03-06T10:01"))
    told = visit(site)
    put_in_force(site, CHICAGO)
    with site.store.unit() as unit:  # a reply, not the EHR, had confirmed it
        unit.appointments.save(replace(told, confirmed=True))
    follow(site)
    assert visit(site).slot.start == VISIT
    assert visit(site).slot_number == told.slot_number + 1
    assert not visit(site).confirmed
    assert planned(site) == {"two_days": "03-09 10:00", "three_hours": "03-11 11:30"}
    assert site.reminders["five_days"].state is ReminderState.SKIPPED
    assert "moved" not in {reminder.step for reminder in all_reminders(site)}
    withdrawn = {each.reason for each in all_reminders(site) if each.state is ReminderState.WITHDRAWN}
    assert withdrawn == {"what was known of the visit's time or place was corrected"}


def test_news_still_owed_goes_out_all_the_same(store: Store) -> None:
    """The booking text has not gone yet when the zone is corrected: it goes, once."""
    slow = practice(plan=replace(practice().plan, settle=timedelta(minutes=3)))
    site = site_of(store, practices={"riverside": slow})
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    put_in_force(site, replace(site.workshop.settings, feeds=CHICAGO.feeds))
    follow(site)
    site.until(BOOKED + timedelta(minutes=10))
    (text,) = site.texts
    assert text.occasion == "booked"
    assert "2:30 PM" in text.body


def test_the_newest_message_that_told_the_start_is_read_and_no_earlier_one(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    site.clock.now += timedelta(minutes=1)
    site.hear(siu("S13", at=site.clock.now, start=VISIT + timedelta(days=2)))
    site.clock.now += timedelta(minutes=1)
    site.hear(siu("S14", at=site.clock.now, start=None))
    put_in_force(site, CHICAGO)
    follow(site)
    assert visit(site).slot.start == VISIT + timedelta(days=2, hours=1)


def test_a_location_given_to_another_practice_takes_its_reminders_along(store: Store) -> None:
    hill = practice(name="hill", public_name="Hill Clinic")
    both = {"riverside": practice(), "hill": hill}
    site = site_of(store, practices=both)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    to_hill = feed(locations={"RIVER": FeedLocation(practice="hill")})
    put_in_force(site, settings(practices=both, feeds={"main": to_hill}))
    follow(site)
    assert visit(site).practice == "hill"
    assert visit(site).slot_number == 1
    assert {each.practice for each in all_reminders(site) if each.state in OPEN} == {"hill"}


def test_a_public_name_of_a_place_is_learnt_without_a_word(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    named = feed(locations={"RIVER": FeedLocation(practice="riverside", place="North Wing")})
    put_in_force(site, settings(feeds={"main": named}))
    follow(site)
    assert visit(site).slot.place == "North Wing"
    assert [occasion for _, occasion in site.sent] == ["booked"]


@pytest.mark.parametrize("gone", [True, False])
def test_another_plan_adds_withdraws_and_moves(store: Store, *, gone: bool) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    steps = [replace(step, at=time(15)) if step.name == "five_days" else step for step in STEPS]
    if gone:
        steps = [step for step in steps if step.name != "two_days"]
    wanted = practice(plan=replace(practice().plan, steps=tuple(steps)))
    put_in_force(site, settings(practices={"riverside": wanted}))
    follow(site)
    expected = {"five_days": "03-06 15:00", "three_hours": "03-11 11:30"}
    assert planned(site) == expected | ({} if gone else {"two_days": "03-09 10:00"})


def test_a_step_switched_on_sends_nothing_that_is_already_due(store: Store) -> None:
    few = tuple(step for step in STEPS if step.name not in {"five_days", "two_days"})
    site = site_of(store, practices={"riverside": practice(plan=replace(practice().plan, steps=few))})
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    site.until(local("2027-03-07T12:00"))
    put_in_force(site, settings())
    follow(site)
    assert planned(site) == {"two_days": "03-09 10:00", "three_hours": "03-11 11:30"}
    assert site.reminders["five_days"].reason == "its time had passed"
    assert [occasion for _, occasion in site.sent] == ["booked"]


def test_a_step_left_out_as_too_late_comes_back_when_another_plan_finds_it_time_enough(store: Store) -> None:
    site = site_of(store)
    soon = local("2027-03-04T14:30")
    site.hear(siu("S12", at=BOOKED, start=soon))
    assert site.reminders["five_days"].reason == "booked too late for this step"
    nearer = [replace(step, days_ahead=1) if step.name == "five_days" else step for step in STEPS]
    wanted = practice(plan=replace(practice().plan, steps=tuple(nearer)))
    put_in_force(site, settings(practices={"riverside": wanted}))
    follow(site)
    assert planned(site)["five_days"] == "03-03 10:00"


def test_past_visits_are_left_alone(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    site.until(VISIT + timedelta(days=3))
    put_in_force(site, CHICAGO)
    follow(site)
    assert visit(site).slot.start == VISIT


def test_a_message_whose_payload_was_purged_leaves_the_visit_as_it_is(store: Store) -> None:
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    with site.store.unit() as unit:
        unit.appointments.save(replace(unit.appointments.get(1), slot_from=None))
    put_in_force(site, CHICAGO)
    follow(site)
    assert visit(site).slot.start == VISIT


def test_it_goes_on_where_it_was_interrupted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    site = site_of(store)
    for number in range(1, 6):
        site.hear(siu("S12", at=BOOKED, start=VISIT, visit=f"A{number}"))
    put_in_force(site, CHICAGO)
    assert anew(site.workshop)
    assert anew(site.workshop)
    moved = [start_of(site, each) for each in range(1, 6)]
    assert moved == [1, 1, 0, 0, 0]
    follow(site)
    assert [start_of(site, each) for each in range(1, 6)] == [1] * 5
    assert not anew(site.workshop)


def start_of(site: Site, appointment_id: int) -> int:
    """By how many hours it has moved."""
    with site.store.unit() as unit:
        start = unit.appointments.get(appointment_id).slot.start
    assert start is not None
    return round((start - VISIT).total_seconds() / 3600)


def test_what_happens_now_goes_before_what_is_thought_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG", 1)
    site = site_of(store)
    site.hear(siu("S12", at=BOOKED, start=VISIT))
    put_in_force(site, CHICAGO)
    site.receive(siu("S12", at=site.clock.now, start=VISIT, visit="B1", person=BEN))
    translate(site.workshop)
    assert not anew(site.workshop)
    assert plan_changes(site.workshop)
    anew(site.workshop)
    assert start_of(site, 1) == 1


@pytest.mark.parametrize(
    ("zone", "hours"), [("America/Denver", 2), ("America/Chicago", 1)], ids=["as it was", "corrected"]
)
def test_a_visit_whose_newest_message_named_no_place_keeps_the_zone_of_its_place(
    store: Store, zone: str, hours: int
) -> None:
    """14:30 is the clinic's own time, whatever the feed's zone."""
    denver = {"ELM": FeedLocation(practice="riverside", zone=ZoneInfo("America/Denver"), place="Elm Street")}
    site = site_of(store, feeds={"main": feed(locations=denver)})
    booked = siu("S12", at=BOOKED, start=VISIT + timedelta(days=1))
    site.hear(booked.replace(b"RIVER^^^RIVER", b"ELM^^^ELM"))
    site.clock.now += timedelta(minutes=1)
    site.hear(without(siu("S13", at=site.clock.now, start=VISIT), "AIL"))
    assert visit(site).slot.start == VISIT + timedelta(hours=2)
    here = {"ELM": FeedLocation(practice="riverside", zone=ZoneInfo(zone), place="Elm Street")}
    put_in_force(site, settings(feeds={"main": feed(locations=here)}), Scope(feeds=frozenset({"main"})))
    follow(site)
    assert (visit(site).slot.start, visit(site).zone) == (VISIT + timedelta(hours=hours), zone)


def test_a_visit_of_which_no_message_names_a_place_belongs_where_the_sender_belongs_now(store: Store) -> None:
    both = {"riverside": practice(), "hill": practice(name="hill", public_name="Hill Clinic")}
    site = site_of(store, practices=both)
    site.hear(without(siu("S12", at=BOOKED, start=VISIT), "AIL"))
    assert visit(site).practice == "riverside"
    to_hill = feed(locations={"RIVER": FeedLocation(practice="hill")})
    put_in_force(site, settings(practices=both, feeds={"main": to_hill}))
    follow(site)
    assert visit(site).practice == "hill"
