"""Turns the files' shapes, found right, into the frozen types the rest of the house works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.domain.quiet_hours import DecentHours
from integration.domain.reminder_plan import PlanRules, Step
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
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from fhir_mappers.profile import VendorProfile
    from integration.settings.schema import ApplicationAcknowledgmentSection, FeedFile, SendingSection
    from integration.settings.schema_ehr import Hl7Section, TlsSection, WriteBackSection
    from integration.settings.schema_practice import CapsSection, PracticeFile, RemindersFile, StepSection


def the_sending(section: SendingSection) -> Sending:
    """How texts are offered."""
    return Sending(**{key: value for key, value in section if key != "settle"})


def the_caps(section: CapsSection) -> Caps:
    """The most a number gets."""
    return Caps(per_day=section.per_day, per_week=section.per_week)


def a_plan(file: RemindersFile, zone: ZoneInfo, settle: timedelta | None) -> PlanRules:
    """One practice's plan; `settle` is the site's, in place of the plan's."""
    return PlanRules(
        steps=tuple(_step(name, section) for name, section in file.steps.items() if not section.off),
        hours=DecentHours(opens=file.hours.opens, closes=file.hours.closes),
        zone=zone,
        evening=file.evening,
        settle=file.settle if settle is None else settle,
    )


def _step(name: str, section: StepSection) -> Step:
    facts = {key: value for key, value in section if key not in {"on", "off"}}
    return Step(name=name, on=None if section.on is None else AppointmentEvent(section.on), **facts)


def a_practice(name: str, file: PracticeFile, plan: PlanRules, caps: Caps) -> Practice:
    """One practice."""
    differs = {"zone", "settle", "evening", "hours", "caps", "steps"}  # all in its plan and caps
    facts = {key: value for key, value in file if key not in differs}
    return Practice(name=name, plan=plan, caps=caps, **facts)


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


def a_feed(name: str, file: FeedFile, vendor: VendorProfile) -> Feed:
    """One feed; its scope is its own name unless it shares one."""
    facts = {
        key: value
        for key, value in file
        if key not in {"vendor", "scope", "locations", "mllp", "application_acknowledgment", "fhir"}
    }
    return Feed(
        name=name,
        vendor=vendor,
        scope=file.scope or name,
        mllp=Mllp(**dict(file.mllp)),
        application_acknowledgment=_acknowledging(file.application_acknowledgment),
        fhir=None if file.fhir is None else FhirHearing(**dict(file.fhir)),
        locations={code: FeedLocation(**dict(section)) for code, section in file.locations.items()},
        **facts,
    )
