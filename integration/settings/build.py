"""Turns the files' shapes, found right, into the frozen types the rest of the house works with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fhir_mappers.translation import ConsentField
from integration.domain.appointment import AppointmentEvent
from integration.domain.cost import Costs
from integration.domain.office_hours import OfficeHours
from integration.domain.plan_rules import PlanRules, Step
from integration.domain.quiet_days import QuietDays
from integration.domain.quiet_hours import DecentHours
from integration.domain.staff_task import TaskRules
from integration.domain.visit_filter import VisitFilter, folded
from integration.settings.model import (
    ApplicationAcknowledging,
    Caps,
    Documents,
    Feed,
    FeedLocation,
    FhirHearing,
    Hl7Partner,
    Mllp,
    Practice,
    Sending,
    TlsFiles,
    WritingBack,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from fhir_mappers.profile import VendorProfile
    from integration.settings.schema import (
        ApplicationAcknowledgmentSection,
        ConsentSection,
        FeedFile,
        SendingSection,
    )
    from integration.settings.schema_ehr import Hl7Section, TlsSection, WriteBackSection
    from integration.settings.schema_practice import CapsSection, PracticeFile, RemindersFile, StepSection


_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as `date.weekday` counts them


def the_sending(section: SendingSection) -> Sending:
    """How texts are offered."""
    return Sending(**{key: value for key, value in section if key != "settle"})


def the_caps(section: CapsSection) -> Caps:
    """The most a number gets."""
    return Caps(per_day=section.per_day, per_week=section.per_week)


def a_plan(
    file: RemindersFile, zone: ZoneInfo, settle: timedelta | None, timeless: Collection[str] = ()
) -> PlanRules:
    """One practice's plan; `settle` is the site's, in place of the plan's.

    `timeless`: the occasions whose texts do not say when the visit is.
    """
    return PlanRules(
        steps=tuple(
            _step(name, section, timeless) for name, section in file.steps.items() if not section.off
        ),
        hours=DecentHours(
            opens=file.hours.opens,
            closes=file.hours.closes,
            quiet_days=QuietDays.read(
                file.hours.quiet_days, bad_news_passes=file.hours.bad_news_on_quiet_days
            ),
        ),
        zone=zone,
        evening=file.evening,
        settle=file.settle if settle is None else settle,
        off=tuple(name for name, section in file.steps.items() if section.off),
    )


# What a step of the plan calls an event → the event
EVENTS: Final = {
    "booked": AppointmentEvent.BOOKED,
    "moved": AppointmentEvent.MOVED,
    "cancelled": AppointmentEvent.CANCELLED,
    "no_show": AppointmentEvent.NO_SHOW,
}
_OF_VISITS: Final = ("types", "locations", "except_types", "except_locations")


def _step(name: str, section: StepSection, timeless: Collection[str]) -> Step:
    facts = {key: value for key, value in section if key not in {"on", "off", "text", *_OF_VISITS}}
    return Step(
        name=name,
        on=None if section.on is None else EVENTS[section.on],
        text=section.text or "",
        names_visit=(section.text or name) not in timeless,
        visits=VisitFilter(**{key: frozenset(map(folded, getattr(section, key))) for key in _OF_VISITS}),
        **facts,
    )


def a_practice(name: str, file: PracticeFile, plan: PlanRules, caps: Caps) -> Practice:
    """One practice."""
    differs = {
        "zone",
        "settle",
        "evening",
        "hours",
        "caps",
        "steps",
        "costs",
        "office",
        "tasks",
    }  # all in its plan, caps and costs
    facts = {key: value for key, value in file if key not in differs}
    costs = Costs(price_per_segment=file.price_per_segment, currency=file.currency, **dict(file.costs))
    return Practice(
        name=name, plan=plan, caps=caps, costs=costs, office=_office(file, plan), tasks=_tasks(file), **facts
    )


def _office(file: PracticeFile, plan: PlanRules) -> OfficeHours | None:
    """Closed on the holidays and dates on which it texts nobody; of weekdays `office.days` says enough."""
    section = file.office
    if section is None:
        return None
    days = frozenset(_DAYS.index(day) for day in section.days)
    return OfficeHours(
        days, section.opens, section.closes, replace(plan.hours.quiet_days, weekdays=frozenset())
    )


def _tasks(file: PracticeFile) -> TaskRules:
    return TaskRules(owners=file.tasks.owner, margin=file.tasks.margin)


def _acknowledging(section: ApplicationAcknowledgmentSection | None) -> ApplicationAcknowledging | None:
    if section is None:
        return None
    return ApplicationAcknowledging(
        tls=_tls(section.tls), **{key: value for key, value in section if key != "tls"}
    )


def _tls(section: TlsSection | None) -> TlsFiles | None:
    return None if section is None else TlsFiles(**dict(section))


def the_write_back(section: WriteBackSection) -> WritingBack:
    """How the chart is told."""
    facts = {key: value for key, value in section if key not in {"document", "hl7"}}
    return WritingBack(document=Documents(**dict(section.document)), hl7=_hl7_partner(section.hl7), **facts)


def _hl7_partner(section: Hl7Section | None) -> Hl7Partner | None:
    if section is None:
        return None
    return Hl7Partner(tls=_tls(section.tls), **{key: value for key, value in section if key != "tls"})


def _consent_field(section: ConsentSection) -> ConsentField:
    return ConsentField(
        section.path,
        frozenset(word.casefold() for word in section.given),
        frozenset(word.casefold() for word in section.refused),
    )


def a_feed(name: str, file: FeedFile, vendor: VendorProfile) -> Feed:
    """One feed; its scope is its own name unless it shares one."""
    facts = {
        key: value
        for key, value in file
        if key
        not in {"vendor", "scope", "locations", "mllp", "application_acknowledgment", "fhir", "consent"}
    }
    return Feed(
        name=name,
        vendor=vendor,
        scope=file.scope or name,
        mllp=Mllp(**dict(file.mllp)),
        application_acknowledgment=_acknowledging(file.application_acknowledgment),
        fhir=None if file.fhir is None else FhirHearing(**dict(file.fhir)),
        consent=None if file.consent is None else _consent_field(file.consent),
        locations={code: FeedLocation(**dict(section)) for code, section in file.locations.items()},
        **facts,
    )
