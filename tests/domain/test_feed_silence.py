"""When a feed has been silent for too long, and when that is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integration.domain.feed_silence import Hearing, silence, silent_since

TWO = timedelta(hours=2)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 3, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "now", "since"),
    [
        # It never spoke: counted from when we began to listen.
        (Hearing(at(8), None, None), at(10), None),
        (Hearing(at(8), None, None), at(10, 1), at(8)),
        # Its last word counts from then on.
        (Hearing(at(8), at(9), None), at(11), None),
        (Hearing(at(8), at(9), None), at(11, 1), at(9)),
        # We were away and are back at eight: what it said meanwhile nobody knows.
        (Hearing(at(8), at(2), None), at(10), None),
        (Hearing(at(8), at(2), None), at(10, 1), at(2)),
        # Silent it stays, also when we have been away.
        (Hearing(at(12), at(2), at(2)), at(12, 1), at(2)),
        # A word of its own ends it.
        (Hearing(at(8), at(12), at(2)), at(12, 1), None),
        # It speaks, and is silent again before anybody has looked.
        (Hearing(at(8), at(12), at(2)), at(14, 1), at(12)),
        # More silence is expected of it now.
        (Hearing(at(8), at(9), at(9)), at(10), None),
    ],
)
def test_silence_counts_while_somebody_listens(known: Hearing, now: datetime, since: datetime | None) -> None:
    assert silent_since(known, TWO, now) == since


def test_the_nurse_reads_the_clinics_time() -> None:
    assert silence("main", at(14, 5), ZoneInfo("America/New_York")) == (
        "nothing has been heard from feed main since 2027-03-01 09:05"
    )
