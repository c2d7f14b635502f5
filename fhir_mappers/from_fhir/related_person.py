"""RelatedPerson and Patient.contact → the one person to text about a child, should the site say who counts.

`[fhir] guardians` names relationship codes (v3-RoleCode, HL7 table 0131), best first. Who counts is active,
within the period given; of those the first with a number that can be texted is taken.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from fhir_mappers.from_fhir.elements import codes, numbered, part, parts, truth
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.moments import period_of
from fhir_mappers.from_fhir.person import read_language
from fhir_mappers.from_fhir.snapshot import Snapshot, id_of
from fhir_mappers.from_fhir.telecom import read_telecoms
from fhir_mappers.number_to_text import number_to_text
from fhir_mappers.translation import MappedGuardian, Resource


class Guardianship(NamedTuple):
    """Who is texted about the child."""

    guardian: MappedGuardian | None
    unguarded: bool  # persons are named, and none of them counts any more


class _Person(NamedTuple):
    path: str
    resource: Resource
    contact: bool  # of Patient.contact


def read_guardian(message: Message, patient: Resource) -> Guardianship:
    """Whom to text about this patient, should the patient be a child."""
    facts, today = message.facts, message.today
    if not facts.guardians:
        return Guardianship(None, unguarded=False)
    order = [code.casefold() for code in facts.guardians]
    persons = list(_persons(message.snapshot, patient))
    counting = sorted(
        ((place, person) for person in persons if (place := _place(person, order, today)) is not None),
        key=lambda each: (each[0], each[1].contact),
    )
    for _, person in counting:
        telecoms = read_telecoms(person.resource, person.path, today)
        best = number_to_text(telecoms, message.profile.phones, message.feed.region)
        if best is not None:
            language = read_language(person.resource, person.path, message.profile)[0]
            return Guardianship(MappedGuardian(best.path, best.number, language), unguarded=False)
    return Guardianship(None, unguarded=bool(persons))


def _persons(snapshot: Snapshot, patient: Resource) -> Iterator[_Person]:
    """Those who are related to this patient, by resources of their own first."""
    own = str(patient.get("id", ""))
    for person in snapshot.all("RelatedPerson"):
        if own and id_of(part(person, "patient"), "Patient") == own:
            yield _Person(f"RelatedPerson/{person.get('id', '')}", person, contact=False)
    for place, contact in numbered(patient, "contact"):
        yield _Person(f"Patient.contact[{place}]", contact, contact=True)


def _place(person: _Person, order: list[str], today: date | None) -> int | None:
    """How good the person's relationship is, 0 the best; None for one who does not count."""
    resource = person.resource
    if truth(resource, "active") is False or not period_of(part(resource, "period")).holds(today):
        return None
    said = {code.code.casefold() for each in parts(resource, "relationship") for code in codes(each)}
    return next((place for place, code in enumerate(order) if code in said), None)
