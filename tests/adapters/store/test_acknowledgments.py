"""What senders are yet to hear of their messages, in every store alike: one each, in order within a feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.application_acknowledgment import AcknowledgmentState, ApplicationAcknowledgment
from tests.adapters.store.records import HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit

WAITING, TAKEN, GAVE_UP = AcknowledgmentState


class Interrupted(Exception):
    pass


def owe_and_fail(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed())
        raise Interrupted


def owed(inbox_id: int = 1, **changes: Any) -> ApplicationAcknowledgment:
    row = ApplicationAcknowledgment(inbox_id, "main", f"OURS{inbox_id}", b"MSH|^~\\&|\rMSA|AA|\xd1\r", NOW)
    return replace(row, **changes)


def claim(unit: Unit, **options: Any) -> int | None:
    row = unit.acknowledgments.claim(NOW, NOW + 5 * MINUTE, **options)
    return None if row is None else row.inbox_id


def test_it_comes_back_as_it_was_written(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed())
        assert unit.acknowledgments.find(1) == owed()
        assert unit.acknowledgments.find(2) is None
        assert unit.acknowledgments.claim(NOW, NOW + MINUTE) == owed()


def test_the_first_outcome_of_a_message_stands(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed())
        unit.acknowledgments.owe(owed(message=b"another", control_id="OTHER"))
    with store.unit() as unit:
        unit.acknowledgments.owe(owed(message=b"another", control_id="OTHER"))
    with store.unit() as unit:
        assert unit.acknowledgments.find(1) == owed()
        assert unit.acknowledgments.count(WAITING) == 1


def test_what_a_unit_that_failed_owed_is_not_owed(store: Store) -> None:
    with pytest.raises(Interrupted):
        owe_and_fail(store)
    with store.unit() as unit:
        assert unit.acknowledgments.find(1) is None


def test_a_feed_is_told_in_the_order_of_its_messages_and_one_at_a_time(store: Store) -> None:
    with store.unit() as unit:
        for inbox_id in (3, 1, 2):
            unit.acknowledgments.owe(owed(inbox_id))
    for inbox_id in (1, 2, 3):
        with store.unit() as unit:
            assert claim(unit) == inbox_id
        with store.unit() as unit:
            assert claim(unit) is None
            unit.acknowledgments.settle(owed(inbox_id, state=TAKEN, tries=1))
    with store.unit() as unit:
        assert claim(unit) is None
        assert unit.acknowledgments.count(TAKEN) == 3


def test_a_row_that_rests_keeps_its_feed_back_and_no_other(store: Store) -> None:
    with store.unit() as unit:
        for inbox_id, feed in ((1, "main"), (2, "main"), (3, "second"), (4, "third")):
            unit.acknowledgments.owe(owed(inbox_id, feed=feed))
        assert claim(unit, but={"second"}) == 1
        unit.acknowledgments.settle(owed(tries=1, next_try_at=NOW + HOUR, reason="no connection"))
    with store.unit() as unit:
        assert claim(unit, but={"second"}) == 4
        assert claim(unit, but={"second"}) is None
        assert claim(unit) == 3
        assert claim(unit) is None
        again = unit.acknowledgments.claim(NOW + HOUR, NOW + 2 * HOUR, but={"second", "third"})
        assert again == owed(tries=1, next_try_at=NOW + HOUR, reason="no connection")


def test_a_lease_that_ran_out_gives_the_row_to_another(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed())
        assert claim(unit) == 1
    with store.unit() as unit:
        assert claim(unit) is None
        assert unit.acknowledgments.claim(NOW + 5 * MINUTE, NOW + 9 * MINUTE) == owed()


def test_what_is_settled_stays_as_it_is_whatever_a_late_worker_says(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed())
        unit.acknowledgments.settle(owed(state=GAVE_UP, reason="CR", tries=1))
        unit.acknowledgments.settle(owed(tries=2, next_try_at=NOW))
        assert unit.acknowledgments.find(1) == owed(state=GAVE_UP, reason="CR", tries=1)
        assert claim(unit) is None


def test_the_step_has_work_when_the_head_of_a_feed_is_due(store: Store) -> None:
    with store.unit() as unit:
        unit.acknowledgments.owe(owed(1))
        unit.acknowledgments.owe(owed(2))
    assert store.has_work(NOW, NOW) == {"acknowledge"}
    with store.unit() as unit:
        claim(unit)
    assert store.has_work(NOW, NOW) == frozenset()
    assert store.next_times().wall == NOW + 5 * MINUTE
    assert store.has_work(NOW, NOW + 5 * MINUTE) == {"acknowledge"}
    with store.unit() as unit:
        unit.acknowledgments.settle(owed(1, tries=1, next_try_at=NOW + HOUR))
    assert store.next_times().wall == NOW + HOUR
    with store.unit() as unit:
        unit.acknowledgments.settle(owed(1, state=TAKEN))
        unit.acknowledgments.settle(owed(2, state=TAKEN))
    assert store.has_work(NOW, NOW + HOUR) == frozenset()
    assert store.next_times().wall is None
