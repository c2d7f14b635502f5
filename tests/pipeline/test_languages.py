"""Stories of texts in another language, and of a clock that is not the clinic's, from message to phone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.sms_segments import measure
from tests.domain.catalogs import catalog
from tests.messages import ANA, siu
from tests.pipeline.network import say
from tests.settings import practice, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

START = local("2027-03-11T15:00")
WEST = replace(ANA, address="1 Sample St^^Seattle^WA^98101")


def _site(store: Store, *languages: str) -> Site:
    ours = practice(languages=languages, max_segments=1)
    spoken = {language: catalog(language) for language in languages}
    return Site(
        store,
        TurnedClock(local("2027-03-01T12:00")),
        settings=settings(practices={"riverside": ours}, catalogs=spoken),
    )


def _bodies(site: Site) -> list[str]:
    return [text.body or "" for text in site.texts]


def test_a_chinese_text_goes_out_in_one_segment(store: Store) -> None:
    site = _site(store, "en", "zh")
    site.hear(siu("S12", at=site.clock.now, start=START, person=replace(ANA, language="zh")))
    site.until(local("2027-03-11T14:00"))
    bodies = _bodies(site)
    assert any("3月11日周四下午3:00" in body for body in bodies)
    for body in bodies:
        assert (measure(body).encoding, measure(body).segments) == ("UCS-2", 1)
        assert body.startswith("Riverside Clinic")
        assert "STOP退订" in body


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt", "qui. 11 de mar. às 3:00 PM"),
        ("vi", "Thu Nam 11 thang 3 luc 3:00 PM"),
        ("en_GB", "Thu 11 Mar at 3:00pm"),
    ],
)
def test_a_language_of_gsm7s_letters_goes_out_in_one_segment(store: Store, language: str, words: str) -> None:
    site = _site(store, language)
    site.hear(siu("S12", at=site.clock.now, start=START))
    (body,) = _bodies(site)
    assert words in body
    assert (measure(body).encoding, measure(body).segments) == ("GSM-7", 1)


def test_whoever_lives_by_another_clock_reads_whose_time_it_is(store: Store) -> None:
    site = _site(store, "en")
    site.hear(siu("S12", at=site.clock.now, start=START, person=WEST))
    near = replace(ANA, mrn="MRN7", phone="(617)555-0177")
    site.hear(siu("S12", at=site.clock.now, visit="B1", start=START, person=near))
    west, east = _bodies(site)
    assert "3:00 PM EST" in west
    assert "3:00 PM." in east


def test_a_chinese_text_keeps_its_zone_though_it_may_cost_a_segment_more(store: Store) -> None:
    site = _site(store, "en", "zh")
    site.hear(siu("S12", at=site.clock.now, start=START, person=replace(WEST, language="zh")))
    (body,) = _bodies(site)
    assert "下午3:00 EST" in body
    assert measure(body).segments <= 2


def test_a_reply_in_chinese_is_understood_and_answered_in_chinese(store: Store) -> None:
    site = _site(store, "en", "zh")
    site.hear(siu("S12", at=site.clock.now, start=START, person=replace(ANA, language="zh")))
    site.until(local("2027-03-07T12:00"))
    say(site, "確認 謝謝")
    assert "已确认" in _bodies(site)[-1]
