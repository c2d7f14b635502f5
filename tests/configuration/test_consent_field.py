"""`[consent]` of a feed: where its messages say who agrees to texts; a mistake in it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fhir_mappers.translation import ConsentField
from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.mistakes import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FEED = (SHIPPED / "feeds" / "main.toml").read_text()
FHIR = (SHIPPED / "feeds" / "ehr.toml").read_text()
RIGHT = '[consent]\npath = "ZPI-3"\ngiven = ["Y", "Ok"]\nrefused = ["N"]'


def site(folder: Path, section: str, feed: str = FEED) -> Path:
    (folder / "feeds").mkdir()
    (folder / "feeds" / "main.toml").write_text(f"{feed}\n{section}\n")
    return folder


def test_no_message_says_it_unless_written() -> None:
    assert load(SHIPPED).feeds["main"].consent is None


def test_words_are_read_in_any_case(tmp_path: Path) -> None:
    feed = load(site(tmp_path, RIGHT)).feeds["main"]
    assert feed.consent == ConsentField("ZPI-3", frozenset({"y", "ok"}), frozenset({"n"}))
    assert feed.facts.consent == feed.consent


@pytest.mark.parametrize(
    ("section", "feed", "said"),
    [
        (RIGHT.replace('"ZPI-3"', '"ZPI"'), FEED, "consent.path"),
        (RIGHT.replace('["N"]', "[]"), FEED, "consent.refused"),
        (RIGHT.replace('["N"]', '["N", "y"]'), FEED, "a word stands under given and under refused"),
        (RIGHT, FHIR, "consent: of HL7 v2 feeds alone"),
    ],
)
def test_a_mistake_is_said(section: str, feed: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(site(tmp_path, section, feed))
    (mistake,) = caught.value.mistakes
    assert said in str(mistake)
