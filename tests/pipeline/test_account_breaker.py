"""Stories of a provider that refuses our account: everything stops, and goes on where a person says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import AttemptState
from integration.entrypoints.http_ports import stopped_texts
from integration.entrypoints.metrics import metrics_app
from integration.pipeline.send import send_next
from tests.entrypoints.test_receiving import body
from tests.messages import ANA, CARLA, called, siu
from tests.pipeline.network import (
    ANAS_NUMBER,
    BOOKED_AT,
    VISIT,
    attempts,
    book,
    booked_site,
    number_of,
    say,
    site_at,
    the_text,
)

if TYPE_CHECKING:
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def _refused_site() -> Site:
    """The provider refuses the first text of all because of our account."""
    site = booked_site(hear=False)
    site.sms.refusals[ANAS_NUMBER] = Failure.ACCOUNT
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    site.sms.refusals.clear()
    return site


def _release(site: Site) -> None:
    site.store.release("account", site.clock.now)
    site.work()


def test_the_text_that_was_refused_waits_and_nobody_is_opted_out() -> None:
    site = _refused_site()
    assert [each.state for each in attempts(site)] == [AttemptState.RETURNED]
    assert the_text(site).status is DeliveryStatus.QUEUED
    assert [task.kind for task in site.tasks] == [TaskKind.RELEASE]
    with site.store.unit() as unit:
        assert unit.numbers.suppressions(ANAS_NUMBER) == []


def test_every_thread_stops_for_every_number_and_for_answers() -> None:
    site = _refused_site()
    book(site, "C1", "2027-03-12T10:00", CARLA)
    reply = say(site, "HELP", number=number_of(CARLA))
    another = replace(site.workshop)  # another process at the same store
    for workshop in (site.workshop, another) * 4:
        assert not send_next(workshop)
    assert reply.done
    assert site.sms.texts() == []

    _release(site)
    assert {text.to for text in site.sms.texts()} == {ANAS_NUMBER, number_of(CARLA)}
    assert len(site.sms.texts()) == 3
    assert set(site.sms.copies.values()) == {1}


def test_it_is_said_to_machines_and_to_people_until_it_is_released() -> None:
    site = _refused_site()
    assert "appointment_texts_account_refused 1.0" in body(metrics_app(site.workshop), "/metrics").decode()
    [note] = stopped_texts(site.workshop)
    assert 'release "account"' in note
    assert "refused our account" in note

    _release(site)
    assert "appointment_texts_account_refused 0.0" in body(metrics_app(site.workshop), "/metrics").decode()
    assert stopped_texts(site.workshop) == []


def test_what_was_written_is_looked_at_once_more_after_the_release() -> None:
    site = _refused_site()
    site.clock.now += timedelta(hours=2)
    site.hear(siu("S15", at=site.clock.now, start=None))
    _release(site)
    site.until(BOOKED_AT + timedelta(hours=3))

    assert the_text(site).status is DeliveryStatus.FAILED
    assert site.sms.texts() == []  # told of nothing, she need not hear that it is off
    assert site.reminders["booked"].state is not ReminderState.SENT


def test_what_was_written_waits_for_a_decent_hour_after_a_release_at_night() -> None:
    site = _refused_site()
    site.clock.now = BOOKED_AT + timedelta(hours=12)  # 23:00
    _release(site)
    assert site.sms.texts() == []

    site.until(BOOKED_AT + timedelta(hours=24))
    assert [at for at, _ in site.sent] == ["03-02 11:00"]


def test_a_stop_that_comes_meanwhile_holds_after_the_release() -> None:
    site = _refused_site()
    say(site, "STOP", after=timedelta(minutes=10))
    site.clock.now += timedelta(hours=1)
    _release(site)

    assert site.sms.texts() == []  # and the confirmation of a STOP is due within five minutes, or never


def test_should_it_be_refused_again_everything_stops_again_after_one_text() -> None:
    site = site_at()
    people = [called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(6)]
    for person in people:
        site.sms.refusals[number_of(person)] = Failure.ACCOUNT
    for n, person in enumerate(people):
        site.receive(siu("S12", at=BOOKED_AT, start=VISIT, visit=f"V{n}", person=person))
    site.work()
    assert len(site.texts) == 1
    site.clock.now += timedelta(minutes=5)
    _release(site)

    assert "account" in site.store.breakers()
    assert len(site.texts) == 1
    with site.store.unit() as unit:
        assert [unit.numbers.suppressions(number_of(person)) for person in people] == [[]] * 6
    assert [task.kind for task in site.tasks] == [TaskKind.RELEASE]
