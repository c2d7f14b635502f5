"""Finds the encounter of a visit on the EHR's FHIR server, with certainty or not at all.

A visit that has not begun has none on many servers (`reference/standards.md` 4.3).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from datetime import date

    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.domain.appointment import Appointment

_NONE: Final = frozenset({"cancelled", "entered-in-error"})  # encounter-status


def encounter_of(
    client: FhirClient, patient_id: str, visits: list[tuple[Appointment, str | None]]
) -> str | TryLater | None:
    """The id of the foremost visit's encounter; each visit comes with its id on the server, if known.

    An encounter that names the visit's Appointment; else the only one of that patient on the visit's day.
    """
    if not visits:
        return None
    found = client.search("Encounter", {"patient": patient_id})
    if isinstance(found, TryLater):
        return found
    if isinstance(found, NotWritable):
        return None
    own = [
        each
        for each in found.resources
        if _id_in(each.get("subject"), "Patient") == patient_id and each.get("status") not in _NONE
    ]
    for visit, appointment_id in visits:
        named = [each for each in own if appointment_id is not None and appointment_id in _appointments(each)]
        that_day = [] if named or not found.complete else [each for each in own if _is_on(each, visit)]
        if len(certain := named or that_day) == 1:
            return str(certain[0]["id"])
    return None


def _appointments(encounter: Resource) -> set[str | None]:
    return {_id_in(each, "Appointment") for each in encounter.get("appointment") or ()}


def _is_on(encounter: Resource, visit: Appointment) -> bool:
    """Whether it began on the visit's day, and is of no other visit."""
    began = _day((encounter.get("period") or {}).get("start"), visit.zone)
    start = visit.slot.start
    if began is None or start is None or encounter.get("appointment"):
        return False
    return began == start.astimezone(ZoneInfo(visit.zone)).date()


def _day(value: object, zone: str) -> date | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC).astimezone(ZoneInfo(zone)).date() if moment.tzinfo else moment.date()


def _id_in(reference: object, resource_type: str) -> str | None:
    literal = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(literal, str):
        return None
    kind, _, resource_id = literal.split("/_history/")[0].rpartition("/")
    return resource_id if kind.rpartition("/")[2] == resource_type else None
