"""Stories of poison, of people who write while we send, and of breakers that a person releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.reminder import ReminderState
from integration.domain.reminder_plan import plan
from integration.domain.staff_task import TaskKind
from integration.pipeline import translate as translate_step
from integration.pipeline.send import send_next
from integration.settings.model import FeedLocation
from integration.testing.sms import FakeSmsProvider, Trouble
from tests import settings as make
from tests.messages import ANA, BEN, CARLA, called, siu
from tests.pipeline.network import say
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.domain.reminder import Reminder
    from integration.ports.sms import OutgoingText, SendOutcome
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def book(site: Site, **changes: object) -> None:
    site.hear(siu("S12", at=site.clock.now, **{"start": VISIT, **changes}))  # type: ignore[arg-type]


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def test_a_visit_that_cannot_be_planned_stops_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprising(appointment: Appointment, **more: Any) -> list[Reminder]:
        if appointment.id == 1:
            raise OverflowError
        return plan(appointment, **more)

    with monkeypatch.context() as patch:
        patch.setattr("integration.pipeline.plan.plan", surprising)
        site.receive(siu("S12", at=BOOKED_AT, start=VISIT))
        site.receive(siu("S12", at=BOOKED_AT, visit="B1", start=VISIT, person=CARLA))
        site.work()
    assert [text.number for text in site.texts] == ["+16175550188"]
    with site.store.unit() as unit:
        (dead,) = unit.inbox.listing("dead")
        assert (dead.reason or "").startswith("surprise OverflowError")
        assert unit.appointments.get(1).held_by == dead.id
        unit.inbox.replay([dead.id])
    site.until(local("2027-03-06T12:00"))
    assert sorted(text.number for text in site.texts) == ["+16175550123", "+16175550188", "+16175550188"]


def test_a_message_that_surprises_holds_its_appointment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    book(site)

    def surprise(*_: object) -> list[str]:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(translate_step, "hear_appointment", surprise)
        site.clock.now = local("2027-03-02T11:00")
        site.hear(siu("S15", at=site.clock.now, start=None))
    site.until(local("2027-03-06T10:10"))
    assert site.reminders["five_days"].state is ReminderState.HELD
    with site.store.unit() as unit:
        (dead,) = unit.inbox.listing("dead")
        unit.inbox.replay([dead.id])
    site.work()
    assert site.reminders["five_days"].reason == "the visit was cancelled"


def test_no_text_overtakes_a_stop_that_waits_to_be_read(site: Site) -> None:
    book(site)
    site.clock.now = local("2027-03-06T10:00")
    say(site, "STOP", after=timedelta(0), work=False, handled="stop")
    send_next(site.workshop)
    assert occasions(site) == ["booked"]
    site.work()
    site.until(local("2027-03-06T12:00"))
    assert occasions(site) == ["booked"]
    assert site.reminders["five_days"].reason == "opted out"


def test_a_person_is_asked_to_release_a_practice_that_texts_more_than_it_should(site: Site) -> None:
    practice = make.practice(texts_per_hour=2)
    site.change(settings=replace(site.settings, practices={"riverside": practice}))
    for n in range(4):
        book(site, visit=f"V{n}", person=called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}"))
    assert [task.kind for task in site.tasks] == [TaskKind.RELEASE]


def test_what_a_person_released_counts_towards_no_further_flood(site: Site) -> None:
    practice = make.practice(cancellations_per_hour=2, texts_per_hour=2000)
    site.change(settings=replace(site.settings, practices={"riverside": practice}))
    people = [called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(8)]
    for n, person in enumerate(people):
        book(site, visit=f"V{n}", person=person)

    def cancel(*numbers: int) -> int:
        for n in numbers:
            site.receive(siu("S15", at=site.clock.now, visit=f"V{n}", start=None, person=people[n]))
        site.work()
        return occasions(site).count("cancelled")

    site.clock.now = local("2027-03-02T11:00")
    assert cancel(0, 1, 2, 3) == 0
    site.until(local("2027-03-02T11:18"))
    site.store.release("mass change riverside", site.clock.now)
    site.until(local("2027-03-02T11:30"))
    assert cancel(4) == 5
    assert cancel(5, 6, 7) == 5  # another flood


MAIN_STREET = FeedLocation(practice="riverside", place="Main Street")


def with_locations(site: Site, **more: object) -> None:
    feed = make.feed(locations={"RIVER": MAIN_STREET, **more})
    site.change(settings=replace(site.settings, mode="live", feeds={"main": feed}))


def test_a_message_that_names_no_place_moves_nobody(site: Site) -> None:
    with_locations(site)
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    placeless = siu("S14", at=site.clock.now, start=VISIT).replace(b"AIL|1|A|RIVER^^^RIVER\r", b"")
    site.hear(placeless.replace(b"|SCHED|RIVER|", b"|SCHED|ELSE|"))
    site.until(local("2027-03-06T12:00"))
    assert occasions(site) == ["booked", "five_days"]


@pytest.mark.parametrize(
    "place",
    [{}, {"QUIET": FeedLocation(practice="riverside", sensitive=True)}],
    ids=["unclaimed", "sensitive"],
)
def test_a_visit_moved_to_a_place_we_may_not_text_about_is_silent(
    site: Site, place: dict[str, object]
) -> None:
    with_locations(site, **place)
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    moved = siu("S13", at=site.clock.now, start=local("2027-03-18T09:00"))
    site.hear(moved.replace(b"AIL|1|A|RIVER^^^RIVER", b"AIL|1|A|QUIET^^^ELSE").replace(b"|RIVER|", b"|ELSE|"))
    site.until(local("2027-03-19T12:00"))
    assert occasions(site) == ["booked"]


class Noting(FakeSmsProvider):
    """Notes how long each text may wait at the provider."""

    valid_for: list[timedelta] = []  # noqa: RUF012 - each story empties it

    def send(self, text: OutgoingText) -> SendOutcome:
        self.valid_for.append(text.valid_for)
        return super().send(text)


def test_a_text_offered_again_ends_with_the_decent_hours(site: Site) -> None:
    Noting.valid_for.clear()
    site.sms.__class__ = Noting
    site.sms.troubles.append(Trouble.THROTTLED)
    site.clock.now = local("2027-03-01T19:50")
    book(site)
    site.clock.now = local("2027-03-01T19:51")
    site.work()
    assert Noting.valid_for == [timedelta(minutes=10), timedelta(minutes=9)]


def test_the_given_name_a_message_leaves_out_stays(site: Site) -> None:
    book(site)
    book(site, visit="B1", person=BEN)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S14", at=site.clock.now, start=VISIT, person=called(ANA, given="")))
    with site.store.unit() as unit:
        assert unit.patients.get(1).given == "Ana"
