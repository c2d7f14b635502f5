"""What was read of each resource last, in every store alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.ports.ehr_reading import Reference, Snapshot
from tests.adapters.store.records import MINUTE, NOW

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.store import Store

VISIT = Reference("Appointment", "7")


def renew(
    store: Store,
    payload: bytes,
    reference: Reference = VISIT,
    feed: str = "ehr",
    asked_at: datetime = NOW,
) -> bytes | None:
    with store.unit() as unit:
        return unit.snapshots.renew(Snapshot(reference, payload), feed, asked_at)


def test_what_reads_as_it_did_is_no_news(store: Store) -> None:
    assert renew(store, b"booked") is not None
    assert renew(store, b"booked") is None
    assert renew(store, b"cancelled") is not None


def test_a_state_that_returns_is_news_each_time(store: Store) -> None:
    digests = [renew(store, payload) for payload in (b"a", b"b", b"a", b"b", b"a")]
    assert len(set(digests)) == 5
    assert None not in digests


def test_one_resource_is_not_another_nor_another_feeds(store: Store) -> None:
    others = [VISIT, Reference("Patient", "7"), Reference("Appointment", "8")]
    assert all(renew(store, b"the same", each) is not None for each in others)
    assert renew(store, b"the same", feed="second") is not None
    assert all(renew(store, b"the same", each) is None for each in others)


def test_what_was_asked_for_earlier_and_comes_later_is_no_news(store: Store) -> None:
    assert renew(store, b"booked") is not None
    assert renew(store, b"cancelled", asked_at=NOW + 2 * MINUTE) is not None
    assert renew(store, b"booked", asked_at=NOW + MINUTE) is None
    assert renew(store, b"cancelled", asked_at=NOW + 4 * MINUTE) is None
    assert renew(store, b"booked", asked_at=NOW + 3 * MINUTE) is None
    assert renew(store, b"booked", asked_at=NOW + 4 * MINUTE) is not None


def test_it_is_known_whether_a_resource_was_ever_read(store: Store) -> None:
    renew(store, b"booked")
    with store.unit() as unit:
        assert unit.snapshots.knows("ehr", VISIT)
        assert not unit.snapshots.knows("second", VISIT)
        assert not unit.snapshots.knows("ehr", Reference("Patient", "7"))


def test_what_a_unit_that_failed_read_is_news_once_more(store: Store) -> None:
    renew(store, b"booked")
    with pytest.raises(LookupError):
        renew_and_fail(store)
    assert renew(store, b"cancelled") is not None
    assert renew(store, b"cancelled") is None


def renew_and_fail(store: Store) -> None:
    with store.unit() as unit:
        assert unit.snapshots.renew(Snapshot(VISIT, b"cancelled"), "ehr", NOW) is not None
        raise LookupError
