"""What the listener asks of its host: keep this message, then tell me so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One HL7 v2 message exactly as it came over the wire."""

    channel: str
    """The listener's channel: the feed that this port belongs to."""
    control_id: str
    """MSH-10, each byte as one character (ISO 8859-1); empty when it was absent or could not be read."""
    payload: bytes
    """The bytes of the message, undecoded; may hold any byte but those that MLLP takes for itself."""
    digest: bytes
    """SHA-256 of `payload`, 32 bytes. Channel, control id and digest agree: the same message."""
    received_at: datetime
    """When its last byte was read, aware, in UTC."""
    refusal: str | None = None
    """Why it was answered AR or CR although it is kept, e.g. "unreadable-header MSH-2"; usually None."""
    sequence: int | None = None
    """MSH-13, where the feed follows the sequence number protocol (`hl7_listener.sequence`)."""
    has_content: bool = True
    """False for a message that is its sequence number and nothing else: the number counts, no row is kept."""


class Receipt(Enum):
    """What became of one message."""

    STORED = auto()  # durable now; acknowledge AA
    DUPLICATE = auto()  # same MSH-10 and bytes seen before; acknowledge AA again
    REFUSED = auto()  # not durable, and nothing pretends: answer "try later", never AA
    OUT_OF_SEQUENCE = auto()  # not kept: its MSH-13 is not the number that comes next


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What became of a message with a sequence number."""

    receipt: Receipt
    expected: int
    """MSA-4: the number that comes next, or -1 for any. Like the message it would survive a power cut."""


class StoreUnavailable(Exception):
    """The store as a whole takes nothing now: no part of this batch would fare better alone."""


class Inbox(Protocol):
    """Where messages are kept before they are acknowledged."""

    async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
        """Return once every message would survive a power cut.

        One receipt for each message, in their order; a message twice in one call is STORED, then DUPLICATE.
        A message with a sequence number has a `Sequenced` one: its number is judged after those before it.
        Raises `StoreUnavailable` when the store takes nothing, anything else when this batch cannot be
        stored as it is; in both cases none of the batch is kept, and the caller may offer its parts again.
        """
