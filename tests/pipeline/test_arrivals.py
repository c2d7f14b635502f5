"""Stories of a visit as ADT tells it: the patient is here, is not after all, or the visit is no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.reminder import ReminderState
from tests import settings as make
from tests.adt import adt, with_visit
from tests.messages import ANA, BEN, siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
WHOLE_PLAN = ["booked", "five_days", "two_days", "three_hours"]


@pytest.fixture
def site(store: Store) -> Site:
    site = Site(store, TurnedClock(BOOKED_AT))
    site.hear(with_visit(siu("S12", at=BOOKED_AT, start=VISIT), "V1"))
    return site


def say(site: Site, trigger: str, at: str, **more: object) -> None:
    site.until(max(site.clock.now, local(at)))
    site.hear(adt(trigger, at=local(at), **{"visit": "V1", **more}))  # type: ignore[arg-type]


def run_out(site: Site) -> list[str]:
    site.until(local("2027-03-12T12:00"))
    return [occasion for _, occasion in site.sent]


def status(site: Site) -> str:
    with site.store.unit() as unit:
        return unit.appointments.get(1).status


def notes(site: Site) -> str:
    with site.store.unit() as unit:
        last = unit.inbox.listing()[-1]
    assert last.state == "done"
    return last.reason or ""


@pytest.mark.parametrize("trigger", ["A01", "A03", "A04", "A10"])
def test_a_patient_who_has_come_is_reminded_no_more(site: Site, trigger: str) -> None:
    say(site, trigger, "2027-03-11T11:00")
    assert status(site) == "arrived"
    assert site.reminders["three_hours"].state is ReminderState.WITHDRAWN
    assert site.reminders["three_hours"].reason == "the patient has arrived"
    assert run_out(site) == WHOLE_PLAN[:3]


@pytest.mark.parametrize("trigger", ["A05", "A08", "A31"])
def test_other_news_of_the_visit_is_no_arrival(site: Site, trigger: str) -> None:
    say(site, trigger, "2027-03-11T11:00")
    assert status(site) == "booked"
    assert run_out(site) == WHOLE_PLAN


@pytest.mark.parametrize("at", ["2027-03-02T09:00", "2027-03-10T23:00", "2027-03-11T02:29"])
def test_who_registers_ahead_has_not_come(site: Site, at: str) -> None:
    say(site, "A04", at)
    assert "arrival-not-believed PV1-19" in notes(site)
    assert run_out(site) == WHOLE_PLAN


def test_the_evening_before_is_another_day(store: Store) -> None:
    site = Site(store, TurnedClock(BOOKED_AT))
    site.hear(with_visit(siu("S12", at=BOOKED_AT, start=local("2027-03-11T08:00")), "V1"))
    say(site, "A04", "2027-03-10T20:30")
    assert status(site) == "booked"
    say(site, "A04", "2027-03-11T00:10")
    assert status(site) == "arrived"


def test_who_is_only_announced_has_not_come(site: Site) -> None:
    say(site, "A04", "2027-03-11T11:00", patient_class="P")
    assert run_out(site) == WHOLE_PLAN


def test_the_arrival_of_another_visit_or_of_somebody_else_changes_nothing(site: Site) -> None:
    say(site, "A04", "2027-03-11T11:00", visit="V2")
    assert "PV1-19" not in notes(site)
    say(site, "A04", "2027-03-11T11:01", person=BEN)
    assert "visit-of-another-patient PV1-19" in notes(site)
    assert run_out(site) == WHOLE_PLAN


@pytest.mark.parametrize("trigger", ["A11", "A32", "A38"])
def test_an_arrival_taken_back_brings_back_what_is_still_to_come(site: Site, trigger: str) -> None:
    say(site, "A04", "2027-03-11T10:00")
    say(site, trigger, "2027-03-11T10:10")
    assert status(site) == "booked"
    assert run_out(site) == WHOLE_PLAN


def test_an_arrival_taken_back_late_tells_nothing_that_was_due_meanwhile(site: Site) -> None:
    say(site, "A04", "2027-03-11T11:00")
    say(site, "A11", "2027-03-11T12:00")
    assert status(site) == "booked"
    assert run_out(site) == WHOLE_PLAN[:3]


def test_taking_back_an_arrival_that_was_none_changes_nothing(site: Site) -> None:
    say(site, "A38", "2027-03-03T11:00")
    assert status(site) == "booked"
    assert run_out(site) == WHOLE_PLAN


def test_taking_back_an_arrival_that_was_none_outweighs_no_cancellation_on_its_way(site: Site) -> None:
    say(site, "A11", "2027-03-03T11:00")
    site.hear(siu("S15", at=local("2027-03-03T10:59"), start=None))
    assert status(site) == "cancelled"


def test_an_older_word_on_an_arrival_does_not_count(site: Site) -> None:
    say(site, "A04", "2027-03-11T11:00")
    say(site, "A11", "2027-03-11T10:50")
    assert "older-than-stored MSH-7" in notes(site)
    assert status(site) == "arrived"


def test_an_arrival_does_not_bring_back_a_cancelled_visit(site: Site) -> None:
    site.clock.now = local("2027-03-11T09:30")
    site.hear(siu("S15", at=site.clock.now, start=None))
    say(site, "A04", "2027-03-11T11:00")
    assert status(site) == "cancelled"


def test_a_tentative_visit_is_not_booked_by_an_arrival_that_is_taken_back(store: Store) -> None:
    site = Site(store, TurnedClock(BOOKED_AT))
    booked = siu("S12", at=BOOKED_AT, start=VISIT).replace(b"NORMAL^Normal", b"TENTATIVE^Tentative")
    site.hear(with_visit(booked, "V1"))
    say(site, "A04", "2027-03-11T10:00")
    say(site, "A11", "2027-03-11T10:10")
    assert status(site) == "proposed"
    assert run_out(site) == []


def test_a_deleted_visit_is_silent_at_once_and_without_a_word(site: Site) -> None:
    say(site, "A23", "2027-03-07T11:00")
    assert status(site) == "entered-in-error"
    assert site.reminders["two_days"].reason == "the visit was entered in error"
    assert run_out(site) == WHOLE_PLAN[:2]


def test_an_arrival_is_known_by_the_alternate_visit_number_where_the_feed_says_so(store: Store) -> None:
    site = Site(store, TurnedClock(BOOKED_AT))
    feeds = {"main": make.feed(identity=("SCH-2", "PV1-50"))}
    site.change(settings=replace(site.settings, feeds=feeds))
    booked = siu("S12", at=BOOKED_AT, start=VISIT)
    site.hear(booked.replace(b"RGS|1", b"PV1|1|O" + b"|" * 48 + b"ALT1\rRGS|1"))
    arrival = adt("A04", at=local("2027-03-11T11:00"), visit="V9" + "|" * 31 + "ALT1")
    site.until(local("2027-03-11T11:00"))
    site.hear(arrival)
    assert status(site) == "arrived"


# The visit itself under another number, or another patient's


@pytest.mark.parametrize("trigger", ["A42", "A50"])
def test_a_visit_is_known_by_its_new_number_and_by_its_old_one(site: Site, trigger: str) -> None:
    say(site, trigger, "2027-03-03T11:00", visit="V7", gone=ANA.mrn, gone_visit="V1")
    say(site, "A04", "2027-03-11T10:00", visit="V7")
    assert status(site) == "arrived"
    say(site, "A11", "2027-03-11T10:10", visit="V1")
    assert status(site) == "booked"


def test_two_announced_visits_that_become_one_both_stand(site: Site) -> None:
    site.hear(with_visit(siu("S12", at=site.clock.now, start=VISIT, visit="A2"), "V2"))
    say(site, "A42", "2027-03-03T11:00", visit="V1", gone=ANA.mrn, gone_visit="V2")
    assert "both-visits-stand MRG-5" in notes(site)


def test_a_visit_that_is_another_patients_now_is_that_ones_alone(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, person=BEN, phone="(617)555-0177"))
    say(site, "A45", "2027-03-03T11:00", person=BEN, gone=ANA.mrn, gone_visit="V1")
    run_out(site)
    later = {(text.number, text.subjects[0].patient_id) for text in site.texts if text.occasion != "booked"}
    assert later == {("+16175550177", 2)}


def test_a_visit_is_not_taken_from_somebody_whose_it_is_not(site: Site) -> None:
    site.hear(adt("A28", at=BOOKED_AT, person=BEN, phone="(617)555-0177"))
    say(site, "A45", "2027-03-03T11:00", person=BEN, gone="MRN99", gone_visit="V1")
    assert "visit-of-another-patient MRG-1" in notes(site)


def test_a_move_of_accounts_is_noted(site: Site) -> None:
    say(site, "A44", "2027-03-03T11:00", gone=ANA.mrn)
    assert "accounts-only MSH-9.2" in notes(site)
    assert run_out(site) == WHOLE_PLAN
