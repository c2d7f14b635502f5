"""Our Subscriptions on the EHR are kept alive, and what they did not tell is found, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappers.notification import Event, Focus, Kind, Notification
from integration.adapters.write_back.log_only import LogOnlyMode
from integration.pipeline.subscriptions import Upkeep, endpoint
from integration.pipeline.subscriptions.choice import Choice, Way, choose
from integration.pipeline.subscriptions.making import Busy, Maker
from integration.pipeline.translate.subscription_news import note_notification
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import EhrSubscription
from integration.ports.ehr_subscribing import Topic
from integration.ports.workshop import Workshop
from integration.settings.model import FhirHearing
from integration.testing.ehr_subscribing import EVERYTHING, FakeEhrSubscriber
from tests.settings import feed, settings
from tests.site import TurnedClock

if TYPE_CHECKING:
    from integration.ports.store import Store

NOW = datetime(2027, 3, 1, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOPIC = "http://example.org/SubscriptionTopic/appointment-any"
CLASSIC_ROW = EhrSubscription("ehr", "Appointment", "", "classic", "")
TOPIC_ROW = replace(CLASSIC_ROW, kind="topic", topic=TOPIC)
URL = "http://127.0.0.1:8080/fhir/subscriptions/ehr"
AWAY = TryLater("no connection to the EHR (ConnectError)")


class World:
    """A store, an EHR, a clock, and a process that looks after what is between them."""

    def __init__(self, store: Store, hearing: FhirHearing | None = None, **ehr: Any) -> None:
        self.store = store
        self.clock = TurnedClock(NOW)
        self.ehr = FakeEhrSubscriber(**ehr)
        self.hearing = hearing or FhirHearing()
        self.workshop = Workshop(
            store=store,
            sms=None,
            write_back=LogOnlyMode(),
            clock=self.clock,
            settings=settings(feeds={"ehr": feed(name="ehr", fhir=self.hearing)}),
            public_base_url="http://127.0.0.1:8080",
            new_token=lambda: "token",
            random=lambda: 0.0,
            subscriber=self.ehr,
        )
        self.upkeep = Upkeep(self.workshop)
        self.upkeep.look()

    def make(self, row: EhrSubscription) -> str:
        """The EHR's id of it, made."""
        made = self.maker().make(row)
        assert not isinstance(made, Busy | NotWritable | TryLater)
        self.polled()
        return made.ehr_id

    def maker(self) -> Maker:
        return Maker(self.store, self.ehr, "ehr", self.hearing, URL, self.clock.wall)

    def after(self, time: timedelta) -> World:
        """Later, everything that is due has been looked after."""
        self.clock.now += time
        for _ in range(20):
            if not self.upkeep.look():
                return self
        raise AssertionError("it never comes to rest")

    def hear(self, kind: Kind, ehr_id: str = "", *events: Event, **facts: Any) -> None:
        notification = Notification(kind, ehr_id, events=events, **facts)
        with self.store.unit() as unit:
            note_notification(unit, "ehr", notification, self.clock.wall())

    def row(self, row: EhrSubscription = TOPIC_ROW) -> EhrSubscription:
        with self.store.unit() as unit:
            found = unit.subscriptions.find(row.feed, row.resource_type, row.topic)
        assert found is not None
        return found

    def polled(self) -> bool:
        """Whether the feed was to be asked what changed; it is asked now."""
        with self.store.unit() as unit:
            poll = unit.polls.claim(self.clock.wall(), self.clock.wall() + MINUTE)
            if poll is not None:
                unit.polls.settle(replace(poll, next_at=self.clock.wall() + timedelta(days=9)))
            return poll is not None

    def wanted(self) -> set[str]:
        """The ids of what is to be read; it is read now."""
        ids = set()
        with self.store.unit() as unit:
            while (want := unit.wants.claim(self.clock.wall(), self.clock.wall() + MINUTE)) is not None:
                unit.wants.settle(replace(want, state="read"))
                ids.add(want.reference.id)
        return ids


