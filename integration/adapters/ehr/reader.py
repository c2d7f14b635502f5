"""Reads the EHR's FHIR server for those who listen: single resources, and the Appointments that changed.

What is asked goes by the CapabilityStatement, which may err: a server that refuses the question gets a
plainer one. References lead nowhere but to the configured base.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal

from integration.adapters.ehr.capabilities import LIFE
from integration.adapters.ehr.fhir_answers import Missing, SearchPage
from integration.adapters.ehr.locations import Locations
from integration.adapters.ehr.snapshots import People, SnapshotWriter, with_identifier
from integration.domain.clock import wall_now
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import NotReadable, NotThere, Page, Reference, Snapshot, deletion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.adapters.ehr.capabilities import Capabilities, Server
    from integration.adapters.ehr.fhir_answers import Resource, Trouble
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.ports.ehr_reading import Heard, Window

PAGE: Final = 100  # Appointments we ask for at once
_Parameters = list[tuple[str, str]]


class FhirReader:
    """See `integration.ports.ehr_reading.EhrReader`; threads may share it."""

    def __init__(
        self, client: FhirClient, capabilities: Capabilities, wall: Callable[[], datetime] = wall_now
    ) -> None:
        self._client = client
        self._capabilities = capabilities
        self._wall = wall
        self._locations = Locations(client, wall)
        self._named_places: dict[str, str] = {}  # as a site names them → their ids
        self._lock = Lock()
        self._by_location: tuple[bool, datetime] | None = None  # and until when that holds

    def read(
        self, reference: Reference, *, guardians: bool = False
    ) -> Snapshot | NotThere | NotReadable | TryLater:
        """One resource as it is now."""
        found = self._by_id(reference) if reference.id else self._by_identifier(reference)
        if not isinstance(found, dict):
            return found
        by_id = Reference(reference.type, str(found.get("id") or reference.id))
        return self._writer(guardians=guardians).write(by_id, found)

    def changed(self, window: Window) -> Iterator[Page | NotReadable | TryLater]:
        """The Appointments of a window, page by page."""
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            yield server
            return
        place = self._place(window.location) if window.location else ""
        if not isinstance(place, str):
            yield place
            return
        window = replace(window, location=place)
        writer, seen = self._writer(guardians=window.guardians), set[str]()
        for answer in self._pages(_question(server, window), _least(window)):
            if isinstance(answer, NotWritable):
                yield NotReadable(f"Appointments by date: {answer.reason}")
                return
            page = (
                answer
                if isinstance(answer, TryLater)
                else _read_page(writer, answer, "Appointment", window, seen)
            )
            yield page
            if isinstance(page, TryLater):
                return

    def requested(self, changed_since: datetime | None) -> Iterator[Page | NotReadable | TryLater]:
        """The CommunicationRequests, page by page."""
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            yield server
            return
        if not server.known or not server.of("CommunicationRequest").search:
            return
        question = [("status", "active")]
        if changed_since is not None and "_lastUpdated" in server.search_parameters["CommunicationRequest"]:
            question = [("_lastUpdated", f"ge{_moment(changed_since)}")]  # withdrawn ones too
        writer, seen = self._writer(guardians=False), set[str]()
        for answer in self._client.pages("CommunicationRequest", question):
            if isinstance(answer, NotWritable):
                yield NotReadable(f"CommunicationRequests: {answer.reason}")
                return
            page: Page | TryLater
            if isinstance(answer, TryLater):
                page = answer
            else:
                page = _read_page(writer, answer, "CommunicationRequest", None, seen)
            yield page
            if isinstance(page, TryLater):
                return

    def poll_locations(self, wanted: Literal["auto", "date", "location"]) -> bool | TryLater:
        """Oracle refuses a search by date alone, and its CapabilityStatement does not say so: it is tried."""
        if wanted != "auto":
            return wanted == "location"
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            return server
        offered = server.search_parameters.get("Appointment")
        if offered and "location" not in offered:
            return False
        now = self._wall()
        with self._lock:
            if self._by_location is None or now >= self._by_location[1]:
                moments = (f"ge{_moment(now)}", f"lt{_moment(now + timedelta(minutes=1))}")
                answer = next(self._client.pages("Appointment", [("date", each) for each in moments]))
                if isinstance(answer, TryLater):
                    return answer
                self._by_location = isinstance(answer, NotWritable), now + LIFE
            return self._by_location[0]

    def _writer(self, *, guardians: bool) -> SnapshotWriter:
        return SnapshotWriter(self._client, self._locations, People(guardians, self._wall().date()))

    def _place(self, named: str) -> str | NotReadable | TryLater:
        """The id of a Location that a site names by it, or by an identifier."""
        if named in self._named_places:
            return self._named_places[named]
        shown = self._locations.get(named)
        if shown is not None:
            return shown if isinstance(shown, TryLater) else named
        found = with_identifier(self._client, "Location", f"|{named}")
        if isinstance(found, TryLater):
            return found
        if isinstance(found, NotReadable):
            return named  # its Locations are not shown to us, its Appointments may be
        if len(found) != 1 or not isinstance(found[0].get("id"), str):
            return NotReadable(f"the EHR has no Location by the id or identifier {named}")
        self._named_places[named] = found[0]["id"]
        return self._named_places[named]

    def _by_id(self, reference: Reference) -> Resource | Snapshot | NotThere | NotReadable | TryLater:
        answer = self._client.read(reference.type, reference.id)
        if isinstance(answer, Missing):
            return deletion(reference) if answer.deleted else self._not_there()
        if isinstance(answer, NotWritable):
            return NotReadable(answer.reason)
        if isinstance(answer, TryLater):
            return answer
        if answer.resource is None:
            return NotReadable(f"what the EHR shows is no {reference.type}")
        return answer.resource

    def _by_identifier(self, reference: Reference) -> Resource | NotThere | NotReadable | TryLater:
        found = with_identifier(self._client, reference.type, reference.identifier)
        if not isinstance(found, list):
            return found
        if len(found) > 1:
            return NotReadable(f"several {reference.type}s have the identifier")
        return found[0] if found else NotThere()

    def _not_there(self) -> NotThere | TryLater:
        """A server that has lost its way answers 404 to everything: nothing is gone for that."""
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            return server
        if server.known and isinstance(self._client.capabilities(), Missing | NotWritable | TryLater):
            return TryLater(
                "the EHR shows no CapabilityStatement any more: is EHR_FHIR_BASE_URL still right?"
            )
        return NotThere()

    def _pages(self, question: _Parameters, least: _Parameters) -> Iterator[SearchPage | Trouble]:
        pages = self._client.pages("Appointment", question)
        first = next(pages)
        if isinstance(first, NotWritable) and question != least:
            yield from self._client.pages("Appointment", least)
            return
        yield first
        yield from pages


def _question(server: Server, window: Window) -> _Parameters:
    """All that the server says it understands."""
    question = _least(window)
    if window.changed_since is not None and "_lastUpdated" in server.search_parameters.get("Appointment", ()):
        question.append(("_lastUpdated", f"ge{_moment(window.changed_since)}"))
    includes = server.search_includes.get("Appointment", ())
    question += [
        ("_include", each) for each in ("Appointment:patient", "Appointment:location") if each in includes
    ]
    return [*question, ("_count", str(PAGE))]


def _least(window: Window) -> _Parameters:
    place = [("location", window.location)] if window.location else []
    return [*place, ("date", f"ge{_moment(window.starts)}"), ("date", f"lt{_moment(window.ends)}")]


def _read_page(
    writer: SnapshotWriter, answer: SearchPage, kind: Heard, window: Window | None, seen: set[str]
) -> Page | TryLater:
    writer.learn(answer.included)
    snapshots: list[Snapshot] = []
    unresolved: list[Reference] = []
    unread = 0
    for resource in answer.matches:
        resource_id = resource.get("id")
        if not isinstance(resource_id, str) or not resource_id:
            unread += 1
        elif resource_id not in seen and (window is None or _is_within(resource, window)):
            seen.add(resource_id)
            reference = Reference(kind, resource_id)
            written = None if _is_part(resource) else writer.write(reference, resource)
            if isinstance(written, TryLater):
                return written
            if isinstance(written, Snapshot):
                snapshots.append(written)
            else:
                unresolved.append(reference)
    return Page(tuple(snapshots), tuple(unresolved), unread, answer.at, window.location if window else "")


def _is_within(appointment: Resource, window: Window) -> bool:
    """Whether it may lie in the window: a server may pass over what it does not understand."""
    try:
        start = datetime.fromisoformat(str(appointment.get("start")))
    except ValueError:
        return True
    return start.tzinfo is None or window.starts <= start < window.ends


def _is_part(resource: Resource) -> bool:
    """Whether the server shows a part of it only."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return any(isinstance(tag, dict) and tag.get("code") == "SUBSETTED" for tag in tags or ())


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
