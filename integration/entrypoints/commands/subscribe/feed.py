"""Subscribes for one feed: tries the ways its server offers, waits for handshakes, says what is not heard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from integration.pipeline.subscriptions.choice import choose, types
from integration.pipeline.subscriptions.making import Busy, Maker
from integration.ports.ehr import NotWritable
from integration.ports.ehr_store import EhrSubscription
from integration.ports.ehr_subscribing import BEGINNING, WELL, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from integration.pipeline.subscriptions.choice import Choice, Way
    from integration.ports.ehr_reading import Heard
    from integration.ports.ehr_subscribing import EhrSubscriber, Offer, Trouble
    from integration.ports.store import Store
    from integration.settings.model import Feed

HANDSHAKE_WITHIN: Final = 30.0  # seconds
_PAUSE: Final = 0.5  # seconds between two looks
_REFUSED: Final = "refused"
_BUSY: Final = "busy"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, or would be, about one Subscription."""

    resource_type: str
    kind: str
    topic: str
    did: str  # found | made | mended | removed | refused | busy
    status: str
    ehr_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something the operator should know."""

    text: str
    wrong: bool = False  # something that should be heard of is not


@dataclass(frozen=True, slots=True)
class Doer:
    """One feed at its server."""

    store: Store
    subscriber: EhrSubscriber
    feed: Feed
    endpoint: str
    wall: Callable[[], datetime]
    pause: Callable[[float], None]
    dry: bool = False

    def subscribe(self, offer: Offer, other_feeds: Sequence[str]) -> tuple[list[Done], list[Note]]:
        """`other_feeds`: those that tell of the same appointments by HL7 v2."""
        assert self.feed.fhir is not None  # noqa: S101 - it hears FHIR
        polls = self.feed.fhir.poll is not None
        choices = choose(offer, self.feed.fhir)
        if not choices:
            return [], [_without_subscription(self.feed.name, other_feeds, polls=polls)]
        done: list[Done] = []
        notes: list[Note] = []
        for choice in choices:
            tried, way = self._first_that_is_taken(choice)
            done += tried
            notes += self._notes(choice.resource_type, tried, way, polls=polls)
        if not polls and not any(note.wrong for note in notes):
            notes.append(
                Note(
                    "Notifications may be lost, by the standard's own words: set `poll` "
                    f'(poll = "15m") in [fhir] of config/feeds/{self.feed.name}.toml to find what was.'
                )
            )
        heard = types(offer, self.feed.fhir)
        if "Patient" not in heard:
            notes.append(Note("The server has no Patient: changed numbers are seen with appointments only."))
        return done, notes

    def _first_that_is_taken(self, choice: Choice) -> tuple[list[Done], Way | None]:
        """Try the ways one after another; what was made for one that is not taken is taken back."""
        refusals: list[Done] = []
        for way in choice.ways:
            tried = [self._one(choice.resource_type, way, topic) for topic in way.topics]
            if any(each.did != _REFUSED for each in tried):
                if not self.dry:
                    self._take_back(choice.resource_type, way)
                return [*refusals, *tried], way
            refusals += tried
        return refusals, None

    def _one(self, resource_type: Heard, way: Way, topic: str) -> Done:
        row = EhrSubscription(self.feed.name, resource_type, "", way.kind, "", topic)
        answer = self._rehearsed(row) if self.dry else self._made(row)
        if isinstance(answer, Standing) and not self.dry:
            answer = self._when_it_has_begun(answer, row)
        if isinstance(answer, Busy):
            return Done(resource_type, way.kind, topic, _BUSY, "", "", "another process is at it")
        if not isinstance(answer, Standing):
            later = "" if isinstance(answer, NotWritable) else "not now: "
            return Done(resource_type, way.kind, topic, _REFUSED, "", "", f"{later}{answer.reason}")
        did = f"would be {answer.did}" if self.dry and answer.did != "found" else answer.did
        return Done(resource_type, way.kind, topic, did, answer.status, answer.ehr_id, way.why)

    def _maker(self) -> Maker:
        assert self.feed.fhir is not None  # noqa: S101 - it hears FHIR
        return Maker(self.store, self.subscriber, self.feed.name, self.feed.fhir, self.endpoint, self.wall)

    def _made(self, row: EhrSubscription) -> Standing | Trouble | Busy:
        """Make it; while another process looks after it, wait."""
        end = time.monotonic() + HANDSHAKE_WITHIN
        answer = self._maker().make(row)
        while isinstance(answer, Busy) and time.monotonic() < end:
            self.pause(_PAUSE)
            answer = self._maker().make(row)
        return answer

    def _rehearsed(self, row: EhrSubscription) -> Standing | Trouble:
        with self.store.reading() as unit:
            known = [each for each in unit.subscriptions.all() if _key(each) == _key(row)]
        ehr_id = known[0].ehr_id if known else ""
        return self.subscriber.ensure(self._maker().wish(row), ehr_id, dry=True)

    def _when_it_has_begun(self, standing: Standing, row: EhrSubscription) -> Standing:
        """How it stands once its handshake has been, or has not been in time."""
        end = time.monotonic() + HANDSHAKE_WITHIN
        seen = standing
        while seen.status == BEGINNING and time.monotonic() < end:
            self.pause(_PAUSE)
            looked = self.subscriber.look(standing.ehr_id, row.kind)
            if isinstance(looked, Standing):
                seen = looked
        return Standing(standing.ehr_id, seen.status, standing.did, seen.events, standing.removed)

    def _take_back(self, resource_type: str, way: Way) -> None:
        """What another way was taken for before."""
        with self.store.reading() as unit:
            rows = [
                each
                for each in unit.subscriptions.all()
                if (each.feed, each.resource_type) == (self.feed.name, resource_type)
                and (each.kind, each.topic) not in {(way.kind, topic) for topic in way.topics}
            ]
        for row in rows:
            if not row.ehr_id or self.subscriber.remove(row.ehr_id) is None:
                with self.store.unit() as unit:
                    unit.subscriptions.forget(row.feed, row.resource_type, row.topic)

    def _notes(
        self, resource_type: str, tried: Sequence[Done], way: Way | None, *, polls: bool
    ) -> list[Note]:
        file = f"config/feeds/{self.feed.name}.toml"
        notes = []
        matters = resource_type == "Appointment" and not polls
        if way is None:
            reasons = "; ".join(dict.fromkeys(each.why for each in tried)) or "it offers no way to"
            remedy = (
                "what changes is asked for" if polls else f'set `poll` (poll = "10m") in [fhir] of {file}'
            )
            notes.append(
                Note(
                    f"{resource_type}: the server will not tell of changes ({reasons}): {remedy}.",
                    wrong=matters,
                )
            )
        elif not way.whole and resource_type == "Appointment":
            remedy = "asking finds them" if polls else f'set `poll` (poll = "10m") in [fhir] of {file}'
            notes.append(
                Note(
                    f"Appointment: these topics may not tell that one was cancelled or moved: {remedy}.",
                    wrong=matters,
                )
            )
        if way is not None:
            notes += [
                Note(f"{resource_type}: {each.topic or 'it'} was refused: {each.why}.", wrong=True)
                for each in tried
                if each.did == _REFUSED and each.topic in way.topics and each.kind == way.kind
            ]
        notes += [
            Note(f"{resource_type}: {each.why}; nothing was done: run it again later.", wrong=True)
            for each in tried
            if each.did == _BUSY
        ]
        notes += [
            Note(
                f"{resource_type}: Subscription/{each.ehr_id} is {each.status}, not active: the server must "
                f"reach {self.endpoint}, and we must be running.",
                wrong=True,
            )
            for each in tried
            if each.did != _REFUSED and each.status not in {WELL, ""} and not self.dry
        ]
        return notes


def _key(row: EhrSubscription) -> tuple[str, str, str]:
    return row.feed, row.resource_type, row.topic


def _without_subscription(feed: str, other_feeds: Sequence[str], *, polls: bool) -> Note:
    """What to do at a server that has none, as Epic's and Oracle's have not."""
    if polls:
        return Note("The server has no Subscription: it is asked what changed, as `poll` says.")
    if other_feeds:
        return Note(
            f"The server has no Subscription: what changes is told by {', '.join(other_feeds)} (HL7 v2)."
        )
    return Note(
        f'The server has no Subscription: set `poll` (poll = "10m") in [fhir] of config/feeds/{feed}.toml, '
        "or have the EHR send its HL7 v2 scheduling feed.",
        wrong=True,
    )
