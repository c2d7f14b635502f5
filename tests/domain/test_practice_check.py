"""A practice's words tried in every text before the first patient is written to."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.domain.catalog_sections import CHOOSING
from integration.domain.wording import (
    PracticeWords,
    VisitWords,
    WordingError,
    answer,
    check_practice,
    compose,
)
from tests.domain.catalogs import LANGUAGES, PRACTICE, catalog

PHONE = "555-555-0100"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_practice_fits_in_every_language_with_its_zone_too(language: str) -> None:
    assert check_practice(catalog(language), PRACTICE) == []
    zone = ZoneInfo("America/New_York")
    assert check_practice(catalog(language), PRACTICE, show_zone=True, zone=zone) == []


@pytest.mark.parametrize(("language", "letters"), [("en", 40), ("es", 30)])
def test_names_of_usual_length_fit(language: str, letters: int) -> None:
    assert check_practice(catalog(language), PracticeWords("R" * letters, PHONE)) == []


def test_each_text_that_would_not_fit_is_named_with_its_size_and_a_remedy() -> None:
    found = check_practice(catalog("en"), PracticeWords("R" * 60, PHONE))
    assert any(
        sentence.startswith("messages en, five_days ask: longer than 1 segment(s)") for sentence in found
    )
    assert all("units" in sentence for sentence in found)
    assert all(sentence.endswith("shorten the practice's name, or add a shorter form") for sentence in found)
    assert not any("thank_you" in sentence for sentence in found)


def test_a_ucs2_catalogue_is_also_tried_without_a_name_in_one_segment() -> None:
    found = check_practice(catalog("zh"), PracticeWords("Riverside Regional Medical Center", PHONE))
    assert any("five_days ask: longer than 1 segment(s)" in sentence for sentence in found)
    assert check_practice(catalog("zh"), PracticeWords("Riverside Clinic", PHONE)) == []


def test_a_name_gsm7_cannot_write_is_named_by_its_code_points() -> None:
    (sentence,) = check_practice(catalog("en"), PracticeWords("Клиника", PHONE))
    assert "no GSM-7 form for U+041A" in sentence


@pytest.mark.parametrize(
    ("practice", "lacking"), [(PracticeWords(" ", PHONE), "name"), (PracticeWords("Riverside", ""), "phone")]
)
def test_an_empty_name_or_phone_is_refused(practice: PracticeWords, lacking: str) -> None:
    assert check_practice(catalog("en"), practice) == [f"the practice's public {lacking} is empty"]


_ZONE = ZoneInfo("America/Los_Angeles")


@settings(max_examples=60)
@given(
    language=st.sampled_from(LANGUAGES),
    name=st.text("Wi é(", min_size=1, max_size=50).filter(str.strip),
    first_name=st.sampled_from([None, "Ann", "Wolfeschlegelstein", "Maria Guadalupe"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(_ZONE)),  # noqa: DTZ001 - zoned
    modality=st.sampled_from(["in_person", "video", "phone"]),
)
def test_what_passes_the_check_is_never_too_long_later(
    language: str, name: str, first_name: str | None, start: datetime, modality: str
) -> None:
    practice = PracticeWords(name, PHONE)
    passes = not check_practice(catalog(language), practice, show_zone=True, zone=_ZONE)
    visit = VisitWords(first_name, start, modality)
    try:
        for occasion, ask in catalog(language).texts:
            compose(
                catalog(language),
                occasion,
                ask=ask,
                practice=practice,
                visits=[visit],
                show_zone=True,
                name_patients=True,
            )
        for each in catalog(language).answers.keys() - CHOOSING:
            answer(catalog(language), each, practice=practice, visit=visit)
    except WordingError:
        assert not passes
