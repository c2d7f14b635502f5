"""An EHR of tests that is read: resources in memory, shown page by page; a test changes or loses them."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import (
    NotReadable,
    NotThere,
    Page,
    Reference,
    Snapshot,
    Window,
    deletion,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr_reading import Heard

_Trouble = NotReadable | TryLater | Exception


@dataclass
class FakeEhrReader:
    """See `integration.ports.ehr_reading.EhrReader`."""

    resources: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)  # None: deleted
    page_size: int = 10
    tells_changes: bool = True  # it can be asked what changed since a moment
    by_location: bool = False  # it must be asked location by location
    clock: datetime | None = None  # its own
    asked: list[Reference | Window] = field(default_factory=list)
    asked_for_requests: list[datetime | None] = field(default_factory=list)
    requests_trouble: NotReadable | TryLater | None = None
    hidden: set[str] = field(default_factory=set)  # ids that its searches show only a part of
    guardians_asked: set[bool] = field(default_factory=set)
    _next: deque[_Trouble | None] = field(default_factory=deque)

    def put(self, resource: dict[str, Any], *, at: datetime | None = None) -> None:
        """It holds this now, changed at this time; None: it does not say when."""
        key = resource["resourceType"], resource["id"]
        former = self.resources.get(key) or {}
        version = str(int(former.get("meta", {}).get("versionId", "0")) + 1)
        meta = {} if at is None else {"meta": {"versionId": version, "lastUpdated": at.isoformat()}}
        self.resources[key] = {**resource, **meta}

    def delete(self, resource_type: str, resource_id: str) -> None:
        """It says so when it is asked for it."""
        self.resources[resource_type, resource_id] = None

    def lose(self, resource_type: str, resource_id: str) -> None:
        """It knows nothing of it any more."""
        del self.resources[resource_type, resource_id]

    def will(self, *troubles: _Trouble | None) -> None:
        """Answer the next questions with these (raise exceptions); None: as it is. Each page is an answer."""
        self._next.extend(troubles)

    def read(
        self, reference: Reference, *, guardians: bool = False
    ) -> Snapshot | NotThere | NotReadable | TryLater:
        """As it is now."""
        self.asked.append(reference)
        self.guardians_asked.add(guardians)
        trouble = self._trouble()
        if trouble is not None:
            return trouble
        key = (reference.type, reference.id)
        if key not in self.resources:
            return NotThere()
        resource = self.resources[key]
        return deletion(reference) if resource is None else self._snapshot(reference.type, resource)

    def changed(self, window: Window) -> Iterator[Page | NotReadable | TryLater]:
        """In order of id."""
        self.asked.append(window)
        found = sorted(self._within(window), key=lambda each: str(each["id"]))
        for first in range(0, max(len(found), 1), self.page_size):
            trouble = self._trouble()
            if trouble is not None:
                yield trouble
                return
            shown = found[first : first + self.page_size]
            yield Page(
                tuple(self._snapshot("Appointment", each) for each in shown if each["id"] not in self.hidden),
                tuple(Reference("Appointment", each["id"]) for each in shown if each["id"] in self.hidden),
                at=self.clock,
                location=window.location,
            )

    def requested(self, changed_since: datetime | None) -> Iterator[Page | NotReadable | TryLater]:
        """All at once."""
        self.asked_for_requests.append(changed_since)
        if self.requests_trouble is not None:
            yield self.requests_trouble
            return
        held = [each for (kind, _), each in self.resources.items() if kind == "CommunicationRequest" and each]
        if held:
            yield Page(tuple(self._snapshot("CommunicationRequest", each) for each in held))

    def poll_locations(self, wanted: Literal["auto", "date", "location"]) -> bool | TryLater:
        """As it was made."""
        return self.by_location if wanted == "auto" else wanted == "location"

    def _trouble(self) -> NotReadable | TryLater | None:
        trouble = self._next.popleft() if self._next else None
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    def _within(self, window: Window) -> Iterator[dict[str, Any]]:
        for (kind, _), resource in self.resources.items():
            if kind != "Appointment" or resource is None:
                continue
            start = datetime.fromisoformat(resource["start"])
            updated = resource.get("meta", {}).get("lastUpdated")
            old = (
                self.tells_changes
                and window.changed_since is not None
                and updated is not None
                and datetime.fromisoformat(updated) < window.changed_since
            )
            here = not window.location or f"Location/{window.location}" in _named(resource)
            if window.starts <= start < window.ends and here and not old:
                yield resource

    def _snapshot(self, kind: Heard, resource: dict[str, Any]) -> Snapshot:
        others = (self.resources.get((each.split("/")[0], each.split("/")[-1])) for each in _named(resource))
        entries = [{"resource": each} for each in (resource, *others) if each is not None]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return Snapshot(Reference(kind, resource["id"]), json.dumps(bundle, sort_keys=True).encode())


def _named(resource: dict[str, Any]) -> list[str]:
    return [each["actor"]["reference"] for each in resource.get("participant", ())]
