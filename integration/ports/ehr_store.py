"""What a store keeps of the EHR's FHIR server: what is to be read there, and how far we have listened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.ports.ehr_reading import Reference, Snapshot

WantState = Literal["pending", "read", "refused"]


@dataclass(frozen=True, slots=True)
class Want:
    """A resource of the EHR's that is to be read, as somebody said it changed; unique by feed and reference.

    Told again while it waits, it is read once: its revision grows.
    """

    id: int  # 0 until stored
    feed: str
    reference: Reference
    told_at: datetime  # wall; when it was told of last
    state: WantState = "pending"
    revision: int = 1
    tries: int = 0
    next_try_at: datetime | None = None  # wall
    reason: str | None = None
    deleted: bool = False  # it was said to be gone
    inbox_id: int | None = None  # the notification that told last


class WantRows(Protocol):
    """What is to be read."""

    def tell(
        self,
        feed: str,
        references: Sequence[Reference],
        at: datetime,
        *,
        deleted: bool = False,
        inbox_id: int | None = None,
    ) -> None:
        """They have changed: pending (again), to be read at once."""

    def claim(self, now: datetime, lease_until: datetime) -> Want | None:
        """A pending one due at or before `now` (wall), leased as a write-back is, the oldest first."""

    def settle(self, want: Want) -> None:
        """Write state, tries, next_try_at, reason; end the lease. Told again meanwhile, it stays pending."""

    def waits(self, feeds: Collection[str], references: Collection[Reference]) -> bool:
        """Whether any is pending or refused: its appointment must not be texted about as it is known.

        What the EHR will not show any more holds as a dead message does (promise 3).
        """

    def count(self, state: WantState) -> int:
        """How many are in a state."""

    def reopen(self, feed: str | None = None) -> int:
        """Those refused are pending again; how many."""


@dataclass(frozen=True, slots=True)
class Poll:
    """How far one feed has asked one place (or, with "", all places) what changed. Times are wall."""

    feed: str
    location: str = ""
    changed_since: datetime | None = None  # asked up to here; None: never, the first answer is a backfill
    covered_until: datetime | None = None  # all that starts before then had been read when all was last read
    next_at: datetime | None = None
    tries: int = 0
    reason: str | None = None


class SnapshotRows(Protocol):
    """What was read of each resource last."""

    def renew(self, snapshot: Snapshot, feed: str, asked_at: datetime) -> bytes | None:
        """It read so, asked for at this time (wall): the digest under which to keep it.

        None when it read so the last time, or another has asked later and been quicker. A state that returns
        gets another digest than it had before.
        """

    def knows(self, feed: str, reference: Reference) -> bool:
        """Whether it was ever read."""


class PollRows(Protocol):
    """Who is asked, and when again."""

    def want(self, feed: str, location: str, at: datetime) -> None:
        """Ask at this time, or earlier if it was to be earlier; while it is being asked, again after that."""

    def claim(self, now: datetime, lease_until: datetime) -> Poll | None:
        """The one due the longest at or before `now`, leased."""

    def hold(self, poll: Poll, lease_until: datetime) -> None:
        """It takes longer: nobody else gets it before `lease_until`."""

    def settle(self, poll: Poll) -> None:
        """Write it, if it has not been forgotten; end the lease. Wanted meanwhile, it is due as wanted."""

    def all(self) -> Sequence[Poll]:
        """All, by feed and location; not claimed."""

    def forget(self, feed: str, locations: Collection[str]) -> None:
        """Nobody asks there any more."""


@dataclass(frozen=True, slots=True)
class EhrSubscription:
    """A Subscription of ours on the EHR, as far as we know. Times are wall."""

    feed: str
    resource_type: str  # Appointment, Patient, CommunicationRequest
    ehr_id: str
    kind: Literal["topic", "classic"]
    status: str  # requested | active | error | off, as the EHR said last; "" while there is none yet
    topic: str = ""  # its canonical URL; "" for a classic one
    last_event: int | None = None  # the highest event number all of whose predecessors we have
    ahead: tuple[int, ...] = ()  # those beyond it that we have
    told_of: int | None = None  # the highest number the EHR has named, whether or not it reached us
    gap_since: datetime | None = None  # when we first missed one
    heard_at: datetime | None = None  # its last sign of life
    event_at: datetime | None = None  # when it last told of an event
    next_look_at: datetime | None = None
    tries: int = 0  # looks in a row that found it not well
    reason: str | None = None  # why it is not well, without personal data


class EhrSubscriptionRows(Protocol):
    """Our Subscriptions; unique by feed, resource type and topic."""

    def find(self, feed: str, resource_type: str, topic: str = "") -> EhrSubscription | None:
        """One of them, locked until the unit ends."""

    def by_ehr_id(self, feed: str, ehr_id: str) -> EhrSubscription | None:
        """The one a notification names, locked until the unit ends."""

    def save(self, subscription: EhrSubscription) -> None:
        """Insert, or write over. A next look that stays when it was leaves a lease, another ends it."""

    def forget(self, feed: str, resource_type: str, topic: str = "") -> None:
        """It is no longer ours."""

    def claim(
        self, subscription: EhrSubscription, now: datetime, lease_until: datetime
    ) -> EhrSubscription | None:
        """The one of this key, leased; inserted as given if there is none. None while another has it."""

    def claim_due(self, now: datetime, lease_until: datetime) -> EhrSubscription | None:
        """One whose next look is due, leased."""

    def all(self) -> Sequence[EhrSubscription]:
        """All, by feed and type; not claimed."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of the EHR's authorization server; sealed in the store."""

    value: str
    expires_at: datetime  # wall
    scope: str  # as granted


class TokenRows(Protocol):
    """The token that all processes share, one for each server and client (`name`)."""

    def get(self, name: str) -> AccessToken | None:
        """The one there is, whether or not it has run out."""

    def claim_refresh(self, name: str, now: datetime, lease_until: datetime) -> bool:
        """Whether this caller may fetch a new one; False while another is at it."""

    def save(self, name: str, token: AccessToken) -> None:
        """A new one; ends the lease."""

    def rest(self, name: str, until: datetime) -> None:
        """None could be had: nobody may try again before then (wall)."""

    def drop(self, name: str, value: str) -> None:
        """The server refused this one: forget it, if it is still the one kept. A lease goes on."""
