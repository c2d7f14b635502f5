"""Canvas takes a Communication once, between the patient and a practitioner, and calls it completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.choosing import Purpose
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.settings.model import WritingBack
from tests.adapters.ehr.canvas import CanvasEhr
from tests.adapters.ehr.charts import ANA, DELIVERED, UNANSWERED
from tests.adapters.ehr.strict_server import Fault, listening
from tests.adapters.write_back.story import ENDS, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAFFED = WritingBack(staff_sender="Practitioner/1")
TEXTS = (WriteBackKind.TEXT, WriteBackKind.REPLY)


@pytest.fixture
def canvas() -> Iterator[CanvasEhr]:
    ehr = CanvasEhr()
    with listening(ehr):
        ehr.put(ANA, "ana")
        ehr.put(UNANSWERED, "visit")
        yield ehr


@pytest.fixture
def site(canvas: CanvasEhr) -> Iterator[Callable[..., Site]]:
    made = []

    def make(settings: WritingBack) -> Site:
        made.append(Site(canvas.base_url, settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_each_outcome_is_one_message_and_all_else_goes_where_it_fits(
    canvas: CanvasEhr, site: Callable[..., Site]
) -> None:
    at_work = site(STAFFED)
    ways = [
        at_work.way(purpose) for purpose in (Purpose.TEXTS, Purpose.ANSWERS, Purpose.CONSENT, Purpose.TASKS)
    ]
    assert ways == ["fhir_communication", "participant_status", "fhir_consent", "fhir_task"]
    at_work.day()
    assert at_work.states() == {WriteBackState.WRITTEN}
    messages = canvas.all("Communication")
    told = [each["payload"][0]["contentString"] for each in messages]
    assert len(told) == len(set(told)) == len(ENDS) + 3
    assert {each["status"] for each in messages} == {"completed"}
    assert [each["sender"]["reference"] for each in messages].count("Patient/ana") == 3
    assert len(canvas.all("Task")) == len(canvas.all("Consent")) == 1
    assert canvas.all("Appointment")[0]["participant"][0]["status"] == "accepted"


def test_what_did_not_arrive_says_so_in_its_words_as_the_status_cannot(
    canvas: CanvasEhr, site: Callable[..., Site]
) -> None:
    at_work = site(STAFFED)
    at_work.day()
    told = "\n".join(each["payload"][0]["contentString"] for each in canvas.all("Communication"))
    assert "[Not delivered: the handset could not be reached.]" in told
    assert "[Not delivered: the number cannot receive texts.]" in told
    assert "Nobody can tell whether it went out" in told


def test_that_the_patient_may_see_it_twice_is_said(site: Callable[..., Site]) -> None:
    said = "\n".join(site(STAFFED).chart.lines())
    assert "the patient may see the text twice" in said
    assert "completed, whatever became of the text" in said


def test_without_a_practitioner_no_message_can_be_written_and_that_is_said(
    canvas: CanvasEhr, site: Callable[..., Site]
) -> None:
    at_work = site(WritingBack())
    assert at_work.way(Purpose.TEXTS) == "log_only"
    assert any("staff_sender" in line for line in at_work.chart.lines())
    at_work.day()
    assert not canvas.all("Communication")


def test_a_message_that_nobody_answered_is_there_once_and_a_person_is_asked(
    canvas: CanvasEhr, site: Callable[..., Site]
) -> None:
    at_work = site(STAFFED)
    canvas.faults.append(Fault("POST", "Communication", after_storing=True))
    text_id = at_work.text(1, **DELIVERED)
    at_work.work(rounds=3)
    at_work.news(text_id, price="0.0079")
    at_work.work(rounds=3)
    assert len(canvas.all("Communication")) == 1
    assert len(at_work.open_tasks()) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_and_broken_are_survived(canvas: CanvasEhr, site: Callable[..., Site], status: int) -> None:
    at_work = site(STAFFED)
    canvas.faults.extend(Fault("GET", "Patient", status, headers={"Retry-After": "7"}) for _ in range(3))
    at_work.day()
    assert at_work.states(*TEXTS) == {WriteBackState.WRITTEN}
    assert len(canvas.all("Communication")) == len(ENDS) + 3
