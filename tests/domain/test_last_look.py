"""The last look: every reason for which a text does not go out now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integration.domain.appointment import Appointment, AppointmentEvent, Slot
from integration.domain.consent import ALL_SENDERS, ConsentPolicy, Suppression, SuppressionKind, permits
from integration.domain.last_look import (
    DAY_IS_FULL,
    Hold,
    Skip,
    of_caps,
    of_hours,
    of_patient,
    of_visit,
    suppressed,
)
from integration.domain.plan_rules import Step
from integration.domain.quiet_hours import DecentHours
from integration.domain.recipient import Patient
from integration.domain.reminder import Reminder
from tests.settings import STEPS, ZONE, practice

NUMBER = "+16175550123"
NOON = datetime(2027, 3, 9, 12, 0, tzinfo=ZONE)
VISIT = Appointment(
    1, "main", "main", ("k",), (7,), "booked", Slot(NOON + timedelta(days=2)), "America/New_York"
)
REMINDER = Reminder(1, 1, 7, NUMBER, "riverside", "two_days", 1, NOON, NOON + timedelta(hours=8))
PATIENT = Patient(7, "main", ("k",), "Ana", "Sample", NUMBER)
STEP = {step.name: step for step in STEPS}
RULES = practice().plan


@pytest.mark.parametrize(
    ("changes", "step", "waiting", "verdict"),
    [
        ({}, "two_days", False, None),
        ({}, "two_days", True, Hold),
        ({"held_by": 9}, "two_days", False, Hold),
        ({"slot_number": 2}, "two_days", False, Skip),
        ({"status": "cancelled"}, "two_days", False, Skip),
        ({"status": "arrived"}, "two_days", False, Skip),
        ({"status": "proposed"}, "two_days", False, Skip),
        ({"status": "cancelled"}, "cancelled", False, None),
        ({}, "cancelled", False, Skip),
        ({"slot": Slot(None)}, "two_days", False, Skip),
        ({"confirmed": True}, "two_days", False, None),
        ({"confirmed": True}, "three_hours", False, Skip),
    ],
)
def test_the_visit(changes: dict[str, Any], step: str, waiting: bool, verdict: type | None) -> None:  # noqa: FBT001 - a row
    found = of_visit(REMINDER, STEP[step], replace(VISIT, **changes), waiting=waiting, now=NOON)
    assert found is None if verdict is None else isinstance(found, verdict)


THANKS = Step("thank_you", hours_after=2)
MISSED = Step("no_show", on=AppointmentEvent.NO_SHOW)


@pytest.mark.parametrize(
    ("status", "thanked", "missed"),
    [
        ("booked", Hold, Skip),  # nobody has said that the patient came
        ("arrived", None, Skip),
        ("fulfilled", None, Skip),
        ("cancelled", Skip, Skip),
        ("entered-in-error", Skip, Skip),
        ("noshow", Skip, None),
    ],
)
def test_a_visit_that_is_over(status: str, thanked: type | None, missed: type | None) -> None:
    over = replace(VISIT, status=status)
    for step, verdict in ((THANKS, thanked), (MISSED, missed)):
        found = of_visit(replace(REMINDER, step=step.name), step, over, waiting=False, now=NOON)
        assert found is None if verdict is None else isinstance(found, verdict), step.name


def test_a_reminder_past_its_use_is_skipped() -> None:
    late = REMINDER.not_after + timedelta(seconds=1)
    assert of_visit(REMINDER, STEP["two_days"], VISIT, waiting=False, now=late) == Skip(
        "too late to be useful"
    )


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"deceased": True}, False),
        ({"number": "+16175550199"}, False),
        ({"suppressed": True}, False),
        ({"birth_date": date(2015, 1, 1)}, False),
        ({"birth_date": date(2009, 3, 10)}, False),  # 18 tomorrow
        ({"birth_date": date(2009, 3, 9)}, True),  # 18 today
        ({"birth_date": date(2015, 1, 1), "number": None, "guardian_number": NUMBER}, True),
        ({"birth_date": date(2015, 1, 1), "guardian_number": "+16175550199"}, False),
        ({"birth_date": date(2009, 3, 10), "guardian_number": NUMBER}, True),  # 18 tomorrow
        ({"birth_date": date(2009, 3, 9), "number": "+16175550199", "guardian_number": NUMBER}, False),
    ],
)
def test_the_patient(changes: dict[str, Any], goes: bool) -> None:  # noqa: FBT001 - a row
    found = of_patient(replace(PATIENT, **changes), NUMBER, ConsentPolicy.IMPLIED, recorded=None, now=NOON)
    assert (found is None) == goes


@pytest.mark.parametrize(
    ("policy", "unknown", "yes", "no"),
    [("express", False, True, False), ("implied", True, True, False), ("not_required", True, True, False)],
)
def test_consent(policy: str, unknown: bool, yes: bool, no: bool) -> None:  # noqa: FBT001 - a row
    found = [permits(ConsentPolicy(policy), recorded=recorded) for recorded in (None, True, False)]
    assert found == [unknown, yes, no]


@pytest.mark.parametrize("kind", list(SuppressionKind))
def test_a_suppressed_number_gets_nothing(kind: SuppressionKind) -> None:
    row = Suppression(1, NUMBER, kind, ALL_SENDERS, NOON, "reply")
    assert isinstance(suppressed([row], "+15005550006"), Skip)
    assert suppressed([], "+15005550006") is None


def test_an_opt_out_from_one_sender_leaves_the_others() -> None:
    row = Suppression(1, NUMBER, SuppressionKind.OPT_OUT, "+15005550001", NOON, "carrier")
    assert suppressed([row], "+15005550006") is None
    assert isinstance(suppressed([row], "+15005550001"), Skip)
    assert isinstance(suppressed([row], None), Skip)  # a pool: nobody knows which sender it would be


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ("2027-03-09T09:00", None),
        ("2027-03-09T19:59", None),
        ("2027-03-09T20:00", Hold(datetime(2027, 3, 10, 9, tzinfo=ZONE).astimezone(UTC), "quiet hours")),
        ("2027-03-09T03:00", Hold(datetime(2027, 3, 9, 9, tzinfo=ZONE).astimezone(UTC), "quiet hours")),
    ],
)
def test_the_hour(now: str, verdict: Hold | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZONE)
    assert of_hours(RULES.hours, [ZONE], not_after=moment + timedelta(days=1), now=moment) == verdict


def test_a_text_whose_use_ends_in_the_night_is_skipped() -> None:
    night = datetime(2027, 3, 9, 22, 0, tzinfo=ZONE)
    assert isinstance(of_hours(RULES.hours, [ZONE], not_after=night + timedelta(hours=3), now=night), Skip)


def test_the_night_of_the_clock_change_ends_at_nine() -> None:
    night = datetime(2027, 3, 14, 1, 30, tzinfo=ZONE)
    assert DecentHours().next_opening(night, ZONE) == datetime(2027, 3, 14, 9, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("hours_ago", "verdict"),
    [
        ([], None),
        ([24], None),
        ([1], Hold),  # today
        ([24, 48], None),
        ([24, 48, 72], Hold),  # the week
        ([167, 100, 30], Hold),
        ([168, 100, 30], None),  # a hold until now would never end
    ],
)
def test_caps_over_all_patients_of_a_number(hours_ago: list[int], verdict: type | None) -> None:
    found = of_caps(
        [NOON - timedelta(hours=h) for h in hours_ago],
        per_day=1,
        per_week=3,
        hours=RULES.hours,
        zones=[ZONE],
        not_after=NOON + timedelta(days=9),
        now=NOON,
    )
    assert found is None if verdict is None else isinstance(found, verdict)


def test_a_day_of_either_open_clock_is_full() -> None:
    zones = [ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")]
    past_midnight = datetime(2027, 3, 10, 1, tzinfo=zones[0])  # and still the 9th by the second clock
    for ordered in (zones, zones[::-1]):
        found = of_caps(
            [past_midnight - timedelta(hours=5)],
            per_day=1,
            per_week=3,
            hours=RULES.hours,
            zones=ordered,
            not_after=NOON + timedelta(days=9),
            now=past_midnight,
        )
        assert found == Hold(datetime(2027, 3, 10, 12, tzinfo=zones[0]).astimezone(UTC), DAY_IS_FULL)


def test_a_full_week_frees_when_its_oldest_text_leaves_the_window() -> None:
    offered = [NOON - timedelta(hours=h) for h in (160, 90, 30)]
    found = of_caps(
        offered,
        per_day=1,
        per_week=3,
        hours=RULES.hours,
        zones=[ZONE],
        not_after=NOON + timedelta(days=9),
        now=NOON,
    )
    tomorrow_at_nine = datetime(2027, 3, 10, 9, tzinfo=ZONE).astimezone(UTC)
    assert found == Hold(tomorrow_at_nine, "the number has had its texts of the week")


def test_a_cap_that_outlasts_the_use_skips() -> None:
    found = of_caps(
        [NOON - timedelta(hours=1)],
        per_day=1,
        per_week=3,
        hours=RULES.hours,
        zones=[ZONE],
        not_after=NOON + timedelta(hours=4),
        now=NOON,
    )
    assert isinstance(found, Skip)
