"""Finds whose consent is meant: the patient an identifier names, the number as it is dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integration.domain.identity import patient_key
from integration.domain.phone_number import parse

if TYPE_CHECKING:
    from integration.domain.recipient import Patient
    from integration.ports.store import Unit
    from integration.settings.model import Settings

# HL7 table 0203, likeliest first: what senders call the number of a chart.
_TYPES: Final = ("MR", "", "PI", "PT", "PN")


def number_of(settings: Settings, written: str) -> str | None:
    """The number in E.164, read as in the regions of the feeds; None when it is none."""
    regions = dict.fromkeys(feed.region for feed in settings.feeds.values())
    found = (parse(written, region) for region in regions)
    return next((number for number in found if number is not None), None)


def patients_known_by(
    unit: Unit,
    settings: Settings,
    value: str,
    *,
    authority: str = "",
    identifier_type: str = "",
    scope: str = "",
) -> list[Patient]:
    """All whom the identifier may mean, as they are known today; without an authority, any of the feeds'."""
    feeds = [feed for feed in settings.feeds.values() if not scope or feed.scope == scope]
    scopes = dict.fromkeys(feed.scope for feed in feeds)
    configured = (name for feed in feeds for name in feed.identifier_systems)
    authorities = [authority] if authority else ["", *dict.fromkeys(configured), "Patient.id"]
    types = [identifier_type] if identifier_type else _TYPES
    keys = [patient_key(owner, kind, value) for owner in authorities for kind in types]
    found = (unit.patients.find(each, [key]) for each in scopes for key in keys)
    today = {patient.id: unit.patients.survivor(patient.id) for patient in found if patient is not None}
    return list({patient.id: patient for patient in today.values()}.values())
