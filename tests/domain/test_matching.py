"""Which listed text an uncertain offer became."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integration.domain.matching import MARGIN, match

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
DEADLINE = NOON + timedelta(seconds=30)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def found(*candidates: tuple[str, str, datetime], taken: frozenset[str] = frozenset()) -> str | None:
    return match(candidates, body="C?", offered_at=NOON, window=(NOON, DEADLINE), taken=taken)


def test_the_text_with_the_same_words_in_the_same_moment_is_it() -> None:
    assert found(("SM1", "C?", at(1))) == "SM1"


def test_a_clock_that_runs_behind_or_cuts_to_whole_seconds_does_not_hide_it() -> None:
    assert found(("SM1", "C?", NOON - MARGIN)) == "SM1"


def test_other_words_are_another_text() -> None:
    assert found(("SM1", "C? ", at(1))) is None


def test_a_text_of_another_time_is_another_text() -> None:
    assert found(("SM1", "C?", NOON - MARGIN - timedelta(seconds=1))) is None
    assert found(("SM1", "C?", DEADLINE + MARGIN + timedelta(seconds=1))) is None


def test_a_text_that_another_offer_owns_is_not_taken_from_it() -> None:
    assert found(("SM1", "C?", at(1)), taken=frozenset({"SM1"})) is None
    assert found(("SM1", "C?", at(1)), ("SM2", "C?", at(9)), taken=frozenset({"SM1"})) == "SM2"


def test_of_two_the_nearer_in_time_is_taken_whatever_their_order() -> None:
    assert found(("SM2", "C?", at(9)), ("SM1", "C?", at(1))) == "SM1"
    assert found(("SM1", "C?", at(1)), ("SM2", "C?", at(9))) == "SM1"
