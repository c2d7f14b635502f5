"""Commits are shared, bounded and in order; poison fails alone; a store that is down is not pestered."""

import asyncio
import hashlib
from collections.abc import Sequence
from functools import partial

import pytest

from hl7_listener.group_commit import GroupCommit
from hl7_listener.inbox import Receipt, ReceivedMessage, Sequenced
from tests.listener.conftest import Told
from tests.listener.fakes import NOON, MemoryInbox, until

KIBIBYTE = 1024
S, D, R = Receipt.STORED, Receipt.DUPLICATE, Receipt.REFUSED


def received(control_id: str, size: int = 10) -> ReceivedMessage:
    payload = control_id.encode().ljust(size, b".")
    return ReceivedMessage("main", control_id, payload, hashlib.sha256(payload).digest(), NOON)


async def receipts_of(
    commit: GroupCommit, *submissions: Sequence[ReceivedMessage]
) -> list[list[Receipt | Sequenced]]:
    """Submit all of these at once; their receipts in the order in which they came back."""
    answers: list[list[Receipt | Sequenced]] = []
    for messages in submissions:
        commit.submit(messages, lambda receipts: answers.append(list(receipts)))
    await commit.settled()
    return answers


def batch(count: int) -> list[ReceivedMessage]:
    return [received(f"M{number}") for number in range(count)]


def test_what_waits_while_one_commit_runs_shares_the_next() -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox)
        inbox.open.clear()
        order: list[str] = []

        def note(name: str, _: Sequence[Receipt | Sequenced]) -> None:
            order.append(name)

        for name in ("A", "B"):
            commit.submit([received(name)], partial(note, name))
        await until(lambda: len(inbox.calls) == 1)
        for name in ("C", "D", "E"):
            commit.submit([received(name)], partial(note, name))
        inbox.open.set()
        await commit.settled()
        assert inbox.calls == [["A", "B"], ["C", "D", "E"]]
        assert order == ["A", "B", "C", "D", "E"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("bounds", "calls"),
    [
        ({"max_batch_messages": 2}, [["A", "B"], ["C", "D"], ["E"]]),
        ({"max_batch_bytes": 3 * KIBIBYTE}, [["A", "B"], ["C", "D"], ["E"]]),
        ({"max_batch_bytes": 1}, [["A"], ["B"], ["C"], ["D"], ["E"]]),
        ({}, [["A", "B", "C", "D", "E"]]),
    ],
)
def test_a_commit_is_bounded_in_messages_and_bytes(bounds: dict[str, int], calls: list[list[str]]) -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox, **bounds)  # type: ignore[arg-type]
        await receipts_of(commit, *([received(name, KIBIBYTE)] for name in "ABCDE"))
        assert inbox.calls == calls

    asyncio.run(story())


def test_a_repeat_is_a_duplicate_in_the_same_commit_and_in_a_later_one() -> None:
    async def story() -> None:
        commit = GroupCommit(MemoryInbox())
        assert await receipts_of(commit, [received("A"), received("A")], [received("B")]) == [[S, D], [S]]
        assert await receipts_of(commit, [received("A")]) == [[D]]

    asyncio.run(story())


@pytest.mark.parametrize("poison", [{0}, {1}, {6}, {7}, {19}, {0, 1}, {3, 11, 12}, {0, 19}])
def test_poison_messages_fail_alone_and_the_others_are_kept_in_order(poison: set[int]) -> None:
    async def story() -> None:
        messages = batch(20)
        inbox = MemoryInbox(poison=frozenset(f"M{number}" for number in poison))
        answers = await receipts_of(GroupCommit(inbox), messages[:7], messages[7:8], messages[8:])
        assert [len(answer) for answer in answers] == [7, 1, 12]
        expected = [R if number in poison else S for number in range(20)]
        assert [receipt for answer in answers for receipt in answer] == expected
        assert inbox.control_ids == [f"M{number}" for number in range(20) if number not in poison]
        assert len(inbox.calls) <= 2 * len(poison) * 5 + 1

    asyncio.run(story())


