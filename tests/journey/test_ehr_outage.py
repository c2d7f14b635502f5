"""A thousand outcomes to a real FHIR server that dies, comes back, and loses answers: each is there once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fhir_mappers.outgoing import MESSAGE_SYSTEM
from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.domain.circuit import Circuit
from integration.domain.clock import wall_now
from integration.domain.text_message import Subject
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.pipeline.write_back import drain
from integration.sandbox.ehr import DemoEhr, seed
from tests.adapters.ehr import charts
from tests.adapters.ehr.lossy_proxy import LossyProxy, lossy
from tests.adapters.ehr.tooling import tools
from tests.journey.product import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.store import Store
    from tests.stores import StorePlace

pytestmark = pytest.mark.slow

TEXTS, FEWER, PATIENTS = 1000, 200, 8
OUTAGE = timedelta(minutes=20)


class Forward:
    """Both clocks run, and may be put forward: nobody sleeps through a backoff."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def wall(self) -> datetime:
        return wall_now() + self.ahead

    calendar = wall


class Site:
    """A store with texts to some patients, and what writes them to the EHR."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.clock = Forward()
        self.client = FhirClient(base_url)
        self.chart = Chart(tools(self.client, wall=self.clock.wall))
        self.circuit = Circuit()
        self.jitter = random.Random(7).random  # noqa: S311 - jitter
        self.written = 0
        self.when: dict[int, Callable[[], None]] = {}  # after so many facts were offered to the EHR
        self.texts: list[tuple[int, int]] = []

    def write(self, fact: Fact) -> WriteOutcome:
        self.written += 1
        self.when.pop(self.written, lambda: None)()
        return self.chart.write(fact)

    name = "chart"

    def describe(self) -> str:
        return self.chart.describe()

    def open(self, count: int) -> None:
        """The same patients here as there, each with texts that have been sent."""
        with self.store.unit() as unit:
            whose = [
                unit.patients.save(
                    charts.patient(id=0, identifiers=(f"{charts.MRN}|{number}",), resource=person(number))
                ).id
                for number in range(PATIENTS)
            ]
            for number in range(count):
                patient_id = whose[number % PATIENTS]
                text = charts.text(
                    id=0, subjects=(Subject(patient_id, None),), provider_id=f"SM{number:06}", **charts.SENT
                )
                self.texts.append((unit.texts.add(text).id, patient_id))
        self.tell()

    def tell(self, **changes: Any) -> None:
        """News of every text."""
        with self.store.unit() as unit:
            for text_id, patient_id in self.texts:
                if changes:
                    unit.texts.update(replace(unit.texts.get(text_id), **changes))
                unit.write_backs.want(WriteBackKind.TEXT, text_id, patient_id)

    def drain(self) -> int:
        return drain(self.store, self, self.clock, self.jitter, self.circuit)

    def count(self, state: WriteBackState) -> int:
        with self.store.reading() as unit:
            return unit.write_backs.count(state)

    def drain_all(self, stuck: Callable[[], None] = lambda: None) -> None:
        """Until nothing waits; when nothing can be done now, time is put forward."""
        while self.count(WriteBackState.PENDING):
            if not self.drain():
                stuck()
                self.clock.ahead += timedelta(minutes=1)


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[DemoEhr]:
    ehr = DemoEhr(tmp_path / "ehr", free_port())
    fill(ehr.start())
    yield ehr
    ehr.stop()


@pytest.fixture
def store(sqlite_place: StorePlace) -> Iterator[Store]:
    store = sqlite_place.open()
    yield store
    store.close()


def fill(base_url: str) -> None:
    """A chart for each patient."""
    seed(base_url, [person(number) for number in range(PATIENTS)])


def person(number: int) -> dict[str, Any]:
    """One of several who are alike but for their number."""
    return {**charts.ANA, "identifier": [{"system": charts.MRN, "value": str(number)}]}


def communications(base_url: str) -> list[dict[str, Any]]:
    """All of them, page by page."""
    found: list[dict[str, Any]] = []
    url: str | None = f"{base_url}/Communication?_count=200"
    with httpx.Client(trust_env=False, timeout=60) as http:
        while url:
            bundle = http.get(url).raise_for_status().json()
            found += [entry["resource"] for entry in bundle.get("entry", ())]
            url = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), None)
    return found


def check_each_is_there_once(base_url: str, site: Site) -> None:
    found = communications(base_url)
    ours = Counter(
        each["value"]
        for communication in found
        for each in communication["identifier"]
        if each["system"] == MESSAGE_SYSTEM
    )
    assert len(found) == len(site.texts)
    assert set(ours.values()) == {1}
    assert Counter(each["status"] for each in found) == {"completed": len(found)}
    assert site.count(WriteBackState.WRITTEN) == len(found)
    with site.store.reading() as unit:
        known = {
            row.ehr_id
            for text_id, patient_id in site.texts
            if (row := unit.write_backs.find(WriteBackKind.TEXT, text_id, patient_id)) is not None
        }
        assert known == {each["id"] for each in found}
        assert unit.tasks.open() == []  # nobody was troubled


def test_the_server_dies_and_comes_back_in_the_middle_of_a_thousand(ehr: DemoEhr, store: Store) -> None:
    base_url = ehr.expected_url
    site = Site(store, base_url)
    site.open(TEXTS)
    down = Event()

    def kill() -> None:
        """Beside the request that is under way; its process ends at once, whatever it is at."""
        down.set()
        Thread(target=ehr.stop).start()

    def come_back() -> None:
        """After an outage; the texts have been delivered meanwhile, those told of and the others."""
        if not down.is_set():
            return
        for _ in range(4):
            site.clock.ahead += OUTAGE
            site.drain()
        ehr.stop()
        ehr.start()
        down.clear()
        site.tell(**charts.DELIVERED)

    site.when = dict.fromkeys((137, 701, 1203), kill)
    site.drain_all(come_back)
    site.client.close()
    assert not site.when  # it died three times
    check_each_is_there_once(base_url, site)


@pytest.mark.parametrize("conditional_creates", [True, False])
def test_answers_that_get_lost_make_no_second_communication(
    ehr: DemoEhr,
    store: Store,
    conditional_creates: bool,  # noqa: FBT001 - both kinds of server
) -> None:
    upstream = ehr.expected_url
    with lossy(LossyProxy(upstream, loses_every=9, conditional_creates=conditional_creates)) as proxy:
        site = Site(store, proxy.base_url)
        site.open(FEWER)
        site.when = {120: lambda: site.tell(**charts.DELIVERED)}
        site.drain_all()
        site.client.close()
        assert (proxy.creates, proxy.lost) == (FEWER, FEWER // 9)
    check_each_is_there_once(upstream, site)
