"""Stories of visits that are parts of a whole: series, occurrences, sub-appointments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.pipeline.send import send_next
from tests.messages import without
from tests.pipeline.scheduling import (
    BOOKED_AT,
    LATER,
    VISIT,
    kept,
    let_settle,
    message,
    numbered,
    occasions,
    say,
    visits,
)
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store


@pytest.fixture
def site(story_store: Store) -> Site:
    return Site(story_store, TurnedClock(BOOKED_AT))


WEEKLY = [VISIT, VISIT + timedelta(days=7), VISIT + timedelta(days=14)]


def book_series(site: Site, at: str = "2027-03-01T11:00", **more: str) -> None:
    """Three visits, each with an id of its own and the same parent."""
    for number, start in enumerate(WEEKLY, start=1):
        say(site, "S12", at, start, visit=f"C{number}", **{"_24": "S1", **more})


def test_a_cancelled_series_is_told_in_one_text(site: Site) -> None:
    let_settle(site)
    book_series(site)
    site.until(local("2027-03-01T12:00"))
    say(site, "S15", "2027-03-02T11:00", None, visit="S1")
    site.until(local("2027-04-01T12:00"))
    assert occasions(site) == ["booked", "cancelled"]
    assert {visit.status for visit in visits(site)} == {"cancelled"}


def test_a_weekly_series_is_reminded_of_week_by_week(site: Site) -> None:
    let_settle(site)
    book_series(site)
    site.until(local("2027-04-01T12:00"))
    assert occasions(site) == ["booked", *["five_days", "two_days", "three_hours"] * 3]


def test_a_parent_is_known_by_its_placers_id_too(site: Site) -> None:
    book_series(site, _23="PS1", _24="")
    say(site, "S15", "2027-03-02T11:00", None, visit="S1")
    assert {visit.status for visit in visits(site)} == {"cancelled"}


def test_a_child_may_name_its_parent_with_or_without_the_authority(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", visit="C1", _24="S1^SCHED")
    say(site, "S12", "2027-03-01T11:00", LATER, visit="C2", _24="S1")
    say(site, "S12", "2027-03-01T11:00", LATER, visit="C3", _24="S1^OTHER")
    say(site, "S15", "2027-03-02T11:00", None, visit="S1", _2="S1^SCHED")
    assert [visit.status for visit in visits(site)] == ["cancelled", "cancelled", "booked", "cancelled"]


def test_a_series_cancelled_visit_by_visit_and_as_a_whole_is_told_once(site: Site) -> None:
    let_settle(site)
    book_series(site)
    site.until(local("2027-03-01T12:00"))
    for number in (1, 2, 3):
        say(site, "S15", "2027-03-02T11:00", None, visit=f"C{number}", _24="S1")
    say(site, "S15", "2027-03-02T11:00", None, visit="S1")
    site.until(local("2027-04-01T12:00"))
    assert occasions(site) == ["booked", "cancelled"]


@pytest.mark.parametrize("named", ["S1", "S1^SCHED"])
def test_while_the_end_of_a_series_waits_unread_none_of_its_visits_is_texted_about(
    site: Site, named: str
) -> None:
    say(site, "S12", "2027-03-01T11:00", visit="C1", _24=named)
    site.clock.now = local("2027-03-06T10:00")  # five days ahead
    # The whole is another patient's, as of a group.
    site.receive(message("S15", site.clock.now, None, visit="S1", who="Carla", _2="S1^SCHED"))
    while send_next(site.workshop):
        pass
    assert occasions(site) == ["booked"]
    site.work()
    assert occasions(site) == ["booked", "cancelled"]


@pytest.mark.parametrize(("trigger", "status"), [("S16", "cancelled"), ("S17", "entered-in-error")])
def test_what_is_left_of_a_series_that_is_discontinued_or_deleted_is_silent(
    site: Site, trigger: str, status: str
) -> None:
    book_series(site)
    site.until(local("2027-03-12T12:00"))
    before = occasions(site)
    say(site, trigger, "2027-03-12T12:00", None, visit="S1")
    site.until(local("2027-04-01T12:00"))
    assert occasions(site) == before
    assert [visit.status for visit in visits(site)][:3] == ["booked", status, status]


def test_a_child_that_arrives_after_its_parent_was_cancelled_is_cancelled(site: Site) -> None:
    say(site, "S15", "2027-03-01T11:10", None, visit="S1")
    site.hear(message("S12", BOOKED_AT, visit="C1", _24="S1"))
    assert [visit.status for visit in visits(site)] == ["cancelled", "cancelled"]
    site.until(local("2027-03-12T12:00"))
    assert site.sent == []


def test_a_child_booked_after_its_parent_was_cancelled_stands(site: Site) -> None:
    say(site, "S15", "2027-03-01T11:10", None, visit="S1")
    say(site, "S12", "2027-03-01T11:20", visit="C1", _24="S1")
    assert occasions(site) == ["booked"]


def test_a_child_rebooked_after_its_parent_was_cancelled_stands_when_that_is_told_late(site: Site) -> None:
    book_series(site)
    say(site, "S13", "2027-03-02T11:00", LATER, visit="C1", _24="S1")
    site.hear(message("S15", local("2027-03-02T10:00"), None, visit="S1"))
    assert [visit.status for visit in visits(site)][:3] == ["booked", "cancelled", "cancelled"]


def test_an_end_of_a_series_that_cannot_be_read_holds_its_visits_until_it_is(site: Site) -> None:
    book_series(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(without(message("S15", site.clock.now, None, visit="S1"), "PID"))
    say(site, "S12", "2027-03-02T11:01", LATER, visit="C4", _24="S1")
    (dead,) = [one for one in kept(site) if one.state == "dead"]
    assert [visit.held_by for visit in visits(site)] == [dead.id] * 4
    with site.store.unit() as unit:
        unit.inbox.replay([dead.id])
        site.change(settings=replace(site.workshop.settings, feeds={}))
    site.work()
    assert {visit.held_by for visit in visits(site)} == {None}


def test_a_parent_without_a_start_is_never_texted_about(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", None, visit="S1")
    site.until(local("2027-04-01T12:00"))
    assert site.sent == []


def test_a_parent_at_the_time_of_its_first_visit_is_said_once(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00", visit="S1")
    say(site, "S12", "2027-03-01T11:00", visit="C1", _24="S1")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert all(text.body.count("2:30 PM") == 1 for text in site.texts)


def test_several_visits_of_one_parent_at_one_time_are_one_text_each_time(site: Site) -> None:
    """One S14 and one S15 for each sub-appointment, as MedicWare sends them."""
    let_settle(site)
    for trigger, at in (("S12", "2027-03-01T11:00"), ("S14", "2027-03-02T11:00")):
        for number in (1, 2, 3):
            say(site, trigger, at, visit=f"C{number}", _24="S1")
        site.until(local(at) + timedelta(hours=1))
    site.until(local("2027-03-07T11:00"))
    for number in (1, 2, 3):
        say(site, "S15", "2027-03-07T11:00", None, visit=f"C{number}", _24="S1")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "cancelled"]
    assert all(text.body.count("2:30 PM") == 1 for text in site.texts)


def test_occurrences_of_one_id_are_visits_of_their_own(site: Site) -> None:
    for number, start in enumerate(WEEKLY, start=1):
        say(site, "S12", "2027-03-01T11:00", start, visit="R1", _3=str(number))
    say(site, "S15", "2027-03-02T11:00", None, visit="R1", _3="2")
    assert [(visit.slot.start, visit.status) for visit in visits(site)] == [
        (WEEKLY[0], "booked"),
        (WEEKLY[1], "cancelled"),
        (WEEKLY[2], "booked"),
    ]


def test_an_occurrence_is_found_by_its_visit_number_alone(site: Site) -> None:
    for number, start in enumerate(WEEKLY, start=1):
        one = message("S12", BOOKED_AT, start, visit="R1", _3=str(number))
        site.hear(numbered(one).replace(b"|V1", b"|V%d" % number))
    with site.store.unit() as unit:
        found = [unit.appointments.find("main", [f"PV1-19||V{number}|"]) for number in (1, 2, 3)]
    assert [each and each.slot.start for each in found] == WEEKLY


def test_the_id_without_an_occurrence_means_them_all(site: Site) -> None:
    for number, start in enumerate(WEEKLY, start=1):
        say(site, "S12", "2027-03-01T11:00", start, visit="R1", _3=str(number))
    say(site, "S15", "2027-03-02T11:00", None, visit="R1")
    assert {visit.status for visit in visits(site)} == {"cancelled"}


def test_a_series_with_a_counter_for_placers_id_ends_no_other_series(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", visit="C1", _23="1", _24="R1")
    say(site, "S12", "2027-03-01T11:00", LATER, visit="C2", _23="1", _24="R2")
    say(site, "S15", "2027-03-02T11:00", None, visit="R2", _1="1")
    assert [visit.status for visit in visits(site)] == ["booked", "cancelled", "cancelled"]
