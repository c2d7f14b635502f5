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
