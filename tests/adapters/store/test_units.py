"""Units, breakers, and what can be asked without a unit, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.text_message import AttemptState
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.ports.store import NextTimes, StoreUnavailable
from integration.testing.store import FakeStore
from tests.adapters.store.records import (
    ADA,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    add_visit,
    attempt,
    callback,
    change,
    digest,
    kept,
    reminder,
    reply,
    suppression,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.ports.store import Step, Store, Unit


class Surprise(Exception):
    """What nobody expects."""


def test_a_unit_that_raises_leaves_no_trace(store: Store) -> None:
    with store.unit() as unit:
        unit.inbox.add(kept(1), digest(kept(1)))

    def write_much_and_fail() -> None:
        with store.unit() as unit:
            visit, whose = add_visit(unit)
            unit.changes.add(change(visit))
            unit.reminders.add([reminder(visit, whose)])
            unit.numbers.suppress(suppression())
            unit.inbox.done(unit.inbox.claim(1)[0].id)
            raise Surprise

    with pytest.raises(Surprise):
        write_much_and_fail()
    with store.unit() as unit:
        assert unit.inbox.count("new") == 1
        assert unit.patients.with_number(ADA) == []
        assert unit.changes.claim(10) == []
        assert unit.reminders.next_due() is None
        assert unit.numbers.suppressions(ADA) == []


def test_a_number_first_seen_in_a_unit_that_failed_can_be_used_by_the_next(store: Store) -> None:
    def write_and_fail() -> None:
        with store.unit() as unit:
            add_visit(unit)
            raise Surprise

    with pytest.raises(Surprise):
        write_and_fail()
    with store.unit() as unit:
        _, whose = add_visit(unit)
    with store.unit() as unit:
        assert unit.patients.get(whose).number == ADA


def test_a_breaker_stays_open_until_a_person_releases_it(store: Store) -> None:
    assert store.breakers() == {}
    store.open_breaker("riverside", "2001 texts in an hour")
    store.open_breaker("riverside", "2002 texts in an hour")
    store.open_breaker("hillside", "21610 everywhere")
    assert store.breakers() == {"riverside": "2001 texts in an hour", "hillside": "21610 everywhere"}
    store.release("riverside", NOW)
    store.release("riverside", NOW + HOUR)
    assert store.breakers() == {"hillside": "21610 everywhere"}
    assert store.released() == {"riverside": NOW}
    store.open_breaker("riverside", "again")
    assert store.breakers() == {"hillside": "21610 everywhere", "riverside": "again"}
    assert store.released() == {}


def _message(unit: Unit) -> None:
    unit.inbox.add(kept(), digest(kept()))


def _change(unit: Unit) -> None:
    unit.changes.add(change(add_visit(unit)[0]))


def _due_reminder(unit: Unit) -> None:
    unit.reminders.add([reminder(*add_visit(unit))])


def _queued_text(unit: Unit) -> None:
    unit.texts.add(text(add_visit(unit)[1], not_before=NOW))


def _callback(unit: Unit) -> None:
    unit.callbacks.add(callback())


def _reply(unit: Unit) -> None:
    unit.replies.add(reply())


def _overdue_offer(unit: Unit) -> None:
    unit.texts.add_attempt(attempt(unit.texts.add(text(add_visit(unit)[1])).id, deadline=NOW))


def _look(unit: Unit) -> None:
    added = unit.texts.add(text(add_visit(unit)[1], not_before=NOW - DAY))
    unit.texts.add_attempt(attempt(added.id, state=AttemptState.UNCERTAIN, next_look_at=NOW))


def _fact(unit: Unit) -> None:
    unit.write_backs.want(WriteBackKind.TEXT, 1, add_visit(unit)[1])


@pytest.mark.parametrize(
    ("write", "step"),
    [
        (_message, "translate"),
        (_change, "plan"),
        (_due_reminder, "send"),
        (_queued_text, "send"),
        (_callback, "track"),
        (_overdue_offer, "look_up"),
        (_look, "look_up"),
        (_reply, "reply"),
        (_fact, "write_back"),
    ],
)
def test_the_step_that_has_work_is_named(store: Store, write: Callable[[Unit], None], step: Step) -> None:
    assert store.has_work(NOW, NOW) == frozenset()
    with store.unit() as unit:
        write(unit)
    assert store.has_work(NOW, NOW) == {step}


@pytest.mark.parametrize("write", [_due_reminder, _queued_text, _overdue_offer, _look])
def test_what_waits_for_its_time_is_no_work_yet(store: Store, write: Callable[[Unit], None]) -> None:
    with store.unit() as unit:
        write(unit)
    assert store.has_work(NOW - MINUTE, NOW - MINUTE) == frozenset()


def test_what_is_done_is_no_work(store: Store) -> None:
    with store.unit() as unit:
        _message(unit)
        _callback(unit)
        _reply(unit)
        _change(unit)
    with store.unit() as unit:
        unit.inbox.done(unit.inbox.claim(1)[0].id)
        unit.callbacks.done(unit.callbacks.claim(1)[0].id)
        heard = unit.replies.claim()
        assert heard is not None
        unit.replies.update(replace(heard, done=True))
        unit.changes.done([each.id for each in unit.changes.claim(1)])
    assert store.has_work(NOW, NOW) == frozenset()


def test_the_next_times_are_the_earliest_that_rows_wait_for(store: Store) -> None:
    assert store.next_times() == NextTimes(calendar=None, wall=None)
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add(
            [reminder(visit, whose, due_at=NOW + DAY), reminder(visit, whose, step="two_days")]
        )
        unit.write_backs.want(WriteBackKind.TEXT, 1, whose)
        row = unit.write_backs.claim(NOW, NOW + 9 * HOUR)
        assert row is not None
    assert store.next_times() == NextTimes(calendar=NOW, wall=NOW + 9 * HOUR)
    with store.unit() as unit:
        unit.texts.add(text(whose, not_before=NOW + 5 * HOUR))
    assert store.next_times().wall == NOW + 5 * HOUR
    with store.unit() as unit:
        looked_for = unit.texts.add(text(whose, not_before=NOW))
        look = attempt(looked_for.id, state=AttemptState.UNCERTAIN, next_look_at=NOW + 4 * HOUR)
        looked = unit.texts.add_attempt(look)
    assert store.next_times().wall == NOW + 4 * HOUR
    with store.unit() as unit:
        offered = unit.texts.add(text(whose))
        unit.texts.add_attempt(attempt(offered.id, token="another", deadline=NOW + 3 * HOUR))
    assert store.next_times().wall == NOW + 3 * HOUR
    with store.unit() as unit:
        for each in unit.texts.attempts(offered.id):
            unit.texts.update_attempt(replace(each, state=AttemptState.ACCEPTED), {AttemptState.OFFERED})
        unit.texts.update(replace(offered, status=DeliveryStatus.SENT))
        unit.texts.update_attempt(replace(looked, state=AttemptState.ABSENT), {AttemptState.UNCERTAIN})
        unit.write_backs.settle(replace(row, state=WriteBackState.WRITTEN))
    assert store.next_times().wall == NOW


def test_a_fake_store_that_is_away_says_so() -> None:
    store = FakeStore()
    store.away = True
    with pytest.raises(StoreUnavailable), store.unit():
        pass
    with pytest.raises(StoreUnavailable):
        store.has_work(NOW, NOW)


def test_a_fake_store_refuses_a_unit_within_a_unit() -> None:
    store = FakeStore()
    with store.unit(), pytest.raises(RuntimeError), store.unit():
        pass


def test_what_a_row_refers_to_must_be_there(store: Store) -> None:
    with store.unit() as unit:
        visit, _ = add_visit(unit)
    with pytest.raises(Exception, match=r"404|FOREIGN KEY|foreign key"), store.unit() as unit:
        unit.reminders.add([reminder(visit, 404)])
