"""A site in a test that reads an EHR: the real steps over a store, an EHR in memory, and clocks to turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from integration.domain.circuit import Circuit
from integration.pipeline.reading.fetch import Fetching
from integration.pipeline.reading.poll import Polling
from integration.pipeline.watch import Watching
from integration.ports.ehr_reading import Reference, Window
from integration.settings.model import FhirHearing
from integration.testing.ehr_reading import FakeEhrReader
from tests.adapters.store.records import add_visit
from tests.settings import feed, settings
from tests.site import Site, TurnedClock

if TYPE_CHECKING:
    from integration.ports.ehr_store import WantState
    from integration.ports.store import KeptMessage, Store
    from integration.settings.model import Feed

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANA = {"resourceType": "Patient", "id": "ana", "name": [{"family": "Diaz", "given": ["Ana"]}]}


def fhir_feed(**changes: Any) -> Feed:
    """The feed `ehr`, asked every five minutes."""
    how = {"poll": 5 * MINUTE, "horizon": 90 * DAY}
    named = {each: changes.pop(each) for each in list(changes) if each in FhirHearing.__slots__}
    return feed(name="ehr", scope="ehr", fhir=FhirHearing(**{**how, **named}), **changes)


def appointment(number: int = 1, *, days: float = 7, **changes: Any) -> dict[str, Any]:
    """One of Ana's, so many days ahead."""
    start = NOW + days * DAY
    return {
        "resourceType": "Appointment",
        "id": f"v{number}",
        "status": "booked",
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
        "participant": [{"actor": {"reference": "Patient/ana"}, "status": "accepted"}],
        **changes,
    }


class ReadingSite:
    """Fetch and poll, and what they kept."""

    def __init__(self, store: Store, **changes: Any) -> None:
        self.ehr = FakeEhrReader()
        self.ehr.put(ANA)
        self.knocks: list[str] = []
        self.site = Site(store, TurnedClock(NOW), settings=settings(feeds={"ehr": fhir_feed(**changes)}))
        self.site.change(reader=self.ehr, knock=self.knocks.append)
        self.restart()

    @property
    def store(self) -> Store:
        """Where all is kept."""
        return self.site.store

    def restart(self, **changes: Any) -> None:
        """As another process would begin, perhaps with another feed."""
        if changes:
            self.site.change(settings=settings(feeds={"ehr": fhir_feed(**changes)}))
        circuit = Circuit()
        self.fetching = Fetching(self.site.workshop, circuit)
        self.polling = Polling(self.site.workshop, circuit)

    def watching(self) -> Watching:
        """Who hears silence."""
        return Watching(self.site.workshop)

    def later(self, by: timedelta) -> None:
        """Turn both clocks."""
        self.site.clock.now += by

    @property
    def now(self) -> datetime:
        """What the clocks show."""
        return self.site.clock.now

    def tell(self, *references: Reference, deleted: bool = False) -> None:
        """As a notification would."""
        with self.store.unit() as unit:
            unit.wants.tell("ehr", references, self.now, deleted=deleted)

    def poll(self) -> None:
        """Until nothing is due."""
        for _ in range(100):
            if not self.polling.next():
                return
        raise AssertionError("polling never comes to rest")

    @property
    def messages(self) -> list[KeptMessage]:
        """What was kept, oldest first."""
        with self.store.unit() as unit:
            return [each for each in unit.inbox.listing(limit=10_000) if each.channel == "ehr"]

    @property
    def kept(self) -> list[tuple[str, bool]]:
        """What each message is about (`-`: it is deleted), and whether it plans the future only."""
        return [(_about(each.payload), each.replayed) for each in self.messages]

    @property
    def windows(self) -> list[Window]:
        """What was asked, all pages of one as one."""
        return [each for each in self.ehr.asked if isinstance(each, Window)]

    @property
    def reads(self) -> list[Reference]:
        """What was read singly."""
        return [each for each in self.ehr.asked if isinstance(each, Reference)]

    def count(self, state: WantState) -> int:
        """How many wants are in a state."""
        with self.store.unit() as unit:
            return unit.wants.count(state)

    @property
    def tasks(self) -> list[str]:
        """What a person is asked to see to."""
        return [each.reason for each in self.site.tasks]

    def add_visit(self, ehr_id: str, *, days: float = 7, **changes: Any) -> None:
        """A visit that the mapper has stored before."""
        number = int("".join(each for each in ehr_id if each.isdigit()))
        with self.store.unit() as unit:
            visit, _ = add_visit(unit, number)
            stored = unit.appointments.get(visit)
            moved = replace(stored.slot, start=NOW + days * DAY)
            unit.appointments.save(
                replace(stored, feed="ehr", scope=stored.scope, ehr_id=ehr_id, slot=moved, **changes)
            )


def _about(payload: bytes) -> str:
    entry = orjson.loads(payload)["entry"][0]
    resource = entry.get("resource")
    return (
        f"-{entry['request']['url']}" if resource is None else f"{resource['resourceType']}/{resource['id']}"
    )
