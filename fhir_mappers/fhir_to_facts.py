"""What a FHIR server says of a resource → the same `Translation` as HL7 v2: the FHIR half of the public door.

Which resources are heard stands in `_MAPS`; one more is one more file and its line there. Stateless: the
event is what status and age say by themselves; whoever keeps the appointment compares.
"""

from collections.abc import Iterator

from fhir_mappers.findings import refuse
from fhir_mappers.from_fhir.appointment import map_appointment
from fhir_mappers.from_fhir.communication_request import map_request
from fhir_mappers.from_fhir.identity import appointment_identifiers, patient_by_id, patient_identifiers
from fhir_mappers.from_fhir.message import Message, unreadable
from fhir_mappers.from_fhir.participants import read_attending
from fhir_mappers.from_fhir.people import map_person
from fhir_mappers.from_fhir.snapshot import Snapshot, read_snapshot
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, FhirFacts, Identifier, IdentityKeys, Refusal, Translation

_MAPS = {
    "Appointment": map_appointment,
    "CommunicationRequest": map_request,
    "Patient": map_person,
}  # resourceType → its map


def translate(raw: bytes, profile: VendorProfile, feed: FeedFacts, facts: FhirFacts) -> Translation:
    """Turn one snapshot into FHIR R4 and the facts beside it, or say why not. Never raises."""
    snapshot = read_snapshot(raw)
    if isinstance(snapshot, Refusal):
        return unreadable(snapshot)
    message = Message(snapshot, profile, feed, facts)
    resource_map = _MAPS.get(snapshot.type)
    if resource_map is None:
        return message.refused(refuse("resourceType", "unsupported-resource"))
    return resource_map(message)


def identity_keys(raw: bytes, profile: VendorProfile, feed: FeedFacts, facts: FhirFacts) -> IdentityKeys:
    """Return only by what appointment and patients are known; empty for what cannot be read. Never raises."""
    snapshot = read_snapshot(raw)
    if isinstance(snapshot, Refusal):
        return IdentityKeys((), "", ())
    is_visit = snapshot.type == "Appointment"
    return IdentityKeys(
        appointment_identifiers(snapshot.resource, feed, facts) if is_visit else (),
        "",
        tuple(dict.fromkeys(_patients(snapshot, profile, feed))),
    )


def _patients(snapshot: Snapshot, profile: VendorProfile, feed: FeedFacts) -> Iterator[Identifier]:
    """The patients of a message, those included whose records are gone."""
    if snapshot.type == "Patient":
        yield from patient_identifiers(snapshot.resource, profile, feed)
    for patient in snapshot.all("Patient"):
        yield from patient_identifiers(patient, profile, feed)
    for each in read_attending(snapshot) if snapshot.type == "Appointment" else ():
        yield from patient_by_id(each.id)
