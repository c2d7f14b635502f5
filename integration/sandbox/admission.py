"""What Twilio refuses at the door, with its own codes; and the magic numbers of its test credentials.

Messaging reference §1.1, §1.10, §1.15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_CHARACTERS, MOST_MEDIA = 1600, 10
VALIDITY = range(1, 36_001)  # seconds
SOONEST, LATEST = timedelta(seconds=300), timedelta(days=35)  # SendAt
SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}")
ABROAD = re.compile(r"\+[2-9][0-9]{6,14}")
SHORT_CODE = re.compile(r"[0-9]{5,6}")

# number → code
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

MESSAGES = {
    20001: "The request could not be understood",
    20003: "Authenticate",
    20009: "The resource cannot be deleted or redacted before its delivery has ended",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid From Number",
    21266: "'To' and 'From' number cannot be the same",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    21602: "Message body is required",
    21603: "A 'From' phone number or a 'MessagingServiceSid' is required",
    21604: "A 'To' phone number is required",
    21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number",
    21609: "The StatusCallback URL is not a valid URL",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "Message cannot be sent with the current combination of 'To' and/or 'From' parameters",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21620: "Invalid media URL(s)",
    21623: "Number of media files exceeds allowed limit",
    21624: "The ValidityPeriod is invalid",
    21704: "The Messaging Service contains no phone numbers",
    21705: "The Messaging Service Sid is invalid",
    30030: "Message Redaction is not enabled for this account",
    30409: "This message cannot be canceled",
    35111: "SendAt and ScheduleType must be given together",
    35114: "SendAt is outside the scheduling window or not a timestamp",
    35117: "The ScheduleType is not supported",
    35118: "MessagingServiceSid is required to schedule a message",
}


class ApiError(Exception):
    """A refusal as Twilio words it."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(code, status)
        self.code = code
        self.status = status

    def body(self) -> dict[str, object]:
        """The answer's JSON."""
        return {
            "code": self.code,
            "message": MESSAGES.get(self.code, "The request was refused"),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A create, read and found good."""

    to: str
    body: str
    sender: str | None
    service: str | None
    callback: str | None
    validity: int
    media: tuple[str, ...]
    send_at: datetime | None
    discard: bool


@dataclass(frozen=True, slots=True)
class Senders:
    """What the account may send from."""

    numbers: frozenset[str] | None = None  # None: any number that could be one
    services: Mapping[str, Sequence[str]] | None = None  # SID → its numbers; None: any well-formed SID


def e164(written: str) -> str | None:
    """A number as people write it, in E.164; None when it cannot be a number."""
    digits = re.sub(r"[\s().\-]", "", written)
    if re.fullmatch(r"[2-9][0-9]{9}", digits):
        digits = f"+1{digits}"
    plausible = NORTH_AMERICAN.fullmatch(digits) or ABROAD.fullmatch(digits)
    return digits if plausible else None


def admit(form: Mapping[str, Sequence[str]], senders: Senders, now: datetime, *, redaction: bool) -> Request:
    """Read a create. Raises `ApiError` with the code Twilio would give."""
    said = {name: values[-1] for name, values in form.items() if values and values[-1]}
    to = _recipient(said.get("To"))
    service = _service(said.get("MessagingServiceSid"), senders)
    sender = _sender(said.get("From"), service, senders)
    media = _media(form.get("MediaUrl", ()))
    body = said.get("Body", "")
    _require(bool(body or media), 21602)
    _require(len(body) <= MOST_CHARACTERS, 21617)
    _require(sender != to, 21266)
    callback = said.get("StatusCallback")
    _require(callback is None or is_web_address(callback), 21609)
    _require(redaction or not {"ContentRetention", "AddressRetention"} & said.keys(), 30030)
    return Request(
        to=to,
        body=body,
        sender=sender,
        service=service,
        callback=callback,
        validity=_validity(said.get("ValidityPeriod")),
        media=media,
        send_at=_send_at(said, service, now),
        discard=said.get("ContentRetention") == "discard",
    )


def is_web_address(url: str) -> bool:
    """Whether a callback could be posted there: http(s), a host, and no underscore in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in parts.netloc


def _require(condition: bool, code: int) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise ApiError(code)


def _recipient(written: str | None) -> str:
    if written is None:
        raise ApiError(21604)
    to = e164(written)
    if to is None:
        raise ApiError(21211)
    if to in MAGIC_TO:
        raise ApiError(MAGIC_TO[to])
    return to


def _service(sid: str | None, senders: Senders) -> str | None:
    if sid is None:
        return None
    known = SERVICE.fullmatch(sid) and (senders.services is None or sid in senders.services)
    _require(bool(known), 21705)
    _require(senders.services is None or bool(senders.services[sid]), 21704)
    return sid


def _sender(written: str | None, service: str | None, senders: Senders) -> str | None:
    if written is None:
        _require(service is not None, 21603)
        return None
    sender = written if SHORT_CODE.fullmatch(written) else e164(written)
    if sender is None:
        raise ApiError(21212)
    if sender in MAGIC_FROM:
        raise ApiError(MAGIC_FROM[sender])
    _require(senders.numbers is None or sender in senders.numbers, 21606)
    return sender


def _media(urls: Sequence[str]) -> tuple[str, ...]:
    _require(len(urls) <= MOST_MEDIA, 21623)
    _require(all(map(is_web_address, urls)), 21620)
    return tuple(urls)


def _validity(written: str | None) -> int:
    if written is None:
        return VALIDITY[-1]
    _require(bool(re.fullmatch(r"[0-9]{1,5}", written)) and int(written) in VALIDITY, 21624)
    return int(written)


def _send_at(said: Mapping[str, str], service: str | None, now: datetime) -> datetime | None:
    kind, written = said.get("ScheduleType"), said.get("SendAt")
    if kind is None and written is None:
        return None
    _require(kind is not None and written is not None, 35111)
    _require(kind == "fixed", 35117)
    _require(service is not None, 35118)
    try:
        at = datetime.fromisoformat(written or "")
    except ValueError:
        raise ApiError(35114) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    _require(SOONEST < at - now <= LATEST, 35114)
    return at
