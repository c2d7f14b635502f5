"""The sandbox EHR is a real FHIR server: the same adapter that serves a site writes into it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from fhir_mappers.v2_to_fhir import translate
from integration.adapters.chart import Chart
from integration.adapters.ehr.capabilities import Abilities, Capabilities
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.linking import Linker
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.ports.ehr import Written
from integration.sandbox.ehr import DemoEhr, SandboxEhrUnavailable, seed
from integration.sandbox.feed import SampleFeed
from tests import settings
from tests.adapters.ehr import charts
from tests.adapters.ehr.charts import ANA, DELIVERED, SENT, VISIT, reply_fact, text_fact
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ehr = DemoEhr(tmp_path_factory.mktemp("ehr"))
    yield ehr.start()
    ehr.stop()


@pytest.fixture
def client(base_url: str) -> Iterator[FhirClient]:
    client = FhirClient(base_url)
    yield client
    client.close()


@pytest.fixture
def mode(client: FhirClient) -> Chart:
    return Chart(tools(client))


def written(mode: Chart, fact: Fact) -> tuple[Fact, Written]:
    outcome = mode.write(fact)
    assert isinstance(outcome, Written), outcome
    row = replace(fact.row, ehr_id=outcome.ehr_id, ehr_version=outcome.version)
    return replace(fact, row=row), outcome


def test_a_text_its_reply_and_the_answer_reach_the_chart(
    base_url: str, client: FhirClient, mode: Chart
) -> None:
    patients, visits = seed(base_url, [{**ANA, "id": "ana"}], [VISIT])
    assert seed(base_url, [{**ANA, "id": "ana"}], [VISIT]) == (patients, visits)

    fact, first = written(mode, text_fact())
    assert (first.patient_id, first.appointment_ids) == (patients[0], ((9, visits[0]),))
    _, again = written(mode, text_fact())  # as after a crash before we noted it
    assert again.ehr_id == first.ehr_id
    text = fact.text
    assert text is not None
    fact, _ = written(mode, replace(fact, text=replace(text, **SENT)))
    stale = replace(fact, row=replace(fact.row, ehr_version="1"))
    _, last = written(mode, replace(stale, text=replace(text, **DELIVERED)))

    told = WriteBack(1, WriteBackKind.TEXT, 17, 4, ehr_id=first.ehr_id)
    _, answer = written(mode, reply_fact(answered=told))
    _, response = written(mode, reply_fact(WriteBackKind.CONFIRMATION))

    def stored(kind: str, resource_id: str) -> dict[str, object]:
        answer = httpx.get(f"{base_url}/{kind}/{resource_id}", trust_env=False)
        body: dict[str, object] = answer.raise_for_status().json()
        return body

    communication = stored("Communication", first.ehr_id)
    assert (communication["status"], last.version) == ("completed", "3")
    assert communication["subject"] == {"reference": f"Patient/{patients[0]}", "type": "Patient"}
    about = {"reference": f"Appointment/{visits[0]}", "type": "Appointment"}
    assert communication["about"] == [about]
    in_response_to = {"reference": f"Communication/{first.ehr_id}", "type": "Communication"}
    assert stored("Communication", answer.ehr_id)["inResponseTo"] == [in_response_to]
    assert stored("AppointmentResponse", response.ehr_id)["participantStatus"] == "accepted"
    listed = client.search("Communication", {"patient": patients[0]})
    assert len(getattr(listed, "resources", ())) == 2


def test_the_people_of_the_sample_feed_and_their_visits_are_found_there(
    base_url: str, client: FhirClient
) -> None:
    now = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
    feed = settings.feed()
    told = [
        translate(message, feed.vendor, feed.facts) for message in SampleFeed(now, settings.ZONE).booked()
    ]
    mapped = [(each.appointment, each.patients[0]) for each in told if each.appointment is not None]
    seeded = seed(
        base_url, [person.resource for _, person in mapped], [visit.resource for visit, _ in mapped]
    )
    linker = Linker(client)
    people = [
        linker.patient(charts.patient(family=who.family, birth_date=who.birth_date, resource=who.resource))
        for _, who in mapped
    ]
    assert people == seeded[0]
    visits = [
        linker.appointment(charts.appointment(resource=visit.resource), {chart})
        for (visit, _), chart in zip(mapped, seeded[0], strict=True)
    ]
    assert visits == seeded[1]
    assert len(set(visits)) == len(told)


def test_it_offers_all_we_ask_of_an_ehr(client: FhirClient) -> None:
    everything = Abilities(
        create=True,
        update=True,
        search=True,
        find=True,
        read=True,
        patch=True,
        conditional_create=True,
        versioned_update=True,
    )
    capabilities = Capabilities(client)
    assert capabilities.of("Communication") == everything
    assert capabilities.of("AppointmentResponse") == everything


def test_it_keeps_its_charts_and_its_place_when_it_is_started_again(tmp_path: Path) -> None:
    ids, urls, port = [], [], 0
    for _ in range(2):
        ehr = DemoEhr(tmp_path, port)
        try:
            urls.append(ehr.start())
            port = urlsplit(urls[0]).port or 0
            ids.append(seed(urls[-1], [ANA])[0])
        finally:
            ehr.stop()
    assert ids[0] == ids[1]
    assert urls == [urls[0], DemoEhr(tmp_path, port).expected_url]


def test_it_ends_with_whoever_started_it_even_by_kill(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from integration.sandbox.ehr import DemoEhr;"
        "DemoEhr(Path(sys.argv[1])).start(); print('ready', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_without_sekmet_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = tmp_path / "shadow" / "sekmet"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(shadow.parent))
    with pytest.raises(SandboxEhrUnavailable, match=r"pip install 'appointment-texts\[demo\]'"):
        DemoEhr(tmp_path / "data").start()
