"""Builds small FHIR messages, so that a test shows only the element it is about."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from fhir_mappers.translate_message import translate
from fhir_mappers.translation import FeedFacts, FhirFacts, MappedAppointment, MappedPatient, Translation
from tests.mappers.building import PROFILE
from tests.mappers.golden import SAMPLES, US

FHIR_SAMPLES = sorted((SAMPLES / "fhir").glob("*.fhir.json"))
FHIR = FhirFacts(guardians=("GUARD", "MTH", "C"))
EHR = replace(US, name="ehr", identifier_systems=US.identifier_systems, fhir=FHIR)
Json = dict[str, Any]
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Rossi", "given": ["Paola"]}],
    "telecom": [{"system": "phone", "use": "mobile", "value": "202-555-0142"}],
}
APPOINTMENT: Json = {
    "resourceType": "Appointment",
    "id": "a1",
    "meta": {"versionId": "1", "lastUpdated": "2027-03-01T14:00:00Z"},
    "status": "booked",
    "start": "2027-03-11T19:30:00Z",
    "end": "2027-03-11T20:00:00Z",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "needs-action"}],
}


def golden_of(sample: Path) -> Path:
    """The file that says what a sample becomes."""
    return sample.with_name(sample.name.replace(".fhir.json", ".golden.json"))


def bundle(*resources: Json) -> bytes:
    """A snapshot."""
    entries = [{"resource": each} for each in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def read(*resources: Json, feed: FeedFacts = EHR, **facts: Any) -> Translation:
    """Translate a snapshot by the generic profile; `facts` change what is known of the FHIR feed."""
    changed = replace(feed, fhir=replace(feed.fhir or FHIR, **facts))
    return translate(bundle(*resources), PROFILE, changed)


def visit(
    more: Json | None = None, /, *others: Json, feed: FeedFacts = EHR, **facts: Any
) -> MappedAppointment:
    """The appointment of a snapshot whose Appointment has these elements; None takes one away."""
    made = {name: value for name, value in (APPOINTMENT | (more or {})).items() if value is not None}
    mapped = read(made, PATIENT, *others, feed=feed, **facts).appointment
    assert mapped is not None
    return mapped


def person(more: Json | None = None, /, *others: Json, **facts: Any) -> MappedPatient:
    """The patient of a snapshot whose Patient has these elements."""
    made = {name: value for name, value in (PATIENT | (more or {})).items() if value is not None}
    (mapped,) = read(made, *others, **facts).patients
    return mapped


def codes(translation: Translation) -> list[tuple[str, str]]:
    """What was warned of, and where."""
    return [(warning.path, warning.code) for warning in translation.warnings]
