"""A trial of a replay says what it would plan, whatever depends on what, and leaves no trace."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.entrypoints import trial
from integration.entrypoints.families import families
from integration.entrypoints.trial import Outcome, try_replay
from tests.messages import ANA, BEN, CARLA, called, siu
from tests.settings import feed, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-21T14:30")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def laid_aside(site: Site, *messages: bytes) -> list[int]:
    """Messages that are dead, as if the mapping had been wrong when they came."""
    for message in messages:
        site.receive(message)
    with site.store.unit() as unit:
        ids = [message.id for message in unit.inbox.listing("new", limit=1000)]
        for message_id in ids:
            unit.inbox.dead(message_id, "as if the mapping had been wrong")
    return ids


def booked(number: int, **changes: Any) -> bytes:
    person = called(ANA, mrn=f"MRN{number}")
    facts = {"at": BOOKED_AT, "person": person, **changes}
    return siu("S12", visit=f"V{number}", start=VISIT, **facts)


def test_what_a_later_message_takes_back_is_not_counted_however_far_apart(site: Site) -> None:
    """A booking, thirty strangers, and the booking's cancellation."""
    ids = laid_aside(
        site,
        booked(0),
        *(booked(number) for number in range(1, 31)),
        siu("S15", at=BOOKED_AT + MINUTE, visit="V0", start=VISIT, person=called(ANA, mrn="MRN0")),
    )
    assert try_replay(site.workshop, ids) == Outcome(reminders=30 * 3, dead=0)


def test_a_visit_booked_and_moved_counts_once(site: Site) -> None:
    moved = siu("S13", at=BOOKED_AT + MINUTE, visit="V0", start=VISIT + timedelta(days=1), person=CARLA)
    ids = laid_aside(site, booked(0, person=CARLA), *(booked(n) for n in range(1, 25)), moved)
    assert try_replay(site.workshop, ids) == Outcome(reminders=25 * 3, dead=0)


def test_a_trial_of_what_has_been_applied_adds_nothing(site: Site) -> None:
    site.hear(booked(0))
    assert try_replay(site.workshop, [1]) == Outcome(reminders=0, dead=0)


def test_what_would_no_longer_go_is_told(site: Site) -> None:
    site.hear(booked(0))
    ids = laid_aside(
        site, siu("S15", at=BOOKED_AT + MINUTE, visit="V0", start=VISIT, person=called(ANA, mrn="MRN0"))
    )
    assert try_replay(site.workshop, ids) == Outcome(reminders=0, dead=0, withdrawn=3)


def test_what_the_messages_hold_and_would_go_is_told(site: Site) -> None:
    """Its five days are due while a message about it lies dead; the replay lets them go."""
    site.hear(booked(0))
    changed = siu("S14", at=BOOKED_AT + MINUTE, visit="V0", start=VISIT, person=called(ANA, mrn="MRN0"))
    site.hear(changed.replace(b"SIU^S14", b"SIU^S99"))
    site.until(local("2027-03-16T12:00"))
    assert try_replay(site.workshop, [2]) == Outcome(reminders=0, dead=1)
    vendor = feed().vendor.model_copy(update={"triggers": {"S99": "S14"}})
    site.change(settings=settings(feeds={"main": feed(vendor=vendor)}))
    assert try_replay(site.workshop, [2]) == Outcome(reminders=0, dead=0, let_go=1)
    sent = len(site.sent)
    with site.store.unit() as unit:
        unit.inbox.replay([2])
    site.work()
    site.until(local("2027-03-16T13:00"))
    assert len(site.sent) == sent + 1


def test_a_message_older_than_what_is_stored_would_change_nothing_and_changes_nothing(site: Site) -> None:
    ids = laid_aside(site, booked(0))
    later = VISIT + timedelta(days=2)
    site.hear(siu("S13", at=BOOKED_AT + MINUTE, visit="V0", start=later, person=called(ANA, mrn="MRN0")))
    before = site.reminders
    assert try_replay(site.workshop, ids) == Outcome(reminders=0, dead=0)
    with site.store.unit() as unit:
        unit.inbox.replay(ids)
    site.work()
    with site.store.unit() as unit:
        assert unit.appointments.get(1).slot.start == later
        message = unit.inbox.get(ids[0])
        assert message is not None
        assert (message.state, message.reason) == ("done", "older-than-stored MSH-7")
    assert {step: (each.state, each.due_at) for step, each in site.reminders.items()} == {
        step: (each.state, each.due_at) for step, each in before.items()
    }


def test_a_trial_touches_no_message_that_waits_and_leaves_no_trace(site: Site) -> None:
    ids = laid_aside(site, booked(0))
    site.receive(booked(1))
    assert try_replay(site.workshop, ids) == Outcome(reminders=3, dead=0)
    with site.store.unit() as unit:
        assert (unit.inbox.count("new"), unit.inbox.count("dead")) == (1, 1)
        assert unit.reminders.next_due() is None
        assert unit.appointments.find("main", ["SCH-2||V0|"]) is None


def test_strangers_are_tried_in_short_transactions(site: Site) -> None:
    sizes: list[int] = []

    class Watched:
        """The store, counting how many messages each unit looks up."""

        def __init__(self, store: Store) -> None:
            self._store = store

        @contextmanager
        def unit(self) -> Iterator[Any]:
            with self._store.unit() as unit:
                sizes.append(0)
                get = unit.inbox.get

                def counted(message_id: int) -> Any:
                    sizes[-1] += 1
                    return get(message_id)

                unit.inbox.get = counted  # type: ignore[method-assign] # to watch it
                yield unit

        def reading(self) -> Any:
            return self._store.reading()

    ids = laid_aside(site, *(booked(number) for number in range(35)))
    watched: Any = Watched(site.store)
    try_replay(replace(site.workshop, store=watched), ids)
    assert sizes == [10, 10, 10, 5]


def test_messages_of_one_appointment_or_one_patient_are_a_family(site: Site) -> None:
    ids = laid_aside(
        site,
        booked(1),
        booked(8),
        siu("S13", at=BOOKED_AT, visit="V1", start=VISIT, person=BEN),
        siu("S12", at=BOOKED_AT, visit="V9", start=VISIT, person=BEN),
        b"no message at all",
    )
    first, second, third, fourth, noise = ids
    assert families(site.workshop, ids) == [[first, third, fourth], [second], [noise]]


def test_a_family_too_large_for_one_transaction_is_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MOST_TOGETHER", 2)
    one = called(ANA, mrn="MRN0")
    ids = laid_aside(
        site, *(booked(number, person=one, at=BOOKED_AT + number * MINUTE) for number in range(5))
    )
    assert try_replay(site.workshop, ids) == Outcome(reminders=5 * 3, dead=0)


def test_nobody_is_texted_twice_or_of_old_news_by_a_replay(site: Site) -> None:
    site.hear(booked(0))
    site.until(VISIT - timedelta(days=4))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]
    with site.store.unit() as unit:
        unit.inbox.replay([1])
    site.until(VISIT - timedelta(days=3))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]
    ids = laid_aside(site, booked(7, person=CARLA))
    with site.store.unit() as unit:
        unit.inbox.replay(ids)
    site.until(VISIT)
    assert [text.occasion for text in site.texts if text.number == "+16175550188"] == [
        *("two_days", "three_hours")
    ]
