"""A Patient by itself → what is new of the person, of a record that was replaced, or of one that is gone."""

from fhir_mappers.findings import refuse
from fhir_mappers.from_fhir.identity import patient_by_id
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.patient import map_patient, only_known_by
from fhir_mappers.from_fhir.replaced import read_merges, survivor_of
from fhir_mappers.translation import Resource, Translation, Visit

_NO_VISIT = Visit((), "unchanged")  # no more is said of any visit than whom it concerns


def map_person(message: Message) -> Translation:
    """Map the Patient a message is about, or say why not."""
    snapshot = message.snapshot
    if snapshot.deleted:
        if not snapshot.id:
            return message.refused(refuse("Patient.id", "no-patient"))
        resource = {"resourceType": "Patient", "id": snapshot.id, "active": False}
        gone = only_known_by(patient_by_id(snapshot.id), resource, snapshot.id, deleted=True)
        return message.translation("changed", patients=(gone,), visit=_NO_VISIT)
    merges = read_merges(snapshot, message.profile, message.feed)
    lost = {identifier for merge in merges for identifier in merge.gone}
    told: Resource | None = snapshot.resource
    if lost.intersection(patient_by_id(snapshot.id)):
        # Of a record that became part of another nothing is said but that it has; the other may be here.
        told = survivor_of(snapshot, snapshot.resource)
    patient, sources = (None, {}) if told is None else map_patient(message, told)
    return message.translation(
        "changed",
        patients=() if patient is None else (patient,),
        visit=_NO_VISIT,
        merges=merges,
        sources={f"Patient.{fact}": path for fact, path in sources.items()},
    )
