"""A clinician's words go out signed, and in letters that cost least."""

import pytest

from integration.domain.free_text import signed


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Please bring your glasses.", "Riverside Clinic: Please bring your glasses."),
        ("This is riverside clinic. Please call.", "This is riverside clinic. Please call."),
        ("Don\u2019t eat \u2013 please", "Riverside Clinic: Don't eat - please"),
        ("Mañana a las 9", "Riverside Clinic: Mañana a las 9"),
        ("明天见", "Riverside Clinic: 明天见"),
    ],
)
def test_whose_words_they_are_stands_before_them_once(words: str, text: str) -> None:
    assert signed(words, "Riverside Clinic") == text
