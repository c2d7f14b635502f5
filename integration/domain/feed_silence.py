"""Whether a feed has been silent for too long, and the words for it.

Pure; all times are the wall's: a feed lives in our world, whatever the calendar shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is known of a feed's speaking."""

    since: datetime  # we have been there to hear it from here on
    last_heard: datetime | None
    silent_since: datetime | None  # set while it is silent for too long


def silent_since(known: Hearing, expected: timedelta, now: datetime) -> datetime | None:
    """Since when it is silent, if that is longer than expected; None while all is well.

    It becomes silent only by what we were there not to hear; it ends by a word of its own, or when more
    silence is expected of it than there was.
    """
    last = known.last_heard
    if known.silent_since is not None:
        spoke = last is not None and last > known.silent_since
        patient = now - known.silent_since <= expected
        if not spoke and not patient:
            return known.silent_since
    counts_from = known.since if last is None else max(known.since, last)
    return (last or known.since) if now - counts_from > expected else None


def silence(feed: str, since: datetime, zone: tzinfo) -> str:
    """What to tell a nurse."""
    return f"nothing has been heard from feed {feed} since {since.astimezone(zone):%Y-%m-%d %H:%M}"
