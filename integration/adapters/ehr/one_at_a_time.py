"""Lets several threads share one partner's port: each message waits for the answer to the one before."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.ports.hl7 import Delivery, Hl7Sender

# Firewalls forget a silent connection without a word: after this long a new one is cheaper than finding out.
IDLE: Final = timedelta(minutes=1)


class OneAtATime:
    """See `integration.ports.hl7.Hl7Sender`."""

    def __init__(self, sender: Hl7Sender, wall: Callable[[], datetime]) -> None:
        self._sender = sender
        self._wall = wall
        self._turn = Lock()
        self._last: datetime | None = None

    def send(self, message: bytes) -> Delivery:
        """When it is its turn, over a connection that is not stale."""
        with self._turn:
            if self._last is not None and self._wall() - self._last > IDLE:
                self._sender.rest()
            try:
                return self._sender.send(message)
            finally:
                self._last = self._wall()

    def rest(self) -> None:
        """There is nothing more to send for now."""
        with self._turn:
            self._sender.rest()
