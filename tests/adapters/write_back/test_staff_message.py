"""Work for staff of an EHR without Task: one message to a group, once."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.staff_message import StaffMessageMode, build
from integration.domain.staff_task import TaskKind
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NotWritable, Written
from integration.settings.model import WritingBack
from tests.adapters.ehr.charts import START, admit, reply_fact, task_fact, tell, text_fact
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = WritingBack(staff_group="Group/1568", staff_sender="Practitioner/593923")
LOST_ANSWER = Fault("POST", "Communication", after_storing=True)


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.put({"resourceType": "Group", "type": "practitioner", "actual": True}, "1568")
        server.put({"resourceType": "Practitioner"}, "593923")
        admit(server)
        yield server


@pytest.fixture
def mode(ehr: StrictEhr) -> Iterator[StaffMessageMode]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield build(tools(client, SETTINGS))
    client.close()


def words(message: dict[str, Any]) -> str:
    (payload,) = message["payload"]
    return b64decode(payload["contentAttachment"]["data"]).decode()


def test_a_group_is_told_what_is_asked_and_of_whom(ehr: StrictEhr, mode: StaffMessageMode) -> None:
    _, outcome = tell(mode, task_fact())
    assert isinstance(outcome, Written)
    (message,) = ehr.all("Communication")
    assert message["recipient"] == [{"reference": "Group/1568", "type": "Group"}]
    assert message["sender"]["reference"] == "Practitioner/593923"
    assert message["subject"]["reference"] == "Patient/ana"
    assert (message["status"], message["priority"]) == ("completed", "routine")
    assert words(message) == (
        "Patient wishes to cancel a visit. The patient cannot come. Nothing was cancelled. "
        "Due 2027-03-05 10:00 EST."
    )


def test_an_emergency_is_urgent(ehr: StrictEhr, mode: StaffMessageMode) -> None:
    tell(mode, task_fact(kind=TaskKind.URGENT_REPLY))
    assert ehr.all("Communication")[0]["priority"] == "urgent"


def test_when_it_is_done_nobody_is_told_again(ehr: StrictEhr, mode: StaffMessageMode) -> None:
    fact, first = tell(mode, task_fact())
    assert fact.task is not None
    _, again = tell(mode, replace(fact, task=replace(fact.task, done_at=START)))
    assert isinstance(first, Written)
    assert isinstance(again, Written)
    assert again.ehr_id == first.ehr_id
    assert [len(ehr.statuses("Communication", first.ehr_id))] == [1]


def test_what_was_done_before_the_ehr_could_hear_of_it_is_no_message(
    ehr: StrictEhr, mode: StaffMessageMode
) -> None:
    assert isinstance(mode.write(task_fact(done_at=START)), LeftOut)
    assert not ehr.all("Communication")


@pytest.mark.parametrize("conditional_create", [True, False])
def test_an_answer_that_got_lost_makes_no_second_message(
    ehr: StrictEhr, mode: StaffMessageMode, *, conditional_create: bool
) -> None:
    ehr.conditional_create = conditional_create
    ehr.faults.append(LOST_ANSWER)
    _, outcome = tell(mode, task_fact())
    assert isinstance(outcome, Written)
    assert len(ehr.all("Communication")) == 1


def test_where_it_cannot_be_looked_for_a_person_is_told_and_nothing_is_sent_twice(
    ehr: StrictEhr, mode: StaffMessageMode
) -> None:
    """Oracle: no conditional create, and no search by identifier; so the message carries none either."""
    ehr.conditional_create = False
    ehr.offers["Communication"] = {"create"}
    ehr.faults.append(LOST_ANSWER)
    lost = task_fact()
    outcome = mode.write(lost)
    assert isinstance(outcome, NotWritable)
    assert outcome.doubtful
    reopened = replace(lost, row=replace(lost.row, mode=mode.name))  # a person asked for it once more
    assert isinstance(mode.write(reopened), NotWritable)
    (message,) = ehr.all("Communication")
    assert "identifier" not in message


def test_an_answer_left_to_staff_is_a_message_too(ehr: StrictEhr, mode: StaffMessageMode) -> None:
    tell(mode, reply_fact(WriteBackKind.CONFIRMATION))
    (message,) = ehr.all("Communication")
    assert words(message) == (
        "Patient confirmed a visit. Answered by text message from …0123. Please note it in the schedule. "
        "Due 2027-03-05 10:00 EST."
    )


def test_an_ehr_that_takes_none_leaves_it_to_our_own_list(ehr: StrictEhr, mode: StaffMessageMode) -> None:
    ehr.offers["Communication"] = {"read"}
    assert isinstance(mode.write(task_fact()), LeftOut)


@pytest.mark.parametrize("kind", [TaskKind.WRITE_BACK, TaskKind.LINK_PATIENT])
def test_our_own_matters_are_no_message(mode: StaffMessageMode, kind: TaskKind) -> None:
    assert isinstance(mode.write(task_fact(kind=kind)), LeftOut)
    assert isinstance(mode.write(text_fact()), LeftOut)


def test_without_a_server_or_a_group_the_setting_is_named(ehr: StrictEhr) -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        build(tools(None, SETTINGS))
    client = FhirClient(ehr.base_url)
    with pytest.raises(ValueError, match="staff_group"):
        build(tools(client))
    client.close()
