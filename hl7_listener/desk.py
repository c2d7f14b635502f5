"""What the connections of one listener share: its settings, its counts, what their unfinished frames hold.

What happens again and again is counted each time and logged now and then: the first of each address, then
every thousandth.
"""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from hl7_listener.group_commit import GroupCommit
from hl7_listener.settings import ListenerSettings

_log = logging.getLogger(__name__)

_MEBIBYTE = 1024 * 1024
EVERYBODYS_BOUND = 128 * _MEBIBYTE
"""What the unfinished frames of all listeners together may hold, unless one of them is granted more."""
_ADDRESSES_TOLD = 100  # of one kind of trouble; what comes from more of them is told by the thousand
_EVERY = 1000


@dataclass(slots=True)
class Counts:
    """What a listener has seen since it started."""

    connections: int = 0
    connections_refused: int = 0  # beyond max_connections
    not_allowed: int = 0  # from a network that may not connect: closed without an answer
    tls_failed: int = 0  # no common TLS, or no certificate that the feed's authority vouches for
    accepted: int = 0  # kept and to be answered AA or CA, repeats included
    duplicates: int = 0  # of these, repeats
    unreadable: int = 0  # kept, answered AR or CR
    fragments: int = 0  # parts of a message that is continued elsewhere: kept, answered AE or CE
    too_many: int = 0  # frames of more messages than are taken at once: kept as one, answered AE or CE
    out_of_sequence: int = 0  # answered AE or CE: MSH-13 is not the number that comes next
    not_stored: int = 0  # answered AR or CE: try later
    miscounted: int = 0  # batches whose BTS-1 or FTS-1 is not what came; kept all the same
    oversized: int = 0  # frames beyond max_frame_bytes: closed without answer
    shed: int = 0  # let go inside a frame, so that all unfinished frames stay within their bound
    too_slow: int = 0  # let go inside a frame that took longer than frame_limit
    idle: int = 0  # let go after idle_limit without a word
    incomplete: int = 0  # frames that ended with their connection, or broken off by a new one
    noise_bytes: int = 0  # outside any frame


class Peer(Protocol):
    """A connection, as the listener sees it."""

    @property
    def held(self) -> int:
        """Bytes of its unfinished frame."""

    def finish(self) -> None:
        """Read no more, give the answers that are owed, then close."""

    def abort(self) -> None:
        """Close at once."""

    def shed(self) -> None:
        """Let go of the unfinished frame, then finish."""

    def change(self, settings: ListenerSettings) -> None:
        """Go by other settings from the next frame on."""

    def look(self, now: float) -> None:
        """Finish if it takes too long; `now` as `time.monotonic` tells it."""


class Unfinished:
    """What the frames that have begun and not ended hold, in bytes; lives in one event loop."""

    def __init__(self, bound: int = EVERYBODYS_BOUND) -> None:
        self.bound = bound
        self._total = 0
        self._held: dict[Peer, int] = {}

    @property
    def total(self) -> int:
        """Now."""
        return self._total

    def hold(self, connection: Peer, size: int) -> None:
        """A connection's unfinished frame has this size now; 0 when there is none.

        Beyond the bound, who holds most is let go: a sender of small messages pays for nobody, and what is
        cut off was never acknowledged.
        """
        self._total += size - self._held.get(connection, 0)
        if size:
            self._held[connection] = size
        else:
            self._held.pop(connection, None)
        while self._total > self.bound:
            max(self._held, key=self._held.__getitem__).shed()


@dataclass(slots=True)
class Desk:
    """One listener's."""

    settings: ListenerSettings
    group_commit: GroupCommit
    clock: Callable[[], datetime]
    new_control_id: Callable[[], str]
    everybodys: Unfinished
    """What the unfinished frames of all listeners hold."""
    tls: ssl.SSLContext | None = None
    """For connections to come; None: in the clear."""
    counts: Counts = field(default_factory=Counts)
    connections: set[Peer] = field(default_factory=set)
    on_empty: Callable[[], None] | None = None
    closing: bool = False
    own: Unfinished = field(init=False)
    _told: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.own = Unfinished(self.settings.max_unfinished_bytes)

    def allows(self, address: str) -> bool:
        """Whether this address may connect; an IPv4 address may come as an IPv6 one."""
        networks = self.settings.allow
        if not networks:
            return True
        try:
            peer = ip_address(address)
        except ValueError:  # it has gone already
            return False
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return any(peer in network for network in networks)

    def hold(self, connection: Peer, size: int) -> None:
        """A connection's unfinished frame has this size now."""
        for bound in (self.everybodys, self.own):
            bound.hold(connection, size)
            if connection.held != size:
                return  # it was let go itself

    def note(self, what: str, times: int) -> None:
        """Warn of what happened for the so manieth time, now and then."""
        if times % _EVERY == 1:
            _log.warning("%s: %s (%d so far)", self.settings.channel, what, times)

    def tell(self, what: str, address: str, times: int) -> None:
        """Warn of what happened to somebody for the so manieth time, now and then."""
        told = self._told.setdefault(what, set())
        if address not in told and len(told) < _ADDRESSES_TOLD:
            told.add(address)
        elif times % _EVERY:
            return
        _log.warning("%s: %s, from %s (%d so far)", self.settings.channel, what, address, times)
