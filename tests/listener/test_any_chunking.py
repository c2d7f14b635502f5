"""However the network chops a stream, a listener keeps the same messages and gives the same answers."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from hl7_listener.framing import frame
from hl7_listener.server import ListenerSettings
from tests.listener.fakes import PATIENCE, MemoryInbox, listening, message


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """What a sender writes, and the messages in it: frames, batches, noise, NULs, and frames broken off."""
    numbers = iter(range(1000))
    stream, kept = b"", []
    for _ in range(draw(st.integers(1, 4))):
        stream += draw(st.sampled_from([b"", b"\r\n", b"\0\0", b" ", b"GET / HTTP/1.1\r\n", b"\x1c\r"]))
        if draw(st.booleans()):
            stream += b"\x0b" + message("HALF")[: draw(st.integers(3, 60))]  # begun, and begun again
        several = [
            message(f"M{next(numbers)}", rest="NTE|1||two\x0blines\0\r")
            for _ in range(draw(st.integers(1, 3)))
        ]
        payload = b"".join(several)
        if draw(st.booleans()):
            count = str(len(several)).encode()
            payload = b"FHS|^~\\&\rBHS|^~\\&\r" + payload + b"BTS|" + count + b"\rFTS|1\r"
        if draw(st.booleans()):
            payload = payload.replace(b"\r", b"\r\n")
            several = [each.replace(b"\r", b"\r\n") for each in several]
        stream += frame(payload) if draw(st.booleans()) else frame(payload)[:-1]
        kept += several
    return stream, kept


@settings(max_examples=25)
@given(streams(), st.lists(st.integers(0, 4000), max_size=12), st.sampled_from(["each", "batch"]))
def test_any_chunking_of_frames_batches_and_noise_keeps_and_answers_alike(
    said: tuple[bytes, list[bytes]], cuts: list[int], batch_answer: str
) -> None:
    stream, expected = said
    places = sorted({cut % (len(stream) + 1) for cut in cuts})
    chunks = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    whole = asyncio.run(heard([stream], batch_answer))
    chopped = asyncio.run(heard(chunks, batch_answer))
    assert whole == chopped
    assert [payload.rstrip() for payload in whole[0]] == [payload.rstrip() for payload in expected]


async def heard(chunks: list[bytes], batch_answer: str) -> tuple[list[bytes], bytes]:
    """What is kept of a stream in these pieces, and what comes back."""
    inbox = MemoryInbox()
    port = ListenerSettings("main", port=0, batch_answer=batch_answer)  # type: ignore[arg-type] # one of the two
    async with listening(inbox, port) as site:
        sender = await site.connect()
        for chunk in chunks:
            sender.writer.write(chunk)
            await sender.writer.drain()
            await asyncio.sleep(0)
        sender.writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            answers = await sender.reader.read()
    return [each.payload for each in inbox.kept], b"".join(without_ids(answers))


def without_ids(answers: bytes) -> list[bytes]:
    """The answers' segments but for the headers, whose control ids depend on what was answered together."""
    return [
        line for line in answers.split(b"\r") if not line.lstrip(b"\x0b").startswith((b"MSH", b"FHS", b"BHS"))
    ]
