"""Builds what a FHIR server says, as the inbox keeps it; the people are invented."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from tests.messages import ANA, Person

if TYPE_CHECKING:
    from datetime import datetime

MRN_SYSTEM = "urn:example:river:mrn"  # of the authority RIVER
FILLER_SYSTEM = "urn:example:river:appointments"
Json = dict[str, Any]


def fhir_patient(person: Person = ANA, *, patient_id: str | None = None, **more: Any) -> Json:
    """A Patient R4; keys of `more` are added, and taken away where they are None."""
    resource = {
        "resourceType": "Patient",
        "id": patient_id or f"p-{person.mrn}",
        "identifier": [
            {
                "type": {
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]
                },
                "system": MRN_SYSTEM,
                "value": person.mrn,
            }
        ],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "telecom": [{"system": "phone", "use": "mobile", "value": person.phone}],
        "birthDate": f"{person.born[:4]}-{person.born[4:6]}-{person.born[6:]}",
        "communication": [{"language": {"coding": [{"code": person.language}]}, "preferred": True}],
    }
    return _with(resource, more)


def fhir_appointment(
    *, at: datetime, start: datetime | None, visit: str = "A1", patients: tuple[Json, ...] = (), **more: Any
) -> Json:
    """An Appointment R4 as it was changed at `at`; it was made then, unless `created` says otherwise."""
    resource: Json = {
        "resourceType": "Appointment",
        "id": f"a-{visit}",
        "meta": {"versionId": "1", "lastUpdated": _instant(at)},
        "identifier": [{"system": FILLER_SYSTEM, "value": visit}],
        "status": "booked",
        "created": _instant(at),
        "participant": [
            {"actor": {"reference": f"Patient/{each['id']}"}, "status": "needs-action"} for each in patients
        ]
        + [{"actor": {"reference": "Location/RIVER"}, "status": "accepted"}],
    }
    if start is not None:
        resource |= {"start": _instant(start), "end": _instant(start + timedelta(minutes=30))}
    return _with(resource, more)


def snapshot(first: Json, *others: Json) -> bytes:
    """A resource with those it refers to."""
    entries = [{"resource": each} for each in (first, *others)]
    return _bytes({"resourceType": "Bundle", "type": "collection", "entry": entries})


def gone(reference: str) -> bytes:
    """A resource that was deleted."""
    entry = {"request": {"method": "DELETE", "url": reference}}
    return _bytes({"resourceType": "Bundle", "type": "collection", "entry": [entry]})


def visit_of(
    person: Person = ANA, *, at: datetime, start: datetime | None, visit: str = "A1", **more: Any
) -> bytes:
    """The snapshot of one patient's Appointment."""
    patient = fhir_patient(person)
    return snapshot(fhir_appointment(at=at, start=start, visit=visit, patients=(patient,), **more), patient)


def _bytes(bundle: Json) -> bytes:
    return json.dumps(bundle, sort_keys=True).encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _with(resource: Json, more: Json) -> Json:
    return {name: value for name, value in (resource | more).items() if value is not None}
