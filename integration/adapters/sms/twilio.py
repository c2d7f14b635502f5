"""Twilio: send, look, verify, read status and read reply; the one file that knows it.

Creating a message has no idempotency key, so what the answer says about the
text decides everything (`send`): only a refusal and a 429 are certain, and a
connection that was never made. After anything else the text may be on its way.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from integration.domain.delivery_status import DeliveryStatus
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

    from integration.ports.sms import OutgoingText, SendOutcome

# Twilio's word → ours
STATUSES = {
    "scheduled": DeliveryStatus.ACCEPTED,
    "accepted": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "partially_delivered": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}

# OptOutType → ours: Advanced Opt-Out has already answered the patient
KEYWORDS = {"STOP": "stop", "START": "start", "HELP": "help"}

# Lookup's line type → ours; whatever else there is (pager, tollFree, premium ...) may take texts
LINES = {
    "mobile": LineType.MOBILE,
    "personal": LineType.MOBILE,
    "fixedVoip": LineType.VOIP,
    "nonFixedVoip": LineType.VOIP,
    "voip": LineType.VOIP,
    "landline": LineType.LANDLINE,
    "payphone": LineType.PAYPHONE,
}

# What broke, the particular before the general → what that says about the text
BROKEN: tuple[tuple[type[Exception], NotSent | Uncertain], ...] = (
    (requests.exceptions.ConnectTimeout, NotSent("connect-timeout")),
    (requests.exceptions.ReadTimeout, Uncertain("read-timeout")),
    (requests.exceptions.ChunkedEncodingError, Uncertain("answer-cut-short")),
    (requests.exceptions.ConnectionError, Uncertain("connection-dropped")),
    (ValueError, Uncertain("unreadable-answer")),  # not JSON
)

API, LOOKUPS, TWILIOS = "https://api.twilio.com", "lookups.", ".twilio.com"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
VALIDITY = (1, 36_000)  # seconds that ValidityPeriod may name
CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0
PAGE_SIZE, MOST_PAGES = 200, 50
UNKNOWN_TEXT = 20404  # "not found", in Twilio's own words and not a proxy's
OUR_ACCOUNT = frozenset({401, 403, 404})  # on create, even when no code says why

MISSING_SEGMENT = "30009"  # an inbound text whose parts did not all arrive

T = TypeVar("T")


@dataclass(frozen=True)
class TwilioAccount:
    """Whom to call, as whom, and how to read the errors. Raises `ValueError` for what cannot work."""

    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)  # the first signs our calls, all verify (rotation)
    sender: str | None  # E.164 or short code
    messaging_service_sid: str | None  # with a sender beside it, that member of its pool sends
    api_base_url: str | None  # None: Twilio itself; else its emulator, or a region's own address
    error_codes: Mapping[str, Failure] = field(repr=False)
    threads: int = 8  # how many send at once

    def __post_init__(self) -> None:
        if not self.account_sid or not self.auth_tokens or not all(self.auth_tokens):
            raise ValueError("Twilio: the account SID or an auth token is empty")
        if not self.sender and not self.messaging_service_sid:
            raise ValueError("Twilio: neither a sender nor a messaging service is given")
        if self.api_base_url is not None:
            self._check(self.api_base_url)

    @property
    def loopback(self) -> bool:
        """Whether its calls can only ever reach this machine."""
        return self.api_base_url is not None and urlsplit(self.api_base_url).hostname in LOOPBACK

    def _check(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("Twilio: the API base URL is not an http(s) URL")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("Twilio: the API base URL has more than scheme, host, port and path")
        if parts.scheme == "http" and not self.loopback:
            raise ValueError("Twilio: the API base URL must be https, except on this machine")


def build(account: TwilioAccount) -> TwilioProvider:
    """The provider that texts through this account."""
    # At DEBUG urllib3 writes whole URLs, and ours name the patient's number.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    return TwilioProvider(account)


class TwilioProvider:
    """Texts through Twilio; an `SmsProvider`. One is shared by all threads."""

    name = "twilio"
    signature_header = "X-Twilio-Signature"

    def __init__(self, account: TwilioAccount) -> None:
        self.loopback = account.loopback
        self.usual_sender = account.messaging_service_sid or account.sender
        self._codes = account.error_codes
        self._sender = {"from_": account.sender, "messaging_service_sid": account.messaging_service_sid}
        self._validators = [RequestValidator(token) for token in account.auth_tokens]
        http = _OneOrigin(account.api_base_url or API, account.threads)
        self._client = Client(account.account_sid, account.auth_tokens[0], http_client=http)

    def send(self, text: OutgoingText) -> SendOutcome:
        """Offer one text; blocks at most about ten seconds. Never raises."""
        fields = {name: value for name, value in (_named(text.sender) or self._sender).items() if value}
        seconds = min(max(int(text.valid_for.total_seconds()), VALIDITY[0]), VALIDITY[1])
        try:
            message = self._client.messages.create(
                to=text.to,
                body=text.body,
                status_callback=text.callback_url,
                validity_period=seconds,
                **fields,
            )
            known = _read(message)
        except _TooManyRequests as busy:
            return Throttled(busy.retry_after)
        except TwilioException as answer:
            return self._refusal(_status(answer), getattr(answer, "code", None))
        except Exception as surprise:  # noqa: BLE001 - whatever it was, the text may have left
            return _broken(surprise)
        return Accepted(known) if known.provider_id else Uncertain("unreadable-answer")

    def find(self, to: str, since: datetime) -> Sequence[ProviderText]:
        """All texts to `to` created at or after `since`, newest first.

        By `To` alone: a DateSent filter misses what has not been sent yet.
        Twilio's times are whole seconds, so `since` is taken to the second.
        """
        since = since.astimezone(UTC).replace(microsecond=0)

        def look() -> list[ProviderText]:
            found: list[ProviderText] = []
            page = self._client.messages.page(to=to, page_size=PAGE_SIZE)
            for _ in range(MOST_PAGES):
                texts = [_read(message) for message in page]
                found += texts
                # Sorted by creation or by sending: after this one nothing younger can follow.
                if texts and max(texts[-1].created_at, texts[-1].sent_at or since) < since:
                    return found
                page = page.next_page()
                if page is None:
                    return found
            raise ValueError("the list has no end")

        recent = [text for text in self._ask(look) if text.created_at >= since]
        return sorted(recent, key=lambda text: text.created_at, reverse=True)

    def fetch(self, provider_id: str) -> ProviderText | None:
        """One text, or None if Twilio does not know it."""

        def look() -> ProviderText | None:
            try:
                return _read(self._client.messages(provider_id).fetch())
            except TwilioException as answer:
                if getattr(answer, "code", None) == UNKNOWN_TEXT:
                    return None
                raise

        return self._ask(look)

    def bill(self, day: datetime, page: str | None = None) -> Bill:
        """One page of the messages whose DateSent lies on this GMT day, in both directions."""

        def look() -> Bill:
            messages = self._client.messages
            listed = messages.get_page(page) if page else messages.page(date_sent=day, page_size=PAGE_SIZE)
            return Bill(tuple(map(_billed, listed)), listed.next_page_url)

        return self._ask(look)

    def line_type(self, number: str) -> LineType:
        """By Lookup v2, its package Line Type Intelligence, which is charged."""

        def look() -> LineType:
            found = self._client.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
            if found.valid is False:
                return LineType.INVALID
            line = found.line_type_intelligence
            return LINES.get(str(line.get("type")), LineType.UNKNOWN) if line else LineType.UNKNOWN

        return self._ask(look)

    def verify(self, url: str, form: Mapping[str, Sequence[str]], signature: str) -> bool:
        """Whether Twilio signed this webhook, with any of our tokens.

        `url` is the public base and the raw path and query as they came: Flask's
        own `request.url` is decoded, and no longer what was signed. `form` is
        werkzeug's `request.form` or a mapping of lists, blank values included.
        """
        if not signature:
            return False
        fields = _Form(form)
        try:
            return any(validator.validate(url, fields, signature) for validator in self._validators)
        except ValueError:  # a port that is no number
            return False

    def read_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback. Unknown words and keys never raise."""
        word = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
        code = form.get("ErrorCode") or None
        return StatusReport(
            provider_id=form.get("MessageSid") or form.get("SmsSid") or "",
            word=word,
            status=STATUSES.get(word),
            error_code=code,
            failure=self._codes.get(code, Failure.UNKNOWN) if code else None,
        )

    def read_reply(self, form: Mapping[str, str]) -> InboundText:
        """Read an inbound text."""
        return InboundText(
            provider_id=form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid") or "",
            from_number=form.get("From", ""),
            to_number=form.get("To", ""),
            body=form.get("Body", ""),
            media=_small(form.get("NumMedia", ""), 0),
            segments=_small(form.get("NumSegments", ""), 1),
            partial=form.get("ErrorCode") == MISSING_SEGMENT or _lacks_a_part(form),
            keyword_handled=KEYWORDS.get(form.get("OptOutType", "").upper()),
        )

    def _refusal(self, status: int, code: object) -> Refused | Uncertain:
        """What an answer other than 2xx and 429 says."""
        if not 300 <= status < 500:  # noqa: PLR2004 - HTTP's classes
            return Uncertain(f"http-{status}")
        ours = status < 400 or status in OUR_ACCOUNT  # noqa: PLR2004 - a redirect: the base URL is wrong
        unlisted = Failure.ACCOUNT if ours else Failure.UNKNOWN
        word = str(code or status)
        return Refused(word, self._codes.get(word, unlisted))

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except TwilioException as answer:
            why = f"http-{_status(answer)}"
        except _TooManyRequests:
            why = "http-429"
        except Exception as surprise:  # noqa: BLE001 - a port speaks its own errors only
            why = _broken(surprise).why
        # Raised out here so that it carries no cause: the library's errors name the patient's number.
        raise ProviderUnavailable(why)


