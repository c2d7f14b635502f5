"""Patient.link → merges: a record that was replaced by another has become part of it (standards §4.3)."""

from collections.abc import Iterator

from fhir_mappers.from_fhir.elements import numbered, part, parts, word
from fhir_mappers.from_fhir.identity import patient_by_id, patient_identifiers
from fhir_mappers.from_fhir.snapshot import Snapshot, id_of
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, Identifier, Merge, Resource

_LONGEST_CHAIN = 8  # records that became part of one another


def read_merges(snapshot: Snapshot, profile: VendorProfile, feed: FeedFacts) -> tuple[Merge, ...]:
    """Every merge the Patients of a snapshot tell of, from either side, each once."""
    patients = list(snapshot.all("Patient"))
    found = (merge for patient in patients for merge in _of(patient, snapshot, profile, feed))
    return tuple({merge.survivor + merge.gone: merge for merge in found}.values())


def survivor_of(snapshot: Snapshot, patient: Resource) -> Resource | None:
    """The record that stays, at the end of however many; None when it was not sent along."""
    record = patient
    for _ in range(_LONGEST_CHAIN):
        links = [part(each, "other") for each in parts(record, "link") if word(each, "type") == "replaced-by"]
        if not links:
            return record
        found = snapshot.resolve(links[0], "Patient")
        if found is None:
            return None
        record = found
    return None


def _of(patient: Resource, snapshot: Snapshot, profile: VendorProfile, feed: FeedFacts) -> Iterator[Merge]:
    for place, link in numbered(patient, "link"):
        kind, other = word(link, "type"), part(link, "other")
        resource = snapshot.resolve(other, "Patient")
        known = {"identifier": [part(other, "identifier")]} if part(other, "identifier") else {}
        theirs = _known(resource, id_of(other, "Patient"), known, profile, feed)
        own = patient_identifiers(patient, profile, feed)
        is_included = resource is not None
        sides = {"replaced-by": (theirs, own, is_included), "replaces": (own, theirs, True)}.get(kind)
        if sides is None:
            continue
        survivor, gone, is_known = sides
        # What the survivor has too is not gone; and of one that was not sent along nobody knows what it has.
        lost = tuple(each for each in gone if each not in survivor)
        if not is_known:
            lost = patient_by_id(word(patient, "id"))
        if survivor and lost:
            yield Merge(f"Patient.link[{place}]", survivor, lost)


def _known(
    resource: Resource | None, written_id: str, named: Resource, profile: VendorProfile, feed: FeedFacts
) -> tuple[Identifier, ...]:
    if resource is not None:
        return patient_identifiers(resource, profile, feed)
    return (*patient_by_id(written_id), *patient_identifiers(named, profile, feed))
