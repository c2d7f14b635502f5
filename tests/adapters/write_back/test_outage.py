"""The outbox and the FHIR mode together: an EHR that was down is told everything once, as it is by then."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.domain.circuit import Circuit
from integration.domain.text_message import Subject
from integration.domain.write_back import LONGEST_RETRY, WriteBackKind, WriteBackState
from integration.pipeline.write_back import drain
from integration.testing.store import FakeStore
from tests.adapters.ehr import charts
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools
from tests.site import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = 12


class Site:
    """A store with texts to Ana, and what writes them to an EHR that comes and goes."""

    def __init__(self, base_url: str) -> None:
        self.client = FhirClient(base_url, timeout=httpx.Timeout(2, read=0.3))
        self.clock = TurnedClock(charts.CREATED)
        self.mode = Chart(tools(self.client, wall=self.clock.wall))
        self.store = FakeStore()
        self.circuit = Circuit()
        with self.store.unit() as unit:
            ana = unit.patients.save(charts.patient(id=0))
            visit = unit.appointments.save(charts.appointment(id=0, patients=(ana.id,)))
            self.patient_id = ana.id
            subjects = (Subject(ana.id, visit.id),)
            self.text_ids = [
                unit.texts.add(charts.text(id=0, subjects=subjects, provider_id=f"SM{number}")).id
                for number in range(TEXTS)
            ]

    def tell(self, **changes: object) -> None:
        """News about every text."""
        with self.store.unit() as unit:
            for text_id in self.text_ids:
                unit.texts.update(replace(unit.texts.get(text_id), **changes))  # type: ignore[arg-type]
                unit.write_backs.want(WriteBackKind.TEXT, text_id, self.patient_id)

    def work(self, rounds: int = 1) -> None:
        """Write what is due, and let time pass, so many times."""
        for _ in range(rounds):
            drain(self.store, self.mode, self.clock, lambda: 0.5, self.circuit)
            self.clock.now += LONGEST_RETRY * 2

    def pending(self) -> int:
        with self.store.unit() as unit:
            return unit.write_backs.count(WriteBackState.PENDING)


@pytest.fixture
def ehr() -> StrictEhr:
    ehr = StrictEhr()
    charts.admit(ehr)
    return ehr


@pytest.fixture
def site(ehr: StrictEhr) -> Iterator[Site]:
    with listening(ehr):
        site = Site(ehr.base_url)
    yield site
    site.client.close()


def test_down_entirely_and_back(ehr: StrictEhr, site: Site) -> None:
    port = urlsplit(ehr.base_url).port or 0
    site.tell()
    with listening(ehr, port):
        site.work()
    site.tell(**charts.SENT)
    site.work(rounds=5)
    assert site.pending() == TEXTS
    site.tell(**charts.DELIVERED)
    site.work(rounds=5)
    with listening(ehr, port):
        site.work(rounds=3)
    assert site.pending() == 0
    communications = ehr.all("Communication")
    assert [each["status"] for each in communications] == ["completed"] * TEXTS
    for each in communications:  # news coalesces: what is written is the newest truth
        assert ehr.statuses("Communication", each["id"]) == ["preparation", "completed"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("conditional_create", [True, False])
def test_a_bad_day_at_the_ehr(ehr: StrictEhr, site: Site, seed: int, *, conditional_create: bool) -> None:
    dice = random.Random(seed)  # noqa: S311 - a story, not a secret
    ehr.conditional_create = conditional_create
    ehr.search_lag = dice.choice([0, 1])
    ehr.conflict_status = dice.choice([409, 412])
    with listening(ehr, urlsplit(ehr.base_url).port or 0):
        for news in ({}, charts.SENT, charts.DELIVERED):
            for _ in range(dice.randrange(8)):
                method, kind = dice.choice(
                    [("POST", "Communication"), ("PUT", "Communication"), ("GET", "Patient")]
                )
                status = dice.choice([0, 429, 500, 502, 503, 504])
                ehr.faults.append(
                    Fault(method, kind, status, after_storing=status != 429 and dice.random() < 0.5)
                )
            site.tell(**news)
            site.work(rounds=2)
        ehr.faults.clear()
        site.work(rounds=6)
    assert site.pending() == 0
    communications = ehr.all("Communication")
    assert [each["status"] for each in communications] == ["completed"] * TEXTS
    ours = {each["identifier"][0]["value"] for each in communications}
    assert len(ours) == TEXTS


def test_an_outage_of_a_day_costs_few_requests(ehr: StrictEhr, site: Site) -> None:
    with listening(ehr, urlsplit(ehr.base_url).port or 0):
        site.mode.write(charts.text_fact())  # the statement is read before the outage begins
        before = len(ehr.seen)
        ehr.faults.extend(Fault("GET", "Patient", 503) for _ in range(10_000))
        site.tell()
        day = site.clock.now + timedelta(days=1)
        while site.clock.now < day:
            drain(site.store, site.mode, site.clock, lambda: 0.5, site.circuit)
            site.clock.now += timedelta(minutes=1)
        assert len(ehr.seen) - before < 200
