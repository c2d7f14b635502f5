"""The sequence number protocol, and parts of messages that are continued elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hl7_listener.framing import frame
from hl7_listener.sequence import NotANumber, Numbers, read_number
from hl7_listener.server import ListenerSettings
from tests.listener.fakes import MemoryInbox, Sender, listening, message

if TYPE_CHECKING:
    from tests.listener.conftest import Told

MAIN = ListenerSettings("main", port=0)
NUMBERED = replace(MAIN, sequence=True)
MISMATCH = "Sequence number is not the expected one"


def numbered(number: object, *, msh_15: str = "") -> bytes:
    """A message whose control id is its number."""
    return message(f"N{number}", msh_15=msh_15).replace(b"|2.5.1|||", f"|2.5.1|{number}||".encode())


def bare(number: int) -> bytes:
    """A message that is its number and nothing else, as the standard draws it: MSH-9 is not used."""
    return f"MSH|^~\\&|SCHED|NORTH|TEXTS|SOUTH|20270301||^|L{number}|P|2.5.1|{number}\r".encode()


async def said(sender: Sender, payload: bytes) -> str:
    """MSA-1, MSA-2 and MSA-4."""
    sender.writer.write(frame(payload))
    msa = [*(await sender.answer())[1], "", ""]
    return " ".join((msa[1], msa[2], msa[4]))


@pytest.mark.parametrize(
    ("field", "number"),
    [(b"", None), (b'""', None), (b"0", 0), (b"-1", -1), (b" 17 ", 17), (b"000000000000042", 42)],
)
def test_msh_13_is_a_number_or_nothing(field: bytes, number: int | None) -> None:
    assert read_number(field) == number


@pytest.mark.parametrize("field", [b"one", b"1.5", b"-2", b"+1", b"1" * 16, b"\xb2"])
def test_anything_else_is_no_number(field: bytes) -> None:
    with pytest.raises(NotANumber):
        read_number(field)


def test_the_store_is_asked_once_a_batch_and_told_what_has_changed() -> None:
    asked: list[str] = []

    def stored(channel: str) -> int:
        asked.append(channel)
        return 4

    numbers = Numbers(stored)
    assert [numbers.admit("main", number) for number in (5, 6, 8)] == [True, True, False]
    assert (asked, numbers.changed, numbers.expected("main")) == (["main"], {"main": 6}, 7)


def test_a_link_starts_goes_on_and_is_taken_up_again() -> None:
    async def story() -> None:
        inbox = MemoryInbox()
        async with listening(inbox, NUMBERED) as site:
            sender = await site.connect()
            assert await said(sender, bare(0)) == "AA L0 -1"
            assert await said(sender, numbered(7)) == "AA N7 8"
            assert await said(sender, numbered(8)) == "AA N8 9"
        async with listening(inbox, NUMBERED) as site:
            sender = await site.connect()
            assert await said(sender, bare(0)) == "AA L0 9"
            assert await said(sender, numbered(9)) == "AA N9 10"
            assert await said(sender, bare(-1)) == "AA L-1 -1"
            assert await said(sender, numbered(1)) == "AA N1 2"
        assert inbox.control_ids == ["N7", "N8", "N9", "N1"]

    asyncio.run(story())


def test_a_gap_is_an_error_that_names_the_number_and_nothing_of_it_is_kept() -> None:
    async def story() -> None:
        async with listening(settings=NUMBERED) as site:
            sender = await site.send(numbered(1), numbered(3), numbered(4, msh_15="AL"))
            assert (await sender.answer())[1] == ["MSA", "AA", "N1", "", "2"]
            _, msa, err = await sender.answer()
            assert msa == ["MSA", "AE", "N3", MISMATCH, "2"]
            assert err[:5] == ["ERR", "", "MSH^1^13", "207^Application error^HL70357", "E"]
            assert (await sender.answer())[1][1:] == ["CE", "N4", MISMATCH, "2"]
            assert [await said(sender, numbered(2)), await said(sender, numbered(3))] == [
                "AA N2 3",
                "AA N3 4",
            ]
            assert site.inbox.control_ids == ["N1", "N2", "N3"]
            assert site.server.counts.out_of_sequence == 2

    asyncio.run(story())


def test_a_message_whose_answer_was_lost_is_acknowledged_again_and_kept_once() -> None:
    async def story() -> None:
        async with listening(settings=NUMBERED) as site:
            sender = await site.connect()
            again = [await said(sender, numbered(number)) for number in (1, 2, 2, 3)]
            assert again == ["AA N1 2", "AA N2 3", "AA N2 3", "AA N3 4"]
            assert site.inbox.control_ids == ["N1", "N2", "N3"]

    asyncio.run(story())


def test_what_was_not_stored_does_not_count() -> None:
    async def story() -> None:
        inbox = MemoryInbox(poison=frozenset({"N2"}))
        async with listening(inbox, NUMBERED) as site:
            sender = await site.send(numbered(1), numbered(2), numbered(3))
            assert [await sender.msa() for _ in range(3)] == ["AA N1", "AR N2", "AE N3"]
            inbox.poison = frozenset()
            assert [await said(sender, numbered(2)), await said(sender, numbered(3))] == [
                "AA N2 3",
                "AA N3 4",
            ]
            inbox.down = True
            assert await said(sender, numbered(4)) == "AR N4 "
            inbox.down = False
            assert await said(sender, numbered(4)) == "AA N4 5"

    asyncio.run(story())


def test_a_message_without_a_number_is_taken_as_ever_and_one_with_a_word_is_refused() -> None:
    async def story() -> None:
        async with listening(settings=NUMBERED) as site:
            sender = await site.connect()
            assert await said(sender, message("A1")) == "AA A1 "
            assert await said(sender, numbered("one")) == "AE None "
            assert site.inbox.kept[1].refusal == "unreadable-header MSH-13"
            with_content = bare(0) + b"PID|1\r"
            assert await said(sender, with_content) == "AR L0 -1"
            assert site.inbox.kept[2].refusal == "unreadable-header MSH-9"

    asyncio.run(story())


def test_where_the_feed_does_not_follow_it_numbers_mean_nothing() -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.connect()
            assert [await said(sender, numbered(number)) for number in (5, 3, "one")] == [
                "AA N5 ",
                "AA N3 ",
                "AA None ",
            ]

    asyncio.run(story())


POINTED = message("A1").replace(b"|2.5.1|||", b"|2.5.1||POINTER-7|")
CONTINUED = [
    POINTED.replace(b"PID|", b"ADD|"),
    POINTED.replace(b"PID|", b"AIL|"),
    message("A1", "DSC|POINTER-7|F\r"),
    message("A1", "DSC|POINTER-7\r").replace(b"\r", b"\n"),
]


@pytest.mark.parametrize("payload", CONTINUED)
def test_a_part_of_a_continued_message_is_refused_kept_and_told_of(payload: bytes, told: Told) -> None:
    async def story() -> None:
        async with listening() as site:
            _, msa, err = await (await site.send(payload)).answer()
            assert msa[1:] == ["AE", "A1", "Continued messages are not supported"]
            assert err[2:4] == ["MSH^1^14", "207^Application error^HL70357"]
            [kept] = site.inbox.kept
            assert (kept.payload, kept.refusal) == (payload, "continued-message MSH-14")
            assert (site.server.counts.fragments, site.server.counts.accepted) == (1, 0)

    asyncio.run(story())
    assert "part of a continued message" in told.text


def test_in_enhanced_mode_a_part_of_a_continued_message_gets_ce() -> None:
    async def story() -> None:
        async with listening() as site:
            assert await (await site.send(message("A1", "DSC|7\r", msh_15="AL"))).msa() == "CE A1"

    asyncio.run(story())


@pytest.mark.parametrize(
    "payload",
    [
        message("A1", "DSC|\r"),
        message("A1", 'DSC|""\r'),
        message("A1", "DSC||F\r"),
        message("A1", "NTE|1||see DSC|7\r"),
        message("A1").replace(b"|2.5.1|||", b'|2.5.1||""|').replace(b"PID|", b"ADD|"),
        POINTED,  # as a real system is on record with: a time stands in its MSH-14
        POINTED.replace(b"\r", b"\r\n"),
    ],
)
def test_a_message_that_ends_here_is_taken(payload: bytes) -> None:
    async def story() -> None:
        async with listening() as site:
            assert await (await site.send(payload)).msa() == "AA A1"

    asyncio.run(story())
