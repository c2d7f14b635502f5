"""The outbox and the documents together: our own listener as the EHR comes and goes, and workers die."""

from __future__ import annotations

import asyncio
import itertools
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar

import pytest

from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings, MllpServer
from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.hl7_sender import Line, MllpSender
from integration.adapters.ehr.one_at_a_time import OneAtATime
from integration.domain.circuit import Circuit
from integration.domain.text_message import Subject
from integration.domain.write_back import LONGEST_RETRY, WriteBackKind, WriteBackState
from integration.pipeline.write_back import LEASE, write_next
from integration.ports.ehr import TryLater
from integration.settings.model import WritingBack
from tests.adapters.ehr import charts
from tests.adapters.ehr.partners_chart import KEYS, documents, port, words
from tests.adapters.ehr.tooling import tools
from tests.listener.fakes import NOON, MemoryInbox
from tests.site import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.store import Store

_Result = TypeVar("_Result")
TEXTS = 20
PATIENCE = 60.0


class Ehr:
    """Our own listener on a thread of its own; what it has kept stays when it is killed."""

    def __init__(self) -> None:
        self.inbox = MemoryInbox()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: MllpServer | None = None
        self._commit: GroupCommit | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def start(self) -> None:
        """On the port it had before."""
        self.port = self._run(self._start())

    def kill(self) -> None:
        """Answer nobody any more."""
        self._run(self._kill())

    async def _start(self) -> int:
        self._commit = GroupCommit(self.inbox)
        ids = itertools.count(1)
        self._server = MllpServer(
            ListenerSettings("ehr", port=self.port), self._commit, lambda: NOON, lambda: f"EHR{next(ids)}"
        )
        return (await self._server.start())[1]

    async def _kill(self) -> None:
        if self._server is not None and self._commit is not None:
            await self._server.stop(0)
            await self._commit.settled()
            self._server = None

    def _run(self, work: Coroutine[object, object, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


class Died(BaseException):
    """The worker is no more."""


@dataclass
class Mortal:
    """A chart whose worker dies now and then, after the EHR has answered and before anybody has noted it."""

    chart: Chart
    every: int
    name: str = "chart"
    written: int = 0

    def write(self, fact: Fact) -> WriteOutcome:
        """As the chart does, if it lives."""
        outcome = self.chart.write(fact)
        self.written += 1
        if self.every and self.written % self.every == 0:
            raise Died
        return outcome

    def describe(self) -> str:
        """As the chart."""
        return self.chart.describe()


@dataclass
class Site:
    """A store with texts to Ana, and what tells an EHR of them."""

    store: Store
    mode: Mortal
    clock: TurnedClock = field(default_factory=lambda: TurnedClock(charts.CREATED))
    circuit: Circuit = field(default_factory=Circuit)

    def __post_init__(self) -> None:
        with self.store.unit() as unit:
            ana = unit.patients.save(charts.patient(id=0, identifiers=KEYS))
            self.patient_id = ana.id
            self.visits: dict[int, int] = {}  # text → its visit
            for number in range(TEXTS):
                keys = (f"SCH-2|SCHED|A-{number:02}|", f"PV1-19|CSN|{number:02}|")
                visit = unit.appointments.save(
                    charts.appointment(id=0, patients=(ana.id,), identifiers=keys, confirmed=True)
                )
                text = unit.texts.add(
                    charts.text(
                        id=0,
                        subjects=(Subject(ana.id, visit.id),),
                        provider_id=f"SM{number}",
                        body=f"Text {number:02}|^~\\&",
                    )
                )
                self.visits[text.id] = visit.id

    def tell(self, **changes: object) -> None:
        """News about every text."""
        with self.store.unit() as unit:
            for text_id in self.visits:
                unit.texts.update(replace(unit.texts.get(text_id), **changes))  # type: ignore[arg-type]
                unit.write_backs.want(WriteBackKind.TEXT, text_id, self.patient_id)

    def hear_replies(self) -> None:
        """Ana answers each text."""
        for number, (text_id, visit_id) in enumerate(self.visits.items()):
            with self.store.unit() as unit:
                heard = charts.reply(id=0, done=False, text_id=None, patient_id=None, appointment_id=None)
                unit.replies.add(replace(heard, provider_id=f"SM9{number}"))
                reply = unit.replies.claim()
                assert reply is not None
                unit.replies.update(
                    replace(
                        reply,
                        text_id=text_id,
                        patient_id=self.patient_id,
                        appointment_id=visit_id,
                        intent="confirm",
                        done=True,
                    )
                )
                for kind in (WriteBackKind.REPLY, WriteBackKind.CONFIRMATION):
                    unit.write_backs.want(kind, reply.id, self.patient_id)

    def pending(self) -> int:
        with self.store.unit() as unit:
            return unit.write_backs.count(WriteBackState.PENDING)

    def work(self, steps: int) -> int:
        """So many facts at most, by workers that are replaced when they die; how many there were."""
        for step in range(steps):
            try:
                if not write_next(self.store, self.mode, self.clock, lambda: 0.5, self.circuit):
                    return step
            except Died:
                continue
        return steps

    def let_time_pass(self) -> None:
        """Leases end, and everything is due again."""
        self.clock.now += max(LEASE, LONGEST_RETRY) * 2


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with Ehr() as listening:
        yield listening


@pytest.fixture(params=["srm", "siu"])
def site(request: pytest.FixtureRequest, store: Store, ehr: Ehr) -> Iterator[Site]:
    clock = TurnedClock(charts.CREATED)
    sender = OneAtATime(MllpSender(Line("127.0.0.1", ehr.port, "accept", 5.0)), clock.wall)
    settings = WritingBack(texts="mdm", answers=request.param, hl7=port(ehr.port))
    yield Site(store, Mortal(Chart(tools(None, settings, partner=sender)), every=7), clock)
    sender.rest()


@pytest.mark.slow
def test_an_ehr_that_comes_and_goes_files_everything_once_and_in_order(site: Site, ehr: Ehr) -> None:
    site.tell(**charts.SENT)
    site.work(TEXTS // 2)
    ehr.kill()  # in the middle of a connection
    site.work(5)
    site.tell(**charts.DELIVERED)
    site.hear_replies()
    site.let_time_pass()
    site.work(5)
    ehr.start()
    for _ in range(20):
        site.let_time_pass()
        site.work(TEXTS)
        if site.work(10 * TEXTS) < TEXTS:
            ehr.kill()
            ehr.start()
    assert site.pending() == 0
    assert site.mode.written > 4 * TEXTS  # some were told again after their worker had died
    told = documents([message.payload for message in ehr.inbox.kept])
    texts = [each for each in told if each["MSH-9.1"] == "MDM" and not each["TXA-13.1"]]
    assert sorted(words(each)[1] for each in texts) == [f"Text {number:02}|^~\\&" for number in range(TEXTS)]
    for original in texts:
        about = [each for each in told if original["TXA-12.1"] in (each["TXA-12.1"], each["TXA-13.1"])]
        assert [words(each)[-1].split(" ")[0] for each in about] == ["Text", "Delivered", "Understood"]
    answers = [each for each in told if each["MSH-9.1"] != "MDM"]
    named = [each["ARQ-2.1"] or each["SCH-2.1"] for each in answers]
    assert sorted(named) == [f"A-{number:02}" for number in range(TEXTS)]
    assert {each["MSH-9.2"] for each in answers} in ({"S03"}, {"S14"})
    with site.store.unit() as unit:
        assert unit.write_backs.count(WriteBackState.WRITTEN) == 3 * TEXTS
        assert not unit.tasks.open()


@pytest.mark.slow
def test_a_day_of_outage_costs_no_document_and_little_knocking(site: Site, ehr: Ehr) -> None:
    site.mode.every = 0
    ehr.kill()
    site.tell(**charts.SENT)
    knocks = 0
    for _ in range(48):
        site.clock.now += timedelta(minutes=30)
        knocks += site.work(10 * TEXTS)
    assert knocks <= 2 * 48
    ehr.start()
    for _ in range(3):
        site.let_time_pass()
        site.work(10 * TEXTS)
    assert site.pending() == 0
    assert len(ehr.inbox.kept) == TEXTS
    assert [each["MSH-9.2"] for each in documents([m.payload for m in ehr.inbox.kept])] == ["T02"] * TEXTS


def test_a_fhir_server_that_is_away_keeps_no_document_waiting(store: Store, ehr: Ehr) -> None:
    """It may be there for reading alone; work for it waits."""
    clock = TurnedClock(charts.CREATED)
    sender = OneAtATime(MllpSender(Line("127.0.0.1", ehr.port, "accept", 5.0)), clock.wall)
    away = FhirClient("http://127.0.0.1:9/fhir")
    chart = Chart(tools(away, WritingBack(texts="mdm", hl7=port(ehr.port)), partner=sender))
    site = Site(store, Mortal(chart, every=0), clock)
    site.tell(**charts.SENT)
    assert site.work(10 * TEXTS) == TEXTS
    assert site.pending() == 0
    assert isinstance(chart.write(charts.reply_fact(WriteBackKind.CONFIRMATION)), TryLater)
    sender.rest()
    away.close()
