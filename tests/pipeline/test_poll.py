"""The EHR is asked what changed: nothing is missed, nothing kept twice, and nobody texted about old news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import NotReadable, Page, Reference, Window
from integration.ports.store import KeptMessage
from integration.settings.model import FeedLocation
from tests.pipeline.reading_site import DAY, HOUR, MINUTE, NOW, ReadingSite, appointment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store

AWAY = TryLater("no connection to the EHR (ConnectError)")
REFUSED = NotReadable("Appointments by date: the EHR refused it: HTTP 403")


@pytest.fixture
def site(story_store: Store) -> ReadingSite:
    made = ReadingSite(story_store)
    for number in range(1, 26):
        made.ehr.put(appointment(number, days=3 * number), at=NOW - DAY)
    return made


def backfilled(site: ReadingSite) -> ReadingSite:
    site.poll()
    assert len(site.kept) == 25
    site.ehr.asked.clear()
    return site


def test_the_first_answer_is_a_backfill_that_plans_the_future_only(site: ReadingSite) -> None:
    site.poll()
    assert {about for about, _ in site.kept} == {f"Appointment/v{number}" for number in range(1, 26)}
    assert all(quiet for _, quiet in site.kept)
    assert "translate" in site.knocks
    first, last = site.windows[0], site.windows[-1]
    assert (first.starts, last.ends) == (NOW - DAY, NOW + 92 * DAY)
    assert {window.changed_since for window in site.windows} == {None}


def test_what_is_booked_later_is_told_at_the_next_poll_and_not_before(site: ReadingSite) -> None:
    backfilled(site)
    site.later(MINUTE)
    site.ehr.put(appointment(99), at=site.now)
    site.poll()
    assert site.windows == []
    site.later(4 * MINUTE)
    site.poll()
    assert site.kept[25:] == [("Appointment/v99", False)]
    (window,) = site.windows
    assert window.changed_since == NOW - 5 * MINUTE


def test_a_cancelled_one_is_noticed(site: ReadingSite) -> None:
    backfilled(site)
    site.later(5 * MINUTE)
    site.ehr.put(appointment(3, days=9, status="cancelled"), at=site.now)
    site.poll()
    assert site.kept[25:] == [("Appointment/v3", False)]


def test_an_ehr_that_cannot_tell_what_changed_is_read_whole_and_the_same_kept_once(
    site: ReadingSite,
) -> None:
    site.ehr.tells_changes = False
    backfilled(site)
    for _ in range(3):
        site.later(5 * MINUTE)
        site.poll()
    site.ehr.put(appointment(4, days=13))
    site.later(5 * MINUTE)
    site.poll()
    assert site.kept[25:] == [("Appointment/v4", False)]


def test_its_own_clock_counts_where_it_runs_behind(site: ReadingSite) -> None:
    site.ehr.clock = NOW - 10 * MINUTE
    backfilled(site)
    site.ehr.put(appointment(99), at=NOW - 8 * MINUTE)
    site.later(5 * MINUTE)
    site.poll()
    assert site.kept[25:] == [("Appointment/v99", False)]


@pytest.mark.parametrize("answers", range(6))
def test_an_answer_that_breaks_off_is_asked_for_again_and_nothing_lost_or_doubled(
    site: ReadingSite, answers: int
) -> None:
    site.ehr.page_size = 3
    site.ehr.will(*[None] * answers, AWAY)
    site.poll()
    with site.store.unit() as unit:
        (poll,) = unit.polls.all()
    assert (poll.changed_since, poll.tries, poll.reason) == (None, 1, AWAY.reason)
    site.later(MINUTE)
    site.poll()
    assert sorted(site.kept) == sorted((f"Appointment/v{number}", True) for number in range(1, 26))


def test_a_process_that_dies_leaves_its_poll_to_another(site: ReadingSite) -> None:
    site.polling.expect()
    with site.store.unit() as unit:
        assert unit.polls.claim(site.now, site.now + 2 * MINUTE) is not None
    site.poll()
    assert site.kept == []
    site.later(2 * MINUTE)
    site.poll()
    assert len(site.kept) == 25


def test_days_of_outage_cost_little_and_end_with_all_that_happened(site: ReadingSite) -> None:
    backfilled(site)
    site.ehr.will(*[AWAY] * 10_000)
    site.later(5 * MINUTE)
    for _ in range(3 * 144):
        site.poll()
        site.later(10 * MINUTE)
    assert len(site.windows) < 500
    site.ehr._next.clear()
    site.ehr.put(appointment(98), at=NOW + DAY)
    site.ehr.put(appointment(99), at=site.now)
    site.later(10 * MINUTE)
    site.poll()
    assert sorted(site.kept[25:]) == [("Appointment/v98", False), ("Appointment/v99", False)]


def test_after_a_long_outage_what_bears_no_date_may_be_old_and_texts_nobody(site: ReadingSite) -> None:
    backfilled(site)
    site.later(2 * DAY)
    site.ehr.put(appointment(98))
    site.ehr.put(appointment(99), at=site.now)
    site.poll()
    assert sorted(site.kept[25:]) == [("Appointment/v98", True), ("Appointment/v99", False)]


def test_once_a_day_all_is_read_and_what_has_come_within_the_horizon_texts_nobody(
    site: ReadingSite,
) -> None:
    site.ehr.put(appointment(77, days=92.4))
    backfilled(site)
    for _ in range(24):
        site.later(HOUR)
        site.poll()
    assert site.kept[25:] == []
    site.later(HOUR)
    site.poll()
    assert site.kept[25:] == [("Appointment/v77", True)]


def test_all_within_the_horizon_is_known_at_any_time(site: ReadingSite) -> None:
    for number in range(100, 140):
        site.ehr.put(appointment(number, days=80 + (number - 100) / 2), at=NOW - DAY)
    site.poll()
    for _ in range(60):
        site.later(3 * HOUR)
        site.poll()
        known = {about for about, _ in site.kept}
        for number in range(100, 140):
            if NOW + (80 + (number - 100) / 2) * DAY <= site.now + 90 * DAY:
                assert f"Appointment/v{number}" in known


def test_a_page_that_comes_after_newer_news_does_not_undo_it(site: ReadingSite) -> None:
    site.ehr.put(appointment(1, days=3))  # of an EHR that dates nothing
    backfilled(site)
    site.later(5 * MINUTE)
    site.ehr.put(appointment(1, days=4))
    (page,) = site.ehr.changed(Window(NOW, NOW + 5 * DAY))
    site.ehr.put(appointment(1, days=4, status="cancelled"))

    def late(_: Window) -> Iterator[Page]:
        site.later(MINUTE)
        site.tell(Reference("Appointment", "v1"))
        site.fetching.drain()
        assert isinstance(page, Page)
        yield page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.ehr, "changed", late)
        site.poll()
    assert [b"cancelled" in each.payload for each in site.messages[25:]] == [True]


ASKED = {"resourceType": "CommunicationRequest", "id": "q1", "status": "active"}


def test_texts_that_charts_ask_for_are_asked_about_too(site: ReadingSite) -> None:
    site.ehr.put(ASKED)
    site.poll()
    assert ("CommunicationRequest/q1", True) in site.kept
    site.later(5 * MINUTE)
    site.ehr.put({**ASKED, "id": "q2"})
    site.poll()
    assert site.kept[26:] == [("CommunicationRequest/q2", False)]
    assert site.ehr.asked_for_requests == [None, NOW - 5 * MINUTE]


def test_they_are_not_where_the_feed_does_not_hear_them(story_store: Store) -> None:
    site = ReadingSite(story_store, text_requests=False)
    site.poll()
    assert site.ehr.asked_for_requests == []


def test_an_ehr_that_does_not_show_them_hinders_nothing_and_one_that_is_away_is_asked_again(
    site: ReadingSite,
) -> None:
    site.ehr.requests_trouble = NotReadable("CommunicationRequests: the EHR refused it: HTTP 403")
    site.poll()
    assert len(site.kept) == 25
    site.ehr.requests_trouble = AWAY
    site.later(5 * MINUTE)
    site.poll()
    with site.store.unit() as unit:
        (poll,) = unit.polls.all()
    assert (poll.changed_since, poll.reason) == (NOW - 5 * MINUTE, AWAY.reason)


def test_what_is_known_and_no_longer_shown_is_read_singly_once_a_day(site: ReadingSite) -> None:
    backfilled(site)
    for ehr_id in ("v1", "v2", "v3"):
        site.add_visit(ehr_id, days=3)
    site.ehr.delete("Appointment", "v1")
    site.ehr.put(appointment(2, days=200), at=NOW)  # moved beyond what is asked for
    site.later(HOUR)
    site.poll()
    assert site.count("pending") == 0
    site.later(DAY)
    site.poll()
    site.fetching.drain()
    assert sorted(each.id for each in site.reads) == ["v1", "v2"]
    assert sorted(site.kept[25:]) == [("-Appointment/v1", False), ("Appointment/v2", False)]


def test_an_ehr_that_hides_everything_has_not_deleted_everything(site: ReadingSite) -> None:
    backfilled(site)
    for number in range(1, 26):
        site.add_visit(f"v{number}", days=3)
        site.ehr.lose("Appointment", f"v{number}")
    site.later(2 * DAY)
    site.poll()
    assert site.count("pending") == 0


def test_what_a_page_shows_a_part_of_is_read_singly(site: ReadingSite) -> None:
    site.ehr.hidden = {"v3"}
    site.poll()
    assert len(site.kept) == 24
    assert "fetch" in site.knocks
    site.fetching.drain()
    assert site.reads == [Reference("Appointment", "v3")]
    assert len(site.kept) == 25


def test_an_empty_notification_or_a_gap_is_asked_about_at_once(site: ReadingSite) -> None:
    backfilled(site)
    site.later(MINUTE)
    site.ehr.put(appointment(99), at=site.now)
    with site.store.unit() as unit:
        unit.polls.want("ehr", "", site.now)
    site.poll()
    assert site.kept[25:] == [("Appointment/v99", False)]


def test_a_feed_that_only_hears_is_asked_about_when_somebody_wants_it_and_not_else(
    story_store: Store,
) -> None:
    site = ReadingSite(story_store, poll=None)
    site.ehr.put(appointment(), at=NOW)
    for _ in range(3):
        site.poll()
        site.later(DAY)
    assert site.windows == []
    with site.store.unit() as unit:
        unit.polls.want("ehr", "", site.now)
    site.poll()
    assert site.kept == [("Appointment/v1", True)]
    site.ehr.asked.clear()
    site.later(30 * DAY)
    site.poll()
    assert site.windows == []


def test_an_ehr_that_refuses_is_one_task_which_closes_itself_when_it_answers(site: ReadingSite) -> None:
    site.ehr.will(*[REFUSED] * 3)
    for _ in range(3):
        site.poll()
        site.later(HOUR)
    assert site.tasks == [f"The EHR does not show what feed ehr needs: {REFUSED.reason}"]
    site.poll()
    assert (len(site.kept), site.tasks) == (25, [])


def test_settings_that_mend_a_refusal_are_tried_at_once(site: ReadingSite) -> None:
    site.ehr.will(REFUSED)
    site.poll()
    site.restart()
    site.poll()
    assert len(site.kept) == 25


def test_a_surprise_in_one_answer_is_tried_again(site: ReadingSite) -> None:
    site.ehr.will(RuntimeError("quotes Ana"))
    site.poll()
    with site.store.unit() as unit:
        (poll,) = unit.polls.all()
    assert poll.reason == "reading stopped unexpectedly (RuntimeError)"
    site.later(MINUTE)
    site.poll()
    assert len(site.kept) == 25


def at(number: int, place: str, **changes: object) -> dict[str, object]:
    made = appointment(number, **changes)  # type: ignore[arg-type] # passed on as they are
    return {**made, "participant": [*made["participant"], {"actor": {"reference": f"Location/{place}"}}]}


@pytest.fixture
def oracle(story_store: Store) -> ReadingSite:
    """Asked location by location."""
    places = {place: FeedLocation(practice="riverside") for place in ("north", "south")}
    made = ReadingSite(story_store, locations=places)
    made.ehr.by_location = True
    for number, place in enumerate(("north", "south", "elsewhere"), 1):
        made.ehr.put(at(number, place), at=NOW - DAY)
    return made


def test_an_ehr_may_be_asked_location_by_location(oracle: ReadingSite) -> None:
    oracle.poll()
    assert sorted(oracle.kept) == [("Appointment/v1", True), ("Appointment/v2", True)]
    assert {window.location for window in oracle.windows} == {"north", "south"}
    oracle.later(5 * MINUTE)
    oracle.ehr.put(at(4, "south"), at=oracle.now)
    oracle.poll()
    assert oracle.kept[2:] == [("Appointment/v4", False)]


def test_a_location_added_later_is_backfilled_and_one_removed_asked_no_more(oracle: ReadingSite) -> None:
    oracle.poll()
    places = {place: FeedLocation(practice="riverside") for place in ("south", "elsewhere")}
    oracle.later(5 * MINUTE)
    oracle.restart(locations=places)
    oracle.ehr.asked.clear()
    oracle.poll()
    assert oracle.kept[2:] == [("Appointment/v3", True)]
    assert {window.location for window in oracle.windows} == {"south", "elsewhere"}
    with oracle.store.unit() as unit:
        assert [poll.location for poll in unit.polls.all()] == ["", "elsewhere", "south"]


def test_one_gone_from_its_location_is_read_singly_and_those_of_others_are_not(oracle: ReadingSite) -> None:
    oracle.poll()
    for ehr_id, place in (("v1", "north"), ("v2", "south"), ("v3", "elsewhere")):
        oracle.add_visit(ehr_id, resource=at(1, place))
    oracle.ehr.put(at(1, "south"), at=oracle.now)
    oracle.later(2 * DAY)
    oracle.poll()
    oracle.fetching.drain()
    assert oracle.reads == [Reference("Appointment", "v1")]


def test_without_locations_an_engineer_is_told_to_name_them(oracle: ReadingSite) -> None:
    oracle.restart(locations={})
    oracle.poll()
    (task,) = oracle.tasks
    assert "name its Locations in [locations]" in task
    oracle.restart(locations={"north": FeedLocation(practice="riverside")})
    oracle.poll()
    assert (oracle.tasks, len(oracle.kept)) == ([], 1)


def test_a_wider_horizon_is_filled_at_once_and_texts_nobody(site: ReadingSite) -> None:
    site.ehr.put(appointment(88, days=120))
    backfilled(site)
    site.later(MINUTE)
    site.restart(horizon=timedelta(days=180))
    with site.store.unit() as unit:
        unit.polls.want("ehr", "", site.now)
    site.poll()
    assert site.kept[25:] == [("Appointment/v88", True)]


def test_a_poll_that_was_answered_is_a_word_of_its_feed(site: ReadingSite) -> None:
    expects = replace(site.site.settings.feeds["ehr"], expected_silence=HOUR)
    site.site.change(settings=replace(site.site.settings, feeds={"ehr": expects}))
    site.restart()
    watching = site.watching()
    for _ in range(40):
        site.poll()
        watching.look()
        site.later(5 * MINUTE)
    assert [watch.silent_since for watch in site.store.feed_watches()] == [None]
    site.ehr.will(*[AWAY] * 1000)
    for _ in range(400):
        site.poll()
        watching.look()
        site.later(timedelta(seconds=20))
    assert site.store.feed_watches()[0].silent_since is not None


def test_a_notification_is_a_word_of_its_feed_too(site: ReadingSite) -> None:
    expects = replace(site.site.settings.feeds["ehr"], expected_silence=HOUR)
    site.site.change(settings=replace(site.site.settings, feeds={"ehr": expects}))
    watching = site.watching()
    for number in range(90):
        if number % 30 == 0:
            with site.store.unit() as unit:
                told = KeptMessage(0, "fhir:ehr", str(number), b"{}", site.now)
                unit.inbox.add(told, str(number).encode())
        watching.look()
        assert [watch.silent_since for watch in site.store.feed_watches()] == [None]
        site.later(timedelta(seconds=55))
    for _ in range(90):
        watching.look()
        site.later(timedelta(seconds=55))
    assert site.store.feed_watches()[0].silent_since is not None
