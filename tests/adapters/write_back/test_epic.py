"""Epic takes no text as a Communication: documents over HL7 v2, or notes for visits with an encounter."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.ehr.choosing import Purpose
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.settings.model import Documents, WritingBack
from tests.adapters.ehr.charts import ANA, DELIVERED, VISIT
from tests.adapters.ehr.epic import EpicEhr
from tests.adapters.ehr.partner import Partner, pieces
from tests.adapters.ehr.partners_chart import documents, port
from tests.adapters.ehr.strict_server import Fault, listening
from tests.adapters.write_back.story import ENDS, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTES = WritingBack(document=Documents(encounter=True))
ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "planned",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/ana"},
    "appointment": [{"reference": "Appointment/visit"}],
    "period": {"start": "2027-03-05T15:00:00Z"},
}
TEXTS = (WriteBackKind.TEXT, WriteBackKind.REPLY)


@pytest.fixture
def epic() -> Iterator[EpicEhr]:
    with listening(EpicEhr()) as ehr:
        ehr.put(ANA, "ana")
        ehr.put(VISIT, "visit")
        yield ehr  # type: ignore[misc] # it is the one that was given


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner() as partner:
        yield partner


@pytest.fixture
def site(epic: EpicEhr) -> Iterator[Callable[..., Site]]:
    made = []

    def make(settings: WritingBack, partner: Partner | None = None) -> Site:
        made.append(Site(epic.base_url, settings, partner))
        return made[-1]

    yield make
    for each in made:
        each.close()


def notes(epic: EpicEhr) -> Counter[str]:
    """The words of each note, and how often it is there."""
    told = [b64decode(each["content"][0]["attachment"]["data"]) for each in epic.all("DocumentReference")]
    return Counter(each.decode() for each in told)


def test_with_an_mllp_port_documents_are_chosen_unasked_and_each_outcome_is_told_once(
    epic: EpicEhr, partner: Partner, site: Callable[..., Site]
) -> None:
    at_work = site(WritingBack(hl7=port(partner.port)), partner)
    assert at_work.way(Purpose.TEXTS) == "hl7_mdm"
    partner.plans.extend([pieces(), pieces()])  # two messages that nobody answers in time
    at_work.day()
    assert at_work.states(*TEXTS) == {WriteBackState.WRITTEN}
    told = documents(partner.heard)
    originals = [each for each in told if each["MSH-9.2"] == "T02"]
    addenda = [each for each in told if each["MSH-9.2"] == "T06"]
    assert len(originals) == len(ENDS)
    assert len(addenda) == 3 + 3  # delivered, undelivered and no receipt; three replies
    assert len({each["TXA-12"] for each in told}) == len(told)
    assert not [each for each in epic.seen if each.method != "GET"]


def test_the_rest_stays_with_us_and_nobody_is_troubled(
    epic: EpicEhr, partner: Partner, site: Callable[..., Site]
) -> None:
    at_work = site(WritingBack(hl7=port(partner.port)), partner)
    at_work.day()
    others = (WriteBackKind.CONFIRMATION, WriteBackKind.CONSENT, WriteBackKind.TASK)
    assert at_work.states(*others) == {WriteBackState.GAVE_UP}
    assert not at_work.open_tasks()
    assert not epic.asked("POST", "Task")
    assert not epic.asked("POST", "Consent")


def test_without_an_mllp_port_notes_are_written_where_the_visit_has_an_encounter(
    epic: EpicEhr, site: Callable[..., Site]
) -> None:
    epic.put(ENCOUNTER, "e1")
    at_work = site(NOTES)
    assert at_work.way(Purpose.TEXTS) == "fhir_document"
    at_work.day()
    assert at_work.states(*TEXTS) == {WriteBackState.WRITTEN}
    filed = epic.all("DocumentReference")
    assert len(filed) == len(ENDS) + 3
    assert set(notes(epic).values()) == {1}
    assert {each["docStatus"] for each in filed} == {"final"}
    assert len(epic.asked("POST", "DocumentReference")) == len(filed)
    assert not epic.asked("PUT", "DocumentReference")


def test_a_visit_without_an_encounter_is_left_out_and_the_row_says_why(
    epic: EpicEhr, site: Callable[..., Site]
) -> None:
    at_work = site(NOTES)
    at_work.day()
    assert not epic.all("DocumentReference")
    assert {row.reason for row in at_work.rows(*TEXTS)} == {
        "the EHR takes a note only for an encounter, and the visit has none yet"
    }


def test_a_note_that_nobody_answered_is_never_written_twice_but_a_person_is_asked(
    epic: EpicEhr, site: Callable[..., Site]
) -> None:
    epic.put(ENCOUNTER, "e1")
    at_work = site(NOTES)
    epic.faults.append(Fault("POST", "DocumentReference", after_storing=True))
    text_id = at_work.text(1, **DELIVERED)
    at_work.work(rounds=3)
    assert len(at_work.open_tasks()) == 1
    at_work.news(text_id, price="0.0079")  # what is heard later does not make it be written again
    at_work.work(rounds=3)
    assert len(notes(epic)) == 1
    assert set(notes(epic).values()) == {1}
    assert at_work.states(*TEXTS) == {WriteBackState.REFUSED}


def test_what_a_dead_worker_may_have_written_is_not_written_again(
    epic: EpicEhr, site: Callable[..., Site]
) -> None:
    epic.put(ENCOUNTER, "e1")
    at_work = site(NOTES)
    at_work.text(1, **DELIVERED)
    with at_work.store.unit() as unit:
        unit.write_backs.claim(at_work.clock.now, at_work.clock.now)  # and is never heard of again
    at_work.work(rounds=3)
    assert not epic.all("DocumentReference")
    assert len(at_work.open_tasks()) == 1
    with at_work.store.unit() as unit:
        unit.write_backs.reopen(at_work.patient_id)  # a person has looked
    at_work.work()
    assert len(epic.all("DocumentReference")) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_and_broken_are_survived(epic: EpicEhr, site: Callable[..., Site], status: int) -> None:
    epic.put(ENCOUNTER, "e1")
    at_work = site(NOTES)
    epic.faults.extend(Fault("GET", "Patient", status, headers={"Retry-After": "7"}) for _ in range(3))
    at_work.day()
    assert at_work.states(*TEXTS) == {WriteBackState.WRITTEN}
    assert set(notes(epic).values()) == {1}


def test_with_neither_the_log_is_all_and_that_is_said(epic: EpicEhr, site: Callable[..., Site]) -> None:
    at_work = site(WritingBack())
    assert at_work.way(Purpose.TEXTS) == "log_only"
    said = "\n".join(at_work.chart.lines())
    assert "referrals to community organizations" in said
    assert "[write_back.hl7] is not set" in said
    at_work.day()
    assert not [each for each in epic.seen if each.method != "GET"]
    assert at_work.states(*TEXTS) == {WriteBackState.GAVE_UP}  # no chart has them: they may be told again
    assert not at_work.open_tasks()


def test_an_api_the_client_was_not_given_falls_back_without_being_asked(
    epic: EpicEhr, site: Callable[..., Site]
) -> None:
    epic.put(ENCOUNTER, "e1")
    epic.forbidden.add("DocumentReference")
    at_work = site(NOTES)
    at_work.text(1, **DELIVERED)
    at_work.work()
    assert at_work.way(Purpose.TEXTS) == "log_only"
    at_work.text(2, **DELIVERED)
    at_work.work()
    assert [row.state for row in at_work.rows()] == [WriteBackState.REFUSED, WriteBackState.GAVE_UP]
    assert len(at_work.open_tasks()) == 1  # a person hears of it once
    assert len(epic.asked("POST", "DocumentReference")) == 1
