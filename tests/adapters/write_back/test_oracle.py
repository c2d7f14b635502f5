"""Oracle's Communication is a message to staff: texts become notes, work for staff becomes messages."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.choosing import Purpose
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.settings.model import Documents, WritingBack
from tests.adapters.ehr.charts import ANA, DELIVERED, SENT, UNANSWERED
from tests.adapters.ehr.oracle import OracleEhr
from tests.adapters.ehr.strict_server import Fault, listening
from tests.adapters.write_back.story import ENDS, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.adapters.ehr.strict_server import Resource

STAFFED = WritingBack(staff_group="Group/9", staff_sender="Practitioner/1")
SIGNED = WritingBack(
    staff_group="Group/9", staff_sender="Practitioner/1", document=Documents(author="Practitioner/1")
)
TEXTS = (WriteBackKind.TEXT, WriteBackKind.REPLY)


@pytest.fixture
def oracle() -> Iterator[OracleEhr]:
    ehr = OracleEhr()
    with listening(ehr):
        ehr.put(ANA, "ana")
        ehr.put(UNANSWERED, "visit")
        yield ehr


@pytest.fixture
def site(oracle: OracleEhr) -> Iterator[Callable[..., Site]]:
    made = []

    def make(settings: WritingBack | None = None) -> Site:
        made.append(Site(oracle.base_url, settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def words(resource: Resource) -> str:
    return b64decode(resource["content"][0]["attachment"]["data"]).decode()


def test_texts_become_notes_and_work_for_staff_becomes_messages_unasked(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    at_work = site(STAFFED)
    assert at_work.way(Purpose.TEXTS) == "fhir_document"
    assert at_work.way(Purpose.TASKS) == "staff_message"
    assert at_work.way(Purpose.ANSWERS) == "participant_status"
    assert at_work.way(Purpose.CONSENT) == ""
    at_work.day()
    assert at_work.states(*TEXTS, WriteBackKind.TASK, WriteBackKind.CONFIRMATION) == {WriteBackState.WRITTEN}
    assert at_work.states(WriteBackKind.CONSENT) == {WriteBackState.GAVE_UP}
    assert not at_work.open_tasks()
    notes = oracle.all("DocumentReference")
    assert len(notes) == len({words(each) for each in notes}) == len(ENDS) + 3
    (message,) = oracle.all("Communication")
    assert message["recipient"] == [{"reference": "Group/9", "type": "Group"}]
    (visit,) = oracle.all("Appointment")
    assert visit["participant"][0]["status"] == "accepted"


def test_an_unsigned_note_is_written_once_and_a_signed_one_brought_forward(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    unsigned = site(STAFFED)
    unsigned.day()
    assert not oracle.asked("PUT", "DocumentReference")
    assert {each["docStatus"] for each in oracle.all("DocumentReference")} == {"final"}
    before = {each["id"] for each in oracle.all("DocumentReference")}
    signed = site(SIGNED)
    text_id = signed.text(1)
    signed.work()
    (fresh,) = [each for each in oracle.all("DocumentReference") if each["id"] not in before]
    assert fresh["docStatus"] == "preliminary"
    signed.news(text_id, **SENT)
    signed.work()
    signed.news(text_id, **DELIVERED)
    signed.work()
    (final,) = [each for each in oracle.all("DocumentReference") if each["id"] not in before]
    assert final["docStatus"] == "final"
    assert "Delivered" in words(final)


def test_somebody_elses_change_is_a_409_and_our_news_is_laid_over_it(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    at_work = site(SIGNED)
    text_id = at_work.text(1)
    at_work.work()
    (note,) = oracle.all("DocumentReference")
    oracle.put({**note, "description": "Read by Ana's nurse"}, note["id"])
    at_work.news(text_id, **DELIVERED)
    at_work.work(rounds=2)
    (note,) = oracle.all("DocumentReference")
    assert (note["docStatus"], note["description"]) == ("final", "Read by Ana's nurse")
    assert at_work.states() == {WriteBackState.WRITTEN}


def test_a_note_that_nobody_answered_is_there_once_and_a_person_is_asked(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    at_work = site(STAFFED)
    oracle.faults.append(Fault("POST", "DocumentReference", after_storing=True))
    text_id = at_work.text(1, **DELIVERED)
    at_work.work(rounds=3)
    at_work.news(text_id, price="0.0079")
    at_work.work(rounds=3)
    assert len(oracle.all("DocumentReference")) == 1
    assert len(at_work.open_tasks()) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_and_broken_are_survived(oracle: OracleEhr, site: Callable[..., Site], status: int) -> None:
    at_work = site(STAFFED)
    oracle.faults.extend(Fault("GET", "Patient", status, headers={"Retry-After": "7"}) for _ in range(3))
    at_work.day()
    assert at_work.states(*TEXTS) == {WriteBackState.WRITTEN}
    notes = oracle.all("DocumentReference")
    assert len(notes) == len({words(each) for each in notes}) == len(ENDS) + 3


def test_without_a_group_of_staff_the_list_stays_here_and_that_is_said(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    at_work = site()
    at_work.day()
    assert not oracle.all("Communication")
    assert at_work.states(WriteBackKind.TASK) == {WriteBackState.GAVE_UP}
    assert any("staff_group is not set" in line for line in at_work.chart.lines())


def test_a_setting_it_cannot_do_is_told_and_parks_what_it_refuses(
    oracle: OracleEhr, site: Callable[..., Site]
) -> None:
    at_work = site(WritingBack(texts="communication"))
    assert any("asks for what the EHR cannot do" in line for line in at_work.chart.lines())
    at_work.text(1, **DELIVERED)
    at_work.work(rounds=2)
    assert at_work.states() == {WriteBackState.REFUSED}
    assert len(at_work.open_tasks()) == 1
    assert not oracle.all("DocumentReference")
