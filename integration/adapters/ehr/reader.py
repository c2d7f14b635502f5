"""Reads the EHR's FHIR server for those who listen: single resources, and the Appointments that changed.

What is asked goes by the CapabilityStatement, which may err: a server that refuses the question gets a
plainer one. References lead nowhere but to the configured base.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Literal

from integration.adapters.ehr.capabilities import LIFE
from integration.adapters.ehr.fhir_answers import Missing, SearchPage
from integration.adapters.ehr.locations import Locations
from integration.adapters.ehr.searching import least, moment, question, read_page
from integration.adapters.ehr.snapshots import People, SnapshotWriter, with_identifier
from integration.domain.clock import wall_now
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import NotReadable, NotThere, Page, Reference, Snapshot, deletion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.adapters.ehr.capabilities import Capabilities
    from integration.adapters.ehr.fhir_answers import Resource, Trouble
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.adapters.ehr.searching import Parameters
    from integration.ports.ehr_reading import Window


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
        for answer in self._pages(question(server, window), least(window)):
            if isinstance(answer, NotWritable):
                yield NotReadable(f"Appointments by date: {answer.reason}")
                return
            page = (
                answer
                if isinstance(answer, TryLater)
                else read_page(writer, answer, "Appointment", window, seen)
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
        asked = [("status", "active")]
        if changed_since is not None and "_lastUpdated" in server.search_parameters["CommunicationRequest"]:
            asked = [("_lastUpdated", f"ge{moment(changed_since)}")]  # withdrawn ones too
        writer, seen = self._writer(guardians=False), set[str]()
        for answer in self._client.pages("CommunicationRequest", asked):
            if isinstance(answer, NotWritable):
                yield NotReadable(f"CommunicationRequests: {answer.reason}")
                return
            page: Page | TryLater
            if isinstance(answer, TryLater):
                page = answer
            else:
                page = read_page(writer, answer, "CommunicationRequest", None, seen)
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
                moments = (f"ge{moment(now)}", f"lt{moment(now + timedelta(minutes=1))}")
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

    def _pages(self, asked: Parameters, plainest: Parameters) -> Iterator[SearchPage | Trouble]:
        pages = self._client.pages("Appointment", asked)
        first = next(pages)
        if isinstance(first, NotWritable) and asked != plainest:
            yield from self._client.pages("Appointment", plainest)
            return
        yield first
        yield from pages
