"""The boundary table of messaging, and agreement with an independent counter."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from integration.domain.sms_segments import GSM_7, GSM_BASIC, GSM_EXTENSION, Segments, measure


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the escape pair is not cut: a segment stays short
        ("á" * 70, "UCS-2", 70, 1),
        ("á" * 71, "UCS-2", 71, 2),
        ("á" * 134, "UCS-2", 134, 2),
        ("á" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("a" * 66 + "😀" + "a" * 66, "UCS-2", 134, 3),  # nor is the surrogate pair
        ("Don\u2019t forget", "UCS-2", 12, 1),
        ("3:00\u00a0pm", "UCS-2", 7, 1),
        ("3:00\u202fpm", "UCS-2", 7, 1),
        ("ñ", "GSM-7", 1, 1),
        ("Ç", "GSM-7", 1, 1),
        ("\r\n", "GSM-7", 2, 1),
        ("ç", "UCS-2", 1, 1),
        ("Í", "UCS-2", 1, 1),
        ("`", "UCS-2", 1, 1),
        ("\t", "UCS-2", 1, 1),
    ],
)
def test_a_text_weighs_what_carriers_bill(text: str, encoding: str, units: int, segments: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.segments) == (encoding, units, segments)


def test_the_alphabet_has_127_characters_beside_the_escape_and_ten_behind_it() -> None:
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENSION) == 10
    assert GSM_BASIC.isdisjoint(GSM_EXTENSION)


_KINDS = st.sampled_from(["a", " ", "é", "€", "^", "{", "á", "ç", "\u202f", "😀", "\uffff"])


@given(st.lists(st.tuples(_KINDS, st.integers(1, 160)), min_size=1, max_size=4))
def test_it_agrees_with_an_independent_counter(runs: list[tuple[str, int]]) -> None:
    text = "".join(character * count for character, count in runs)
    parts = smsutil.split(text).parts
    if set(text) <= GSM_7:
        units = len(text) + sum(text.count(character) for character in GSM_EXTENSION)
        assert measure(text) == Segments("GSM-7", units, len(parts))
    else:
        assert measure(text) == Segments("UCS-2", len(text.encode("utf-16-le")) // 2, len(parts))
