"""What a breaker holds back can be seen, let go, or dropped; and a restart changes nothing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.last_look import DROPPED
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.pipeline.release import Waiting, drop, held_by
from tests.messages import ANA, siu
from tests.settings import practice, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

START = local("2027-03-11T14:00")
PEOPLE = [replace(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(4)]


@pytest.fixture
def site(store: Store) -> Site:
    """Four visits are booked and told."""
    ours = practice(cancellations_per_hour=2)
    made = Site(
        store, TurnedClock(local("2027-03-01T11:00")), settings=settings(practices={"riverside": ours})
    )
    for n, person in enumerate(PEOPLE):
        made.hear(siu("S12", at=made.clock.now, visit=f"V{n}", start=START, person=person))
    return made


def call_all_off(site: Site) -> None:
    site.clock.now = local("2027-03-02T11:00")
    for n, person in enumerate(PEOPLE):
        site.receive(siu("S15", at=site.clock.now, visit=f"V{n}", start=None, person=person))
    site.work()


def look(site: Site, breaker: str) -> Waiting:
    with site.store.unit() as unit:
        return held_by(unit, site.workshop.settings, breaker, site.clock.now)


def test_a_person_sees_how_much_waits_and_since_when(site: Site) -> None:
    call_all_off(site)
    waiting = look(site, "mass change riverside")
    assert waiting.steps == {"cancelled": 4}
    assert waiting.numbers == 4
    assert waiting.practices == ["riverside"]
    assert waiting.since == site.clock.now


def test_what_is_dropped_is_never_sent_and_becomes_calls(site: Site) -> None:
    call_all_off(site)
    waiting = look(site, "mass change riverside")
    assert drop(site.store, site.workshop.settings, waiting, site.clock.now) == 4
    site.store.release("mass change riverside", site.clock.now)
    site.until(local("2027-03-12T12:00"))
    assert all(occasion != "cancelled" for _, occasion in site.sent)
    assert [task.kind for task in site.tasks].count(TaskKind.CALL_PATIENT) == 4
    dropped = site.reminders["cancelled"]
    assert (dropped.state, dropped.reason) == (ReminderState.SKIPPED, DROPPED)


def test_what_is_dropped_twice_is_dropped_once(site: Site) -> None:
    call_all_off(site)
    waiting = look(site, "mass change riverside")
    drop(site.store, site.workshop.settings, waiting, site.clock.now)
    assert drop(site.store, site.workshop.settings, waiting, site.clock.now) == 0


def test_what_is_no_bad_news_is_dropped_without_a_call(site: Site) -> None:
    site.change(settings=settings(practices={"riverside": practice(texts_per_hour=1)}))
    site.until(local("2027-03-06T10:00"))
    waiting = look(site, "texts riverside")
    assert waiting.steps == {"five_days": 3}
    drop(site.store, site.workshop.settings, waiting, site.clock.now)
    assert TaskKind.CALL_PATIENT not in [task.kind for task in site.tasks]


def test_a_breaker_outlives_a_restart(site: Site) -> None:
    call_all_off(site)
    again = Site(site.store, site.clock, sms=site.sms, settings=site.settings)
    again.until(local("2027-03-02T12:00"))
    assert all(occasion != "cancelled" for _, occasion in again.sent)
    assert look(again, "mass change riverside").numbers == 4


def test_everything_due_waits_for_our_account(site: Site) -> None:
    site.store.open_breaker("account", "the provider refused our account")
    site.until(local("2027-03-06T10:00") + timedelta(minutes=1))
    assert look(site, "account").steps == {"five_days": 4}
