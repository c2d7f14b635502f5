"""Our own sample messages, how they are read, and the golden form of a translation."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.translation import AppointmentIdentifier, FeedFacts, Identifier, Translation, Visit

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"
NEW_YORK = ZoneInfo("America/New_York")
US = FeedFacts(
    name="main",
    scope="main",
    zone=NEW_YORK,
    identifier_systems={
        "RIVERSIDE": "urn:example:riverside:mrn",
        "SCHED": "urn:example:riverside:scheduling",
    },
)
UK = FeedFacts(name="uk", scope="uk", zone=ZoneInfo("Europe/London"), region="GB")
GERMANY = FeedFacts(name="de", scope="de", zone=ZoneInfo("Europe/Berlin"), region="DE")
EPIC = FeedFacts(name="epic", scope="epic", zone=NEW_YORK, identity=("SCH-2", "PV1-19"))
REQUESTS = replace(US, name="requests", requests=True)
# Sample → the feed it comes over; all others over US.
FEEDS = {
    "nhs_like": UK,
    "s26_no_show_that_says_cancelled": UK,
    "samedi_like_booking": GERMANY,
    "samedi_like_cancel": GERMANY,
    "epic_like": EPIC,
    "srm_s01_request_that_stands": REQUESTS,
    "srm_s04_cancel_request_that_stands": REQUESTS,
}


def generic_profile() -> VendorProfile:
    """The profile that ships."""
    text = (ROOT / "config" / "vendors" / "generic.toml").read_text(encoding="utf-8")
    return resolve("generic", {"generic": tomllib.loads(text)})


def golden_form(translation: Translation) -> dict[str, Any]:
    """All a translation says, as JSON with its short facts first."""
    appointment = translation.appointment
    facts: dict[str, Any] = {
        "control_id": translation.control_id,
        "trigger": translation.trigger,
        "event": translation.event,
        "occurred_at": translation.occurred_at and translation.occurred_at.isoformat(),
        "processing_id": translation.processing_id,
        "refusal": translation.refusal and [translation.refusal.path, translation.refusal.code],
        "warnings": [[warning.path, warning.code] for warning in translation.warnings],
        "sources": dict(translation.sources),
    }
    if appointment is not None:
        facts |= {
            "identifiers": [[i.path, i.value, i.namespace] for i in appointment.identifiers],
            "occurrence": appointment.occurrence,
            "start": appointment.start and appointment.start.isoformat(),
            "end": appointment.end and appointment.end.isoformat(),
            "status": appointment.status,
            "confirmed": appointment.confirmed,
            "tentative": appointment.tentative,
            "modality": appointment.modality,
            "locations": [[at.path, at.code] for at in appointment.locations],
            "place": appointment.place,
        }
        if not appointment.status_said:
            facts["status_said"] = False
        if appointment.parents:
            facts["parents"] = [[i.path, i.value, i.namespace] for i in appointment.parents]
    facts["patients"] = [
        {
            "text_to": patient.text_to,
            "name": [patient.given, patient.family],
            "birth_date": patient.birth_date and patient.birth_date.isoformat(),
            "language": patient.language,
            "deceased": patient.deceased,
            "no_publicity": patient.no_publicity,
            "cleared": list(patient.cleared),
            "identifiers": [[i.authority, i.type, i.system, i.value] for i in patient.identifiers],
            "resource": patient.resource,
        }
        for patient in translation.patients
    ]
    facts["appointment"] = appointment and appointment.resource
    if translation.visit is not None:
        facts |= _adt_facts(translation, translation.visit)
    return facts


def _adt_facts(translation: Translation, visit: Visit) -> dict[str, Any]:
    facts: dict[str, Any] = {"visit": [visit.event, _visits(visit.identifiers)]}
    facts["silence"] = [
        {"by": list(p.silenced_by), "over": list(p.unsilenced), "alive": p.said_alive, "deleted": p.deleted}
        for p in translation.patients
    ]
    if translation.merges:
        facts["merges"] = [[m.path, _people(m.survivor), _people(m.gone)] for m in translation.merges]
    if translation.visit_changes:
        facts["visit_changes"] = [
            {
                "path": change.path,
                "identifiers": _visits(change.identifiers),
                "patient": _people(change.patient),
                "gone": _visits(change.gone),
                "taken_from": _people(change.taken_from),
            }
            for change in translation.visit_changes
        ]
    return facts


def _visits(identifiers: Sequence[AppointmentIdentifier]) -> list[list[str]]:
    return [[i.path, i.value, i.namespace] for i in identifiers]


def _people(identifiers: Sequence[Identifier]) -> list[list[str]]:
    return [[i.authority, i.type, i.value] for i in identifiers]
