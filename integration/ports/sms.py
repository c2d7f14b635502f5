"""What the pipeline asks of an SMS provider, in our words; adapters and fakes answer.

Expected outcomes are return values. Only surprises are raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from integration.domain.delivery_status import DeliveryStatus
    from integration.domain.failure import Failure
    from integration.domain.line_type import LineType


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text for a provider to send."""

    to: str  # E.164
    body: str
    callback_url: str  # carries the attempt's token in its path
    valid_for: timedelta  # drop it when it could not be passed on within this time
    sender: str | None = None  # a number, short code or messaging service of ours; None: the usual one


@dataclass(frozen=True, slots=True)
class ProviderText:
    """A text as the provider knows it."""

    provider_id: str
    to: str
    body: str
    word: str  # the provider's own status word
    status: DeliveryStatus
    created_at: datetime
    sender: str | None = None
    error_code: str | None = None
    segments: int | None = None
    price: str | None = None  # decimal, in `currency`; None until the provider has billed it
    currency: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """What the provider charged for one text or reply."""

    provider_id: str
    segments: int | None  # None: not known yet
    price: str | None  # decimal, of the whole; None: not billed yet
    currency: str | None


@dataclass(frozen=True, slots=True)
class Bill:
    """One page of a day's list."""

    billed: Sequence[Billed]
    more: str | None  # what to ask the next page with; None: this was the last


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it."""

    text: ProviderText


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider said no; nothing was sent."""

    code: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many requests: never processed, safe to offer again (HTTP 429)."""

    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection was made, so nothing can have left: safe to offer again, after a pause."""

    why: str  # a word of ours, such as `connection-refused`


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows: it may have been sent. Look before anything else."""

    why: str  # a word of ours, such as `read-timeout`


SendOutcome = Accepted | Refused | Throttled | NotSent | Uncertain


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One status callback, read."""

    provider_id: str
    word: str
    status: DeliveryStatus | None  # None: a word we do not know
    error_code: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class InboundText:
    """One text from a patient, as the provider hands it over."""

    provider_id: str
    from_number: str  # E.164, or as the provider wrote it
    to_number: str  # our sender
    body: str
    media: int = 0  # how many pictures came with it
    segments: int = 1
    partial: bool = False  # a part of it did not arrive
    keyword_handled: str | None = None  # stop | start | help: the provider has already answered it


class SmsProvider(Protocol):
    """An SMS provider. Send, verify, read status and read reply live in one file."""

    name: str
    usual_sender: str | None  # whom a text leaves from that names no sender; None: nobody can tell
    loopback: bool  # whether it can only ever reach this machine
    signature_header: str  # the HTTP header of its webhooks that carries the signature

    def send(self, text: OutgoingText) -> SendOutcome:
        """Offer one text; blocks at most about ten seconds."""

    def find(self, to: str, since: datetime) -> Sequence[ProviderText]:
        """All texts to `to` created at or after `since` (to the second), newest first.

        Raises `ProviderUnavailable`.
        """

    def fetch(self, provider_id: str) -> ProviderText | None:
        """One text, or None if the provider does not know it. Raises `ProviderUnavailable`."""

    def bill(self, day: datetime, page: str | None = None) -> Bill:
        """What was charged for what was sent, either way, on a GMT day. Raises `ProviderUnavailable`."""

    def line_type(self, number: str) -> LineType:
        """What kind of line a number (E.164) is; each question may cost. Raises `ProviderUnavailable`."""

    def verify(self, url: str, form: Mapping[str, Sequence[str]], signature: str) -> bool:
        """Whether the provider signed this webhook; `url` is the raw public URL."""

    def read_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback. Unknown words and keys never raise."""

    def read_reply(self, form: Mapping[str, str]) -> InboundText:
        """Read an inbound text."""


class ProviderUnavailable(Exception):
    """The SMS provider could not be asked."""
