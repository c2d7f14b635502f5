"""What the EHR's FHIR server can do, by its own CapabilityStatement; read once a day or on demand.

What a server turns out to refuse, whatever its statement says, is remembered beside it for as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

from integration.adapters.ehr.fhir_answers import Missing
from integration.domain.clock import wall_now
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient

LIFE: Final = timedelta(days=1)
LIFE_OF_A_GUESS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What we may do with one type of resource."""

    create: bool = False
    update: bool = False
    search: bool = False
    find: bool = False  # search by an identifier of ours
    read: bool = False
    patch: bool = False
    conditional_create: bool = False  # If-None-Exist is honoured
    versioned_update: bool = False  # If-Match is honoured


NOTHING: Final = Abilities()
# A server that shows no statement: try, but rely on nothing.
UNKNOWN: Final = Abilities(create=True, update=True, search=True, find=True, read=True)

Refusable = Literal["create", "update"]


@dataclass(frozen=True, slots=True)
class Server:
    """Who the server says it is, and what it lets us do."""

    known: bool  # False: it shows no CapabilityStatement
    abilities: Mapping[str, Abilities] = field(default_factory=dict)  # by resource type
    software: str = ""
    version: str = ""  # of the software
    publisher: str = ""
    description: str = ""  # of the implementation
    fhir_version: str = ""
    topics: tuple[str, ...] = ()  # canonical URLs of the SubscriptionTopics it advertises
    search_parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by resource type
    search_includes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by resource type

    def of(self, resource_type: str) -> Abilities:
        """What we may do with one type."""
        return self.abilities.get(resource_type, NOTHING if self.known else UNKNOWN)


class Capabilities:
    """The server's abilities, remembered; threads may share it."""

    def __init__(self, client: FhirClient, wall: Callable[[], datetime] = wall_now) -> None:
        self._client = client
        self._wall = wall
        self._lock = Lock()
        self._server = Server(known=False)
        self._read_again_at: datetime | None = None
        self._denied: dict[tuple[str, Refusable], datetime] = {}  # until when

    def of(self, resource_type: str) -> Abilities | TryLater:
        """The abilities for one type; `TryLater` when the server cannot be asked."""
        server = self.server()
        return server if isinstance(server, TryLater) else server.of(resource_type)

    def server(self) -> Server | TryLater:
        """All that is known of it; `TryLater` when it cannot be asked."""
        with self._lock:
            now = self._wall()
            if self._read_again_at is None or now >= self._read_again_at:
                trouble = self._read(now)
                if trouble is not None:
                    return trouble
            self._denied = {what: until for what, until in self._denied.items() if until > now}
            return self._without_denied()

    def forget(self) -> None:
        """Read it again before the next use."""
        with self._lock:
            self._read_again_at = None

    def deny(self, resource_type: str, interaction: Refusable) -> None:
        """It has refused this, whatever its statement says: do not ask again for a day."""
        with self._lock:
            self._denied[resource_type, interaction] = self._wall() + LIFE

    def _without_denied(self) -> Server:
        if not self._denied:
            return self._server
        abilities = dict(self._server.abilities)
        for resource_type, interaction in self._denied:
            left = abilities.get(resource_type, self._server.of(resource_type))
            abilities[resource_type] = (
                replace(left, create=False)
                if interaction == "create"
                else replace(left, update=False, patch=False)
            )
        return replace(self._server, abilities=abilities)

    def _read(self, now: datetime) -> TryLater | None:
        answer = self._client.capabilities()
        if isinstance(answer, TryLater):
            return answer
        shown = None if isinstance(answer, Missing | NotWritable) else read_server(answer)
        # What it said once holds while it will not say it again: a guess might file texts where nobody looks.
        self._server = shown or self._server
        self._read_again_at = now + (LIFE_OF_A_GUESS if shown is None else LIFE)
        return None


def read_server(statement: Resource) -> Server | None:
    """What a CapabilityStatement says; None when this is none of a server."""
    if statement.get("resourceType") != "CapabilityStatement":
        return None
    rests = [each for each in _objects(statement.get("rest")) if each.get("mode") == "server"]
    if not rests:
        return None
    resources = [
        each for rest in rests for each in _objects(rest.get("resource")) if isinstance(each.get("type"), str)
    ]
    of_all = frozenset[str]().union(*(_search_parameters(rest) for rest in rests))
    software = statement.get("software")
    implementation = statement.get("implementation")
    return Server(
        known=True,
        abilities={each["type"]: _abilities(each) for each in resources},
        software=_word(software, "name"),
        version=_word(software, "version"),
        publisher=_word(statement, "publisher"),
        description=_word(implementation, "description"),
        fhir_version=_word(statement, "fhirVersion"),
        topics=_topics(resources),
        search_parameters={
            each["type"]: own | of_all if (own := _search_parameters(each)) else own for each in resources
        },
        search_includes={each["type"]: _search_includes(each) for each in resources},
    )


def _abilities(resource: Resource) -> Abilities:
    interactions = {each.get("code") for each in _objects(resource.get("interaction"))}
    searches = "search-type" in interactions
    by = _search_parameters(resource)
    return Abilities(
        create="create" in interactions,
        update="update" in interactions,
        search=searches,
        find=searches and (not by or "identifier" in by),
        read="read" in interactions,
        patch="patch" in interactions,
        conditional_create=resource.get("conditionalCreate") is True,
        versioned_update=resource.get("versioning") == "versioned-update",
    )


def _search_parameters(resource: Resource) -> frozenset[str]:
    return frozenset(str(each.get("name")) for each in _objects(resource.get("searchParam")))


def _search_includes(resource: Resource) -> frozenset[str]:
    included = resource.get("searchInclude")
    return frozenset(map(str, included)) if isinstance(included, list) else frozenset()


# Backport 1.1: the topics a server offers stand on its Subscription.
_TOPIC_EXTENSION: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"


def _topics(resources: list[Resource]) -> tuple[str, ...]:
    return tuple(
        str(extension.get("valueCanonical") or extension.get("valueUri"))
        for each in resources
        if each["type"] == "Subscription"
        for extension in _objects(each.get("extension"))
        if extension.get("url") == _TOPIC_EXTENSION
    )


def _objects(value: Any) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _word(parent: Any, name: str) -> str:
    """A short text of the statement, on one line."""
    value = parent.get(name) if isinstance(parent, dict) else None
    return " ".join(value.split())[:120] if isinstance(value, str) else ""
