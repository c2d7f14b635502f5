"""What a FHIR server tells a subscriber, whatever its shape: the facts that `subscription` finds."""

from dataclasses import dataclass
from typing import Literal

from fhir_mappers.translation import MapWarning, Refusal

Kind = Literal[
    "handshake",  # the server tries whether somebody listens
    "heartbeat",  # nothing happened, the Subscription lives
    "event",  # by topic; an event without a reference says only that something changed
    "query-status",  # the answer to $status
    "query-event",  # the answer to $events
    "resource",  # a server without topics names, or sends, what changed
    "empty",  # something changed; what, must be asked
    "unreadable",  # see `refusal`
]


@dataclass(frozen=True, slots=True)
class Focus:
    """The resource an event is about: by its id, else by an identifier of its own."""

    type: str
    id: str = ""
    identifier: str = ""  # system|value


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    number: int | None = None  # counted by the server, per Subscription; None: it does not, or not so
    focus: Focus | None = None  # None: not said, or nothing that may be followed
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, understood."""

    kind: Kind
    subscription: str = ""  # id of the Subscription, '' where the server does not say
    topic: str = ""  # canonical URL, '' where there is none
    events: tuple[Event, ...] = ()
    status: str = ""  # of the Subscription: requested, active, error, off, entered-in-error
    events_since_start: int | None = None  # the highest number there is, as far as the server says
    errors: tuple[str, ...] = ()  # codes
    warnings: tuple[MapWarning, ...] = ()
    refusal: Refusal | None = None
