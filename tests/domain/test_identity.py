"""By which keys things are known, and when what two sides share is a coincidence."""

from __future__ import annotations

import pytest

from integration.domain.identity import contradict, disagree


@pytest.mark.parametrize(
    ("known", "shown", "found"),
    [
        (["H|MR|1"], ["H|MR|1"], False),
        (["H|MR|1"], ["H|MR|2", "H|MR|1"], False),
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "S|PI|7"], True),
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "H|MR|1", "S|PI|7"], False),
        (["H|MR|1", "S|PI|8"], ["H|MR|1", "S|PI|7"], False),
        (["S|PI|7"], ["H|MR|2", "S|PI|7"], False),
        (["||1"], ["H|MR|1", "||1"], False),
        (["H|MR|2", "||1"], ["H|MR|1", "||1"], True),
    ],
)
def test_a_lesser_identifier_in_common_is_outweighed_by_better_ones(
    known: list[str], shown: list[str], *, found: bool
) -> None:
    assert disagree(known, shown) is found


@pytest.mark.parametrize(
    ("known", "shown", "found"),
    [
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "S|PI|7"], True),
        (["H|MR|1", "H|MR|2"], ["H|MR|2"], False),
        (["S|PI|7"], ["H|MR|2", "S|PI|7"], False),
        (["H|MR|1"], [], False),
    ],
)
def test_the_best_identifier_shown_contradicts_another_of_its_kind(
    known: list[str], shown: list[str], *, found: bool
) -> None:
    assert contradict(known, shown) is found
