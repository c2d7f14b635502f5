"""Whether every event of a topic-based Subscription has reached us, by the numbers the EHR gives them.

    heard the next one ─► nothing      heard it before ─► nothing
    heard one beyond   ─► a gap: others may be on their way; a minute later it is to be filled

The EHR counts an event even when it cannot deliver it (backport IG, errors.md), and names its count in
handshakes and heartbeats too. Servers that begin again with 1 in every bundle (athenahealth), and those that
number nothing, never show a gap: there only asking what changed helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

PATIENCE: Final = timedelta(seconds=60)  # others may be on their way
MOST_AHEAD: Final = 1000  # numbers remembered beyond a gap; it is filled as a whole anyway


@dataclass(frozen=True, slots=True)
class EventNumbers:
    """What we know of one Subscription's numbers."""

    last: int | None = None  # the highest all of whose predecessors we have; None: none is known yet
    ahead: tuple[int, ...] = ()  # those beyond it that we have, in order
    told_of: int | None = None  # the highest the EHR has named
    gap_since: datetime | None = None  # when we first missed one

    @property
    def missing(self) -> tuple[int, int] | None:
        """The first and the last number to ask for; None when nothing is missed."""
        if self.last is None or self.told_of is None or self.told_of <= self.last:
            return None
        return self.last + 1, self.told_of

    def gap_is_due(self, now: datetime) -> bool:
        """Whether what is missed has had time enough to come by itself."""
        return self.gap_since is not None and now >= self.gap_since + PATIENCE


def began(count: int | None) -> EventNumbers:
    """A handshake: the Subscription begins, or begins again, and so many events were before it."""
    return EventNumbers(last=count, told_of=count)


def heard(known: EventNumbers, events: Iterable[int], count: int | None, at: datetime) -> EventNumbers:
    """After a notification with these event numbers, whose EHR says that there were `count` events so far."""
    fresh = sorted({number for number in events if number >= 0})
    named = max([*fresh, *([] if count is None else [count])], default=None)
    if named is None:
        return known
    last = known.last
    if last is None:  # the first we hear: what was before it, no number can tell
        last = fresh[0] - 1 if fresh else named
    had = {number for number in (*known.ahead, *fresh) if number > last}
    while last + 1 in had:
        last += 1
        had.discard(last)
    told_of = max(named, known.told_of or 0)
    return EventNumbers(
        last=last,
        ahead=tuple(sorted(had)[:MOST_AHEAD]),
        told_of=told_of,
        gap_since=(known.gap_since or at) if told_of > last else None,
    )


def recovered(known: EventNumbers, up_to: int, at: datetime) -> EventNumbers:
    """All up to this number have been asked for; what is missed beyond it is missed since now."""
    last = max(up_to, -1 if known.last is None else known.last)
    return heard(EventNumbers(last, known.ahead, known.told_of), known.ahead, last, at)
