"""What the EHR's FHIR server can do, by its own CapabilityStatement; read once a day or on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.fhir_answers import Missing
from integration.domain.clock import wall_now
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable
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
    conditional_create: bool = False  # If-None-Exist is honoured
    versioned_update: bool = False  # If-Match is honoured


NOTHING: Final = Abilities()
# A server that shows no statement: try, but rely on nothing.
UNKNOWN: Final = Abilities(create=True, update=True, search=True)


class Capabilities:
    """The server's abilities, remembered; threads may share it."""

    def __init__(self, client: FhirClient, wall: Callable[[], datetime] = wall_now) -> None:
        self._client = client
        self._wall = wall
        self._lock = Lock()
        self._known: dict[str, Abilities] | None = None  # None: the server shows none
        self._read_again_at: datetime | None = None

    def of(self, resource_type: str) -> Abilities | TryLater:
        """The abilities for one type; `TryLater` when the server cannot be asked."""
        with self._lock:
            if self._read_again_at is None or self._wall() >= self._read_again_at:
                trouble = self._read()
                if trouble is not None:
                    return trouble
            return UNKNOWN if self._known is None else self._known.get(resource_type, NOTHING)

    def forget(self) -> None:
        """Read it again before the next use."""
        with self._lock:
            self._read_again_at = None

    def _read(self) -> TryLater | None:
        answer = self._client.capabilities()
        if isinstance(answer, TryLater):
            return answer
        self._known = None if isinstance(answer, Missing | NotWritable) else read_statement(answer)
        self._read_again_at = self._wall() + (LIFE_OF_A_GUESS if self._known is None else LIFE)
        return None


def read_statement(statement: Resource) -> dict[str, Abilities] | None:
    """Resource type → abilities; None when this is no CapabilityStatement of a server."""
    if statement.get("resourceType") != "CapabilityStatement":
        return None
    servers = [rest for rest in statement.get("rest") or () if rest.get("mode") == "server"]
    if not servers:
        return None
    return {
        resource["type"]: _abilities(resource)
        for rest in servers
        for resource in rest.get("resource") or ()
        if "type" in resource
    }


def _abilities(resource: Resource) -> Abilities:
    interactions = {each.get("code") for each in resource.get("interaction") or ()}
    return Abilities(
        create="create" in interactions,
        update="update" in interactions,
        search="search-type" in interactions,
        conditional_create=resource.get("conditionalCreate") is True,
        versioned_update=resource.get("versioning") == "versioned-update",
    )
