"""What the pipeline asks of the EHR's FHIR server when it listens: single resources, and what changed.

What is read comes as a `Snapshot`: one resource with all it refers to, as JSON bytes that are the same
whenever the EHR says the same. It is kept in the inbox like any message, and read from there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.ports.ehr import TryLater

Heard = Literal["Appointment", "Patient", "CommunicationRequest"]  # what we ask for


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource of the EHR's; by its id, else by an identifier of its own (system|value)."""

    type: Heard
    id: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One Appointment, Patient or CommunicationRequest with the resources it refers to.

    `payload` is a FHIR Bundle (type collection, plain JSON, keys sorted): the resource itself first, then the
    Patients, Locations and RelatedPersons it names. A resource that has been deleted stands as an entry
    without `resource` whose request is DELETE {type}/{id}.
    """

    reference: Reference  # by its id, however it was asked for
    payload: bytes


def deletion(reference: Reference) -> Snapshot:
    """What is kept of a resource that is gone."""
    request = {"method": "DELETE", "url": f"{reference.type}/{reference.id}"}
    bundle = {"entry": [{"request": request}], "resourceType": "Bundle", "type": "collection"}
    return Snapshot(reference, json.dumps(bundle, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class NotThere:
    """The EHR knows of no such resource; it may have deleted it long ago."""


@dataclass(frozen=True, slots=True)
class NotReadable:
    """The EHR refuses it for good, or what it answers is no such resource; a person decides."""

    reason: str  # without personal data


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: what starts within [starts, ends), and changed since then (None: whenever)."""

    starts: datetime
    ends: datetime
    changed_since: datetime | None = None
    location: str = ""  # one Location, by its id or an identifier; "" for all
    guardians: bool = False  # with the RelatedPersons of a minor


@dataclass(frozen=True, slots=True)
class Page:
    """A part of an answer."""

    snapshots: tuple[Snapshot, ...]
    unresolved: tuple[Reference, ...] = ()  # Appointments without a person the EHR would not show
    unread: int = 0  # entries that are no Appointment with an id
    at: datetime | None = None  # the EHR's own clock when it answered
    location: str = ""  # the id of the Location that was asked for


class EhrReader(Protocol):
    """The EHR's FHIR server, for those who listen. Never raises for what the EHR does."""

    def read(
        self, reference: Reference, *, guardians: bool = False
    ) -> Snapshot | NotThere | NotReadable | TryLater:
        """One resource as it is now; `guardians`: with the RelatedPersons of a minor."""

    def changed(self, window: Window) -> Iterator[Page | NotReadable | TryLater]:
        """The Appointments of a window, page by page, each once; ends after trouble.

        Where the EHR cannot tell what changed since a moment, all of the window.
        """

    def requested(self, changed_since: datetime | None) -> Iterator[Page | NotReadable | TryLater]:
        """The CommunicationRequests that changed since then; None: the active ones, as where it cannot tell.

        Nothing, where the EHR does not say that they can be searched.
        """

    def poll_locations(self, wanted: Literal["auto", "date", "location"]) -> bool | TryLater:
        """Whether Appointments are to be asked for location by location, as wanted or as the EHR can."""
