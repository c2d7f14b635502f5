"""Texts in GSM-7's letters: what stays, what changes, what is reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.domain.sms_segments import GSM_7
from integration.domain.transliteration import Untransliterable, to_gsm7, written


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ñ é ¿ ¡ ü à Ç €", "ñ é ¿ ¡ ü à Ç €"),
        ("Clínica Corazón", "Clinica Corazon"),
        ("á í ó ú ç Á Í Ó Ú ê â", "a i o u c A I O U e a"),
        ("n\u0303 e\u0301 a\u0301", "ñ é a"),  # accents typed apart from their letters
        ("\u201cDon\u2019t\u201d", '"Don\'t"'),
        ("10\u201311 \u2014 \u2026", "10-11 - ..."),
        ("2:30\u202fPM\u00a0now", "2:30 PM now"),
        ("a\tb\u200bc\ufeff", "a bc"),
        ("Nguyễn Łukasz Đặng", "Nguyen Lukasz Dang"),
        ("O’Brien \u202eabc\u2066", "O'Brien abc"),  # noqa: RUF001 - as phones write it
        ("\uff32\uff49\uff56\uff45\uff52 \ufb01 ½", "River fi 1/2"),  # full width, ligature, fraction
        ("", ""),
    ],
)
def test_a_text_keeps_its_sense_in_gsm7(text: str, plain: str) -> None:
    assert to_gsm7(text) == plain


def test_what_has_no_form_is_reported_once_each_and_by_code_point_alone() -> None:
    with pytest.raises(Untransliterable) as raised:
        to_gsm7("Dr. 李 😀 李")
    assert raised.value.characters == "李😀"
    assert str(raised.value) == "no GSM-7 form for U+674E, U+1F600"


@given(st.text())
def test_what_comes_out_is_gsm7_and_stays_as_it_is(text: str) -> None:
    try:
        plain = to_gsm7(text)
    except Untransliterable as error:
        lost = error.characters
    else:
        lost = ""
        assert set(plain) <= GSM_7
        assert to_gsm7(plain) == plain
    assert GSM_7.isdisjoint(lost)


def test_a_catalogue_in_its_own_letters_keeps_them() -> None:
    assert written("Клиника", "UCS-2") == "Клиника"
    assert written("Clínica", "GSM-7") == "Clinica"
    assert written("n\u0303\u202e\u0000\ufeff", "UCS-2") == "ñ"  # no direction marks, no controls
