"""Identifiers of an Appointment or a Patient → by what HL7 v2 of the same scope knows them, and their ids.

The feed's `[fhir] identity` says of an Appointment's systems where v2 has the same value; a type of table
0203 (placer, filler, visit number) says it where the feed does not (guide: EI[Identifier-Extension]).
`identifier_systems`, which gives an assigning authority its system, is read the other way round.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

from fhir_mappers.from_fhir.elements import codes, part, parts, word
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import AppointmentIdentifier, FeedFacts, FhirFacts, Identifier, Resource

APPOINTMENT_ID: Final = "Appointment.id"
PATIENT_ID: Final = "Patient.id"

# HL7 table 0203 → where v2 has the identifier, as `sch_to_appointment` writes it
_PATHS: Final = {"FILL": "SCH-2", "PLAC": "SCH-1", "VN": "PV1-19"}
_TABLE_0203: Final = "v2-0203"
_NEVER_SYSTEMS: Final = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
_LAST: Final = 1 << 10


def appointment_identifiers(
    appointment: Resource, feed: FeedFacts, facts: FhirFacts
) -> tuple[AppointmentIdentifier, ...]:
    """What it is known by: the server's id, what v2 knows in the feed's order, then whatever else."""
    order = (*feed.identity, *_PATHS.values())
    known: list[AppointmentIdentifier] = []
    others: list[AppointmentIdentifier] = []
    for identifier in parts(appointment, "identifier"):
        value, system = word(identifier, "value"), word(identifier, "system")
        if not value:
            continue
        path = facts.identity.get(system) or _path_by_type(identifier)
        if path:
            # A message may name the value without its authority.
            known += [AppointmentIdentifier(path, value, name) for name in (*_authorities(system, feed), "")]
        else:
            others.append(AppointmentIdentifier("Appointment.identifier", value, system))
    known.sort(key=lambda each: order.index(each.path) if each.path in order else _LAST)
    own = (
        [AppointmentIdentifier(APPOINTMENT_ID, word(appointment, "id"), "")]
        if word(appointment, "id")
        else []
    )
    return tuple(dict.fromkeys((*own, *known, *others)))


def patient_identifiers(patient: Resource, profile: VendorProfile, feed: FeedFacts) -> tuple[Identifier, ...]:
    """What a patient is known by: the server's id, then best first as the profile ranks them."""
    rules = profile.patient
    found: list[tuple[tuple[int, int], list[Identifier]]] = []
    for identifier in kept_identifiers(patient, profile):
        value, system, kind = word(identifier, "value"), word(identifier, "system"), _type(identifier)
        names = _authorities(system, feed)
        if names:
            # One system is one numbering: whatever type a message calls it, the value is one person's.
            kinds = (kind, "") if kind else ("", *rules.types)
            each = [Identifier(name, a_kind, system, value) for name, a_kind in product(names, kinds)]
        else:
            each = [Identifier(system or word(part(identifier, "assigner"), "display"), kind, system, value)]
        rank = min(_rank(one.authority, rules.authorities) for one in each), _rank(kind, rules.types)
        found.append((rank, each))
    found.sort(key=lambda ranked: ranked[0])
    best_first = (identifier for _, each in found for identifier in each)
    return tuple(dict.fromkeys((*patient_by_id(word(patient, "id")), *best_first)))


def kept_identifiers(patient: Resource, profile: VendorProfile) -> list[Resource]:
    """The identifiers of a Patient that may be kept: no social security number, and none of the past."""
    return [
        each
        for each in parts(patient, "identifier")
        if word(each, "value")
        and word(each, "use") != "old"
        and word(each, "system") not in _NEVER_SYSTEMS
        and _type(each) not in profile.patient.never_types
    ]


def patient_by_id(patient_id: str) -> tuple[Identifier, ...]:
    """A patient of whom no more than the server's id is known; () without it."""
    return (Identifier(PATIENT_ID, "", "", patient_id),) if patient_id else ()


def _authorities(system: str, feed: FeedFacts) -> tuple[str, ...]:
    """The assigning authorities whose identifiers have that system."""
    return tuple(name for name, theirs in feed.identifier_systems.items() if system and theirs == system)


def _path_by_type(identifier: Resource) -> str:
    return _PATHS.get(_type(identifier), "")


def _type(identifier: Resource) -> str:
    """Its type of HL7 table 0203, '' if none."""
    return next(_types(identifier), "")


def _types(identifier: Resource) -> Iterator[str]:
    for coding in codes(part(identifier, "type")):
        if coding.system.endswith(_TABLE_0203) or not coding.system:
            yield coding.code.upper()


def _rank(value: str, order: tuple[str, ...]) -> int:
    return order.index(value) if value in order else len(order)
