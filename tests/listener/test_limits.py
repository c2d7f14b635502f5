"""Bounds: on what unfinished frames hold, on how long they take, on silence, and on many small messages."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hl7_listener.connection import _MESSAGES_AT_ONCE
from hl7_listener.desk import Unfinished
from hl7_listener.framing import frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings
from tests.listener.fakes import PATIENCE, MemoryInbox, Sender, Site, listening, message, until

if TYPE_CHECKING:
    from tests.listener.conftest import Told

MAIN = ListenerSettings("main", port=0)
KIBIBYTE, MEBIBYTE = 1024, 1024 * 1024


async def holding(site: Site, size: int, *, then: int) -> Sender:
    """A sender that has begun a frame of this size and does not end it; `then` is what all of them hold."""
    sender = await site.connect()
    sender.writer.write(b"\x0b" + b"x" * size)
    await until(lambda: site.server.unfinished_bytes == then)
    return sender


def test_beyond_the_bound_who_holds_most_is_cut_off_and_small_senders_go_on(told: Told) -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_unfinished_bytes=MEBIBYTE)) as site:
            small = await holding(site, 100 * KIBIBYTE, then=100 * KIBIBYTE)
            large = await holding(site, 600 * KIBIBYTE, then=700 * KIBIBYTE)
            good = await site.send(message("A1"))
            assert await good.msa() == "AA A1"
            middle = await holding(site, 300 * KIBIBYTE, then=1000 * KIBIBYTE)
            await holding(site, 200 * KIBIBYTE, then=600 * KIBIBYTE)
            assert await large.closed() == b""
            assert not small.reader.at_eof()
            assert not middle.reader.at_eof()
            good.writer.write(frame(message("A2")))
            assert await good.msa() == "AA A2"
            assert site.server.counts.shed == 1
            assert site.inbox.control_ids == ["A1", "A2"]

    asyncio.run(story())
    assert "a large unfinished frame was cut off" in told.text


def test_a_flood_of_endless_frames_never_holds_more_than_the_bound() -> None:
    bound = 4 * MEBIBYTE

    async def story() -> None:
        most = 0
        async with listening(settings=replace(MAIN, max_unfinished_bytes=bound)) as site:
            senders = [await site.connect() for _ in range(20)]
            for sender in senders:
                sender.writer.write(b"\x0b" + b"x" * MEBIBYTE)

            def settled() -> bool:
                nonlocal most
                most = max(most, site.server.unfinished_bytes)
                return site.server.counts.shed >= 16

            await until(settled)
            assert most <= bound
            good = await site.send(message("A1"))
            assert await good.msa() == "AA A1"

    asyncio.run(story())


def test_what_is_answered_before_it_is_cut_off_was_kept() -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, max_unfinished_bytes=KIBIBYTE)) as site:
            site.inbox.open.clear()
            sender = await site.connect()
            sender.writer.write(frame(message("A1")) + b"\x0bMSH|^~\\&|" + b"x" * 2000)
            await until(lambda: site.server.counts.shed == 1)
            site.inbox.open.set()
            assert await sender.msa() == "AA A1"
            assert await sender.closed() == b""
            assert site.inbox.control_ids == ["A1"]
            assert site.server.unfinished_bytes == 0

    asyncio.run(story())


def test_the_listeners_of_all_feeds_share_a_bound() -> None:
    async def story() -> None:
        everybodys = Unfinished(MEBIBYTE)
        inbox = MemoryInbox()
        commit = GroupCommit(inbox)
        async with (
            listening(inbox, MAIN, commit, everybodys=everybodys) as one,
            listening(inbox, replace(MAIN, channel="lab"), commit, everybodys=everybodys) as two,
        ):
            largest = await holding(one, 700 * KIBIBYTE, then=700 * KIBIBYTE)
            await holding(two, 200 * KIBIBYTE, then=200 * KIBIBYTE)
            await holding(two, 150 * KIBIBYTE, then=350 * KIBIBYTE)
            assert await largest.closed() == b""
            assert everybodys.total == 350 * KIBIBYTE
            assert (one.server.counts.shed, two.server.counts.shed) == (1, 0)

    asyncio.run(story())


def test_a_frame_beyond_the_bound_of_all_holds_nothing_once_it_is_cut_off() -> None:
    async def story() -> None:
        everybodys = Unfinished(KIBIBYTE)
        async with listening(everybodys=everybodys) as site:
            sender = await site.connect()
            sender.writer.write(b"\x0b" + b"x" * 2000)
            assert await sender.closed() == b""
            assert (everybodys.total, site.server.unfinished_bytes, site.server.counts.shed) == (0, 0, 1)

    asyncio.run(story())


def test_whatever_ends_a_frame_gives_its_room_back() -> None:
    async def story() -> None:
        async with listening() as site:
            whole = await site.connect()
            whole.writer.write(b"\x0b" + message("A1")[:50])
            await until(lambda: site.server.unfinished_bytes == 50)
            whole.writer.write(message("A1")[50:] + b"\x1c\r")
            assert await whole.msa() == "AA A1"
            assert site.server.unfinished_bytes == 0
            vanishing = await site.connect()
            vanishing.writer.write(b"\x0b" + b"x" * 70)
            await until(lambda: site.server.unfinished_bytes == 70)
            vanishing.reset()
            await until(lambda: site.server.unfinished_bytes == 0)

    asyncio.run(story())


def test_a_frame_that_takes_too_long_is_cut_off_and_a_whole_one_is_never_late(told: Told) -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, frame_limit=0.2)) as site:
            idle, begun = await site.connect(), await site.connect()
            begun.writer.write(b"\x0b")
            slow = await site.connect()

            async def drip() -> None:
                while not slow.writer.is_closing():
                    slow.writer.write(b"x")
                    await asyncio.sleep(0)

            slow.writer.write(b"\x0bMSH|")
            dripping = asyncio.create_task(drip())
            assert [await slow.closed(), await begun.closed()] == [b"", b""]
            slow.writer.close()
            await dripping
            idle.writer.write(frame(message("A1")))
            assert await idle.msa() == "AA A1"
            await until(lambda: site.server.counts.too_slow == 2)
            assert site.inbox.control_ids == ["A1"]

    asyncio.run(story())
    assert "a frame not whole after 0.2 s" in told.text


HOUR = 3600.0  # seconds


def test_the_time_that_the_store_takes_is_not_the_senders() -> None:
    async def story() -> None:
        commit = GroupCommit(inbox := MemoryInbox(), max_waiting_bytes=1)
        async with listening(inbox, replace(MAIN, frame_limit=HOUR / 2), commit) as site:
            inbox.open.clear()
            sender = await site.connect()
            sender.writer.write(frame(message("A1")) + b"\x0b" + message("A2")[:50])
            await until(lambda: bool(inbox.calls))
            [connection] = site.connections
            connection.look(time.monotonic() + HOUR)
            assert connection._begun_at is not None
            connection._begun_at -= HOUR
            inbox.open.set()
            assert await sender.msa() == "AA A1"
            await until(connection._transport.is_reading)
            connection.look(time.monotonic())
            sender.writer.write(message("A2")[50:] + b"\x1c\r")
            assert await sender.msa() == "AA A2"
            assert site.server.counts.too_slow == 0

    asyncio.run(story())


def test_a_silent_connection_is_closed_where_the_feed_sets_a_limit_and_without_noise(told: Told) -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, idle_limit=0.1)) as site:
            sender = await site.send(message("A1"))
            assert await sender.msa() == "AA A1"
            assert await sender.closed() == b""
            assert site.server.counts.idle == 1

    asyncio.run(story())
    assert told.text == ""


def test_whoever_waits_for_the_store_is_not_idle() -> None:
    async def story() -> None:
        async with listening(settings=replace(MAIN, idle_limit=HOUR / 2)) as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            [connection] = site.connections
            connection.look(time.monotonic() + HOUR)
            assert site.server.counts.idle == 0
            site.inbox.open.set()
            assert await sender.msa() == "AA A1"
            connection.look(time.monotonic() + HOUR)
            assert await sender.closed() == b""
            assert site.server.counts.idle == 1

    asyncio.run(story())


def test_one_read_full_of_tiny_messages_is_submitted_bit_by_bit() -> None:
    count = 5 * _MESSAGES_AT_ONCE + 7

    async def story() -> None:
        async with listening() as site:
            inbox = site.inbox
            inbox.open.clear()
            sender = await site.send(*[b"x"] * count)
            await until(lambda: bool(inbox.calls))
            [connection] = site.connections
            await until(lambda: not connection._transport.is_reading())
            assert site.commit.waiting_bytes <= _MESSAGES_AT_ONCE * 600
            sender.writer.write(frame(message("A1")))
            inbox.open.set()
            assert [await sender.msa() for _ in range(count + 1)] == ["AR "] * count + ["AA A1"]
            assert max(map(len, inbox.calls)) <= _MESSAGES_AT_ONCE

    asyncio.run(story())


def test_what_still_waits_to_be_submitted_is_kept_although_its_sender_has_gone() -> None:
    count = 3 * _MESSAGES_AT_ONCE

    async def story(*, politely: bool) -> None:
        async with listening() as site:
            site.inbox.open.clear()
            names = [f"A{number}" for number in range(count)]
            sender = await site.send(*map(message, names))
            await until(lambda: bool(site.inbox.calls))
            [connection] = site.connections
            await until(lambda: connection._frames is not None)
            if politely:
                sender.writer.write_eof()
            else:
                sender.reset()
            site.inbox.open.set()
            await until(lambda: len(site.inbox.kept) >= _MESSAGES_AT_ONCE)
            await site.commit.settled()
            if politely:
                assert [await sender.msa() for _ in names] == [f"AA {name}" for name in names]
                assert await sender.closed() == b""
            kept = site.inbox.control_ids
            assert kept == names[: len(kept)]
            assert len(kept) > _MESSAGES_AT_ONCE

    asyncio.run(story(politely=True))
    asyncio.run(story(politely=False))


def test_what_waits_for_a_sender_that_reads_nothing_is_kept_when_it_goes() -> None:
    count = 3 * _MESSAGES_AT_ONCE

    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            await site.send(*(message(f"A{number}") for number in range(count)))
            await until(lambda: bool(site.inbox.calls))
            [connection] = site.connections
            await until(lambda: connection._frames is not None)
            connection.pause_writing()  # as asyncio does when the answers pile up
            site.inbox.open.set()
            await site.commit.settled()
            assert len(site.inbox.kept) == _MESSAGES_AT_ONCE
            connection.abort()
            await until(lambda: len(site.inbox.kept) == count)

    asyncio.run(story())


def test_while_the_store_stalls_no_answer_is_given_and_when_it_fails_no_good_one() -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        commit = GroupCommit(inbox, max_waiting_bytes=64 * KIBIBYTE)
        async with listening(inbox, MAIN, commit) as site:
            inbox.open.clear()
            senders = [
                await site.send(*(message(f"S{name}-{turn}") for turn in range(300))) for name in range(8)
            ]
            await until(lambda: commit.full)
            assert all(not sender.reader._buffer for sender in senders)  # type: ignore[attr-defined]
            inbox.down = True
            inbox.open.set()
            for name, sender in enumerate(senders):
                answers = [await sender.msa() for _ in range(300)]
                assert answers == [f"AR S{name}-{turn}" for turn in range(300)]
            assert inbox.kept == []
            assert site.server.counts.not_stored == 8 * 300
            await asyncio.wait_for(commit.settled(), PATIENCE)

    asyncio.run(story())
