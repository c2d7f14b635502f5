"""Asks a server without a token: bounded in time and bytes, no redirect followed, JSON or nothing."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from integration.ports.ehr import TryLater

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT: Final = httpx.Timeout(connect=5, read=15, write=10, pool=5)  # seconds
_TOTAL_SECONDS: Final = 30.0
_LARGEST: Final = 16 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    json: Any  # None: it said none

    @property
    def is_busy(self) -> bool:
        """Whether it may say something else when asked again."""
        return self.status in {408, 425, 429} or self.status >= 500  # noqa: PLR2004 - RFC 9110, 15.6


class OpenHttp:
    """A connection to whom we do not say who we are; threads may share it."""

    def __init__(self, timeout: httpx.Timeout = _TIMEOUT) -> None:
        for chatty in ("httpx", "httpcore"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._http = httpx.Client(
            headers={"User-Agent": "appointment-texts"},
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
        )

    def get(self, url: str, accept: str) -> Answer | TryLater:
        """GET."""
        return self._exchange("GET", url, {"Accept": accept}, None)

    def post(self, url: str, form: Mapping[str, str]) -> Answer | TryLater:
        """POST a form."""
        return self._exchange("POST", url, {"Accept": "application/json"}, dict(form))

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def _exchange(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> Answer | TryLater:
        deadline = time.monotonic() + _TOTAL_SECONDS
        body = bytearray()
        try:
            with self._http.stream(method, url, headers=headers, data=form) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST or time.monotonic() > deadline:
                        return TryLater("the answer is too large or too slow")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return TryLater(f"no answer ({type(error).__name__})")
        lowered = {name.lower(): value for name, value in response.headers.items()}
        try:
            said = orjson.loads(body)
        except orjson.JSONDecodeError:
            said = None
        return Answer(response.status_code, lowered, said)
