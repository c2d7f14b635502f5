"""What the pipeline asks of the EHR's FHIR server so that it tells us what changes: Subscriptions of ours.

Only Subscriptions that lead to our own endpoint are ever touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from integration.ports.ehr_reading import Heard, Reference

Kind = Literal["topic", "classic"]
Trouble = NotWritable | TryLater

WELL: Final = "active"
BEGINNING: Final = "requested"  # its handshake is yet to come


@dataclass(frozen=True, slots=True)
class Topic:
    """A SubscriptionTopic the server advertises."""

    url: str  # canonical
    # Resource type → whether it tells of every change of such a resource; empty: it does not say.
    tells: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server says it can do."""

    server: str  # who it says it is
    fhir_version: str  # "4.0.1", "" when it does not say
    subscribes: bool  # a Subscription may be created
    classic: bool  # by search criteria: before R5
    types: frozenset[str]  # the resource types it has; empty: it does not say
    topics: tuple[Topic, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """The Subscription there should be."""

    feed: str  # whose secret its notifications carry
    resource_type: Heard
    kind: Kind
    topic: str  # canonical, "" for a classic one
    endpoint: str  # ours; none of anybody else's leads there
    payload: Literal["id-only", "empty", "full-resource"]
    heartbeat: timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """A Subscription of ours as the server has it."""

    ehr_id: str  # "" when it is only about to be made
    status: str  # requested | active | error | off
    did: Literal["found", "made", "mended"] = "found"
    events: int | None = None  # how many there were, as far as the server says
    removed: int = 0  # others that did the same for us


@dataclass(frozen=True, slots=True)
class Gone:
    """The server has it no more."""


class EhrSubscriber(Protocol):
    """The EHR's FHIR server, for those who would hear of changes. Never raises for what the EHR does."""

    def offer(self) -> Offer | Trouble:
        """What it can do; asks it anew."""

    def ensure(self, wish: Wish, ehr_id: str = "", *, dry: bool = False) -> Standing | Trouble:
        """Find it (by the id it had, else by endpoint), make it, or mend what differs; one is left of it.

        One that is in error or off is asked to begin again. `dry` says what would be done and does nothing.
        """

    def look(self, ehr_id: str, kind: Kind) -> Standing | Gone | Trouble:
        """How it stands: by $status where there is one, else as it reads."""

    def events(self, ehr_id: str, first: int, last: int) -> Collection[Reference] | Trouble:
        """What events of these numbers (both inclusive) were about; NotWritable where it cannot tell."""

    def remove(self, ehr_id: str) -> Trouble | None:
        """Delete it, or at least turn it off; None when it is gone."""
