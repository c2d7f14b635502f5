"""Appointment.participant → whose visit it is, and what the patients answered."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fhir_mappers.from_fhir.elements import concept_of, extension, identifier_of, numbered, part, parts, word
from fhir_mappers.from_fhir.snapshot import Snapshot, id_of, type_of
from fhir_mappers.translation import Resource

_SUBJECT_R4: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.subject"
_NOT_SAID: Final = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}
_STATUSES: Final = frozenset({"accepted", "declined", "tentative", "needs-action"})


class Attending(NamedTuple):
    """A patient of the Appointment."""

    path: str
    id: str  # on the server, '' when the reference has none
    identifier: Resource  # of the reference, {} when it has none
    resource: Resource | None  # None when it was not sent along
    status: str  # what the patient answered
    informed: bool  # the patient is only to know of it
    key: str = ""  # by what the participant is known again in an Appointment we keep


def read_attending(snapshot: Snapshot) -> list[Attending]:
    """The patients, as they stand; of R5 the `subject` where no participant is one."""
    appointment = snapshot.resource
    found: dict[tuple[str, str], Attending] = {}
    for place, participant in numbered(appointment, "participant"):
        path = f"Appointment.participant[{place}].actor"
        for each in _patient(snapshot, path, part(participant, "actor"), participant):
            found.setdefault((each.id, word(each.identifier, "value")), each)
    if not found:
        subject = part(appointment, "subject") or part(extension(appointment, _SUBJECT_R4), "valueReference")
        for each in _patient(snapshot, "Appointment.subject", subject, {}):
            found[each.id, ""] = each
    attending = list(found.values())
    return [each for each in attending if not each.informed] or attending


def r4_participants(appointment: Resource) -> list[Resource]:
    """Participants as R4 has them; one without type and actor says nothing (app-1), and one there must be."""
    made = []
    participants = parts(appointment, "participant")
    patients = [each for each in participants if type_of(part(each, "actor")) == "Patient"]
    subject = part(appointment, "subject")
    if subject and not patients:
        participants = [*participants, {"actor": subject}]
    for participant in participants:
        reference = _r4_reference(part(participant, "actor"))
        kinds = [kind for each in parts(participant, "type") if (kind := concept_of(each))]
        status = word(participant, "status")
        one: Resource = {"type": kinds} if kinds else {}
        if reference:
            one["actor"] = reference
        if one:
            made.append(one | {"status": status if status in _STATUSES else "needs-action"})
    return made or [{"actor": {"extension": [_NOT_SAID]}, "status": "needs-action"}]


def _r4_reference(actor: Resource) -> Resource:
    reference: Resource = {name: text for name in ("reference", "type") if (text := word(actor, name))}
    identifier = identifier_of(part(actor, "identifier"))
    return reference | ({"identifier": identifier} if identifier else {})


def has_accepted(appointment: Mapping[str, Any]) -> bool:
    """Whether every patient participant of an Appointment we keep has accepted."""
    said = [word(each, "status") for each in _patients(appointment)]
    return bool(said) and all(status == "accepted" for status in said)


def accepted_keys(appointment: Mapping[str, Any]) -> frozenset[str]:
    """The keys (`Attending.key`) of the patients of an Appointment we keep who have accepted."""
    return frozenset(
        _key(part(each, "actor")) for each in _patients(appointment) if word(each, "status") == "accepted"
    )


def with_patients_of(appointment: Mapping[str, Any], told: Mapping[str, Any]) -> Resource:
    """An Appointment we keep, its patients as another one shows them."""
    patients = _patients(appointment)
    others = [each for each in parts(appointment, "participant") if each not in patients]
    return {**appointment, "participant": [*_patients(told), *others]}


def _patients(appointment: Mapping[str, Any]) -> list[Resource]:
    return [each for each in parts(appointment, "participant") if type_of(part(each, "actor")) == "Patient"]


def _key(actor: Resource) -> str:
    """Its id on the server, else the identifier it is named by."""
    return id_of(actor, "Patient") or word(part(actor, "identifier"), "value")


def _patient(snapshot: Snapshot, path: str, actor: Resource, participant: Resource) -> Iterator[Attending]:
    resource = snapshot.resolve(actor, "Patient")
    patient_id = word(resource, "id") or id_of(actor, "Patient")
    identifier = part(actor, "identifier")
    if resource is None and type_of(actor) != "Patient":
        return
    yield Attending(
        path,
        patient_id,
        identifier,
        resource,
        word(participant, "status"),
        word(participant, "required") == "information-only",
        _key(actor),
    )
