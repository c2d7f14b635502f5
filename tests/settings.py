"""A small site for tests: one feed, one practice, the shipped plan, two languages.

`settings(mode="live")`, `practice(sms=False)` and so on change what a story is about.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fhir_mappers.profile import resolve
from integration.domain.appointment import AppointmentEvent
from integration.domain.consent import ConsentPolicy
from integration.domain.failure import Failure
from integration.domain.plan_rules import Ask, PlanRules, Step, WhenConfirmed
from integration.domain.quiet_hours import DecentHours
from integration.domain.wording import Catalog
from integration.settings.model import Caps, Feed, FeedLocation, Practice, Sending, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhir_mappers.profile import VendorProfile

CONFIG = Path(__file__).parent.parent / "config"
ZONE = ZoneInfo("America/New_York")

# The shipped plan (design: the shipped plan).
STEPS = (
    Step("booked", on=AppointmentEvent.BOOKED, ask=Ask.SOON),
    Step("five_days", days_ahead=5, ask=Ask.ALWAYS),
    Step("two_days", days_ahead=2, ask=Ask.UNCONFIRMED),
    Step(
        "three_hours",
        hours_ahead=3,
        ask=Ask.UNCONFIRMED,
        when_confirmed=WhenConfirmed.NOTHING,
        useful_until=timedelta(minutes=45),
    ),
    Step("moved", on=AppointmentEvent.MOVED, ask=Ask.ALWAYS, outranks_caps=True),
    Step("cancelled", on=AppointmentEvent.CANCELLED, outranks_caps=True),
)

# A few of Twilio's codes, and the fake provider's, which are the kinds themselves.
FAILURES = {
    "21610": Failure.OPTED_OUT,
    "30006": Failure.BAD_NUMBER,
    "20003": Failure.ACCOUNT,
    **{str(kind): kind for kind in Failure},
}


def practice(**changes: Any) -> Practice:
    """The practice `riverside`."""
    base = Practice(
        name="riverside",
        sms=True,
        public_name="Riverside Clinic",
        phone="617-555-0100",
        languages=("en", "es"),
        plan=PlanRules(steps=STEPS, hours=DecentHours(), zone=ZONE, settle=timedelta(0)),
        consent=ConsentPolicy.IMPLIED,
        caps=Caps(),
        serves_unclaimed=True,
        sensitive_texts=False,
        first_names=False,
        max_segments=2,
        texts_per_hour=2000,
        cancellations_per_hour=50,
        emergency="911",
        price_per_segment=Decimal("0.0083"),
        currency="USD",
    )
    return replace(base, **changes)


def feed(**changes: Any) -> Feed:
    """The feed `main`; its location RIVER belongs to `riverside`."""
    base = Feed(
        name="main",
        vendor=vendor(),
        scope="main",
        zone=ZONE,
        region="US",
        charset=None,
        acknowledge="msh",
        state="live",
        port=None,
        processing_id="P",
        oldest_event=timedelta(hours=12),
        clock_tolerance=timedelta(minutes=5),
        identity=(),
        identifier_systems={},
        locations={"RIVER": FeedLocation(practice="riverside")},
        max_message_bytes=1_048_576,
    )
    return replace(base, **changes)


def sending(**changes: Any) -> Sending:
    """The shipped times and limits of sending."""
    base = Sending(
        threads=4,
        offer_deadline=timedelta(seconds=30),
        uncertain_looks=(timedelta(seconds=15), timedelta(seconds=60), timedelta(seconds=180)),
        recheck_after=timedelta(minutes=15),
        final_after=timedelta(hours=24),
        automatic_opt_outs_per_hour=20,
        opt_out_covers_all_senders=True,
    )
    return replace(base, **changes)


def settings(**changes: Any) -> Settings:
    """A whole site, in test mode, with the practice and the feed above."""
    base = Settings(
        mode="test",
        allowed_numbers=frozenset(),
        feeds={"main": feed()},
        practices={"riverside": practice()},
        catalogs=changes.pop("catalogs") if "catalogs" in changes else catalogs(),
        failures=FAILURES,
        sending=sending(),
        vendors={},
    )
    return replace(base, **changes)


@cache
def vendor() -> VendorProfile:
    """The shipped `generic` vendor, which every feed here has."""
    return resolve("generic", {"generic": _shipped("vendors/generic.toml")})


@cache
def catalogs() -> Mapping[str, Catalog]:
    """The shipped texts and reply words, by language."""
    return {
        language: Catalog.from_mapping(language, _shipped(f"messages/{language}.toml"))
        for language in ("en", "es")
    }


def _shipped(file: str) -> dict[str, Any]:
    return tomllib.loads((CONFIG / file).read_text(encoding="utf-8"))
