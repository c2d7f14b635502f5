"""The shape of the plan and of a practice: who texts, on which occasions, within which hours and caps.

Durations are seconds, or "45m", "12h", "5d"; times of day are local to the practice.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from integration.domain.consent import ConsentPolicy
from integration.domain.law import Jurisdiction
from integration.domain.plan_rules import Ask, WhenConfirmed
from integration.domain.quiet_days import QuietDays
from integration.domain.staff_task import TaskKind
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
    quiet_days: tuple[str, ...] = Field(
        (),
        description='days on which no text arrives: weekdays ("sunday"), dates ("2027-12-24"), or places '
        'whose public holidays are meant ("US", "US-MA", "CA-ON", "GB-ENG")',
    )
    bad_news_on_quiet_days: bool = Field(
        True, description="whether texts of visits moved or cancelled arrive on quiet days, within the hours"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        QuietDays.read(self.quiet_days)
        return self


class CapsSection(Section):
    """The most a number gets, over all patients; answers to a patient's own text do not count."""

    per_day: int = Field(ge=1, description="texts on one local day")
    per_week: int = Field(ge=1, description="texts in any 168 hours")


WHEN: Final = ("on", "days_ahead", "hours_ahead", "days_after", "hours_after")
Words = tuple[Annotated[str, Field(min_length=1, max_length=100)], ...]


class StepSection(Section):
    """One step of the plan: when it goes, for which visits, with which text."""

    on: Literal["booked", "moved", "cancelled", "no_show"] | None = Field(
        None, description="the event it follows; or one of the next four"
    )
    days_ahead: int | None = Field(
        None, ge=1, le=90, description="calendar days before the visit's local date, at `at`"
    )
    hours_ahead: float | None = Field(None, gt=0, le=336, description="elapsed time before the visit")
    days_after: int | None = Field(
        None, ge=1, le=90, description="calendar days after the visit's local date, at `at`; if it took place"
    )
    hours_after: float | None = Field(
        None, gt=0, le=336, description="elapsed time after the visit's end (or start); if it took place"
    )
    at: ClockTime = written("10:00", description="the practice's time of day, for days ahead and after")
    text: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = Field(
        None, description="the occasion of `messages/*.toml` that it says; the step's own name unless set"
    )
    types: Words = Field(
        (),
        description="only for visits of these types: codes or words of SCH-8, AIS-3, SCH-7; all unless set",
    )
    except_types: Words = Field((), description="not for visits of these types")
    locations: Words = Field(
        (), description="only at these places, by the EHR's code or name or by public name; all unless set"
    )
    except_locations: Words = Field((), description="not at these places")
    ask: Ask = Field(
        Ask.NEVER,
        description="whether it asks to confirm: never, always, unconfirmed (unless the visit is), "
        "soon (if the visit is nearer than `ask_within`)",
    )
    ask_within: Duration = written("5d", description="for `ask` = soon")
    when_confirmed: WhenConfirmed = Field(
        WhenConfirmed.INFORM,
        description="what who has confirmed gets: inform (no question), nothing, same (asked again)",
    )
    useful_until: Duration | None = Field(
        None,
        description="later it is not sent: so long before the visit (half-way to it unless set); of a step "
        "after the visit or on a no-show, so long after it (two days after it is due unless set)",
    )
    outranks_caps: bool = Field(False, description="goes although the caps are reached")
    off: bool = Field(False, description="takes the step out of the plan")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [key for key in WHEN if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"must hold exactly one of {', '.join(WHEN)}; holds " + (", ".join(given) or "none")
            )
        return self

    @model_validator(mode="after")
    def _check_purpose(self) -> Self:
        after = self.days_after is not None or self.hours_after is not None
        if self.ask is not Ask.NEVER and (after or self.on in {"cancelled", "no_show"}):
            raise ValueError(
                "asks to confirm a visit that is over or called off: take `ask` out, or write never"
            )
        if self.on == "cancelled" and self.when_confirmed is WhenConfirmed.NOTHING:
            raise ValueError(
                "who has confirmed must hear of a cancellation above all: take `when_confirmed` out"
            )
        if self.useful_until is None:
            return self
        day, hour, until = timedelta(days=1), timedelta(hours=1), self.useful_until
        too_soon = (
            (self.hours_after is not None and until <= self.hours_after * hour)
            or until < (self.days_after or 0) * day
            or (self.hours_ahead is not None and until >= self.hours_ahead * hour)
            or (self.days_ahead is not None and until >= (self.days_ahead + 1) * day)
        )
        if too_soon:
            raise ValueError("useful_until ends before the step is due; both count from the visit")
        return self


class RemindersFile(Section):
    """`reminders.toml`: the plan of every practice, which each may change."""

    settle: UpToAnHour = Field(description="how long a text about an event waits for further messages")
    evening: ClockTime = Field(
        description="where a step that falls outside the hours moves to, the evening before"
    )
    hours: HoursSection = Field(description="when a text may arrive, by the recipient's clock")
    caps: CapsSection = Field(description="the most a number gets, over all patients")
    steps: dict[str, StepSection] = Field(min_length=1, description="the plan, step by step")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.hours.opens <= self.evening < self.hours.closes:
            raise ValueError("evening must lie within hours")
        return self


