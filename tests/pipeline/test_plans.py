"""Stories of plans: which visits a step is for, what comes after a visit, and what was decided about each."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.appointment import AppointmentEvent
from integration.domain.last_look import NOT_SEEN_YET
from integration.domain.plan_rules import Ask, Step, WhenConfirmed
from integration.domain.reminder import OPEN
from integration.domain.reminder_decision import Standing, decisions
from integration.domain.visit_filter import VisitFilter
from integration.pipeline.translate.anew import GRACE, anew
from integration.settings.differences import touched
from integration.settings.model import FeedLocation
from tests import settings as make
from tests.messages import ANA, BEN, called, siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
THANKS = Step("thank_you", hours_after=2)
NO_SHOW = Step("no_show", on=AppointmentEvent.NO_SHOW)
FEW = tuple(step for step in make.STEPS if step.name not in {"five_days", "two_days", "three_hours"})


def site_with(store: Store, *steps: Step, **changes: object) -> Site:
    plan = replace(make.practice().plan, steps=steps)
    practices = {"riverside": make.practice(plan=plan, **changes)}
    return Site(store, TurnedClock(BOOKED_AT), settings=make.settings(practices=practices))


def say(site: Site, trigger: str, at: str, **more: object) -> None:
    site.until(local(at))
    site.hear(siu(trigger, at=site.clock.now, **{"start": VISIT, **more}))  # type: ignore[arg-type]


def take(site: Site, *steps: Step) -> None:
    """The same site with another plan, as a reload brings it about."""
    before = site.workshop.settings
    plan = replace(before.practices["riverside"].plan, steps=steps)
    wanted = replace(before, practices={"riverside": replace(before.practices["riverside"], plan=plan)})
    scope = touched(before, wanted)
    with site.store.unit() as unit:
        generation = unit.configurations.propose({"any.toml": str(steps)}, "digest", site.clock.now)
        assert unit.configurations.put_in_force(generation, scope, site.clock.now)
    site.change(settings=wanted, generation=generation)
    site.clock.now += GRACE
    for _ in range(100):
        more = anew(site.workshop)
        site.work()
        if not more:
            return


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def planned(site: Site) -> dict[str, str]:
    return {
        step: each.due_at.astimezone(make.ZONE).strftime("%m-%d %H:%M")
        for step, each in site.reminders.items()
        if each.state in OPEN
    }


def decided(site: Site, visit: int = 1) -> dict[str, tuple[str, str | None]]:
    practice = site.workshop.settings.practices["riverside"]
    with site.store.unit() as unit:
        appointment = unit.appointments.get(visit)
        found = decisions(appointment, unit.reminders.of_appointment(visit), practice.plan)
    return {each.step: (each.standing.value, each.reason) for each in found}


# After the visit


def test_who_came_is_thanked_two_hours_after_the_visits_end(store: Store) -> None:
    site = site_with(store, *FEW, THANKS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-11T14:25", status="Arrived")
    site.until(local("2027-03-14T12:00"))
    assert site.sent == [("03-01 11:00", "booked"), ("03-11 17:00", "thank_you")]


def test_nobody_is_thanked_of_whom_the_ehr_never_says_that_they_came(store: Store) -> None:
    site = site_with(store, *FEW, THANKS)
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-11T18:00"))
    assert decided(site)["thank_you"] == ("held", NOT_SEEN_YET)
    site.until(local("2027-03-20T12:00"))
    assert occasions(site) == ["booked"]
    assert decided(site)["thank_you"] == ("skipped", "the EHR never said that the visit took place")


def test_an_arrival_told_late_lets_the_thank_you_go_then(store: Store) -> None:
    site = site_with(store, *FEW, THANKS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-12T10:00", status="Arrived")
    site.until(local("2027-03-14T12:00"))
    assert site.sent[1:] == [("03-12 10:00", "thank_you")]


@pytest.mark.parametrize("trigger", ["S15", "S26", "S17"])
def test_a_visit_that_did_not_take_place_has_no_thank_you(store: Store, trigger: str) -> None:
    site = site_with(store, *FEW, THANKS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, trigger, "2027-03-11T15:00")
    site.until(local("2027-03-20T12:00"))
    assert "thank_you" not in occasions(site)
    assert decided(site)["thank_you"][0] == "withdrawn"


def test_an_arrival_taken_back_takes_the_thank_you_back_to_waiting(store: Store) -> None:
    site = site_with(store, *FEW, THANKS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-11T14:25", status="Arrived")
    say(site, "S26", "2027-03-11T15:30")
    site.until(local("2027-03-20T12:00"))
    assert occasions(site) == ["booked"]


def test_a_reminder_of_tomorrows_visit_is_no_part_of_a_thank_you(store: Store) -> None:
    site = site_with(store, *make.STEPS, THANKS)
    site.hear(siu("S12", at=BOOKED_AT, start=local("2027-03-11T10:00")))
    site.hear(siu("S12", at=BOOKED_AT, visit="A2", start=local("2027-03-13T16:00")))
    say(site, "S14", "2027-03-11T09:55", start=local("2027-03-11T10:00"), status="Arrived")
    site.until(local("2027-03-13T09:00"))
    for text in site.texts:
        if text.occasion == "thank_you":
            assert len(text.subjects) == 1
    assert "two_days" in occasions(site)


# The no-show


def test_who_did_not_come_hears_so_once_and_is_asked_nothing(store: Store) -> None:
    site = site_with(store, *FEW, NO_SHOW)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S26", "2027-03-11T15:30")
    site.until(local("2027-03-14T12:00"))
    assert site.sent[1:] == [("03-11 15:30", "no_show")]
    assert "Reply C" not in site.texts[1].body


def test_a_no_show_at_night_waits_for_the_morning_and_goes_if_it_still_stands(store: Store) -> None:
    site = site_with(store, *FEW, NO_SHOW)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S26", "2027-03-11T22:00")
    site.until(local("2027-03-14T12:00"))
    assert site.sent[1:] == [("03-12 09:00", "no_show")]


def test_a_no_show_undone_before_it_was_said_is_not_said(store: Store) -> None:
    site = site_with(store, *FEW, NO_SHOW)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S26", "2027-03-11T22:00")
    say(site, "S14", "2027-03-11T22:10", status="Arrived")
    site.until(local("2027-03-14T12:00"))
    assert occasions(site) == ["booked"]
    assert decided(site)["no_show"] == ("withdrawn", "the patient has arrived")


def test_a_no_show_of_a_visit_to_come_is_not_believed(store: Store) -> None:
    site = site_with(store, *FEW, NO_SHOW)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S26", "2027-03-02T11:00")
    site.until(local("2027-03-14T12:00"))
    assert occasions(site) == ["booked"]


# For which visits


@pytest.mark.parametrize(
    ("only", "goes"),
    [
        (VisitFilter(types=frozenset({"checkup"})), True),
        (VisitFilter(types=frozenset({"check-up"})), True),
        (VisitFilter(types=frozenset({"normal"})), True),
        (VisitFilter(types=frozenset({"physio"})), False),
        (VisitFilter(except_types=frozenset({"checkup"})), False),
        (VisitFilter(locations=frozenset({"river"})), True),
        (VisitFilter(locations=frozenset({"hill"})), False),
        (VisitFilter(except_locations=frozenset({"river"})), False),
    ],
)
def test_a_step_goes_to_the_visits_it_is_for(store: Store, only: VisitFilter, *, goes: bool) -> None:
    site = site_with(store, *FEW, Step("two_days", days_ahead=2, visits=only))
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == (["booked", "two_days"] if goes else ["booked"])
    assert (decided(site)["two_days"][0] == "never planned") is not goes


def test_a_visit_of_another_type_now_loses_the_step(store: Store) -> None:
    only = VisitFilter(types=frozenset({"normal"}))
    site = site_with(store, *FEW, Step("two_days", days_ahead=2, visits=only))
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-02T11:00"))
    changed = siu("S14", at=site.clock.now, start=VISIT).replace(b"NORMAL^Normal", b"LONG^Long")
    site.hear(changed)
    assert decided(site)["two_days"] == ("withdrawn", "the step is not for this type of visit")


def test_a_step_says_the_text_that_it_names(store: Store) -> None:
    site = site_with(store, *FEW, Step("week_before", days_ahead=7, text="five_days", ask=Ask.ALWAYS))
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-12T12:00"))
    assert site.sent[1:] == [("03-04 10:00", "five_days")]
    assert "Reply C" in site.texts[1].body


@pytest.mark.parametrize(
    ("given", "sent", "asks"),
    [
        (WhenConfirmed.INFORM, True, False),
        (WhenConfirmed.SAME, True, True),
        (WhenConfirmed.NOTHING, False, False),
    ],
)
def test_who_has_confirmed_gets_what_the_plan_says_for_them(
    store: Store, given: WhenConfirmed, *, sent: bool, asks: bool
) -> None:
    step = Step("two_days", days_ahead=2, ask=Ask.ALWAYS, when_confirmed=given)
    site = site_with(store, *FEW, step)
    say(site, "S12", "2027-03-01T11:00", status="Confirmed")
    site.until(local("2027-03-12T12:00"))
    assert ("two_days" in occasions(site)) is sent
    assert ("C" in site.texts[-1].body.replace("Clinic", "").replace("Call", "")) is asks
    assert (decided(site)["two_days"] == ("skipped", "confirmed")) is not sent


# Another plan


TWO = Step("two_days", days_ahead=2)
WEEK_AFTER = Step("thank_you", days_after=1)
ANOTHER_PLAN = {
    "a step added": ((TWO,), (TWO, Step("five_days", days_ahead=5)), {"two_days", "five_days"}),
    "a step removed": ((TWO, Step("five_days", days_ahead=5)), (TWO,), {"two_days"}),
    "a step renamed": ((TWO,), (Step("remind", days_ahead=2, text="two_days"),), {"remind"}),
    "types that fit no more": ((TWO,), (replace(TWO, visits=VisitFilter(types=frozenset({"x"}))),), set()),
    "types that fit now": ((replace(TWO, visits=VisitFilter(types=frozenset({"x"}))),), (TWO,), {"two_days"}),
    "a thank-you added": ((TWO,), (TWO, WEEK_AFTER), {"two_days", "thank_you"}),
    "a thank-you removed": ((TWO, WEEK_AFTER), (TWO,), {"two_days"}),
}


@pytest.mark.parametrize("before", ANOTHER_PLAN)
def test_another_plan_plans_anew_what_has_not_gone_out(store: Store, before: str) -> None:
    former, wanted, left = ANOTHER_PLAN[before]
    site = site_with(store, *FEW, *former)
    say(site, "S12", "2027-03-01T11:00")
    take(site, *FEW, *wanted)
    assert set(planned(site)) == left
    assert occasions(site) == ["booked"]


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        (replace(TWO, at=time(15)), "03-09 15:00"),
        (replace(TWO, days_ahead=4), "03-07 10:00"),
        (replace(TWO, days_ahead=1), "03-10 10:00"),
        (replace(WEEK_AFTER, days_after=3), "03-14 10:00"),
        (Step("thank_you", hours_after=1), "03-11 16:00"),
    ],
)
def test_a_step_moved_in_the_plan_moves_for_every_visit(store: Store, changed: Step, due: str) -> None:
    site = site_with(store, *FEW, TWO, WEEK_AFTER)
    say(site, "S12", "2027-03-01T11:00")
    take(site, *FEW, *(changed if step.name == changed.name else step for step in (TWO, WEEK_AFTER)))
    assert planned(site)[changed.name] == due


def test_what_went_out_under_a_former_plan_does_not_go_again_under_another_time(store: Store) -> None:
    site = site_with(store, *FEW, TWO)
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-09T11:00"))
    take(site, *FEW, replace(TWO, days_ahead=1))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "two_days"]


def test_a_follow_up_moved_in_the_plan_moves_for_visits_that_are_over(store: Store) -> None:
    weekly = Step("thank_you", days_after=7)
    site = site_with(store, *FEW, weekly)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-11T14:25", status="Arrived")
    site.until(local("2027-03-15T12:00"))
    take(site, *FEW, replace(weekly, days_after=5))
    assert planned(site) == {"thank_you": "03-16 10:00"}
    site.until(local("2027-03-20T12:00"))
    assert site.sent[1:] == [("03-16 10:00", "thank_you")]


# Families


def test_a_familys_text_is_in_the_language_of_whose_phone_it_is(store: Store) -> None:
    site = site_with(store, *FEW, TWO)
    mother = called(ANA, mrn="MRN7", given="Eva", language="es")
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT, visit="A1", person=called(BEN, language="en")))
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT + timedelta(hours=1), visit="A2", person=mother))
    site.until(local("2027-03-12T12:00"))
    shared = [text for text in site.texts if text.occasion == "two_days"]
    assert len(shared) == 1
    assert {subject.patient_id for subject in shared[0].subjects} == {1, 2}


def test_two_practices_do_not_share_a_text(store: Store) -> None:
    hill = make.practice(name="hill", public_name="Hill Clinic", plan=make.practice().plan)
    site = Site(
        store,
        TurnedClock(BOOKED_AT),
        settings=make.settings(
            practices={"riverside": make.practice(), "hill": hill},
            feeds={
                "main": make.feed(
                    locations={
                        "RIVER": FeedLocation(practice="riverside"),
                        "HILL": FeedLocation(practice="hill"),
                    }
                )
            },
        ),
    )
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    other = siu("S12", at=BOOKED_AT, start=VISIT, visit="B1").replace(b"AIL|1|A|RIVER^", b"AIL|1|A|HILL^")
    site.hear(other)
    site.until(local("2027-03-12T12:00"))
    assert {len(text.subjects) for text in site.texts} == {1}
    assert {text.practice for text in site.texts} == {"riverside", "hill"}


# A cancellation undone


def test_a_cancellation_undone_on_the_same_day_is_told_whatever_the_caps(store: Store) -> None:
    site = site_with(store, *make.STEPS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-02T11:00")
    say(site, "S13", "2027-03-02T11:30", status="Booked")
    assert site.sent == [("03-01 11:00", "booked"), ("03-02 11:00", "cancelled"), ("03-02 11:30", "booked")]


def test_a_cancellation_undone_on_the_day_of_the_visit_is_told_at_once(store: Store) -> None:
    site = site_with(store, *make.STEPS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-11T09:30")
    say(site, "S13", "2027-03-11T09:45", status="Booked")
    assert site.sent[-2:] == [("03-11 09:30", "cancelled"), ("03-11 09:45", "booked")]


# One decision a step


def test_each_step_has_one_decision_though_the_number_changed(store: Store) -> None:
    site = site_with(store, *make.STEPS)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-02T11:00", person=called(ANA, phone="(617)555-0177"))
    found = decided(site)
    assert found["booked"] == (Standing.SENT.value, None)
    assert found["five_days"] == (Standing.PLANNED.value, None)
    assert found["moved"] == (Standing.NEVER.value, "the patient was told of no other time or place")