def _lacks_a_part(form: Mapping[str, str]) -> bool:
    """Whether it came in more segments than its words fill: NumSegments counts those that were sent."""
    sent = form.get("NumSegments", "")
    return sent.isdecimal() and len(sent) < 4 and measure(form.get("Body", "")).segments < int(sent) > 1  # noqa: PLR2004 - ten at most


class _TooManyRequests(Exception):
    """HTTP 429, before the library makes of it an error that has lost its headers."""

    def __init__(self, retry_after: timedelta | None) -> None:
        self.retry_after = retry_after


class _OneOrigin(TwilioHttpClient):  # type: ignore[misc]  # the library ships no types
    """The library's HTTP client: to one origin, in bounded time, without proxies, keeping nothing.

    Twilio itself is one origin a product: Lookup answers at `lookups.` where messages go to `api.`.

    The library's own waits for ever, keeps the last request and answer (a
    number and a body) for tests, and cannot be pointed at an emulator.
    """

    def __init__(self, base_url: str, threads: int) -> None:
        super().__init__(pool_connections=False, timeout=READ_SECONDS)
        self._base = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=threads, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def request(  # noqa: PLR0917 - the library's signature
        self,
        method: str,
        url: str,
        params: Any = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - as above; a redirect is never followed
    ) -> Response:
        del timeout, allow_redirects
        host, path, query = urlsplit(url)[1:4]
        base = origin_of(host, self._base)
        answer = self._session.request(
            method,
            f"{base}{path}?{query}" if query else f"{base}{path}",
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        )
        if answer.status_code == requests.codes.too_many_requests:
            seconds = answer.headers.get("Retry-After", "")
            raise _TooManyRequests(
                timedelta(seconds=min(int(seconds), 3600)) if seconds.isdecimal() else None
            )
        return Response(answer.status_code, answer.content.decode("utf-8", "replace"), answer.headers)


