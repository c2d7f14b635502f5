"""Texts that charts ask for, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.catalog_sections import FreeForm
from integration.domain.text_request import RequestSource, RequestState, TextRequest
from tests.adapters.store.records import DAY, HOUR, MINUTE, NOW, add_visit, text

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit


def request(patient_id: int, ehr_id: str = "r-1", **changes: Any) -> TextRequest:
    return TextRequest(
        **{
            "id": 0,
            "feed": "ehr",
            "ehr_id": ehr_id,
            "patient_id": patient_id,
            "body": "Please bring your glasses.",
            "due_at": NOW,
            "not_after": NOW + DAY,
            "practice": "riverside",
            **changes,
        }
    )


def ask(unit: Unit, ehr_id: str = "r-1", **changes: Any) -> TextRequest:
    _, whose = add_visit(unit)
    asked = request(whose, ehr_id, **changes)
    return replace(asked, id=unit.requests.save(asked))


def test_a_request_is_found_by_feed_and_the_ehrs_id_and_by_ours(store: Store) -> None:
    with store.unit() as unit:
        asked = ask(unit)
        other = replace(asked, id=0, feed="north")
        assert unit.requests.save(other) != asked.id
        assert unit.requests.find("ehr", "r-1") == asked
        assert unit.requests.get(asked.id) == asked
        assert unit.requests.find("ehr", "r-2") is None
        with pytest.raises(KeyError):
            unit.requests.get(asked.id + 9)


def test_a_changed_request_is_the_same_one(store: Store) -> None:
    with store.unit() as unit:
        asked = ask(unit)
        changed = replace(asked, body="No glasses.", due_at=NOW + HOUR, reason="quiet hours", practice=None)
        assert unit.requests.save(changed) == asked.id
        assert unit.requests.find("ehr", "r-1") == changed


def test_the_text_of_a_request_leads_to_it(store: Store) -> None:
    with store.unit() as unit:
        asked = ask(unit)
        sent = unit.texts.add(text(asked.patient_id))
        assert unit.requests.of_text(sent.id) is None
        unit.requests.save(replace(asked, state=RequestState.SENT, text_id=sent.id))
        found = unit.requests.of_text(sent.id)
    assert found is not None
    assert (found.id, found.state) == (asked.id, RequestState.SENT)


def test_what_waits_is_due_at_its_time_the_earliest_first(store: Store) -> None:
    with store.unit() as unit:
        late = ask(unit, "r-1", due_at=NOW + HOUR)
        early = replace(late, id=0, ehr_id="r-2", due_at=NOW + MINUTE)
        early = replace(early, id=unit.requests.save(early))
    assert store.has_work(NOW, NOW) == frozenset()
    assert store.next_times().calendar == NOW + MINUTE
    assert store.has_work(NOW + MINUTE, NOW) == {"send"}
    with store.unit() as unit:
        assert unit.requests.claim_due(NOW) is None
        assert unit.requests.claim_due(NOW + DAY) == early
        unit.requests.save(replace(early, state=RequestState.WITHDRAWN))
        assert unit.requests.claim_due(NOW + DAY) == late


def test_who_asked_for_what_and_why_nothing_held_it_is_kept(store: Store) -> None:
    with store.unit() as unit:
        asked = ask(
            unit,
            "page:1",
            source=RequestSource.PAGE,
            author="Robin",
            form=FreeForm.RUNNING_LATE,
            minutes=20,
            appointment_id=7,
            slot_number=2,
            override="The clinic is flooded.",
            to_related=True,
            asked_at=NOW,
            body="",
        )
        assert unit.requests.get(asked.id) == asked


def test_all_requests_of_a_patient_are_found_oldest_first(store: Store) -> None:
    with store.unit() as unit:
        first = ask(unit)
        second = replace(first, id=0, ehr_id="r-2")
        second = replace(second, id=unit.requests.save(second))
        assert unit.requests.of_patient(first.patient_id) == [first, second]
        assert unit.requests.of_patient(first.patient_id + 99) == []


def test_the_texts_that_speak_of_a_patient_are_found_oldest_first_sent_or_not(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        old = unit.texts.add(replace(text(whose), created_at=NOW - DAY))
        late = unit.texts.add(replace(text(whose), created_at=NOW + HOUR, offered_at=None))
        early = unit.texts.add(replace(text(whose), created_at=NOW))
        assert [each.id for each in unit.texts.of_patient(whose, NOW)] == [early.id, late.id]
        assert unit.texts.of_patient(whose, NOW - DAY)[0].id == old.id
        assert unit.texts.of_patient(whose + 99, NOW - DAY) == []
