"""Writes a resource and all it refers to as the bytes that are kept: the same whenever the EHR says the same.

The people are read as they are now: an appointment's Patients, the records theirs became part of, and where
a site asks for them the RelatedPersons of who may be a minor.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from fhir_mappers.from_fhir.elements import parts
from fhir_mappers.reference import by_identifier, literal
from integration.adapters.ehr.fhir_answers import Held, Missing
from integration.adapters.ehr.linking import Token
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import NotReadable, Reference, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from fhir_mappers.notification import Focus
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.adapters.ehr.locations import Locations

MOST_SURVIVORS: Final = 5  # records that one record became part of, one after another
MOST_PEOPLE: Final = 2_000  # remembered while one answer is read
OF_AGE: Final = 18  # years

# Where a resource refers to what is kept with it.
_PLACES: Final = {
    "Appointment": ("participant.actor", "subject"),  # R5 says `subject` too
    "CommunicationRequest": ("subject", "recipient", "about"),
    "Patient": (),
}
_FOLLOWED: Final = frozenset({"Patient", "Location", "RelatedPerson", "Appointment"})


@dataclass(frozen=True, slots=True)
class People:
    """What one reading asks for."""

    guardians: bool
    today: date


class SnapshotWriter:
    """One reading: what was read for it is read once."""

    def __init__(self, client: FhirClient, locations: Locations, people: People) -> None:
        self._client = client
        self._locations = locations
        self._people = people
        self._read: OrderedDict[Focus, Resource | None] = OrderedDict()
        self._related: OrderedDict[str, list[Resource]] = OrderedDict()

    def learn(self, included: Iterable[Resource]) -> None:
        """The server has shown these beside its answer."""
        for resource in included:
            kind, resource_id = resource.get("resourceType"), resource.get("id")
            focus = literal(f"{kind}/{resource_id}", "")
            if focus is None:
                continue
            if focus.type == "Location":
                self._locations.learn(focus.id, resource)
            elif focus.type == "Patient":
                self._remember(focus, resource)

    def write(self, reference: Reference, resource: Resource) -> Snapshot | NotReadable | TryLater:
        """The resource with what it refers to."""
        found = {f"{resource.get('resourceType')}/{resource.get('id')}": resource}
        wanted = list(self._named(resource)) if resource.get("resourceType") in _PLACES else []
        if resource.get("resourceType") == "Patient":
            wanted += self._survivors(resource)
        hops = dict.fromkeys(wanted, 0)
        while wanted:
            focus = wanted.pop(0)
            shown = self._get(focus)
            if isinstance(shown, NotReadable | TryLater):
                return shown
            if shown is None:
                continue
            found.setdefault(f"{focus.type}/{shown.get('id')}", shown)
            for survivor in self._survivors(shown):
                if survivor not in hops and hops[focus] < MOST_SURVIVORS:
                    hops[survivor] = hops[focus] + 1
                    wanted.append(survivor)
        guardians = self._guardians(found.values())
        if isinstance(guardians, TryLater):
            return guardians
        for guardian in guardians:
            found.setdefault(f"RelatedPerson/{guardian.get('id')}", guardian)
        return Snapshot(reference, self._bundle(found))

    def _bundle(self, found: dict[str, Resource]) -> bytes:
        base = self._client.base_url
        entries = [{"fullUrl": f"{base}/{name}", "resource": each} for name, each in found.items()]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return orjson.dumps(bundle, option=orjson.OPT_SORT_KEYS)

    def _named(self, resource: Resource) -> Iterator[Focus]:
        """What it refers to on this server, as far as it is kept with it; each once."""
        named: dict[Focus, None] = {}
        for path in _PLACES[resource["resourceType"]]:
            for reference in _along(resource, path.split(".")):
                focus = self._focus(reference)
                if focus is not None and focus.type in _FOLLOWED:
                    named[focus] = None
        return iter(named)

    def _focus(self, reference: Any) -> Focus | None:
        if not isinstance(reference, dict):
            return None
        written = reference.get("reference")
        if isinstance(written, str) and written:
            return literal(written, self._client.base_url)
        focus = by_identifier(reference, "")
        return focus if focus is not None and focus.type == "Patient" else None

    def _survivors(self, resource: Resource) -> list[Focus]:
        """The records that a Patient's became part of."""
        if resource.get("resourceType") != "Patient":
            return []
        links = parts(resource, "link")
        named = (self._focus(each.get("other")) for each in links if each.get("type") == "replaced-by")
        return [focus for focus in named if focus is not None and focus.type == "Patient"]

    def _get(self, focus: Focus) -> Resource | NotReadable | TryLater | None:
        """What is there; None when the server has no such resource, or, of a Location, does not show it."""
        if focus.type == "Location":
            return self._locations.get(focus.id)
        if focus in self._read:
            return self._read[focus]
        shown = self._by_id(focus) if focus.id else self._by_identifier(focus)
        if shown is None or isinstance(shown, dict):
            self._remember(focus, shown)
        return shown

    def _by_id(self, focus: Focus) -> Resource | NotReadable | TryLater | None:
        answer = self._client.read(focus.type, focus.id)
        if isinstance(answer, NotWritable):
            return NotReadable(f"{focus.type}: {answer.reason}")
        return (
            answer.resource if isinstance(answer, Held) else None if isinstance(answer, Missing) else answer
        )

    def _by_identifier(self, focus: Focus) -> Resource | NotReadable | TryLater | None:
        found = with_identifier(self._client, focus.type, focus.identifier)
        # Of several, none is the one that is meant (promise 12).
        return found if not isinstance(found, list) else found[0] if len(found) == 1 else None

    def _guardians(self, found: Iterable[Resource]) -> list[Resource] | TryLater:
        if not self._people.guardians:
            return []
        related: list[Resource] = []
        for each in found:
            if each.get("resourceType") == "Patient" and self._may_be_minor(each):
                shown = self._related_to(str(each.get("id")))
                if isinstance(shown, TryLater):
                    return shown
                related += shown
        return related

    def _related_to(self, patient_id: str) -> list[Resource] | TryLater:
        known = self._related.get(patient_id)
        if known is not None:
            return known
        answer = self._client.search("RelatedPerson", {"patient": patient_id})
        if isinstance(answer, TryLater):
            return answer
        # A server without them knows of nobody to text instead: the reminders will say so.
        found = [] if isinstance(answer, NotWritable) else sorted(answer.resources, key=_id)
        _keep(self._related, patient_id, found)
        return found

    def _may_be_minor(self, patient: Resource) -> bool:
        born = patient.get("birthDate")
        year = born[:4] if isinstance(born, str) else ""
        return year.isascii() and year.isdigit() and self._people.today.year - int(year) <= OF_AGE

    def _remember(self, focus: Focus, resource: Resource | None) -> None:
        _keep(self._read, focus, resource)


def with_identifier(
    client: FhirClient, resource_type: str, identifier: str
) -> list[Resource] | NotReadable | TryLater:
    """Those that carry it (system|value)."""
    system, _, value = identifier.partition("|")
    token = Token(system, value)
    answer = client.search(resource_type, {"identifier": token.search})
    if isinstance(answer, NotWritable):
        return NotReadable(f"{resource_type} by identifier: {answer.reason}")
    if isinstance(answer, TryLater):
        return answer
    if not answer.complete:
        return NotReadable(f"{resource_type} by identifier: the EHR's answer has no end")
    return [each for each in answer.resources if token.is_on(each)]


def _keep(memory: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    memory[key] = value
    if len(memory) > MOST_PEOPLE:
        memory.popitem(last=False)


def _along(node: Any, path: list[str]) -> Iterator[Any]:
    """What lies at the end of a path, through lists too."""
    if isinstance(node, list):
        for each in node:
            yield from _along(each, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _along(node[path[0]], path[1:])


def _id(resource: Resource) -> str:
    return str(resource.get("id"))