def origin_of(host: str, base_url: str) -> str:
    """Where to ask what the library would ask of `host`: at Twilio, Lookup has a host of its own."""
    if host.startswith(LOOKUPS) and base_url.endswith(TWILIOS):
        return base_url.replace("//api.", f"//{LOOKUPS}", 1)
    return base_url


class _Form(dict[str, list[str]]):
    """A form as the validator wants it: every value of every key."""

    def __init__(self, form: Mapping[str, Sequence[str]]) -> None:
        several: Callable[[str], Sequence[str]] = getattr(form, "getlist", form.__getitem__)
        for name in form:
            values = several(name)
            self[name] = [values] if isinstance(values, str) else list(values)

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _named(sender: str | None) -> dict[str, str] | None:
    """The parameter that names this sender; a messaging service's SID begins with MG, no number does."""
    if sender is None:
        return None
    return {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}


def _small(written: str, unless: int) -> int:
    """A count of at most three digits, or what holds unless there is one."""
    return int(written) if written.isdecimal() and len(written) <= 3 else unless  # noqa: PLR2004 - as it says


def _status(answer: TwilioException) -> int:
    """The HTTP status in an error of the library, which keeps it here or there; 0 if nowhere."""
    for holder in (answer, *answer.args):
        status = getattr(holder, "status", None) or getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return 0


def _broken(surprise: Exception) -> NotSent | Uncertain:
    """What an exception says about the text that was being offered."""
    cause = getattr(surprise.args[0], "reason", None) if surprise.args else None
    if isinstance(cause, NewConnectionError):  # refused, no route, or no such host
        return NotSent("no-connection")
    for kind, outcome in BROKEN:
        if isinstance(surprise, kind):
            return outcome
    return Uncertain(type(surprise).__name__)


def _read(message: Any) -> ProviderText:
    """A message of the library, in our words. Without a date it counts as new, so that nothing hides it."""
    word = str(message.status or "").lower()
    segments = str(message.num_segments or "")
    return ProviderText(
        provider_id=message.sid or "",
        to=message.to or "",
        body=message.body or "",
        word=word,
        status=STATUSES.get(word, DeliveryStatus.ACCEPTED),
        created_at=message.date_created or datetime.now(UTC),
        sender=message.from_ or None,
        error_code=str(message.error_code) if message.error_code else None,
        segments=int(segments) or None if segments.isdecimal() else None,  # "0" until a sender is chosen
        price=_price(message.price),
        currency=message.price_unit or None,
        sent_at=message.date_sent,
    )


def _billed(message: Any) -> Billed:
    known = _read(message)
    return Billed(known.provider_id, known.segments, known.price, known.currency)


def _price(charged: str | None) -> str | None:
    """Twilio writes what it took off the balance, "-0.00750"; we say what it cost."""
    try:
        return f"{abs(Decimal(charged)):f}" if charged else None
    except InvalidOperation:
        return None
