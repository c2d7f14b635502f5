"""Which reminders share a text."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from integration.domain.appointment import Appointment, AppointmentEvent, Slot
from integration.domain.gathering import Candidate, gather
from integration.domain.plan_rules import Step
from integration.domain.recipient import Patient
from integration.domain.reminder import Reminder
from integration.domain.visit_filter import VisitFilter
from tests.settings import STEPS, ZONE, practice

NOW = datetime(2027, 3, 9, 12, 0, tzinfo=ZONE)
STEP = {step.name: step for step in STEPS}
RULES = practice().plan


def candidate(step: str, *, patient: int = 1, visit: int = 1, days: float = 2) -> Candidate:
    start = NOW + timedelta(days=days)
    return Candidate(
        Reminder(0, visit, patient, "+16175550123", "riverside", step, 1, NOW, start),
        STEP[step],
        Appointment(visit, "main", "main", (), (patient,), "booked", Slot(start), "America/New_York"),
        Patient(patient, "main", (), "Ana", "Sample", "+16175550123"),
    )


def test_two_children_on_one_phone_share_a_text_soonest_visit_first() -> None:
    later, sooner = (
        candidate("five_days", patient=1, visit=1, days=5.1),
        candidate("five_days", patient=2, visit=2, days=5),
    )
    gathered = gather([later, sooner], RULES, NOW)
    assert gathered.occasion == "five_days"
    assert gathered.visits == (sooner, later)
    assert gathered.ask


def test_a_cancelled_visit_and_a_new_one_of_one_patient_are_a_move() -> None:
    old, new = candidate("cancelled", visit=1), candidate("booked", visit=2, days=9)
    gathered = gather([old, new], RULES, NOW)
    assert (gathered.occasion, gathered.visits, gathered.silent) == ("moved", (new,), (old,))


def test_a_move_is_told_by_the_step_for_the_new_visits_type() -> None:
    of_video = Step("moved_video", on=AppointmentEvent.MOVED, visits=VisitFilter(types=frozenset({"video"})))
    rules = replace(RULES, steps=(of_video, *STEPS))
    gathered = gather([candidate("cancelled", visit=1), candidate("booked", visit=2, days=9)], rules, NOW)
    assert gathered.occasion == "moved"


def test_a_cancelled_visit_and_a_new_one_of_another_patient_are_two_events() -> None:
    old, new = candidate("cancelled", patient=1, visit=1), candidate("booked", patient=2, visit=2)
    gathered = gather([old, new], RULES, NOW)
    assert (gathered.occasion, gathered.visits, gathered.silent) == ("cancelled", (old,), ())


def test_bad_news_goes_first_and_alone() -> None:
    moved, reminder = candidate("moved", visit=1, days=9), candidate("two_days", visit=2)
    assert gather([reminder, moved], RULES, NOW).visits == (moved,)


def test_a_booking_far_ahead_informs_and_a_near_one_asks() -> None:
    assert not gather([candidate("booked", days=9)], RULES, NOW).ask
    assert gather([candidate("booked", days=4.9)], RULES, NOW).ask
