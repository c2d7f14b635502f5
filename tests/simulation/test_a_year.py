"""A small year, stepped through: nothing late at night, doubled, over the caps, untrue, or missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.simulation.feed import VisitFacts, siu
from tests.simulation.missing import judge_visit
from tests.simulation.oracle import Claim, Oracle
from tests.simulation.people import Facts
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2027, 3, 1, 17, tzinfo=UTC)  # in Boston
ANA = Facts("M000001", "Ana", "Sample", NOON.date() - timedelta(days=15_000), "en", "MA", "+12025550100")
VISIT = VisitFacts("V00000001", ANA.mrn, "riverside", NOON + timedelta(days=10))
BODY = (
    "Riverside Clinic: Your appointment is Thu Mar 11 at 12:00 PM. Call 617-555-0100. Reply STOP to opt out."
)
TEXT = Claim(
    ANA.number,
    BODY,
    answer=False,
    occasion="booked",
    language="en",
    practice="riverside",
    subjects=((ANA.mrn, VISIT.key),),
    steps=((ANA.mrn, VISIT.key, "booked"),),
    sid="SM1",
)


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """The log as it was, afterwards."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_log")
def test_in_a_year_no_text_is_wrong_and_none_that_was_due_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path, 1, 60, 150)
    world.run()
    assert not world.oracle.violations
    assert not world.surprises
    assert world.figures["texts"] > 300
    assert world.figures["messages dead"] == world.figures["messages unread"] == 0


def told(visit: VisitFacts = VISIT, person: Facts = ANA) -> Oracle:
    """An oracle that has heard of a booking."""
    oracle = Oracle()
    oracle.told(siu("S12", 1, NOON, visit, person), NOON)
    return oracle


def rules(oracle: Oracle) -> set[str]:
    """What it found wrong."""
    return {rule for rule, _ in oracle.violations}


def missed(oracle: Oracle) -> set[str]:
    """The steps that the oracle misses once the visit is over."""
    judge_visit(oracle, {}, VISIT.key, VISIT.start + timedelta(hours=3))
    return {what.split()[1] for _, what in oracle.violations}


def test_the_oracle_lets_a_good_text_pass() -> None:
    oracle = told()
    oracle.judge(TEXT, NOON + timedelta(minutes=3))
    assert rules(oracle) == set()


@pytest.mark.parametrize(
    ("wrong", "at", "rule"),
    [
        (TEXT, NOON + timedelta(hours=9), "quiet hours"),
        (TEXT, NOON + timedelta(days=11), "for a past visit"),
        (replace(TEXT, number="+12025550101"), NOON, "to another number"),
        (replace(TEXT, body=BODY.replace("12:00", "12:30")), NOON, "another time than the visit's"),
        (replace(TEXT, body=BODY.replace("STOP", "END")), NOON, "no way out"),
        (replace(TEXT, body=BODY + " Please do come, and bring what you were asked to, won't you?"), NOON,
         "over one segment"),
        (replace(TEXT, body=BODY.replace("appointment", "COLONOSCOPY")), NOON, "clinical"),
        (replace(TEXT, language="es"), NOON, "another language"),
        (replace(TEXT, occasion="cancelled"), NOON, "not cancelled"),
        (replace(TEXT, subjects=((ANA.mrn, "V9"),)), NOON, "of nobody's visit"),
    ],
)  # fmt: skip
def test_the_oracle_sees_what_is_wrong_with_a_text(wrong: Claim, at: datetime, rule: str) -> None:
    oracle = told()
    oracle.judge(wrong, at)
    assert rule in rules(oracle)


def test_the_oracle_sees_texts_after_stop_to_the_dead_and_for_a_cancelled_visit() -> None:
    later = NOON + timedelta(hours=1)
    oracle = told()
    oracle.heard(ANA.number, "stop", NOON)
    oracle.told(siu("S15", 2, later, replace(VISIT, status="cancelled"), replace(ANA, dead=True)), later)
    oracle.judge(TEXT, later)
    assert rules(oracle) >= {"text after stop", "to the dead", "for a visit cancelled"}


def test_the_oracle_sees_doubles_and_the_caps() -> None:
    oracle = told()
    for day in (0, 0, 1, 2, 3):
        oracle.judge(TEXT, NOON + timedelta(days=day))
    assert rules(oracle) == {"doubled", "over the day's cap", "over the week's cap"}


def test_the_oracle_misses_what_was_due_and_could_have_gone() -> None:
    oracle = told()
    assert missed(oracle) == {"booked", "five_days", "two_days", "three_hours"}


def test_the_oracle_misses_nothing_that_the_patient_forbade() -> None:
    oracle = told()
    oracle.heard(ANA.number, "stop", NOON)
    judge_visit(oracle, {}, VISIT.key, VISIT.start + timedelta(hours=3))
    assert rules(oracle) == set()


@pytest.mark.parametrize(("written", "is_bad"), [(-1, True), (1, False)])
def test_only_news_written_after_a_carriers_no_gives_a_number_anew(written: int, *, is_bad: bool) -> None:
    oracle = told()
    oracle.carrier(ANA.number, "bad", NOON + timedelta(hours=1))
    child = replace(ANA, mrn="M000002")
    visit = replace(VISIT, key="V00000002", mrn=child.mrn)
    news = siu("S12", 2, NOON + timedelta(hours=1 + written), visit, child)
    oracle.told(news, NOON + timedelta(hours=3))
    assert ("bad" in oracle.phones[ANA.number].why_closed(NOON + timedelta(hours=4))) is is_bad


def test_what_a_cap_held_may_wait_though_the_text_before_it_came_to_nothing() -> None:
    oracle, noon = told(), NOON + timedelta(hours=1)
    oracle.judge(TEXT, NOON)
    oracle.undelivered(TEXT.sid)
    phone, zone = oracle.phones[ANA.number], oracle.zone(ANA)
    assert not any(oracle.over(phone, zone, noon))
    assert oracle.may_wait(phone, zone, noon)
    assert not oracle.may_wait(phone, zone, noon + timedelta(days=1))


def test_what_a_stop_forbade_when_it_fell_due_is_not_missed_after_a_start() -> None:
    oracle = told()
    oracle.heard(ANA.number, "stop", NOON)
    oracle.heard(ANA.number, "start", NOON + timedelta(hours=2))
    assert missed(oracle) == {"five_days", "two_days", "three_hours"}


def test_a_yes_from_a_former_number_is_the_patients_still() -> None:
    oracle = told()
    oracle.heard(ANA.number, "confirm", NOON + timedelta(hours=1))
    later = NOON + timedelta(days=1)
    oracle.told(siu("S14", 2, later, VISIT, replace(ANA, number="+12025550101")), later)
    assert missed(oracle) == {"booked", "five_days", "two_days"}
