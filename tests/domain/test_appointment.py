"""What a report of an appointment means, by the trigger and by what was stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.appointment import Appointment, AppointmentEvent, Fact, Modality, PastSlot, Slot
from integration.domain.appointment_report import News, Report, end_with, hear
from integration.domain.identity import appointment_key, contradict
from integration.domain.who_confirmed import under_records

if TYPE_CHECKING:
    from collections.abc import Callable

TUESDAY = Slot(datetime(2027, 3, 9, 14, 30, tzinfo=UTC))
FRIDAY = Slot(datetime(2027, 3, 12, 9, 0, tzinfo=UTC))
BASE = Appointment(
    0, "main", "main", ("SCH-2||A1|",), (7,), "booked", TUESDAY, "America/New_York", practice="r"
)
STORED = replace(BASE, id=5)


def nobody(_: int) -> bool:
    return False


def everybody(_: int) -> bool:
    return True


def told(event: str, stored: Appointment | None = STORED, **shown: Any) -> News:
    return hear(stored, report(event, **shown), everybody)


def report(event: str, **shown: Any) -> Report:
    """What a message says that leaves out a start it does not show."""
    appointment = replace(BASE, **shown)
    says = [fact for fact in Fact if fact is not Fact.START or appointment.slot.start is not None]
    return Report(AppointmentEvent(event), appointment, says)


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
    assert told("booked", None).appointment.older == ()
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


GROUP = replace(STORED, patients=(7, 8), confirmed_by=(7,))


@pytest.mark.parametrize(
    ("stored", "shown", "who"),
    [
        (GROUP, {"patients": (7, 8)}, [7]),  # said again
        (GROUP, {"patients": (8, 7)}, [7]),
        (GROUP, {"patients": (7, 8, 9)}, [7]),  # who joins has said nothing
        (GROUP, {"patients": (8,)}, []),
        (GROUP, {"patients": (7,)}, [7]),
        (GROUP, {"patients": (8, 9)}, []),
        (GROUP, {"patients": ()}, [7]),  # it does not say whose visit it is
        (GROUP, {"patients": (7, 8), "confirmed": True}, [7, 8]),
        (GROUP, {"patients": (), "confirmed": True}, [7, 8]),
        (GROUP, {"patients": (7, 8), "confirmed_by": (8,)}, [7, 8]),
        (GROUP, {"patients": (7, 8), "slot": FRIDAY}, []),
        (GROUP, {"patients": (7, 8), "slot": FRIDAY, "confirmed_by": (8,)}, [8]),
        (replace(STORED, confirmed=True), {"patients": (7, 8)}, [7]),
        (replace(STORED, confirmed=True), {"patients": (8,)}, []),
        (replace(STORED, patients=(), confirmed=True), {"patients": (7,)}, [7]),
    ],
)
def test_each_of_a_visits_patients_confirms_for_themselves(
    stored: Appointment, shown: dict[str, Any], who: list[int]
) -> None:
    found = told("changed", stored, **shown).appointment
    assert [each for each in (7, 8, 9) if each in found.patients and found.is_confirmed_by(each)] == who
    assert found.confirmed is (who == sorted(found.patients))
    assert not (found.confirmed and found.confirmed_by)


def test_who_left_the_visit_while_it_was_elsewhere_has_not_confirmed_the_slot_it_returns_to() -> None:
    def moved(stored: Appointment, **shown: Any) -> Appointment:
        return hear(stored, report("moved", **shown), nobody).appointment

    stored = replace(STORED, patients=(7, 8), confirmed=True)
    elsewhere = moved(stored, patients=(7, 9), slot=FRIDAY)
    assert elsewhere.confirmed_by == ()
    back = moved(elsewhere, patients=(7, 9), slot=TUESDAY)
    assert (back.slot_number, back.confirmed, back.confirmed_by) == (1, False, (7,))


def test_two_records_of_one_patient_have_confirmed_what_either_has() -> None:
    one = under_records(GROUP, {7: 7, 8: 7}.__getitem__)
    assert (one.patients, one.confirmed, one.confirmed_by) == ((7,), True, ())
    other = under_records(GROUP, {7: 9, 8: 8}.__getitem__)
    assert (other.patients, other.confirmed, other.confirmed_by) == ((9, 8), False, (9,))
    assert under_records(GROUP, {7: 7, 8: 8}.__getitem__) is GROUP


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


# --- moved back before anybody heard -----------------------------------------------------------------

MONDAY = Slot(datetime(2027, 3, 8, 9, 0, tzinfo=UTC))


def in_turn(*slots: Slot, told_of: Callable[[int], bool]) -> Appointment:
    """A visit confirmed on Tuesday, moved from slot to slot."""
    appointment = replace(STORED, confirmed=True)
    for slot in slots:
        appointment = hear(appointment, report("moved", slot=slot), told_of).appointment
    return appointment


@pytest.mark.parametrize(
    ("slots", "numbers_told", "number", "confirmed"),
    [
        ([FRIDAY], {1}, 2, False),
        ([FRIDAY, TUESDAY], {1}, 1, True),  # nobody heard of Friday: the old slot, and its confirmation
        ([FRIDAY, TUESDAY], {1, 2}, 3, False),  # Friday was told: Tuesday is another slot now
        ([FRIDAY, MONDAY, TUESDAY], {1}, 1, True),
        ([FRIDAY, MONDAY, TUESDAY], {1, 2}, 4, False),
        ([FRIDAY, MONDAY, FRIDAY], {1}, 2, False),
        ([FRIDAY, TUESDAY, MONDAY], {1}, 3, False),  # a number is never used for two slots
        ([FRIDAY, TUESDAY, FRIDAY], {1}, 3, False),
        ([FRIDAY, TUESDAY], set(), 1, True),
    ],
)
def test_a_visit_back_in_a_slot_nobody_heard_it_left_has_the_number_it_had(
    slots: list[Slot], numbers_told: set[int], number: int, *, confirmed: bool
) -> None:
    moved = in_turn(*slots, told_of=lambda each: each in numbers_told)
    assert (moved.slot, moved.slot_number, moved.confirmed) == (slots[-1], number, confirmed)


def test_a_visit_moved_for_ever_remembers_the_last_few_slots_and_counts_on() -> None:
    slots = [Slot(TUESDAY.start and TUESDAY.start.replace(day=day)) for day in range(10, 30)]
    moved = in_turn(*slots, told_of=nobody)
    assert moved.slot_number == 21
    assert [past.number for past in moved.past_slots] == list(range(11, 21))
    assert moved.past_slots[-1] == PastSlot(20, slots[-2], confirmed=False)


# --- late, twice, in any order -----------------------------------------------------------------------


def at(minute: int) -> datetime:
    return datetime(2027, 3, 1, 9, minute, tzinfo=UTC)


def says(event: str, minute: int, *facts: Fact, **shown: Any) -> Report:
    return Report(AppointmentEvent(event), replace(BASE, event_time=at(minute), **shown), facts)


S12 = says("booked", 1, *Fact)
S13 = says("moved", 2, Fact.STATUS, Fact.START, slot=replace(FRIDAY, place="?"), practice="nowhere")
S14 = says("changed", 3, Fact.START, Fact.PLACE, slot=replace(MONDAY, place="Elm Street"), patients=(8,))
S15 = says("cancelled", 4, Fact.STATUS, slot=Slot(None), status="cancelled")
S14_AGAIN = says("changed", 5, Fact.PLACE, slot=Slot(None, "Oak Street"), zone="America/Denver", practice="o")


@pytest.mark.parametrize("order", list(permutations([S12, S13, S14, S15, S14_AGAIN])))
def test_reports_in_any_order_and_twice_end_alike(order: tuple[Report, ...]) -> None:
    """The newest word on each fact stands: cancelled, on Monday, at Oak Street."""
    ends = []
    for reports in (order, (*order, *order), tuple(each for each in order for _ in range(2))):
        appointment = None
        for each in reports:
            appointment = hear(appointment, each, nobody).appointment
            appointment = replace(appointment, id=5)
        ends.append(appointment)
    for end in ends:
        assert end is not None
        assert (end.status, end.slot) == ("cancelled", replace(MONDAY, place="Oak Street"))
        assert (end.zone, end.practice, end.patients) == ("America/Denver", "o", (7,))
        assert end.event_time == at(5)


def test_what_newer_reports_have_said_is_stale() -> None:
    known = hear(None, S13, nobody).appointment
    later = hear(replace(known, id=5), S14, nobody).appointment
    news = hear(later, S13, nobody)
    assert (news.is_stale, news.appointment) == (True, later)


def test_a_late_word_that_changes_nothing_still_outranks_an_earlier_one() -> None:
    known = hear(None, says("changed", 5, Fact.START, Fact.PLACE), nobody).appointment
    late = hear(known, says("booked", 3, *Fact), nobody)
    assert not late.is_stale
    still = hear(late.appointment, says("arrived", 1, *Fact, status="arrived"), nobody)
    assert (still.is_stale, still.appointment.status) == (True, "booked")


def test_ties_go_by_arrival() -> None:
    known = hear(None, says("booked", 1, *Fact), nobody).appointment
    assert hear(known, says("moved", 1, *Fact, slot=FRIDAY), nobody).appointment.slot == FRIDAY


def test_in_the_hour_that_comes_twice_arrival_decides() -> None:
    known = hear(None, says("booked", 30, *Fact), nobody).appointment
    ambiguous = replace(says("moved", 10, *Fact, slot=FRIDAY), latest=at(59))
    assert hear(known, ambiguous, nobody).appointment.slot == FRIDAY
    assert hear(known, ambiguous, nobody).appointment.event_time == at(30)


def test_a_late_confirmation_of_the_time_that_stands_counts_and_of_another_does_not() -> None:
    known = hear(None, says("moved", 5, *Fact, slot=FRIDAY), nobody).appointment
    assert hear(known, says("changed", 2, *Fact, slot=FRIDAY, confirmed=True), nobody).appointment.confirmed
    assert not hear(known, says("changed", 2, *Fact, confirmed=True), nobody).appointment.confirmed


@pytest.mark.parametrize("status", ["cancelled", "noshow", "arrived", "fulfilled"])
def test_a_change_that_says_no_status_neither_reinstates_nor_undoes_an_arrival(status: str) -> None:
    news = hear(replace(STORED, status=status), says("changed", 9, Fact.START, Fact.PLACE), everybody)
    assert (news.event, news.appointment.status) == (AppointmentEvent.UNCHANGED, status)


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("cancelled", "cancelled"),
        ("noshow", "no-show"),
        ("entered-in-error", "deleted"),
        ("arrived", "arrived"),
    ],
)
def test_a_broadcast_that_shows_another_status_is_news_of_that_status(status: str, event: str) -> None:
    assert told("unchanged", status=status).event == event


def test_an_identifier_used_again_after_its_deletion_is_another_visit() -> None:
    deleted = replace(STORED, status="entered-in-error", ehr_id="42", patients=(7,))
    news = told("booked", deleted, patients=(8,), slot=FRIDAY)
    assert (news.appointment.ehr_id, news.appointment.patients) == (None, (8,))
    assert news.appointment.slot_number == 2
    assert told("booked", replace(STORED, ehr_id="42")).appointment.ehr_id == "42"


# --- parts of what has ended -------------------------------------------------------------------------

CHILD = replace(STORED, event_time=at(10), slot=Slot(at(30)))


@pytest.mark.parametrize(
    ("event", "status"),
    [("cancelled", "cancelled"), ("discontinued", "cancelled"), ("deleted", "entered-in-error")],
)
def test_a_part_ends_with_the_whole(event: str, status: str) -> None:
    ended = end_with(CHILD, AppointmentEvent(event), at(20))
    assert ended is not None
    assert (ended.status, ended.event_time, ended.slot) == (status, at(20), CHILD.slot)
    assert (ended.said_at(Fact.STATUS), ended.said_at(Fact.START)) == (at(20), at(10))


@pytest.mark.parametrize(
    ("child", "event", "when"),
    [
        (CHILD, "moved", at(20)),
        (CHILD, "no-show", at(20)),
        (CHILD, "cancelled", at(9)),  # newer news of the child itself
        (CHILD, "cancelled", at(30)),  # it has begun
        (replace(CHILD, status="fulfilled"), "cancelled", at(20)),
        (replace(CHILD, status="cancelled"), "cancelled", at(20)),
    ],
)
def test_a_part_goes_on_as_it_is(child: Appointment, event: str, when: datetime) -> None:
    assert end_with(child, AppointmentEvent(event), when) is None
