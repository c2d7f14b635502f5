"""Whatever stands in a frame: nothing raises, and no message is answered twice or better than it was kept."""

from __future__ import annotations

import asyncio
from itertools import count, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_listener.desk import Desk, Unfinished
from hl7_listener.exchange import answers, receive
from hl7_listener.framing import FrameSplitter
from hl7_listener.group_commit import GroupCommit
from hl7_listener.header import split_messages
from hl7_listener.inbox import Receipt, Sequenced
from hl7_listener.settings import ListenerSettings
from tests.listener.fakes import NOON, MemoryInbox, listening, message

if TYPE_CHECKING:
    from hl7_listener.inbox import ReceivedMessage

SETTINGS = [
    ListenerSettings("main", acknowledge=mode, commit_bytes=commit, batch_answer=batch, sequence=sequence)  # type: ignore[arg-type]
    for mode, commit, batch, sequence in product(
        ["msh", "always_aa"], [False, True], ["each", "batch"], [False, True]
    )
]
WORDS = b'MSH FHS BHS BTS FTS DSC PID | || ^~\\& # ^ 1 0 -1 2.5.1 SIU^S12 ACK AL NE ER ""'.split()
STRANGE = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"M\0S\0H\0", b"\x06"]
SEGMENTS = [
    b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|2.5|7||AL|NE\r",
    b"MSH|^~\\&|S|F|R|G|2027||^|L0|P|2.3|0\r",
    *(b"FHS|^~\\&|S\r", b"BHS|^~\\&|S\r", b"BTS|1\r", b"FTS|1\r"),
]
TOKENS = st.sampled_from([*WORDS, *STRANGE, *SEGMENTS])
FRAMES = st.one_of(
    st.lists(TOKENS, max_size=30).map(b"".join), st.binary(max_size=100), st.just(message("A1") * 3)
)


def desk(settings: ListenerSettings) -> Desk:
    ids = count(1)
    return Desk(settings, GroupCommit(MemoryInbox()), lambda: NOON, lambda: f"OURS{next(ids)}", Unfinished())


def receipt(kept: ReceivedMessage, choice: int) -> Receipt | Sequenced:
    if kept.sequence is None:
        return [Receipt.STORED, Receipt.DUPLICATE, Receipt.REFUSED][choice % 3]
    judged = [Receipt.STORED, Receipt.DUPLICATE, Receipt.REFUSED, Receipt.OUT_OF_SEQUENCE][choice % 4]
    return judged if judged is Receipt.REFUSED else Sequenced(judged, choice)


@given(st.sampled_from(SETTINGS), FRAMES, st.lists(st.integers(0, 20), min_size=40, max_size=40))
def test_no_frame_raises_and_no_message_is_answered_twice(
    settings: ListenerSettings, payload: bytes, choices: list[int]
) -> None:
    of = desk(settings)
    kept: list[ReceivedMessage] = []
    exchange = receive(of, payload, kept)
    assert len(exchange.questions) == len(kept)
    if kept:
        assert [each.payload for each in kept] == split_messages(payload)
    receipts = [receipt(each, choice) for each, choice in zip(kept, choices * 10, strict=False)]
    framed = answers(of, [exchange], receipts)
    frames = list(FrameSplitter().feed(framed))
    commits = [frame for frame in frames if frame in (b"\x06", b"\x15")]
    assert len(commits) == settings.commit_bytes
    good = sum(map(is_good, receipts))
    if commits == [b"\x06"]:
        assert good == len(receipts)
    codes = [part[1:3] for part in framed.split(b"\rMSA")[1:]]
    assert len(codes) <= len(receipts)
    assert sum(code in (b"AA", b"CA") for code in codes) <= good
    assert of.counts.accepted <= good


def is_good(became: Receipt | Sequenced) -> bool:
    receipt = became.receipt if isinstance(became, Sequenced) else became
    return receipt in (Receipt.STORED, Receipt.DUPLICATE)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("8859/1", "CLÍNICA".encode("latin-1")),
        ("8859/15", "CLÍNICA €".encode("iso8859-15")),
        ("UNICODE UTF-8", "CLÍNICA Ł".encode()),
        ("", "CLÍNICA".encode()),
        ("", "CLÍNICA €".encode("cp1252")),
        ("UTF-8~ISO IR87", "CLÍNICA".encode()),
        ("UNICODE UTF-16", b"CLINICA"),  # said of bytes that are none: MLLP could not have carried them
    ],
)
def test_an_answer_is_in_the_senders_character_set_and_bytes(charset: str, name: bytes) -> None:
    async def story() -> bytes:
        payload = message("A1").replace(b"SCHED", name)
        first, rest = payload.split(b"\r", 1)
        first += b"||" + charset.encode()
        async with listening() as site:
            return await (await site.send(first + b"\r" + rest)).frame()

    answer = asyncio.run(story())
    msh = answer.split(b"\r")[0].split(b"|")
    assert msh[4] == name
    assert msh[17:] == ([charset.encode()] if charset else [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
def test_what_mllp_cannot_carry_is_refused_and_kept(encoding: str) -> None:
    async def story() -> None:
        payload = message("A1").decode().encode(encoding)
        async with listening() as site:
            _, msa, err = await (await site.send(payload)).answer()
            assert (msa[1], err[2], err[3]) == ("AR", "MSH^1^18", "102^Data type error^HL70357")
            assert site.inbox.kept[0].refusal == "unreadable-header MSH-18"

    asyncio.run(story())