def event(number: int | None, resource_id: str = "7") -> Event:
    return Event(number, Focus("Appointment", resource_id))


def test_a_new_one_is_ours_and_what_was_before_it_is_asked_for(store: Store) -> None:
    world = World(store)
    made = world.maker().make(TOPIC_ROW)
    assert (world.row().status, world.row().last_event) == ("active", 0)
    assert not isinstance(made, Busy | NotWritable | TryLater)
    assert world.ehr.wishes[made.ehr_id].endpoint == endpoint("http://127.0.0.1:8080", "ehr") == URL
    assert world.polled()


def test_made_twice_there_is_one(store: Store) -> None:
    world = World(store)
    first, second = world.make(TOPIC_ROW), world.make(TOPIC_ROW)
    assert first == second
    assert world.ehr.asked == [f"made {first}"]


def test_two_processes_make_one(store: Store) -> None:
    world = World(store)
    with store.unit() as unit:
        unit.subscriptions.claim(replace(TOPIC_ROW, next_look_at=NOW), NOW, NOW + MINUTE)
    assert isinstance(world.maker().make(TOPIC_ROW), Busy)
    assert world.ehr.asked == []


def test_what_the_server_will_not_have_leaves_nothing(store: Store) -> None:
    world = World(store, refuses={"classic"})
    assert isinstance(world.maker().make(CLASSIC_ROW), NotWritable)
    with store.reading() as unit:
        assert list(unit.subscriptions.all()) == []


def test_one_whose_maker_died_is_made_by_whoever_comes_next(store: Store) -> None:
    world = World(store)
    with store.unit() as unit:
        unit.subscriptions.claim(replace(TOPIC_ROW, next_look_at=NOW), NOW, NOW + MINUTE)
    world.after(2 * MINUTE)
    assert world.row().status == "active"
    assert len(world.ehr.wishes) == 1


