"""The outbox to the chart, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.write_back import WriteBack, WriteBackKind, WriteBackState
from tests.adapters.store.records import ADA, DAY, HOUR, MINUTE, NOW, add_visit, reply, task, text

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit

TEXT, REPLY, CONFIRMATION = WriteBackKind.TEXT, WriteBackKind.REPLY, WriteBackKind.CONFIRMATION
CONSENT, TASK = WriteBackKind.CONSENT, WriteBackKind.TASK


def claim(unit: Unit, lease: float = 1) -> WriteBack:
    row = unit.write_backs.claim(NOW, NOW + lease * MINUTE)
    assert row is not None
    return row


def test_a_fact_is_wanted_claimed_and_written(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        assert unit.write_backs.find(TEXT, 7, whose) is None
        unit.write_backs.want(TEXT, 7, whose)
        row = claim(unit)
        assert row == WriteBack(row.id, TEXT, 7, whose)
    written = replace(
        row, state=WriteBackState.WRITTEN, written_revision=1, tries=2, ehr_id="c-1", ehr_version='W/"1"'
    )
    with store.unit() as unit:
        unit.write_backs.settle(written)
        assert unit.write_backs.find(TEXT, 7, whose) == written
        assert unit.write_backs.claim(NOW + DAY, NOW + DAY) is None
        assert unit.write_backs.count(WriteBackState.WRITTEN) == 1
        assert unit.write_backs.count(WriteBackState.PENDING) == 0


def test_what_was_refused_or_given_up_for_a_patient_is_pending_again_when_a_person_says_so(
    store: Store,
) -> None:
    settled = {1: WriteBackState.REFUSED, 2: WriteBackState.GAVE_UP, 3: WriteBackState.WRITTEN}
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for subject_id, state in settled.items():
            unit.write_backs.want(TEXT, subject_id, whose)
            row = replace(claim(unit), state=state, ehr_version="1", reason="HTTP 422")
            unit.write_backs.settle(row)
        unit.write_backs.reopen(whose + 1)
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
        unit.write_backs.reopen(whose)
        again = [claim(unit), claim(unit)]
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
    assert {row.subject_id: (row.state, row.reason, row.ehr_version) for row in again} == {
        1: (WriteBackState.PENDING, None, "1"),
        2: (WriteBackState.PENDING, None, "1"),
    }


def test_parked_rows_are_listed_and_shown_with_the_ehrs_words_and_tried_again_by_id(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for subject_id, state in enumerate(WriteBackState, 1):
            unit.write_backs.want(TEXT, subject_id, whose)
            unit.write_backs.settle(
                replace(claim(unit), state=state, reason="HTTP 422", words="Grant's chart")
            )
    parked = {WriteBackState.REFUSED, WriteBackState.GAVE_UP}
    with store.unit() as unit:
        listed = unit.write_backs.listed(parked)
        assert [row.state for row in listed] == [WriteBackState.REFUSED, WriteBackState.GAVE_UP]
        assert unit.write_backs.listed(parked, after_id=listed[0].id) == listed[1:]
        assert unit.write_backs.listed(parked, limit=1) == listed[:1]
        assert unit.write_backs.get(listed[0].id) == listed[0]
        assert listed[0].words == "Grant's chart"
        assert "Grant" not in repr(listed[0])
        with pytest.raises(KeyError):
            unit.write_backs.get(10_000)
        everything = [row.id for row in unit.write_backs.listed(set(WriteBackState))]
        assert unit.write_backs.again([*everything, 10_000]) == 2
        assert unit.write_backs.listed(parked) == []
        again = unit.write_backs.get(listed[0].id)
    assert (again.state, again.reason, again.words) == (WriteBackState.PENDING, None, None)


def test_news_of_a_parked_fact_makes_the_ehrs_words_old(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 7, whose)
        unit.write_backs.settle(replace(claim(unit), state=WriteBackState.REFUSED, words="no"))
        unit.write_backs.want(TEXT, 7, whose)
        assert claim(unit).words is None


def test_nobody_else_gets_a_row_before_its_lease_ends(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 7, whose)
        row = claim(unit)
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
    with store.unit() as unit:
        unit.write_backs.want(TEXT, 7, whose)  # news does not end a lease
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
        again = unit.write_backs.claim(NOW + MINUTE, NOW + DAY)
    assert again == replace(row, revision=2, unsettled=True)


def test_news_during_a_lease_leaves_the_row_pending(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 7, whose)
        row = claim(unit)
    with store.unit() as unit:
        unit.write_backs.want(TEXT, 7, whose)
    with store.unit() as unit:
        unit.write_backs.settle(
            replace(row, state=WriteBackState.WRITTEN, written_revision=row.revision, ehr_id="c-1")
        )
        again = claim(unit)
        assert again == replace(row, revision=2, written_revision=1, ehr_id="c-1")
        unit.write_backs.settle(replace(again, state=WriteBackState.WRITTEN, written_revision=2))
        assert unit.write_backs.claim(NOW + DAY, NOW + DAY) is None


def test_a_row_put_off_comes_back_at_its_time_and_news_does_not_hurry_it(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 7, whose)
        put_off = replace(claim(unit), tries=3, next_try_at=NOW + HOUR, reason="connection")
        unit.write_backs.settle(put_off)
        unit.write_backs.want(TEXT, 7, whose)
        assert unit.write_backs.claim(NOW + MINUTE, NOW + DAY) is None
        assert unit.write_backs.claim(NOW + HOUR, NOW + DAY) == replace(put_off, revision=2)


@pytest.mark.parametrize("state", [WriteBackState.REFUSED, WriteBackState.GAVE_UP, WriteBackState.WRITTEN])
def test_a_settled_fact_that_changes_is_tried_at_once(store: Store, state: WriteBackState) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 7, whose)
        settled = replace(claim(unit), state=state, tries=9, reason="said no", ehr_id="c-1")
        unit.write_backs.settle(settled)
        unit.write_backs.want(TEXT, 7, whose)
        again = claim(unit)
    assert again == replace(settled, state=WriteBackState.PENDING, revision=2, tries=0, reason=None)


def test_the_longest_ready_comes_first(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for subject in (1, 2, 3):
            unit.write_backs.want(TEXT, subject, whose)
        unit.write_backs.settle(replace(claim(unit), next_try_at=NOW))
        assert [claim(unit).subject_id for _ in range(3)] == [2, 3, 1]


def test_the_chart_hears_things_in_order(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit, 1)
        _, other = add_visit(unit, 2)
        asked = unit.texts.add(text(whose)).id
        unit.replies.add(reply(text_id=asked, patient_id=whose))
        heard = unit.replies.claim()
        assert heard is not None
        unit.write_backs.want(CONFIRMATION, heard.id, whose)
        unit.write_backs.want(REPLY, heard.id, whose)
        unit.write_backs.want(TEXT, asked, whose)
        unit.write_backs.want(TEXT, asked, other)
    order = []
    for _ in range(4):
        with store.unit() as unit:
            row = claim(unit)
            order.append((row.kind, row.patient_id))
            unit.write_backs.settle(replace(row, state=WriteBackState.WRITTEN))
    assert [kind for kind, patient_id in order if patient_id == whose] == [TEXT, REPLY, CONFIRMATION]
    assert (TEXT, other) in order


def test_what_follows_from_a_reply_is_told_after_it(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit, 1)
        _, other = add_visit(unit, 2)
        unit.replies.add(reply(patient_id=whose))
        heard = unit.replies.claim()
        assert heard is not None
        asked = unit.texts.add(text(whose)).id
        opened = unit.tasks.add(task(patient_id=whose, reply_id=heard.id, text_id=asked))
        assert opened is not None
        unit.write_backs.want(TASK, opened, whose)
        unit.write_backs.want(CONSENT, heard.id, whose)
        unit.write_backs.want(CONSENT, heard.id, other)
        unit.write_backs.want(REPLY, heard.id, whose)
    order = []
    for _ in range(4):
        with store.unit() as unit:
            row = claim(unit)
            order.append((row.kind, row.patient_id))
            unit.write_backs.settle(replace(row, state=WriteBackState.WRITTEN))
    assert order == [(CONSENT, other), (REPLY, whose), (TASK, whose), (CONSENT, whose)]


def test_work_about_a_text_alone_is_told_after_the_text(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        failed = unit.texts.add(text(whose)).id
        opened = unit.tasks.add(task(patient_id=whose, text_id=failed))
        assert opened is not None
        unit.write_backs.want(TASK, opened, whose)
        unit.write_backs.want(TEXT, failed, whose)
        first = claim(unit)
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
        unit.write_backs.settle(replace(first, state=WriteBackState.REFUSED))
        assert (first.kind, claim(unit).kind) == (TEXT, TASK)


def test_what_was_told_of_a_fact_is_told_anew_and_nobody_else_hears_of_it(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit, 1)
        _, other = add_visit(unit, 2)
        for patient_id in (whose, other):
            unit.write_backs.want(TASK, 7, patient_id)
            row = replace(claim(unit), state=WriteBackState.WRITTEN, written_revision=1, ehr_id="t-1")
            unit.write_backs.settle(row)
        unit.write_backs.renew(TASK, 8)
        unit.write_backs.renew(CONSENT, 7)
        assert unit.write_backs.claim(NOW, NOW + DAY) is None
        unit.write_backs.renew(TASK, 7)
        again = [claim(unit), claim(unit)]
    assert {(row.patient_id, row.revision, row.ehr_id) for row in again} == {
        (whose, 2, "t-1"),
        (other, 2, "t-1"),
    }


def test_what_waits_for_its_turn_is_no_work(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        asked = unit.texts.add(text(whose, status=DeliveryStatus.SENT)).id
        unit.replies.add(reply(text_id=asked, done=True))
        (heard,) = unit.replies.heard_since(ADA, NOW)
        unit.write_backs.want(REPLY, heard.id, whose)
        unit.write_backs.want(CONFIRMATION, heard.id, whose)
        unit.write_backs.want(TEXT, asked, whose)
        unit.write_backs.settle(replace(claim(unit), next_try_at=NOW + HOUR))
    assert store.has_work(NOW, NOW) == frozenset()
    assert store.next_times().wall == NOW + HOUR
    assert store.has_work(NOW, NOW + HOUR) == {"write_back"}


def test_a_reply_to_a_text_nobody_wants_in_the_chart_does_not_wait(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.replies.add(reply(text_id=unit.texts.add(text(whose)).id))
        heard = unit.replies.claim()
        assert heard is not None
        unit.write_backs.want(REPLY, heard.id, whose)
        assert claim(unit).kind is REPLY


@pytest.mark.parametrize("state", [WriteBackState.REFUSED, WriteBackState.GAVE_UP])
def test_a_reply_to_a_text_the_chart_will_never_hold_does_not_wait(
    store: Store, state: WriteBackState
) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        asked = unit.texts.add(text(whose)).id
        unit.replies.add(reply(text_id=asked))
        heard = unit.replies.claim()
        assert heard is not None
        unit.write_backs.want(TEXT, asked, whose)
        unit.write_backs.want(REPLY, heard.id, whose)
        unit.write_backs.settle(replace(claim(unit), state=state))
        assert claim(unit).kind is REPLY


def test_who_may_have_written_it_is_kept_and_a_person_who_looked_lets_it_go_any_way(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 1, whose)
        row = claim(unit)
        unit.write_backs.settle(
            replace(row, state=WriteBackState.REFUSED, mode="fhir_document", reason="in doubt")
        )
        unit.write_backs.want(TEXT, 1, whose)  # news
        row = claim(unit)
        assert (row.mode, row.reason) == ("fhir_document", None)
        unit.write_backs.settle(replace(row, state=WriteBackState.REFUSED))
        unit.write_backs.reopen(whose)
        assert claim(unit).mode is None


def test_what_is_in_the_chart_keeps_its_way_when_it_is_tried_again(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 1, whose)
        row = replace(claim(unit), state=WriteBackState.REFUSED, mode="fhir_document", ehr_id="d1")
        unit.write_backs.settle(row)
        unit.write_backs.reopen(whose)
        assert claim(unit).mode == "fhir_document"


def test_a_row_whose_worker_died_says_so_once(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(TEXT, 1, whose)
        assert not claim(unit).unsettled
        again = unit.write_backs.claim(NOW + 2 * MINUTE, NOW + 3 * MINUTE)
        assert again is not None
        assert again.unsettled
        unit.write_backs.settle(replace(again, tries=1, next_try_at=NOW + 4 * MINUTE, reason="away"))
        rested = unit.write_backs.claim(NOW + 5 * MINUTE, NOW + 6 * MINUTE)
        assert rested is not None
        assert not rested.unsettled
