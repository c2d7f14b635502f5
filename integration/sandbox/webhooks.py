"""Posting to the product as Twilio does: signed, with Twilio's limits and retries.

The URL's fragment may override them (`#ct=..&rt=..&tt=..&rc=..&rp=..`): connect,
read and total milliseconds, retries, and what is retried. It is read, not sent,
and not signed. Defaults: messaging reference §1.7.
"""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.sandbox.texts import Webhook

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_RETRIES = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an answer is waited for, and what is tried again."""

    connect: float = 5.0  # seconds, as are the next two
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    retried: frozenset[str] = frozenset({"ct"})  # 4xx | 5xx | ct | rt | all

    @classmethod
    def of(cls, fragment: str) -> Limits:
        """The limits a fragment asks for; what it does not say, or says wrongly, stays as it is."""
        said = {name: values[-1] for name, values in parse_qs(fragment).items()}

        def seconds(name: str, usual: float, most: float) -> float:
            value = said.get(name, "")
            return min(max(int(value) / 1000, 0.1), most) if value.isdecimal() else usual

        retries = said.get("rc", "")
        usual = cls()
        return cls(
            connect=seconds("ct", usual.connect, 10.0),
            read=seconds("rt", usual.read, 15.0),
            total=seconds("tt", usual.total, 15.0),
            retries=min(int(retries), MOST_RETRIES) if retries.isdecimal() else usual.retries,
            retried=frozenset(said["rp"].split(",")) if "rp" in said else usual.retried,
        )

    def retry(self, answer: str) -> bool:
        """Whether this answer is one to try again after."""
        if answer.startswith("2"):
            return False
        kind = {"gone": "ct"}.get(answer, f"{answer[0]}xx" if answer[0].isdecimal() else answer)
        return bool({kind, "all"} & self.retried)


def signature(url: str, form: Mapping[str, str], token: str) -> str:
    """X-Twilio-Signature: base64(HMAC-SHA1(token, URL + every key and value, sorted by key))."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def deliver(webhook: Webhook, form: Mapping[str, str], token: str, fragment: str) -> None:
    """Post it, and again as the limits allow; every answer is noted on the webhook."""
    limits = Limits.of(fragment)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": signature(webhook.url, form, token),
        "I-Twilio-Idempotency-Token": webhook.idempotency_token,
    }
    body = urlencode(form).encode()
    for _ in range(1 + limits.retries):
        answer = _post(webhook.url, body, headers, limits)
        webhook.answers.append(answer)
        if not limits.retry(answer):
            return


def _post(url: str, body: bytes, headers: Mapping[str, str], limits: Limits) -> str:
    """One attempt: its HTTP status, or `ct` (no connection), `rt` (no answer in time), `gone`, `not-here`."""
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:
        return "not-here"  # the sandbox reaches nothing but this machine
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    until = time.monotonic() + limits.total
    connection = kind(parts.hostname, parts.port, timeout=min(limits.connect, limits.total))
    try:
        connection.connect()
    except OSError:
        connection.close()
        return "ct"
    try:
        connection.sock.settimeout(max(min(limits.read, until - time.monotonic()), 0.001))
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(65_536)
    except TimeoutError:
        return "rt"
    except (OSError, HTTPException):
        return "gone"
    else:
        return str(answer.status)
    finally:
        connection.close()
