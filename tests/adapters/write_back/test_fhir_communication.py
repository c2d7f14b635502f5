"""Each fact reaches the chart once, whatever the server can do and whatever goes wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.exactly_once import MAYBE_THERE, NOT_SEEN
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back import appointment_response, fhir_communication
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, NotWritable, TryLater, Written
from tests.adapters.ehr.charts import (
    ANA,
    DELIVERED,
    SENT,
    VISIT,
    admit,
    appointment,
    patient,
    reply,
    reply_fact,
    settled,
    tell,
    text_fact,
)
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.ehr.tools import Tools
    from integration.adapters.write_back.appointment_response import AppointmentResponseMode
    from integration.adapters.write_back.fhir_communication import FhirCommunicationMode
    from integration.ports.ehr import Fact

CREATE = "Communication"


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        admit(server)
        yield server


@pytest.fixture
def shared(ehr: StrictEhr) -> Iterator[Tools]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield tools(client)
    client.close()


@pytest.fixture
def mode(shared: Tools) -> FhirCommunicationMode:
    return fhir_communication.build(shared)


@pytest.fixture
def answers(shared: Tools) -> AppointmentResponseMode:
    return appointment_response.build(shared)


def news(fact: Fact, **changes: Any) -> Fact:
    """The same fact with news about its text."""
    assert fact.text is not None
    return replace(fact, text=replace(fact.text, **changes))


def test_a_text_is_created_when_it_leaves_and_brought_forward_to_its_receipt(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    fact, outcome = tell(mode, text_fact())
    assert outcome == Written("r3", "1", "ana", ((9, "visit"),))
    fact, _ = tell(mode, news(fact, **SENT))
    fact, outcome = tell(mode, news(fact, **DELIVERED))
    assert isinstance(outcome, Written)
    assert ehr.statuses("Communication", outcome.ehr_id) == ["preparation", "in-progress", "completed"]
    (communication,) = ehr.all("Communication")
    assert communication["about"] == [{"reference": "Appointment/visit", "type": "Appointment"}]
    assert communication["received"] == "2027-03-01T14:00:09Z"


def test_an_update_is_one_request_over_the_known_version(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    visit = appointment(ehr_id="visit")
    fact, _ = tell(mode, replace(text_fact(), appointments=(visit,)))
    before = len(ehr.seen)
    tell(mode, news(fact, **SENT))
    assert [(each.method, each.headers["if-match"]) for each in ehr.seen[before:]] == [("PUT", 'W/"1"')]


def test_a_reply_answers_the_text_and_a_confirmation_answers_the_visit(
    ehr: StrictEhr, mode: FhirCommunicationMode, answers: AppointmentResponseMode
) -> None:
    told, _ = tell(mode, text_fact(**DELIVERED))
    tell(mode, reply_fact(answered=told.row))
    _, outcome = tell(answers, reply_fact(WriteBackKind.CONFIRMATION))
    answer = ehr.all("Communication")[1]
    assert answer["inResponseTo"][0]["reference"] == f"Communication/{told.row.ehr_id}"
    assert (answer["status"], answer["sender"]["reference"]) == ("completed", "Patient/ana")
    assert isinstance(outcome, Written)
    (response,) = ehr.all("AppointmentResponse")
    assert response["participantStatus"] == "accepted"
    assert response["appointment"]["reference"] == "Appointment/visit"


# promise 12


def test_a_patient_nobody_knows_gets_nothing_written(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    stranger = replace(text_fact(), patient=patient(resource={**ANA, "identifier": [{"value": "0"}]}))
    assert isinstance(mode.write(stranger), NoChart)
    assert not ehr.all("Communication")


def test_a_visit_nobody_knows_only_drops_about_and_is_added_once_it_is_there(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.delete("Appointment", "visit")
    fact, outcome = tell(mode, text_fact())
    assert isinstance(outcome, Written)
    assert outcome.appointment_ids == ()
    assert "about" not in ehr.all("Communication")[0]
    ehr.put(VISIT, "found-later")
    _, outcome = tell(mode, news(fact, **SENT))
    assert isinstance(outcome, Written)
    assert outcome.appointment_ids == ((9, "found-later"),)
    assert ehr.all("Communication")[0]["about"][0]["reference"] == "Appointment/found-later"


def test_a_confirmation_of_a_visit_nobody_knows_is_left_out(
    ehr: StrictEhr, answers: AppointmentResponseMode
) -> None:
    ehr.delete("Appointment", "visit")
    assert isinstance(answers.write(reply_fact(WriteBackKind.CONFIRMATION)), LeftOut)


def test_a_merged_chart_gets_what_is_new_and_keeps_what_is_old(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    fact, _ = tell(mode, text_fact())
    ehr.put({**ANA, "id": "heir", "identifier": []}, "heir")
    ehr.put({**ANA, "link": [{"type": "replaced-by", "other": {"reference": "Patient/heir"}}]}, "ana")
    _, outcome = tell(mode, replace(reply_fact(), patient=fact.patient))
    assert isinstance(outcome, Written)
    assert outcome.patient_id == "heir"
    assert outcome.appointment_ids == ((9, "visit"),)  # still under the old chart's name
    tell(mode, news(fact, **DELIVERED))
    assert [each["subject"]["reference"] for each in ehr.all("Communication")] == [
        "Patient/ana",
        "Patient/heir",
    ]


# manners of servers

MANNERS: dict[str, dict[str, Any]] = {
    "honours everything": {},
    "409 instead of 412": {"conflict_status": 409},
    "no conditional create": {"conditional_create": False},
    "claims a conditional create it does not do": {
        "conditional_create": False,
        "claims_conditional_create": True,
    },
    "no versions": {"versioning": "no-version"},
    "versions without If-Match": {"versioning": "versioned", "conditional_create": False},
    "no statement": {"shows_capabilities": False, "conditional_create": False},
    "shows no bodies": {"returns_body": False},
    "search lags, no conditional create": {"conditional_create": False, "search_lag": 1},
}

TROUBLES: dict[str, list[Fault]] = {
    "no trouble": [],
    "down at first": [Fault("GET", "metadata", 503), Fault("GET", "Patient", 502)],
    "busy": [Fault("POST", CREATE, 429, headers={"Retry-After": "1"})],
    "hangs up before storing": [Fault("POST", CREATE)],
    "hangs up after storing": [Fault("POST", CREATE, after_storing=True)],
    "500 before storing": [Fault("POST", CREATE, 500)],
    "504 after storing": [Fault("POST", CREATE, 504, after_storing=True)],
    "503 before, then 502 after storing": [
        Fault("POST", CREATE, 503),
        Fault("POST", CREATE, 502, after_storing=True),
    ],
    "update lost": [Fault("PUT", CREATE, 500), Fault("PUT", CREATE, after_storing=True)],
    "update answered too late": [Fault("PUT", CREATE, 504, after_storing=True)],
}


@pytest.mark.parametrize("manners", MANNERS)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_exactly_one_communication_in_the_right_state(
    ehr: StrictEhr, mode: FhirCommunicationMode, manners: str, trouble: str
) -> None:
    for knob, value in MANNERS[manners].items():
        setattr(ehr, knob, value)
    ehr.faults.extend(TROUBLES[trouble])
    fact, _ = tell(mode, text_fact())
    fact, _ = tell(mode, news(fact, **SENT))
    fact, outcome = tell(mode, news(fact, **DELIVERED))
    assert not ehr.faults
    assert isinstance(outcome, Written)
    (communication,) = ehr.all("Communication")
    assert (communication["id"], communication["status"]) == (outcome.ehr_id, "completed")
    statuses = ehr.statuses("Communication", outcome.ehr_id)
    order = ["preparation", "in-progress", "completed"]
    assert statuses == sorted(statuses, key=order.index)


def test_a_create_nobody_answered_is_looked_for_twice_before_it_is_repeated(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.conditional_create = False
    ehr.faults.append(Fault("POST", CREATE))
    first = mode.write(text_fact())
    assert isinstance(first, TryLater)
    assert (first.reason, first.away) == (MAYBE_THERE, True)
    second = mode.write(settled(text_fact(), first))
    assert isinstance(second, TryLater)
    assert (second.reason, second.away) == (NOT_SEEN, False)
    assert isinstance(mode.write(settled(text_fact(), second)), Written)
    assert len(ehr.all("Communication")) == 1


def test_an_outage_between_the_looks_does_not_make_us_forget_them(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.conditional_create = False
    mode.write(text_fact())  # reads the statement
    fact = replace(text_fact(), row=replace(text_fact().row, reason=MAYBE_THERE))
    ehr.faults.append(Fault("GET", CREATE, 503))
    outcome = mode.write(fact)
    assert isinstance(outcome, TryLater)
    assert outcome.reason == MAYBE_THERE


def test_silence_after_storing_is_survived(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    ehr.faults.append(Fault("POST", CREATE, hold=True, after_storing=True))
    tell(mode, text_fact())
    assert len(ehr.all("Communication")) == 1


def test_two_that_are_there_already_are_not_made_three(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    tell(mode, text_fact())
    (first,) = ehr.all("Communication")
    ehr.put({name: value for name, value in first.items() if name not in {"id", "meta"}})
    _, outcome = tell(mode, text_fact(**DELIVERED))
    assert isinstance(outcome, Written)
    assert outcome.ehr_id == first["id"]
    assert [each["status"] for each in ehr.all("Communication")] == ["completed", "preparation"]


# others at work on the same resource


def changed_by_others(ehr: StrictEhr, resource_id: str, **changes: Any) -> None:
    current = ehr.history["Communication", resource_id][-1]
    assert current is not None
    ehr.put({**current, **changes}, resource_id)


def test_news_is_laid_over_what_others_added(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    fact, outcome = tell(mode, text_fact())
    assert isinstance(outcome, Written)
    nurse = {"authorString": "A nurse", "text": "Called as well."}
    changed_by_others(ehr, outcome.ehr_id, priority="urgent", note=[nurse])
    tell(mode, news(fact, **DELIVERED))
    (communication,) = ehr.all("Communication")
    assert (communication["status"], communication["priority"]) == ("completed", "urgent")
    assert nurse in communication["note"]
    assert len(communication["note"]) == 2


@pytest.mark.parametrize("status", ["entered-in-error", "stopped", "completed"])
def test_what_is_further_along_stands(ehr: StrictEhr, mode: FhirCommunicationMode, status: str) -> None:
    fact, outcome = tell(mode, text_fact())
    assert isinstance(outcome, Written)
    changed_by_others(ehr, outcome.ehr_id, status=status)
    fact, outcome = tell(mode, news(fact, **SENT))
    assert isinstance(outcome, Written)
    assert len(ehr.statuses("Communication", outcome.ehr_id)) == 2  # nothing was written over it
    tell(mode, news(fact, **DELIVERED))
    assert ehr.all("Communication")[0]["status"] == status


def test_of_two_different_ends_the_first_stands(ehr: StrictEhr, mode: FhirCommunicationMode) -> None:
    ehr.versioning = "no-version"
    fact, _ = tell(mode, text_fact(**DELIVERED))
    tell(mode, news(fact, status=DeliveryStatus.UNDELIVERED))
    assert ehr.all("Communication")[0]["status"] == "completed"


def test_what_a_person_deleted_stays_deleted_and_what_the_server_forgot_is_written_anew(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    fact, outcome = tell(mode, text_fact())
    assert isinstance(outcome, Written)
    ehr.delete("Communication", outcome.ehr_id)
    assert isinstance(mode.write(news(fact, **SENT)), LeftOut)
    del ehr.history["Communication", outcome.ehr_id]
    _, outcome = tell(mode, news(fact, **DELIVERED))
    assert isinstance(outcome, Written)
    assert ehr.all("Communication")[0]["status"] == "completed"


# servers that can do less


def test_a_server_without_updates_gets_one_final_communication(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.offers["Communication"] = {"create", "search-type"}
    ehr.conditional_create = False
    assert isinstance(mode.write(text_fact()), LeftOut)
    assert isinstance(mode.write(text_fact(**SENT)), LeftOut)
    fact, outcome = tell(mode, text_fact(**DELIVERED))
    assert isinstance(outcome, Written)
    tell(mode, news(fact, price="0.0079"))
    assert [each["status"] for each in ehr.all("Communication")] == ["completed"]
    assert len(ehr.asked("POST", "Communication")) == 1


def test_a_server_that_cannot_be_searched_leaves_an_unanswered_create_to_a_person(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.offers["Communication"] = {"create"}
    ehr.conditional_create = False
    ehr.faults.append(Fault("POST", CREATE, after_storing=True))
    assert isinstance(mode.write(text_fact(**DELIVERED)), NotWritable)


def test_a_server_without_appointment_response_lacks_nothing_a_person_could_mend(
    ehr: StrictEhr, answers: AppointmentResponseMode
) -> None:
    del ehr.offers["AppointmentResponse"]
    outcome = answers.write(reply_fact(WriteBackKind.CONFIRMATION))
    assert outcome == LeftOut("the EHR takes no AppointmentResponse")
    assert not ehr.asked("POST", "AppointmentResponse")


def test_a_reply_that_is_no_yes_or_no_makes_no_response(answers: AppointmentResponseMode) -> None:
    fact = replace(reply_fact(WriteBackKind.CONFIRMATION), reply=reply(intent="human"))
    assert isinstance(answers.write(fact), LeftOut)


def test_a_server_without_communication_is_a_persons_business(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    del ehr.offers["Communication"]
    assert isinstance(mode.write(text_fact()), NotWritable)


def test_a_refusal_is_a_persons_business_and_makes_us_read_the_statement_again(
    ehr: StrictEhr, mode: FhirCommunicationMode
) -> None:
    ehr.faults.append(Fault("POST", CREATE, 422))
    outcome = mode.write(text_fact())
    assert isinstance(outcome, NotWritable)
    assert outcome.reason == "the EHR refused it: HTTP 422"
    assert isinstance(mode.write(text_fact()), Written)
    assert len([each for each in ehr.seen if each.path.endswith("/metadata")]) == 2


def test_a_mode_without_a_place_to_write_to_is_not_built() -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        fhir_communication.build(tools(None))
