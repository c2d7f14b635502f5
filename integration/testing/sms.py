"""An SMS provider in memory: the same suite as Twilio's adapter, and the same things that may go wrong."""

from __future__ import annotations

import hmac
import threading
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from integration.domain.clock import wall_now
from integration.domain.delivery_status import DeliveryStatus, advance
from integration.domain.failure import Failure
from integration.domain.line_type import LineType
from integration.domain.sms_segments import measure
from integration.ports.sms import (
    Accepted,
    Bill,
    Billed,
    InboundText,
    NotSent,
    ProviderText,
    ProviderUnavailable,
    Refused,
    StatusReport,
    Throttled,
    Uncertain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from integration.ports.sms import OutgoingText, SendOutcome

SENDER = "+15005550006"
OPTED_OUT = "opted-out"


class Trouble(StrEnum):
    """What may happen to an offer."""

    THROTTLED = "throttled"  # never processed, and said so
    NO_CONNECTION = "no-connection"  # never left
    LOST = "lost"  # no answer, and never processed
    KEPT = "kept"  # no answer, and yet taken


@dataclass(frozen=True, slots=True)
class Webhook:
    """What the provider would post: to this URL, this form, under this signature."""

    url: str
    form: Mapping[str, str]
    signature: str


@dataclass(slots=True)
class _Kept:
    text: ProviderText
    callback_url: str
    listed_from: datetime


@dataclass
class FakeSmsProvider:
    """An `SmsProvider` that keeps its texts in memory.

    The test plays the network: `tell` brings a text forward and gives the
    callback, `reply` is the patient writing. A word of status is one of
    `DeliveryStatus`; error codes are the values of `Failure`.
    """

    now: Callable[[], datetime] = wall_now
    reply_url: str = "http://127.0.0.1/sms/fake/reply"
    name: str = "fake"
    loopback: bool = True
    usual_sender: str | None = SENDER
    signature_header: str = "X-Fake-Signature"
    list_lag: timedelta = timedelta(0)  # how long a new text is missing from what `find` sees
    unpriced: bool = False  # nothing is given a price
    is_down: bool = False  # nothing can be asked, nothing can be offered
    refusals: dict[str, Failure] = field(default_factory=dict)  # by number
    troubles: deque[Trouble] = field(default_factory=deque)  # what happens to the next offers
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)  # texts taken, by number and body
    lines: dict[str, LineType] = field(default_factory=dict)  # by number
    lookups: Counter[str] = field(default_factory=Counter)  # how often a line was asked about, by number
    _texts: dict[str, _Kept] = field(default_factory=dict)
    _opted_out: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, text: OutgoingText) -> SendOutcome:
        """Offer one text."""
        with self._lock:
            trouble = self.troubles.popleft() if self.troubles else None
            if self.is_down or trouble is Trouble.NO_CONNECTION:
                return NotSent("no-connection")
            if trouble is Trouble.THROTTLED:
                return Throttled(timedelta(seconds=1))
            if trouble is Trouble.LOST:
                return Uncertain("read-timeout")
            if text.to in self._opted_out:
                return Refused(OPTED_OUT, Failure.OPTED_OUT)
            if text.to in self.refusals:
                return Refused(str(self.refusals[text.to]), self.refusals[text.to])
            taken = self._keep(text)
            return Uncertain("read-timeout") if trouble is Trouble.KEPT else Accepted(taken)

    def find(self, to: str, since: datetime) -> Sequence[ProviderText]:
        """All texts to `to` created at or after `since`, newest first."""
        with self._lock:
            self._require_up()
            since, now = since.replace(microsecond=0), self.now()
            return [
                kept.text
                for kept in reversed(self._texts.values())
                if kept.text.to == to and kept.text.created_at >= since and kept.listed_from <= now
            ]

    def fetch(self, provider_id: str) -> ProviderText | None:
        """One text, or None."""
        with self._lock:
            self._require_up()
            kept = self._texts.get(provider_id)
            return kept.text if kept else None

    def bill(self, day: datetime, page: str | None = None) -> Bill:
        """What was sent on the day and has been given a price; one text a page."""
        with self._lock:
            self._require_up()
            ends = day + timedelta(days=1)
            texts = [kept.text for kept in self._texts.values()]
            sent = [text for text in texts if text.sent_at is not None and day <= text.sent_at < ends]
            place = int(page or 0)
            billed = [
                Billed(text.provider_id, text.segments, None if self.unpriced else text.price, text.currency)
                for text in sent[place : place + 1]
            ]
            return Bill(billed, str(place + 1) if place + 1 < len(sent) else None)

    def line_type(self, number: str) -> LineType:
        """As the test says, else a mobile."""
        with self._lock:
            self._require_up()
            self.lookups[number] += 1
            return self.lines.get(number, LineType.MOBILE)

    def verify(self, url: str, form: Mapping[str, Sequence[str]], signature: str) -> bool:
        """Whether this provider signed it."""
        flat = {name: values if isinstance(values, str) else values[0] for name, values in form.items()}
        return hmac.compare_digest(_sign(url, flat).encode(), (signature or "").encode())

    def read_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a callback."""
        word, code = form.get("word", ""), form.get("error") or None
        known = word in set(DeliveryStatus)
        return StatusReport(
            provider_id=form.get("id", ""),
            word=word,
            status=DeliveryStatus(word) if known else None,
            error_code=code,
            failure=(Failure(code) if code in set(Failure) else Failure.UNKNOWN) if code else None,
        )

    def read_reply(self, form: Mapping[str, str]) -> InboundText:
        """Read an inbound text."""
        return InboundText(
            provider_id=form.get("id", ""),
            from_number=form.get("from", ""),
            to_number=form.get("to", ""),
            body=form.get("body", ""),
            media=int(form.get("media", "0")),
            keyword_handled=form.get("handled") or None,
        )

    # --- What the test does ---------------------------------------------------------------------

    def tell(self, provider_id: str, word: str, failure: Failure | None = None) -> Webhook:
        """Bring a text forward, never back; the callback that tells of `word`, late or not."""
        with self._lock:
            kept = self._texts[provider_id]
            if word in set(DeliveryStatus):
                status = advance(kept.text.status, DeliveryStatus(word))
                code = str(failure) if failure else kept.text.error_code
                kept.text = replace(kept.text, status=status, word=str(status), error_code=code)
                if status is not DeliveryStatus.ACCEPTED and kept.text.sent_at is None:
                    kept.text = replace(kept.text, sent_at=self.now(), price="0.0083", currency="USD")
            form = {"id": provider_id, "word": word, "error": str(failure or "")}
            return Webhook(kept.callback_url, form, _sign(kept.callback_url, form))

    def reply(self, number: str, body: str, *, media: int = 0, handled: str | None = None) -> Webhook:
        """A patient writes. STOP and START are obeyed; `handled` says that they were answered too."""
        with self._lock:
            word = body.strip().casefold()
            if word == "stop":
                self._opted_out.add(number)
            if word == "start":
                self._opted_out.discard(number)
        form = {
            "id": f"in-{uuid4().hex}",
            "from": number,
            "to": SENDER,
            "body": body,
            "media": str(media),
            "handled": handled or "",
        }
        return Webhook(self.reply_url, form, _sign(self.reply_url, form))

    def texts(self) -> list[ProviderText]:
        """Every text taken, oldest first."""
        with self._lock:
            return [kept.text for kept in self._texts.values()]

    def _keep(self, text: OutgoingText) -> ProviderText:
        now = self.now()
        taken = ProviderText(
            provider_id=f"out-{uuid4().hex}",
            to=text.to,
            body=text.body,
            word=str(DeliveryStatus.ACCEPTED),
            status=DeliveryStatus.ACCEPTED,
            created_at=now.replace(microsecond=0),  # whole seconds, as Twilio's
            sender=text.sender or SENDER,
            segments=measure(text.body).segments,
        )
        self._texts[taken.provider_id] = _Kept(taken, text.callback_url, now + self.list_lag)
        self.copies[text.to, text.body] += 1
        return taken

    def _require_up(self) -> None:
        if self.is_down:
            raise ProviderUnavailable("no-connection")


def _sign(url: str, form: Mapping[str, str]) -> str:
    signed = url + "".join(f"{name}={form[name]};" for name in sorted(form))
    return hmac.digest(b"fake", signed.encode(), "sha256").hex()
