"""Stories of several visits whose texts would share one, and one of them is useful for longer."""

from __future__ import annotations

from tests.messages import siu
from tests.pipeline.network import site_at
from tests.site import local


def test_the_text_about_a_later_visit_waits_for_the_morning_though_todays_comes_too_late() -> None:
    site = site_at("2027-03-01T06:00")
    for visit, start in (("A1", "2027-03-01T10:00"), ("A2", "2027-03-09T10:00")):
        site.receive(siu("S12", at=site.clock.now, visit=visit, start=local(start)))
    site.work()
    site.until(local("2027-03-01T12:00"))
    assert site.sent == [("03-01 09:00", "booked")]


def test_a_move_held_until_morning_does_not_keep_the_next_booking_from_being_settled() -> None:
    site = site_at("2027-03-01T12:00")
    site.receive(siu("S12", at=site.clock.now, visit="A1", start=local("2027-03-08T10:00")))
    site.work()
    site.until(local("2027-03-02T05:00"))
    site.receive(siu("S15", at=site.clock.now, visit="A1", start=local("2027-03-08T10:00")))
    site.receive(siu("S12", at=site.clock.now, visit="A2", start=local("2027-03-09T10:00")))
    site.work()
    site.until(local("2027-03-02T08:00"))
    site.receive(siu("S12", at=site.clock.now, visit="A3", start=local("2027-03-20T10:00")))
    site.work()
    site.until(local("2027-03-03T12:00"))
    assert site.sent == [("03-01 12:00", "booked"), ("03-02 09:00", "cancelled"), ("03-03 09:00", "booked")]
