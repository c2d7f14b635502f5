"""The sample feed of the demo: invented people, visits that make sense on whatever day it is played."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from fhir_mappers.v2_to_fhir import translate
from integration.sandbox.feed import SampleFeed
from integration.settings.files import SHIPPED
from integration.settings.load import load

if TYPE_CHECKING:
    from fhir_mappers.translation import Translation
    from integration.settings.model import Feed

ZONE = ZoneInfo("America/New_York")
# A week around the spring change of clocks, the last day of a year, and a leap day.
DAYS = [
    *(datetime(2027, 3, 8, 15, tzinfo=UTC) + timedelta(days=day) for day in range(7)),
    datetime(2027, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 4, tzinfo=UTC),
]


@cache
def feed() -> Feed:
    return load(SHIPPED).feeds["main"]


def read(messages: list[bytes]) -> list[Translation]:
    return [translate(message, feed().vendor, feed().facts) for message in messages]


@pytest.mark.parametrize("now", DAYS, ids=str)
def test_every_message_is_understood_and_every_visit_is_to_come(now: datetime) -> None:
    sample = SampleFeed(now, ZONE)
    told = read(sample.booked()) + read(sample.changed())
    assert [each.refusal for each in told] == [None] * 8
    assert [each.warnings for each in told] == [()] * 8
    assert [each.event for each in told] == ["booked"] * 6 + ["moved", "cancelled"]
    for each in told:
        assert each.appointment is not None
        start = each.appointment.start
        assert start is not None
        assert start > now
        assert start.astimezone(ZONE).weekday() < 5
        assert 9 <= start.astimezone(ZONE).hour < 17


def test_two_people_share_a_phone_and_one_reads_spanish() -> None:
    people = [patient for each in read(SampleFeed(DAYS[0], ZONE).booked()) for patient in each.patients]
    numbers = [patient.text_to for patient in people]
    assert len(numbers) == 6
    assert len(set(numbers)) == 5
    assert [patient.language for patient in people].count("es") == 1


def test_all_numbers_are_nobodys() -> None:
    people = [patient for each in read(SampleFeed(DAYS[0], ZONE).booked()) for patient in each.patients]
    assert all(patient.text_to and patient.text_to.startswith("+120255501") for patient in people)


def test_no_two_days_share_a_control_id() -> None:
    ids = [
        each.control_id
        for now in DAYS
        for each in read([*SampleFeed(now, ZONE).booked(), *SampleFeed(now, ZONE).changed()])
    ]
    assert len(set(ids)) == len(ids)
