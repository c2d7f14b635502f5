"""Work for staff, as a Task and as a message to them."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.R4B.task import Task

from fhir_mappers.task import Priority, StaffWork, staff_message, task

OPENED = datetime(2027, 3, 1, 14, 5, tzinfo=UTC)
WORK = StaffWork(
    "task-7-4-1",
    "ana",
    "Riverside Clinic",
    what="Patient wishes to cancel a visit",
    why="The patient cannot come. Nothing was cancelled.",
    opened=OPENED,
    due=datetime(2027, 3, 5, 10, 0, tzinfo=ZoneInfo("America/New_York")),
    appointment_id="visit",
    communication_id="c-9",
    staff="Organization/front-desk",
)


def built(**changes: Any) -> dict[str, Any]:
    return task(replace(WORK, **changes))


def message(**changes: Any) -> dict[str, Any]:
    return staff_message(replace(WORK, **changes), identified=True)


def words(shown: dict[str, Any]) -> str:
    return b64decode(shown["payload"][0]["contentAttachment"]["data"]).decode()


def test_a_task_asks_staff_for_something_about_a_patient_before_the_visit() -> None:
    assert task(WORK) == {
        "resourceType": "Task",
        "identifier": [{"system": "urn:appointment-texts:message", "value": "task-7-4-1"}],
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"text": "Patient wishes to cancel a visit"},
        "description": "The patient cannot come. Nothing was cancelled.",
        "focus": {"reference": "Communication/c-9", "type": "Communication"},
        "for": {"reference": "Patient/ana", "type": "Patient"},
        "authoredOn": "2027-03-01T14:05:00Z",
        "lastModified": "2027-03-01T14:05:00Z",
        "requester": {"type": "Organization", "display": "Riverside Clinic"},
        "owner": {"reference": "Organization/front-desk", "type": "Organization"},
        "reasonReference": {"reference": "Appointment/visit", "type": "Appointment"},
        "restriction": {"period": {"end": "2027-03-05T15:00:00Z"}},
    }


def test_what_is_done_is_completed() -> None:
    done = built(done=OPENED + timedelta(hours=2))
    assert done["status"] == "completed"
    assert done["executionPeriod"] == {"end": "2027-03-01T16:05:00Z"}
    assert done["lastModified"] == "2027-03-01T16:05:00Z"


def test_what_came_of_it_and_who_did_it_is_told() -> None:
    hours = timedelta(hours=2)
    done = built(
        done=OPENED + hours,
        queue="Front desk",
        outcome="The patient was reached",
        done_by="Rosa",
        note="Will come.",
    )
    assert done["owner"] == {
        "reference": "Organization/front-desk",
        "type": "Organization",
        "display": "Front desk",
    }
    assert done["output"] == [{"type": {"text": "Outcome"}, "valueString": "The patient was reached"}]
    assert done["note"] == [{"authorString": "Rosa", "time": "2027-03-01T16:05:00Z", "text": "Will come."}]
    assert built(staff=None, queue="Front desk")["owner"] == {"display": "Front desk"}


def test_what_is_not_done_yet_has_no_outcome() -> None:
    asked = built(outcome="Done", done_by="Rosa", note="soon")
    assert "output" not in asked
    assert "note" not in asked


def test_a_task_is_never_changed_before_it_was_authored() -> None:
    """R4, inv-1; a site's two clocks may differ."""
    assert built(done=OPENED - timedelta(days=1))["lastModified"] == "2027-03-01T14:05:00Z"


def test_a_group_owns_no_task_but_may_be_its_recipient() -> None:
    """R4: owner is no Group; restriction.recipient may be one."""
    grouped = built(staff="Group/1568")
    assert "owner" not in grouped
    assert grouped["restriction"]["recipient"] == [{"reference": "Group/1568", "type": "Group"}]


@pytest.mark.parametrize("kind", ["Practitioner", "CareTeam", "Organization", "Group"])
def test_whoever_settings_name_stands_where_r4_lets_such_a_one_stand(kind: str) -> None:
    shown = built(staff=f"{kind}/1")
    owners = Task.model_fields["owner"].json_schema_extra
    assert isinstance(owners, dict)
    allowed = owners["enum_reference_types"]
    assert isinstance(allowed, list)
    assert ("owner" in shown) is (kind in allowed)


def test_without_more_than_the_patient_it_is_as_valid() -> None:
    bare = built(due=None, appointment_id=None, communication_id=None, staff=None, organization="")
    assert bare.keys().isdisjoint({"owner", "restriction", "focus", "reasonReference", "requester"})


def test_a_message_to_staff_holds_what_oracle_takes_and_nothing_else() -> None:
    shown = message(staff="Group/1568", sender="Practitioner/593923")
    assert shown | {"payload": []} == {
        "resourceType": "Communication",
        "identifier": [{"system": "urn:appointment-texts:message", "value": "task-7-4-1"}],
        "status": "completed",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                        "code": "notification",
                    }
                ]
            }
        ],
        "priority": "routine",
        "subject": {"reference": "Patient/ana", "type": "Patient"},
        "topic": {"text": "Patient wishes to cancel a visit"},
        "recipient": [{"reference": "Group/1568", "type": "Group"}],
        "sender": {"reference": "Practitioner/593923", "type": "Practitioner"},
        "payload": [],
    }
    attachment = shown["payload"][0]["contentAttachment"]
    assert attachment.keys() == {"contentType", "data"}
    assert attachment["contentType"] == "text/plain"
    assert words(shown) == (
        "Patient wishes to cancel a visit. The patient cannot come. Nothing was cancelled. "
        "Due 2027-03-05 10:00 EST."
    )


def test_where_nobody_can_search_for_our_identifier_it_is_left_out() -> None:
    assert "identifier" not in staff_message(WORK, identified=False)


@pytest.mark.parametrize(
    ("priority", "of_task", "of_message"),
    [
        (Priority.ROUTINE, "routine", "routine"),
        (Priority.URGENT, "urgent", "urgent"),
        (Priority.STAT, "stat", "urgent"),
    ],
)
def test_a_message_knows_two_priorities_and_a_task_more(
    priority: Priority, of_task: str, of_message: str
) -> None:
    assert built(priority=priority)["priority"] == of_task
    assert message(priority=priority)["priority"] == of_message


def test_a_message_to_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="somebody to ask"):
        message(staff=None)
