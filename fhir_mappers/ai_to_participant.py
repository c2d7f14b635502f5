"""AIG, AIL, AIP, PV1 and the patients → Appointment.participant (guide: segments AIG, AIL, AIP[Appointment]).

Every participant has an actor (app-1): a logical reference, an identifier and, for staff and places, a name.
A patient is `accepted` only when the appointment is confirmed; nobody else is asked.
"""

from collections.abc import Sequence

from fhir_mappers.appointment_standing import Standing
from fhir_mappers.datatypes import (
    cwe_to_codeable_concept,
    cwe_to_practitioner,
    identifier_resource,
    pl_to_location,
    plain,
    xcn_to_practitioner,
)
from fhir_mappers.profile import VendorProfile
from fhir_mappers.tables import PARTICIPATION
from fhir_mappers.translation import MappedPatient, Resource
from fhir_mappers.v2_message import SegmentRun


def participants(
    message: SegmentRun, patients: Sequence[MappedPatient], profile: VendorProfile, standing: Standing
) -> list[Resource]:
    """Return who takes part, and where: patients, then practitioners, then places."""
    return [
        *(_patient_participant(patient, standing) for patient in patients),
        *_practitioners(message, profile),
        *_places(message),
    ]


def _patient_participant(patient: MappedPatient, standing: Standing) -> Resource:
    actor: Resource = {"type": "Patient"}
    if patient.identifiers:
        best = patient.identifiers[0]
        actor["identifier"] = identifier_resource(best.type, best.system, best.value, best.authority)
    else:
        actor["display"] = plain(f"{patient.given} {patient.family}")
    return {"actor": actor, "status": "accepted" if standing.confirmed else "needs-action"}


def _practitioners(message: SegmentRun, profile: VendorProfile) -> list[Resource]:
    """AIP-3, else AIG-3 of a person who treats, else PV1-7."""
    found: list[Resource] = []
    for n in range(1, message.count("AIP") + 1):
        role = next(
            (r for cwe in message.field(f"AIP[{n}]-4")[:1] if (r := cwe_to_codeable_concept(cwe))), None
        )
        for xcn in message.field(f"AIP[{n}]-3")[:1]:
            found += _participant(xcn_to_practitioner(xcn), message.get(f"AIP[{n}]-12"), role)
    if found:
        return found
    for n in range(1, message.count("AIG") + 1):
        if plain(message.get(f"AIG[{n}]-4")).casefold() in profile.practitioner_types:
            for cwe in message.field(f"AIG[{n}]-3")[:1]:
                found += _participant(cwe_to_practitioner(cwe), message.get(f"AIG[{n}]-14"))
    for xcn in [] if found else message.field("PV1-7")[:1]:
        found += _participant(xcn_to_practitioner(xcn), "")
    return found


def _places(message: SegmentRun) -> list[Resource]:
    """AIL-3, else PV1-3."""
    found: list[Resource] = []
    for n in range(1, message.count("AIL") + 1):
        for pl in message.field(f"AIL[{n}]-3")[:1]:
            found += _participant(pl_to_location(pl), message.get(f"AIL[{n}]-12"))
    for pl in [] if found else message.field("PV1-3")[:1]:
        found += _participant(pl_to_location(pl), "")
    return found


def _participant(actor: Resource | None, word: str, role: Resource | None = None) -> list[Resource]:
    if actor is None:
        return []
    participant: Resource = {"type": [role]} if role else {}
    return [participant | {"actor": actor, "status": PARTICIPATION.get(plain(word).casefold(), "accepted")}]
