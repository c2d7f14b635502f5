"""A backlog drains evenly and politely, and says so every half minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.domain.pace import Pace, Progress

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
SECOND, MOMENT = timedelta(seconds=1), timedelta(milliseconds=200)


def test_the_first_goes_at_once_and_the_others_evenly() -> None:
    pace, now = Pace(5), NOW
    waits = []
    for _ in range(4):
        waits.append(pace.wait(now))
        now += waits[-1]
        pace.went(now)
    assert waits == [timedelta(0), MOMENT, MOMENT, MOMENT]


def test_what_took_long_waits_for_nothing_and_saves_nothing_up() -> None:
    pace = Pace(5)
    pace.went(NOW)
    assert pace.wait(NOW + SECOND) == timedelta(0)
    pace.went(NOW + SECOND)
    assert pace.wait(NOW + SECOND) == MOMENT


def test_a_clock_that_was_put_back_keeps_nobody_waiting() -> None:
    pace = Pace(5)
    pace.went(NOW)
    assert pace.wait(NOW - timedelta(days=1)) == MOMENT


@pytest.mark.parametrize(("per_second", "apart"), [(0.5, 2 * SECOND), (1000, SECOND / 1000)])
def test_slow_and_fast_are_both_possible(per_second: float, apart: timedelta) -> None:
    pace = Pace(per_second)
    pace.went(NOW)
    assert pace.wait(NOW) == apart


def test_a_word_is_due_every_half_minute_with_what_was_done_since() -> None:
    progress = Progress()
    words = [progress.went(NOW + second * SECOND) for second in range(61)]
    assert [word for word in words if word is not None] == [31, 30]


def test_a_clock_that_was_put_back_begins_anew() -> None:
    progress = Progress()
    progress.went(NOW)
    assert progress.went(NOW - timedelta(days=1)) is None
    assert progress.went(NOW - timedelta(days=1) + 30 * SECOND) == 2
