"""A practice's plan: which steps there are, when each falls due, and what it asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.domain.visit_filter import EVERY_VISIT, VisitFilter

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from integration.domain.appointment import Appointment
    from integration.domain.quiet_hours import DecentHours


class Ask(StrEnum):
    """Whether a step asks the patient to confirm."""

    NEVER = "never"
    ALWAYS = "always"
    UNCONFIRMED = "unconfirmed"  # unless the visit is confirmed
    SOON = "soon"  # only if the visit is nearer than `ask_within`


class WhenConfirmed(StrEnum):
    """What a patient gets who has confirmed the visit."""

    SAME = "same"  # what everybody gets, the question included
    INFORM = "inform"  # the text without its question
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan.

    On an event, or days or hours ahead of the visit, or days or hours after it: exactly one of the five.
    """

    name: str
    on: AppointmentEvent | None = None
    days_ahead: int | None = None  # calendar days before the visit's local date, at `at`
    hours_ahead: float | None = None  # elapsed time
    days_after: int | None = None  # calendar days after the visit's local date, at `at`
    hours_after: float | None = None  # elapsed time after the visit's end, its start where no end is known
    at: time = time(10)  # practice time, for days
    ask: Ask = Ask.NEVER
    ask_within: timedelta = timedelta(days=5)
    when_confirmed: WhenConfirmed = WhenConfirmed.INFORM
    useful_until: timedelta | None = None  # before the visit (None: half-way to it); if `looks_back`, after
    outranks_caps: bool = False  # bad news outranks the caps
    text: str = ""  # the occasion of messages/*.toml; "": its own name
    names_visit: bool = True  # its text says when the visit is; what does not can speak of no other
    visits: VisitFilter = EVERY_VISIT

    @property
    def occasion(self) -> str:
        """Under which name the catalogues keep its text."""
        return self.text or self.name

    @property
    def is_after(self) -> bool:
        """Whether it follows a visit that took place."""
        return self.days_after is not None or self.hours_after is not None

    @property
    def is_ahead(self) -> bool:
        """Whether it precedes the visit."""
        return self.on is None and not self.is_after

    @property
    def looks_back(self) -> bool:
        """Whether it speaks of a visit that is over; such a text speaks of no other."""
        return self.is_after or self.on is AppointmentEvent.NO_SHOW

    @property
    def only_unconfirmed(self) -> bool:
        """Whether a confirmed visit goes without it."""
        return self.when_confirmed is WhenConfirmed.NOTHING

    def asks(self, *, confirmed: bool, until_visit: timedelta) -> bool:
        """Whether this step's text asks to confirm."""
        if self.ask is Ask.NEVER:
            return False
        if confirmed and (self.when_confirmed is not WhenConfirmed.SAME or self.ask is Ask.UNCONFIRMED):
            return False
        return self.ask is not Ask.SOON or until_visit < self.ask_within


@dataclass(frozen=True, slots=True)
class PlanRules:
    """A practice's plan and hours."""

    steps: tuple[Step, ...]
    hours: DecentHours
    zone: ZoneInfo  # the practice's
    evening: time = time(19)  # where a step that falls in quiet hours moves to
    settle: timedelta = timedelta(seconds=180)
    off: tuple[str, ...] = ()  # steps that are named and turned off

    def step(self, name: str) -> Step | None:
        """One step by its name; None when the plan no longer has it."""
        return next((step for step in self.steps if step.name == name), None)

    def on(self, event: AppointmentEvent, appointment: Appointment | None = None) -> Step | None:
        """The first step that follows an event, of this appointment if one is given."""
        return next(
            (
                step
                for step in self.steps
                if step.on is event and (appointment is None or step.visits.covers(appointment))
            ),
            None,
        )

    def follows(self, name: str, event: AppointmentEvent) -> bool:
        """Whether a step of that name follows the event."""
        step = self.step(name)
        return step is not None and step.on is event
