"""The shape of the plan and of a practice: who texts, on which occasions, within which hours and caps.

Durations are seconds, or "45m", "12h", "5d"; times of day are local to the practice.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from integration.domain.consent import ConsentPolicy
from integration.domain.reminder_plan import Ask
from integration.settings.section import Section, written
from integration.settings.values import (
    ClockTime,
    Currency,
    DialledNumber,
    Duration,
    Price,
    UpToAnHour,
    Zone,
)


class HoursSection(Section):
    """When a text may arrive."""

    opens: ClockTime = Field(description="no text arrives before")
    closes: ClockTime = Field(description="no text arrives from then on")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class CapsSection(Section):
    """The most a number gets, over all patients; answers to a patient's own text do not count."""

    per_day: int = Field(ge=1, description="texts on one local day")
    per_week: int = Field(ge=1, description="texts in any 168 hours")


class StepSection(Section):
    """One step of the plan; its name is the occasion under which `messages/*.toml` keeps its text."""

    on: Literal["booked", "moved", "cancelled"] | None = Field(
        None, description="the event it follows (or `days_ahead`, or `hours_ahead`)"
    )
    days_ahead: int | None = Field(
        None, ge=1, le=90, description="calendar days before the visit's local date, at `at`"
    )
    hours_ahead: float | None = Field(None, gt=0, le=336, description="elapsed time before the visit")
    at: ClockTime = written("10:00", description="the practice's time of day, for `days_ahead`")
    ask: Ask = Field(
        Ask.NEVER,
        description="whether it asks to confirm: never, always, unconfirmed (unless the visit is), "
        "soon (if the visit is nearer than `ask_within`)",
    )
    ask_within: Duration = written("5d", description="for `ask` = soon")
    only_unconfirmed: bool = Field(False, description="left out when the visit is confirmed")
    useful_until: Duration | None = Field(
        None, description="before the visit: later it is not sent; half-way to the visit unless set"
    )
    outranks_caps: bool = Field(False, description="goes although the caps are reached")
    off: bool = Field(False, description="takes the step out of the plan")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [key for key in ("on", "days_ahead", "hours_ahead") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                "must hold exactly one of on, days_ahead, hours_ahead; holds " + (", ".join(given) or "none")
            )
        return self


class RemindersFile(Section):
    """`reminders.toml`: the plan of every practice, which each may change."""

    settle: UpToAnHour = Field(description="how long a text about an event waits for further messages")
    evening: ClockTime = Field(
        description="where a step that falls outside the hours moves to, the evening before"
    )
    hours: HoursSection = Field(description="when a text may arrive, in the practice's time")
    caps: CapsSection = Field(description="the most a number gets, over all patients")
    steps: dict[str, StepSection] = Field(min_length=1, description="the plan, step by step")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.hours.opens <= self.evening < self.hours.closes:
            raise ValueError("evening must lie within hours")
        return self


class PracticeFile(Section):
    """`practices/<name>.toml`: who texts."""

    sms: bool = Field(description="whether this practice texts at all")
    public_name: str = Field(min_length=1, max_length=60, description="its name as patients know it")
    phone: DialledNumber = Field(description="its number as patients dial it")
    zone: Zone = Field(description="its time zone")
    languages: tuple[str, ...] = Field(
        min_length=1, description="of its texts; the first is for patients whose language is not among them"
    )
    consent: ConsentPolicy = Field(
        description="express: a recorded yes; implied: the number was given to the practice; not_required"
    )
    serves_unclaimed: bool = Field(
        False, description="takes the locations that no practice claims; in test mode only"
    )
    sensitive_texts: bool = Field(False, description="whether sensitive locations may be texted about")
    first_names: bool = Field(False, description="names the patient even when alone on a number")
    max_segments: int = Field(1, ge=1, le=10, description="a longer text is split or shortened")
    texts_per_hour: int = Field(
        2000, ge=1, description="more stops all its texts until a person releases them"
    )
    cancellations_per_hour: int = Field(
        50, ge=1, description="more is a mass change, and its texts wait for a person"
    )
    emergency: str = Field(
        "911", pattern=r"^[0-9+ ()-]{2,20}$", description="the number for emergencies, said in urgent answers"
    )
    price_per_segment: Price | None = Field(None, description="for `preview` and `usage`")
    currency: Currency = Field("USD", description="of the price, ISO 4217")
    settle: UpToAnHour | None = Field(None, description="in place of the plan's")
    evening: ClockTime | None = Field(None, description="in place of the plan's")
    hours: dict[str, object] = Field({}, description="in place of the plan's, key by key")
    caps: dict[str, object] = Field({}, description="in place of the plan's, key by key")
    steps: dict[str, dict[str, object]] = Field(
        {}, description="in place of the plan's, key by key; `off = true` leaves a step out"
    )
