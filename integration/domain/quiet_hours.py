"""The decent hours: when a text may arrive, in the recipient's local time.

The law's own hours (8 to 21, 47 CFR 64.1200(c)(1)) bind telephone
solicitations, which reminders are not; ours are narrower and bind everything
except an answer to the patient's own text.

Where two zones are open for one reader (`recipient_zones`), an hour must be decent by both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.quiet_days import QuietDays

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_A_DAY: Final = timedelta(days=1)
_FAR: Final = timedelta(days=400)  # no decent hour within so long: there is none
_EVENINGS: Final = 30  # how many days back an evening is looked for


@dataclass(frozen=True, slots=True)
class DecentHours:
    """Texts may arrive from `opens` until `closes`, local time, on any day but the quiet ones."""

    opens: time = time(9)
    closes: time = time(20)
    quiet_days: QuietDays = field(default_factory=QuietDays)

    def allow(self, at: datetime, *zones: ZoneInfo, bad_news: bool = False) -> bool:
        """Whether a text may arrive at this moment, by the clock of each zone."""
        return all(self._opening(at, zone, bad_news) == at for zone in zones)

    def next_opening(self, at: datetime, *zones: ZoneInfo, bad_news: bool = False) -> datetime:
        """The first moment at or after `at` at which a text may arrive; UTC. More than a year on: never."""
        moment = at.astimezone(UTC)
        while moment - at < _FAR:
            opening = max(self._opening(moment, zone, bad_news) for zone in zones)
            if opening == moment:
                return moment
            moment = opening
        return moment

    def closing(self, at: datetime, *zones: ZoneInfo) -> datetime:
        """When the decent hours that hold at `at` end in the first of the zones where they do; UTC."""
        ends = (datetime.combine(at.astimezone(zone).date(), self.closes, zone) for zone in zones)
        return min(end.astimezone(UTC) for end in ends)

    def is_quiet_day(self, at: datetime, *zones: ZoneInfo, bad_news: bool = False) -> bool:
        """Whether it is the day, and not the hour, that forbids a text."""
        days = {at.astimezone(zone).date() for zone in zones}
        return any(self.quiet_days.hold(day, bad_news=bad_news) for day in days)

    def _opening(self, at: datetime, zone: ZoneInfo, bad_news: bool) -> datetime:  # noqa: FBT001 - private
        """The first moment at or after `at` by one zone's clock; UTC."""
        local = at.astimezone(zone)
        day = local.date()
        if self.opens <= local.time() < self.closes and not self.quiet_days.hold(day, bad_news=bad_news):
            return at.astimezone(UTC)
        if local.time() >= self.opens:
            day += _A_DAY
        last = day + _FAR
        while day < last and self.quiet_days.hold(day, bad_news=bad_news):
            day += _A_DAY
        return datetime.combine(day, self.opens, zone).astimezone(UTC)


def evening_before(at: datetime, hours: DecentHours, evening: time, *zones: ZoneInfo) -> datetime:
    """The last `evening` o'clock before `at` that is decent in every zone; UTC.

    Where no evening of a month is, the last one by the first zone's clock: the last look will hold it.
    """
    last = None
    day = max(at.astimezone(zone).date() for zone in zones)
    for back in range(_EVENINGS):
        evenings = [datetime.combine(day - back * _A_DAY, evening, zone).astimezone(UTC) for zone in zones]
        before = [each for each in evenings if each < at]
        last = last or (before[0] if before else None)
        decent = [each for each in before if hours.allow(each, *zones)]
        if decent:
            return max(decent)
    assert last is not None  # noqa: S101 - there was an evening within a month
    return last
