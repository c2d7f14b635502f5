"""The decent hours: when a text may arrive, in the recipient's local time.

The law's own hours (8 to 21, 47 CFR 64.1200(c)(1)) bind telephone
solicitations, which reminders are not; ours are narrower and bind everything
except an answer to the patient's own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class DecentHours:
    """Texts may arrive from `opens` until `closes`, local time, on any day."""

    opens: time = time(9)
    closes: time = time(20)

    def allow(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether a text may arrive at this moment."""
        return self.opens <= at.astimezone(zone).time() < self.closes

    def next_opening(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first moment at or after `at` at which a text may arrive; UTC."""
        local = at.astimezone(zone)
        if self.opens <= local.time() < self.closes:
            return at.astimezone(UTC)
        day = local.date() if local.time() < self.opens else local.date() + timedelta(days=1)
        return datetime.combine(day, self.opens, zone).astimezone(UTC)

    def closing(self, at: datetime, zone: ZoneInfo) -> datetime:
        """When the decent hours that hold at `at` end; UTC."""
        return datetime.combine(at.astimezone(zone).date(), self.closes, zone).astimezone(UTC)


def evening_before(at: datetime, zone: ZoneInfo, evening: time) -> datetime:
    """The last `evening` o'clock before `at`; UTC."""
    local = at.astimezone(zone)
    day = local.date() if local.time() > evening else local.date() - timedelta(days=1)
    return datetime.combine(day, evening, zone).astimezone(UTC)
