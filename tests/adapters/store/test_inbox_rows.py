"""The inbox as the pipeline works through it, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.ports.store import InboxFilter, ReasonCount
from tests.adapters.store.records import HOUR, NOW, digest, kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.ports.store import KeptMessage, Store


def keep(store: Store, *messages: KeptMessage) -> None:
    with store.unit() as unit:
        for message in messages:
            assert unit.inbox.add(message, digest(message))


def control_ids(messages: Sequence[KeptMessage]) -> list[str]:
    return [message.control_id for message in messages]


def test_a_message_comes_back_as_kept(store: Store) -> None:
    keep(store, kept(payload=b"MSH|^~\\&|\xff\x00\r"))
    with store.unit() as unit:
        (message,) = unit.inbox.claim(10)
        assert message == replace(kept(payload=b"MSH|^~\\&|\xff\x00\r"), id=message.id)
        assert unit.inbox.get(message.id) == message
        assert unit.inbox.get(message.id + 1) is None


def test_the_same_bytes_in_the_same_channel_are_kept_once(store: Store) -> None:
    keep(store, kept(1))
    with store.unit() as unit:
        assert not unit.inbox.add(kept(1), digest(kept(1)))
        assert unit.inbox.add(kept(1, channel="other"), digest(kept(1)))
        assert unit.inbox.count("new") == 2


def test_messages_of_a_channel_come_in_order_of_arrival_until_none_are_left(store: Store) -> None:
    keep(store, *(kept(number) for number in range(1, 21)))
    seen: list[str] = []
    while True:
        with store.unit() as unit:
            claimed = unit.inbox.claim(8)
            for message in claimed:
                unit.inbox.done(message.id)
        if not claimed:
            break
        assert len(claimed) <= 8
        seen += control_ids(claimed)
    assert seen == [f"MSG{number}" for number in range(1, 21)]


def test_a_claim_gets_messages_of_one_channel_the_longest_waiting_first(store: Store) -> None:
    keep(store, kept(1, channel="zebra"), kept(2, channel="ant"), kept(3, channel="zebra"))
    with store.unit() as unit:
        first = unit.inbox.claim(10)
        assert control_ids(first) == ["MSG1", "MSG3"]
        unit.inbox.done(first[0].id, "not for us")
        unit.inbox.dead(first[1].id, "no-start SCH-11")
        assert control_ids(unit.inbox.claim(10)) == ["MSG2"]


def test_what_became_of_a_message_can_be_read(store: Store) -> None:
    keep(store, kept(1), kept(2), kept(3))
    with store.unit() as unit:
        one, two, three = unit.inbox.claim(10)
        unit.inbox.done(one.id, "ignored MSH-9")
        unit.inbox.dead(two.id, "no-patient PID")
    with store.unit() as unit:
        states = [(each.state, each.reason) for each in unit.inbox.listing()]
        assert states == [("done", "ignored MSH-9"), ("dead", "no-patient PID"), ("new", None)]
        assert control_ids(unit.inbox.listing("dead")) == ["MSG2"]
        assert control_ids(unit.inbox.listing(after_id=one.id)) == ["MSG2", "MSG3"]
        assert control_ids(unit.inbox.listing(limit=1)) == ["MSG1"]
        assert control_ids(unit.inbox.listing("new", after_id=three.id)) == []
        assert [unit.inbox.count(state) for state in ("new", "done", "dead")] == [1, 1, 1]


def test_a_dead_message_lets_later_ones_pass(store: Store) -> None:
    keep(store, kept(1), kept(2))
    with store.unit() as unit:
        unit.inbox.dead(unit.inbox.claim(1)[0].id, "no-start SCH-11")
    with store.unit() as unit:
        assert control_ids(unit.inbox.claim(10)) == ["MSG2"]


def test_a_message_asked_for_again_is_new_and_marked(store: Store) -> None:
    keep(store, kept(1), kept(2), kept(3))
    with store.unit() as unit:
        one, two, three = unit.inbox.claim(10)
        unit.inbox.dead(one.id, "no-start SCH-11")
        unit.inbox.done(two.id)
        assert unit.inbox.replay([one.id, two.id, three.id, 404]) == 2
    with store.unit() as unit:
        marks = [(each.control_id, each.state, each.replayed, each.reason) for each in unit.inbox.listing()]
    assert marks == [("MSG1", "new", True, None), ("MSG2", "new", True, None), ("MSG3", "new", False, None)]


def test_messages_waiting_can_be_looked_at_without_a_claim(store: Store) -> None:
    keep(store, kept(1), kept(2, channel="other"), kept(3), kept(4, channel="third"))
    with store.unit() as unit:
        assert control_ids(unit.inbox.waiting(["main", "third"], 10)) == ["MSG1", "MSG3", "MSG4"]
        assert control_ids(unit.inbox.waiting(["main"], 1)) == ["MSG1"]
        assert unit.inbox.waiting(["unheard-of"], 10) == []
        for message in unit.inbox.claim(10):
            unit.inbox.done(message.id)
        assert unit.inbox.waiting(["main"], 10) == []


def test_the_same_control_id_with_other_bytes_is_noticed_in_its_own_channel(store: Store) -> None:
    keep(
        store,
        kept(1),
        kept(1, payload=b"MSH|other bytes\r"),
        kept(1, channel="other"),
        kept(2),
    )
    with store.unit() as unit:
        first, again, elsewhere, another = unit.inbox.listing()
        assert not unit.inbox.same_control_id(first)
        assert unit.inbox.same_control_id(again)
        assert not unit.inbox.same_control_id(elsewhere)
        assert not unit.inbox.same_control_id(another)


def settled(store: Store) -> None:
    """Four messages: two dead by one reason, one dead by another, one done with two notes."""
    keep(
        store,
        kept(1),
        kept(2, channel="other"),
        kept(3, received_at=NOW + HOUR),
        kept(4, received_at=NOW + 2 * HOUR),
    )
    with store.unit() as unit:
        unit.inbox.dead(1, "no-patient PID")
        unit.inbox.dead(2, "no-appointment-identifier SCH-2")
        unit.inbox.dead(3, "no-patient PID")
        unit.inbox.done(4, "unknown-status SCH-25.1, no-phone PID-13")


MEANT: tuple[tuple[InboxFilter, list[int]], ...] = (
    (InboxFilter(), [1, 2, 3, 4]),
    (InboxFilter(state="dead"), [1, 2, 3]),
    (InboxFilter(state="done"), [4]),
    (InboxFilter(state="new"), []),
    (InboxFilter(channel="other"), [2]),
    (InboxFilter(reason="no-patient"), [1, 3]),
    (InboxFilter(reason="no-patient PID"), [1, 3]),
    (InboxFilter(reason="no-pat"), []),
    (InboxFilter(reason="no-phone"), [4]),
    (InboxFilter(reason="no%"), []),
    (InboxFilter(since=NOW + HOUR), [3, 4]),
    (InboxFilter(until=NOW + HOUR), [1, 2]),
    (InboxFilter(state="dead", channel="main", since=NOW + HOUR), [3]),
)


@pytest.mark.parametrize(("wanted", "expected"), MEANT, ids=str)
def test_messages_are_found_by_what_is_known_of_them(
    wanted: InboxFilter, expected: list[int], store: Store
) -> None:
    settled(store)
    with store.reading() as unit:
        assert list(unit.inbox.ids(wanted)) == expected
        assert list(unit.inbox.ids(wanted, newest=2)) == expected[-2:]
        assert list(unit.inbox.ids(wanted, newest=0)) == []


def test_reasons_are_counted_the_most_frequent_first(store: Store) -> None:
    settled(store)
    with store.reading() as unit:
        assert list(unit.inbox.reasons(InboxFilter(state="dead"))) == [
            ReasonCount("main", "dead", "no-patient PID", 2, 1, 3),
            ReasonCount("other", "dead", "no-appointment-identifier SCH-2", 1, 2, 2),
        ]
