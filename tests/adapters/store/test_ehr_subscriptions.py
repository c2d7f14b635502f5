"""Our Subscriptions on the EHR, in every store alike: one of a key, looked after by one at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.ports.ehr_store import EhrSubscription
from tests.adapters.store.records import HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store

TOPIC = "http://example.org/topics/appointment"
CLASSIC = EhrSubscription("ehr", "Appointment", "1", "classic", "active", next_look_at=NOW + HOUR)
TOPICAL = EhrSubscription(
    feed="ehr",
    resource_type="Appointment",
    ehr_id="2",
    kind="topic",
    status="error",
    topic=TOPIC,
    last_event=2**40,
    ahead=(2**40 + 2, 2**40 + 5),
    told_of=2**40 + 7,
    gap_since=NOW,
    heard_at=NOW + MINUTE,
    event_at=NOW + 2 * MINUTE,
    next_look_at=NOW + 3 * MINUTE,
    tries=4,
    reason="the EHR answered with status 500",
)


class Interrupted(Exception):
    pass


def with_rows(store: Store, *rows: EhrSubscription) -> None:
    with store.unit() as unit:
        for row in rows:
            unit.subscriptions.save(row)


def claimed(store: Store, **times: Any) -> EhrSubscription | None:
    now = times.get("now", NOW)
    with store.unit() as unit:
        return unit.subscriptions.claim_due(now, now + 5 * MINUTE)


def test_they_come_back_as_they_were_written(store: Store) -> None:
    with_rows(store, TOPICAL, CLASSIC)
    with store.unit() as unit:
        assert unit.subscriptions.find("ehr", "Appointment") == CLASSIC
        assert unit.subscriptions.find("ehr", "Appointment", TOPIC) == TOPICAL
        assert unit.subscriptions.find("ehr", "Patient") is None
        assert unit.subscriptions.by_ehr_id("ehr", "2") == TOPICAL
        assert unit.subscriptions.by_ehr_id("other", "2") is None
    with store.reading() as unit:
        assert list(unit.subscriptions.all()) == [CLASSIC, TOPICAL]


def test_saving_writes_over_the_one_of_its_key(store: Store) -> None:
    with_rows(store, CLASSIC, TOPICAL)
    changed = replace(CLASSIC, ehr_id="3", status="off", tries=1)
    with_rows(store, changed)
    with store.reading() as unit:
        assert list(unit.subscriptions.all()) == [changed, TOPICAL]


def test_one_is_forgotten_and_the_others_stay(store: Store) -> None:
    with_rows(store, CLASSIC, TOPICAL)
    with store.unit() as unit:
        unit.subscriptions.forget("ehr", "Appointment")
        unit.subscriptions.forget("ehr", "Patient")
    with store.reading() as unit:
        assert list(unit.subscriptions.all()) == [TOPICAL]


def test_what_a_unit_that_failed_saved_is_not_saved(store: Store) -> None:
    def save_and_fail() -> None:
        with store.unit() as unit:
            unit.subscriptions.save(CLASSIC)
            raise Interrupted

    with pytest.raises(Interrupted):
        save_and_fail()
    with store.reading() as unit:
        assert list(unit.subscriptions.all()) == []


def test_it_is_looked_at_when_due_and_by_one_alone(store: Store) -> None:
    with_rows(store, CLASSIC, TOPICAL)
    assert claimed(store) is None
    assert claimed(store, now=NOW + 3 * MINUTE) == TOPICAL
    assert claimed(store, now=NOW + 3 * MINUTE) is None
    assert claimed(store, now=NOW + 8 * MINUTE) == TOPICAL  # its lease has run out


def test_without_a_next_look_it_is_due_at_once(store: Store) -> None:
    with_rows(store, replace(CLASSIC, next_look_at=None))
    assert claimed(store) == replace(CLASSIC, next_look_at=None)


def test_news_that_leave_the_next_look_leave_the_lease(store: Store) -> None:
    with_rows(store, TOPICAL)
    later = NOW + 3 * MINUTE
    assert claimed(store, now=later) is not None
    with_rows(store, replace(TOPICAL, heard_at=later))
    assert claimed(store, now=later) is None
    with_rows(store, replace(TOPICAL, next_look_at=later - MINUTE))
    assert claimed(store, now=later) is not None


def test_of_two_that_would_make_it_one_may(store: Store) -> None:
    new = EhrSubscription("ehr", "Patient", "", "classic", "", next_look_at=NOW + HOUR)
    with store.unit() as unit:
        assert unit.subscriptions.claim(new, NOW, NOW + MINUTE) == new
    with store.unit() as unit:
        assert unit.subscriptions.claim(new, NOW, NOW + MINUTE) is None
    with_rows(store, replace(new, ehr_id="7", next_look_at=NOW + 2 * HOUR))  # made: the lease ends
    with store.unit() as unit:
        found = unit.subscriptions.claim(new, NOW, NOW + MINUTE)
    assert found is not None
    assert found.ehr_id == "7"


def test_the_sweep_sees_it_and_when_it_is_due(store: Store) -> None:
    assert store.next_times().wall is None
    with_rows(store, TOPICAL)
    assert "subscriptions" not in store.has_work(NOW, NOW)
    assert "subscriptions" in store.has_work(NOW, NOW + 3 * MINUTE)
    assert store.next_times().wall == NOW + 3 * MINUTE
