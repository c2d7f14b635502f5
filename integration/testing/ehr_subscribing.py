"""An EHR of tests that tells of changes: Subscriptions in memory, which a test stops, loses or counts for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_subscribing import WELL, Gone, Offer, Standing

if TYPE_CHECKING:
    from collections.abc import Collection

    from integration.ports.ehr_reading import Reference
    from integration.ports.ehr_subscribing import Kind, Trouble, Wish

EVERYTHING = Offer(
    server="A server of tests",
    fhir_version="4.0.1",
    subscribes=True,
    classic=True,
    types=frozenset({"Appointment", "Patient", "CommunicationRequest"}),
)


@dataclass
class FakeEhrSubscriber:
    """See `integration.ports.ehr_subscribing.EhrSubscriber`."""

    offered: Offer = EVERYTHING
    away: TryLater | None = None
    refuses: set[Kind] = field(default_factory=set)
    begins_as: str = WELL  # the status of what is made or mended
    past: dict[int, Reference] | None = None  # what $events tells; None: it is not offered
    wishes: dict[str, Wish] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # what was done, word by word

    def offer(self) -> Offer | Trouble:
        """As the test has it."""
        return self.away or self.offered

    def ensure(self, wish: Wish, ehr_id: str = "", *, dry: bool = False) -> Standing | Trouble:
        """By id, else by type, topic and endpoint."""
        if self.away is not None:
            return self.away
        if wish.kind in self.refuses:
            return NotWritable("the EHR refused it: HTTP 422")
        there = [ehr_id] if self._serves(ehr_id, wish) else []
        there += [each for each in self.wishes if each not in there and self._serves(each, wish)]
        if not there:
            return self._begin(wish, "", "made", dry=dry)
        found = Standing(there[0], self.statuses[there[0]])
        if self.wishes[found.ehr_id] == wish and found.status not in {"error", "off"}:
            return found
        return self._begin(wish, found.ehr_id, "mended", dry=dry)

    def look(self, ehr_id: str, kind: Kind) -> Standing | Gone | Trouble:
        """As it stands."""
        self.asked.append(f"look {ehr_id}")
        if self.away is not None:
            return self.away
        if ehr_id not in self.wishes:
            return Gone()
        count = self.counts.get(ehr_id) if kind == "topic" else None
        return Standing(ehr_id, self.statuses[ehr_id], events=count)

    def events(self, ehr_id: str, first: int, last: int) -> Collection[Reference] | Trouble:
        """From `past`."""
        self.asked.append(f"events {ehr_id} {first} {last}")
        if self.away is not None:
            return self.away
        if self.past is None:
            return NotWritable("not offered")
        return [self.past[number] for number in range(first, last + 1)]

    def remove(self, ehr_id: str) -> Trouble | None:
        """For good."""
        if self.away is not None:
            return self.away
        self.asked.append(f"remove {ehr_id}")
        self.wishes.pop(ehr_id, None)
        self.statuses.pop(ehr_id, None)
        return None

    def _begin(self, wish: Wish, ehr_id: str, did: str, *, dry: bool) -> Standing:
        given = ehr_id or f"sub{len(self.asked) + len(self.wishes) + 1}"
        standing = replace(Standing(given, self.begins_as), did=did)  # type: ignore[arg-type] # one of its words
        if dry:
            return replace(standing, ehr_id=ehr_id, status="requested")
        self.asked.append(f"{did} {given}")
        self.wishes[given], self.statuses[given] = wish, self.begins_as
        return standing

    def _serves(self, ehr_id: str, wish: Wish) -> bool:
        known = self.wishes.get(ehr_id)
        return known is not None and (known.kind, known.topic, known.resource_type, known.endpoint) == (
            wish.kind,
            wish.topic,
            wish.resource_type,
            wish.endpoint,
        )
