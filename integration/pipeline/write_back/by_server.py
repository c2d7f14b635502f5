"""Tells each of the EHR's servers its own facts: one that is away, or slow, holds up no other."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from integration.aftermath import in_time
from integration.domain.circuit import Circuit
from integration.domain.pace import Pace, Progress
from integration.pipeline.write_back import drain

if TYPE_CHECKING:
    from integration.ports.workshop import Workshop

_WITHOUT_EHR: Final = 100  # facts at a time, when only the log is told


class ByServer:
    """The step of one process; what it knows of a server's outage is its own."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        how = workshop.settings.write_back
        self._there_is_an_ehr = workshop.ehr is not None or how.hl7 is not None
        # A second's worth, so that who stops waits no longer.
        self._limit = max(1, int(how.per_second)) if self._there_is_an_ehr else _WITHOUT_EHR
        self._circuits: defaultdict[str, Circuit] = defaultdict(Circuit)
        self._paces: defaultdict[str, Pace] = defaultdict(lambda: Pace(how.per_second))
        self._progress = Progress()

    def drain(self) -> int:
        """Tell what is due, a part of it; how many facts there were. Raises `StoreUnavailable`."""
        workshop = self._workshop
        servers = workshop.servers()
        return sum(
            drain(
                workshop.store,
                workshop.write_back,
                workshop.clock,
                workshop.random,
                self._circuits[server],
                is_sensitive=workshop.settings.is_sensitive,
                kinds=kinds if len(servers) > 1 else None,
                in_time=lambda task: in_time(task, workshop.settings),
                limit=self._limit,
                pace=self._paces[server] if self._there_is_an_ehr else None,
                progress=self._progress,
            )
            for server, kinds in servers.items()
        )
