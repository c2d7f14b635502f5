"""What we write into an EHR's Appointment comes back to us as news of it, and tells us nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.domain.circuit import Circuit
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back import write_next
from integration.settings.model import FeedLocation, FhirHearing
from integration.testing.ehr import FakeWriteBack
from integration.testing.sms import FakeSmsProvider
from tests.fhir import MRN_SYSTEM, fhir_appointment, fhir_patient, snapshot
from tests.pipeline.network import deliver
from tests.pipeline.network import say as reply
from tests.settings import feed, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")


@pytest.fixture
def site(store: Store) -> Site:
    """Ana's visit was heard by FHIR, and five days ahead she was asked to confirm it."""
    ehr = feed(
        name="ehr",
        fhir=FhirHearing(),
        identifier_systems={"RIVER": MRN_SYSTEM},
        locations={"RIVER": FeedLocation(practice="riverside")},
    )
    clock = TurnedClock(BOOKED_AT)
    site = Site(store, clock, sms=FakeSmsProvider(now=clock.wall), settings=settings(feeds={"ehr": ehr}))
    hear(site, "needs-action")
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    deliver(site)
    assert occasions(site) == ["booked", "five_days"]
    return site


def hear(site: Site, status: str, version: str = "1") -> None:
    """The EHR tells of the visit, in which Ana stands so."""
    ana = fhir_patient()
    participants = [
        {"actor": {"reference": "Patient/p-MRN1"}, "status": status},
        {"actor": {"reference": "Location/RIVER"}, "status": "accepted"},
    ]
    visit = fhir_appointment(at=site.clock.now, start=VISIT, participant=participants)
    visit["meta"]["versionId"] = version
    site.hear(snapshot(visit, ana), "ehr")


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def the_visit(site: Site) -> Appointment:
    with site.store.unit() as unit:
        return unit.appointments.get(1)


def answers(site: Site) -> list[str | None]:
    """The answers that the chart is told, one record each."""
    ehr, circuit = FakeWriteBack(), Circuit()
    while write_next(site.store, ehr, site.clock, lambda: 0.0, circuit):
        pass
    told = [facts[-1] for (kind, _, _), facts in ehr.records.items() if kind is WriteBackKind.CONFIRMATION]
    return [None if fact.reply is None else fact.reply.intent for fact in told]


def test_our_own_yes_comes_back_and_changes_nothing(site: Site) -> None:
    reply(site, "C")
    assert answers(site) == ["confirm"]
    before = the_visit(site), site.reminders
    site.clock.now = local("2027-03-06T10:05")
    hear(site, "accepted", "2")

    after = the_visit(site)
    assert (after.confirmed, after.slot_number, after.status) == (True, 1, before[0].status)
    assert {step: each.state for step, each in site.reminders.items()} == {
        step: each.state for step, each in before[1].items()
    }
    assert answers(site) == []
    site.until(VISIT)
    assert occasions(site) == ["booked", "five_days", "confirmed", "two_days"]


def test_our_own_no_comes_back_and_cancels_nothing(site: Site) -> None:
    reply(site, "I can't make it")
    assert answers(site) == ["cancel"]
    (task,) = site.tasks
    site.clock.now = local("2027-03-06T10:05")
    hear(site, "declined", "2")

    assert list(site.tasks) == [task]
    assert answers(site) == []
    site.until(VISIT)
    assert "cancelled" not in occasions(site)
