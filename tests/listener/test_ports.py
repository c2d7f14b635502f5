"""Who may connect, what an MLLP release 2 peer hears, and settings that change while connections are open."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from hl7_listener.desk import Desk, Unfinished
from hl7_listener.framing import frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings
from tests.listener.fakes import NOON, MemoryInbox, listening, message, until

if TYPE_CHECKING:
    from tests.listener.conftest import Told

MAIN = ListenerSettings("main", port=0)
HERE = replace(MAIN, allow=(ip_network("127.0.0.0/8"),))
ELSEWHERE = replace(MAIN, allow=(ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")))


def desk(settings: ListenerSettings) -> Desk:
    return Desk(settings, GroupCommit(MemoryInbox()), lambda: NOON, lambda: "OURS", Unfinished())


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.255.7", True),
        ("10.2.0.1", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("::ffff:10.1.0.7", True),
        ("::ffff:10.2.0.7", False),
        ("fe80::1%eth0", False),
        ("?", False),
        ("", False),
    ],
)
def test_an_address_is_allowed_by_its_network(address: str, *, allowed: bool) -> None:
    assert desk(ELSEWHERE).allows(address) == allowed


def test_without_a_list_everybody_is() -> None:
    assert desk(MAIN).allows("192.0.2.1")


def test_whoever_is_not_allowed_is_closed_without_an_answer_and_told_of_once(told: Told) -> None:
    async def story() -> None:
        async with listening(settings=ELSEWHERE) as site:
            for _ in range(20):
                assert await (await site.send(message("A1"))).closed() == b""
            assert (site.server.counts.not_allowed, site.server.counts.connections) == (20, 0)
            assert site.inbox.calls == []
        async with listening(settings=HERE) as site:
            assert await (await site.send(message("A1"))).msa() == "AA A1"

    asyncio.run(story())
    assert told.messages == ["WARNING main: not allowed to connect, from 127.0.0.1 (1 so far)"]


def test_what_happens_again_and_again_is_told_of_each_address_and_then_by_the_thousand(told: Told) -> None:
    here = desk(MAIN)
    for times in range(1, 2001):
        here.tell("trouble", f"192.0.2.{times % 3}", times)
    assert [line.rpartition(" (")[2] for line in told.messages] == [
        "1 so far)",
        "2 so far)",
        "3 so far)",
        "1000 so far)",
        "2000 so far)",
    ]


def test_what_has_no_address_is_told_once_and_then_by_the_thousand(told: Told) -> None:
    here = desk(MAIN)
    for times in range(1, 2001):
        here.note("trouble", times)
    assert told.messages == ["WARNING main: trouble (1 so far)", "WARNING main: trouble (1001 so far)"]


RELEASE_2 = replace(MAIN, commit_bytes=True)


def test_an_mllp_release_2_peer_hears_of_the_storing_before_the_acknowledgment() -> None:
    async def story() -> None:
        inbox = MemoryInbox(poison=frozenset({"A2"}))
        async with listening(inbox, RELEASE_2) as site:
            silent = message("A4", msh_15="NE", msh_16="NE")
            sender = await site.send(message("A1"), message("A2"), b"hello", silent, message("A1"))
            assert await sender.frame() == b"\x06"
            assert await sender.msa() == "AA A1"
            assert await sender.frame() == b"\x15"
            assert await sender.msa() == "AR A2"
            assert await sender.frame() == b"\x06"  # it is kept, although nobody can read it
            assert await sender.msa() == "AR "
            assert await sender.frame() == b"\x06"
            assert await sender.frame() == b"\x06"
            assert await sender.msa() == "AA A1"

    asyncio.run(story())


def test_a_frame_of_several_messages_is_committed_only_when_all_of_them_are() -> None:
    async def story() -> None:
        inbox = MemoryInbox(poison=frozenset({"A2"}))
        async with listening(inbox, RELEASE_2) as site:
            sender = await site.send(message("A1") + message("A2"))
            assert await sender.frame() == b"\x15"
            assert [await sender.msa(), await sender.msa()] == ["AA A1", "AR A2"]
            inbox.poison = frozenset()
            sender.writer.write(frame(message("A1") + message("A2")))
            assert await sender.frame() == b"\x06"

    asyncio.run(story())


@pytest.mark.parametrize("settings", [MAIN, RELEASE_2])
def test_a_peers_own_commit_of_our_answer_is_no_message(settings: ListenerSettings) -> None:
    """An answer to it would be answered in turn, for ever."""

    async def story() -> None:
        async with listening(settings=settings) as site:
            sender = await site.send(b"\x06", b"\x15", message("A1"))
            if settings.commit_bytes:
                assert await sender.frame() == b"\x06"
            assert await sender.msa() == "AA A1"
            assert site.inbox.control_ids == ["A1"]

    asyncio.run(story())


def test_open_connections_go_by_changed_settings_from_the_next_frame_on() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(message("A1", msh_15="AL"))
            assert await sender.msa() == "CA A1"
            site.server.change(replace(MAIN, acknowledge="always_aa", max_frame_bytes=1000), None)
            sender.writer.write(frame(message("A2", msh_15="AL")))
            assert await sender.msa() == "AA A2"
            sender.writer.write(frame(message("A3", "x" * 1000)))
            assert await sender.closed() == b""
            assert site.server.settings.max_frame_bytes == 1000

    asyncio.run(story())


def test_a_shorter_limit_is_heeded_at_once() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(message("A1"))
            assert await sender.msa() == "AA A1"
            site.server.change(replace(MAIN, idle_limit=0.1), None)
            assert await sender.closed() == b""

    asyncio.run(story())


def test_whoever_is_no_longer_allowed_gets_the_answers_that_are_owed_and_is_closed() -> None:
    async def story() -> None:
        async with listening() as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            site.server.change(ELSEWHERE, None)
            site.inbox.open.set()
            assert await sender.msa() == "AA A1"
            assert await sender.closed() == b""
            assert await (await site.connect()).closed() == b""

    asyncio.run(story())


def test_where_all_have_to_connect_anew_the_idle_are_closed_at_once_and_the_others_once_answered() -> None:
    async def story() -> None:
        async with listening() as site:
            idle = await site.connect()
            site.inbox.open.clear()
            busy = await site.send(message("A1"))
            await until(lambda: bool(site.inbox.calls))
            await until(lambda: site.server.open_connections == 2)
            site.server.change(MAIN, None, anew=True)
            assert await idle.closed() == b""
            site.inbox.open.set()
            assert await busy.msa() == "AA A1"
            assert await busy.closed() == b""
            assert await (await site.send(message("A2"))).msa() == "AA A2"

    asyncio.run(story())
