"""Two clocks: the calendar, which may be simulated, and the wall, which never is.

The calendar decides what a patient sees: due times, quiet hours, caps,
usefulness, settling, expiry of questions. The wall decides what machines do:
leases, timeouts, tokens, retries, waits for an uncertain text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Where the time comes from."""

    def calendar(self) -> datetime:
        """The time that patients live in; aware, UTC."""

    def wall(self) -> datetime:
        """The time that machines live in; aware, UTC."""


def wall_now() -> datetime:
    """The machine's time; aware, UTC."""
    return datetime.now(UTC)


class RealClock:
    """Both clocks show the machine's time."""

    def calendar(self) -> datetime:
        """The machine's time."""
        return wall_now()

    def wall(self) -> datetime:
        """The machine's time."""
        return wall_now()


class SimulatedClock:
    """The calendar reads `start` when started, then runs `speed` times faster than the wall."""

    def __init__(self, start: datetime, speed: float, wall: Callable[[], datetime] = wall_now) -> None:
        if start.tzinfo is None:
            raise ValueError("a simulated clock starts at a time with an offset")
        self._start = start.astimezone(UTC)
        self._speed = speed
        self._wall = wall
        self._started_at: datetime | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the calendar runs."""
        return self._started_at is not None

    def begin(self, since: datetime | None = None) -> None:
        """Let the calendar run, or have run since a wall time; until then it stands at its start."""
        if self._started_at is None:
            self._started_at = since or self._wall()

    def calendar(self) -> datetime:
        """The simulated time."""
        if self._started_at is None:
            return self._start
        return self._start + (self._wall() - self._started_at) * self._speed

    def wall(self) -> datetime:
        """The machine's time."""
        return self._wall()
