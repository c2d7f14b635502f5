"""Stories of scheduling messages: what each trigger event does to a visit and to who hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from integration.domain.reminder import ReminderState
from integration.settings.model import FeedLocation
from tests import settings as make
from tests.messages import ANA, BEN, CARLA, called, siu, without
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.store import KeptMessage, Store

BOOKED_AT = local("2027-03-01T11:00")
SETTLING = timedelta(seconds=180)
VISIT = local("2027-03-11T14:30")
LATER = local("2027-03-18T09:00")
DELIA = called(CARLA, mrn="MRN4", given="Delia", family="Muestra", phone="(617)555-0199")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def fields(message: bytes, segment: str = "SCH", **values: str) -> bytes:
    """The message with some fields of one segment written anew: `_24="S1^SCHED"`."""
    lines = message.decode().split("\r")
    for place, line in enumerate(lines):
        if line.startswith(segment):
            parts = line.split("|")
            parts += [""] * 30
            for name, value in values.items():
                parts[int(name.removeprefix("_"))] = value
            lines[place] = "|".join(parts).rstrip("|")
    return "\r".join(lines).encode()


def say(site: Site, trigger: str, at: str, start: datetime | None = VISIT, **more: str) -> None:
    """Hear one message; `_24=` and the like are fields of SCH, `visit`, `status` as `siu` takes them."""
    site.clock.now = max(site.clock.now, local(at))
    site.hear(message(trigger, site.clock.now, start, **more))


def message(trigger: str, at: datetime, start: datetime | None = VISIT, **more: str) -> bytes:
    known = {name: more.pop(name) for name in ("visit", "status") if name in more}
    person = {"Ana": ANA, "Ben": BEN, "Carla": CARLA, "Delia": DELIA}[more.pop("who", "Ana")]
    return fields(siu(trigger, at=at, start=start, person=person, **known), **more)


def let_settle(site: Site) -> None:
    practice = make.practice(plan=replace(make.practice().plan, settle=SETTLING))
    site.change(settings=replace(site.settings, practices={"riverside": practice}))


def with_feed(site: Site, **changes: object) -> None:
    feeds = {"main": replace(site.workshop.settings.feeds["main"], **changes)}  # type: ignore[arg-type]
    site.change(settings=replace(site.workshop.settings, feeds=feeds))


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def told(site: Site) -> list[tuple[str, str]]:
    return [(text.number[-4:], text.occasion) for text in site.texts if text.offered_at is not None]


def visits(site: Site) -> list[Appointment]:
    found = []
    with site.store.unit() as unit:
        for number in range(1, 30):
            try:
                found.append(unit.appointments.get(number))
            except KeyError:
                break
    return found


def kept(site: Site) -> list[KeptMessage]:
    with site.store.unit() as unit:
        return list(unit.inbox.listing())


# --- S27: a broadcast ---------------------------------------------------------------------------------


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


# --- S23, S24, and messages that cannot be about one visit --------------------------------------------


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


# --- S18 to S22, S14: one service, and no status ------------------------------------------------------


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


# --- moved, and back ----------------------------------------------------------------------------------


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


# --- parts of a whole ---------------------------------------------------------------------------------

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
    say(site, "S12", "2027-03-01T11:00", visit="R1", _1="1", _3="1")
    say(site, "S12", "2027-03-01T11:00", LATER, visit="R2", _1="1", _3="1")
    say(site, "S15", "2027-03-02T11:00", None, visit="R2", _1="1")
    assert [visit.status for visit in visits(site)] == ["booked", "cancelled", "cancelled"]


# --- whose visit it is --------------------------------------------------------------------------------


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


# --- identity -----------------------------------------------------------------------------------------


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


def numbered(raw: bytes) -> bytes:
    """The message with the visit number V1."""
    return raw.replace(b"RGS|1", b"PV1|1|O" + b"|" * 17 + b"V1\rRGS|1")


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


# --- requests -----------------------------------------------------------------------------------------


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


# --- zones and clocks ---------------------------------------------------------------------------------


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
