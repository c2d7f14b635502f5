"""One connection to a partner's MLLP port, perhaps with TLS; what goes wrong is one exception, in our words.

TLS is made anew with each connection, so renewed certificates are taken up by themselves.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from hl7_listener.framing import FrameSplitter, FrameTooLarge, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.settings.model import TlsFiles

_RECEIVE_BYTES: Final = 65536
_LARGEST_ANSWER: Final = 1024 * 1024  # bytes
_LINGER: Final = 1.0  # seconds for a partner that answers nothing to take in what it was sent


@dataclass(frozen=True, slots=True)
class Line:
    """Where a partner listens, and what it answers."""

    host: str
    port: int
    answer: Literal["accept", "commit", "none"]
    timeout: float  # seconds for the connection, and again for the answer to each message
    tls: TlsFiles | None = None

    @property
    def place(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


class Unheard(Exception):
    """No answer came; its words are for an engineer, and hold nothing the partner wrote."""


class Broken(Unheard):
    """The connection has ended; a new one may do."""


def trouble_with(line: Line) -> str | None:
    """Why the partner cannot be reached, None when it can; it is sent nothing."""
    try:
        MllpConnection(line).close()
    except Unheard as why:
        return str(why)
    return None


class MllpConnection:
    """Open when made. Raises Unheard."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._deadline = 0.0
        self._splitter = FrameSplitter(_LARGEST_ANSWER)
        self._frames: list[bytes] = []
        context = None if line.tls is None else _context(line.tls)
        with _in_our_words(line, f"no connection to {line.place}"):
            self._socket = socket.create_connection((line.host, line.port), line.timeout)
        try:
            with _in_our_words(line, f"no TLS with {line.place}"):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context is not None:
                    self._socket = context.wrap_socket(self._socket, server_hostname=line.host)
        except Unheard:
            self.close()
            raise

    def is_alive(self) -> bool:
        """Whether the partner has not closed; what it says unasked is passed over."""
        self._socket.settimeout(0.0)
        try:
            while data := self._socket.recv(_RECEIVE_BYTES):
                list(self._splitter.feed(data))
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except (OSError, FrameTooLarge):
            return False
        return False

    def put(self, message: bytes) -> None:
        """Send it; from now on an answer is waited for."""
        self._frames.clear()
        self._deadline = time.monotonic() + self._line.timeout
        with _in_our_words(self._line, f"{self._line.place} did not take the message"):
            self._socket.settimeout(self._line.timeout)
            self._socket.sendall(frame(message))

    def next_frame(self) -> bytes:
        """What comes next, until the time is up, however slowly it trickles in."""
        place = self._line.place
        while not self._frames:
            with _in_our_words(self._line, f"no answer from {place}"):
                left = self._deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._socket.settimeout(left)
                data = self._socket.recv(_RECEIVE_BYTES)
                if not data:
                    raise Broken(f"{place} closed the connection before it answered")
                self._frames += self._splitter.feed(data)
        return self._frames.pop(0)

    def linger(self) -> None:
        """Say that no more comes, and take in what is said all the same: a reset may undo what was sent."""
        end = time.monotonic() + _LINGER
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(_RECEIVE_BYTES):
                    return

    def close(self) -> None:
        """Let go of it."""
        with suppress(OSError):
            self._socket.close()


@contextmanager
def _in_our_words(line: Line, what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unheard(f"{what} within {line.timeout:g} s") from None
    except FrameTooLarge:
        raise Unheard(f"what {line.place} answers is no acknowledgment: it does not end") from None
    except ssl.SSLCertVerificationError as error:
        raise Unheard(f"{line.place} cannot be trusted: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise Broken(f"{what} ({(error.reason or 'it ended').lower().replace('_', ' ')})") from None
    except OSError as error:
        raise Broken(f"{what} ({error.strerror or type(error).__name__})") from None


def _context(files: TlsFiles) -> ssl.SSLContext:
    """What a connection is secured with: the partner must show a certificate for its host name."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key, _no_passphrase)
    except ssl.SSLError:
        raise Unheard(
            "tls: ca, certificate and key must be PEM, and the key that of the certificate"
        ) from None
    except OSError as error:
        raise Unheard(f"tls: a file cannot be read ({error.strerror})") from None
    return context


def _no_passphrase() -> NoReturn:
    raise Unheard("tls: the key is locked with a passphrase; give one without")
