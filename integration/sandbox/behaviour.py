"""How the sandbox behaves and whom it admits: the knobs that tests and the phone page turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from integration.sandbox.record import Hours

if TYPE_CHECKING:
    from collections.abc import Mapping

SENDER = "+15005550006"  # the magic number that may always send
ACCOUNT = "AC" + "5a" * 16
TOKEN = "sandbox"  # noqa: S105 - opens nothing but the sandbox
TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


@dataclass
class Behaviour:
    """How the network behaves; every field may be changed while it runs."""

    reply_url: str | None = None  # where inbound texts are posted; None: dropped, as Twilio does
    pace: float = 1.0  # seconds between two statuses
    list_lag: float = 0.0  # seconds before a new text shows in lists
    latency: float = 0.0  # seconds every API answer takes
    keyword_blocking: bool = True  # the network obeys STOP, and refuses with 21610
    advanced_opt_out: bool = False  # inbound webhooks carry OptOutType
    toll_free: bool = False  # all our senders are (else by their prefix): YES does not undo STOP
    redaction: bool = False  # no STOP filtering; ContentRetention is allowed
    extra: dict[str, str] = field(default_factory=dict)  # parameters Twilio added without notice
    hours: Hours = field(default_factory=Hours)


@dataclass(frozen=True)
class Account:
    """Who may call, and with what; the first token signs."""

    sid: str = ACCOUNT
    tokens: tuple[str, ...] = (TOKEN,)
    api_keys: Mapping[str, str] = field(default_factory=dict)  # SK… → secret

    def admits(self, user: str, password: str) -> bool:
        """Whether these are the account's credentials."""
        return (user == self.sid and password in self.tokens) or (
            user in self.api_keys and self.api_keys[user] == password
        )