def test_a_store_that_says_it_is_down_is_asked_once_and_everybody_is_told_to_try_later() -> None:
    async def story() -> None:
        inbox = MemoryInbox(down=True)
        commit = GroupCommit(inbox)
        assert await receipts_of(commit, batch(500)) == [[R] * 500]
        assert len(inbox.calls) == 1
        inbox.down = False
        assert await receipts_of(commit, batch(500)) == [[S] * 500]

    asyncio.run(story())


def test_a_store_that_fails_at_everything_without_saying_so_is_not_asked_for_each_message() -> None:
    async def story() -> None:
        inbox = MemoryInbox(broken=True)
        assert await receipts_of(GroupCommit(inbox), batch(1000)) == [[R] * 1000]
        assert len(inbox.calls) < 30
        assert inbox.kept == []

    asyncio.run(story())


def test_a_store_that_goes_down_half_way_through_a_poisoned_batch_keeps_what_it_kept() -> None:
    class Failing(MemoryInbox):
        async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
            self.down = bool(self.kept)
            return await super().keep(messages)

    async def story() -> None:
        inbox = Failing(poison=frozenset({"M0"}))
        assert await receipts_of(GroupCommit(inbox), batch(8)) == [[R, S, R, R, R, R, R, R]]
        assert inbox.control_ids == ["M1"]
        assert inbox.calls[-1] == ["M2", "M3"]

    asyncio.run(story())


def test_an_inbox_that_miscounts_its_receipts_acknowledges_nothing() -> None:
    class Miscounting(MemoryInbox):
        async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
            return [*await super().keep(messages), S]

    async def story() -> None:
        assert await receipts_of(GroupCommit(Miscounting()), batch(3)) == [[R, R, R]]

    asyncio.run(story())


def test_it_says_when_it_is_full_and_when_there_is_room_again() -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox, max_waiting_bytes=4 * KIBIBYTE, max_batch_messages=1)
        told: list[int] = []
        full: list[bool] = []
        for name in ("A", "B", "C"):
            commit.submit([received(name, KIBIBYTE)], lambda _: None)
            full.append(commit.full)
        assert full == [False, False, True]
        commit.when_room(lambda: told.append(commit.waiting_bytes))
        await commit.settled()
        assert told == [1536]  # one of the three, with what it weighs beside its payload
        assert commit.waiting_bytes == 0

    asyncio.run(story())


def test_each_commit_that_stored_something_new_knocks_once_after_the_answers() -> None:
    async def story() -> None:
        events: list[str] = []
        commit = GroupCommit(MemoryInbox(), on_kept=lambda stored: events.append(f"knock {stored}"))
        for name in ("A", "B", "A"):
            commit.submit([received(name)], lambda receipts: events.append(str(receipts[0])))
        await commit.settled()
        commit.submit([received("A")], lambda receipts: events.append(str(receipts[0])))
        await commit.settled()
        assert events == [str(S), str(S), str(D), "knock 2", str(D)]

    asyncio.run(story())


def fail(_: object) -> None:
    raise RuntimeError("Sample^Ana")


def test_neither_a_failing_knock_nor_a_failing_answer_harms_anybody_else(
    told: Told,
) -> None:
    async def story() -> None:
        answers: list[Receipt | Sequenced] = []
        commit = GroupCommit(MemoryInbox(), on_kept=fail)
        commit.submit([received("A")], fail)
        commit.submit([received("B")], answers.extend)
        await commit.settled()
        commit.submit([received("C")], answers.extend)
        await commit.settled()
        assert answers == [S, S]

    asyncio.run(story())
    assert "RuntimeError" in told.text
    assert "Sample" not in told.text


def test_a_failure_is_logged_by_control_id_and_class_never_by_its_words(
    told: Told,
) -> None:
    asyncio.run(receipts_of(GroupCommit(MemoryInbox(poison=frozenset({"M1"}))), batch(3)))
    assert "ValueError" in told.text
    assert "M1" in told.text
    assert "M2" not in told.text
    assert "Sample" not in told.text
