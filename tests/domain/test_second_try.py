"""When a text that did not arrive is tried once more, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.domain.failure import Failure
from integration.domain.second_try import GIVEN_UP, second_try

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
NEVER = (Failure.BAD_NUMBER, Failure.OPTED_OUT, Failure.FILTERED, Failure.OUR_FAULT, Failure.UNKNOWN)


@pytest.mark.parametrize(
    ("failure", "at"),
    [
        (Failure.UNREACHABLE, NOON + timedelta(hours=3)),
        (Failure.RETRY_LATER, NOON + timedelta(hours=1)),
        (Failure.SLOW_DOWN, NOON + timedelta(minutes=15)),
        (Failure.EXPIRED, NOON),
        (Failure.ACCOUNT, NOON),
        (Failure.DAILY_CAP, datetime(2026, 12, 2, 8, 0, tzinfo=UTC)),  # midnight in Los Angeles
        *[(never, None) for never in NEVER],
    ],
)
def test_every_kind_of_failure_has_its_second_try_or_none(failure: Failure, at: datetime | None) -> None:
    assert second_try(failure, now=NOON, unreachable_in_a_row=1) == at


def test_every_kind_is_in_the_table_above() -> None:
    tried = {kind for kind in Failure if second_try(kind, now=NOON, unreachable_in_a_row=1)}

    assert tried == set(Failure) - set(NEVER)


@pytest.mark.parametrize(("in_a_row", "again"), [(GIVEN_UP - 1, True), (GIVEN_UP, False)])
def test_a_handset_out_of_reach_again_and_again_is_left_alone(in_a_row: int, *, again: bool) -> None:
    found = second_try(Failure.UNREACHABLE, now=NOON, unreachable_in_a_row=in_a_row)

    assert (found is not None) is again


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 12, 2, 7, 59, tzinfo=UTC), datetime(2026, 12, 2, 8, 0, tzinfo=UTC)),
        (datetime(2026, 12, 2, 8, 0, tzinfo=UTC), datetime(2026, 12, 3, 8, 0, tzinfo=UTC)),
        (datetime(2027, 3, 14, 12, 0, tzinfo=UTC), datetime(2027, 3, 15, 7, 0, tzinfo=UTC)),  # summer time
    ],
)
def test_a_daily_cap_ends_at_midnight_of_the_pacific_coast(now: datetime, ends: datetime) -> None:
    assert second_try(Failure.DAILY_CAP, now=now, unreachable_in_a_row=0) == ends
