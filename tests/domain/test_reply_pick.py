"""How our numbered question is answered, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.domain.reply_pick import picked
from tests.domain.catalogs import LANGUAGES, catalog

VOCABULARY = [catalog(language).replies for language in LANGUAGES]


@pytest.mark.parametrize(
    ("text", "count", "chosen"),
    [
        ("1", 2, {1}),
        ("2.", 2, {2}),
        ("#2", 2, {2}),
        ("1 and 2", 2, {1, 2}),
        ("1,2", 3, {1, 2}),
        ("1 & 3 please", 3, {1, 3}),
        ("2️⃣", 2, {2}),
        ("both", 2, {1, 2}),
        ("BOTH please, thank you", 2, {1, 2}),
        ("both 1 and 2", 2, {1, 2}),
        ("all", 3, {1, 2, 3}),
        ("all of them", 3, {1, 2, 3}),
        ("the first one", 2, {1}),
        ("second", 2, {2}),
        ("number two thanks", 2, {2}),
        ("ambas", 2, {1, 2}),
        ("Las dos, gracias", 2, {1, 2}),
        ("todas", 3, {1, 2, 3}),
        ("1 y 2", 2, {1, 2}),
        ("la segunda", 2, {2}),
        ("la primera por favor", 2, {1}),
    ],
)
def test_a_plain_choice_is_taken(text: str, count: int, chosen: set[int]) -> None:
    assert picked(text, count, VOCABULARY) == chosen


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(
            (text, 2)
            for text in ("3", "0", "12", "1?", "not 1", "no 1", "1 but late", "1 or 2", "2pm", "1:30")
        ),
        *(
            (text, 2)
            for text in ("", "thanks", "both 1", "neither", "yes for 1", "only the first if it rains")
        ),
        *(
            (text, 2)
            for text in ("la 1 no", "ninguna", "dos de la tarde", "1 o 2", "both or none", "C", "STOP")
        ),
        ("both 1 and 2", 3),
    ],
)
def test_whatever_is_not_plainly_a_choice_is_none(text: str, count: int) -> None:
    assert picked(text, count, VOCABULARY) == frozenset()


@given(st.text(max_size=60), st.integers(2, 6))
def test_no_answer_chooses_what_was_not_offered(text: str, count: int) -> None:
    assert picked(text, count, VOCABULARY) <= set(range(1, count + 1))
