"""How fast a backlog drains: evenly, at most so many a second, and with a word about it now and then."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

TELL_EVERY: Final = timedelta(seconds=30)


class Pace:
    """At most so many a second; threads may share it."""

    def __init__(self, per_second: float) -> None:
        self._apart = timedelta(seconds=1 / per_second)
        self._lock = Lock()
        self._next: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long from now the next one has to wait; nothing when there was none for a while."""
        with self._lock:
            if self._next is None:
                return timedelta(0)
            # A clock that was put back must not make anybody wait for long.
            return min(max(self._next - now, timedelta(0)), self._apart)

    def went(self, now: datetime) -> None:
        """One went."""
        with self._lock:
            self._next = now + self._apart


class Progress:
    """Counts what is done, and says when it is time for a word about it."""

    def __init__(self) -> None:
        self._told_at: datetime | None = None
        self._done = 0

    def went(self, now: datetime) -> int | None:
        """One was done; how many since the last word, when the next word is due."""
        if self._told_at is None or now < self._told_at:
            self._told_at, self._done = now, 0
        self._done += 1
        if now - self._told_at < TELL_EVERY:
            return None
        done, self._told_at, self._done = self._done, now, 0
        return done
