"""Work for staff in the chart: a Task, once, asked for and then done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.fhir_task import FhirTaskMode, build
from integration.domain.appointment import Slot
from integration.domain.staff_task import OF_THE_PATIENT, TaskKind, TaskOutcome
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, TryLater, Written
from integration.settings.model import WritingBack
from tests.adapters.ehr.charts import (
    START,
    admit,
    appointment,
    patient,
    reply,
    reply_fact,
    settled,
    staff_task,
    task_fact,
    tell,
    text_fact,
)
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact

DONE_AT = staff_task().created_at + timedelta(hours=2)


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.offers["Task"] = {"create", "update", "search-type"}
        admit(server)
        server.put({"resourceType": "Communication", "status": "completed"}, "r1")
        server.put({"resourceType": "Organization", "name": "Front desk"}, "desk")
        yield server


@pytest.fixture
def client(ehr: StrictEhr) -> Iterator[FhirClient]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield client
    client.close()


@pytest.fixture
def mode(client: FhirClient) -> FhirTaskMode:
    return build(tools(client))


def done(fact: Fact) -> Fact:
    assert fact.task is not None
    return replace(fact, task=replace(fact.task, done_at=DONE_AT))


def test_a_wish_to_cancel_is_a_task_about_the_visit_and_the_reply(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    _, outcome = tell(mode, task_fact())
    assert isinstance(outcome, Written)
    assert (outcome.patient_id, outcome.appointment_ids) == ("ana", ((9, "visit"),))
    (task,) = ehr.all("Task")
    assert (task["status"], task["intent"], task["priority"]) == ("requested", "order", "routine")
    assert task["code"] == {"text": "Patient wishes to cancel a visit"}
    assert task["focus"]["reference"] == "Communication/r1"
    assert task["for"]["reference"] == "Patient/ana"
    assert task["reasonReference"]["reference"] == "Appointment/visit"
    assert task["restriction"] == {"period": {"end": "2027-03-05T15:00:00Z"}}
    assert "+12025550123" not in str(task)


def test_when_it_is_done_the_task_is_completed(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    fact, _ = tell(mode, task_fact())
    _, outcome = tell(mode, done(fact))
    assert isinstance(outcome, Written)
    assert ehr.statuses("Task", outcome.ehr_id) == ["requested", "completed"]
    assert ehr.all("Task")[0]["executionPeriod"] == {"end": "2027-03-01T16:05:00Z"}


@pytest.mark.parametrize("conditional_create", [True, False])
def test_an_answer_that_got_lost_makes_no_second_task(
    ehr: StrictEhr, mode: FhirTaskMode, *, conditional_create: bool
) -> None:
    ehr.conditional_create = conditional_create
    ehr.faults.append(Fault("POST", "Task", after_storing=True))
    fact, outcome = tell(mode, task_fact())
    assert isinstance(outcome, Written)
    tell(mode, done(fact))
    assert [each["status"] for each in ehr.all("Task")] == ["completed"]


@pytest.mark.parametrize(
    ("theirs", "at_the_end"),
    [
        ("in-progress", "completed"),
        ("completed", "completed"),
        ("cancelled", "cancelled"),
        ("rejected", "rejected"),
        ("entered-in-error", "entered-in-error"),
    ],
)
def test_what_staff_did_with_it_in_the_ehr_stands(
    ehr: StrictEhr, mode: FhirTaskMode, theirs: str, at_the_end: str
) -> None:
    ehr.faults.append(Fault("POST", "Task", after_storing=True))
    asked = task_fact()
    lost = mode.write(asked)
    assert isinstance(lost, TryLater)
    (task,) = ehr.all("Task")
    ehr.put({**task, "status": theirs}, task["id"])
    fact, _ = tell(mode, settled(asked, lost))
    assert ehr.all("Task")[0]["status"] == theirs
    tell(mode, done(fact))
    assert ehr.all("Task")[0]["status"] == at_the_end


def test_somebody_elses_additions_stay(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    fact, _ = tell(mode, task_fact())
    (task,) = ehr.all("Task")
    ehr.put(
        {**task, "note": [{"text": "called, no answer"}], "businessStatus": {"text": "tried"}}, task["id"]
    )
    tell(mode, done(fact))
    (task,) = ehr.all("Task")
    assert (task["status"], task["note"]) == ("completed", [{"text": "called, no answer"}])
    assert task["businessStatus"] == {"text": "tried"}


@pytest.mark.parametrize("kind", sorted(OF_THE_PATIENT))
def test_every_kind_of_work_has_its_words_and_its_urgency(
    ehr: StrictEhr, mode: FhirTaskMode, kind: TaskKind
) -> None:
    tell(mode, task_fact(kind=kind))
    (task,) = ehr.all("Task")
    urgent = {TaskKind.URGENT_REPLY: "stat", TaskKind.CALL_PATIENT: "urgent"}
    assert task["priority"] == urgent.get(kind, "routine")
    assert task["code"]["text"]


def test_the_settings_name_who_gets_it(ehr: StrictEhr, client: FhirClient) -> None:
    mode = build(tools(client, WritingBack(staff_group="Organization/desk")))
    tell(mode, task_fact())
    assert ehr.all("Task")[0]["owner"]["reference"] == "Organization/desk"
    assert "Organization/desk" in mode.describe()


def test_work_without_a_visit_or_a_reply_in_the_chart_is_a_task_all_the_same(
    ehr: StrictEhr, mode: FhirTaskMode
) -> None:
    bare = replace(task_fact(due_at=None), appointments=(), reply=None, told=None)
    tell(mode, bare)
    (task,) = ehr.all("Task")
    assert task.keys().isdisjoint({"focus", "reasonReference", "restriction"})


def test_an_answer_left_to_staff_is_a_task_too(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    tell(mode, reply_fact(WriteBackKind.CONFIRMATION))
    (task,) = ehr.all("Task")
    assert task["code"] == {"text": "Patient confirmed a visit"}
    assert task["description"] == ("Answered by text message from …0123. Please note it in the schedule.")
    assert task["reasonReference"]["reference"] == "Appointment/visit"


def test_one_yes_to_several_visits_is_one_task_that_names_them_all(
    ehr: StrictEhr, mode: FhirTaskMode
) -> None:
    fact = reply_fact(WriteBackKind.CONFIRMATION)
    later = appointment(id=10, slot=Slot(START + timedelta(days=1)), resource={"resourceType": "Appointment"})
    tell(mode, replace(fact, appointments=(*fact.appointments, later)))
    (task,) = ehr.all("Task")
    assert task["description"].endswith(" And the visit of 2027-03-06 10:00 EST.")


def test_of_a_no_staff_have_been_asked_already(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    no = replace(reply_fact(WriteBackKind.CONFIRMATION), reply=reply(intent="cancel"))
    assert isinstance(mode.write(no), LeftOut)
    assert not ehr.all("Task")


def test_an_answer_about_a_visit_the_ehr_does_not_have_is_left_out(mode: FhirTaskMode) -> None:
    fact = reply_fact(WriteBackKind.CONFIRMATION)
    unknown = appointment(resource={"resourceType": "Appointment", "identifier": [{"value": "other"}]})
    assert isinstance(mode.write(replace(fact, appointments=(unknown,))), LeftOut)


def test_an_ehr_without_task_leaves_it_to_our_own_list(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    ehr.offers["Task"] = {"read", "search-type", "update"}
    assert isinstance(mode.write(task_fact()), LeftOut)
    assert not ehr.asked("POST", "Task")


def test_an_ehr_that_takes_no_updates_is_asked_once(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    ehr.offers["Task"] = {"create", "search-type"}
    fact, _ = tell(mode, task_fact())
    _, outcome = tell(mode, done(fact))
    assert isinstance(outcome, Written)
    assert ehr.statuses("Task", outcome.ehr_id) == ["requested"]


@pytest.mark.parametrize("kind", [TaskKind.WRITE_BACK, TaskKind.LINK_PATIENT, TaskKind.RELEASE])
def test_our_own_matters_are_no_task_of_theirs(mode: FhirTaskMode, kind: TaskKind) -> None:
    assert isinstance(mode.write(task_fact(kind=kind)), LeftOut)
    assert isinstance(mode.write(text_fact()), LeftOut)


def test_the_same_work_of_two_stores_is_two_tasks(ehr: StrictEhr, mode: FhirTaskMode) -> None:
    tell(mode, task_fact())
    tell(mode, task_fact(created_at=staff_task().created_at + timedelta(days=1)))
    assert len(ehr.all("Task")) == 2


def test_the_task_of_a_merged_record_is_the_survivors_and_still_one(
    ehr: StrictEhr, mode: FhirTaskMode
) -> None:
    fact, _ = tell(mode, task_fact())
    ehr.put({"resourceType": "Patient"}, "survivor")
    _, outcome = tell(mode, replace(done(fact), patient=patient(id=6, ehr_id="survivor")))
    assert isinstance(outcome, Written)
    assert [(each["status"], each["for"]["reference"]) for each in ehr.all("Task")] == [
        ("completed", "Patient/survivor")
    ]


def test_without_a_server_the_setting_is_named() -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        build(tools(None))


@pytest.mark.parametrize("outcome", TaskOutcome)
def test_the_chart_is_told_who_did_it_and_what_came_of_it(
    ehr: StrictEhr, mode: FhirTaskMode, outcome: TaskOutcome
) -> None:
    done = replace(
        staff_task(), done_at=DONE_AT, owner="Front desk", outcome=outcome, done_by="Rosa", note="Will come."
    )
    assert isinstance(mode.write(replace(task_fact(), task=done)), Written)

    (shown,) = ehr.all("Task")
    assert shown["owner"]["display"] == "Front desk"
    assert shown["output"][0]["valueString"]
    assert (shown["note"][0]["authorString"], shown["note"][0]["text"]) == ("Rosa", "Will come.")
