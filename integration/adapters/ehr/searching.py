"""What is asked of a FHIR server about a window of time, and what a page of its answer holds for us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fhir_mappers.from_fhir.elements import is_tagged
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import Page, Reference, Snapshot

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Server
    from integration.adapters.ehr.fhir_answers import Resource, SearchPage
    from integration.adapters.ehr.snapshots import SnapshotWriter
    from integration.ports.ehr_reading import Heard, Window

PAGE: Final = 100  # Appointments we ask for at once
# Of a page: a record that the server trips over must not hide the others. More, and it is in trouble.
MOST_TROUBLES: Final = 2
Parameters = list[tuple[str, str]]


def question(server: Server, window: Window) -> Parameters:
    """All that the server says it understands."""
    asked = least(window)
    if window.changed_since is not None and "_lastUpdated" in server.search_parameters.get("Appointment", ()):
        asked.append(("_lastUpdated", f"ge{moment(window.changed_since)}"))
    includes = server.search_includes.get("Appointment", ())
    asked += [
        ("_include", each) for each in ("Appointment:patient", "Appointment:location") if each in includes
    ]
    return [*asked, ("_count", str(PAGE))]


def least(window: Window) -> Parameters:
    """What every server that searches by date understands."""
    place = [("location", window.location)] if window.location else []
    return [*place, ("date", f"ge{moment(window.starts)}"), ("date", f"lt{moment(window.ends)}")]


def read_page(
    writer: SnapshotWriter, answer: SearchPage, kind: Heard, window: Window | None, seen: set[str]
) -> Page | TryLater:
    """A page of the answer: what lies in the window and was not `seen` before, with all it refers to."""
    writer.learn(answer.included)
    snapshots: list[Snapshot] = []
    unresolved: list[Reference] = []
    troubles: list[TryLater] = []
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
                troubles.append(written)
                if len(troubles) > MOST_TROUBLES or written.after is not None:
                    return written
            if isinstance(written, Snapshot):
                snapshots.append(written)
            else:
                unresolved.append(reference)
    if troubles and not snapshots:
        return troubles[-1]
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
    return is_tagged(resource, "SUBSETTED")


def moment(time: datetime) -> str:
    """As a search parameter takes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
