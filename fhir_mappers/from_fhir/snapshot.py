"""What a FHIR server says of one resource, with the resources it refers to, found again by reference.

Read are: a Bundle whose first entry is the resource itself (what is kept in the inbox), a Bundle of any
type that holds one, a bare resource, and an entry without `resource` that was deleted.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from fhir_mappers.findings import refuse
from fhir_mappers.from_fhir.elements import part, parts, word
from fhir_mappers.translation import Refusal, Resource

HEARD: Final = ("Appointment", "CommunicationRequest", "Patient")  # what is read, the first of these first
_LONGEST_ID: Final = 64
_MOST: Final = 5_000  # entries looked at


class Entry(NamedTuple):
    """One resource of a Bundle, and how it is called there."""

    resource: Resource
    url: str  # '' when the Bundle does not say


class Snapshot:
    """One resource, with those beside it."""

    __slots__ = ("_others", "deleted", "id", "resource", "type")

    def __init__(self, resource: Resource, others: list[Entry], *, deleted: bool = False) -> None:
        self.resource = resource  # of one that was deleted no more than its type and id
        self.type = word(resource, "resourceType")
        self.id = word(resource, "id")[:_LONGEST_ID]
        self.deleted = deleted
        self._others = others

    def resolve(self, reference: Resource, kind: str, owner: Resource | None = None) -> Resource | None:
        """The resource of that type a Reference names, contained ones too: by its id, else by identifier."""
        written = word(reference, "reference")
        if written.startswith("#"):
            contained = parts(owner or self.resource, "contained")
            inside = (each for each in contained if word(each, "id") == written[1:])
            one = next((each for each in inside if each.get("resourceType") == kind), None)
            # What is contained has no id on the server: the same one stands in many resources.
            return None if one is None else {name: value for name, value in one.items() if name != "id"}
        found: Iterator[Resource] = iter(())
        if written:
            found = (each.resource for each in self._others if _is_called(each, written))
        else:
            named = part(reference, "identifier")
            found = (each.resource for each in self._others if _has(each.resource, named))
        return next((each for each in found if each.get("resourceType") == kind), None)

    def all(self, kind: str) -> Iterator[Resource]:
        """Every resource of that type beside the one it is about."""
        return (each.resource for each in self._others if each.resource.get("resourceType") == kind)


def read_snapshot(raw: bytes) -> Snapshot | Refusal:
    """Read one message. Never raises."""
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError):
        return refuse("", "not-json")
    if isinstance(tree, dict) and tree.get("resourceType") != "Bundle":
        tree = {"entry": [{"resource": tree}]}
    entries = parts(tree, "entry")[:_MOST]
    found = [Entry(resource, word(entry, "fullUrl")) for entry in entries if (resource := _resource(entry))]
    if entries and not _resource(entries[0]):
        gone = _deleted(entries[0])
        if gone is not None:
            return Snapshot(gone, found, deleted=True)
    for kind in HEARD if not found or word(found[0].resource, "resourceType") not in HEARD else ("",):
        for entry in found:
            if not kind or entry.resource.get("resourceType") == kind:
                return Snapshot(entry.resource, found)
    return refuse("resourceType", "unsupported-resource")


def id_of(reference: Resource, kind: str) -> str:
    """The id in a literal reference to a resource of that type; '' when it has none."""
    type_of, _, written = local(word(reference, "reference")).rpartition("/")
    return written[:_LONGEST_ID] if type_of == kind else ""


def type_of(reference: Resource) -> str:
    """The type of resource a Reference names; '' when it cannot be told."""
    return word(reference, "type") or local(word(reference, "reference")).rpartition("/")[0]


def _resource(entry: Resource) -> Resource:
    resource = entry.get("resource")
    return resource if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str) else {}


def _deleted(entry: Resource) -> Resource | None:
    """Type and id of what an entry says is gone."""
    request = part(entry, "request")
    kind, _, written = local(word(request, "url")).rpartition("/")
    if word(request, "method").upper() != "DELETE" or kind not in HEARD:
        return None
    return {"resourceType": kind, "id": written}


def local(reference: str) -> str:
    """Type/id of a literal reference, absolute or not, of whichever version."""
    try:
        path = urlsplit(reference).path.partition("/_history")[0]
    except ValueError:
        return ""
    steps = path.strip("/").split("/")
    return "/".join(steps[-2:]) if len(steps) > 1 else ""


def _is_called(entry: Entry, reference: str) -> bool:
    """Whether a reference names the entry: as the Bundle calls it, else by type and id on the same server."""
    if entry.url and entry.url == reference:
        return True
    own = f"{word(entry.resource, 'resourceType')}/{word(entry.resource, 'id')}"
    if local(reference) != own:
        return False
    both = reference.startswith("http") and entry.url.startswith("http")
    return not both or _server(reference) == _server(entry.url)


def _server(url: str) -> str:
    return url.partition("/_history")[0].rstrip("/").rsplit("/", 2)[0]


def _has(resource: Resource, identifier: Any) -> bool:
    """Whether a resource has this identifier."""
    value, system = word(identifier, "value"), word(identifier, "system")
    return bool(value) and any(
        (word(each, "value"), word(each, "system")) == (value, system)
        for each in parts(resource, "identifier")
    )
