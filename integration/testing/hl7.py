"""A partner's HL7 v2 port in memory: takes every message, unless told to do otherwise."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hl7_listener.header import read_header
from integration.ports.hl7 import NotHeard, Taken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integration.ports.hl7 import Delivery


class FakeHl7Sender:
    """See `integration.ports.hl7.Hl7Sender`."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []  # every message offered, also those that were not taken
        self.taken: dict[str, bytes] = {}  # by MSH-10, as a partner knows them
        self.connected = False
        self._next: deque[Delivery | Exception] = deque()

    def will(self, deliveries: Iterable[Delivery | Exception]) -> None:
        """Answer the next messages so (raise those that are exceptions)."""
        self._next.extend(deliveries)

    def send(self, message: bytes) -> Delivery:
        """Take it, unless told to do otherwise."""
        self.connected = True
        self.asked.append(message)
        delivery = self._next.popleft() if self._next else Taken("CA")
        if isinstance(delivery, Exception):
            raise delivery
        if isinstance(delivery, Taken):
            self.taken.setdefault(read_header(message).control_id, message)
        elif isinstance(delivery, NotHeard):
            self.connected = False
        return delivery

    def rest(self) -> None:
        """Hang up."""
        self.connected = False
