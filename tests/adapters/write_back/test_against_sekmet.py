"""Consent, Task, AppointmentResponse, participant status: on a real FHIR server that checks what it gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back import (
    appointment_response,
    fhir_consent,
    fhir_task,
    participant_status,
    staff_message,
)
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import Written
from integration.sandbox.ehr import DemoEhr, seed
from integration.settings.model import WritingBack
from tests.adapters.ehr.charts import ANA, VISIT, reply_fact, staff_task, task_fact, tell, wish_fact
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.ehr.tools import Tools
    from integration.ports.ehr import Fact, WriteBackMode

pytestmark = pytest.mark.slow

OPEN = {**VISIT, "participant": [{"actor": {"reference": "Patient/ana"}, "status": "needs-action"}]}


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ehr = DemoEhr(tmp_path_factory.mktemp("ehr"))
    yield ehr.start()
    ehr.stop()


@pytest.fixture(scope="module")
def known(base_url: str) -> tuple[str, str]:
    """Ana's chart and her visit there."""
    patients, visits = seed(base_url, [{**ANA, "id": "ana"}], [OPEN])
    return patients[0], visits[0]


@pytest.fixture
def site(base_url: str) -> Iterator[Tools]:
    client = FhirClient(base_url)
    yield tools(client, WritingBack(staff_group="Group/front-desk"))
    client.close()


def written(mode: WriteBackMode, fact: Fact) -> tuple[Fact, Written]:
    fact, outcome = tell(mode, fact)
    assert isinstance(outcome, Written), outcome
    return fact, outcome


def stored(base_url: str, kind: str, resource_id: str) -> dict[str, Any]:
    answer = httpx.get(f"{base_url}/{kind}/{resource_id}", trust_env=False)
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


def assert_valid(base_url: str, resource: dict[str, Any]) -> None:
    """The server's own $validate finds no fault."""
    answer = httpx.post(
        f"{base_url}/{resource['resourceType']}/$validate",
        json=resource,
        headers={"Content-Type": "application/fhir+json"},
        trust_env=False,
    )
    said = [issue for issue in answer.json().get("issue", ()) if issue["severity"] in {"error", "fatal"}]
    assert (answer.status_code, said) == (200, [])


@pytest.mark.usefixtures("known")
def test_a_stop_and_its_end(base_url: str, site: Tools) -> None:
    mode = fhir_consent.build(site)
    stop, _ = written(mode, wish_fact())
    start = wish_fact("start")
    _, permits = written(mode, replace(start, row=replace(start.row, subject_id=8)))
    _, denies = written(mode, replace(stop, in_force=False))

    shown = [stored(base_url, "Consent", each.ehr_id) for each in (denies, permits)]
    assert [(each["status"], each["provision"]["type"]) for each in shown] == [
        ("inactive", "deny"),
        ("active", "permit"),
    ]
    for each in shown:
        assert_valid(base_url, each)


def test_work_for_staff_and_its_end(base_url: str, site: Tools, known: tuple[str, str]) -> None:
    mode = fhir_task.build(site)
    asked, _ = written(mode, task_fact())
    _, again = written(mode, task_fact())
    done = replace(asked, task=staff_task(done_at=staff_task().created_at + timedelta(hours=2)))
    _, last = written(mode, done)

    task = stored(base_url, "Task", last.ehr_id)
    assert again.ehr_id == last.ehr_id
    assert (task["status"], task["for"]["reference"]) == ("completed", f"Patient/{known[0]}")
    assert task["restriction"]["recipient"][0]["reference"] == "Group/front-desk"
    assert_valid(base_url, task)


def test_a_message_to_staff(base_url: str, site: Tools, known: tuple[str, str]) -> None:
    later = task_fact(created_at=staff_task().created_at + timedelta(days=1))
    _, sent = written(staff_message.build(site), later)
    message = stored(base_url, "Communication", sent.ehr_id)
    assert message["subject"]["reference"] == f"Patient/{known[0]}"
    assert_valid(base_url, message)


def test_a_yes_in_two_ways(base_url: str, site: Tools, known: tuple[str, str]) -> None:
    yes = reply_fact(WriteBackKind.CONFIRMATION)
    before = stored(base_url, "Appointment", known[1])
    _, response = written(appointment_response.build(site), yes)
    mode = participant_status.build(site)
    told, first = written(mode, yes)
    _, again = written(mode, told)

    assert stored(base_url, "AppointmentResponse", response.ehr_id)["participantStatus"] == "accepted"
    after = stored(base_url, "Appointment", known[1])
    assert first == again
    assert after["participant"][0]["status"] == "accepted"
    assert {**after, "participant": [], "meta": {}} == {**before, "participant": [], "meta": {}}
    assert_valid(base_url, after)