class CostsSection(Section):
    """What texting costs a practice, and how much it means to spend."""

    price_per_reply_segment: Price | None = Field(
        None, description="for `usage` and the budget, while the provider has not named its price"
    )
    allowance: int | None = Field(
        None, ge=0, description="segments a calendar month, texts and replies, that its plan includes"
    )
    overage: Price | None = Field(None, description="for each segment beyond `allowance`")
    budget: Price | None = Field(None, description="for all texts and replies of a calendar month")
    warn_at: float = Field(0.8, gt=0, le=1, description="part of the budget at which staff are told")
    stop: bool = Field(
        False,
        description="whether reminders wait once the budget is used up; answers, and news that a visit moved "
        "or is cancelled, still go",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.overage is not None and self.allowance is None:
            raise ValueError("overage needs allowance beside it")
        if self.stop and self.budget is None:
            raise ValueError("stop needs budget beside it")
        return self


class OfficeSection(Section):
    """When somebody at the practice answers the phone; answers that promise a call say when it opens."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        ("mon", "tue", "wed", "thu", "fri"), min_length=1, description="days of the week it is open"
    )
    opens: ClockTime = Field(description="somebody is there from")
    closes: ClockTime = Field(description="nobody is there from then on")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class TasksSection(Section):
    """Who does what is put on the staff's list, and by when."""

    owner: dict[str, str] = Field(
        {}, description="the queue of each kind of task, such as cancel_wish; `default` for the others"
    )
    margin: Duration = written("2h", description="before the visit: a task about it is due by then")

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = [kind for kind in self.owner if kind != "default" and kind not in set(TaskKind)]
        if unknown:
            raise ValueError(f"owner: no task is of the kind {unknown[0]}")
        return self


class PracticeFile(Section):
    """`practices/<name>.toml`: who texts."""

    sms: bool = Field(description="whether this practice texts at all")
    public_name: str = Field(min_length=1, max_length=60, description="its name as patients know it")
    name_may_tell: bool = Field(
        False, description="its public name may hold clinical words, such as a specialty"
    )
    phone: DialledNumber = Field(description="its number as patients dial it")
    zone: Zone = Field(description="its time zone")
    sender: str | None = Field(
        None,
        pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{5,6}|MG[0-9a-f]{32})$",
        description="its own number (E.164), short code or messaging service (MG...); TWILIO_FROM or "
        "TWILIO_MESSAGING_SERVICE_SID unless set",
    )
    languages: tuple[str, ...] = Field(
        min_length=1, description="of its texts; the first is for patients whose language is not among them"
    )
    consent: ConsentPolicy = Field(
        description="express: a recorded yes; implied: the number was given to the practice; not_required"
    )
    opt_in_text: bool = Field(
        False,
        description="one text confirms each yes that is heard, where `consent` is express (docs/opt-outs.md)",
    )
    serves_unclaimed: bool = Field(
        False, description="takes the locations that no practice claims; in test mode only"
    )
    sensitive_texts: bool = Field(False, description="whether sensitive locations may be texted about")
    first_names: bool = Field(False, description="names the patient even when alone on a number")
    max_segments: int = Field(1, ge=1, le=10, description="a longer text is split or shortened")
    free_text_segments: int | None = Field(
        None, ge=1, le=10, description="of texts that people ask for; without it as `max_segments`"
    )
    refuse_flagged_words: bool = Field(
        False, description="refuses a person's words that hold clinical or financial content; else warns"
    )
    texts_per_hour: int = Field(
        2000, ge=1, description="more stops all its texts until a person releases them"
    )
    cancellations_per_hour: int = Field(
        50, ge=1, description="more is a mass change, and its texts wait for a person"
    )
    jurisdiction: Jurisdiction = Field(
        Jurisdiction.US, description="whose law it texts under: US, CA or GB (docs/law.md)"
    )
    emergency: str = Field(
        "911", pattern=r"^[0-9+ ()-]{2,20}$", description="the number for emergencies, said in urgent answers"
    )
    cancel_until: Duration | None = Field(
        None, description="before the visit: a wish to cancel or change that comes later is told to call"
    )
    office: OfficeSection | None = Field(
        None, description="when somebody answers the phone; always unless set"
    )
    tasks: TasksSection = Field(
        default_factory=lambda: TasksSection.model_validate({}), description="who does the staff's tasks"
    )
    price_per_segment: Price | None = Field(None, description="for `preview` and `usage`")
    currency: Currency = Field("USD", description="of all prices, ISO 4217")
    costs: CostsSection = Field(
        default_factory=lambda: CostsSection.model_validate({}),
        description="allowance, overage and monthly budget",
    )
    settle: UpToAnHour | None = Field(None, description="in place of the plan's")
    evening: ClockTime | None = Field(None, description="in place of the plan's")
    hours: dict[str, object] = Field({}, description="in place of the plan's, key by key")
    caps: dict[str, object] = Field({}, description="in place of the plan's, key by key")
    steps: dict[str, dict[str, object]] = Field(
        {}, description="in place of the plan's, key by key; `off = true` leaves a step out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.opt_in_text and self.consent is not ConsentPolicy.EXPRESS:
            raise ValueError('opt_in_text: only where consent = "express" does a yes begin the texts')
        return self
