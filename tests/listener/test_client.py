"""The sender puts messages into frames, waits for each answer, and reads what it says."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

from hl7_listener.client import Acknowledgment, AnswerError, read_acknowledgment, send
from hl7_listener.framing import frame
from tests.listener.fakes import PATIENCE, MemoryInbox, listening, message

ACK = b"MSH|^~\\&|R|G|S|F|2027||ACK|1|P|2.5\rMSA|AA|A1\r"


@contextmanager
def answering(*chunks: bytes) -> Iterator[int]:
    """A port where one connection gets these bytes, piece by piece, after it has spoken, and then the end."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.recv(65536)
            for chunk in chunks:
                connection.sendall(chunk)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(PATIENCE)


def acknowledgments(port: int, payloads: Sequence[bytes]) -> list[Acknowledgment]:
    return list(send("127.0.0.1", port, payloads, PATIENCE))


def test_each_message_gets_its_answer_from_our_own_listener() -> None:
    async def story() -> list[Acknowledgment]:
        async with listening(MemoryInbox(poison=frozenset({"A3"}))) as site:
            payloads = [message("A1"), message("A2") + message("A3"), b"hello"]
            return await asyncio.to_thread(acknowledgments, site.port, payloads)

    assert asyncio.run(story()) == [
        Acknowledgment("AA", "A1", ""),
        Acknowledgment("AA", "A2", ""),
        Acknowledgment("AR", "A3", "Not stored send again later"),
        Acknowledgment("AR", "", "Message header cannot be read"),
    ]


def test_an_answer_in_single_bytes_among_noise_is_put_together() -> None:
    with answering(*[bytes([byte]) for byte in b"\r\n" + frame(ACK)]) as port:
        assert acknowledgments(port, [message()]) == [Acknowledgment("AA", "A1", "")]


def test_a_peer_that_closes_before_it_answers_is_an_error() -> None:
    with answering(frame(ACK), b"\x0bMSH|half") as port:
        answers = send("127.0.0.1", port, [message(), message()], PATIENCE)
        assert next(answers).code == "AA"
        with pytest.raises(ConnectionError, match="before it answered"):
            next(answers)


def test_no_answer_in_time_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        list(send("127.0.0.1", silent.getsockname()[1], [message()], 0.05))


@pytest.mark.parametrize(
    ("payload", "acknowledgment"),
    [
        (ACK, Acknowledgment("AA", "A1", "")),
        (ACK.replace(b"|2.5", b"|latest"), Acknowledgment("AA", "A1", "")),
        (ACK.replace(b"\r", b"\n"), Acknowledgment("AA", "A1", "")),
        (b"MSH|^~\\&|R|G|S|F|2027||ACK|1|P|2.3\rMSA|AE|A1|Why not\r", Acknowledgment("AE", "A1", "Why not")),
        (
            b"MSH#*~\\$#R#G#S#F#2027##ACK#1#P#2.5\rMSA#CR#A1\rERR##MSH*1#203*Unsupported version*HL70357#E",
            Acknowledgment("CR", "A1", "Unsupported version"),
        ),
        (
            b"MSH|^~\\&|R|G|S|F|2027||ACK|1|P|2.5\rMSA|CE|A1\rERR|||207^Application error|E||||Later",
            Acknowledgment("CE", "A1", "Later"),
        ),
        (
            b"MSH|^~\\&|R|G|S|F|2027||ACK|1|P|2.3\rMSA|AR|A1\rERR|MSH^1^9^200&Unsupported message type",
            Acknowledgment("AR", "A1", "Unsupported message type"),
        ),
    ],
)
def test_what_an_acknowledgment_says(payload: bytes, acknowledgment: Acknowledgment) -> None:
    assert read_acknowledgment(payload) == acknowledgment


@pytest.mark.parametrize("payload", [b"", b"ok", b"MSH|^~\\&|R|G|S|F|2027||ACK|1|P|2.5\rPID|1"])
def test_what_is_no_acknowledgment_is_an_error(payload: bytes) -> None:
    with pytest.raises(AnswerError, match="no acknowledgment"):
        read_acknowledgment(payload)
