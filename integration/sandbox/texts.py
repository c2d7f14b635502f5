"""One text as the emulated network keeps it, and the shelf of the newest of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.domain.sms_segments import Segments

API_VERSION = "2010-04-01"
PRICE_A_SEGMENT = 0.0083  # USD, an ordinary US long code

# A message's own status moves forward only; callbacks may say anything in any order.
RANK = {
    "scheduled": 0,
    "accepted": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "delivered": 6,
    "undelivered": 6,
    "failed": 6,
    "canceled": 6,
    "read": 7,
}
FINAL = 6


@dataclass(slots=True)
class Webhook:
    """One thing told to the product, and how it took it."""

    sid: str
    word: str  # the status it tells; `received` for a reply
    url: str  # as posted, without the fragment
    idempotency_token: str
    answers: list[str] = field(default_factory=list)  # an HTTP status or what broke, one an attempt

    @property
    def heard(self) -> bool:
        """Whether the last attempt was answered with a 2xx."""
        return bool(self.answers) and self.answers[-1].startswith("2")


@dataclass(slots=True, eq=False)
class Text:
    """A message resource, and what the network knows beside it."""

    sid: str
    number: int  # grows by one with every text; the list's order
    to: str
    body: str
    weight: Segments  # as the carrier counts them
    direction: str  # outbound-api | inbound | network (the network's own answer to a keyword: no resource)
    status: str
    created_at: datetime
    shown_at: datetime  # the calendar's time, for the phone page and the record
    stored_at: float  # seconds of the network's own clock; the list may lag behind it
    sender: str | None = None  # None until a service has chosen one
    service: str | None = None
    callback: str | None = None
    validity: float = 36_000  # seconds
    media: tuple[str, ...] = ()
    counted: bool = False  # a service counts segments only once a sender is chosen
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    error_code: int | None = None
    price: str | None = None
    discard: bool = False  # ContentRetention=discard
    webhooks: list[Webhook] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether its life has ended."""
        return RANK.get(self.status, FINAL) >= FINAL

    @property
    def handset(self) -> str:
        """The patient's number."""
        return (self.sender or "") if self.direction == "inbound" else self.to

    def advance(self, word: str, now: datetime, code: int | None = None) -> None:
        """Take a new status if it moves the text forward."""
        if RANK[word] <= RANK[self.status]:
            return
        self.status = word
        self.updated_at = now
        if code is not None:
            self.error_code = code
        if word == "sent" or (RANK[word] >= FINAL and word not in {"failed", "canceled"}):
            self.sent_at = self.sent_at or now
            self.price = self.price or f"-{PRICE_A_SEGMENT * self.weight.segments:.5f}"
        if self.discard and RANK[word] >= FINAL:
            self.body = ""

    def resource(self, account_sid: str) -> dict[str, Any]:
        """The message as the API shows it: RFC 2822 dates, numbers as strings, null until known."""
        uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}"
        return {
            "account_sid": account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created_at),
            "date_sent": format_datetime(self.sent_at) if self.sent_at else None,
            "date_updated": format_datetime(self.updated_at or self.created_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media)),
            "num_segments": str(self.weight.segments) if self.counted else "0",
            "price": self.price,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


class Shelf:
    """The newest texts, found by SID and by handset. Its owner holds a lock around every call."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._all: dict[str, Text] = {}  # in order of arrival
        self._by_handset: dict[str, deque[Text]] = {}

    def add(self, text: Text) -> None:
        """Keep a text; beyond what the shelf holds the oldest falls off."""
        self._all[text.sid] = text
        self._by_handset.setdefault(text.handset, deque()).append(text)
        if len(self._all) > self._keep:
            self.remove(next(iter(self._all.values())))

    def get(self, sid: str) -> Text | None:
        """One text by its SID."""
        return self._all.get(sid)

    def remove(self, text: Text) -> None:
        """Forget a text."""
        del self._all[text.sid]
        thread = self._by_handset[text.handset]
        thread.remove(text)
        if not thread:
            del self._by_handset[text.handset]

    def newest(self, handset: str | None = None) -> Iterator[Text]:
        """Texts, newest first; all of them, or one handset's."""
        return (
            reversed(self._all.values()) if handset is None else reversed(self._by_handset.get(handset, ()))
        )

    def handsets(self) -> list[str]:
        """Every number that has texts, the most recently used first."""
        return sorted(self._by_handset, key=lambda number: -self._by_handset[number][-1].number)
