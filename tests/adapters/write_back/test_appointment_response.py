"""A yes or no as AppointmentResponse: one for each visit, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.appointment_response import AppointmentResponseMode, build
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import NotWritable, TryLater, Written
from tests.adapters.ehr.charts import VISIT, admit, appointment, reply, reply_fact, tell
from tests.adapters.ehr.strict_server import Asked, Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact

OTHER = {**VISIT, "identifier": [{"value": "A-10"}]}


class OneAtATime(StrictEhr):
    """May refuse the second answer, once."""

    refusal_of_the_second = 0

    def house_rule(self, asked: Asked) -> tuple[int, str | None, dict[str, str]] | None:
        status = self.refusal_of_the_second
        if not status or asked.method != "POST" or not self.all("AppointmentResponse"):
            return None
        self.refusal_of_the_second = 0
        return status, None, {}


@pytest.fixture
def ehr() -> Iterator[OneAtATime]:
    server = OneAtATime()
    with listening(server):
        admit(server)
        server.put(OTHER, "other")
        yield server


@pytest.fixture
def mode(ehr: StrictEhr) -> Iterator[AppointmentResponseMode]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield build(tools(client))
    client.close()


def two_visits() -> Fact:
    fact = reply_fact(WriteBackKind.CONFIRMATION)
    return replace(fact, appointments=(*fact.appointments, appointment(id=10, resource=OTHER)))


def responses(ehr: StrictEhr) -> list[tuple[str, str]]:
    return [
        (each["appointment"]["reference"], each["participantStatus"])
        for each in ehr.all("AppointmentResponse")
    ]


def test_one_yes_to_two_visits_answers_each(ehr: StrictEhr, mode: AppointmentResponseMode) -> None:
    fact, outcome = tell(mode, two_visits())
    tell(mode, two_visits())  # as after a crash before we noted it
    tell(mode, fact)
    assert isinstance(outcome, Written)
    assert outcome.appointment_ids == ((9, "visit"), (10, "other"))
    assert responses(ehr) == [("Appointment/visit", "accepted"), ("Appointment/other", "accepted")]


@pytest.mark.parametrize("conditional_create", [True, False])
@pytest.mark.parametrize("answers", [0, 1])
def test_an_answer_that_got_lost_makes_no_second_response(
    ehr: StrictEhr, mode: AppointmentResponseMode, answers: int, *, conditional_create: bool
) -> None:
    ehr.conditional_create = conditional_create
    lost = Fault("POST", "AppointmentResponse", after_storing=True)
    if answers:
        mode.write(reply_fact(WriteBackKind.CONFIRMATION))  # the first is there: the second's gets lost
    ehr.faults.append(lost)
    _, outcome = tell(mode, two_visits())
    assert isinstance(outcome, Written)
    assert len(responses(ehr)) == 2


@pytest.mark.parametrize("status", [429, 422])
def test_what_stops_at_the_second_visit_does_not_answer_the_first_again(
    ehr: OneAtATime, mode: AppointmentResponseMode, status: int
) -> None:
    ehr.conditional_create = False
    ehr.search_lag = 1
    for kind in ("Patient", "Appointment"):
        ehr.matches(kind, {}, lagging=True)  # they are old
    ehr.refusal_of_the_second = status
    fact = two_visits()
    outcome = mode.write(fact)
    assert isinstance(outcome, TryLater | NotWritable)
    assert outcome.doubtful
    row = replace(fact.row, mode=mode.name, reason=outcome.reason)
    tell(mode, replace(fact, row=row))
    assert responses(ehr) == [("Appointment/visit", "accepted"), ("Appointment/other", "accepted")]


def test_a_visit_that_the_ehr_does_not_have_holds_the_other_back_from_nothing(
    ehr: StrictEhr, mode: AppointmentResponseMode
) -> None:
    ehr.delete("Appointment", "visit")
    tell(mode, two_visits())
    assert responses(ehr) == [("Appointment/other", "accepted")]


def test_a_no_declines(ehr: StrictEhr, mode: AppointmentResponseMode) -> None:
    tell(mode, replace(reply_fact(WriteBackKind.CONFIRMATION), reply=reply(intent="cancel")))
    assert responses(ehr) == [("Appointment/visit", "declined")]
