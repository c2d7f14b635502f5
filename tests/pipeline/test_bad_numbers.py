"""Stories of a number that takes no texts: until the EHR names another, or staff lift it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.failure import Failure
from integration.domain.staff_task import TaskKind
from tests.messages import ANA, called, siu
from tests.pipeline.network import ANAS_NUMBER, BOOKED_AT, VISIT, booked_site, number_of, report

if TYPE_CHECKING:
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")
ELSEWHERE = called(ANA, phone="(617)555-0177")


def _bad() -> Site:
    site = booked_site()
    report(site, "undelivered", Failure.BAD_NUMBER)
    return site


def _to(site: Site) -> list[str]:
    return [text.to for text in site.sms.texts()]


def test_a_bad_number_gets_no_further_text_and_somebody_calls() -> None:
    site = _bad()
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]
    site.clock.now += timedelta(hours=1)
    site.hear(siu("S14", at=site.clock.now, start=VISIT))  # names the same number: that proves nothing
    site.until(VISIT)

    assert _to(site) == [ANAS_NUMBER]
    assert site.reminders["five_days"].reason == "the number cannot receive texts"


def test_another_number_works_at_once() -> None:
    site = _bad()
    site.clock.now += timedelta(hours=1)
    site.hear(siu("S14", at=site.clock.now, start=VISIT, person=ELSEWHERE))
    site.until(VISIT)

    assert _to(site)[0] == ANAS_NUMBER
    assert set(_to(site)[1:]) == {number_of(ELSEWHERE)}


def test_the_same_number_works_when_it_is_named_anew_after_another() -> None:
    site = _bad()
    for person in (ELSEWHERE, ANA):
        site.clock.now += timedelta(hours=1)
        site.hear(siu("S14", at=site.clock.now, start=VISIT, person=person))
    site.until(BOOKED_AT + timedelta(days=6))

    assert _to(site)[-1] == ANAS_NUMBER
    assert len(_to(site)) > 1


def test_the_same_number_works_when_staff_lift_it() -> None:
    site = _bad()
    with site.store.unit() as unit:
        unit.numbers.lock(ANAS_NUMBER)
        [marked] = unit.numbers.suppressions(ANAS_NUMBER)
        assert not marked.is_the_carriers_too  # no START is waited for
        unit.consents.lift(marked, at=site.clock.now, by="staff", note="ported to a mobile")
    site.until(BOOKED_AT + timedelta(days=6))

    assert _to(site) == [ANAS_NUMBER] * 2
