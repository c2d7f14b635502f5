"""Which events of a Subscription have not reached us, by their numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from integration.domain.event_numbers import PATIENCE, EventNumbers, began, heard, recovered

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)

# what was known, the events heard, the EHR's count → last, ahead, whether something is missed
STORIES = [
    (began(0), [1], 1, (1, (), False)),  # the next one
    (began(0), [1, 2, 3], 3, (3, (), False)),  # several at once
    (began(5), [4], 5, (5, (), False)),  # heard before
    (began(5), [5, 5], None, (5, (), False)),
    (began(5), [7], 7, (5, (7,), True)),  # one beyond
    (EventNumbers(5, (7,), 7, NOW), [6], 7, (7, (), False)),  # it was on its way
    (EventNumbers(5, (7, 9), 9, NOW), [6], 9, (7, (9,), True)),
    (began(5), [], 5, (5, (), False)),  # a heartbeat
    (began(5), [], 8, (5, (), True)),  # a heartbeat that tells of events we never had
    (began(5), [], None, (5, (), False)),  # a server that numbers nothing
    (EventNumbers(), [], None, (None, (), False)),
    (EventNumbers(), [41], 41, (41, (), False)),  # the first we hear
    (EventNumbers(), [], 41, (41, (), False)),
    (EventNumbers(3, (), 3), [1], 1, (3, (), False)),  # athenahealth: begins again with every bundle
    (began(0), [2**62], 2**62, (0, (2**62,), True)),  # 64 bits (backport IG)
    (began(2), [-1], None, (2, (), False)),
]


@pytest.mark.parametrize(("known", "events", "count", "expected"), STORIES)
def test_what_is_known_after_a_notification(
    known: EventNumbers, events: list[int], count: int | None, expected: tuple[int, tuple[int, ...], bool]
) -> None:
    after = heard(known, events, count, LATER)
    assert (after.last, after.ahead, after.missing is not None) == expected
    assert (after.gap_since is not None) is expected[2]


@pytest.mark.parametrize("order", list(permutations([1, 2, 3, 4])))
def test_in_whatever_order_they_come_all_have_come(order: tuple[int, ...]) -> None:
    known = began(0)
    for number in order:
        known = heard(known, [number], number, NOW)
    assert known == EventNumbers(last=4, told_of=4)


def test_a_gap_is_as_old_as_its_first_sign_and_others_may_be_on_their_way() -> None:
    gap = heard(heard(began(0), [2], 2, NOW), [3], 3, LATER)
    assert gap.gap_since == NOW
    assert gap.missing == (1, 3)
    assert not gap.gap_is_due(NOW + PATIENCE - timedelta(seconds=1))
    assert gap.gap_is_due(NOW + PATIENCE)
    assert not began(0).gap_is_due(NOW + PATIENCE)


def test_a_filled_gap_is_none() -> None:
    gap = heard(began(0), [3], 3, NOW)
    assert recovered(gap, 3, LATER) == EventNumbers(last=3, told_of=3)


def test_what_came_while_the_gap_was_filled_counts() -> None:
    gap = heard(heard(began(0), [3], 3, NOW), [4, 6], 6, LATER)
    after = recovered(gap, 3, LATER)
    assert (after.last, after.ahead, after.missing, after.gap_since) == (4, (6,), (5, 6), LATER)


def test_a_gap_of_which_no_number_was_known_begins_where_it_was_filled() -> None:
    assert recovered(EventNumbers(), 9, NOW) == EventNumbers(last=9, told_of=9)
