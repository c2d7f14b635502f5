"""A partner's MLLP port on a real socket: it keeps what it hears, and answers as it was told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from hl7_listener.framing import FrameSplitter, frame
from hl7_listener.header import HeaderError, read_header

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    Answer = Callable[[str], list[bytes]]  # our MSH-10 → what goes back, piece by piece

CLOSE = b"close"  # a piece that is not sent: the partner hangs up
COMMIT, NO_COMMIT = frame(b"\x06"), frame(b"\x15")


def acknowledgment(code: str, err: str = "") -> Answer:
    """Answers with a code of HL7 table 0008, and words that nobody may pass on."""

    def answer(control_id: str) -> list[bytes]:
        lines = [
            "MSH|^~\\&|EHR|HOSP|TEXTS|RIVER|20270301||ACK|P1|P|2.5.1",
            f"MSA|{code}|{control_id}|Ana Sample",
        ]
        return [frame("\r".join([*lines, err, ""]).encode())]

    return answer


def pieces(*said: bytes) -> Answer:
    """Answers with these bytes, whatever it is asked."""
    return lambda _: list(said)


@dataclass
class Partner:
    """Listens while its `with` block lasts. Without a plan for a message it answers CA."""

    context: ssl.SSLContext | None = None
    plans: deque[Answer] = field(default_factory=deque)
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0  # connections that are over
    rejected: int = 0  # that came to no TLS
    open: set[socket.socket] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(30)

    def hang_up(self) -> None:
        """Close what is open."""
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        plain: Any = connection
        try:
            if self.context is not None:
                self.open.discard(connection)
                connection = self.context.wrap_socket(connection, server_side=True)
                plain = connection
                self.open.add(connection)
        except OSError:
            self.rejected += 1
        else:
            # What begins TLS where none is spoken may look like a frame.
            with contextlib.suppress(OSError, HeaderError):
                self._talk(connection)
        self.open.discard(plain)
        plain.close()
        self.ended += 1

    def _talk(self, connection: socket.socket) -> None:
        splitter = FrameSplitter()
        while data := connection.recv(65536):
            for message in list(splitter.feed(data)):
                self.heard.append(message)
                plan = self.plans.popleft() if self.plans else acknowledgment("CA")
                for piece in plan(read_header(message).control_id):
                    if piece == CLOSE:
                        return
                    connection.sendall(piece)
