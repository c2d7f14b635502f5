"""From a patient's words to the charts: the real steps, the real modes, a strict EHR that loses an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.aftermath import close_task
from integration.domain.circuit import Circuit
from integration.domain.staff_task import TaskKind
from integration.pipeline.write_back import drain
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools
from tests.messages import ANA, BEN
from tests.pipeline.network import book, booked_site, deliver, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.messages import Person
    from tests.site import Site

FULL = {"create", "update", "search-type"}


def chart_of(person: Person) -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "identifier": [{"value": person.mrn}],
        "name": [{"family": person.family, "given": [person.given]}],
        "birthDate": f"{person.born[:4]}-{person.born[4:6]}-{person.born[6:]}",
    }


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.offers |= {"Consent": FULL, "Task": FULL}
        server.put(chart_of(ANA), "ana")
        server.put(chart_of(BEN), "ben")
        yield server


@pytest.fixture
def site() -> Site:
    """Ana and Ben share a telephone, and each has a visit to come."""
    site = booked_site()
    book(site, "A2", "2027-04-20T09:00", BEN)
    deliver(site)
    return site


@pytest.fixture
def chart(ehr: StrictEhr) -> Iterator[Chart]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield Chart(tools(client))
    client.close()


def write(site: Site, chart: Chart) -> None:
    """Write all there is, however often it takes."""
    for _ in range(8):
        drain(site.store, chart, site.clock, lambda: 0.0, Circuit())
        site.clock.now += timedelta(minutes=10)


def consents(ehr: StrictEhr) -> list[tuple[str, str, str]]:
    return sorted(
        (each["patient"]["reference"], each["provision"]["type"], each["status"])
        for each in ehr.all("Consent")
    )


@pytest.mark.parametrize("loses", [None, "Consent", "Task"])
@pytest.mark.parametrize("conditional_create", [True, False])
def test_a_stop_and_a_start_of_a_shared_number(
    ehr: StrictEhr, site: Site, chart: Chart, loses: str | None, *, conditional_create: bool
) -> None:
    ehr.conditional_create = conditional_create
    write(site, chart)
    if loses is not None:
        ehr.faults.append(Fault("POST", loses, after_storing=True))
    say(site, "STOP")
    write(site, chart)
    assert not ehr.faults
    assert consents(ehr) == [("Patient/ana", "deny", "active"), ("Patient/ben", "deny", "active")]
    assert sorted((each["for"]["reference"], each["status"]) for each in ehr.all("Task")) == [
        ("Patient/ana", "requested"),
        ("Patient/ben", "requested"),
    ]

    say(site, "START")
    write(site, chart)
    assert consents(ehr) == [
        ("Patient/ana", "deny", "inactive"),
        ("Patient/ana", "permit", "active"),
        ("Patient/ben", "deny", "inactive"),
        ("Patient/ben", "permit", "active"),
    ]


def test_work_is_asked_for_and_done(ehr: StrictEhr, site: Site, chart: Chart) -> None:
    say(site, "STOP")
    write(site, chart)
    for task in site.tasks:
        assert task.kind is TaskKind.OPTED_OUT
        with site.store.unit() as unit:
            close_task(unit, task.id, site.clock.calendar())
    write(site, chart)
    assert [each["status"] for each in ehr.all("Task")] == ["completed", "completed"]


def test_an_ehr_with_neither_breaks_nothing_and_our_own_list_has_the_work(
    ehr: StrictEhr, site: Site, chart: Chart
) -> None:
    for name in ("Consent", "Task"):
        del ehr.offers[name]
    say(site, "STOP")
    write(site, chart)
    assert not ehr.all("Consent")
    assert not ehr.all("Task")
    assert [task.kind for task in site.tasks] == [TaskKind.OPTED_OUT, TaskKind.OPTED_OUT]
