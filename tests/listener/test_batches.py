"""Batches: their wrappers are never part of a message, and they are answered one by one or as a batch."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hl7_listener import exchange
from hl7_listener.batch import Envelope, read_envelope
from hl7_listener.framing import frame
from hl7_listener.server import ListenerSettings
from tests.listener.fakes import MemoryInbox, listening, message, until

if TYPE_CHECKING:
    from tests.listener.conftest import Told

MAIN = ListenerSettings("main", port=0)
BATCHED = replace(MAIN, batch_answer="batch")
FHS = b"FHS|^~\\&|SCHED|NORTH|TEXTS|SOUTH|20270301||||FILE7\r"
BHS = b"BHS|^~\\&|SCHED|NORTH|TEXTS|SOUTH|20270301||||BATCH7\r"
MESSAGES = message("A1") + message("A2")

OUR_MSH = "MSH|^~\\&|TEXTS|SOUTH|SCHED|NORTH|20270301120005+0000||ACK^S12^ACK|OURS{}|P|2.5.1"
OUR_BHS = "BHS|^~\\&|TEXTS|SOUTH|SCHED|NORTH|20270301120005+0000||||OURS{}|{}"
ACKS = [OUR_MSH.format(1), "MSA|AA|A1", OUR_MSH.format(2), "MSA|AA|A2"]


async def answered(settings: ListenerSettings, payload: bytes, inbox: MemoryInbox | None = None) -> list[str]:
    async with listening(inbox, settings) as site:
        sender = await site.send(payload)
        return (await sender.frame()).decode("latin-1").rstrip("\r").split("\r")


@pytest.mark.parametrize(
    ("payload", "segments"),
    [
        (BHS + MESSAGES + b"BTS|2\r", [OUR_BHS.format(3, "BATCH7"), *ACKS, "BTS|2"]),
        (
            FHS + BHS + MESSAGES + b"BTS|2\rFTS|1\r",
            [
                OUR_BHS.format(3, "FILE7").replace("BHS", "FHS", 1),
                OUR_BHS.format(3, "BATCH7"),
                *ACKS,
                "BTS|2",
                "FTS|1",
            ],
        ),
        (  # each batch of a file gets its own
            FHS
            + BHS
            + message("A1")
            + b"BTS|1\r"
            + BHS.replace(b"7\r", b"8\r")
            + message("A2")
            + b"BTS\rFTS\r",
            [
                OUR_BHS.format(3, "FILE7").replace("BHS", "FHS", 1),
                OUR_BHS.format(3, "BATCH7"),
                *ACKS[:2],
                "BTS|1",
                OUR_BHS.format(3, "BATCH8"),
                *ACKS[2:],
                "BTS|1",
                "FTS|2",
            ],
        ),
        (MESSAGES, [OUR_BHS.format(3, ""), *ACKS, "BTS|2"]),  # several MSH and no wrapper
        (BHS + b"BTS|0\r", [OUR_BHS.format(1, "BATCH7"), "BTS|0"]),
        (message("A1"), ACKS[:2]),  # no batch
    ],
)
def test_a_batch_is_answered_by_a_batch_where_the_feed_says_so(payload: bytes, segments: list[str]) -> None:
    assert asyncio.run(answered(BATCHED, payload)) == segments


def test_a_batch_of_nothing_is_answered_in_its_turn() -> None:
    async def story() -> None:
        async with listening(settings=BATCHED) as site:
            site.inbox.open.clear()
            sender = await site.send(message("A1"), BHS + b"BTS|0\r")
            await until(lambda: bool(site.inbox.calls))
            sender.writer.write(frame(BHS + b"BTS|0\r") + frame(message("A2")))
            site.inbox.open.set()
            found = [(await sender.frame())[:3] for _ in range(4)]
            assert found == [b"MSH", b"BHS", b"BHS", b"MSH"]
            assert site.inbox.control_ids == ["A1", "A2"]

    asyncio.run(story())


def test_a_batch_with_delimiters_of_its_own_is_answered_in_them() -> None:
    payload = BHS.replace(b"|", b"#") + MESSAGES + b"BTS#2\r"
    found = asyncio.run(answered(BATCHED, payload))
    assert found == [OUR_BHS.format(3, "BATCH7").replace("|", "#"), *ACKS, "BTS#2"]


def test_a_batch_whose_header_cannot_be_read_is_answered_in_its_messages_delimiters() -> None:
    found = asyncio.run(answered(BATCHED, b"BHS|\r" + MESSAGES + b"BTS|2\r"))
    assert found == [OUR_BHS.format(3, ""), *ACKS, "BTS|2"]


def test_who_wants_no_answer_is_left_out_of_the_batch_of_answers() -> None:
    silent = message("A1", msh_15="NE", msh_16="NE")
    found = asyncio.run(answered(BATCHED, BHS + silent + message("A2") + b"BTS|2\r"))
    assert found == [OUR_BHS.format(3, "BATCH7"), *ACKS[2:], "BTS|1"]


def test_a_batch_of_which_a_part_is_not_stored_says_which() -> None:
    found = asyncio.run(answered(BATCHED, BHS + MESSAGES + b"BTS|2\r", MemoryInbox(poison=frozenset({"A1"}))))
    assert [segment[:9] for segment in found if segment.startswith("MSA")] == ["MSA|AR|A1", "MSA|AA|A2"]


@pytest.mark.parametrize(
    "payload",
    [
        message("A1") + b"BTS|1\rFTS|1\r",
        message("A1") + b"BTS\rFTS",
        b"BHS|^~\\&\r" + message("A1") + b"BTS|1\r",
        FHS + BHS + message("A1") + b"BTS|1|all of today\rFTS|1\r",
    ],
)
def test_no_wrapper_is_ever_part_of_a_message(payload: bytes) -> None:
    async def story() -> None:
        async with listening() as site:
            assert await (await site.send(payload)).msa() == "AA A1"
            assert [kept.payload for kept in site.inbox.kept] == [message("A1")]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        (BHS + MESSAGES + b"BTS|2\r", False),
        (BHS + MESSAGES + b"BTS|\r", False),
        (BHS + MESSAGES + b"BTS|many\r", False),
        (BHS + MESSAGES + b"BTS|3\r", True),
        (BHS + MESSAGES + b"BTS|1\r", True),
        (FHS + BHS + MESSAGES + b"BTS|2\rFTS|1\r", False),
        (FHS + BHS + MESSAGES + b"BTS|2\rFTS|2\r", True),
        (FHS + MESSAGES + b"FTS|1\r", False),
    ],
)
def test_a_batch_that_counts_wrong_is_kept_and_told_of(payload: bytes, told: Told, *, wrong: bool) -> None:
    async def story() -> None:
        async with listening() as site:
            sender = await site.send(payload)
            assert [await sender.msa(), await sender.msa()] == ["AA A1", "AA A2"]
            assert site.inbox.control_ids == ["A1", "A2"]
            assert site.server.counts.miscounted == wrong

    asyncio.run(story())
    assert ("not what came" in told.text) == wrong


def test_an_envelope_without_anything_is_empty() -> None:
    assert read_envelope(b"") == Envelope()


def test_a_frame_of_thousands_of_messages_is_kept_as_one_for_a_person(
    monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setattr(exchange, "_MOST_MESSAGES", 20)

    async def story() -> None:
        async with listening() as site:
            most = b"".join(message(f"A{number}") for number in range(20))
            sender = await site.send(most)
            assert [await sender.msa() for _ in range(20)] == [f"AA A{number}" for number in range(20)]
            too_many = most + message("A20")
            sender.writer.write(frame(too_many) + frame(message("B1")))
            assert [await sender.msa(), await sender.msa()] == ["AE A0", "AA B1"]
            kept = site.inbox.kept[20]
            assert (kept.payload, kept.refusal) == (too_many, "too-many-messages MSH")
            assert site.server.counts.too_many == 1

    asyncio.run(story())
    assert "more than 20 messages in one frame" in told.text
