"""How far each feed has asked the EHR, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.ports.ehr_store import Poll
from tests.adapters.store.records import DAY, HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit


def claim(unit: Unit, later: int = 0) -> Poll:
    poll = unit.polls.claim(NOW + later * MINUTE, NOW + (later + 5) * MINUTE)
    assert poll is not None
    return poll


def test_a_poll_is_wanted_claimed_and_settled(store: Store) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW)
        poll = claim(unit)
        assert poll == Poll("ehr", next_at=NOW)
    asked = replace(
        poll, changed_since=NOW, covered_until=NOW + 92 * DAY, next_at=NOW + HOUR, tries=1, reason="busy"
    )
    with store.unit() as unit:
        unit.polls.settle(asked)
        assert unit.polls.all() == [asked]
        assert unit.polls.claim(NOW + 59 * MINUTE, NOW + DAY) is None
        assert unit.polls.claim(NOW + HOUR, NOW + DAY) == asked


def test_the_earliest_wish_counts(store: Store) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW + HOUR)
        unit.polls.want("ehr", "", NOW + DAY)
        assert [poll.next_at for poll in unit.polls.all()] == [NOW + HOUR]
        unit.polls.want("ehr", "", NOW + MINUTE)
        assert [poll.next_at for poll in unit.polls.all()] == [NOW + MINUTE]


def test_nobody_else_gets_it_before_its_lease_ends_and_then_somebody_does(store: Store) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW)
        claim(unit)
    with store.unit() as unit:
        assert unit.polls.claim(NOW + 4 * MINUTE, NOW + DAY) is None
        assert claim(unit, later=5).feed == "ehr"


def test_one_that_takes_long_is_held_longer(store: Store) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW)
        poll = claim(unit)
        unit.polls.hold(poll, NOW + 20 * MINUTE)
        assert unit.polls.claim(NOW + 19 * MINUTE, NOW + DAY) is None
        unit.polls.settle(replace(poll, next_at=NOW + HOUR))
        assert [left.next_at for left in unit.polls.all()] == [NOW + HOUR]


@pytest.mark.parametrize("held", [False, True])
def test_wanted_while_it_is_asked_it_is_asked_once_more(store: Store, *, held: bool) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW)
        poll = claim(unit)
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW + MINUTE)
        if held:
            unit.polls.hold(poll, NOW + 9 * MINUTE)
        assert unit.polls.claim(NOW + 4 * MINUTE, NOW + DAY) is None
        unit.polls.settle(replace(poll, changed_since=NOW, next_at=NOW + HOUR))
    with store.unit() as unit:
        again = claim(unit, later=1)
        assert again == Poll("ehr", changed_since=NOW, next_at=NOW + MINUTE)
        unit.polls.settle(replace(again, next_at=NOW + HOUR))
        assert unit.polls.claim(NOW + 59 * MINUTE, NOW + DAY) is None


def test_the_one_due_the_longest_comes_first(store: Store) -> None:
    with store.unit() as unit:
        for location, at in (("a", NOW), ("b", NOW - HOUR), ("c", NOW + HOUR)):
            unit.polls.want("ehr", location, at)
        assert [claim(unit).location for _ in range(2)] == ["b", "a"]
        assert unit.polls.claim(NOW, NOW + DAY) is None


def test_one_forgotten_is_asked_no_more_even_if_it_was_being_asked(store: Store) -> None:
    with store.unit() as unit:
        for location in ("a", "b", "c"):
            unit.polls.want("ehr", location, NOW)
        poll = claim(unit)
        unit.polls.forget("ehr", ["a", "b", "z"])
        unit.polls.hold(poll, NOW + DAY)
        unit.polls.settle(replace(poll, next_at=NOW + HOUR))
        assert [left.location for left in unit.polls.all()] == ["c"]
        unit.polls.want("ehr", "a", NOW)
        assert Poll("ehr", "a", next_at=NOW) in unit.polls.all()


def test_the_step_has_work_when_one_is_due(store: Store) -> None:
    with store.unit() as unit:
        unit.polls.want("ehr", "", NOW + HOUR)
    assert store.has_work(NOW, NOW) == frozenset()
    assert store.next_times().wall == NOW + HOUR
    assert store.has_work(NOW, NOW + HOUR) == {"poll"}
    with store.unit() as unit:
        claim(unit, later=60)
        unit.polls.want("ehr", "", NOW)
    assert store.has_work(NOW, NOW + HOUR) == frozenset()
    assert store.next_times().wall == NOW + HOUR + 5 * MINUTE
