"""What a report of an appointment means, by the trigger and by what was stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.domain.appointment import (
    Appointment,
    AppointmentEvent,
    Modality,
    News,
    Report,
    Slot,
    hear,
)
from integration.domain.identity import appointment_key, contradict

TUESDAY = Slot(datetime(2027, 3, 9, 14, 30, tzinfo=UTC))
FRIDAY = Slot(datetime(2027, 3, 12, 9, 0, tzinfo=UTC))
BASE = Appointment(
    0, "main", "main", ("SCH-2||A1|",), (7,), "booked", TUESDAY, "America/New_York", practice="r"
)
STORED = replace(BASE, id=5)


def told(event: str, stored: Appointment | None = STORED, **shown: Any) -> News:
    return hear(stored, Report(AppointmentEvent(event), replace(BASE, **shown)))


@pytest.mark.parametrize(
    ("trigger", "shown", "event"),
    [
        ("booked", {}, "unchanged"),  # a resent S12
        ("booked", {"slot": FRIDAY}, "moved"),  # an S12 that shows another time
        ("moved", {"slot": FRIDAY}, "moved"),
        ("moved", {}, "unchanged"),  # an S13 for the same time
        ("changed", {"slot": replace(TUESDAY, modality=Modality.VIDEO)}, "moved"),
        ("changed", {"slot": replace(TUESDAY, place="Elm Street")}, "moved"),
        ("changed", {"patients": (7, 8)}, "changed"),
        ("changed", {"confirmed": True}, "changed"),
        ("cancelled", {"status": "cancelled"}, "cancelled"),
        ("discontinued", {"status": "cancelled"}, "discontinued"),
        ("deleted", {"status": "entered-in-error"}, "deleted"),
        ("no-show", {"status": "noshow"}, "no-show"),
        ("arrived", {"status": "arrived"}, "arrived"),
    ],
)
def test_a_report_is_compared_with_what_is_stored(trigger: str, shown: dict[str, Any], event: str) -> None:
    assert told(trigger, **shown).event == event


def test_only_a_booking_of_an_unknown_visit_is_news() -> None:
    assert told("booked", None) == News(AppointmentEvent.BOOKED, BASE)
    assert told("changed", None).first_contact
    assert told("cancelled", None, status="cancelled").event is AppointmentEvent.IGNORED


def test_a_cancellation_said_twice_is_one() -> None:
    assert told("cancelled", replace(STORED, status="cancelled"), status="cancelled").event == "unchanged"


def test_undo_cancel_books_anew_in_a_new_slot() -> None:
    news = told("moved", replace(STORED, status="cancelled", slot_number=3))
    assert (news.event, news.appointment.slot_number) == (AppointmentEvent.BOOKED, 4)


def test_a_changed_slot_clears_the_confirmation_and_an_unchanged_one_keeps_it() -> None:
    confirmed = replace(STORED, confirmed=True)
    assert not told("moved", confirmed, slot=FRIDAY).appointment.confirmed
    assert told("changed", confirmed).appointment.confirmed


def test_a_message_without_a_start_leaves_the_slot_alone() -> None:
    news = told("cancelled", slot=Slot(None), status="cancelled")
    assert (news.event, news.appointment.slot) == (AppointmentEvent.CANCELLED, TUESDAY)


def test_every_identifier_ever_seen_is_kept() -> None:
    news = told("changed", identifiers=("SCH-1||P9|",))
    assert news.appointment.identifiers == ("SCH-2||A1|", "SCH-1||P9|")


def test_a_counter_in_a_lesser_identifier_does_not_make_two_visits_one() -> None:
    known = [appointment_key("SCH-2", "CSN1", "", ""), appointment_key("SCH-1", "1", "", "")]
    assert contradict(known, [appointment_key("SCH-2", "CSN2", "", ""), known[1]])
    assert not contradict(known, [known[0]])
    assert not contradict(known[1:], [appointment_key("SCH-2", "CSN2", "", ""), known[1]])