def test_heartbeats_are_enough(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    for _ in range(10):
        world.hear("heartbeat", made, events_since_start=0)
        world.after(5 * MINUTE)
    assert "look" not in " ".join(world.ehr.asked)


def test_silence_longer_than_twice_the_heartbeat_is_looked_into(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.hear("handshake", made, events_since_start=0)
    world.after(9 * MINUTE)
    assert f"look {made}" not in world.ehr.asked
    world.after(2 * MINUTE)
    assert f"look {made}" in world.ehr.asked


@pytest.mark.parametrize("status", ["error", "off"])
def test_one_that_the_server_has_stopped_is_asked_to_begin_again(store: Store, status: str) -> None:
    world = World(store)
    made = world.make(CLASSIC_ROW)
    world.ehr.statuses[made] = status
    world.after(11 * MINUTE)
    assert world.ehr.asked[-1] == f"mended {made}"
    assert world.polled()
    world.after(MINUTE)
    assert (world.row(CLASSIC_ROW).status, world.row(CLASSIC_ROW).tries) == ("active", 0)
    assert world.polled()  # once more: what happened until it was active


def test_asked_in_vain_it_is_asked_ever_more_seldom(store: Store) -> None:
    world = World(store)
    world.make(CLASSIC_ROW)
    world.ehr.begins_as = "error"
    world.ehr.statuses = dict.fromkeys(world.ehr.statuses, "error")
    for _ in range(24 * 60):
        world.after(MINUTE)
    mended = sum(each.startswith("mended") for each in world.ehr.asked)
    assert 24 <= mended <= 40
    assert world.row(CLASSIC_ROW).status == "error"
    assert world.row(CLASSIC_ROW).reason is not None


def test_one_that_is_gone_is_made_anew(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.hear("event", made, event(1), events_since_start=1)
    world.ehr.wishes.clear()
    world.after(11 * MINUTE)
    assert world.row().ehr_id in world.ehr.wishes
    assert world.row().last_event == 0
    assert world.polled()


def test_an_ehr_that_was_away_is_asked_what_it_did_not_tell(store: Store) -> None:
    world = World(store)
    world.make(CLASSIC_ROW)
    world.ehr.away = AWAY
    world.after(11 * MINUTE)
    assert world.row(CLASSIC_ROW).reason == AWAY.reason
    world.ehr.away = None
    world.after(2 * MINUTE)
    assert (world.row(CLASSIC_ROW).tries, world.row(CLASSIC_ROW).reason) == (0, None)
    assert world.polled()


def test_a_process_that_begins_looks_at_all_and_takes_a_gap_for_granted(store: Store) -> None:
    world = World(store)
    classic, topical = world.make(CLASSIC_ROW), world.make(TOPIC_ROW)
    world.ehr.asked.clear()
    world.upkeep = Upkeep(world.workshop)
    world.after(timedelta(0))
    assert sorted(world.ehr.asked) == sorted([f"look {classic}", f"look {topical}"])
    assert world.polled()


def test_events_in_order_leave_no_gap_and_duplicates_do_nothing(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    for number in (1, 2, 2, 1, 3):
        world.hear("event", made, event(number), events_since_start=max(number, 2))
    world.after(11 * MINUTE)
    assert world.row().last_event == 3
    assert not world.polled()


def test_an_event_on_its_way_is_waited_for(store: Store) -> None:
    world = World(store, past={})
    made = world.make(TOPIC_ROW)
    world.hear("event", made, event(2), events_since_start=2)
    world.after(timedelta(seconds=50))
    world.hear("event", made, event(1), events_since_start=2)
    world.after(MINUTE)
    assert world.row().last_event == 2
    assert not any(each.startswith("events") for each in world.ehr.asked)


def test_missed_events_are_told_again_where_the_server_can(store: Store) -> None:
    world = World(store, past={1: Reference("Appointment", "1"), 2: Reference("Appointment", "2")})
    made = world.make(TOPIC_ROW)
    world.hear("event", made, event(3), events_since_start=3)
    world.ehr.past = {**(world.ehr.past or {}), 3: Reference("Appointment", "3")}
    world.after(61 * timedelta(seconds=1))
    assert world.wanted() == {"1", "2", "3"}
    assert (world.row().last_event, world.row().gap_since) == (3, None)
    assert not world.polled()


def test_missed_events_are_asked_for_where_it_cannot(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.hear("heartbeat", made, events_since_start=4)
    world.after(61 * timedelta(seconds=1))
    assert world.polled()
    assert (world.row().last_event, world.row().gap_since) == (4, None)


def test_a_gap_stays_while_the_server_is_away(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.hear("event", made, event(5), events_since_start=5)
    world.ehr.away = AWAY
    world.after(2 * MINUTE)
    assert world.row().gap_since is not None
    world.ehr.away = None
    world.after(2 * MINUTE)
    assert world.row().gap_since is None
    assert world.polled()


def test_what_a_status_counts_beyond_what_we_heard_is_a_gap(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.ehr.counts[made] = 2
    world.after(11 * MINUTE)
    assert world.row().gap_since is not None
    world.after(2 * MINUTE)
    assert world.polled()


def test_a_server_that_says_its_subscription_failed_is_asked_at_once(store: Store) -> None:
    world = World(store)
    made = world.make(TOPIC_ROW)
    world.hear("heartbeat", made, events_since_start=0)
    world.ehr.statuses[made] = "error"
    world.hear("event", made, event(1), events_since_start=1, status="error")
    world.after(timedelta(0))
    assert world.ehr.asked[-1] == f"mended {made}"


def test_a_handshake_that_comes_before_we_know_the_id_counts(store: Store) -> None:
    world = World(store)
    with store.unit() as unit:
        unit.subscriptions.claim(replace(TOPIC_ROW, next_look_at=NOW), NOW, NOW + MINUTE)
    world.hear("handshake", "not-yet-known", topic=TOPIC, events_since_start=0, status="requested")
    assert (world.row().last_event, world.row().heard_at) == (0, NOW)


def test_servers_that_name_no_subscription_are_heard_by_what_changed(store: Store) -> None:
    world = World(store)
    world.make(CLASSIC_ROW)
    world.make(replace(CLASSIC_ROW, resource_type="Patient"))
    world.clock.now += MINUTE
    world.hear("resource", "", event(None))
    assert world.row(CLASSIC_ROW).event_at == NOW + MINUTE
    assert world.row(replace(CLASSIC_ROW, resource_type="Patient")).heard_at is None


def test_a_notification_of_somebody_else_s_subscription_changes_nothing(store: Store) -> None:
    world = World(store)
    world.make(TOPIC_ROW)
    before = world.row()
    world.hear("event", "stranger", event(9), topic="http://example.org/other")
    world.hear("unreadable")
    assert world.row() == before


def test_one_of_a_feed_that_is_no_more_says_what_to_do(store: Store) -> None:
    world = World(store)
    made = world.make(CLASSIC_ROW)
    by_hl7_alone = settings(feeds={"ehr": feed(name="ehr")})
    world.workshop = replace(world.workshop, settings=by_hl7_alone)
    world.upkeep = Upkeep(world.workshop)
    world.after(11 * MINUTE)
    assert not world.polled()
    assert "subscribe --remove" in (world.row(CLASSIC_ROW).reason or "")
    assert world.ehr.asked == [f"made {made}"]


# --- which are made ---

ANY = Topic(TOPIC, {"Appointment": True})
BOOKED = Topic("http://example.org/SubscriptionTopic/appointment-booked", {"Appointment": False})
MUTE = Topic("http://example.org/SubscriptionTopic/appointment-change", {})
PEOPLE = Topic("http://example.org/SubscriptionTopic/patient-change", {"Patient": True})
ATHENA = tuple(f"https://example.org/SubscriptionTopic/Appointment.{each}" for each in ("schedule", "cancel"))

CHOICES: list[tuple[tuple[Topic, ...], dict[str, Any], list[tuple[str, tuple[str, ...], bool]]]] = [
    ((), {}, [("classic", ("",), True)]),
    ((ANY,), {}, [("topic", (TOPIC,), True), ("classic", ("",), True)]),
    # A topic that tells of bookings alone would miss the cancelled ones.
    ((BOOKED,), {}, [("classic", ("",), True), ("topic", (BOOKED.url,), False)]),
    ((MUTE,), {}, [("classic", ("",), True), ("topic", (MUTE.url,), False)]),
    ((PEOPLE,), {}, [("classic", ("",), True)]),
    ((ANY,), {"subscribe": "classic"}, [("classic", ("",), True)]),
    ((BOOKED,), {"subscribe": "topic"}, [("topic", (BOOKED.url,), False)]),
    ((), {"subscribe": "topic"}, []),
    ((), {"topics": ATHENA}, [("topic", ATHENA, True)]),
    ((BOOKED,), {"topics": (BOOKED.url,)}, [("topic", (BOOKED.url,), False)]),
]


@pytest.mark.parametrize(("topics", "hearing", "expected"), CHOICES)
def test_appointments_are_heard_of_so_that_none_cancelled_is_missed(
    topics: tuple[Topic, ...], hearing: dict[str, Any], expected: list[tuple[str, tuple[str, ...], bool]]
) -> None:
    choices = choose(replace(EVERYTHING, topics=topics), FhirHearing(**hearing))
    assert [(way.kind, way.topics, way.whole) for way in choices[0].ways] == expected


def test_people_and_requests_are_heard_of_too() -> None:
    def heard(**changes: Any) -> list[str]:
        return [each.resource_type for each in choose(replace(EVERYTHING, **changes), FhirHearing())]

    assert heard() == ["Appointment", "Patient", "CommunicationRequest"]
    assert heard(types=frozenset({"Appointment", "Patient"})) == ["Appointment", "Patient"]
    assert heard(subscribes=False) == []
    assert not choose(replace(EVERYTHING, classic=False), FhirHearing())[0].ways  # R5 without a topic
    quiet = choose(EVERYTHING, FhirHearing(text_requests=False))
    assert [each.resource_type for each in quiet] == ["Appointment", "Patient"]
    assert isinstance(quiet[0], Choice)
    assert isinstance(quiet[0].ways[0], Way)
