"""Senders who ask for it hear what became of their messages: once, in order, never at a text's expense."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from hl7_listener.client import read_acknowledgment
from integration.domain.application_acknowledgment import AcknowledgmentState, ApplicationAcknowledgment
from integration.pipeline.acknowledge import LEASE, MOST_REFUSALS, Acknowledging
from integration.pipeline.translate import appointments, translate
from integration.ports.hl7 import NotHeard, Taken, TurnedDown
from integration.ports.store import KeptMessage
from integration.settings.model import ApplicationAcknowledging
from integration.testing.hl7 import FakeHl7Sender
from tests import settings as make
from tests.messages import siu, without
from tests.pipeline.network import VISIT, site_at

if TYPE_CHECKING:
    from integration.ports.hl7 import Delivery
    from integration.settings.model import Settings
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOW = ApplicationAcknowledging(
    host="127.0.0.1", port=2576, answer="accept", timeout=30 * SECOND, give_up_after=24 * HOUR, tls=None
)
_numbers = count(1)
AWAY = NotHeard("no connection to 127.0.0.1:2576 (Connection refused)")


class Scene:
    """A site whose feeds say where to answer, and a partner for each."""

    def __init__(self, how: ApplicationAcknowledging | None = HOW, **feed: object) -> None:
        self.site: Site = site_at()
        names = ("main", "second")
        feeds = {name: make.feed(name=name, application_acknowledgment=how, **feed) for name in names}
        self.partners = {name: FakeHl7Sender() for name in names} if how else {}
        self.site.change(
            settings=dataclasses.replace(self.site.settings, feeds=feeds), partners=self.partners
        )
        self.step = Acknowledging(self.site.workshop)

    @property
    def partner(self) -> FakeHl7Sender:
        return self.partners["main"]

    def receive(self, *control_ids: str, trigger: str = "S12", asks: str = "AL|AL") -> None:
        for control_id in control_ids:
            message = siu(
                trigger, at=self.site.clock.now, visit=control_id, start=VISIT, control_id=control_id
            )
            self.site.receive(asking(message, asks))

    def hear(self, *control_ids: str, trigger: str = "S12", asks: str = "AL|AL") -> None:
        self.receive(*control_ids, trigger=trigger, asks=asks)
        while translate(self.site.workshop):
            pass

    def acknowledge(self) -> list[str]:
        """Run the step; what the partner has by now: `AA A1`."""
        self.step.drain()
        return [said(message) for message in self.partner.taken.values()]

    def later(self, wait: timedelta) -> None:
        self.site.clock.now += wait

    def row(self, inbox_id: int) -> ApplicationAcknowledgment:
        with self.site.store.unit() as unit:
            row = unit.acknowledgments.find(inbox_id)
        assert row is not None
        return row

    def rows(self) -> int:
        with self.site.store.unit() as unit:
            return sum(unit.acknowledgments.count(state) for state in AcknowledgmentState)

    def fail(self, *deliveries: Delivery | Exception) -> None:
        self.partner.will(deliveries)


def asking(message: bytes, asks: str = "AL|AL") -> bytes:
    """The message with MSH-15 and MSH-16."""
    return message.replace(b"|P|2.5.1", b"|P|2.5.1|||" + asks.encode(), 1)


def said(message: bytes) -> str:
    read = read_acknowledgment(message)
    return f"{read.code} {read.control_id}"


def test_who_asks_hears_that_the_message_was_applied() -> None:
    scene = Scene()
    scene.hear("A1")
    assert scene.partner.asked == []
    assert scene.acknowledge() == ["AA A1"]
    (message,) = scene.partner.asked
    header, msa = message.decode().rstrip("\r").split("\r")
    row = scene.row(1)
    assert header == (
        f"MSH|^~\\&|TEXTS|RIVER|SCHED|RIVER|20270301160000+0000||ACK^S12^ACK|{row.control_id}|P|2.5.1|||AL|NE"
    )
    assert msa == "MSA|AA|A1"
    assert len(row.control_id) == 20
    assert (row.state, row.tries, row.reason) == (AcknowledgmentState.TAKEN, 1, None)
    assert not scene.partner.connected
    assert scene.acknowledge() == ["AA A1"]
    assert len(scene.partner.asked) == 1


@pytest.mark.parametrize("asks", ["|", "AL|NE", "AL|", "NE|AL", "ER|AL", "AL|ER"])
def test_who_does_not_ask_or_had_it_at_once_hears_nothing_of_a_message_applied(asks: str) -> None:
    scene = Scene()
    scene.hear("A1", asks=asks)
    assert scene.rows() == 0


def test_a_feed_that_always_answers_aa_has_answered() -> None:
    scene = Scene(acknowledge="always_aa")
    scene.hear("A1")
    assert scene.rows() == 0


def test_without_a_place_to_answer_the_log_says_so_once_a_feed() -> None:
    scene = Scene(how=None)
    feed = f"feed-{next(_numbers)}"  # a process says it once
    scene.site.change(settings=renamed(scene.site, feed))
    with capture_logs() as logs:
        for control_id in ("A1", "A2"):
            with scene.site.store.unit() as unit:
                message = siu("S12", at=scene.site.clock.now, start=VISIT, control_id=control_id)
                kept = make_kept(scene.site, asking(message), feed)
                unit.inbox.add(kept, control_id.encode().ljust(32))
        while translate(scene.site.workshop):
            pass
    told = [line for line in logs if "MSH-16" in line["event"]]
    assert [line["feed"] for line in told] == [feed]
    assert scene.rows() == 0


@pytest.mark.parametrize(
    ("damaged", "msa", "err"),
    [
        (lambda raw: without(raw, "PID"), "AE", "ERR||PID^1|101^Required field missing^HL70357|E"),
        (
            lambda raw: raw.replace(b"SCH|PA1|A1", b"SCH||"),
            "AE",
            "ERR||SCH^1^2|101^Required field missing^HL70357|E",
        ),
        (
            lambda raw: raw.replace(b"SIU^S12", b"SIU^S99"),
            "AR",
            "ERR||MSH^1^9^1^2|201^Unsupported event code^HL70357|E",
        ),
    ],
)
def test_a_message_that_cannot_be_applied_is_refused_with_code_and_place_and_nothing_of_the_patient(
    damaged: object, msa: str, err: str
) -> None:
    scene = Scene()
    message = asking(siu("S12", at=scene.site.clock.now, start=VISIT, control_id="A1"))
    scene.site.receive(damaged(message))  # type: ignore[operator] # a function of bytes
    translate(scene.site.workshop)
    assert scene.acknowledge() == [f"{msa} A1"]
    (heard,) = scene.partner.asked
    assert err in heard.decode()
    assert not any(word in heard for word in (b"Ana", b"Sample", b"MRN1", b"555"))


def test_a_message_of_slots_without_patient_was_understood_and_is_applied() -> None:
    scene = Scene()
    message = asking(without(siu("S12", at=scene.site.clock.now, start=VISIT, control_id="A1"), "PID"))
    scene.site.receive(message.replace(b"SIU^S12", b"SIU^S23"))
    translate(scene.site.workshop)
    assert scene.acknowledge() == ["AA A1"]


def test_a_message_for_the_wrong_surroundings_is_rejected() -> None:
    scene = Scene()
    scene.site.change(settings=dataclasses.replace(scene.site.workshop.settings, mode="live"))
    message = asking(siu("S12", at=scene.site.clock.now, start=VISIT, control_id="A1"))
    scene.site.receive(message.replace(b"|P|2.5.1", b"|T|2.5.1"))
    translate(scene.site.workshop)
    assert scene.acknowledge() == ["AR A1"]
    assert b"ERR||MSH^1^11|202^" in scene.partner.asked[0]


def test_a_message_that_surprised_us_is_an_application_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def surprising(*_: object) -> None:
        raise KeyError("Ana Sample")

    scene = Scene()
    monkeypatch.setattr(appointments, "save_patients", surprising)
    scene.hear("A1")
    assert scene.acknowledge() == ["AE A1"]
    assert b"ERR|||207^Application error" in scene.partner.asked[0]
    assert b"Sample" not in scene.partner.asked[0]


def test_replaying_tells_a_sender_nothing_new_the_first_outcome_stands() -> None:
    scene = Scene()
    message = asking(siu("S12", at=scene.site.clock.now, start=VISIT, control_id="A1"))
    scene.site.receive(message.replace(b"SIU^S12", b"SIU^S99"))
    translate(scene.site.workshop)
    with scene.site.store.unit() as unit:
        unit.inbox.replay([1])
    translate(scene.site.workshop)
    assert scene.acknowledge() == ["AR A1"]
    with scene.site.store.unit() as unit:
        unit.inbox.replay([1])
    translate(scene.site.workshop)
    scene.acknowledge()
    assert len(scene.partner.asked) == 1


def test_a_partner_that_is_away_gets_all_in_order_when_it_is_back_with_the_same_bytes() -> None:
    scene = Scene()
    scene.fail(*[AWAY] * 4)
    scene.hear("A1", "A2", "A3")
    assert scene.acknowledge() == []
    assert scene.row(1).reason == AWAY.reason
    assert scene.row(2).tries == 0
    for _ in range(3):
        scene.later(HOUR / 6)
        assert scene.acknowledge() == []
    scene.later(HOUR / 6)
    assert scene.acknowledge() == ["AA A1", "AA A2", "AA A3"]
    assert len(set(scene.partner.asked[:5])) == 1
    assert scene.row(1).reason is None


def test_an_outage_costs_its_partner_one_message_a_backoff_and_other_feeds_nothing() -> None:
    scene = Scene()
    scene.fail(*[AWAY] * 100)
    with scene.site.store.unit() as unit:
        for inbox_id in range(1, 50):
            unit.acknowledgments.owe(owed(scene, inbox_id, feed="main"))
        unit.acknowledgments.owe(owed(scene, 99, feed="second"))
    scene.step.drain()
    assert len(scene.partner.asked) == 1
    assert len(scene.partners["second"].asked) == 1
    for _ in range(100):
        scene.later(SECOND)
        scene.step.drain()
    assert len(scene.partner.asked) < 10


def test_what_could_not_be_delivered_in_time_is_given_up_with_the_last_reason() -> None:
    scene = Scene()
    scene.fail(AWAY)
    scene.hear("A1", "A2")
    scene.acknowledge()
    scene.later(24 * HOUR)
    scene.hear("A3")
    assert scene.acknowledge() == ["AA A3"]
    assert scene.row(1).state is AcknowledgmentState.GAVE_UP
    assert scene.row(1).reason == f"not delivered within 24 h: {AWAY.reason}"
    assert scene.row(2).reason == "not delivered within 24 h: those before it could not be delivered"


def test_what_the_partner_refuses_is_given_up_at_once_and_the_next_goes_on() -> None:
    scene = Scene()
    scene.fail(TurnedDown("the partner answered CR", again=False))
    scene.hear("A1", "A2")
    assert scene.acknowledge() == ["AA A2"]
    assert (scene.row(1).state, scene.row(1).reason) == (
        AcknowledgmentState.GAVE_UP,
        "the partner answered CR",
    )


def test_what_the_partner_will_not_have_now_is_offered_again_but_not_for_ever() -> None:
    scene = Scene()
    busy = TurnedDown("the partner answered CE", again=True)
    scene.fail(busy, Taken("CA"), *[busy] * MOST_REFUSALS)
    scene.hear("A1", "A2", "A3")
    assert scene.acknowledge() == []
    scene.later(MINUTE)
    assert scene.acknowledge() == ["AA A1"]
    for _ in range(MOST_REFUSALS):
        scene.later(10 * MINUTE)
        scene.acknowledge()
    assert scene.row(2).state is AcknowledgmentState.GAVE_UP
    assert scene.row(2).tries == MOST_REFUSALS
    assert scene.acknowledge() == ["AA A1", "AA A3"]


def test_a_sender_that_surprises_stops_nothing_and_its_words_stay_inside() -> None:
    scene = Scene()
    scene.fail(ValueError("Ana Sample"))
    scene.hear("A1")
    with capture_logs() as logs:
        assert scene.acknowledge() == []
    assert "Sample" not in str(logs)
    assert (scene.row(1).reason or "").startswith("sending surprised: ValueError at ")
    scene.later(MINUTE)
    assert scene.acknowledge() == ["AA A1"]


def test_a_worker_that_died_while_sending_leaves_it_to_the_next_after_the_lease() -> None:
    scene = Scene()
    scene.hear("A1", "A2")
    with scene.site.store.unit() as unit:
        assert unit.acknowledgments.claim(scene.site.clock.now, scene.site.clock.now + LEASE) is not None
    assert scene.acknowledge() == []
    scene.later(LEASE)
    assert scene.acknowledge() == ["AA A1", "AA A2"]


def test_a_feed_that_no_longer_says_where_gives_up_what_waits() -> None:
    scene = Scene()
    scene.hear("A1")
    scene.site.change(settings=make.settings(), partners={})
    Acknowledging(scene.site.workshop).drain()
    assert scene.row(1).state is AcknowledgmentState.GAVE_UP
    assert scene.row(1).reason == "the feed has no [application_acknowledgment] any more"


def test_texts_go_out_whatever_the_partner_does() -> None:
    scene = Scene()
    scene.fail(*[AWAY] * 100)
    scene.receive("A1")
    scene.site.work()
    scene.acknowledge()
    assert [occasion for _, occasion in scene.site.sent] == ["booked"]


def test_logs_say_how_it_went_by_ids_alone() -> None:
    scene = Scene()
    scene.fail(AWAY)
    scene.hear("A1")
    with capture_logs() as logs:
        scene.acknowledge()
        scene.later(MINUTE)
        scene.acknowledge()
    assert [(line["state"], line["message"], line["tries"]) for line in logs] == [
        ("waiting", 1, 1),
        ("taken", 1, 2),
    ]
    assert "Sample" not in str(logs)


def test_a_knock_follows_the_messages() -> None:
    scene = Scene()
    knocks: list[str] = []
    scene.site.change(knock=knocks.append)
    scene.hear("A1")
    assert knocks == ["plan", "acknowledge"]


def renamed(site: Site, name: str) -> Settings:
    """The site's settings with one feed of this name."""
    return dataclasses.replace(site.workshop.settings, feeds={name: make.feed(name=name)})


def make_kept(site: Site, payload: bytes, feed: str) -> KeptMessage:
    return KeptMessage(0, feed, "", payload, site.clock.wall())


def owed(scene: Scene, inbox_id: int, *, feed: str) -> ApplicationAcknowledgment:
    message = f"MSH|^~\\&|TEXTS|RIVER|EHR|HOSP|2027||ACK|OURS{inbox_id}|P|2.5\rMSA|AA|A{inbox_id}\r".encode()
    return ApplicationAcknowledgment(inbox_id, feed, f"OURS{inbox_id}", message, scene.site.clock.now)
