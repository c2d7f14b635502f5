"""When somebody at a practice answers the phone: its days and hours, without the days it is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.quiet_days import QuietDays

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

_LOOK: Final = 15  # days to either side: a practice closed for longer says nothing of its hours
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Open from `opens` until `closes`, local time, on these days of the week (0 is Monday)."""

    days: frozenset[int]
    opens: time
    closes: time
    closed: QuietDays = field(default_factory=QuietDays)

    def is_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether somebody is there."""
        local = at.astimezone(zone)
        return self._works(local.date()) and self.opens <= local.time() < self.closes

    def next_opening(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When it opens next, in the practice's zone; None when it is open, or closed for weeks."""
        if self.is_open(at, zone):
            return None
        days = (at.astimezone(zone).date() + timedelta(days=ahead) for ahead in range(_LOOK))
        openings = (datetime.combine(day, self.opens, zone) for day in days if self._works(day))
        return next((opening for opening in openings if opening > at), None)

    def last_open(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The last minute at or before `at` when somebody is there; `at` itself when none is near; UTC."""
        if self.is_open(at, zone):
            return at
        days = (at.astimezone(zone).date() - timedelta(days=back) for back in range(_LOOK))
        ends = (datetime.combine(day, self.closes, zone) - _MINUTE for day in days if self._works(day))
        return next((end.astimezone(UTC) for end in ends if end <= at), at)

    def _works(self, day: date) -> bool:
        return day.weekday() in self.days and not self.closed.hold(day)
