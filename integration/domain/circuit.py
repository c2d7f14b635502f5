"""Whether a service that keeps failing may be asked: an outage costs it one request a backoff.

closed ─ PATIENCE failures in a row ─► open, but for one probe at a time ─ an answer ─► closed
"""

from __future__ import annotations

from enum import Enum, auto
from threading import Lock
from typing import TYPE_CHECKING, Final

from integration.domain.write_back import rest

if TYPE_CHECKING:
    from datetime import datetime, timedelta

PATIENCE: Final = 3  # failures in a row until the service counts as away


class Pass(Enum):
    """How one was let in."""

    USUAL = auto()
    PROBE = auto()  # alone, to see whether it is back


class Circuit:
    """One for all threads of a process; who is let in reports by `heard`, `failed` or `let_be`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._probe_at: datetime | None = None
        self._probing = False

    def admit(self, now: datetime) -> Pass | None:
        """A pass to ask the service, None when it is to be let be for now."""
        with self._lock:
            if self._probe_at is None:
                return Pass.USUAL
            if self._probing or now < self._probe_at:
                return None
            self._probing = True
            return Pass.PROBE

    def heard(self) -> None:
        """It answered."""
        with self._lock:
            self._failures, self._probe_at, self._probing = 0, None, False

    def failed(self, by: Pass, now: datetime, asked: timedelta | None, jitter: float) -> None:
        """It was away, or busy and asked for a rest."""
        with self._lock:
            self._failures += 1
            if by is Pass.PROBE:
                self._probing = False
            if self._failures >= PATIENCE:
                self._probe_at = now + rest(self._failures - PATIENCE + 1, asked, jitter)

    def let_be(self, by: Pass) -> None:
        """It was not asked after all."""
        with self._lock:
            if by is Pass.PROBE:
                self._probing = False
