"""Stories of scheduling messages: what each trigger event does to a visit and to who hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.settings.model import FeedLocation
from tests import settings as make
from tests.messages import siu, without
from tests.pipeline.scheduling import (
    BOOKED_AT,
    LATER,
    SETTLING,
    VISIT,
    fields,
    kept,
    let_settle,
    message,
    occasions,
    say,
    visits,
    with_feed,
)
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.store import Store


@pytest.fixture
def site(story_store: Store) -> Site:
    return Site(story_store, TurnedClock(BOOKED_AT))


# --- S27: a broadcast ------------------------------------------------------------------------------------


def test_a_broadcast_of_an_unknown_visit_plans_the_future_and_tells_nothing(site: Site) -> None:
    say(site, "S27", "2027-03-01T11:00", status="Booked")
    assert site.sent == []
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["five_days", "two_days", "three_hours"]


def test_a_broadcast_that_shows_another_time_moves_the_reminders_and_tells_nothing(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S27", "2027-03-02T11:00", LATER, status="")
    site.until(local("2027-03-19T12:00"))
    assert site.sent == [
        ("03-01 11:00", "booked"),
        ("03-13 10:00", "five_days"),
        ("03-16 10:00", "two_days"),
        ("03-17 19:00", "three_hours"),
    ]


def test_a_broadcast_that_overtakes_news_still_settling_leaves_the_news_to_be_told(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S27", "2027-03-01T11:01", LATER, status="Booked")
    site.until(local("2027-03-01T12:00"))
    assert occasions(site) == ["booked"]
    assert "Mar 18" in site.texts[0].body


def test_a_broadcast_that_repeats_what_is_known_takes_no_news_away(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S27", "2027-03-01T11:01", status="Booked")
    site.until(local("2027-03-01T12:00"))
    assert occasions(site) == ["booked"]


def test_a_broadcast_that_shows_a_cancelled_visit_silences_it(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S27", "2027-03-02T11:00", status="Cancelled")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]
    assert site.reminders["five_days"].reason == "the visit was cancelled"


def test_a_visit_that_a_broadcast_leaves_out_stands(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S27", "2027-03-02T11:00", LATER, visit="A2", status="Booked")
    assert [visit.status for visit in visits(site)] == ["booked", "booked"]


# --- S23, S24, and messages that cannot be about one visit -----------------------------------------------


@pytest.mark.parametrize("trigger", ["S23", "S24"])
def test_slots_blocked_and_opened_are_kept_and_done(site: Site, trigger: str) -> None:
    site.hear(without(siu(trigger, at=BOOKED_AT, start=VISIT, status=""), "PID"))
    (one,) = kept(site)
    assert (one.state, one.reason) == ("done", "no-patient-by-definition PID")
    assert (site.sent, visits(site), list(site.tasks)) == ([], [], [])


def test_a_message_about_two_visits_is_dead_by_name(site: Site) -> None:
    lines = message("S12", BOOKED_AT).split(b"\r")
    other = next(line for line in message("S12", BOOKED_AT, visit="A2").split(b"\r") if line[:3] == b"SCH")
    site.hear(b"\r".join([lines[0], lines[1], other, *lines[2:]]))
    assert [(one.state, one.reason) for one in kept(site)] == [("dead", "several-appointments SCH[2]")]


# --- S18 to S22, S14: one service, and no status ---------------------------------------------------------


@pytest.mark.parametrize("trigger", ["S18", "S19", "S20", "S21", "S22"])
def test_a_change_of_one_service_is_silent_and_keeps_every_reminder(site: Site, trigger: str) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    changed = siu(trigger, at=site.clock.now, start=VISIT, status="")
    site.hear(changed.replace(b"AIP|1|A|", b"AIS|1|A|XRAY^X-ray\rAIP|1|A|"))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def swap_of_service(site: Site, at: str) -> None:
    """S20 takes the video visit away, and S18 adds it again."""
    site.clock.now = local(at)
    gone = siu("S20", at=site.clock.now, start=VISIT, status="")
    site.hear(gone.replace(b"AIP|1|A|", b"AIS|1|D|VV^Video visit\rAIP|1|A|"))
    site.clock.now += timedelta(seconds=20)
    site.hear(video("S18", site.clock.now))


def video(trigger: str, at: datetime) -> bytes:
    seen = siu(trigger, at=at, start=VISIT, status="")
    return seen.replace(b"AIP|1|A|", b"AIS|1|A|VV^Video visit\rAIP|1|A|")


def test_a_service_cancelled_and_added_again_within_the_settling_time_tells_nothing(site: Site) -> None:
    site.hear(video("S12", BOOKED_AT))
    let_settle(site)
    swap_of_service(site, "2027-03-02T11:00")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert "video" in site.texts[-1].body


def test_a_service_replaced_by_one_at_another_place_is_told_once_as_a_move(site: Site) -> None:
    with_feed(
        site,
        locations={
            "RIVER": FeedLocation(practice="riverside"),
            "ELM": FeedLocation(practice="riverside", place="Elm Street"),
        },
    )
    say(site, "S12", "2027-03-01T11:00")
    practice = make.practice(plan=replace(make.practice().plan, settle=SETTLING))
    site.change(settings=replace(site.workshop.settings, practices={"riverside": practice}))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S20", at=site.clock.now, start=VISIT, status="").replace(b"AIL|1|A|", b"AIL|1|D|"))
    site.clock.now += timedelta(seconds=20)
    elm = siu("S18", at=site.clock.now, start=VISIT, status="").replace(b"RIVER^^^RIVER", b"ELM^^^RIVER")
    site.hear(elm)
    site.until(local("2027-03-02T12:00"))
    assert occasions(site) == ["booked", "moved"]


def test_the_start_of_an_added_service_does_not_move_the_visit(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    added = siu("S18", at=site.clock.now, start=None, status="")
    site.hear(added.replace(b"AIP|1|A|", b"AIS|1|A|XRAY^X-ray|20270311160000\rAIP|1|A|"))
    assert occasions(site) == ["booked"]
    assert [visit.slot.start for visit in visits(site)] == [VISIT]


def test_a_change_without_a_status_does_not_reinstate_a_cancelled_visit(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S15", "2027-03-02T11:00", None)
    say(site, "S14", "2027-03-03T11:00", status="")
    say(site, "S19", "2027-03-03T11:01", status="")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "cancelled"]


def test_a_change_without_a_status_does_not_undo_a_check_in(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-02T11:00", status="Arrived")
    say(site, "S14", "2027-03-02T11:05", status="")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


def test_a_change_in_which_every_resource_is_cancelled_is_a_cancellation(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    every = fields(siu("S14", at=site.clock.now, start=VISIT, status=""), "AIL", _12="Cancelled")
    site.hear(fields(every, "AIP", _12="Cancelled"))
    assert occasions(site) == ["booked", "cancelled"]


def test_a_change_in_which_one_resource_is_cancelled_is_none(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    some = fields(siu("S14", at=site.clock.now, start=VISIT, status=""), "AIL", _12="Cancelled")
    site.hear(fields(some, "AIP", _12="Booked"))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


# --- moved, and back -------------------------------------------------------------------------------------


def test_a_visit_moved_and_moved_back_before_anybody_heard_is_as_it_was(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-06T12:00"))
    let_settle(site)
    say(site, "S13", "2027-03-06T12:00", LATER)
    say(site, "S13", "2027-03-06T12:01", VISIT)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert [visit.slot_number for visit in visits(site)] == [1]


def test_a_visit_that_settles_where_it_began_after_wandering_is_as_it_was(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    let_settle(site)
    for second, start in enumerate([LATER, LATER + timedelta(days=1), VISIT, LATER, VISIT]):
        say(site, "S13", f"2027-03-02T11:00:{second:02}", start)
    site.until(local("2027-03-02T12:00"))
    assert occasions(site) == ["booked"]


def test_a_visit_booked_moved_and_moved_back_before_anybody_heard_is_told_as_booked(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S13", "2027-03-01T11:01", LATER)
    say(site, "S13", "2027-03-01T11:02", VISIT)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert "Mar 11" in site.texts[0].body


def test_the_confirmation_of_a_visit_moved_and_back_still_counts(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-02T11:00", status="Confirmed")
    let_settle(site)
    say(site, "S13", "2027-03-03T11:00", LATER)
    say(site, "S13", "2027-03-03T11:01", VISIT)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days"]  # three_hours asks the unconfirmed only


def test_a_visit_moved_at_night_and_cancelled_before_dawn_is_cancelled_at_the_time_the_patient_knows(
    site: Site,
) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S13", "2027-03-02T22:00", LATER)
    say(site, "S15", "2027-03-03T05:00", None)
    site.until(local("2027-03-03T12:00"))
    assert occasions(site) == ["booked", "cancelled"]
    assert "Mar 11" in site.texts[-1].body


def test_news_of_a_move_is_useful_until_half_way_to_the_time_the_patient_knows(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S13", "2027-03-11T07:00", LATER)
    say(site, "S13", "2027-03-11T07:01", LATER + timedelta(days=7))
    assert site.reminders["moved"].not_after < VISIT
    site.until(local("2027-03-11T12:00"))
    assert site.sent[-1] == ("03-11 09:00", "moved")


# --- requests --------------------------------------------------------------------------------------------


def request(trigger: str, at: datetime, start: datetime | None) -> bytes:
    """SRM: the usual visit as a request."""
    raw = siu("S12", at=at, start=None).decode().replace("SIU^S12", f"SRM^{trigger}")
    begins = "" if start is None else start.strftime("%Y%m%d%H%M")
    lines = [
        f"ARQ|PA1|A1||||||NORMAL|30|min|{begins}" if line.startswith("SCH") else line
        for line in raw.split("\r")
    ]
    return "\r".join(lines).encode()


def test_a_request_is_dead_by_name_unless_the_feed_says_that_it_stands(site: Site) -> None:
    site.hear(request("S01", BOOKED_AT, VISIT))
    assert [(one.state, one.reason) for one in kept(site)] == [("dead", "request MSH-9.1")]
    assert site.sent == []


def test_requests_that_stand_book_move_and_cancel_and_are_one_with_their_notifications(site: Site) -> None:
    with_feed(site, requests=True)
    site.hear(request("S01", BOOKED_AT, VISIT))
    say(site, "S12", "2027-03-01T11:05")
    site.clock.now = local("2027-03-02T11:00")
    site.hear(request("S02", site.clock.now, LATER))
    say(site, "S13", "2027-03-02T11:01", LATER)
    site.clock.now = local("2027-03-03T11:00")
    site.hear(request("S04", site.clock.now, None))
    assert occasions(site) == ["booked", "moved", "cancelled"]
    assert [visit.status for visit in visits(site)] == ["cancelled"]
