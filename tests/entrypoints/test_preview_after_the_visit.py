"""A preview shows what comes after a visit, and why it would not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.domain.plan_rules import Step
from integration.entrypoints.commands.preview.rehearsal import rehearse
from tests import settings as make
from tests.messages import siu
from tests.site import local

if TYPE_CHECKING:
    from integration.entrypoints.commands.preview.rehearsal import Silence

BOOKED_AT, VISIT = local("2027-03-01T11:00"), local("2027-03-11T14:30")
AFTER = (
    Step("thanks", hours_after=2, text="thank_you", names_visit=False),
    Step("no_show", on=AppointmentEvent.NO_SHOW),
)
BOOKING = siu("S12", at=BOOKED_AT, start=VISIT)
ARRIVAL = siu("S14", at=local("2027-03-11T14:20"), start=VISIT, status="Arrived")
MISSED = siu("S26", at=local("2027-03-11T16:00"), start=VISIT)


def preview(*messages: bytes) -> tuple[dict[str, tuple[str, str | None]], list[Silence]]:
    """Each step: its occasion, and why it would not go."""
    plan = replace(make.practice().plan, steps=(*make.STEPS, *AFTER))
    settings = make.settings(practices={"riverside": make.practice(plan=plan)})
    lines, silences = rehearse(
        messages, settings=settings, feed=settings.feeds["main"], practice=None, now=BOOKED_AT
    )
    return {line["step"]: (line["occasion"], line["skip"]) for line in lines}, silences


def test_a_booking_alone_says_that_the_thank_you_waits_for_the_ehrs_word() -> None:
    shown, _ = preview(BOOKING)
    assert shown["thanks"] == ("thank_you", "the EHR never said that the visit took place")
    assert "no_show" not in shown


def test_an_arrival_shows_the_thank_you() -> None:
    shown, _ = preview(BOOKING, ARRIVAL)
    assert shown["thanks"] == ("thank_you", None)


def test_a_no_show_shows_its_text_and_no_thank_you() -> None:
    shown, _ = preview(BOOKING, MISSED)
    assert shown["no_show"] == ("no_show", None)
    assert shown["thanks"] == ("thank_you", "the patient did not come")


def test_an_arrival_by_itself_says_what_is_missing() -> None:
    shown, (silence,) = preview(ARRIVAL)
    assert shown == {}
    assert silence.reason == (
        "the appointment is arrived when it is first heard of; preview its booking before it"
    )
