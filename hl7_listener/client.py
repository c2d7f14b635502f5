"""Sends HL7 v2 messages over MLLP and reads what is answered."""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hl7_listener.framing import FrameSplitter, frame
from hl7_listener.header import HeaderError, read_header, split_messages

_RECEIVE_BYTES = 65536


class AnswerError(Exception):
    """What came back is no acknowledgment."""


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """What one message was answered."""

    code: str
    """MSA-1: AA, AE, AR, CA, CE or CR."""
    control_id: str
    """MSA-2: the MSH-10 it answers, each byte as one character."""
    text: str
    """What is said of a refusal: MSA-3, else ERR-8, else the words of ERR-3 or ERR-1; empty otherwise."""


def send(host: str, port: int, payloads: Iterable[bytes], timeout: float) -> Iterator[Acknowledgment]:
    """Send each payload in a frame of its own, one at a time; yield an acknowledgment for each message in it.

    `timeout`: seconds to wait for the connection and for each piece of an answer. Raises OSError when there
    is no connection, TimeoutError when no answer comes (nor will one for a message that asks for none),
    ConnectionError when the peer closes before it answers, AnswerError when it answers something else.
    """
    with socket.create_connection((host, port), timeout) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = _frames(connection)
        for payload in payloads:
            connection.sendall(frame(payload))
            for _ in split_messages(payload):
                answer = next(answers, None)
                if answer is None:
                    raise ConnectionError("the peer closed the connection before it answered")
                yield read_acknowledgment(answer)


def read_acknowledgment(payload: bytes) -> Acknowledgment:
    """What an ACK says. Raises AnswerError when it has no readable MSH or no MSA."""
    try:
        header = read_header(payload)
    except HeaderError as error:
        # An answer repeats the MSH-12 it answers, which may be what is wrong with it.
        if error.header is None or error.path != "MSH-12":
            raise AnswerError(f"no acknowledgment: {error}") from None
        header = error.header
    lines = payload.replace(b"\n", b"\r").split(b"\r")
    segments = {line[:3]: line.split(header.separator) for line in lines}
    if b"MSA" not in segments:
        raise AnswerError("no acknowledgment: MSA is missing")
    msa = [*segments[b"MSA"], b"", b"", b""]
    err = [*segments.get(b"ERR", []), *[b""] * 9]
    component, subcomponent = header.encoding_characters[:1], header.encoding_characters[3:4] or b"&"
    words = (
        msa[3]
        or err[8]
        or b" ".join(err[3].split(component)[1:2])
        or b" ".join(err[1].rpartition(component)[2].split(subcomponent)[1:2])
    )
    return Acknowledgment(msa[1].decode("latin-1"), msa[2].decode("latin-1"), words.decode(errors="replace"))


def _frames(connection: socket.socket) -> Iterator[bytes]:
    splitter = FrameSplitter()
    while data := connection.recv(_RECEIVE_BYTES):
        yield from splitter.feed(data)
