"""Words no text may say: found whole, in every spelling, and never in an innocent word."""

from __future__ import annotations

import pytest

from integration.domain.catalog_inheritance import BadExtends, whole
from integration.domain.text_lint import Finding, Forbidden, lint
from integration.domain.wording import Catalog, CatalogError, PracticeWords, VisitWords, WordingError, compose
from tests.domain.catalogs import LANGUAGES, PRACTICE, catalog, mapping
from tests.domain.test_wording import VISIT

LINTS = [catalog(language).lint for language in LANGUAGES]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Your ONCOLOGY visit", "clinical"),
        ("your HIV test", "clinical"),
        ("mental-health visit", "clinical"),
        ("Su cita de oncología", "clinical"),
        ("Your copay is due", "financial"),
        ("Leave a review", "marketing"),
        ("see bit.ly/abc", "link"),
        ("https://example.test/x", "link"),
        ("onco\u200blogy", "clinical"),
    ],
)
def test_what_no_text_may_say_is_found(text: str, kind: str) -> None:
    assert kind in {finding.kind for finding in lint(text, LINTS)}


@pytest.mark.parametrize(
    "text",
    ["Please bring your card.", "Bill, Hope and Grace", "Dr. Hivley", "at 2:30 p.m."],
)
def test_innocent_words_are_left_alone(text: str) -> None:
    assert lint(text, [catalog("en").lint]) == ()


def test_a_finding_names_its_kind_and_its_word() -> None:
    assert lint("Chemotherapy", [catalog("en").lint]) == (Finding(Forbidden.CLINICAL, "chemotherapy"),)


def test_a_catalogue_that_says_such_a_word_is_refused() -> None:
    data = mapping("en")
    data["texts"]["thank_you"]["inform"]["one"] += " Please pay your bill."
    with pytest.raises(CatalogError, match='"your bill": financial content'):
        Catalog.from_mapping("en", data)


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        ("date", "M/d", "must say the weekday"),
        ("date", "EEE M/d", "12/1 is two days of the year"),
    ],
)
def test_a_date_that_two_readers_read_differently_is_refused(key: str, value: str, mistake: str) -> None:
    data = mapping("en")
    data["when"][key] = value
    with pytest.raises(CatalogError, match=mistake):
        Catalog.from_mapping("en", data)


@pytest.mark.parametrize(
    ("words", "mistake"), [(" PLEASE come.", '"PLEASE" stands in capitals'), (" ☎", "a picture")]
)
def test_a_text_neither_shouts_nor_paints(words: str, mistake: str) -> None:
    data = mapping("en")
    data["texts"]["thank_you"]["inform"]["one"] += words
    with pytest.raises(CatalogError, match=mistake):
        Catalog.from_mapping("en", data)


def test_a_remark_kept_in_a_name_is_not_said() -> None:
    visit = VisitWords("HIV", VISIT.start, "in_person")
    (text,) = compose(
        catalog("en"), "two_days", ask=False, practice=PRACTICE, visits=[visit], name_patients=True
    )
    assert "HIV" not in text.body.upper()


def test_what_a_phone_or_any_other_gap_brings_in_is_refused_without_being_said() -> None:
    with pytest.raises(WordingError, match="it would hold link content") as raised:
        compose(
            catalog("en"),
            "two_days",
            ask=False,
            practice=PracticeWords("Riverside", "bit.ly/abc"),
            visits=[VISIT],
        )
    assert "bit" not in str(raised.value)


def test_a_language_that_extends_another_holds_only_what_differs() -> None:
    british = {"extends": "en", "locale": "en_GB", "when": {"date": "EEE d MMM"}}
    read = Catalog.from_mapping("en_GB", whole("en_GB", {"en": mapping("en"), "en_GB": british}))
    (text,) = compose(read, "two_days", ask=False, practice=PRACTICE, visits=[VISIT])
    assert "Tue 1 Dec at 2:30 PM" in text.body.replace("pm", "PM")


@pytest.mark.parametrize(
    ("catalogs", "mistake"),
    [
        ({"a": {"extends": "b"}}, "unknown language"),
        ({"a": {"extends": "b"}, "b": {"extends": "a"}}, "goes round in a circle: a -> b -> a"),
        ({"a": {"extends": 5}}, "unknown language"),
    ],
)
def test_what_cannot_be_extended_is_refused(catalogs: dict[str, dict[str, object]], mistake: str) -> None:
    with pytest.raises(BadExtends, match=mistake):
        whole("a", catalogs)
