"""Patient → Patient as R4 has it, and what a texting service asks about a patient (standards §4.3).

What a server says of a patient is all there is: a number that is not there any more is not texted. Left out
on purpose: street and town, social security number and everything else that no text and no link to the chart
needs; of the address only what tells the clock is kept.
"""

from datetime import date, datetime

from fhir_mappers.from_fhir.address import coarse_address
from fhir_mappers.from_fhir.elements import identifier_of, is_tagged, own_id, part, truth, word
from fhir_mappers.from_fhir.identity import kept_identifiers, patient_identifiers
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.moments import first_day, last_day, read_instant
from fhir_mappers.from_fhir.person import names_of, read_language, read_name
from fhir_mappers.from_fhir.related_person import read_guardian
from fhir_mappers.from_fhir.telecom import read_telecoms
from fhir_mappers.nk1_to_guardian import is_minor
from fhir_mappers.number_to_text import TextTo, number_to_text
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import Identifier, MappedPatient, Resource

_LANGUAGE_SYSTEM = "urn:ietf:bcp:47"
_GENDERS = frozenset({"male", "female", "other", "unknown"})


def map_patient(message: Message, patient: Resource) -> tuple[MappedPatient, dict[str, str]]:
    """Map one Patient; beside it, which element each fact came from."""
    profile, today = message.profile, message.today
    identifiers = patient_identifiers(patient, profile, message.feed)
    if not identifiers:
        message.warn("Patient.id", "no-patient-identifier")
    name = read_name(patient, "Patient", today)
    telecoms = read_telecoms(patient, "Patient", today)
    resource = _resource(patient, profile)
    points = [point for telecom in telecoms for point in telecom.resources]
    if points:
        resource["telecom"] = points
    address = coarse_address(patient)
    if address is not None:
        resource["address"] = address
    born = _birth(message, patient, resource)
    dead, said_alive = _death(patient, resource)
    language, language_path, said = read_language(patient, "Patient", profile)
    if language:
        coding = {"system": _LANGUAGE_SYSTEM, "code": language}
        resource["communication"] = [{"language": {"coding": [coding]}, "preferred": True}]
    elif said:
        message.warn("Patient.communication", "unknown-language")
    inactive = truth(patient, "active") is False
    if inactive:
        message.warn("Patient.active", "inactive")
    partial = is_tagged(patient, "SUBSETTED")
    if partial:
        message.warn("Patient.meta.tag", "summary-only")
    best = None if dead else number_to_text(telecoms, profile.phones, message.feed.region)
    _note_unreachable(message, best, dead)
    guardian, unguarded = read_guardian(message, patient)
    if guardian is None and not dead and today and born and is_minor(born, today):
        message.warn("Patient.birthDate", "no-guardian-number")
    mapped = MappedPatient(
        resource=resource,
        text_to=best.number if best else None,
        identifiers=identifiers,
        family=name.family,
        given=name.given,
        birth_date=born,
        language=language,
        deceased=bool(dead),
        no_publicity=False,
        cleared=() if best or dead or partial else ("Patient.telecom",),
        guardian=guardian,
        unguarded=unguarded and not partial,
        said_alive=said_alive,
        changed_at=_changed_at(message, patient),
        deleted=inactive,
        ehr_id=word(patient, "id"),
    )
    sources = {
        "identifier": "Patient.identifier" if kept_identifiers(patient, profile) else "Patient.id",
        "name": name.path,
        "text_to": best.path if best else "",
        "language": language_path,
        "guardian": guardian.path if guardian else "",
    }
    return mapped, {fact: path for fact, path in sources.items() if path}


def _changed_at(message: Message, patient: Resource) -> datetime | None:
    """When the Patient was changed; as part of an Appointment it has a time of its own."""
    return read_instant(word(part(patient, "meta"), "lastUpdated"), message.feed.zone).at


def only_known_by(
    identifiers: tuple[Identifier, ...], resource: Resource, ehr_id: str, *, deleted: bool = False
) -> MappedPatient:
    """A patient of whom nothing else is said."""
    return MappedPatient(
        resource=resource,
        text_to=None,
        identifiers=identifiers,
        family="",
        given="",
        birth_date=None,
        language=None,
        deceased=False,
        no_publicity=False,
        deleted=deleted,
        ehr_id=ehr_id,
    )


def _resource(patient: Resource, profile: VendorProfile) -> Resource:
    resource: Resource = {"resourceType": "Patient", **own_id(patient)}
    identifiers = [identifier_of(each) for each in kept_identifiers(patient, profile)]
    if identifiers:
        resource["identifier"] = identifiers
    active = truth(patient, "active")
    if active is not None:
        resource["active"] = active
    names = names_of(patient)
    if names:
        resource["name"] = names
    if word(patient, "gender") in _GENDERS:
        resource["gender"] = word(patient, "gender")
    return resource


def _birth(message: Message, patient: Resource, resource: Resource) -> date | None:
    """The day; of a date without one the last day it allows, so that no child passes for grown up."""
    written = word(patient, "birthDate")
    if not written:
        return None
    day = last_day(written)
    if day is None:
        message.warn("Patient.birthDate", "not-a-date")
        return None
    if first_day(written) != day:
        message.warn("Patient.birthDate", "partial-birth-date")
    resource["birthDate"] = written[:10]
    return day


def _death(patient: Resource, resource: Resource) -> tuple[str, bool]:
    """Set deceased[x]; where it says that the patient is dead, '' if not, and whether it says alive."""
    when = word(patient, "deceasedDateTime")
    if when:
        if last_day(when) is None:
            resource["deceasedBoolean"] = True
        else:
            resource["deceasedDateTime"] = when[:10]
        return "Patient.deceasedDateTime", False
    dead = truth(patient, "deceasedBoolean")
    if dead is not None:
        resource["deceasedBoolean"] = dead
    return ("Patient.deceasedBoolean" if dead else ""), dead is False


def _note_unreachable(message: Message, best: TextTo | None, dead: str) -> None:
    """Say why the patient's own number may not be texted."""
    if dead:
        message.warn(dead, "patient-deceased")
    elif best is None:
        message.warn("Patient.telecom", "no-phone")
    elif best.kind == "home":
        message.warn(best.path, "home-number")
