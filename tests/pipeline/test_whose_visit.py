"""Stories of which visit a message means, whose it is, and when it happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.settings.model import FeedLocation
from tests import settings as make
from tests.messages import ANA, called, siu, without
from tests.pipeline.network import say as reply
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
    told,
    visits,
    with_feed,
)
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store


@pytest.fixture
def site(story_store: Store) -> Site:
    return Site(story_store, TurnedClock(BOOKED_AT))


# --- whose visit it is -----------------------------------------------------------------------------------


def test_each_patient_of_a_group_visit_gets_a_text(site: Site) -> None:
    group = message("S12", BOOKED_AT)
    pid = next(line for line in message("S12", BOOKED_AT, who="Carla").split(b"\r") if line[:3] == b"PID")
    site.hear(group.replace(b"RGS|1", pid + b"\rRGS|1"))
    assert sorted(told(site)) == [("0123", "booked"), ("0188", "booked")]
    assert [len(visit.patients) for visit in visits(site)] == [2]


def test_a_visit_given_to_another_patient_is_cancelled_for_the_one_and_booked_for_the_other(
    site: Site,
) -> None:
    say(site, "S12", "2027-03-01T11:00", who="Carla")
    say(site, "S14", "2027-03-02T11:00", who="Delia")
    site.until(local("2027-03-12T12:00"))
    assert told(site)[:1] + sorted(told(site)[1:3]) + told(site)[3:] == [
        ("0188", "booked"),
        ("0188", "cancelled"),
        ("0199", "booked"),
        ("0199", "five_days"),
        ("0199", "two_days"),
        ("0199", "three_hours"),
    ]


def test_who_lost_a_visit_that_was_moved_as_well_hears_of_the_time_they_know(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", who="Ana")
    say(site, "S13", "2027-03-02T11:00", LATER, who="Carla")
    texts = {text.occasion: text for text in site.texts[1:]}
    assert texts["cancelled"].number.endswith("0123")
    assert "Mar 11" in texts["cancelled"].body
    assert texts["booked"].number.endswith("0188")
    assert "18 mar" in texts["booked"].body


def test_a_visit_given_away_before_anybody_heard_is_news_to_the_new_patient_alone(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S14", "2027-03-01T11:01", who="Carla")
    site.until(local("2027-03-01T12:00"))
    assert told(site) == [("0188", "booked")]


def test_a_farewell_that_waits_survives_a_message_that_changes_nothing(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    let_settle(site)
    say(site, "S14", "2027-03-02T11:00", who="Carla")
    say(site, "S14", "2027-03-02T11:01", who="Carla")
    site.until(local("2027-03-02T12:00"))
    assert sorted(told(site)[1:]) == [("0123", "cancelled"), ("0188", "booked")]


def test_what_the_former_patient_confirmed_the_next_one_has_not(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-06T10:05"))
    reply(site, "C", number="+16175550123")
    assert visits(site)[0].confirmed
    say(site, "S14", "2027-03-06T10:30", who="Carla")
    assert not visits(site)[0].confirmed
    site.until(local("2027-03-12T12:00"))
    assert ("0188", "three_hours") in told(site)


def test_a_late_word_of_the_former_patient_confirms_nothing_for_the_next_one(site: Site) -> None:
    say(site, "S14", "2027-03-02T11:00", who="Carla")
    site.hear(message("S12", local("2027-03-01T11:00"), status="Confirmed"))
    assert [len(visit.patients) for visit in visits(site)] == [1]
    assert not visits(site)[0].confirmed


@pytest.mark.parametrize("said_at", ["2027-03-06T10:30", "2027-03-04T10:30"])
def test_who_was_taken_off_a_visit_confirms_it_no_more(site: Site, said_at: str) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-06T10:30"))  # asked, five days ahead
    site.hear(message("S14", local(said_at), who="Carla"))
    heard = reply(site, "C", number="+16175550123")
    assert not visits(site)[0].confirmed
    assert heard.appointment_id is None
    assert TaskKind.READ_REPLY in [task.kind for task in site.tasks]


def test_a_visit_given_away_and_cancelled_at_once_is_cancelled_for_who_knew_of_it(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    site.receive(message("S14", site.clock.now, who="Carla"))
    site.receive(message("S15", site.clock.now + timedelta(seconds=1), None, who="Carla"))
    site.work()
    assert told(site) == [("0123", "booked"), ("0123", "cancelled")]


def test_a_visit_cancelled_for_the_one_and_booked_for_the_other_at_once_is_told_to_both(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    site.receive(message("S15", site.clock.now, None))
    site.receive(message("S12", site.clock.now + timedelta(seconds=1), who="Carla"))
    site.work()
    assert sorted(told(site)[1:]) == [("0123", "cancelled"), ("0188", "booked")]


def test_who_is_taken_off_a_group_visit_that_is_cancelled_at_once_hears_so_too(site: Site) -> None:
    group = message("S12", BOOKED_AT)
    pid = next(line for line in message("S12", BOOKED_AT, who="Carla").split(b"\r") if line[:3] == b"PID")
    site.hear(group.replace(b"RGS|1", pid + b"\rRGS|1"))
    site.clock.now = local("2027-03-02T11:00")
    site.receive(message("S14", site.clock.now))
    site.receive(message("S15", site.clock.now + timedelta(seconds=1), None))
    site.work()
    assert sorted(told(site)[2:]) == [("0123", "cancelled"), ("0188", "cancelled")]


def test_who_has_not_heard_of_a_visit_yet_hears_of_a_booking_though_it_was_moved_since(site: Site) -> None:
    let_settle(site)
    say(site, "S12", "2027-03-01T11:00")
    site.until(local("2027-03-02T11:00"))
    say(site, "S14", "2027-03-02T11:00", who="Carla")
    say(site, "S13", "2027-03-02T11:01", LATER, who="Carla")
    site.until(local("2027-03-02T12:00"))
    assert sorted(told(site)[1:]) == [("0123", "cancelled"), ("0188", "booked")]


def test_a_visit_given_away_and_back_within_the_settling_time_tells_nothing(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    let_settle(site)
    say(site, "S14", "2027-03-02T11:00", who="Carla")
    say(site, "S14", "2027-03-02T11:01")
    site.until(local("2027-03-02T12:00"))
    assert told(site) == [("0123", "booked")]


def test_a_patient_who_comes_under_another_number_of_the_records_hears_nothing_of_it(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S14", at=site.clock.now, start=VISIT, person=called(ANA, mrn="MRN77")))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def test_an_id_used_again_after_its_deletion_is_a_booking_for_whom_it_is(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S17", "2027-03-02T11:00")
    say(site, "S12", "2027-03-03T11:00", LATER, who="Carla")
    site.until(local("2027-03-03T12:00"))
    assert told(site) == [("0123", "booked"), ("0188", "booked")]


def test_reminders_go_out_in_the_name_of_the_practice_the_visit_went_to(site: Site) -> None:
    elm = make.practice(name="elm", public_name="Elm Clinic", serves_unclaimed=False)
    locations = {"RIVER": FeedLocation(practice="riverside"), "ELM": FeedLocation(practice="elm")}
    site.change(settings=replace(site.settings, practices={"riverside": make.practice(), "elm": elm}))
    with_feed(site, locations=locations)
    say(site, "S12", "2027-03-01T22:00")
    site.clock.now = local("2027-03-01T22:05")
    site.hear(message("S14", site.clock.now).replace(b"RIVER^^^RIVER", b"ELM^^^RIVER"))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert all(text.body.startswith("Elm Clinic: ") for text in site.texts)


# --- identity --------------------------------------------------------------------------------------------


def test_a_counter_for_placers_id_makes_no_two_visits_one(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", visit="CSN1", _1="1")
    say(site, "S12", "2027-03-01T11:00", LATER, visit="CSN2", _1="1")
    say(site, "S15", "2027-03-02T11:00", None, visit="CSN2", _1="1")
    assert [visit.status for visit in visits(site)] == ["booked", "cancelled"]


def test_a_coincidence_in_a_better_identifier_hides_no_true_one(site: Site) -> None:
    """SCH-1 counts, and the visit number is known: the visit is found by it."""
    with_feed(site, identity=("SCH-2", "SCH-1", "PV1-19"))
    site.hear(message("S12", BOOKED_AT, LATER, visit="F9", _1="1"))
    site.hear(numbered(message("S12", BOOKED_AT, visit="", _1="7")))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(numbered(message("S15", site.clock.now, None, visit="F1", _1="1")))
    assert [visit.status for visit in visits(site)] == ["booked", "cancelled"]


def test_the_visit_number_is_the_key_where_the_feed_says_so(site: Site) -> None:
    with_feed(site, identity=("PV1-19",))
    site.hear(numbered(message("S12", BOOKED_AT, visit="A1")))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(numbered(message("S15", site.clock.now, None, visit="A2")))
    assert occasions(site) == ["booked", "cancelled"]


def test_an_identifier_learned_on_the_way_is_an_alias_from_then_on(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00", visit="A1", _1="")
    say(site, "S14", "2027-03-02T11:00", visit="A1", _1="PLACER")
    say(site, "S15", "2027-03-03T11:00", None, visit="", _1="PLACER")
    assert [visit.status for visit in visits(site)] == ["cancelled"]


# --- zones and clocks ------------------------------------------------------------------------------------


def test_a_message_that_names_no_place_is_read_in_the_zone_of_its_visit(site: Site) -> None:
    with_feed(
        site,
        locations={"ELM": FeedLocation(practice="riverside", zone=ZoneInfo("America/Denver"))},
    )
    # 14:30 as written, in Denver
    site.hear(message("S12", BOOKED_AT).replace(b"RIVER^^^RIVER", b"ELM^^^ELM"))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(without(message("S14", site.clock.now), "AIL"))
    assert occasions(site) == ["booked"]
    site.hear(without(message("S13", site.clock.now, LATER), "AIL"))
    (visit,) = visits(site)
    assert visit.slot.start == LATER + timedelta(hours=2)
    assert "9:00 AM" in site.texts[-1].body


def test_a_sender_whose_clock_runs_a_day_ahead_and_is_put_right_freezes_nothing(site: Site) -> None:
    site.hear(message("S12", BOOKED_AT + timedelta(days=1)))
    site.clock.now += timedelta(minutes=1)
    site.hear(message("S13", site.clock.now + timedelta(days=1), LATER))
    site.clock.now += timedelta(minutes=1)
    site.hear(message("S15", site.clock.now, None))  # the clock is right now
    assert [visit.status for visit in visits(site)] == ["cancelled"]


def test_a_sender_a_little_ahead_is_believed_so_that_its_order_stands(site: Site) -> None:
    ahead = BOOKED_AT + timedelta(minutes=3)
    site.hear(message("S15", ahead + timedelta(seconds=5), None))
    site.hear(message("S12", ahead))
    assert [visit.status for visit in visits(site)] == ["cancelled"]


def test_a_booking_that_arrives_after_its_cancellation_ends_cancelled(site: Site) -> None:
    site.hear(message("S15", BOOKED_AT, None))
    site.hear(message("S12", BOOKED_AT - timedelta(seconds=2)))
    site.until(local("2027-03-12T12:00"))
    assert site.sent == []
    assert [(visit.status, visit.slot.start) for visit in visits(site)] == [("cancelled", VISIT)]


def test_in_the_hour_that_comes_twice_messages_count_in_the_order_they_came(site: Site) -> None:
    first = local("2026-11-01T01:50")
    site.clock.now = first
    site.hear(message("S12", first))
    site.clock.now = first + timedelta(minutes=20)  # 01:10 again, an hour later by the sun
    site.hear(message("S15", site.clock.now, None).replace(b"2026110102", b"2026110101"))
    assert [visit.status for visit in visits(site)] == ["cancelled"]


def test_a_late_resend_overwrites_nothing_newer_and_says_so(site: Site) -> None:
    say(site, "S12", "2027-03-01T11:00")
    say(site, "S13", "2027-03-02T11:00", LATER)
    site.hear(message("S13", local("2027-03-01T12:00"), VISIT + timedelta(days=1)))
    assert [visit.slot.start for visit in visits(site)] == [LATER]
    assert "older-than-stored MSH-7" in (kept(site)[-1].reason or "")
    assert site.reminders["five_days"].state is ReminderState.PLANNED
