"""What a person asks for goes out signed, with a way out, in one segment, or is refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integration.domain.catalog_sections import OF_A_VISIT, FreeForm
from integration.domain.free_text import NO_VISIT, TOO_LONG, FreeWords, compose_free, flagged
from integration.domain.sms_segments import measure
from integration.domain.visit_words import VisitWords
from integration.domain.wording import WordingError
from tests.domain.catalogs import LANGUAGES, PRACTICE, catalog

VISIT = VisitWords(None, datetime(2026, 12, 1, 14, 30, tzinfo=UTC), "in_person")
NAME = "Riverside Clinic: "
FULL = " Call 555-555-0100. Reply STOP to opt out."


def own(words: str, **how: Any) -> str:
    said = FreeWords(FreeForm.OWN_WORDS, words)
    return compose_free(catalog("en"), said, practice=PRACTICE, **how).body


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ("Please bring your glasses", f"{NAME}Please bring your glasses.{FULL}"),
        ("Could you come at 3?", f"{NAME}Could you come at 3?{FULL}"),
        ("Riverside Clinic here. Come in.", f"Riverside Clinic here. Come in.{FULL}"),
        ("Ring 555 555 0100!", f"{NAME}Ring 555 555 0100! Reply STOP to opt out."),
        ("Come. Reply STOP to end.", f"{NAME}Come. Reply STOP to end."),
        ("Don\N{RIGHT SINGLE QUOTATION MARK}t eat", f"{NAME}Don't eat.{FULL}"),
        ("x" * 90, f"{NAME}{'x' * 90}.{FULL}"),
        ("x" * 110, f"{NAME}{'x' * 110}. Reply STOP to opt out."),
        ("x" * 120, f"{NAME}{'x' * 120}. STOP to opt out."),
    ],
)
def test_around_own_words_stands_what_they_do_not_say(words: str, body: str) -> None:
    assert own(words) == body
    assert measure(body).segments == 1


def test_a_remark_in_the_place_of_a_name_is_not_said() -> None:
    unnamed = own("Come in.")
    assert own("Come in.", name="ANA") != unnamed
    assert own("Come in.", name="HOSPICE") == unnamed


def test_words_without_room_are_refused_and_more_segments_give_more() -> None:
    with pytest.raises(WordingError, match=TOO_LONG):
        own("x" * 130)
    assert own("x" * 130, max_segments=2).endswith(FULL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", [form for form in FreeForm if form is not FreeForm.OWN_WORDS])
@pytest.mark.parametrize("minutes", [None, 90])
def test_every_template_fits_signs_and_lets_stop_in_every_language(
    language: str, form: FreeForm, minutes: int | None
) -> None:
    said = FreeWords(form, minutes=minutes)
    composed = compose_free(catalog(language), said, practice=PRACTICE, visit=VISIT, name="Guadalupe")
    assert composed.segments == 1
    assert "Riverside Clinic" in composed.body
    assert "Guadalupe" in composed.body
    assert "555-555-0100" in composed.body
    assert "STOP" in composed.body
    assert ("90" in composed.body) == (form is FreeForm.RUNNING_LATE and minutes is not None)


@pytest.mark.parametrize("form", sorted(OF_A_VISIT))
def test_a_template_of_a_visit_needs_one(form: FreeForm) -> None:
    with pytest.raises(WordingError, match=NO_VISIT):
        compose_free(catalog("en"), FreeWords(form), practice=PRACTICE)


def test_words_that_tell_too_much_are_named() -> None:
    found = flagged("Chemotherapy, and a copay", [catalog("en")])
    assert {str(finding.kind) for finding in found} == {"clinical", "financial"}
    assert flagged("Please bring your glasses", [catalog("en")]) == ()
