"""What the listener keeps: durable before it is acknowledged, once, in order, and found by the pipeline."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from hl7_listener.inbox import Inbox, Receipt, ReceivedMessage, Sequenced, StoreUnavailable
from integration.testing.store import FakeInbox, FakeStore
from tests.adapters.store import keeper
from tests.adapters.store.records import NOW
from tests.adapters.store.surgery import cut_all_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store
    from tests.stores import StorePlace

STORED, DUPLICATE = Receipt.STORED, Receipt.DUPLICATE


def received(number: int, /, **changes: Any) -> ReceivedMessage:
    payload = changes.pop("payload", f"MSH|^~\\&|EHR|||||SIU^S12|MSG{number}|P|2.5.1\r".encode())
    return ReceivedMessage(
        **{
            "channel": "main",
            "control_id": f"MSG{number}",
            "payload": payload,
            "digest": sha256(payload).digest(),
            "received_at": NOW,
            **changes,
        }
    )


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def inbox_and_store(request: pytest.FixtureRequest) -> Iterator[tuple[Inbox, Store]]:
    """An inbox, and the store that its messages are found in."""
    if request.param == "memory":
        fake = FakeStore()
        yield FakeInbox(fake), fake
        return
    place: StorePlace = request.getfixturevalue(f"{request.param}_place")
    store, inbox = place.open(), place.open_inbox()
    yield inbox, store
    inbox.close()
    store.close()


def keep(inbox: Inbox, *messages: ReceivedMessage) -> list[Receipt | Sequenced]:
    return list(asyncio.run(_keep(inbox, messages)))


async def _keep(inbox: Inbox, messages: tuple[ReceivedMessage, ...]) -> list[Receipt | Sequenced]:
    return list(await inbox.keep(messages))


def test_what_was_kept_is_found_as_it_came_and_in_its_order(inbox_and_store: tuple[Inbox, Store]) -> None:
    inbox, store = inbox_and_store
    strange = received(2, payload=b"MSH|^~\\&|\x00\xff\x0b\r", control_id="\xe9")
    assert keep(inbox, received(1), strange, received(3)) == [STORED] * 3
    assert keep(inbox, received(4)) == [STORED]
    with store.unit() as unit:
        messages = unit.inbox.listing()
    assert [message.control_id for message in messages] == ["MSG1", "\xe9", "MSG3", "MSG4"]
    assert [message.id for message in messages] == sorted(message.id for message in messages)
    assert messages[1].payload == strange.payload
    assert {(message.channel, message.received_at, message.state) for message in messages} == {
        ("main", NOW, "new")
    }


def test_the_same_message_is_stored_once_and_acknowledged_again(inbox_and_store: tuple[Inbox, Store]) -> None:
    inbox, store = inbox_and_store
    assert keep(inbox, received(1), received(1), received(2)) == [STORED, DUPLICATE, STORED]
    assert keep(inbox, received(3), received(1), received(1)) == [STORED, DUPLICATE, DUPLICATE]
    assert keep(inbox, received(1, channel="other")) == [STORED]
    assert keep(inbox) == []
    with store.unit() as unit:
        assert unit.inbox.count("new") == 4


def test_a_refused_message_is_kept_as_dead_with_the_reason(inbox_and_store: tuple[Inbox, Store]) -> None:
    inbox, store = inbox_and_store
    assert keep(inbox, received(1, refusal="unreadable-header MSH-2", control_id="")) == [STORED]
    with store.unit() as unit:
        (message,) = unit.inbox.listing("dead")
        assert message.reason == "unreadable-header MSH-2"
        assert unit.inbox.claim(1) == []


def test_a_control_id_with_a_nul_byte_is_kept_all_the_same(inbox_and_store: tuple[Inbox, Store]) -> None:
    inbox, store = inbox_and_store
    assert keep(inbox, received(1, control_id="MSG\x001")) == [STORED]
    with store.unit() as unit:
        assert unit.inbox.count("new") == 1


def numbered(*numbers: int, **changes: Any) -> list[ReceivedMessage]:
    return [received(abs(number), sequence=number, **changes) for number in numbers]


def test_sequence_numbers_are_judged_one_after_another(inbox_and_store: tuple[Inbox, Store]) -> None:
    inbox, store = inbox_and_store
    gap = Receipt.OUT_OF_SEQUENCE
    assert keep(inbox, *numbered(7, 8, 10, 9)) == [
        Sequenced(STORED, 8),
        Sequenced(STORED, 9),
        Sequenced(gap, 9),
        Sequenced(STORED, 10),
    ]
    assert keep(inbox, *numbered(8, 9, 11)) == [  # 9: our answer to it was lost
        Sequenced(gap, 10),
        Sequenced(DUPLICATE, 10),
        Sequenced(gap, 10),
    ]
    assert keep(inbox, *numbered(3, channel="other"), received(1)) == [Sequenced(STORED, 4), STORED]
    with store.unit() as unit:
        kept = [(message.channel, message.control_id) for message in unit.inbox.listing()]
    assert kept == [("main", name) for name in ("MSG7", "MSG8", "MSG9")] + [
        ("other", "MSG3"),
        ("main", "MSG1"),
    ]


def test_starting_a_link_tells_the_number_and_beginning_anew_forgets_it(
    inbox_and_store: tuple[Inbox, Store],
) -> None:
    inbox, store = inbox_and_store
    [start, anew] = numbered(0, -1, has_content=False)
    assert keep(inbox, start) == [Sequenced(STORED, -1)]
    assert keep(inbox, *numbered(5)) == [Sequenced(STORED, 6)]
    assert keep(inbox, start) == [Sequenced(STORED, 6)]
    assert keep(inbox, anew) == [Sequenced(STORED, -1)]
    assert keep(inbox, *numbered(900)) == [Sequenced(STORED, 901)]
    with store.unit() as unit:
        assert [message.control_id for message in unit.inbox.listing()] == ["MSG5", "MSG900"]


def test_sequence_numbers_survive_with_the_messages_and_go_with_them(store_place: StorePlace) -> None:
    inbox = store_place.open_inbox()
    keep(inbox, *numbered(1))
    with pytest.raises(Exception, match=r"(?i)null"):
        keep(inbox, *numbered(2), received(9, channel=None))
    inbox.close()
    again = store_place.open_inbox()
    assert keep(again, *numbered(2)) == [Sequenced(STORED, 3)]
    again.close()


def test_a_message_that_cannot_be_stored_spoils_its_batch_and_nothing_else(store_place: StorePlace) -> None:
    inbox = store_place.open_inbox()
    poison = received(2, channel=None)
    with pytest.raises(Exception, match=r"(?i)null"):
        keep(inbox, received(1), poison)
    assert keep(inbox, received(1), received(3)) == [STORED, STORED]
    inbox.close()


def test_a_store_that_is_gone_says_so_and_is_found_again(sqlite_place: StorePlace) -> None:
    inbox = sqlite_place.open_inbox()
    hidden = sqlite_place.file.with_name("hidden")
    sqlite_place.file.rename(hidden)
    with pytest.raises(StoreUnavailable):
        keep(inbox, received(1))
    hidden.rename(sqlite_place.file)
    assert keep(inbox, received(1)) == [STORED]
    inbox.close()


def test_a_fake_inbox_whose_store_is_away_says_so() -> None:
    store = FakeStore()
    store.away = True
    with pytest.raises(StoreUnavailable):
        keep(FakeInbox(store), received(1))


def test_the_listener_s_connection_to_postgres_may_be_cut(postgres_place: StorePlace) -> None:
    inbox = postgres_place.open_inbox()
    assert keep(inbox, received(1)) == [STORED]
    cut_all_connections(postgres_place)
    with pytest.raises(StoreUnavailable):
        keep(inbox, received(1), received(2))
    assert keep(inbox, received(1), received(2)) == [DUPLICATE, STORED]
    inbox.close()


def test_the_pipeline_at_work_does_not_keep_the_listener_out(store_place: StorePlace) -> None:
    """Units and batches side by side: each of both succeeds."""
    inbox, store = store_place.open_inbox(), store_place.open()

    async def both() -> list[Receipt | Sequenced]:
        loop = asyncio.get_running_loop()
        receipts: list[Receipt | Sequenced] = []
        for number in range(30):
            working = loop.run_in_executor(None, _claim_and_finish, store)
            receipts += await inbox.keep([received(number)])
            await working
        return receipts

    assert asyncio.run(both()) == [STORED] * 30
    _claim_and_finish(store)
    with store.unit() as unit:
        assert unit.inbox.count("done") == 30
    inbox.close()
    store.close()


def _claim_and_finish(store: Store) -> None:
    with store.unit() as unit:
        for message in unit.inbox.claim(10):
            unit.inbox.done(message.id)


@pytest.mark.slow
def test_a_listener_killed_at_any_moment_has_lost_nothing_it_acknowledged(store_place: StorePlace) -> None:
    acknowledged: set[str] = set()
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-m", keeper.__name__, store_place.url, str(store_place.data_directory)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(40):
                acknowledged.add(process.stdout.readline().strip())
            process.kill()
            acknowledged.update(line.strip() for line in process.stdout if line.endswith("\n"))
    store = store_place.open()
    with store.unit() as unit:
        kept = {message.control_id for message in unit.inbox.listing(limit=1_000_000)}
    store.close()
    assert len(acknowledged) >= 120
    assert acknowledged <= kept
