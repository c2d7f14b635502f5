"""Stories of patients who live by another clock than their practice's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from integration.domain.quiet_days import QuietDays
from integration.domain.quiet_hours import DecentHours
from integration.testing.sms import FakeSmsProvider
from tests.messages import ANA, siu
from tests.settings import practice, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.sms import OutgoingText, SendOutcome
    from integration.ports.store import Store

SEATTLE = ZoneInfo("America/Los_Angeles")
WEST = replace(ANA, address="1 Sample St^^Seattle^WA^98101")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(local("2027-03-01T12:00")))


def times_of(site: Site, zone: ZoneInfo) -> list[str]:
    return [
        text.offered_at.astimezone(zone).strftime("%m-%d %H:%M") for text in site.texts if text.offered_at
    ]


def test_ten_at_the_practice_is_too_early_three_hours_west(site: Site) -> None:
    site.hear(siu("S12", at=site.clock.now, start=local("2027-03-11T15:00"), person=WEST))
    site.until(local("2027-03-07T23:00"))
    assert times_of(site, SEATTLE) == ["03-01 09:00", "03-06 09:00"]


def test_news_in_the_practices_morning_waits_for_the_patients(site: Site) -> None:
    site.clock.now = local("2027-03-01T09:30")
    site.hear(siu("S12", at=site.clock.now, start=local("2027-03-11T15:00"), person=WEST))
    assert site.reminders["booked"].reason == "quiet hours"
    site.until(local("2027-03-01T13:00"))
    assert times_of(site, SEATTLE) == ["03-01 09:00"]


class Noting(FakeSmsProvider):
    """A provider that notes for how long it may try."""

    def __init__(self) -> None:
        super().__init__()
        self.valid_for: list[timedelta] = []

    def send(self, text: OutgoingText) -> SendOutcome:
        self.valid_for.append(text.valid_for)
        return super().send(text)


def test_a_text_in_the_patients_evening_ends_with_it(store: Store) -> None:
    sms = Noting()
    site = Site(store, TurnedClock(local("2027-03-01T12:00")), sms=sms)
    site.clock.now = local("2027-03-01T22:30")
    site.hear(siu("S12", at=site.clock.now, start=local("2027-03-11T15:00"), person=WEST))
    assert times_of(site, SEATTLE) == ["03-01 19:30"]
    assert sms.valid_for == [timedelta(minutes=30)]


def test_an_early_visit_is_recalled_in_the_patients_evening(site: Site) -> None:
    site.hear(siu("S12", at=site.clock.now, start=local("2027-03-11T08:00"), person=WEST))
    site.until(local("2027-03-11T07:00"))
    assert times_of(site, SEATTLE)[-1] == "03-10 19:00"


def test_a_state_of_two_times_is_texted_when_both_are_decent(site: Site) -> None:
    site.clock.now = local("2027-03-01T09:30")
    both = replace(ANA, address="^^^TN")  # Eastern and Central
    site.hear(siu("S12", at=site.clock.now, start=local("2027-03-11T15:00"), person=both))
    site.until(local("2027-03-01T13:00"))
    assert times_of(site, ZoneInfo("America/Chicago")) == ["03-01 09:00"]


def test_whoever_moves_west_is_texted_by_the_new_clock(site: Site) -> None:
    start = local("2027-03-11T15:00")
    site.hear(siu("S12", at=site.clock.now, start=start))
    site.clock.now = local("2027-03-02T12:00")
    site.hear(siu("S14", at=site.clock.now, start=start, person=WEST))
    site.until(local("2027-03-07T23:00"))
    assert times_of(site, SEATTLE)[-1] == "03-06 09:00"


def test_nothing_goes_out_on_a_quiet_day_but_bad_news(store: Store) -> None:
    hours = DecentHours(quiet_days=QuietDays.read(["2027-03-06"]))
    ours = practice(plan=replace(practice().plan, hours=hours))
    site = Site(
        store, TurnedClock(local("2027-03-01T12:00")), settings=settings(practices={"riverside": ours})
    )
    start = local("2027-03-11T15:00")
    site.hear(siu("S12", at=site.clock.now, start=start))
    site.until(local("2027-03-05T23:00"))
    assert times_of(site, ours.plan.zone) == [
        "03-01 12:00",
        "03-05 19:00",
    ]  # not on the 6th: the evening before
    site.clock.now = local("2027-03-06T12:00")
    site.hear(siu("S15", at=site.clock.now, start=start))
    assert times_of(site, ours.plan.zone)[-1] == "03-06 12:00"
