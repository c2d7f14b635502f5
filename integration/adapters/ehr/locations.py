"""The EHR's Locations, remembered: they change seldom, and every appointment names one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from fhir_mappers.from_fhir.elements import part, word
from integration.adapters.ehr.fhir_answers import Held, Missing, Unchanged
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient

LIFE: Final = timedelta(hours=1)  # then the server is asked whether it is still the same (If-None-Match)
MOST: Final = 10_000  # remembered


@dataclass(frozen=True, slots=True)
class _Remembered:
    resource: Resource | None  # None: the server does not show it
    version: str | None
    until: datetime


class Locations:
    """Those of one server; threads may share it."""

    def __init__(self, client: FhirClient, wall: Callable[[], datetime]) -> None:
        self._client = client
        self._wall = wall
        self._lock = Lock()
        self._known: dict[str, _Remembered] = {}

    def get(self, location_id: str) -> Resource | TryLater | None:
        """One of them; None when the server has none by this id, or does not show it to us."""
        now = self._wall()
        known = self._known.get(location_id)
        if known is not None and now < known.until:
            return known.resource
        answer = (
            self._client.read("Location", location_id)
            if known is None or known.version is None
            else self._client.reread("Location", location_id, known.version)
        )
        if isinstance(answer, TryLater):
            return answer
        version: str | None = None
        if isinstance(answer, Unchanged) and known is not None:
            resource, version = known.resource, known.version
        elif isinstance(answer, Missing | NotWritable | Unchanged):
            resource = None
        else:
            resource, version = _shown(answer)
        self._remember(location_id, _Remembered(resource, version, now + LIFE))
        return resource

    def learn(self, location_id: str, resource: Resource) -> None:
        """It was shown beside something else."""
        version = word(part(resource, "meta"), "versionId") or None
        known = _Remembered(resource, version, self._wall() + LIFE)
        self._remember(location_id, known)

    def _remember(self, location_id: str, known: _Remembered) -> None:
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[location_id] = known


def _shown(answer: Held) -> tuple[Resource | None, str | None]:
    return answer.resource, answer.version if answer.resource else None
